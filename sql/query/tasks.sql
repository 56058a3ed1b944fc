-- The asker's tasks; whoever may see jobs can ask for other people's.  For the
-- others a person, a machine and a job count as not asked for.
-- reads: job_steps, jobs, customers, customer_dealers, processes, machines
WITH asked AS (
	SELECT string_to_array(replace(coalesce(:'status',
	           'in_progress,ready,completed'), ' ', ''), ',') AS statuses,
	       reklam.may(:'rights'::text[], 'jobs.view') AND num_nonnulls(
	           :'assigned_to'::uuid, :'machine_id'::uuid, :'job_id'::uuid) > 0
	           AS anybody
), found AS (
	-- By the job, else by the person, else by the machine.
	SELECT s.*
	  FROM job_steps s
	 WHERE s.job_id = :'job_id'::uuid
	   AND (SELECT anybody FROM asked)
	   AND s.status = ANY ((SELECT statuses FROM asked)::text[])
	UNION ALL
	SELECT s.*
	  FROM job_steps s
	 WHERE (:'job_id'::uuid IS NULL OR NOT (SELECT anybody FROM asked))
	   AND s.assigned_to = CASE WHEN (SELECT anybody FROM asked)
	           THEN :'assigned_to'::uuid ELSE :'me'::uuid END
	   AND s.status = ANY ((SELECT statuses FROM asked)::text[])
	UNION ALL
	SELECT s.*
	  FROM job_steps s
	 WHERE :'job_id'::uuid IS NULL
	   AND (SELECT anybody FROM asked)
	   AND :'assigned_to'::uuid IS NULL
	   AND s.machine_id = :'machine_id'::uuid
	   AND s.status = ANY ((SELECT statuses FROM asked)::text[])
), visible AS MATERIALIZED (
	-- Looked up one by one: how few there are the plan cannot know.
	SELECT s.id, s.status, s.order_index,
	       (SELECT due_date FROM jobs WHERE id = s.job_id) AS due_date
	  FROM found s
	 WHERE NOT (SELECT anybody FROM asked)
	    OR (:'assigned_to'::uuid IS NULL OR s.assigned_to = :'assigned_to'::uuid)
	   AND (:'machine_id'::uuid IS NULL OR s.machine_id = :'machine_id'::uuid)
), page AS (
	SELECT id, row_number() OVER tasks AS place
	  FROM visible
	WINDOW tasks AS (ORDER BY array_position(
	           '{in_progress,ready,completed}'::text[], status::text),
	       due_date, order_index, id)
	 ORDER BY place
	 LIMIT least(coalesce(:'limit'::int, 10000), 10000)
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', (
           SELECT coalesce(json_agg(json_build_object(
                      'id', s.id,
                      'status', s.status,
                      'order_index', s.order_index,
                      'started_at', s.started_at,
                      'completed_at', s.completed_at,
                      'estimated_duration', s.estimated_duration,
                      'production_quantity',
                          nullif(s.production_quantity, 0),
                      'production_unit', s.production_unit,
                      'production_notes', s.production_notes,
                      'has_production', s.has_production,
                      'required_quantity', nullif(s.required_quantity, 0),
                      'requirements', s.requirements,
                      'block_reason', s.block_reason,
                      'job', json_build_object(
                          'id', j.id,
                          'job_number', j.job_number,
                          'title', j.title,
                          'status', j.status,
                          'due_date', j.due_date,
                          'customer_name', c.name,
                          'dealer_name', d.name,
                          'dealer', CASE WHEN d.id IS NOT NULL THEN
                              json_build_object('id', d.id, 'name', d.name)
                              END),
                      'process', json_build_object(
                          'id', p.id, 'name', p.name, 'code', p.code),
                      'machine', CASE WHEN m.id IS NOT NULL THEN
                          json_build_object('id', m.id, 'name', m.name) END)
                  ORDER BY place), '[]')
             FROM page
             JOIN job_steps s ON s.id = page.id
             JOIN jobs j ON j.id = s.job_id
             JOIN processes p ON p.id = s.process_id
             LEFT JOIN customers c ON c.id = j.customer_id
             LEFT JOIN customer_dealers d ON d.id = j.dealer_id
             LEFT JOIN machines m ON m.id = s.machine_id)) AS body,
       (SELECT count(*) FROM visible) AS total;
