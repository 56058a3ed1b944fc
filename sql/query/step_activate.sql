-- Makes a pending step ready.
SELECT status, message, body
  FROM reklam.step_activate(:'id'::uuid, :'me'::uuid, :'rights'::text[]);
