-- One user with his roles and the numbers of his tasks.
-- reads: users, roles, user_roles, files, job_steps
WITH held AS (
	-- With no primary role among them, users.role comes first.
	SELECT r.id, r.code, r.name, r.description, ur.is_primary,
	       ur.assigned_at
	  FROM user_roles ur
	  JOIN roles r ON r.id = ur.role_id
	 WHERE ur.user_id = :'id'::uuid
	UNION ALL
	SELECT r.id, r.code, r.name, r.description, true, NULL
	  FROM users u
	  JOIN roles r ON r.code = u.role
	 WHERE u.id = :'id'::uuid
	   AND NOT EXISTS (
	           SELECT
	             FROM user_roles ur
	            WHERE ur.user_id = u.id
	              AND ur.is_primary)
), shown AS (
	SELECT row_number() OVER (
	           ORDER BY coalesce(is_primary, false) DESC, name, id) AS place,
	       is_primary,
	       code,
	       json_build_object(
	           'role_id', id,
	           'role_code', code,
	           'role_name', name,
	           'role_description', description,
	           'is_primary', is_primary,
	           'assigned_at', assigned_at) AS role
	  FROM held
), stats AS (
	SELECT count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
	       count(*) FILTER (WHERE status = 'completed') AS completed,
	       count(*) FILTER (WHERE status = 'ready') AS ready
	  FROM job_steps
	 WHERE assigned_to = :'id'::uuid
)
SELECT json_build_object('data', json_build_object(
           'id', u.id,
           'username', u.username,
           'email', u.email,
           'full_name', u.full_name,
           'role', coalesce((SELECT code
                               FROM shown
                              WHERE is_primary
                                AND place = 1), u.role),
           'is_active', coalesce(u.is_active, false),
           'created_at', u.created_at,
           'avatar_url', coalesce(nullif(u.avatar_url, ''), f.object_key),
           'avatar_file_id', coalesce(u.avatar_file_id, f.id),
           'primary_role', (SELECT role
                              FROM shown
                             WHERE is_primary
                               AND place = 1),
           'roles', (SELECT coalesce(json_agg(role ORDER BY place), '[]')
                       FROM shown),
           'stats', row_to_json(stats))) AS body
  FROM users u
 CROSS JOIN stats
  LEFT JOIN LATERAL (
       SELECT files.id, files.object_key
         FROM files
        WHERE files.ref_type = 'user'
          AND files.ref_id = u.id
          AND u.avatar_file_id IS NULL
        ORDER BY files.created_at DESC, files.id DESC
        LIMIT 1) f ON true
 WHERE u.id = :'id'::uuid;
