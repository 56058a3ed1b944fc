-- Whether the asker may do one thing; nobody may do what there is not.
SELECT json_build_object('allowed',
           action IN ('view', 'create', 'update', 'delete')
           AND reklam.may(:'rights'::text[], resource || '.' || action)
           AND (resource = ANY (reklam.resources())
                OR EXISTS (SELECT
                             FROM role_permissions p
                            WHERE p.resource = asked.resource))) AS body
  FROM (SELECT :'body'::jsonb ->> 'resource' AS resource,
               coalesce(reklam.loose(:'body'::jsonb, 'action'), 'view')
                   AS action) asked;
