-- Whether the asker may do one thing.
SELECT json_build_object('allowed',
           action IN ('view', 'create', 'update', 'delete')
           AND reklam.may(:'rights'::text[],
                   (:'body'::jsonb ->> 'resource') || '.' || action)) AS body
  FROM coalesce(reklam.loose(:'body'::jsonb, 'action'), 'view') action;
