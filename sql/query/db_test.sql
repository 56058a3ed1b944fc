-- Whether the database answers, and what time it is there.
-- reads: texts
SELECT json_build_object(
           'status', 'ok',
           'message', (SELECT template
                         FROM reklam.texts
                        WHERE name = 'database_reachable'
                          AND language = :'lang'),
           'test_result', json_build_object(
               'test', 1,
               'current_time', to_char(now() AT TIME ZONE 'UTC',
                   'Dy, DD Mon YYYY HH24:MI:SS "GMT"'))) AS body;
