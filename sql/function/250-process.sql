-- Processes.

/*
 * Without a folder of its own a process keeps its files in one named like its
 * code.
 */
CREATE OR REPLACE FUNCTION reklam.process_create(body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made public.processes;
	code text := reklam.code(body ->> 'code');
BEGIN
	INSERT INTO processes (name, code, description, is_machine_based,
	    is_production, order_index, group_id, folder_name)
	VALUES (body ->> 'name', code, body ->> 'description',
	    coalesce(reklam.flag(body, 'is_machine_based'), false),
	    coalesce(reklam.flag(body, 'is_production'), false),
	    coalesce(trunc(reklam.amount(body, 'order_index',
	        -2147483648, 2147483647)), 0),
	    reklam.ident(body, 'group_id'),
	    CASE WHEN reklam.loose(body, 'folder_name') IS NULL THEN code
	    ELSE body ->> 'folder_name' END)
	RETURNING * INTO made;
	RETURN reklam.reply(201, 'process_created', json_build_object('data',
	    json_build_object('id', made.id, 'name', made.name,
	        'code', made.code)));
END
$$;

CREATE OR REPLACE FUNCTION reklam.process_update(id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	changed public.processes;
BEGIN
	IF body ? 'folder_name' AND
	    reklam.loose(body, 'folder_name') IS NULL THEN
		body := body - 'folder_name';
	END IF;
	PERFORM reklam.expect_not_blank(body, 'code', 'process_code_blank');
	PERFORM reklam.expect(body, '{name,description,is_machine_based,
	    is_production,order_index,group_id,is_active,code,folder_name}',
	    'no_field_to_update');
	PERFORM reklam.expect_not_blank(body, 'name', 'process_name_blank');
	UPDATE processes p
	   SET name = CASE WHEN body ? 'name'
	           THEN body ->> 'name' ELSE name END,
	       code = CASE WHEN body ? 'code'
	           THEN reklam.code(reklam.loose(body, 'code')) ELSE code END,
	       description = CASE WHEN body ? 'description'
	           THEN body ->> 'description' ELSE description END,
	       is_machine_based = coalesce(
	           reklam.flag(body, 'is_machine_based'), is_machine_based),
	       is_production = coalesce(
	           reklam.flag(body, 'is_production'), is_production),
	       is_active = coalesce(reklam.flag(body, 'is_active'), is_active),
	       order_index = CASE WHEN body ? 'order_index'
	           THEN trunc(reklam.amount(body, 'order_index',
	               -2147483648, 2147483647)) ELSE order_index END,
	       group_id = CASE WHEN body ? 'group_id'
	           THEN reklam.ident(body, 'group_id') ELSE group_id END,
	       folder_name = coalesce(
	           reklam.loose(body, 'folder_name'), folder_name)
	 WHERE p.id = process_update.id
	   AND p.deleted_at IS NULL
	RETURNING * INTO changed;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'process_not_found');
	END IF;
	RETURN reklam.reply(200, 'process_updated', json_build_object('data',
	    json_build_object('id', changed.id, 'name', changed.name)));
END
$$;

-- A deleted process stays for the jobs that have had it.  Deleting it again
-- is no mistake.
CREATE OR REPLACE FUNCTION reklam.process_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE processes p
	   SET deleted_at = coalesce(deleted_at, now()),
	       is_active = false
	 WHERE p.id = process_delete.id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'process_not_found');
	END IF;
	DELETE FROM machine_processes mp
	 WHERE mp.process_id = process_delete.id;
	RETURN reklam.reply(200, 'process_deleted', json_build_object('data',
	    json_build_object('id', process_delete.id)));
END
$$;

-- Groups of processes

CREATE OR REPLACE FUNCTION reklam.process_group_json(g public.process_groups)
RETURNS json
LANGUAGE sql STABLE
AS $$
SELECT json_build_object('data', json_build_object('id', g.id,
    'name', g.name, 'description', g.description, 'color', g.color,
    'order_index', coalesce(g.order_index, 0)))
$$;

CREATE OR REPLACE FUNCTION reklam.process_group_create(body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made public.process_groups;
BEGIN
	INSERT INTO process_groups (name, description, color, order_index)
	VALUES (reklam.loose(body, 'name'), reklam.loose(body, 'description'),
	    reklam.loose(body, 'color'), coalesce(trunc(reklam.amount(body,
	        'order_index', -2147483648, 2147483647)), 0))
	RETURNING * INTO made;
	RETURN reklam.reply(201, 'process_group_created',
	    reklam.process_group_json(made));
END
$$;

CREATE OR REPLACE FUNCTION reklam.process_group_update(id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	changed public.process_groups;
BEGIN
	PERFORM reklam.expect(body, '{name,description,color,order_index}',
	    'no_field_to_change');
	PERFORM reklam.expect_not_blank(body, 'name',
	    'process_group_name_blank');
	UPDATE process_groups g
	   SET name = CASE WHEN body ? 'name'
	           THEN reklam.loose(body, 'name') ELSE name END,
	       description = CASE WHEN body ? 'description'
	           THEN reklam.loose(body, 'description') ELSE description END,
	       color = CASE WHEN body ? 'color'
	           THEN reklam.loose(body, 'color') ELSE color END,
	       order_index = CASE WHEN body ? 'order_index'
	           THEN trunc(reklam.amount(body, 'order_index',
	               -2147483648, 2147483647)) ELSE order_index END
	 WHERE g.id = process_group_update.id
	RETURNING * INTO changed;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'process_group_not_found');
	END IF;
	RETURN reklam.reply(200, 'process_group_updated',
	    reklam.process_group_json(changed));
END
$$;

-- Its processes stay, without a group.
CREATE OR REPLACE FUNCTION reklam.process_group_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM
	   FROM process_groups g
	  WHERE g.id = process_group_delete.id
	    FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'process_group_not_found');
	END IF;
	UPDATE processes p
	   SET group_id = NULL
	 WHERE p.group_id = process_group_delete.id;
	DELETE FROM process_groups g
	 WHERE g.id = process_group_delete.id;
	RETURN reklam.reply(200, 'process_group_deleted', NULL);
END
$$;
