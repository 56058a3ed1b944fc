-- What may become of a job and of a step: the one table of it.

/*
 * An event takes something from one status to another; what is not here is
 * illegal.  Where an event has two outcomes, what is remembered decides which.
 * An event of a step is one of its job too: the job has to be in a status that
 * lets it happen, and may change with it.
 */
CREATE OR REPLACE VIEW reklam.transitions
    (entity, event, from_status, to_status) AS
VALUES
	('job', 'activate', 'draft', 'active'),
	('job', 'hold', 'draft', 'on_hold'),
	('job', 'hold', 'active', 'on_hold'),
	('job', 'hold', 'in_progress', 'on_hold'),
	('job', 'resume', 'on_hold', 'active'),
	('job', 'resume', 'on_hold', 'draft'),
	('job', 'resume', 'on_hold', 'in_progress'),
	('job', 'cancel', 'draft', 'canceled'),
	('job', 'cancel', 'active', 'canceled'),
	('job', 'cancel', 'in_progress', 'canceled'),
	('job', 'cancel', 'on_hold', 'canceled'),
	('job', 'complete', 'active', 'completed'),
	('job', 'complete', 'in_progress', 'completed'),

	('job', 'activate step', 'active', 'active'),
	('job', 'activate step', 'in_progress', 'in_progress'),
	('job', 'start step', 'active', 'in_progress'),
	('job', 'start step', 'in_progress', 'in_progress'),
	('job', 'produce', 'active', 'in_progress'),
	('job', 'produce', 'in_progress', 'in_progress'),
	('job', 'pause step', 'active', 'active'),
	('job', 'pause step', 'in_progress', 'in_progress'),
	('job', 'resume step', 'active', 'active'),
	('job', 'resume step', 'in_progress', 'in_progress'),
	('job', 'complete step', 'active', 'in_progress'),
	('job', 'complete step', 'in_progress', 'in_progress'),
	('job', 'reopen step', 'active', 'active'),
	('job', 'reopen step', 'in_progress', 'in_progress'),
	('job', 'reopen step', 'on_hold', 'on_hold'),
	('job', 'reopen step', 'completed', 'active'),
	('job', 'reopen step', 'canceled', 'active'),
	('job', 'add step', 'draft', 'draft'),
	('job', 'add step', 'active', 'active'),
	('job', 'add step', 'in_progress', 'in_progress'),
	('job', 'add step', 'on_hold', 'on_hold'),

	('step', 'activate', 'pending', 'ready'),
	('step', 'start', 'pending', 'in_progress'),
	('step', 'start', 'ready', 'in_progress'),
	('step', 'produce', 'in_progress', 'in_progress'),
	('step', 'pause', 'ready', 'blocked'),
	('step', 'pause', 'in_progress', 'blocked'),
	('step', 'resume', 'blocked', 'ready'),
	('step', 'resume', 'blocked', 'in_progress'),
	('step', 'complete', 'pending', 'completed'),
	('step', 'complete', 'ready', 'completed'),
	('step', 'complete', 'in_progress', 'completed'),
	('step', 'reopen', 'completed', 'ready'),
	('step', 'hold', 'ready', 'on_hold'),
	('step', 'hold', 'in_progress', 'on_hold'),
	('step', 'unhold', 'on_hold', 'ready'),
	('step', 'unhold', 'on_hold', 'in_progress'),
	('step', 'cancel', 'pending', 'canceled'),
	('step', 'cancel', 'ready', 'canceled'),
	('step', 'cancel', 'in_progress', 'canceled'),
	('step', 'cancel', 'blocked', 'canceled'),
	('step', 'cancel', 'on_hold', 'canceled'),
	('step', 'update', 'pending', 'pending'),
	('step', 'update', 'ready', 'ready'),
	('step', 'update', 'in_progress', 'in_progress'),
	('step', 'update', 'blocked', 'blocked'),
	('step', 'update', 'on_hold', 'on_hold'),
	('step', 'delete', 'pending', 'gone'),
	('step', 'delete', 'ready', 'gone');

-- In which words an illegal event is refused; a null status is any other.
CREATE OR REPLACE VIEW reklam.refusals
    (entity, event, from_status, text_name) AS
VALUES
	('job', 'activate', NULL, 'job_cannot_activate'),
	('job', 'hold', NULL, 'job_cannot_hold'),
	('job', 'resume', NULL, 'job_cannot_resume'),
	('job', 'cancel', NULL, 'job_cannot_cancel'),
	('job', 'start step', NULL, 'step_cannot_start'),
	('job', 'add step', NULL, 'job_takes_no_step'),
	('step', 'activate', NULL, 'step_not_pending'),
	('step', 'start', NULL, 'step_cannot_start'),
	('step', 'produce', NULL, 'step_not_in_progress'),
	('step', 'pause', 'blocked', 'step_already_paused'),
	('step', 'pause', 'completed', 'step_pause_finished'),
	('step', 'pause', 'canceled', 'step_pause_finished'),
	('step', 'pause', NULL, 'step_cannot_pause'),
	('step', 'resume', NULL, 'step_not_paused'),
	('step', 'complete', NULL, 'step_cannot_complete'),
	('step', 'reopen', NULL, 'step_not_completed'),
	('step', 'update', NULL, 'step_cannot_update'),
	('step', 'delete', NULL, 'step_cannot_delete');

/*
 * The status after the event; an illegal one ends the transaction with 409.
 * Of two outcomes it is the one that comes first in `wanted`.
 */
CREATE OR REPLACE FUNCTION reklam.moved(entity text, event text, status text,
    VARIADIC wanted text[] DEFAULT '{}')
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	outcome text;
BEGIN
	SELECT t.to_status INTO outcome
	  FROM reklam.transitions t
	 WHERE t.entity = moved.entity
	   AND t.event = moved.event
	   AND t.from_status = moved.status
	 ORDER BY array_position(wanted, t.to_status)
	 LIMIT 1;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(409, coalesce((
			SELECT r.text_name
			  FROM reklam.refusals r
			 WHERE r.entity = moved.entity
			   AND r.event = moved.event
			   AND coalesce(r.from_status, moved.status)
			       IS NOT DISTINCT FROM moved.status
			 ORDER BY r.from_status
			 LIMIT 1), 'job_not_running'));
	END IF;
	RETURN outcome;
END
$$;
