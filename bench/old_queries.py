"""What the old backend asked of the database, after its documentation."""

# What it sent for one answer: its statements in turn, with %(name)s.
QUERIES = {
    'customer search': ['''
        SELECT id, name, email, phone, city, is_active
          FROM customers
         WHERE is_active = TRUE
           AND name ILIKE '%%' || %(search)s || '%%'
         ORDER BY name
         LIMIT 20'''],
    'jobs by status': ['''
        SELECT j.*, c.name AS customer_name
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
         WHERE j.status = 'active'
         ORDER BY j.created_at DESC
         LIMIT 20'''],
    # The endpoint: a page, how many there are, the steps of the page.
    'job list': ['''
        SELECT j.*, c.name AS customer_name, d.name AS dealer_name,
               u.full_name AS created_by_name, count(s.id) AS total_steps,
               count(s.id) FILTER (WHERE s.status = 'completed')
                   AS completed_steps
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
          LEFT JOIN customer_dealers d ON d.id = j.dealer_id
          LEFT JOIN users u ON u.id = j.created_by
          LEFT JOIN job_steps s ON s.job_id = j.id
         WHERE j.status = 'active'
         GROUP BY j.id, c.name, d.name, u.full_name
         ORDER BY j.created_at DESC
         LIMIT 20''', '''
        SELECT count(*)
          FROM (SELECT j.id, count(s.id)
                  FROM jobs j
                  LEFT JOIN customers c ON c.id = j.customer_id
                  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
                  LEFT JOIN users u ON u.id = j.created_by
                  LEFT JOIN job_steps s ON s.job_id = j.id
                 WHERE j.status = 'active'
                 GROUP BY j.id, c.name, d.name, u.full_name) found''', '''
        SELECT s.*, p.name, p.code, p.description, p.group_id, g.color,
               g.name AS group_name, a.full_name AS assigned_to,
               b.full_name AS started_by, e.full_name AS completed_by
          FROM job_steps s
          JOIN processes p ON p.id = s.process_id
          LEFT JOIN process_groups g ON g.id = p.group_id
          LEFT JOIN users a ON a.id = s.assigned_to
          LEFT JOIN users b ON b.id = s.started_by
          LEFT JOIN users e ON e.id = s.completed_by
         WHERE s.job_id IN (SELECT id
                              FROM jobs
                             WHERE status = 'active'
                             ORDER BY created_at DESC
                             LIMIT 20)
         ORDER BY s.order_index'''],
    'job steps': ['''
        SELECT s.*, j.job_number, p.name AS process_name
          FROM job_steps s
          JOIN jobs j ON j.id = s.job_id
          JOIN processes p ON p.id = s.process_id
         WHERE s.assigned_to = %(user)s
           AND s.status = 'ready'
         ORDER BY j.due_date, s.order_index
         LIMIT 20'''],
    'overdue jobs': ['''
        SELECT j.*, c.name AS customer_name
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
         WHERE j.due_date < %(today)s
           AND j.status NOT IN ('completed', 'canceled')
         ORDER BY j.due_date
         LIMIT 20'''],
    # All jobs with all their steps, of which ten are wanted.
    'recent jobs': ['''
        SELECT j.id, j.job_number, j.title, j.status, j.priority, j.due_date,
               j.created_at, j.revision_no, c.name AS customer_name,
               u.full_name AS created_by_name, count(s.id) AS total_steps,
               count(s.id) FILTER (WHERE s.status = 'completed')
                   AS completed_steps
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
          LEFT JOIN users u ON u.id = j.created_by
          LEFT JOIN job_steps s ON s.job_id = j.id
         GROUP BY j.id, c.name, u.full_name
         ORDER BY j.created_at DESC
         LIMIT 10'''],
    'statistics': ['''
        SELECT count(*) FILTER (WHERE status = 'draft') AS draft,
               count(*) FILTER (WHERE status = 'active') AS active,
               count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
               count(*) FILTER (WHERE status = 'completed') AS completed,
               count(*) FILTER (WHERE status = 'canceled') AS canceled,
               count(*) FILTER (WHERE due_date < %(today)s AND status
                   NOT IN ('completed', 'canceled')) AS overdue,
               count(*) AS total
          FROM jobs''', '''
        SELECT count(*) FILTER (WHERE status = 'ready') AS ready,
               count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
               count(*) FILTER (WHERE status = 'completed') AS completed,
               count(*) AS total
          FROM job_steps
         WHERE assigned_to = %(user)s''', '''
        SELECT count(*) FILTER (WHERE status = 'active') AS active,
               count(*) FILTER (WHERE status = 'maintenance') AS maintenance,
               count(*) FILTER (WHERE status = 'inactive') AS inactive,
               count(*) FILTER (WHERE id IN (
                   SELECT machine_id FROM job_steps
                    WHERE status = 'in_progress')) AS busy,
               count(*) AS total
          FROM machines
         WHERE is_active = TRUE''', '''
        SELECT count(*) FILTER (WHERE role = 'operator') AS operators,
               count(*) FILTER (WHERE role = 'yonetici') AS managers,
               count(*) AS total
          FROM users
         WHERE is_active = TRUE'''],
    'chart by status': ['''
        SELECT status, count(*)
          FROM jobs
         GROUP BY status
         ORDER BY count(*) DESC'''],
    'chart by month': ['''
        SELECT date_trunc('month', created_at) AS month, count(*)
          FROM jobs
         WHERE created_at >= %(today)s::date - interval '6 months'
         GROUP BY 1
         ORDER BY 1'''],
    'job detail': ['''
        SELECT j.*, c.name AS customer_name, d.name AS dealer_name,
               u.full_name AS created_by_name
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
          LEFT JOIN customer_dealers d ON d.id = j.dealer_id
          LEFT JOIN users u ON u.id = j.created_by
         WHERE j.id = %(job)s''', '''
        SELECT s.*, p.name AS process_name, p.code, m.name AS machine_name,
               a.full_name AS assigned_name
          FROM job_steps s
          JOIN processes p ON p.id = s.process_id
          LEFT JOIN machines m ON m.id = s.machine_id
          LEFT JOIN users a ON a.id = s.assigned_to
         WHERE s.job_id = %(job)s
         ORDER BY s.order_index''', '''
        SELECT n.*, u.full_name AS author_name
          FROM job_step_notes n
          JOIN job_steps s ON s.id = n.job_step_id
          LEFT JOIN users u ON u.id = n.user_id
         WHERE s.job_id = %(job)s
         ORDER BY n.created_at'''],
}

# The four of the statistics as one, by the document's own means.
QUERIES['statistics at once'] = [
    'WITH jobs_ AS (%s), tasks_ AS (%s), machines_ AS (%s), users_ AS (%s) '
    'SELECT row_to_json(jobs_), row_to_json(tasks_), row_to_json(machines_), '
    'row_to_json(users_) FROM jobs_, tasks_, machines_, users_'.replace(
        '%s', '{}').format(*QUERIES['statistics'])]

# Its indexes before the document, on the tables that are asked here; primary
# keys and unique ones stay.
OLDER = [
    'idx_jobs_customer ON jobs (customer_id)',
    'idx_jobs_status ON jobs (status)',
    'idx_jobs_created_by ON jobs (created_by)',
    'idx_jobs_dealer_id ON jobs (dealer_id)',
    'idx_job_steps_job ON job_steps (job_id)',
    'idx_job_steps_assigned ON job_steps (assigned_to)',
    'idx_job_steps_machine ON job_steps (machine_id)',
    'idx_job_steps_status ON job_steps (status)',
    'idx_job_steps_due_date ON job_steps (due_date)',
    'idx_job_step_notes_step_id ON job_step_notes (job_step_id)',
    'idx_customer_dealers_customer_id ON customer_dealers (customer_id)',
]
