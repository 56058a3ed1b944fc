-- One machine with what it can do.
-- reads: machines, machine_processes, processes
SELECT json_build_object('data', json_build_object(
           'id', m.id,
           'name', m.name,
           'code', m.code,
           'type', m.type,
           'status', m.status,
           'location', m.location,
           'capacity_per_hour', nullif(m.capacity_per_hour, 0),
           'notes', m.notes,
           'processes', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', p.id, 'name', p.name, 'code', p.code)
                      ORDER BY p.name, p.id), '[]')
                 FROM machine_processes mp
                 JOIN processes p ON p.id = mp.process_id
                WHERE mp.machine_id = m.id
                  AND p.is_active
                  AND p.deleted_at IS NULL))) AS body
  FROM machines m
 WHERE m.id = :'id'::uuid;
