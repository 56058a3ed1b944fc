-- What was done to a job, newest first: revisions, holds, reopened steps.
-- reads: jobs, audit_logs, users
SELECT json_build_object('data', coalesce((
           SELECT json_agg(json_build_object(
                      'id', a.id,
                      'action', a.action,
                      'revision_no', a.changes -> 'revision_no',
                      'revision_reason', a.changes -> 'revision_reason',
                      'changes', coalesce(a.changes -> 'changes', '{}'),
                      'created_at', a.created_at,
                      'user_name', u.full_name,
                      'created_by_name', u.full_name)
                  ORDER BY a.created_at DESC, a.id DESC)
             FROM (SELECT *
                     FROM audit_logs
                    WHERE entity_type = 'job'
                      AND entity_id = j.id
                    ORDER BY created_at DESC, id DESC
                    LIMIT least(coalesce(:'limit'::int, 10000), 10000)
                   OFFSET coalesce(:'offset'::int, 0)) a
             LEFT JOIN users u ON u.id = a.user_id), '[]')) AS body,
       (SELECT count(*)
          FROM audit_logs
         WHERE entity_type = 'job'
           AND entity_id = j.id) AS total
  FROM jobs j
 WHERE j.id = :'id'::uuid;
