-- What the server itself has counted of each statement, where it does.
-- reads: nothing
SELECT reklam.server_statements() AS body;
