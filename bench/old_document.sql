-- What the old backend asked, and the indexes that it had before its 31.
-- Each statement is one that its endpoints sent, from one "-- name: …" to the
-- next; %(…)s is a value.

-- name: indexes
CREATE INDEX IF NOT EXISTS idx_users_avatar_file_id ON users (avatar_file_id);
CREATE INDEX IF NOT EXISTS idx_user_roles_user_id ON user_roles (user_id);
CREATE INDEX IF NOT EXISTS idx_user_roles_role_id ON user_roles (role_id);
CREATE INDEX IF NOT EXISTS idx_customer_dealers_customer_id
    ON customer_dealers (customer_id);
CREATE INDEX IF NOT EXISTS idx_processes_group_id ON processes (group_id);
CREATE INDEX IF NOT EXISTS idx_jobs_customer ON jobs (customer_id);
CREATE INDEX IF NOT EXISTS idx_jobs_status ON jobs (status);
CREATE INDEX IF NOT EXISTS idx_jobs_created_by ON jobs (created_by);
CREATE INDEX IF NOT EXISTS idx_jobs_dealer_id ON jobs (dealer_id);
CREATE INDEX IF NOT EXISTS idx_job_steps_job ON job_steps (job_id);
CREATE INDEX IF NOT EXISTS idx_job_steps_assigned ON job_steps (assigned_to);
CREATE INDEX IF NOT EXISTS idx_job_steps_machine ON job_steps (machine_id);
CREATE INDEX IF NOT EXISTS idx_job_steps_status ON job_steps (status);
CREATE INDEX IF NOT EXISTS idx_job_steps_due_date ON job_steps (due_date);
CREATE INDEX IF NOT EXISTS idx_job_steps_has_production
    ON job_steps (has_production) WHERE has_production = true;
CREATE INDEX IF NOT EXISTS idx_job_step_notes_step_id
    ON job_step_notes (job_step_id);
CREATE INDEX IF NOT EXISTS idx_files_ref ON files (ref_type, ref_id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_user ON audit_logs (user_id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_entity
    ON audit_logs (entity_type, entity_id);
CREATE INDEX IF NOT EXISTS idx_notifications_user
    ON notifications (user_id, is_read);

-- name: customer
SELECT id, name, code, contact_person, phone, phone_secondary, gsm, email,
       address, city, tax_office, tax_number, notes, short_code, postal_code,
       is_active
  FROM customers
 WHERE id = %(customer)s;

-- name: customer_search
SELECT id, name, code, contact_person, phone, phone_secondary, gsm, email,
       address, city, tax_office, tax_number, notes, short_code, postal_code,
       is_active
  FROM customers
 WHERE is_active = TRUE
   AND name ILIKE %(pattern)s
 ORDER BY name;

-- name: jobs_by_status
SELECT j.id, j.job_number, j.title, j.description, j.status, j.priority,
       j.due_date, j.created_at, j.revision_no, j.customer_id,
       c.name AS customer_name
  FROM jobs j
  LEFT JOIN customers c ON c.id = j.customer_id
 WHERE j.status = %(status)s
 ORDER BY j.created_at DESC
 LIMIT 20;

-- name: job_steps
SELECT s.id, s.status, s.order_index, s.started_at, s.completed_at,
       s.estimated_duration, s.production_quantity, s.production_unit,
       s.production_notes, s.has_production, s.required_quantity,
       j.id AS job_id, j.job_number, j.title, j.status AS job_status,
       j.due_date, c.name AS customer_name, p.name AS process_name, p.code,
       m.name AS machine_name
  FROM job_steps s
  JOIN jobs j ON j.id = s.job_id
  LEFT JOIN customers c ON c.id = j.customer_id
  JOIN processes p ON p.id = s.process_id
  LEFT JOIN machines m ON m.id = s.machine_id
 WHERE s.assigned_to = %(operator)s
   AND s.status = ANY (ARRAY['in_progress', 'ready'])
 ORDER BY s.status, j.due_date, s.order_index;

-- name: overdue
SELECT id, job_number, title, status, priority, due_date
  FROM jobs
 WHERE due_date < CURRENT_DATE
   AND status NOT IN ('completed', 'canceled')
 ORDER BY due_date
 LIMIT 20;

-- name: recent_jobs
SELECT j.id, j.job_number, j.title, j.status, j.priority, j.due_date,
       j.created_at, j.revision_no, c.name AS customer_name,
       u.full_name AS created_by_name, count(s.id) AS total_steps,
       count(s.id) FILTER (WHERE s.status = 'completed') AS completed_steps
  FROM jobs j
  LEFT JOIN customers c ON c.id = j.customer_id
  LEFT JOIN users u ON u.id = j.created_by
  LEFT JOIN job_steps s ON s.job_id = j.id
 GROUP BY j.id, c.name, u.full_name
 ORDER BY j.created_at DESC
 LIMIT 10;

-- name: job_list
SELECT j.id, j.job_number, j.title, j.description, j.status, j.priority,
       j.due_date, j.created_at, j.revision_no, j.customer_id,
       c.name AS customer_name, j.dealer_id, d.name AS dealer_name,
       u.full_name AS created_by_name, count(s.id) AS total_steps,
       count(s.id) FILTER (WHERE s.status = 'completed') AS completed_steps
  FROM jobs j
  LEFT JOIN customers c ON c.id = j.customer_id
  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
  LEFT JOIN users u ON u.id = j.created_by
  LEFT JOIN job_steps s ON s.job_id = j.id
 WHERE j.status = %(status)s
 GROUP BY j.id, c.name, d.name, u.full_name
 ORDER BY j.created_at DESC
 LIMIT 20;

-- name: job_list_total
SELECT count(*)
  FROM (SELECT j.id, count(s.id)
          FROM jobs j
          LEFT JOIN customers c ON c.id = j.customer_id
          LEFT JOIN customer_dealers d ON d.id = j.dealer_id
          LEFT JOIN users u ON u.id = j.created_by
          LEFT JOIN job_steps s ON s.job_id = j.id
         WHERE j.status = %(status)s
         GROUP BY j.id, c.name, d.name, u.full_name) found;

-- name: job_list_steps
SELECT s.job_id, s.id, s.process_id, s.status, s.order_index, s.due_date,
       s.planned_start_date, s.planned_end_date, s.due_time, p.name, p.code,
       p.description, p.group_id, g.color, g.name AS group_name,
       a.full_name AS assigned_to, b.full_name AS started_by,
       e.full_name AS completed_by, s.completed_at, s.production_notes,
       s.requirements, s.started_at
  FROM job_steps s
  JOIN processes p ON p.id = s.process_id
  LEFT JOIN process_groups g ON g.id = p.group_id
  LEFT JOIN users a ON a.id = s.assigned_to
  LEFT JOIN users b ON b.id = s.started_by
  LEFT JOIN users e ON e.id = s.completed_by
 WHERE s.job_id IN (SELECT id
                      FROM jobs
                     WHERE status = %(status)s
                     ORDER BY created_at DESC
                     LIMIT 20)
 ORDER BY s.order_index;

-- name: stats_jobs
SELECT count(*) FILTER (WHERE status = 'draft') AS draft,
       count(*) FILTER (WHERE status = 'active') AS active,
       count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
       count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) FILTER (WHERE status = 'canceled') AS canceled,
       count(*) FILTER (WHERE due_date < CURRENT_DATE AND status
           NOT IN ('completed', 'canceled')) AS overdue,
       count(*) AS total
  FROM jobs;

-- name: stats_tasks
SELECT count(*) FILTER (WHERE status = 'ready') AS ready,
       count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
       count(*) FILTER (WHERE status = 'completed') AS completed,
       count(*) AS total
  FROM job_steps
 WHERE assigned_to = %(operator)s;

-- name: stats_machines
SELECT count(*) FILTER (WHERE status = 'active') AS active,
       count(*) FILTER (WHERE status = 'maintenance') AS maintenance,
       count(*) FILTER (WHERE status = 'inactive') AS inactive,
       count(*) FILTER (WHERE id IN (SELECT machine_id
                                       FROM job_steps
                                      WHERE status = 'in_progress')) AS busy,
       count(*) AS total
  FROM machines
 WHERE is_active = true;

-- name: stats_users
SELECT count(*) FILTER (WHERE role = 'operator') AS operators,
       count(*) FILTER (WHERE role = 'yonetici') AS managers,
       count(*) AS total
  FROM users
 WHERE is_active = true;

-- name: stats
WITH job_stats AS (
	SELECT count(*) FILTER (WHERE status = 'draft') AS draft,
	       count(*) FILTER (WHERE status = 'active') AS active,
	       count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
	       count(*) FILTER (WHERE status = 'completed') AS completed,
	       count(*) FILTER (WHERE status = 'canceled') AS canceled,
	       count(*) FILTER (WHERE due_date < CURRENT_DATE AND status
	           NOT IN ('completed', 'canceled')) AS overdue,
	       count(*) AS total
	  FROM jobs
), task_stats AS (
	SELECT count(*) FILTER (WHERE status = 'ready') AS ready,
	       count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
	       count(*) FILTER (WHERE status = 'completed') AS completed,
	       count(*) AS total
	  FROM job_steps
	 WHERE assigned_to = %(operator)s
), machine_stats AS (
	SELECT count(*) FILTER (WHERE status = 'active') AS active,
	       count(*) FILTER (WHERE status = 'maintenance') AS maintenance,
	       count(*) FILTER (WHERE status = 'inactive') AS inactive,
	       count(*) FILTER (WHERE id IN (
	           SELECT machine_id
	             FROM job_steps
	            WHERE status = 'in_progress')) AS busy,
	       count(*) AS total
	  FROM machines
	 WHERE is_active = true
), user_stats AS (
	SELECT count(*) FILTER (WHERE role = 'operator') AS operators,
	       count(*) FILTER (WHERE role = 'yonetici') AS managers,
	       count(*) AS total
	  FROM users
	 WHERE is_active = true
)
SELECT to_json(j) AS jobs, to_json(t) AS my_tasks, to_json(m) AS machines,
       to_json(u) AS users
  FROM job_stats j
 CROSS JOIN task_stats t
 CROSS JOIN machine_stats m
 CROSS JOIN user_stats u;

-- name: chart_by_status
SELECT status, count(*) AS count
  FROM jobs
 GROUP BY status
 ORDER BY count DESC;

-- name: chart_by_month
SELECT date_trunc('month', created_at) AS month, count(*) AS count
  FROM jobs
 WHERE created_at >= CURRENT_DATE - INTERVAL '6 months'
 GROUP BY month
 ORDER BY month;
