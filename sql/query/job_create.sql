-- Creates a job, a draft, with its steps.
SELECT status, message, body
  FROM reklam.job_create(:'body'::jsonb, :'me'::uuid, :'today'::date);
