-- Deactivates a user.
SELECT status, message, body
  FROM reklam.user_delete(:'id'::uuid, :'me'::uuid, :'rights'::text[]);
