-- A job is activated, held, resumed and canceled.

CREATE OR REPLACE FUNCTION reklam.job_activate(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job(id, 'job_cannot_activate');
BEGIN
	UPDATE jobs j
	   SET status = reklam.moved('job', 'activate', job.status)
	 WHERE j.id = job.id;
	PERFORM reklam.advance(job, NULL, 'task_assigned');
	RETURN reklam.reply(200, 'job_activated', NULL);
END
$$;

/*
 * Moves the steps of a job by an event that is about all of them, as far as
 * their status lets it, and tells their assignees; returns how many moved.
 */
CREATE OR REPLACE FUNCTION reklam.move_steps(job public.jobs, event text,
    kind text, more text DEFAULT NULL)
RETURNS int
LANGUAGE plpgsql
AS $$
DECLARE
	ids uuid[];
BEGIN
	SELECT array_agg(id ORDER BY id) INTO ids
	  FROM (SELECT s.id
	          FROM job_steps s
	         WHERE s.job_id = job.id
	           AND s.status IN (
	                   SELECT t.from_status
	                     FROM reklam.transitions t
	                    WHERE t.entity = 'step'
	                      AND t.event = move_steps.event)
	         ORDER BY s.id
	           FOR UPDATE) affected;
	UPDATE job_steps
	   SET status = reklam.moved('step', event, status,
	           CASE WHEN started_at IS NULL THEN 'ready'
	           ELSE 'in_progress' END),
	       (block_reason, blocked_at, status_before_block) = (
	           SELECT block_reason, blocked_at, status_before_block
	            WHERE event <> 'cancel')
	 WHERE id = ANY (ids);
	PERFORM reklam.tell_of_job(assigned_to, kind, job, more)
	   FROM job_steps
	  WHERE id = ANY (ids)
	  ORDER BY order_index, id;
	RETURN coalesce(cardinality(ids), 0);
END
$$;

CREATE OR REPLACE FUNCTION reklam.affected(text_name text, steps int)
RETURNS reklam.reply
LANGUAGE sql IMMUTABLE
AS $$
SELECT 200, text_name, json_build_object('data',
    json_build_object('affected_steps', steps))
$$;

-- The reason as a notification says it.
CREATE OR REPLACE FUNCTION reklam.reason_said(body jsonb)
RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT coalesce(nullif(body ->> 'reason', ''), reklam.say('not_stated'))
$$;

CREATE OR REPLACE FUNCTION reklam.job_hold(id uuid, body jsonb, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job(id, 'job_cannot_hold');
BEGIN
	UPDATE jobs j
	   SET status = reklam.moved('job', 'hold', job.status),
	       status_before_hold = job.status
	 WHERE j.id = job.id;
	PERFORM reklam.audit(job.id, me, 'job_held', jsonb_build_object(
	    'reason', coalesce(body -> 'reason', '""')));
	RETURN reklam.affected('job_held', reklam.move_steps(job, 'hold',
	    'job_held', reklam.reason_said(body)));
END
$$;

/*
 * The job becomes what it was before, and its steps too: one that had been
 * started was in progress.  A job that nobody remembers (held by the old
 * backend) becomes active.
 */
CREATE OR REPLACE FUNCTION reklam.job_resume(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job(id, 'job_cannot_resume');
	steps int;
BEGIN
	UPDATE jobs j
	   SET status = reklam.moved('job', 'resume', job.status,
	           job.status_before_hold, 'active'),
	       status_before_hold = NULL
	 WHERE j.id = job.id
	RETURNING * INTO job;
	steps := reklam.move_steps(job, 'unhold', 'job_resumed');
	PERFORM reklam.go_on(job);
	RETURN reklam.affected('job_resumed', steps);
END
$$;

-- Lets the work of a running job go on; one of which only finished steps are
-- left is completed.  While it was held its last open step may have gone.
CREATE OR REPLACE FUNCTION reklam.go_on(job public.jobs)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF job.status NOT IN ('active', 'in_progress') THEN
		RETURN;
	END IF;
	PERFORM reklam.advance(job, NULL, 'task_ready');
	IF reklam.all_done(job.id) THEN
		PERFORM reklam.set_job(job,
		    reklam.moved('job', 'complete', job.status));
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION reklam.job_cancel(id uuid, body jsonb, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job(id, 'job_cannot_cancel');
BEGIN
	UPDATE jobs j
	   SET status = reklam.moved('job', 'cancel', job.status),
	       status_before_hold = NULL
	 WHERE j.id = job.id;
	PERFORM reklam.audit(job.id, me, 'job_canceled', jsonb_build_object(
	    'reason', coalesce(body -> 'reason', '""')));
	RETURN reklam.affected('job_canceled', reklam.move_steps(job, 'cancel',
	    'job_canceled', reklam.reason_said(body)));
END
$$;
