-- Changes fields of a job.
SELECT status, message, body
  FROM reklam.job_update(:'id'::uuid, :'body'::jsonb);
