-- One task: the asker's own, or anybody's for a manager.
-- reads: job_steps, job_step_notes, jobs, customers, customer_dealers, processes, machines, users
SELECT json_build_object('data', json_build_object(
           'id', s.id,
           'status', s.status,
           'order_index', s.order_index,
           'started_at', s.started_at,
           'completed_at', s.completed_at,
           'estimated_duration', s.estimated_duration,
           'production_quantity', nullif(s.production_quantity, 0),
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
               'description', j.description,
               'status', j.status,
               'due_date', j.due_date,
               'customer_name', c.name,
               'dealer_name', d.name,
               'dealer', CASE WHEN d.id IS NOT NULL THEN
                   json_build_object('id', d.id, 'name', d.name) END),
           'process', json_build_object(
               'id', p.id, 'name', p.name, 'code', p.code),
           'machine', CASE WHEN m.id IS NOT NULL THEN
               json_build_object('id', m.id, 'name', m.name, 'code', m.code)
               END,
           'notes', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', n.id,
                          'note', n.note,
                          'created_at', n.created_at,
                          'author_name', u.full_name)
                      ORDER BY n.created_at, n.id), '[]')
                 FROM job_step_notes n
                 LEFT JOIN users u ON u.id = n.user_id
                WHERE n.job_step_id = s.id))) AS body
  FROM job_steps s
  JOIN jobs j ON j.id = s.job_id
  JOIN processes p ON p.id = s.process_id
  LEFT JOIN customers c ON c.id = j.customer_id
  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
  LEFT JOIN machines m ON m.id = s.machine_id
 WHERE s.id = :'id'::uuid
   AND (s.assigned_to = :'me'::uuid OR '*' = ANY (:'rights'::text[]));
