-- Who has which roles.

/*
 * The active roles of a user.  Somebody without a row in user_roles, from
 * before there were any, has the role that users.role names.
 */
CREATE OR REPLACE FUNCTION reklam.active_roles(user_id uuid)
RETURNS TABLE (id uuid, code varchar, name varchar, is_primary boolean)
LANGUAGE sql STABLE
AS $$
SELECT r.id, r.code, r.name, coalesce(ur.is_primary, false)
  FROM user_roles ur
  JOIN roles r ON r.id = ur.role_id
 WHERE ur.user_id = active_roles.user_id
   AND r.is_active
UNION ALL
SELECT r.id, r.code, r.name, true
  FROM users u
  JOIN roles r ON r.code = u.role
 WHERE u.id = active_roles.user_id
   AND r.is_active
   AND NOT EXISTS (SELECT FROM user_roles ur WHERE ur.user_id = u.id)
$$;
