-- A step is added, changed and deleted, and gets notes.

/*
 * The new step is the last.  When nothing else of a running job is left to do
 * it is ready at once: no other step is going to make it so.
 */
CREATE OR REPLACE FUNCTION reklam.step_add(job_id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job(job_id, 'job_not_found');
	becomes text := reklam.moved('job', 'add step', job.status);
	added uuid;
BEGIN
	added := reklam.step_insert(job.id, (
		SELECT coalesce(max(s.order_index) + 1, 0)
		  FROM job_steps s
		 WHERE s.job_id = job.id), body);
	IF becomes IN ('active', 'in_progress') THEN
		PERFORM reklam.advance(job, NULL, 'task_ready');
	END IF;
	RETURN reklam.reply(201, 'step_added', json_build_object('data',
	    json_build_object('id', added)));
END
$$;

/*
 * An assignee may change how and when he works, not what is to be done, in
 * which order, how much of it and by whom: that is the manager's.  The old
 * client sends such a field along with its old value; that is no change.
 */
CREATE OR REPLACE FUNCTION reklam.step_update(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	keys text[] := '{process_id,assigned_to,machine_id,is_parallel,
	    has_production,estimated_duration,due_date,due_time,
	    planned_start_date,planned_end_date,order_index,requirements,
	    required_quantity}';
	want public.job_steps;
	job public.jobs;
	step public.job_steps;
BEGIN
	-- What does nothing when it is null counts as not sent.
	body := body - coalesce((
		SELECT array_agg(key)
		  FROM unnest('{process_id,is_parallel,has_production}'::text[]) key
		 WHERE reklam.loose(body, key) IS NULL), '{}');
	job := reklam.locked_job_of(id, 'process_step_not_found');
	step := reklam.locked_step(id, 'process_step_not_found');
	PERFORM reklam.moved('step', 'update', step.status);
	PERFORM reklam.expect_actor(step, me, rights, NULL,
	    'step_update_denied');
	PERFORM reklam.expect(body, keys, 'no_field_to_update');
	want := reklam.step_wanted(body);
	IF ('*' = ANY (rights)) IS NOT TRUE AND EXISTS (
		SELECT
		  FROM unnest('{process_id,assigned_to,order_index,has_production,
		           required_quantity}'::text[]) key
		 WHERE body ? key
		   AND nullif(jsonb_strip_nulls(to_jsonb(want)) -> key, 'false')
		       IS DISTINCT FROM
		       nullif(jsonb_strip_nulls(to_jsonb(step)) -> key, 'false'))
	THEN
		PERFORM reklam.refuse(403, 'step_update_denied');
	END IF;
	UPDATE job_steps s
	   SET process_id = CASE WHEN body ? 'process_id'
	           THEN want.process_id ELSE process_id END,
	       assigned_to = CASE WHEN body ? 'assigned_to'
	           THEN want.assigned_to ELSE assigned_to END,
	       machine_id = CASE WHEN body ? 'machine_id'
	           THEN want.machine_id ELSE machine_id END,
	       is_parallel = CASE WHEN body ? 'is_parallel'
	           THEN want.is_parallel ELSE is_parallel END,
	       has_production = CASE WHEN body ? 'has_production'
	           THEN want.has_production ELSE has_production END,
	       estimated_duration = CASE WHEN body ? 'estimated_duration'
	           THEN want.estimated_duration ELSE estimated_duration END,
	       due_date = CASE WHEN body ? 'due_date'
	           THEN want.due_date ELSE due_date END,
	       due_time = CASE WHEN body ? 'due_time'
	           THEN want.due_time ELSE due_time END,
	       planned_start_date = CASE WHEN body ? 'planned_start_date'
	           THEN want.planned_start_date ELSE planned_start_date END,
	       planned_end_date = CASE WHEN body ? 'planned_end_date'
	           THEN want.planned_end_date ELSE planned_end_date END,
	       order_index = CASE WHEN body ? 'order_index'
	           THEN want.order_index ELSE order_index END,
	       requirements = CASE WHEN body ? 'requirements'
	           THEN want.requirements ELSE requirements END,
	       required_quantity = CASE WHEN body ? 'required_quantity'
	           THEN want.required_quantity ELSE required_quantity END
	 WHERE s.id = step.id
	RETURNING * INTO want;
	PERFORM reklam.tell_of_update(job, want, step.assigned_to, body, me);
	RETURN reklam.reply(200, 'step_updated', json_build_object('data',
	    json_build_object('id', step.id)));
END
$$;

-- The fields of the body as they would stand in a row.
CREATE OR REPLACE FUNCTION reklam.step_wanted(body jsonb)
RETURNS public.job_steps
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	want public.job_steps;
BEGIN
	want.process_id := reklam.ident(body, 'process_id');
	want.assigned_to := reklam.ident(body, 'assigned_to');
	want.machine_id := reklam.ident(body, 'machine_id');
	want.is_parallel := reklam.worded_flag(body, 'is_parallel');
	want.has_production := reklam.worded_flag(body, 'has_production');
	want.estimated_duration := trunc(reklam.amount(body,
	    'estimated_duration', 0, 10000000));
	want.due_date := reklam.day(body, 'due_date');
	want.due_time := reklam.clock(body, 'due_time');
	want.planned_start_date := reklam.day(body, 'planned_start_date');
	want.planned_end_date := reklam.day(body, 'planned_end_date');
	want.order_index := trunc(reklam.amount(body, 'order_index', 0, 1000000));
	want.requirements := reklam.loose(body, 'requirements');
	want.required_quantity := reklam.amount(body, 'required_quantity',
	    0, 99999999.99);
	IF body ? 'order_index' AND want.order_index IS NULL THEN
		PERFORM reklam.refuse(400, 'order_index_invalid', 'order_index');
	END IF;
	RETURN want;
END
$$;

/*
 * Tells the assignee which fields of his step were changed, and the one before
 * him that it is no longer his; nobody is told what he did himself.  A field
 * that was emptied is not named.
 */
CREATE OR REPLACE FUNCTION reklam.tell_of_update(job public.jobs,
    step public.job_steps, before uuid, body jsonb, me uuid)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	process text := (SELECT name FROM processes WHERE id = step.process_id);
	labels text;
BEGIN
	SELECT string_agg(reklam.say('label_' || key), ', ' ORDER BY place)
	  INTO labels
	  FROM unnest('{process_id,assigned_to,machine_id,is_parallel,
	           has_production,estimated_duration,due_date,due_time,
	           planned_start_date,planned_end_date,order_index,requirements,
	           required_quantity}'::text[]) WITH ORDINALITY list (key, place)
	 WHERE body ? key
	   AND (key IN ('assigned_to', 'machine_id', 'requirements')
	        OR nullif(reklam.loose(body, key), 'null') IS NOT NULL);
	IF step.assigned_to IS DISTINCT FROM me THEN
		PERFORM reklam.tell(step.assigned_to, 'step_updated', 'info',
		    'job_step', step.id, job.job_number, job.title, process,
		    coalesce(labels, reklam.say('label_step')));
	END IF;
	IF before IS DISTINCT FROM step.assigned_to AND
	    before IS DISTINCT FROM me THEN
		PERFORM reklam.tell(before, 'step_taken', 'warning', 'job_step',
		    step.id, job.job_number, job.title, process);
	END IF;
END
$$;

-- What follows a deleted step does not wait for it, and a running job of which
-- only finished steps are left is completed; one on hold when it resumes.
CREATE OR REPLACE FUNCTION reklam.step_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs := reklam.locked_job_of(id, 'step_cannot_delete');
	step public.job_steps := reklam.locked_step(id, 'step_cannot_delete');
BEGIN
	PERFORM reklam.moved('step', 'delete', step.status);
	DELETE FROM job_steps s
	 WHERE s.id = step.id;
	PERFORM reklam.go_on(job);
	RETURN reklam.reply(200, 'step_deleted', NULL);
END
$$;

-- The assignee hears of a note that is not his own.
CREATE OR REPLACE FUNCTION reklam.step_note(id uuid, body jsonb, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	added public.job_step_notes;
	step record;
BEGIN
	SELECT s.id, s.assigned_to, p.name AS process, j.job_number, j.title
	  INTO step
	  FROM job_steps s
	  JOIN jobs j ON j.id = s.job_id
	  JOIN processes p ON p.id = s.process_id
	 WHERE s.id = step_note.id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'step_not_found');
	END IF;
	INSERT INTO job_step_notes (job_step_id, user_id, note)
	VALUES (step.id, me, reklam.loose(body, 'note'))
	RETURNING * INTO added;
	IF step.assigned_to IS DISTINCT FROM me THEN
		PERFORM reklam.tell(step.assigned_to, 'note_added', 'info',
		    'job_step', step.id, step.job_number, step.title, step.process,
		    left(added.note, 120));
	END IF;
	RETURN reklam.reply(201, 'note_added', json_build_object('data',
	    json_build_object(
	        'id', added.id, 'note', added.note, 'created_at', added.created_at,
	        'author_name', (SELECT full_name FROM users u WHERE u.id = me))));
END
$$;
