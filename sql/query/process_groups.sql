-- The groups of processes.
-- reads: processes, process_groups
SELECT json_build_object('data', coalesce(json_agg(json_build_object(
           'id', g.id,
           'name', g.name,
           'description', g.description,
           'color', g.color,
           'order_index', coalesce(g.order_index, 0),
           'process_count', (
               SELECT count(*)
                 FROM processes p
                WHERE p.group_id = g.id
                  AND p.is_active
                  AND p.deleted_at IS NULL))
           ORDER BY g.order_index, g.name, g.id), '[]')) AS body,
       (SELECT count(*) FROM process_groups) AS total
  FROM (SELECT *
          FROM process_groups
         ORDER BY order_index, name, id
         LIMIT least(coalesce(:'limit'::int, 10000), 10000)
        OFFSET coalesce(:'offset'::int, 0)) g;
