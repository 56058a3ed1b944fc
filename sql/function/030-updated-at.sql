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

-- The columns are named one by one because a row under change has none of the
-- generated ones yet.  A trigger that names all there are is left alone.
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT a.attrelid::regclass AS tab,
		       string_agg('OLD.' || quote_ident(a.attname), ', '
		           ORDER BY a.attnum) AS before,
		       string_agg('NEW.' || quote_ident(a.attname), ', '
		           ORDER BY a.attnum) AS after
		  FROM pg_attribute a
		  LEFT JOIN pg_trigger t ON t.tgrelid = a.attrelid
		   AND t.tgname = 'now_updated'
		 WHERE a.attrelid IN (
		           'public.users'::regclass, 'public.roles'::regclass,
		           'public.customers'::regclass,
		           'public.customer_dealers'::regclass,
		           'public.process_groups'::regclass,
		           'public.machines'::regclass, 'public.jobs'::regclass,
		           'public.job_steps'::regclass)
		   AND a.attnum > 0
		   AND a.attgenerated = ''
		   AND NOT a.attisdropped
		 GROUP BY a.attrelid
		HAVING NOT coalesce(bool_and(pg_get_triggerdef(t.oid) ~ format(
		           '\mnew\.%s\M', quote_ident(a.attname))), false)
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER now_updated'
		    ' BEFORE UPDATE ON %s FOR EACH ROW WHEN ('
		    '(%s) IS DISTINCT FROM (%s)'
		    ' AND OLD.updated_at IS NOT DISTINCT FROM NEW.updated_at)'
		    ' EXECUTE FUNCTION reklam.now_updated()',
		    c.tab, c.before, c.after);
	END LOOP;
END
$$;
