-- A step becomes ready, starts, pauses, resumes, produces, is completed and
-- reopened.  Each function: lock, look whether the event is legal for the step
-- and for its job, whether the asker may, then change.

CREATE OR REPLACE FUNCTION reklam.step_activate(id uuid, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job_of(id, 'process_step_not_found');
	step public.job_steps := reklam.locked_step(id, 'process_step_not_found');
	becomes text := reklam.moved('step', 'activate', step.status);
BEGIN
	PERFORM reklam.moved('job', 'activate step', job.status);
	PERFORM reklam.expect_actor(step, me, rights, NULL,
	    'step_activate_denied');
	UPDATE job_steps s
	   SET status = becomes
	 WHERE s.id = step.id;
	IF step.assigned_to IS DISTINCT FROM me THEN
		PERFORM reklam.tell_of_job(step.assigned_to, 'task_ready', job);
	END IF;
	RETURN reklam.reply(200, 'step_activated', NULL);
END
$$;

-- The job of a step that starts is in progress from then on.
CREATE OR REPLACE FUNCTION reklam.step_start(id uuid, me uuid, rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job_of(id, 'step_cannot_start');
	step public.job_steps := reklam.locked_step(id, 'step_cannot_start');
	becomes text := reklam.moved('step', 'start', step.status);
	job_becomes text := reklam.moved('job', 'start step', job.status);
BEGIN
	PERFORM reklam.expect_actor(step, me, rights, 'jobs.update',
	    'step_start_denied');
	UPDATE job_steps s
	   SET status = becomes,
	       started_at = clock_timestamp(),
	       started_by = me
	 WHERE s.id = step.id;
	PERFORM reklam.set_job(job, job_becomes);
	RETURN reklam.reply(200, 'step_started', NULL);
END
$$;

-- Gives a job another status, when it is another.
CREATE OR REPLACE FUNCTION reklam.set_job(job public.jobs, becomes text)
RETURNS void
LANGUAGE sql
AS $$
UPDATE jobs
   SET status = becomes
 WHERE id = job.id
   AND status IS DISTINCT FROM becomes
$$;

CREATE OR REPLACE FUNCTION reklam.step_pause(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job_of(id, 'step_not_found');
	step public.job_steps := reklam.locked_step(id, 'step_not_found');
	becomes text := reklam.moved('step', 'pause', step.status);
BEGIN
	PERFORM reklam.moved('job', 'pause step', job.status);
	PERFORM reklam.expect_actor(step, me, rights, 'jobs.update',
	    'step_pause_denied');
	UPDATE job_steps s
	   SET status = becomes,
	       status_before_block = step.status,
	       block_reason = reklam.loose(body, 'reason'),
	       blocked_at = clock_timestamp()
	 WHERE s.id = step.id;
	RETURN reklam.reply(200, 'step_paused', NULL);
END
$$;

-- The step becomes what it was before the pause; ready, when nobody knows.
CREATE OR REPLACE FUNCTION reklam.step_resume(id uuid, me uuid, rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job_of(id, 'step_not_found');
	step public.job_steps := reklam.locked_step(id, 'step_not_found');
	becomes text := reklam.moved('step', 'resume', step.status,
	    step.status_before_block, 'ready');
BEGIN
	PERFORM reklam.moved('job', 'resume step', job.status);
	PERFORM reklam.expect_actor(step, me, rights, 'jobs.update',
	    'step_resume_denied');
	UPDATE job_steps s
	   SET status = becomes,
	       status_before_block = NULL,
	       block_reason = NULL,
	       blocked_at = NULL
	 WHERE s.id = step.id;
	RETURN reklam.reply(200, 'step_resumed', NULL);
END
$$;

-- What was made is added to what had been made; a correction may be negative
-- but does not take the total below nothing.  The answer is the sum before it
-- is rounded to what the column keeps.
CREATE OR REPLACE FUNCTION reklam.step_produce(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made numeric := nullif(reklam.amount(body, 'production_quantity',
	    -99999999.99, 99999999.99), 0);
	note text := nullif(body ->> 'production_notes', '');
	job public.jobs;
	step public.job_steps;
	job_becomes text;
BEGIN
	IF made IS NULL THEN
		PERFORM reklam.refuse(400, 'production_quantity_required',
		    'production_quantity');
	END IF;
	job := reklam.locked_job_of(id, 'step_not_found');
	step := reklam.locked_step(id, 'step_not_found');
	PERFORM reklam.moved('step', 'produce', step.status);
	job_becomes := reklam.moved('job', 'produce', job.status);
	PERFORM reklam.expect_actor(step, me, rights, 'jobs.update',
	    'step_produce_denied');
	made := coalesce(step.production_quantity, 0) + made;
	IF made NOT BETWEEN 0 AND 99999999.99 THEN
		PERFORM reklam.refuse(400, 'production_quantity_invalid',
		    'production_quantity');
	END IF;
	UPDATE job_steps s
	   SET production_quantity = made,
	       production_unit = coalesce(
	           reklam.loose(body, 'production_unit'), production_unit),
	       production_notes = nullif(concat_ws(E'\n---\n',
	           nullif(production_notes, ''), note), '')
	 WHERE s.id = step.id;
	PERFORM reklam.set_job(job, job_becomes);
	RETURN reklam.reply(200, 'production_saved', json_build_object(
	    'total_production', made));
END
$$;

/*
 * What is recorded of the production replaces what was recorded before; what
 * is missing, blank or 0 leaves it: that is what an empty form sends.
 */
CREATE OR REPLACE FUNCTION reklam.step_complete(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made numeric := nullif(reklam.amount(body, 'production_quantity',
	    0, 99999999.99), 0);
	job public.jobs := reklam.locked_job_of(id, 'step_not_found');
	step public.job_steps := reklam.locked_step(id, 'step_not_found');
	becomes text;
	job_becomes text;
BEGIN
	PERFORM reklam.expect_actor(step, me, rights, 'jobs.update',
	    'step_complete_denied');
	becomes := reklam.moved('step', 'complete', step.status);
	job_becomes := reklam.moved('job', 'complete step', job.status);
	UPDATE job_steps s
	   SET status = becomes,
	       completed_at = clock_timestamp(),
	       completed_by = me,
	       actual_duration = round(extract(epoch FROM
	           clock_timestamp()::timestamp - started_at) / 60),
	       production_quantity = coalesce(made, production_quantity),
	       production_unit = coalesce(
	           reklam.loose(body, 'production_unit'), production_unit),
	       production_notes = coalesce(
	           nullif(body ->> 'production_notes', ''), production_notes),
	       status_before_block = NULL,
	       block_reason = NULL,
	       blocked_at = NULL
	 WHERE s.id = step.id;
	PERFORM reklam.advance(job, step.id, 'task_ready');
	IF reklam.all_done(job.id) THEN
		job_becomes := reklam.moved('job', 'complete', job_becomes);
	END IF;
	PERFORM reklam.set_job(job, job_becomes);
	RETURN reklam.reply(200, 'step_completed', NULL);
END
$$;

/*
 * The step is to be done again, and the job has a new revision.  What had been
 * produced goes from the step into the audit row.  In a job on hold the step
 * waits with the others.  Only a manager brings a canceled job back this way.
 */
CREATE OR REPLACE FUNCTION reklam.step_reopen(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	reason text := coalesce(reklam.loose(body, 'reason'),
	    reklam.say('step_reopened_reason'));
	job public.jobs := reklam.locked_job_of(id, 'process_step_not_found');
	step public.job_steps := reklam.locked_step(id, 'process_step_not_found');
	becomes text := reklam.moved('step', 'reopen', step.status);
	job_becomes text := reklam.moved('job', 'reopen step', job.status);
	revision int := coalesce(job.revision_no, 1) + 1;
BEGIN
	PERFORM reklam.expect_actor(step, CASE WHEN job.status <> 'canceled'
	    THEN me END, rights, NULL, 'step_reopen_denied');
	IF job_becomes = 'on_hold' THEN
		becomes := reklam.moved('step', 'hold', becomes);
	END IF;
	UPDATE jobs j
	   SET revision_no = revision,
	       status = job_becomes
	 WHERE j.id = job.id;
	UPDATE job_steps s
	   SET status = becomes,
	       started_at = NULL,
	       started_by = NULL,
	       completed_at = NULL,
	       completed_by = NULL,
	       actual_duration = NULL,
	       production_quantity = NULL,
	       production_unit = NULL,
	       production_notes = NULL,
	       status_before_block = NULL,
	       block_reason = NULL,
	       blocked_at = NULL
	 WHERE s.id = step.id;
	PERFORM reklam.audit(job.id, me, 'step_reopened', jsonb_strip_nulls(
	    jsonb_build_object(
	        'revision_no', revision,
	        'reason', reason,
	        'step_id', step.id,
	        'step_status', jsonb_build_object(
	            'old', step.status, 'new', becomes),
	        'job_status', CASE WHEN job.status <> job_becomes THEN
	            jsonb_build_object('old', job.status, 'new', job_becomes) END,
	        'previous_completed_at', step.completed_at,
	        'previous_production_quantity', step.production_quantity,
	        'previous_production_unit', step.production_unit,
	        'previous_production_notes', step.production_notes)));
	RETURN reklam.reply(200, 'step_reopened', json_build_object('data',
	    json_build_object('revision_no', revision,
	        'job_status', job_becomes)));
END
$$;
