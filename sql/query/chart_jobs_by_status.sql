-- How many jobs there are of each status, the most frequent first.
-- reads: jobs
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'status', status, 'count', count)
           ORDER BY count DESC, status), '[]')) AS body
  FROM (SELECT status, count(*) AS count
          FROM jobs
         GROUP BY status) statuses;
