-- The jobs that match, a page of them with their steps.
-- reads: counts, jobs, job_steps, customers, customer_dealers, users, processes, process_groups
WITH asked AS (
	SELECT coalesce(:'limit'::bigint, least(per_page, 10000)) AS per_page,
	       coalesce(:'offset'::bigint, (page - 1) * least(per_page, 10000))
	           AS first
	  FROM (SELECT greatest(coalesce(:'page'::bigint, 1), 1) AS page,
	               CASE WHEN :'per_page'::bigint > 0 THEN :'per_page'::bigint
	               ELSE 20 END AS per_page) given
), found AS MATERIALIZED (
	SELECT asked.*, jobs_found.*
	  FROM asked,
	       reklam.jobs_found(coalesce(:'search', :'q'),
	           string_to_array(replace(:'status', ' ', ''), ','),
	           :'customer_id'::uuid, :'priority', :'date_from'::timestamp,
	           :'date_to'::date, :'overdue'::boolean, :'today'::date,
	           :'assigned_to'::uuid, :'machine_id'::uuid, :'due_from'::date,
	           :'due_to'::date, :'sort', first, per_page)
), page AS (
	SELECT id, place
	  FROM found, unnest(found.ids) WITH ORDINALITY list (id, place)
), steps AS (
	SELECT s.job_id,
	       count(*) AS total,
	       count(*) FILTER (WHERE s.status = 'completed') AS completed,
	       json_agg(json_build_object(
	           'id', s.id,
	           'process_id', s.process_id,
	           'status', s.status,
	           'order_index', s.order_index,
	           'due_date', s.due_date,
	           'planned_start_date', s.planned_start_date,
	           'planned_end_date', s.planned_end_date,
	           'due_time', s.due_time,
	           'process_name', p.name,
	           'process_code', p.code,
	           'process_description', p.description,
	           'process_group_id', p.group_id,
	           'process_group_color', g.color,
	           'process_group_name', g.name,
	           'assigned_to', reklam.person(a),
	           'completed_at', s.completed_at,
	           'started_by', reklam.person(b),
	           'completed_by', reklam.person(e),
	           'production_notes', s.production_notes,
	           'requirements', s.requirements,
	           'started_at', s.started_at
	       ) ORDER BY s.order_index, s.id) AS list
	  FROM page
	  JOIN job_steps s ON s.job_id = page.id
	  JOIN processes p ON p.id = s.process_id
	  LEFT JOIN process_groups g ON g.id = p.group_id
	  LEFT JOIN users a ON a.id = s.assigned_to
	  LEFT JOIN users b ON b.id = s.started_by
	  LEFT JOIN users e ON e.id = s.completed_by
	 GROUP BY s.job_id
), items AS (
	SELECT place, json_build_object(
	           'id', j.id,
	           'job_number', j.job_number,
	           'title', j.title,
	           'description', j.description,
	           'status', j.status,
	           'priority', j.priority,
	           'due_date', j.due_date,
	           'delivery_date', j.due_date,
	           'created_at', j.created_at,
	           'revision_no', j.revision_no,
	           'customer_id', j.customer_id,
	           'customer_name', c.name,
	           'dealer_id', j.dealer_id,
	           'dealer_name', d.name,
	           'created_by_name', u.full_name,
	           'total_steps', coalesce(steps.total, 0),
	           'completed_steps', coalesce(steps.completed, 0),
	           'progress', reklam.progress(steps.completed, steps.total),
	           'steps', coalesce(steps.list, '[]')) AS item
	  FROM page
	  JOIN jobs j ON j.id = page.id
	  LEFT JOIN customers c ON c.id = j.customer_id
	  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
	  LEFT JOIN users u ON u.id = j.created_by
	  LEFT JOIN steps ON steps.job_id = j.id
)
SELECT json_build_object(
           'data', (SELECT coalesce(json_agg(item ORDER BY place), '[]')
                      FROM items),
           'meta', json_build_object(
               'total', total,
               'page', coalesce(first / nullif(per_page, 0) + 1, 1),
               'per_page', per_page,
               'total_pages', coalesce(
                   ceil(total::numeric / nullif(per_page, 0)), 0))) AS body,
       total
  FROM found;
