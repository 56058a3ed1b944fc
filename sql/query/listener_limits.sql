-- How many connections the database allows.
SELECT current_setting('max_connections') AS connections;
