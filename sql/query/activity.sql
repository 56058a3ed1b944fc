-- What was done in the shop, newest first.
-- reads: audit_logs, jobs, users
-- Names are looked up one by one: how few rows there are the plan cannot know.
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
           'user_name', (SELECT full_name FROM users WHERE id = a.user_id),
           'job_number', j.job_number,
           'job_title', j.title)
           ORDER BY a.created_at DESC, a.id DESC), '[]')) AS body
  FROM page a
  LEFT JOIN LATERAL (
       SELECT jobs.job_number, jobs.title
         FROM jobs
        WHERE a.entity_type = 'job'
          AND jobs.id = a.entity_id
       OFFSET 0) j ON true;
