-- The steps of all jobs, newest first.
-- reads: counts, job_steps, jobs, customers, processes, machines, users
-- Jobs are looked up one by one: how few rows there are the plan cannot know.
WITH page AS MATERIALIZED (
	SELECT *
	  FROM job_steps
	 ORDER BY created_at DESC, id DESC
	 LIMIT least(coalesce(:'limit'::int, 10000), 10000)
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', s.id,
           'status', s.status,
           'order_index', s.order_index,
           'started_at', s.started_at,
           'completed_at', s.completed_at,
           'estimated_duration', s.estimated_duration,
           'actual_duration', s.actual_duration,
           'production_quantity', s.production_quantity,
           'production_unit', s.production_unit,
           'created_at', s.created_at,
           'job', json_build_object(
               'id', j.id,
               'job_number', j.job_number,
               'title', j.title,
               'description', j.description,
               'created_at', j.created_at,
               'customer_name',
                   (SELECT name FROM customers WHERE id = j.customer_id)),
           'process', json_build_object(
               'id', p.id, 'name', p.name, 'code', p.code),
           'assigned_to', reklam.person(u),
           'machine', CASE WHEN m.id IS NOT NULL THEN
               json_build_object('id', m.id, 'name', m.name) END)
           ORDER BY s.created_at DESC, s.id DESC), '[]')) AS body,
       (SELECT coalesce(sum(n), 0)
          FROM reklam.counts
         WHERE what = 'job_steps') AS total
  FROM page s
  JOIN processes p ON p.id = s.process_id
 CROSS JOIN LATERAL (
       SELECT *
         FROM jobs
        WHERE jobs.id = s.job_id
       OFFSET 0) j
  LEFT JOIN users u ON u.id = s.assigned_to
  LEFT JOIN machines m ON m.id = s.machine_id;
