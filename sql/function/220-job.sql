-- Jobs are created, changed and revised.

/*
 * The number is taken last: its row of the counter is locked until the
 * commit, and nothing that can fail comes after it.
 */
CREATE OR REPLACE FUNCTION reklam.job_create(body jsonb, me uuid, today date)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs;
	steps jsonb := CASE WHEN reklam.given(body, 'steps')
	    THEN body -> 'steps' ELSE '[]' END;
BEGIN
	PERFORM reklam.expect_priority(body);
	INSERT INTO jobs (job_number, title, description, customer_id, dealer_id,
	    priority, due_date, status, revision_no, created_by)
	VALUES (gen_random_uuid(), body ->> 'title', body ->> 'description',
	    reklam.ident(body, 'customer_id'), reklam.ident(body, 'dealer_id'),
	    CASE WHEN body ? 'priority' THEN body ->> 'priority'
	    ELSE 'normal' END,
	    reklam.day(body, 'due_date'), 'draft', 1, me)
	RETURNING * INTO job;

	PERFORM reklam.step_insert(job.id, place::int - 1, step)
	   FROM jsonb_array_elements(steps) WITH ORDINALITY list (step, place)
	  ORDER BY place;

	UPDATE jobs
	   SET job_number = reklam.next_job_number(today)
	 WHERE id = job.id
	RETURNING * INTO job;
	RETURN reklam.reply(201, 'job_created', json_build_object('data',
	    json_build_object('id', job.id, 'job_number', job.job_number)));
END
$$;

-- No priority may be null, but is not "".
CREATE OR REPLACE FUNCTION reklam.expect_priority(body jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF body -> 'priority' <> 'null' THEN
		PERFORM reklam.expect_not_blank(body, 'priority',
		    'field_invalid|priority');
	END IF;
END
$$;

-- A new step of a job, pending, from its description in a body.
CREATE OR REPLACE FUNCTION reklam.step_insert(job_id uuid, order_index int,
    body jsonb)
RETURNS uuid
LANGUAGE sql
AS $$
INSERT INTO job_steps (job_id, process_id, order_index, status, assigned_to,
    machine_id, is_parallel, estimated_duration, due_date, due_time,
    planned_start_date, planned_end_date, requirements, has_production,
    required_quantity)
VALUES (job_id, reklam.ident(body, 'process_id'), order_index, 'pending',
    reklam.ident(body, 'assigned_to'), reklam.ident(body, 'machine_id'),
    coalesce(reklam.flag(body, 'is_parallel'), false),
    round(reklam.amount(body, 'estimated_duration', 0, 10000000)),
    reklam.day(body, 'due_date'), reklam.clock(body, 'due_time'),
    reklam.day_if_any(body, 'planned_start_date'),
    reklam.day_if_any(body, 'planned_end_date'),
    nullif(body ->> 'requirements', ''),
    coalesce(reklam.flag(body, 'has_production'), false),
    reklam.amount(body, 'required_quantity', 0, 99999999.99))
RETURNING id
$$;

CREATE OR REPLACE FUNCTION reklam.job_update(id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs;
BEGIN
	PERFORM reklam.expect(body, '{title,description,priority,customer_id,
	    dealer_id,due_date}', 'no_field_to_update');
	PERFORM reklam.expect_not_blank(body, 'title', 'title_required');
	PERFORM reklam.expect_priority(body);
	job := reklam.locked_job(id, 'job_not_found');
	UPDATE jobs j
	   SET title = CASE WHEN body ? 'title'
	           THEN body ->> 'title' ELSE title END,
	       description = CASE WHEN body ? 'description'
	           THEN body ->> 'description' ELSE description END,
	       priority = CASE WHEN body ? 'priority'
	           THEN body ->> 'priority' ELSE priority END,
	       customer_id = CASE WHEN body ? 'customer_id'
	           THEN reklam.ident(body, 'customer_id') ELSE customer_id END,
	       dealer_id = CASE WHEN body ? 'dealer_id'
	           THEN reklam.ident(body, 'dealer_id') ELSE dealer_id END,
	       due_date = CASE WHEN body ? 'due_date'
	           THEN reklam.day(body, 'due_date') ELSE due_date END
	 WHERE j.id = job.id
	RETURNING * INTO job;
	RETURN reklam.reply(200, 'job_updated', json_build_object('data',
	    json_build_object('id', job.id, 'title', job.title)));
END
$$;

/*
 * The reason has several names.  When only a description is sent it is the
 * reason, as it always was; beside a reason it is the new description, and an
 * empty one clears it.  Null changes nothing, but for the due date.
 */
CREATE OR REPLACE FUNCTION reklam.job_revise(id uuid, body jsonb, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	job public.jobs;
	revised public.jobs;
	changes jsonb;
	reason text := coalesce(nullif(body ->> 'revision_reason', ''),
	    nullif(body ->> 'revision_description', ''),
	    nullif(body ->> 'reason', ''));
	described text := CASE WHEN body ->> 'job_description' IS NOT NULL
	        THEN 'job_description'
	    WHEN body ->> 'description' IS NOT NULL AND reason IS NOT NULL
	        THEN 'description' END;
BEGIN
	reason := coalesce(reason, nullif(body ->> 'description', ''));
	IF reklam.blank_null(reason) IS NULL THEN
		PERFORM reklam.refuse(400, 'revision_reason_required',
		    'revision_reason');
	END IF;
	IF body -> 'title' <> 'null' THEN
		PERFORM reklam.expect_not_blank(body, 'title', 'title_required');
	END IF;
	PERFORM reklam.expect_priority(body);
	job := reklam.locked_job(id, 'job_not_found');
	UPDATE jobs j
	   SET revision_no = coalesce(revision_no, 1) + 1,
	       title = coalesce(body ->> 'title', title),
	       priority = coalesce(body ->> 'priority', priority),
	       description = CASE WHEN described IS NULL THEN description
	           ELSE nullif(body ->> described, '') END,
	       due_date = CASE WHEN body ? 'due_date'
	           THEN reklam.day(body, 'due_date') ELSE due_date END
	 WHERE j.id = job.id
	RETURNING * INTO revised;

	SELECT coalesce(jsonb_object_agg(field,
	           jsonb_build_object('old', was, 'new', is_now)), '{}')
	  INTO changes
	  FROM (VALUES
	    ('title', job.title, revised.title),
	    ('description', coalesce(job.description, ''),
	        coalesce(revised.description, '')),
	    ('due_date', job.due_date::text, revised.due_date::text),
	    ('priority', coalesce(job.priority, 'normal'),
	        coalesce(revised.priority, 'normal'))
	  ) fields (field, was, is_now)
	 WHERE was IS DISTINCT FROM is_now;
	PERFORM reklam.audit(job.id, me, 'revision_created', jsonb_build_object(
	    'revision_no', revised.revision_no, 'revision_reason', reason,
	    'changes', changes));
	RETURN reklam.reply(201, 'revision_created|' || revised.revision_no,
	    json_build_object('data', json_build_object(
	        'revision_no', revised.revision_no)));
END
$$;
