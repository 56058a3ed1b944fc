-- Gives a user these roles and no others.
SELECT status, message, body
  FROM reklam.user_roles_assign(:'id'::uuid, :'body'::jsonb, :'me'::uuid);
