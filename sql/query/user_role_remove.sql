-- Takes a role from a user.
SELECT status, message, body
  FROM reklam.user_role_remove(:'id'::uuid, :'role_id'::uuid);
