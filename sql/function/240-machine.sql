-- Machines and what they can do.

-- Links the machine to these processes and no others.
CREATE OR REPLACE FUNCTION reklam.machine_link(machine_id uuid, ids jsonb)
RETURNS void
LANGUAGE sql
AS $$
DELETE FROM machine_processes mp
 WHERE mp.machine_id = machine_link.machine_id
   AND NOT ids ? mp.process_id::text;
INSERT INTO machine_processes (machine_id, process_id)
SELECT machine_link.machine_id, id::uuid
  FROM jsonb_array_elements_text(ids) id
 ORDER BY id
    ON CONFLICT DO NOTHING
$$;

CREATE OR REPLACE FUNCTION reklam.machine_create(body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made public.machines;
BEGIN
	INSERT INTO machines (name, code, type, status, location,
	    capacity_per_hour, notes)
	VALUES (body ->> 'name', reklam.code(body ->> 'code'), body ->> 'type',
	    coalesce(reklam.loose(body, 'status'), 'active'),
	    body ->> 'location',
	    reklam.amount(body, 'capacity_per_hour', 0, 99999999.99),
	    body ->> 'notes')
	RETURNING * INTO made;
	IF jsonb_typeof(body -> 'process_ids') = 'array' THEN
		PERFORM reklam.machine_link(made.id, body -> 'process_ids');
	END IF;
	RETURN reklam.reply(201, 'machine_created', json_build_object('data',
	    json_build_object('id', made.id, 'name', made.name,
	        'code', made.code)));
END
$$;

-- A body without a known key changes nothing, and is no mistake.
CREATE OR REPLACE FUNCTION reklam.machine_update(id uuid, body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM reklam.expect_not_blank(body, 'name', 'machine_name_blank');
	PERFORM reklam.expect_not_blank(body, 'status', 'field_invalid|status');
	PERFORM FROM machines m WHERE m.id = machine_update.id FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'machine_not_found');
	END IF;
	IF body ?| '{name,type,status,location,capacity_per_hour,notes}' THEN
		UPDATE machines m
		   SET name = CASE WHEN body ? 'name'
		           THEN body ->> 'name' ELSE name END,
		       type = CASE WHEN body ? 'type'
		           THEN body ->> 'type' ELSE type END,
		       status = CASE WHEN body ? 'status'
		           THEN body ->> 'status' ELSE status END,
		       location = CASE WHEN body ? 'location'
		           THEN body ->> 'location' ELSE location END,
		       capacity_per_hour = CASE WHEN body ? 'capacity_per_hour'
		           THEN reklam.amount(body, 'capacity_per_hour',
		               0, 99999999.99) ELSE capacity_per_hour END,
		       notes = CASE WHEN body ? 'notes'
		           THEN body ->> 'notes' ELSE notes END
		 WHERE m.id = machine_update.id;
	END IF;
	IF jsonb_typeof(body -> 'process_ids') = 'array' THEN
		PERFORM reklam.machine_link(id, body -> 'process_ids');
	END IF;
	RETURN reklam.reply(200, 'machine_updated', NULL);
END
$$;

CREATE OR REPLACE FUNCTION reklam.machine_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE machines m
	   SET is_active = false
	 WHERE m.id = machine_delete.id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'machine_not_found');
	END IF;
	RETURN reklam.reply(200, 'machine_deleted', NULL);
END
$$;
