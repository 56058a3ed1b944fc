-- The newest jobs, each with how far it has come.
-- reads: jobs, job_steps, customers, users
-- Names are looked up one by one: how few rows there are the plan cannot know.
WITH page AS MATERIALIZED (
	SELECT *
	  FROM jobs
	 ORDER BY created_at DESC, id DESC
	 LIMIT :'limit'::int
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', j.id,
           'job_number', j.job_number,
           'title', j.title,
           'status', j.status,
           'priority', j.priority,
           'due_date', j.due_date,
           'created_at', j.created_at,
           'revision_no', j.revision_no,
           'customer_name',
               (SELECT name FROM customers WHERE id = j.customer_id),
           'created_by_name',
               (SELECT full_name FROM users WHERE id = j.created_by),
           'total_steps', steps.total,
           'completed_steps', steps.completed,
           'progress', reklam.progress(steps.completed, steps.total))
           ORDER BY j.created_at DESC, j.id DESC), '[]')) AS body
  FROM page j
 CROSS JOIN LATERAL (
       SELECT count(*) AS total,
              count(*) FILTER (WHERE s.status = 'completed') AS completed
         FROM job_steps s
        WHERE s.job_id = j.id) steps;
