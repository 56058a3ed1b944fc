-- What ties rows together and what they may hold.
--
-- Old databases have these under other names, with other actions, or not at
-- all; so each is looked for by what it does.  One that old rows contradict
-- is added all the same, for new rows, and a warning says so: no row is lost.
SET client_min_messages = warning;

-- Nulls

ALTER TABLE public.users ALTER COLUMN role DROP NOT NULL;
ALTER TABLE public.processes ALTER COLUMN folder_name SET NOT NULL;

DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT a.attrelid::regclass AS tab, a.attname AS col,
		       CASE a.attname WHEN 'id' THEN 'gen_random_uuid()'
		       ELSE 'now()' END AS fallback
		  FROM pg_attribute a
		 WHERE a.attrelid IN (
		           'public.users'::regclass, 'public.roles'::regclass,
		           'public.user_roles'::regclass,
		           'public.role_permissions'::regclass,
		           'public.customers'::regclass,
		           'public.customer_dealers'::regclass,
		           'public.process_groups'::regclass,
		           'public.processes'::regclass,
		           'public.machines'::regclass,
		           'public.machine_processes'::regclass,
		           'public.jobs'::regclass, 'public.job_steps'::regclass,
		           'public.job_step_notes'::regclass,
		           'public.notifications'::regclass,
		           'public.audit_logs'::regclass,
		           'public.files'::regclass)
		   AND a.attname IN ('id', 'created_at', 'updated_at')
		   AND NOT a.atthasdef
	LOOP
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s',
		    c.tab, c.col, c.fallback);
	END LOOP;
END
$$;

-- Values

DO $$
DECLARE
	c record;
	old record;
BEGIN
	FOR c IN
		SELECT ('public.' || tab)::regclass AS tab, col,
		       tab || '_' || col || '_check' AS name,
		       format('CHECK (%I IN (%s))', col,
		           (SELECT string_agg(quote_literal(word), ', ')
		              FROM unnest(string_to_array(words, ' ')) word)) AS rule,
		       words
		  FROM (VALUES
		    ('users', 'role', NULL),
		    ('machines', 'status', 'active maintenance inactive'),
		    ('jobs', 'status', 'draft active on_hold in_progress completed'
		        ' canceled'),
		    ('jobs', 'priority', 'low normal high urgent'),
		    ('job_steps', 'status', 'pending ready in_progress blocked'
		        ' on_hold completed canceled'),
		    ('notifications', 'type', 'info success warning error'
		        ' task_assigned task_ready task_started task_completed'
		        ' job_activated job_held job_resumed job_canceled'
		        ' revision_created')
		  ) rules (tab, col, words)
	LOOP
		FOR old IN
			SELECT k.conname
			  FROM pg_constraint k
			  JOIN pg_attribute a ON a.attrelid = k.conrelid
			   AND k.conkey = ARRAY[a.attnum]
			 WHERE k.conrelid = c.tab
			   AND k.contype = 'c'
			   AND a.attname = c.col
		LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I',
			    c.tab, old.conname);
		END LOOP;
		CONTINUE WHEN c.words IS NULL;
		EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID',
		    c.tab, c.name, c.rule);
		BEGIN
			EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I',
			    c.tab, c.name);
		EXCEPTION WHEN check_violation THEN
			RAISE WARNING 'old rows of % have another %; only new ones'
			    ' are checked', c.tab, c.col;
		END;
	END LOOP;
END
$$;

-- References

DO $$
DECLARE
	c record;
	old record;
	found boolean;
BEGIN
	FOR c IN
		SELECT ('public.' || tab)::regclass AS tab, col,
		       tab || '_' || col || '_fkey' AS name,
		       ('public.' || target)::regclass AS target, action,
		       CASE action WHEN 'CASCADE' THEN 'c'
		       WHEN 'SET NULL' THEN 'n' ELSE 'a' END AS code
		  FROM (VALUES
		    ('users', 'avatar_file_id', 'files', 'SET NULL'),
		    ('user_roles', 'user_id', 'users', 'CASCADE'),
		    ('user_roles', 'role_id', 'roles', 'CASCADE'),
		    ('user_roles', 'assigned_by', 'users', 'SET NULL'),
		    ('role_permissions', 'role_id', 'roles', 'CASCADE'),
		    ('role_process_permissions', 'role_id', 'roles', 'CASCADE'),
		    ('role_process_permissions', 'process_id', 'processes', 'CASCADE'),
		    ('customer_dealers', 'customer_id', 'customers', 'CASCADE'),
		    ('processes', 'group_id', 'process_groups', 'SET NULL'),
		    ('machine_processes', 'machine_id', 'machines', 'CASCADE'),
		    ('machine_processes', 'process_id', 'processes', 'CASCADE'),
		    ('jobs', 'customer_id', 'customers', 'SET NULL'),
		    ('jobs', 'dealer_id', 'customer_dealers', 'SET NULL'),
		    ('jobs', 'created_by', 'users', 'NO ACTION'),
		    ('job_steps', 'job_id', 'jobs', 'CASCADE'),
		    ('job_steps', 'process_id', 'processes', 'NO ACTION'),
		    ('job_steps', 'assigned_to', 'users', 'SET NULL'),
		    ('job_steps', 'machine_id', 'machines', 'SET NULL'),
		    ('job_steps', 'started_by', 'users', 'SET NULL'),
		    ('job_steps', 'completed_by', 'users', 'SET NULL'),
		    ('job_step_notes', 'job_step_id', 'job_steps', 'CASCADE'),
		    ('job_step_notes', 'user_id', 'users', 'SET NULL'),
		    ('notifications', 'user_id', 'users', 'CASCADE'),
		    ('audit_logs', 'user_id', 'users', 'SET NULL'),
		    ('files', 'uploaded_by', 'users', 'NO ACTION')
		  ) links (tab, col, target, action)
	LOOP
		found := false;
		FOR old IN
			SELECT k.conname, k.confdeltype
			  FROM pg_constraint k
			  JOIN pg_attribute a ON a.attrelid = k.conrelid
			   AND k.conkey = ARRAY[a.attnum]
			 WHERE k.conrelid = c.tab
			   AND k.contype = 'f'
			   AND a.attname = c.col
			 ORDER BY k.confdeltype = c.code DESC, k.conname
		LOOP
			IF old.confdeltype = c.code AND NOT found THEN
				found := true;
				c.name := old.conname;
			ELSE
				EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I',
				    c.tab, old.conname);
			END IF;
		END LOOP;
		CONTINUE WHEN found;
		EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I)'
		    ' REFERENCES %s (id) ON DELETE %s NOT VALID',
		    c.tab, c.name, c.col, c.target, c.action);
		BEGIN
			EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I',
			    c.tab, c.name);
		EXCEPTION WHEN foreign_key_violation THEN
			RAISE WARNING 'old rows of % name a % that does not exist;'
			    ' only new ones are checked', c.tab, c.col;
		END;
	END LOOP;
END
$$;

-- One of a kind

DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT ('public.' || tab)::regclass AS tab,
		       tab || '_' || replace(cols, ', ', '_') || '_key' AS name,
		       cols
		  FROM (VALUES
		    ('users', 'username'),
		    ('users', 'email'),
		    ('roles', 'code'),
		    ('user_roles', 'user_id, role_id'),
		    ('role_permissions', 'role_id, resource'),
		    ('machine_processes', 'machine_id, process_id'),
		    ('jobs', 'job_number')
		  ) keys (tab, cols)
	LOOP
		PERFORM
		  FROM pg_index i
		 WHERE i.indrelid = c.tab
		   AND i.indisunique
		   AND i.indisvalid
		   AND i.indpred IS NULL
		   AND c.cols = (
		           SELECT string_agg(a.attname, ', ' ORDER BY k.place)
		             FROM unnest(i.indkey) WITH ORDINALITY k (num, place)
		             JOIN pg_attribute a ON a.attrelid = i.indrelid
		              AND a.attnum = k.num
		            WHERE k.place <= i.indnkeyatts);
		CONTINUE WHEN FOUND;
		EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE (%s)',
		    c.tab, c.name, c.cols);
	END LOOP;
END
$$;

-- A deleted process or machine gives its code back.  Where another module
-- refers to the code itself, the old key has to stay.
DO $$
DECLARE
	key text[];
BEGIN
	FOREACH key SLICE 1 IN ARRAY ARRAY[
	    ['processes', 'processes_code_key'],
	    ['machines', 'machines_code_key']]
	LOOP
		EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT IF EXISTS %I',
		    key[1], key[2]);
	END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
	RAISE WARNING '%: deleted rows keep their code', SQLERRM;
END
$$;

-- Uniqueness under a condition is an index, not a constraint.  An index of
-- that name which is something else makes way.
DO $$
DECLARE
	c record;
	now_is text;
BEGIN
	FOR c IN
		SELECT *
		  FROM (VALUES
		    ('user_roles_one_primary', 'public.user_roles',
		        '(user_id) WHERE is_primary'),
		    ('idx_process_groups_name', 'public.process_groups',
		        '(lower((name)::text))'),
		    ('idx_processes_code_unique_active', 'public.processes',
		        '(code) WHERE (deleted_at IS NULL)'),
		    ('idx_processes_group_folder_unique', 'public.processes',
		        '(group_id, lower((folder_name)::text))'
		        ' WHERE ((deleted_at IS NULL) AND (group_id IS NOT NULL))'),
		    ('idx_processes_no_group_folder_unique', 'public.processes',
		        '(lower((folder_name)::text))'
		        ' WHERE ((deleted_at IS NULL) AND (group_id IS NULL))'),
		    ('idx_machines_code_unique_active', 'public.machines',
		        '(code) WHERE is_active')
		  ) keys (name, tab, rule)
	LOOP
		SELECT pg_get_indexdef(to_regclass('public.' || c.name)) INTO now_is;
		CONTINUE WHEN now_is = format('CREATE UNIQUE INDEX %I ON %s USING'
		    ' btree %s', c.name, c.tab, c.rule);
		IF now_is IS NOT NULL THEN
			EXECUTE format('DROP INDEX public.%I', c.name);
		END IF;
		EXECUTE format('CREATE UNIQUE INDEX %I ON %s %s',
		    c.name, c.tab, c.rule);
	END LOOP;
END
$$;

-- The new key of primary roles does what this index was for.
DROP INDEX IF EXISTS public.idx_user_roles_primary;
