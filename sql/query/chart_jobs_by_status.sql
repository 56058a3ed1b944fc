-- How many jobs there are of each status, the most frequent first.
-- reads: counts
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'status', status, 'count', count)
           ORDER BY count DESC, status), '[]')) AS body
  FROM (SELECT status, sum(n) AS count
          FROM reklam.counts
         WHERE what = 'jobs'
         GROUP BY status
        HAVING sum(n) > 0) statuses;
