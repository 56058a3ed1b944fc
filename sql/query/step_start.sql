-- Starts a step.
SELECT status, message, body
  FROM reklam.step_start(:'id'::uuid, :'me'::uuid, :'rights'::text[]);
