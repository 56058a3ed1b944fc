-- What the asker has completed in the last 30 days, in numbers.
-- reads: job_steps, processes
WITH done AS MATERIALIZED (
	SELECT job_id, process_id,
	       extract(epoch FROM completed_at - started_at)::float8 / 60
	           AS minutes
	  FROM job_steps
	 WHERE assigned_to = :'me'::uuid
	   AND status = 'completed'
	   AND completed_at >= :'today'::date - 30
)
SELECT json_build_object('data', json_build_object(
           'total_completed', count(*),
           'total_hours',
               coalesce(round((sum(minutes) / 60)::numeric, 1), 0),
           'avg_duration_minutes', coalesce(round(avg(minutes)), 0),
           'total_jobs', count(DISTINCT job_id),
           'by_process', (
               SELECT coalesce(json_agg(json_build_object(
                          'process_name', name, 'count', count)
                      ORDER BY count DESC, name), '[]')
                 FROM (SELECT p.name, count(*) AS count
                         FROM done d
                         JOIN processes p ON p.id = d.process_id
                        GROUP BY p.name) processes))) AS body
  FROM done;
