-- How many connections the database allows, and whom this one leads to.
SELECT current_setting('max_connections') AS connections,
       pg_backend_pid() AS backend,
       current_setting('superuser_reserved_connections') AS reserved;
