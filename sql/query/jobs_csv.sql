-- The jobs that match as a table, at most 100,000.
-- reads: counts, jobs, job_steps, customers, customer_dealers, users
WITH found AS MATERIALIZED (
	SELECT *
	  FROM reklam.jobs_found(coalesce(:'search', :'q'),
	           string_to_array(replace(:'status', ' ', ''), ','),
	           :'customer_id'::uuid, :'priority', :'date_from'::timestamp,
	           :'date_to'::date, :'overdue'::boolean, :'today'::date,
	           :'assigned_to'::uuid, :'machine_id'::uuid, :'due_from'::date,
	           :'due_to'::date, :'sort', 0, 100000)
), lines AS (
	SELECT place, concat_ws(',',
	           reklam.cell(j.job_number),
	           reklam.cell(j.title),
	           j.status,
	           coalesce(j.priority, ''),
	           reklam.cell(c.name),
	           reklam.cell(d.name),
	           coalesce(j.due_date::text, ''),
	           coalesce(to_char(j.created_at, 'YYYY-MM-DD HH24:MI:SS'), ''),
	           reklam.cell(u.full_name),
	           coalesce(j.revision_no, 1),
	           steps.total,
	           steps.completed,
	           reklam.progress(steps.completed, steps.total),
	           reklam.cell(j.description)) || E'\r\n' AS line
	  FROM found, unnest(found.ids) WITH ORDINALITY page (id, place)
	  JOIN jobs j ON j.id = page.id
	  LEFT JOIN customers c ON c.id = j.customer_id
	  LEFT JOIN customer_dealers d ON d.id = j.dealer_id
	  LEFT JOIN users u ON u.id = j.created_by
	 CROSS JOIN LATERAL (
	       SELECT count(*) AS total,
	              count(*) FILTER (WHERE s.status = 'completed') AS completed
	         FROM job_steps s
	        WHERE s.job_id = j.id) steps
)
SELECT U&'\FEFF' || 'job_number,title,status,priority,customer,dealer,'
           'due_date,created_at,created_by,revision_no,total_steps,'
           'completed_steps,progress,description' || E'\r\n'
           || coalesce((SELECT string_agg(line, '' ORDER BY place)
                          FROM lines), '') AS body,
       'text/csv; charset=utf-8' AS type,
       total
  FROM found;
