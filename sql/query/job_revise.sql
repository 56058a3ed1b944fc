-- Makes a new revision of a job, with a reason.
SELECT status, message, body
  FROM reklam.job_revise(:'id'::uuid, :'body'::jsonb, :'me'::uuid);
