-- Puts a job and its open steps on hold.
SELECT status, message, body
  FROM reklam.job_hold(:'id'::uuid, :'body'::jsonb, :'me'::uuid);
