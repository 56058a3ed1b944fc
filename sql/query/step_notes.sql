-- The notes of a step, oldest first.
-- reads: job_steps, job_step_notes, users
SELECT json_build_object('data', coalesce((
           SELECT json_agg(json_build_object(
                      'id', n.id,
                      'note', n.note,
                      'created_at', n.created_at,
                      'author_name', u.full_name)
                  ORDER BY n.created_at, n.id)
             FROM (SELECT *
                     FROM job_step_notes
                    WHERE job_step_id = s.id
                    ORDER BY created_at, id
                    LIMIT least(coalesce(:'limit'::int, 10000), 10000)
                   OFFSET coalesce(:'offset'::int, 0)) n
             LEFT JOIN users u ON u.id = n.user_id), '[]')) AS body,
       (SELECT count(*)
          FROM job_step_notes
         WHERE job_step_id = s.id) AS total
  FROM job_steps s
 WHERE s.id = :'id'::uuid;
