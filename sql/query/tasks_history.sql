-- What the asker has completed, newest first.
-- reads: job_steps, jobs, customers, processes, machines
SELECT json_build_object('data', (
           SELECT coalesce(json_agg(json_build_object(
                      'id', s.id,
                      'started_at', s.started_at,
                      'completed_at', s.completed_at,
                      'production_quantity',
                          nullif(s.production_quantity, 0),
                      'production_unit', s.production_unit,
                      'production_notes', s.production_notes,
                      'estimated_duration', s.estimated_duration,
                      'actual_duration_minutes', round(nullif(extract(
                          epoch FROM s.completed_at - s.started_at)::float8,
                          0) / 60)::int,
                      'job', json_build_object('id', j.id,
                          'job_number', j.job_number, 'title', j.title),
                      'process', json_build_object(
                          'name', p.name, 'code', p.code),
                      'machine_name', m.name,
                      'customer_name', c.name)
                  ORDER BY s.completed_at DESC NULLS LAST, s.id DESC), '[]')
             FROM (SELECT *
                     FROM job_steps
                    WHERE assigned_to = :'me'::uuid
                      AND status = 'completed'
                      AND completed_at >= coalesce(:'date_from'::timestamp,
                              '-infinity')
                      AND completed_at < coalesce(:'date_to'::date + 1,
                              'infinity')
                    ORDER BY completed_at DESC, id DESC
                    LIMIT :'limit'::int
                   OFFSET coalesce(:'offset'::int, 0)) s
             JOIN jobs j ON j.id = s.job_id
             JOIN processes p ON p.id = s.process_id
             LEFT JOIN customers c ON c.id = j.customer_id
             LEFT JOIN machines m ON m.id = s.machine_id)) AS body,
       (SELECT count(*)
          FROM job_steps
         WHERE assigned_to = :'me'::uuid
           AND status = 'completed'
           AND completed_at >= coalesce(:'date_from'::timestamp, '-infinity')
           AND completed_at < coalesce(:'date_to'::date + 1, 'infinity')
       ) AS total;
