-- Changes a role, what it may do and which processes it is shown.
SELECT status, message, body
  FROM reklam.role_update(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
