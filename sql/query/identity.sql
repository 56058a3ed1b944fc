-- Who somebody is and what he may do, for the gate.
-- reads: users, roles, user_roles, role_permissions
WITH held AS MATERIALIZED (
	SELECT *
	  FROM reklam.active_roles(:'user'::uuid)
), rights AS (
	SELECT '*' COLLATE "C" AS word
	 WHERE EXISTS (SELECT FROM held WHERE code = 'yonetici')
	UNION
	SELECT p.resource || '.' || action
	  FROM held
	  JOIN role_permissions p ON p.role_id = held.id
	 CROSS JOIN LATERAL (
	       VALUES ('view', p.can_view), ('create', p.can_create),
	              ('update', p.can_update), ('delete', p.can_delete)
	       ) actions (action, allowed)
	 WHERE allowed
	 ORDER BY word
	 LIMIT 400	-- what the gate has room for
)
SELECT json_build_object(
           'id', u.id,
           'username', u.username,
           'active', coalesce(u.is_active, false),
           'role', (SELECT code
                      FROM held
                     ORDER BY is_primary DESC, name, id
                     LIMIT 1),
           'valid_from', reklam.microseconds(u.tokens_valid_from),
           'roles', (SELECT count(*) FROM held),
           'rights', (SELECT coalesce(json_agg(word), '[]') FROM rights)
       ) AS body
  FROM users u
 WHERE u.id = :'user'::uuid;
