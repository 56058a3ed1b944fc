-- How many machines there are, by status, and how many are at work.
-- reads: machines, job_steps
SELECT json_build_object('data', json_build_object(
           'total', count(*),
           'active', count(*) FILTER (WHERE status = 'active'),
           'maintenance', count(*) FILTER (WHERE status = 'maintenance'),
           'inactive', count(*) FILTER (WHERE status = 'inactive'),
           'busy', count(*) FILTER (WHERE busy),
           'available', count(*) FILTER (WHERE status = 'active'
                                           AND NOT busy))) AS body
  FROM machines m
 CROSS JOIN LATERAL (
       SELECT EXISTS (
                  SELECT
                    FROM job_steps s
                   WHERE s.machine_id = m.id
                     AND s.status = 'in_progress') AS busy) work
 WHERE m.is_active;
