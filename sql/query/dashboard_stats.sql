-- What the dashboard shows in numbers; an operator also sees his own tasks.
-- reads: counts, jobs, job_steps, machines, users, roles, user_roles
WITH job_counts AS (
	SELECT coalesce(sum(n) FILTER (WHERE status = 'draft'), 0) AS draft,
	       coalesce(sum(n) FILTER (WHERE status = 'active'), 0) AS active,
	       coalesce(sum(n) FILTER (WHERE status = 'in_progress'), 0)
	           AS in_progress,
	       coalesce(sum(n) FILTER (WHERE status = 'completed'), 0)
	           AS completed,
	       coalesce(sum(n) FILTER (WHERE status = 'canceled'), 0)
	           AS canceled,
	       coalesce(sum(n), 0) AS total
	  FROM reklam.counts
	 WHERE what = 'jobs'
), late AS (
	SELECT count(*) AS overdue
	  FROM jobs
	 WHERE due_date < :'today'::date
	   AND status NOT IN ('completed', 'canceled')
), machine_counts AS (
	SELECT count(*) FILTER (WHERE status = 'active') AS active,
	       count(*) FILTER (WHERE status = 'maintenance') AS maintenance,
	       count(*) FILTER (WHERE status = 'inactive') AS inactive,
	       count(*) FILTER (WHERE EXISTS (
	           SELECT
	             FROM job_steps s
	            WHERE s.machine_id = m.id
	              AND s.status = 'in_progress')) AS busy,
	       count(*) AS total
	  FROM machines m
	 WHERE is_active
), user_counts AS (
	SELECT count(*) FILTER (WHERE main = 'operator') AS operators,
	       count(*) FILTER (WHERE main = 'yonetici') AS managers,
	       count(*) AS total
	  FROM (SELECT coalesce(r.code, u.role) AS main
	          FROM users u
	          LEFT JOIN user_roles ur ON ur.user_id = u.id AND ur.is_primary
	          LEFT JOIN roles r ON r.id = ur.role_id
	         WHERE u.is_active) active
), task_counts AS (
	SELECT count(*) FILTER (WHERE status = 'ready') AS ready,
	       count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
	       count(*) FILTER (WHERE status = 'completed') AS completed,
	       count(*) AS total
	  FROM job_steps
	 WHERE assigned_to = :'operator'::uuid
)
SELECT json_build_object('data', jsonb_build_object(
           'jobs', to_jsonb(j) || to_jsonb(late),
           'machines', to_jsonb(m),
           'users', to_jsonb(u))
           || CASE WHEN :'operator'::uuid IS NULL THEN '{}'
              ELSE jsonb_build_object('my_tasks', to_jsonb(t)) END) AS body
  FROM job_counts j, late, machine_counts m, user_counts u, task_counts t;
