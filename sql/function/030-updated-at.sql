-- updated_at is true: it follows every change of a row, unless the statement
-- itself says another time.

CREATE OR REPLACE FUNCTION reklam.now_updated()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END
$$;

DO $$
DECLARE
	tab regclass;
BEGIN
	FOREACH tab IN ARRAY ARRAY[
	    'public.users', 'public.roles', 'public.customers',
	    'public.customer_dealers', 'public.process_groups',
	    'public.machines', 'public.jobs', 'public.job_steps']::regclass[]
	LOOP
		PERFORM
		  FROM pg_trigger
		 WHERE tgrelid = tab
		   AND tgname = 'now_updated';
		CONTINUE WHEN FOUND;
		EXECUTE format('CREATE TRIGGER now_updated BEFORE UPDATE ON %s'
		    ' FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*'
		    ' AND OLD.updated_at IS NOT DISTINCT FROM NEW.updated_at)'
		    ' EXECUTE FUNCTION reklam.now_updated()', tab);
	END LOOP;
END
$$;
