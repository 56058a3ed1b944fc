-- The processes by group, and those without one.
-- reads: processes, process_groups, machine_processes
WITH items AS (
	SELECT p.group_id, p.order_index, p.name, p.id, json_build_object(
	           'id', p.id,
	           'name', p.name,
	           'code', p.code,
	           'description', p.description,
	           'is_machine_based', p.is_machine_based,
	           'is_production', p.is_production,
	           'order_index', p.order_index,
	           'machine_count', (
	               SELECT count(*)
	                 FROM machine_processes mp
	                WHERE mp.process_id = p.id),
	           'group_id', p.group_id) AS item
	  FROM processes p
	 WHERE p.deleted_at IS NULL
	   AND p.is_active
)
SELECT json_build_object('data', json_build_object(
           'groups', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', g.id,
                          'name', g.name,
                          'description', g.description,
                          'color', g.color,
                          'order_index', coalesce(g.order_index, 0),
                          'process_count', members.count,
                          'processes', members.list)
                      ORDER BY g.order_index, g.name, g.id), '[]')
                 FROM process_groups g
                CROSS JOIN LATERAL (
                      SELECT count(*) AS count,
                             coalesce(json_agg(item ORDER BY order_index,
                                 name, i.id), '[]') AS list
                        FROM items i
                       WHERE i.group_id = g.id) members),
           'ungrouped', (
               SELECT coalesce(json_agg(item ORDER BY order_index, name, id),
                          '[]')
                 FROM items
                WHERE group_id IS NULL))) AS body;
