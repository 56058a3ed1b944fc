-- The active roles of a user, the primary one first.
-- reads: roles, user_roles
WITH held AS MATERIALIZED (
	SELECT ur.id, ur.is_primary, ur.assigned_at, r.id AS role_id, r.code,
	       r.name, r.description
	  FROM user_roles ur
	  JOIN roles r ON r.id = ur.role_id
	 WHERE ur.user_id = :'id'::uuid
	   AND r.is_active
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', id,
           'role_id', role_id,
           'role_code', code,
           'role_name', name,
           'role_description', description,
           'is_primary', is_primary,
           'assigned_at', assigned_at)
           ORDER BY coalesce(is_primary, false) DESC, name, id), '[]')) AS body,
       (SELECT count(*) FROM held) AS total
  FROM (SELECT *
          FROM held
         ORDER BY coalesce(is_primary, false) DESC, name, id
         LIMIT least(coalesce(:'limit'::int, 10000), 10000)
        OFFSET coalesce(:'offset'::int, 0)) page;
