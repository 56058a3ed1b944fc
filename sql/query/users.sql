-- The active users with their active roles, the newest first.
-- reads: users, roles, user_roles
WITH page AS MATERIALIZED (
	SELECT *
	  FROM users
	 WHERE is_active
	 ORDER BY created_at DESC, id DESC
	 LIMIT least(coalesce(:'limit'::int, 10000), 10000)
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', u.id,
           'username', u.username,
           'email', u.email,
           'full_name', u.full_name,
           'role', coalesce(main.code, u.role),
           'is_active', u.is_active,
           'created_at', u.created_at,
           'avatar_url', u.avatar_url,
           'avatar_file_id', u.avatar_file_id,
           'primary_role', json_build_object(
               'id', main.id,
               'code', coalesce(main.code, u.role),
               'name', main.name),
           'roles', (
               SELECT coalesce(json_agg(json_build_object(
                          'role_id', r.id,
                          'role_code', r.code,
                          'role_name', r.name,
                          'is_primary', ur.is_primary)
                      ORDER BY coalesce(ur.is_primary, false) DESC, r.name,
                               r.id), '[]')
                 FROM user_roles ur
                 JOIN roles r ON r.id = ur.role_id
                WHERE ur.user_id = u.id
                  AND r.is_active))
           ORDER BY u.created_at DESC, u.id DESC), '[]')) AS body,
       (SELECT count(*) FROM users WHERE is_active) AS total
  FROM page u
  LEFT JOIN user_roles chosen ON chosen.user_id = u.id AND chosen.is_primary
  LEFT JOIN roles main ON main.id = chosen.role_id;
