-- One role with what it may do and which processes it is shown.
-- reads: roles, role_permissions, role_process_permissions, processes
SELECT json_build_object('data', json_build_object(
           'id', r.id,
           'name', r.name,
           'code', r.code,
           'description', r.description,
           'is_active', r.is_active,
           'permissions', (
               SELECT coalesce(json_object_agg(p.resource, json_build_object(
                          'can_view', p.can_view,
                          'can_create', p.can_create,
                          'can_update', p.can_update,
                          'can_delete', p.can_delete)
                      ORDER BY p.resource), '{}')
                 FROM role_permissions p
                WHERE p.role_id = r.id),
           'process_permissions', (
               SELECT coalesce(json_agg(p.id ORDER BY p.name, p.id), '[]')
                 FROM role_process_permissions rp
                 JOIN processes p ON p.id = rp.process_id
                WHERE rp.role_id = r.id
                  AND rp.can_view
                  AND p.deleted_at IS NULL))) AS body
  FROM roles r
 WHERE r.id = :'id'::uuid;
