-- Takes a step out of its pause.
SELECT status, message, body
  FROM reklam.step_resume(:'id'::uuid, :'me'::uuid, :'rights'::text[]);
