-- An active user by his name, with what his password is checked against.
-- reads: users, roles, user_roles
SELECT json_build_object(
           'user', json_build_object(
               'id', u.id,
               'username', u.username,
               'email', u.email,
               'full_name', u.full_name,
               'role', (SELECT code
                          FROM reklam.active_roles(u.id)
                         ORDER BY is_primary DESC, name, id
                         LIMIT 1)),
           'hash', u.password_hash,
           'valid_from',
               reklam.microseconds(u.tokens_valid_from)) AS body
  FROM users u
 WHERE u.username = :'username'::text
   AND u.is_active;
