-- What happened to a job and its steps, newest first.
-- reads: jobs, job_steps, job_step_notes, audit_logs, files, users, processes, machines
WITH job AS (
	SELECT id FROM jobs WHERE id = :'id'::uuid
), steps AS MATERIALIZED (
	SELECT s.*, p.name AS process, p.code AS process_code, m.name AS machine
	  FROM job_steps s
	  JOIN processes p ON p.id = s.process_id
	  LEFT JOIN machines m ON m.id = s.machine_id
	 WHERE s.job_id = (SELECT id FROM job)
), events AS MATERIALIZED (
	SELECT 'audit' AS source, created_at AS at, action::text AS event_type,
	       user_id AS actor, coalesce(changes, '{}')::json AS details,
	       NULL::uuid AS step_id, NULL AS process, id
	  FROM audit_logs
	 WHERE entity_type = 'job'
	   AND entity_id = (SELECT id FROM job)
	UNION ALL
	SELECT 'note', n.created_at, 'note_added', n.user_id,
	       json_build_object('note', n.note), s.id, s.process, n.id
	  FROM steps s
	  JOIN job_step_notes n ON n.job_step_id = s.id
	UNION ALL
	SELECT 'file_uploaded', f.created_at, 'file_uploaded', f.uploaded_by,
	       json_build_object('filename', f.filename, 'file_id', f.id,
	           'ref_type', f.ref_type, 'ref_id', f.ref_id),
	       refs.step_id, refs.process, f.id
	  FROM (SELECT 'job' AS ref_type, id AS ref_id, NULL::uuid AS step_id,
	               NULL AS process
	          FROM job
	        UNION ALL
	        SELECT 'job_step', id, id, process FROM steps) refs
	  JOIN files f ON f.ref_type = refs.ref_type
	   AND f.ref_id = refs.ref_id
	   AND f.is_active IS NOT FALSE
	UNION ALL
	SELECT 'step_started', started_at, 'step_started',
	       coalesce(started_by, assigned_to),
	       json_build_object('process', process,
	           'process_code', process_code, 'machine', machine),
	       id, process, id
	  FROM steps
	 WHERE started_at IS NOT NULL
	UNION ALL
	SELECT 'step_completed', completed_at, 'step_completed',
	       coalesce(completed_by, assigned_to),
	       json_build_object('process', process,
	           'process_code', process_code,
	           'production_quantity', production_quantity,
	           'production_unit', production_unit,
	           'production_notes', production_notes, 'machine', machine),
	       id, process, id
	  FROM steps
	 WHERE completed_at IS NOT NULL
	UNION ALL
	SELECT 'step_blocked', blocked_at, 'step_blocked', assigned_to,
	       json_build_object('process', process,
	           'process_code', process_code, 'block_reason', block_reason),
	       id, process, id
	  FROM steps
	 WHERE status = 'blocked'
), page AS (
	SELECT row_number() OVER newest AS place, events.*
	  FROM events
	WINDOW newest AS (ORDER BY at DESC, source DESC, id DESC)
	 ORDER BY place
	 LIMIT least(coalesce(:'limit'::int, 10000), 10000)
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', (
           SELECT coalesce(json_agg(json_build_object(
                      'source', source,
                      'timestamp', at,
                      'event_type', event_type,
                      'actor_name', u.full_name,
                      'actor_username', u.username,
                      'details', details,
                      'step_id', step_id,
                      'process_name', process)
                  ORDER BY place), '[]')
             FROM page
             LEFT JOIN users u ON u.id = page.actor)) AS body,
       (SELECT count(*) FROM events) AS total
  FROM job;
