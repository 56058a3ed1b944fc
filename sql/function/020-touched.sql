-- Who changed which table: for the program's caches.
--
-- Each statement that changes a row of a table of ours adds the table's name
-- to the setting reklam.touched, blank-separated, which ends with the
-- transaction: the writer reads it before it commits.  Everybody else hears
-- NOTIFY reklam, once per table and transaction, when it has committed.  The
-- payload is the table's name; when the writer has said who it is in
-- reklam.origin, a blank and that follow.
--
-- A savepoint that is rolled back takes both back, the name and the NOTIFY.

CREATE OR REPLACE FUNCTION reklam.touch()
RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	touched text := current_setting('reklam.touched', true);
BEGIN
	IF strpos(' ' || touched || ' ', ' ' || TG_TABLE_NAME || ' ') > 0 THEN
		RETURN NULL;
	END IF;
	-- A TRUNCATE has no rows to show, and is never for nothing.
	IF TG_OP <> 'TRUNCATE' THEN
		PERFORM FROM changed LIMIT 1;
		IF NOT FOUND THEN
			RETURN NULL;
		END IF;
	END IF;
	PERFORM set_config('reklam.touched',
	    concat_ws(' ', nullif(touched, ''), TG_TABLE_NAME), true);
	PERFORM pg_notify('reklam', concat_ws(' ', TG_TABLE_NAME,
	    nullif(current_setting('reklam.origin', true), '')));
	RETURN NULL;
END
$$;

-- A trigger that is there already is left alone: to make it anew would wait
-- for every writer of the table, and let others wait meanwhile.
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT tab::regclass, 'touched_' || lower(event) AS name, event,
		       'REFERENCING ' || nullif(rows, '') || ' TABLE AS changed'
		           AS referencing
		  FROM unnest(ARRAY[
		           'public.users', 'public.roles', 'public.user_roles',
		           'public.role_permissions',
		           'public.role_process_permissions',
		           'public.customers', 'public.customer_dealers',
		           'public.process_groups', 'public.processes',
		           'public.machines', 'public.machine_processes',
		           'public.jobs', 'public.job_steps',
		           'public.job_step_notes', 'public.notifications',
		           'public.audit_logs', 'public.files',
		           'reklam.service_tokens']) tab,
		       (VALUES ('INSERT', 'NEW'), ('UPDATE', 'NEW'),
		               ('DELETE', 'OLD'), ('TRUNCATE', '')
		       ) events (event, rows)
	LOOP
		PERFORM
		  FROM pg_trigger
		 WHERE tgrelid = c.tab
		   AND tgname = c.name;
		CONTINUE WHEN FOUND;
		EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s'
		    ' FOR EACH STATEMENT EXECUTE FUNCTION reklam.touch()',
		    c.name, c.event, c.tab, c.referencing);
	END LOOP;
END
$$;
