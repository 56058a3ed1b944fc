-- What the asker may do, over all his active roles, and his processes.
-- reads: users, roles, user_roles, role_permissions, role_process_permissions, processes
WITH held AS MATERIALIZED (
	SELECT id, code = 'yonetici' AS manager
	  FROM reklam.active_roles(:'me'::uuid)
), manager AS (
	SELECT coalesce(bool_or(manager), false) AS may_all
	  FROM held
), allowed AS (
	SELECT resource,
	       coalesce(bool_or(can_view), false) AS can_view,
	       coalesce(bool_or(can_create), false) AS can_create,
	       coalesce(bool_or(can_update), false) AS can_update,
	       coalesce(bool_or(can_delete), false) AS can_delete
	  FROM (SELECT p.resource, p.can_view, p.can_create, p.can_update,
	               p.can_delete
	          FROM held
	          JOIN role_permissions p ON p.role_id = held.id
	        UNION ALL
	        SELECT resource, true, true, true, true
	          FROM manager, unnest(reklam.resources()) resource
	         WHERE may_all) rows
	 GROUP BY resource
)
SELECT json_build_object('data', json_build_object(
           'is_admin', false,	-- of a role `admin`, which counts nowhere
           'permissions', (
               SELECT coalesce(json_object_agg(resource,
                          json_build_object(
                              'can_view', can_view OR may_all,
                              'can_create', can_create OR may_all,
                              'can_update', can_update OR may_all,
                              'can_delete', can_delete OR may_all)
                      ORDER BY resource), '{}')
                 FROM allowed, manager),
           'processes', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', p.id, 'name', p.name, 'code', p.code)
                      ORDER BY p.order_index, p.name, p.id), '[]')
                 FROM processes p, manager
                WHERE p.is_active
                  AND p.deleted_at IS NULL
                  AND (may_all OR EXISTS (
                          SELECT
                            FROM role_process_permissions rp
                            JOIN held ON held.id = rp.role_id
                           WHERE rp.process_id = p.id
                             AND rp.can_view))))) AS body;
