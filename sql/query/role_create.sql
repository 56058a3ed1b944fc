-- Adds a role.
SELECT status, message, body
  FROM reklam.role_create(:'body'::jsonb);
