-- Adds a step to the end of a job.
SELECT status, message, body
  FROM reklam.step_add(:'id'::uuid, :'body'::jsonb);
