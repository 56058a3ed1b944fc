-- The machines, each with what runs on it.
-- reads: machines, machine_processes, processes, job_steps, jobs, users
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', m.id,
           'name', m.name,
           'code', m.code,
           'type', m.type,
           'status', m.status,
           'location', m.location,
           'capacity_per_hour', nullif(m.capacity_per_hour, 0),
           'notes', m.notes,
           'process_count', (
               SELECT count(*)
                 FROM machine_processes mp
                 JOIN processes p ON p.id = mp.process_id
                WHERE mp.machine_id = m.id
                  AND p.is_active
                  AND p.deleted_at IS NULL),
           'is_busy', task.id IS NOT NULL,
           'current_task', CASE WHEN task.id IS NOT NULL THEN
               json_build_object(
                   'id', task.id,
                   'job_title', j.title,
                   'job_number', j.job_number,
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
  LEFT JOIN LATERAL (
       SELECT s.id, s.job_id, s.assigned_to, s.started_at
         FROM job_steps s
        WHERE s.machine_id = m.id
          AND s.status = 'in_progress'
        ORDER BY s.started_at DESC NULLS LAST, s.id
        LIMIT 1) task ON true
  LEFT JOIN jobs j ON j.id = task.job_id
  LEFT JOIN users u ON u.id = task.assigned_to;
