/*
 * What the state changes of jobs and steps share.
 *
 * Locking: a change locks the row of the job first, also when it is about one
 * step, then the steps it changes, in the order of their ids.  Whoever has the
 * job's lock is alone with the job, so nothing that was read after it changes
 * under him, and two changes cannot wait for each other.  Times are taken
 * after the lock, hence clock_timestamp(): they follow the order of events.
 */

-- The job, locked; the text `absent` says that there is none.
CREATE OR REPLACE FUNCTION reklam.locked_job(id uuid, absent text)
RETURNS public.jobs
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs;
BEGIN
	SELECT * INTO job
	  FROM jobs j
	 WHERE j.id = locked_job.id
	   FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, absent);
	END IF;
	RETURN job;
END
$$;

-- The job of a step, locked.
CREATE OR REPLACE FUNCTION reklam.locked_job_of(step_id uuid, absent text)
RETURNS public.jobs
LANGUAGE sql
AS $$
SELECT reklam.locked_job((SELECT job_id FROM job_steps WHERE id = step_id),
    absent)
$$;

-- The step, locked and as it is now that its job is.
CREATE OR REPLACE FUNCTION reklam.locked_step(id uuid, absent text)
RETURNS public.job_steps
LANGUAGE plpgsql
AS $$
DECLARE
	step public.job_steps;
BEGIN
	SELECT * INTO step
	  FROM job_steps s
	 WHERE s.id = locked_step.id
	   FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, absent);
	END IF;
	RETURN step;
END
$$;

/*
 * A step is acted on by its assignee or a manager; one that is nobody's by
 * whoever has the right `unassigned`, or by managers alone when that is null.
 */
CREATE OR REPLACE FUNCTION reklam.expect_actor(step public.job_steps, me uuid,
    rights text[], unassigned text, denied text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF ('*' = ANY (rights)) IS TRUE OR step.assigned_to = me OR
	    (step.assigned_to IS NULL AND unassigned = ANY (rights)) THEN
		RETURN;
	END IF;
	PERFORM reklam.refuse(403, denied);
END
$$;

-- A notification; nobody is nobody.  Its texts are notice_KIND_title and
-- notice_KIND.
CREATE OR REPLACE FUNCTION reklam.tell(person uuid, kind text, type text,
    ref_type text, ref_id uuid, VARIADIC arguments text[])
RETURNS void
LANGUAGE sql
AS $$
INSERT INTO notifications (user_id, title, message, type, ref_type, ref_id,
    created_at)
SELECT person, reklam.say('notice_' || kind || '_title'),
       reklam.say('notice_' || kind, VARIADIC arguments), tell.type,
       tell.ref_type, tell.ref_id, clock_timestamp()
 WHERE person IS NOT NULL
$$;

-- A notification about the job, of the type that is its kind.
CREATE OR REPLACE FUNCTION reklam.tell_of_job(person uuid, kind text,
    job public.jobs, more text DEFAULT NULL)
RETURNS void
LANGUAGE sql
AS $$
SELECT reklam.tell(person, kind, kind, 'job', job.id, job.job_number,
    job.title, more)
$$;

CREATE OR REPLACE FUNCTION reklam.audit(job_id uuid, me uuid, action text,
    changes jsonb)
RETURNS void
LANGUAGE sql
AS $$
INSERT INTO audit_logs (user_id, action, entity_type, entity_id, changes,
    created_at)
VALUES (me, audit.action, 'job', job_id, audit.changes, clock_timestamp())
$$;

/*
 * Lets the work of a job go on.
 *
 * Steps stand in the order of order_index, then id; the numbers may have gaps,
 * and canceled steps do not count.  Adjacent steps that are all marked
 * parallel are a run; any other step is a run of its own.  The steps of a run
 * start together, and the next run waits for all of them.
 *
 * From the run of the step that was just completed on, the first run with a
 * step that is not completed is the current one: its pending steps become
 * ready.  When no step of the job is at work after that (or none was just
 * completed: the job was activated, a step deleted), the same from the job's
 * beginning, so that steps that were skipped or moved do not stay behind.
 * Whoever has a step that became ready is told, in a notification `kind`.
 */
CREATE OR REPLACE FUNCTION reklam.advance(job public.jobs, completed uuid,
    kind text)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	next uuid[];
BEGIN
	WITH line AS (
		SELECT id, status, row_number() OVER steps AS place,
		       is_parallel IS NOT TRUE OR
		       lag(is_parallel) OVER steps IS NOT TRUE AS opens
		  FROM job_steps
		 WHERE job_id = job.id
		   AND status <> 'canceled'
		WINDOW steps AS (ORDER BY order_index, id)
	), runs AS (
		SELECT id, status,
		       count(*) FILTER (WHERE opens) OVER (ORDER BY place) AS run
		  FROM line
	), current AS (
		SELECT min(run) AS run
		  FROM runs
		 WHERE status <> 'completed'
		   AND run >= (SELECT run FROM runs WHERE id = completed)
	), stuck AS (
		SELECT min(run) AS run
		  FROM runs
		 WHERE status = 'pending'
		   AND NOT EXISTS (
		           SELECT FROM runs
		            WHERE status IN ('ready', 'in_progress', 'blocked',
		                      'on_hold')
		               OR status = 'pending' AND run = (
		                      SELECT run FROM current))
	)
	SELECT array_agg(id ORDER BY id) INTO next
	  FROM runs
	 WHERE status = 'pending'
	   AND run IN ((SELECT run FROM current), (SELECT run FROM stuck));

	UPDATE job_steps
	   SET status = reklam.moved('step', 'activate', status)
	 WHERE id = ANY (next);
	PERFORM reklam.tell_of_job(assigned_to, kind, job)
	   FROM job_steps
	  WHERE id = ANY (next)
	  ORDER BY order_index, id;
END
$$;

-- Is every step of the job completed or canceled, and one completed?
CREATE OR REPLACE FUNCTION reklam.all_done(job_id uuid)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT coalesce(bool_and(status IN ('completed', 'canceled')) AND
           bool_or(status = 'completed'), false)
  FROM job_steps s
 WHERE s.job_id = all_done.job_id
$$;
