-- One process with its group and the machines that do it.
-- reads: processes, process_groups, machine_processes, machines
SELECT json_build_object('data', json_build_object(
           'id', p.id,
           'name', p.name,
           'code', p.code,
           'description', p.description,
           'is_machine_based', p.is_machine_based,
           'is_production', p.is_production,
           'order_index', p.order_index,
           'group', json_build_object(
               'id', g.id, 'name', g.name, 'color', g.color),
           'machines', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', m.id, 'name', m.name, 'code', m.code)
                      ORDER BY m.name, m.id), '[]')
                 FROM machine_processes mp
                 JOIN machines m ON m.id = mp.machine_id
                WHERE mp.process_id = p.id
                  AND m.is_active))) AS body
  FROM processes p
  LEFT JOIN process_groups g ON g.id = p.group_id
 WHERE p.id = :'id'::uuid
   AND p.deleted_at IS NULL;
