-- Every user with roles, for reklamctl user list.
SELECT u.username, u.email, u.full_name,
       coalesce((SELECT string_agg(r.code, ','
                            ORDER BY ur.is_primary DESC, r.name)
                   FROM user_roles ur
                   JOIN roles r ON r.id = ur.role_id
                  WHERE ur.user_id = u.id), u.role) AS roles,
       coalesce(u.is_active, false) AS active,
       to_char(u.created_at, 'YYYY-MM-DD') AS since
  FROM users u
 ORDER BY u.username;
