-- The asker's notifications, the newest first.
-- reads: notifications
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', n.id,
           'title', n.title,
           'message', n.message,
           'type', n.type,
           'ref_type', n.ref_type,
           'ref_id', n.ref_id,
           'is_read', n.is_read,
           'created_at', n.created_at)
           ORDER BY n.created_at DESC, n.id DESC), '[]')) AS body,
       (SELECT count(*)
          FROM notifications
         WHERE user_id = :'me'::uuid
           AND (:'is_read'::text IS NULL
                OR is_read = (lower(:'is_read'::text) = 'true'))) AS total
  FROM (SELECT *
          FROM notifications
         WHERE user_id = :'me'::uuid
           AND (:'is_read'::text IS NULL
                OR is_read = (lower(:'is_read'::text) = 'true'))
         ORDER BY created_at DESC, id DESC
         LIMIT coalesce(:'limit'::int, 50)
        OFFSET coalesce(:'offset'::int, 0)) n;
