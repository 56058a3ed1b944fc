-- Cancels a job and its unfinished steps.
SELECT status, message, body
  FROM reklam.job_cancel(:'id'::uuid, :'body'::jsonb, :'me'::uuid);
