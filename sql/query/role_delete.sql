-- Deletes a role that nobody has.
SELECT status, message, body
  FROM reklam.role_delete(:'id'::uuid);
