-- Makes the row that a service's token names.
INSERT INTO reklam.service_tokens (name, rights, expires_at)
VALUES (:'service', :'rights'::text[],
       now() + :'days'::int * interval '1 day')
RETURNING id, floor(extract(epoch FROM now()))::bigint AS now;
