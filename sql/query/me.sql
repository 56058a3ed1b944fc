-- The asker, with his roles.
-- reads: users, roles, user_roles
SELECT json_build_object('user', json_build_object(
           'id', u.id,
           'username', u.username,
           'email', u.email,
           'full_name', u.full_name,
           'role', coalesce(main.code, u.role),
           'is_active', coalesce(u.is_active, false),
           'created_at', u.created_at,
           'primary_role', CASE WHEN coalesce(main.code, u.role) IS NOT NULL
               THEN json_build_object(
                   'id', main.id,
                   'code', coalesce(main.code, u.role),
                   'name', main.name,
                   'is_primary', true) END,
           'roles', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', r.id,
                          'code', r.code,
                          'name', r.name,
                          'is_primary', coalesce(ur.is_primary, false))
                      ORDER BY coalesce(ur.is_primary, false) DESC, r.name,
                               r.id), '[]')
                 FROM user_roles ur
                 JOIN roles r ON r.id = ur.role_id
                WHERE ur.user_id = u.id))) AS body
  FROM users u
  LEFT JOIN user_roles chosen ON chosen.user_id = u.id AND chosen.is_primary
  LEFT JOIN roles main ON main.id = chosen.role_id
 WHERE u.id = :'me'::uuid;
