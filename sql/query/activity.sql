-- What was done in the shop, newest first.
-- reads: audit_logs, jobs, users
WITH page AS MATERIALIZED (
	SELECT *
	  FROM audit_logs
	 WHERE coalesce(entity_type, '') NOT LIKE 'hr\_%'
	 ORDER BY created_at DESC, id DESC
	 LIMIT :'limit'::int
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', a.id,
           'action', a.action,
           'entity_type', a.entity_type,
           'created_at', a.created_at,
           'user_name', u.full_name,
           'job_number', j.job_number,
           'job_title', j.title)
           ORDER BY a.created_at DESC, a.id DESC), '[]')) AS body
  FROM page a
  LEFT JOIN users u ON u.id = a.user_id
  LEFT JOIN jobs j ON a.entity_type = 'job' AND j.id = a.entity_id;
