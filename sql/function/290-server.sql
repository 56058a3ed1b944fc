-- What the server tells of itself.

-- By the name at the beginning of each statement; NULL where the extension
-- pg_stat_statements is not installed, or is not loaded.  Its view may lie in
-- any schema.
CREATE OR REPLACE FUNCTION reklam.server_statements()
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	place name;
	found jsonb;
BEGIN
	SELECT n.nspname INTO place
	  FROM pg_extension e
	  JOIN pg_namespace n ON n.oid = e.extnamespace
	 WHERE e.extname = 'pg_stat_statements';
	IF place IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE format($statement$
		SELECT coalesce(jsonb_object_agg(statement, counts), '{}')
		  FROM (SELECT substring(query FROM '^/\* ([a-z0-9_]+) \*/')
		               AS statement,
		               jsonb_build_object(
		                   'calls', sum(calls),
		                   'mean_ms', round((sum(total_exec_time)
		                       / greatest(sum(calls), 1))::numeric, 3),
		                   'max_ms', round(max(max_exec_time)::numeric, 3),
		                   'rows', sum(rows),
		                   'blocks_hit', sum(shared_blks_hit),
		                   'blocks_read', sum(shared_blks_read),
		                   'temporary_blocks', sum(temp_blks_written))
		               AS counts
		          FROM %I.pg_stat_statements
		         WHERE dbid = (SELECT oid
		                         FROM pg_database
		                        WHERE datname = current_database())
		         GROUP BY 1) AS s
		 WHERE statement IS NOT NULL $statement$, place) INTO found;
	RETURN found;
EXCEPTION
	WHEN object_not_in_prerequisite_state OR undefined_column
	    OR insufficient_privilege THEN
		RETURN NULL;
END
$$;
