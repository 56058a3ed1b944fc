-- One job with its steps and their notes.
-- reads: jobs, job_steps, job_step_notes, customers, customer_dealers, users, processes, process_groups, machines
SELECT json_build_object('data', json_build_object(
           'id', j.id,
           'job_number', j.job_number,
           'title', j.title,
           'description', j.description,
           'status', j.status,
           'priority', j.priority,
           'due_date', j.due_date,
           'revision_no', j.revision_no,
           'created_at', j.created_at,
           'customer', CASE WHEN c.id IS NOT NULL THEN
               json_build_object('id', c.id, 'name', c.name) END,
           'dealer', CASE WHEN d.id IS NOT NULL THEN
               json_build_object('id', d.id, 'name', d.name) END,
           'created_by', reklam.person(u),
           'steps', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', s.id,
                          'process', json_build_object(
                              'id', p.id,
                              'name', p.name,
                              'code', p.code,
                              'description', p.description,
                              'group_name', g.name,
                              'group_order_index', g.order_index),
                          'order_index', s.order_index,
                          'status', s.status,
                          'is_parallel', coalesce(s.is_parallel, false),
                          'assigned_to', reklam.person(a),
                          'machine', CASE WHEN m.id IS NOT NULL THEN
                              json_build_object('id', m.id, 'name', m.name)
                              END,
                          'due_date', s.due_date,
                          'planned_start_date', s.planned_start_date,
                          'planned_end_date', s.planned_end_date,
                          'due_time', s.due_time,
                          'estimated_duration', s.estimated_duration,
                          'started_at', s.started_at,
                          'started_by', reklam.person(b),
                          'completed_by', reklam.person(e),
                          'completed_at', s.completed_at,
                          'production_quantity',
                              nullif(s.production_quantity, 0),
                          'production_unit', s.production_unit,
                          'production_notes', s.production_notes,
                          'requirements', s.requirements,
                          'has_production', s.has_production,
                          'required_quantity',
                              nullif(s.required_quantity, 0),
                          'block_reason', s.block_reason,
                          'blocked_at', s.blocked_at,
                          'status_before_block', s.status_before_block,
                          'notes', (
                              SELECT coalesce(json_agg(json_build_object(
                                         'id', n.id,
                                         'note', n.note,
                                         'user_id', n.user_id,
                                         'created_at', n.created_at,
                                         'author_name', w.full_name)
                                     ORDER BY n.created_at, n.id), '[]')
                                FROM job_step_notes n
                                LEFT JOIN users w ON w.id = n.user_id
                               WHERE n.job_step_id = s.id)
                      ) ORDER BY s.order_index, s.id), '[]')
                 FROM job_steps s
                 JOIN processes p ON p.id = s.process_id
                 LEFT JOIN process_groups g ON g.id = p.group_id
                 LEFT JOIN machines m ON m.id = s.machine_id
                 LEFT JOIN users a ON a.id = s.assigned_to
                 LEFT JOIN users b ON b.id = s.started_by
                 LEFT JOIN users e ON e.id = s.completed_by
                WHERE s.job_id = j.id))) AS body
  FROM jobs j
  LEFT JOIN customers c ON c.id = j.customer_id
  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
  LEFT JOIN users u ON u.id = j.created_by
 WHERE j.id = :'id'::uuid;
