-- How many jobs were created in each of the last six months.
-- reads: jobs
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'month', month, 'count', count)
           ORDER BY month), '[]')) AS body
  FROM (SELECT date_trunc('month', created_at) AS month, count(*) AS count
          FROM jobs
         WHERE created_at >= :'today'::date - interval '6 months'
         GROUP BY month) months;
