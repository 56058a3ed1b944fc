-- What a role can be given: resources and processes.
-- reads: processes, texts
SELECT json_build_object('data', json_build_object(
           'resources', (
               SELECT json_agg(json_build_object(
                          'code', code,
                          'name', name.template,
                          'description', about.template)
                      ORDER BY place)
                 FROM unnest(ARRAY['jobs', 'customers', 'processes',
                          'machines', 'users', 'files', 'reports'])
                          WITH ORDINALITY resources (code, place)
                 LEFT JOIN reklam.texts name
                   ON name.name = 'resource_' || code
                  AND name.language = :'lang'
                 LEFT JOIN reklam.texts about
                   ON about.name = 'resource_' || code || '_about'
                  AND about.language = :'lang'),
           'processes', (
               SELECT coalesce(json_agg(json_build_object(
                          'id', id, 'name', name, 'code', code)
                      ORDER BY name, id), '[]')
                 FROM processes
                WHERE deleted_at IS NULL))) AS body;
