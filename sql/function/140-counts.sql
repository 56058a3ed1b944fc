-- Counts that are kept, because to count 200,000 jobs takes 40 ms, and what a
-- million steps did on each machine 25 ms, and each write would make it
-- necessary again.
--
-- A change adds rows to reklam.counts and changes none, so that no writer
-- waits for another one.  Now and then one of them folds the rows that nobody
-- else is folding; a reader sees the rows before or the sum after, never both.

CREATE OR REPLACE FUNCTION reklam.fold_counts()
RETURNS void
LANGUAGE sql
AS $$
WITH taken AS (
	DELETE FROM reklam.counts
	 WHERE ctid = ANY (ARRAY(
	           SELECT ctid
	             FROM reklam.counts
	              FOR UPDATE SKIP LOCKED))
	RETURNING what, month, status, machine_id, n
)
INSERT INTO reklam.counts (what, month, status, machine_id, n)
SELECT what, month, status, machine_id, sum(n)
  FROM taken
 GROUP BY what, month, status, machine_id
HAVING sum(n) <> 0
$$;

-- Jobs that came, went, or have another status.
CREATE OR REPLACE FUNCTION reklam.count_jobs()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	CASE TG_OP
	WHEN 'INSERT' THEN
		INSERT INTO reklam.counts (what, month, status, n)
		SELECT 'jobs', date_trunc('month', created_at), status, count(*)
		  FROM changed
		 GROUP BY 2, 3;
	WHEN 'DELETE' THEN
		INSERT INTO reklam.counts (what, month, status, n)
		SELECT 'jobs', date_trunc('month', created_at), status, -count(*)
		  FROM changed
		 GROUP BY 2, 3;
	WHEN 'UPDATE' THEN
		INSERT INTO reklam.counts (what, month, status, n)
		VALUES ('jobs', date_trunc('month', OLD.created_at), OLD.status, -1),
		    ('jobs', date_trunc('month', NEW.created_at), NEW.status, 1);
	ELSE
		DELETE FROM reklam.counts WHERE what = 'jobs';
	END CASE;
	IF random() < 0.02 THEN
		PERFORM reklam.fold_counts();
	END IF;
	RETURN NULL;
END
$$;

-- Steps that came, went, or were completed or reopened on a machine.
CREATE OR REPLACE FUNCTION reklam.count_steps()
RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	sign int := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
	CASE TG_OP
	WHEN 'TRUNCATE' THEN
		DELETE FROM reklam.counts WHERE what IN ('job_steps', 'completed');
	WHEN 'UPDATE' THEN
		INSERT INTO reklam.counts (what, machine_id, n)
		SELECT 'completed', machine_id, n
		  FROM (VALUES (OLD.machine_id, OLD.status, -1),
		           (NEW.machine_id, NEW.status, 1)) v (machine_id, status, n)
		 WHERE machine_id IS NOT NULL
		   AND status = 'completed';
	ELSE
		INSERT INTO reklam.counts (what, machine_id, n)
		SELECT 'job_steps', NULL, sign * count(*)
		  FROM changed
		HAVING count(*) > 0
		UNION ALL
		SELECT 'completed', machine_id, sign * count(*)
		  FROM changed
		 WHERE status = 'completed'
		   AND machine_id IS NOT NULL
		 GROUP BY machine_id;
	END CASE;
	IF random() < 0.02 THEN
		PERFORM reklam.fold_counts();
	END IF;
	RETURN NULL;
END
$$;

-- Counts anew.  Needed once, and after somebody has written past triggers.
CREATE OR REPLACE FUNCTION reklam.recount()
RETURNS void
LANGUAGE sql
AS $$
LOCK TABLE jobs, job_steps IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM reklam.counts;
INSERT INTO reklam.counts (what, month, status, machine_id, n)
SELECT 'jobs', date_trunc('month', created_at), status, NULL::uuid, count(*)
  FROM jobs
 GROUP BY 2, 3
UNION ALL
SELECT 'job_steps', NULL, NULL, NULL, count(*)
  FROM job_steps
HAVING count(*) > 0
UNION ALL
SELECT 'completed', NULL, NULL, machine_id, count(*)
  FROM job_steps
 WHERE status = 'completed'
   AND machine_id IS NOT NULL
 GROUP BY machine_id
$$;

-- A trigger that is there already is left alone, as those of reklam.touch are;
-- where one is missing, counting begins now.
DO $$
DECLARE
	c record;
	missing boolean := false;
BEGIN
	FOR c IN
		SELECT *
		  FROM (VALUES
		    ('reklam.counts', 'touched_insert', 'AFTER INSERT', 'touch',
		        'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT'),
		    ('reklam.counts', 'touched_delete', 'AFTER DELETE', 'touch',
		        'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT'),
		    ('public.jobs', 'counted_insert', 'AFTER INSERT', 'count_jobs',
		        'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT'),
		    ('public.jobs', 'counted_delete', 'AFTER DELETE', 'count_jobs',
		        'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT'),
		    ('public.jobs', 'counted_truncate', 'AFTER TRUNCATE', 'count_jobs',
		        'FOR EACH STATEMENT'),
		    ('public.jobs', 'counted_update', 'AFTER UPDATE', 'count_jobs',
		        'FOR EACH ROW WHEN ((OLD.status, OLD.created_at) IS'
		        ' DISTINCT FROM (NEW.status, NEW.created_at))'),
		    ('public.job_steps', 'counted_insert', 'AFTER INSERT', 'count_steps',
		        'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT'),
		    ('public.job_steps', 'counted_delete', 'AFTER DELETE', 'count_steps',
		        'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT'),
		    ('public.job_steps', 'counted_truncate', 'AFTER TRUNCATE',
		        'count_steps', 'FOR EACH STATEMENT'),
		    ('public.job_steps', 'counted_update', 'AFTER UPDATE',
		        'count_steps', 'FOR EACH ROW WHEN ((OLD.machine_id,'
		        ' OLD.status = ''completed'') IS DISTINCT FROM'
		        ' (NEW.machine_id, NEW.status = ''completed''))')
		  ) triggers (tab, name, event, does, rest)
		 WHERE NOT EXISTS (
		           SELECT
		             FROM pg_trigger
		            WHERE tgrelid = tab::regclass
		              AND tgname = name)
	LOOP
		EXECUTE format('CREATE TRIGGER %I %s ON %s %s EXECUTE FUNCTION'
		    ' reklam.%I()', c.name, c.event, c.tab, c.rest, c.does);
		missing := missing OR c.name LIKE 'counted%';
	END LOOP;
	IF missing THEN
		PERFORM reklam.recount();
	END IF;
END
$$;
