-- How many jobs were created in each of the last six months.
-- reads: counts, jobs
WITH asked AS (
	SELECT since,
	       date_trunc('month', since - interval '1 day')
	           + interval '1 month' AS whole
	  FROM (SELECT :'today'::date - interval '6 months' AS since) period
), counted AS (
	SELECT c.month::timestamp AS month, c.n
	  FROM reklam.counts c
	 WHERE c.what = 'jobs'
	   AND c.month >= (SELECT whole FROM asked)
	UNION ALL
	-- The month of which only the end belongs to it.
	SELECT date_trunc('month', j.created_at), 1
	  FROM jobs j
	 WHERE j.created_at >= (SELECT since FROM asked)
	   AND j.created_at < (SELECT whole FROM asked)
)
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'month', month, 'count', count)
           ORDER BY month), '[]')) AS body
  FROM (SELECT month, sum(n) AS count
          FROM counted
         GROUP BY month
        HAVING sum(n) > 0) months;
