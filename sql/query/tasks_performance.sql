-- How the asker did in a period, and whether faster than in the one before.
-- reads: job_steps, jobs, processes
WITH done AS MATERIALIZED (
	SELECT s.*, completed_at >= :'today'::date - :'period'::int AS now,
	       extract(epoch FROM completed_at - started_at)::float8 / 60
	           AS minutes
	  FROM job_steps s
	 WHERE assigned_to = :'me'::uuid
	   AND status = 'completed'
	   AND completed_at >= :'today'::date
	           - greatest(:'period'::int, 2 * :'period'::int)
), numbers AS (
	SELECT count(*) FILTER (WHERE now) AS completed,
	       sum(minutes) FILTER (WHERE now) / 60 AS hours,
	       avg(minutes) FILTER (WHERE now) AS average,
	       avg(minutes) FILTER (WHERE NOT now) AS before,
	       count(DISTINCT job_id) FILTER (WHERE now) AS jobs,
	       sum(production_quantity) FILTER (WHERE now) AS production,
	       count(*) FILTER (WHERE now AND minutes <= estimated_duration)
	           AS in_time,
	       count(*) FILTER (WHERE now AND estimated_duration IS NOT NULL)
	           AS estimated
	  FROM done
), extremes AS (
	(SELECT 'fastest' AS which, * FROM done
	  WHERE now AND minutes IS NOT NULL
	  ORDER BY minutes, completed_at, id
	  LIMIT 1)
	UNION ALL
	(SELECT 'slowest', * FROM done
	  WHERE now AND minutes IS NOT NULL
	  ORDER BY minutes DESC, completed_at, id
	  LIMIT 1)
), tasks AS (
	SELECT which, json_build_object(
	           'process_name', p.name,
	           'job_number', j.job_number,
	           'duration_hours', round((minutes / 60)::numeric, 1)) AS task
	  FROM extremes e
	  JOIN jobs j ON j.id = e.job_id
	  JOIN processes p ON p.id = e.process_id
)
SELECT json_build_object('data', json_build_object(
           'total_completed', completed,
           'total_hours', coalesce(round(hours::numeric, 1), 0),
           'avg_duration_minutes', coalesce(round(average), 0),
           'total_jobs', jobs,
           'total_production', coalesce(production, 0),
           'fastest_task',
               (SELECT task FROM tasks WHERE which = 'fastest'),
           'slowest_task',
               (SELECT task FROM tasks WHERE which = 'slowest'),
           'speed_trend_percentage', round(((before - average)
               / nullif(before, 0) * 100)::numeric, 1),
           'success_rate', nullif(round(
               in_time::float8 / nullif(estimated, 0) * 100), 0),
           'period_days', :'period'::int)) AS body
  FROM numbers;
