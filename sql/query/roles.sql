-- The roles, each with how many users have it.
-- reads: roles, user_roles
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', r.id,
           'name', r.name,
           'code', r.code,
           'description', r.description,
           'is_active', r.is_active,
           'user_count', (
               SELECT count(*)
                 FROM user_roles ur
                WHERE ur.role_id = r.id))
           ORDER BY r.name, r.id), '[]')) AS body,
       (SELECT count(*) FROM roles) AS total
  FROM (SELECT *
          FROM roles
         ORDER BY name, id
         LIMIT least(coalesce(:'limit'::int, 10000), 10000)
        OFFSET coalesce(:'offset'::int, 0)) r;
