-- The machines: what runs on each, since when, and how much it has done.
-- reads: counts, machines, job_steps, jobs, processes, users
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', m.id,
           'name', m.name,
           'code', m.code,
           'status', m.status,
           'location', m.location,
           'capacity_per_hour', nullif(m.capacity_per_hour, 0),
           'notes', m.notes,
           'is_busy', task.id IS NOT NULL,
           'completed_tasks_count', coalesce(done.n, 0),
           'current_task', CASE WHEN task.id IS NOT NULL THEN
               json_build_object(
                   'step_id', task.id,
                   'job_id', j.id,
                   'job_number', j.job_number,
                   'job_title', j.title,
                   'process_name', p.name,
                   'operator_name', u.full_name,
                   'started_at', task.started_at) END)
           ORDER BY m.name, m.id), '[]')) AS body,
       (SELECT count(*) FROM machines WHERE is_active) AS total
  FROM (SELECT *
          FROM machines
         WHERE is_active
         ORDER BY name, id
         LIMIT least(coalesce(:'limit'::int, 10000), 10000)
        OFFSET coalesce(:'offset'::int, 0)) m
  LEFT JOIN (
       SELECT machine_id, sum(n) AS n
         FROM reklam.counts
        WHERE what = 'completed'
        GROUP BY machine_id) done ON done.machine_id = m.id
  LEFT JOIN LATERAL (
       SELECT s.id, s.job_id, s.process_id, s.assigned_to, s.started_at
         FROM job_steps s
        WHERE s.machine_id = m.id
          AND s.status = 'in_progress'
        ORDER BY s.started_at DESC NULLS LAST, s.id
        LIMIT 1) task ON true
  LEFT JOIN jobs j ON j.id = task.job_id
  LEFT JOIN processes p ON p.id = task.process_id
  LEFT JOIN users u ON u.id = task.assigned_to;
