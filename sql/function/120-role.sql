-- Roles: what each of them may do, and which processes it is shown.

/*
 * The rights of a body: resource → {can_view, can_create, can_update,
 * can_delete}.  A flag that is missing is no; a resource that is not mentioned
 * stays as it is.
 */
CREATE OR REPLACE FUNCTION reklam.role_allow(role uuid, permissions jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM
	  FROM jsonb_each(permissions) p (resource, flags)
	 WHERE jsonb_typeof(flags) <> 'object'
	    OR resource !~ '^[[:alnum:]_ -]{1,100}$';
	IF FOUND OR (SELECT count(*) > 64 FROM jsonb_each(permissions)) THEN
		PERFORM reklam.refuse(400, 'field_invalid|permissions',
		    'permissions');
	END IF;
	INSERT INTO role_permissions AS p (role_id, resource, can_view,
	    can_create, can_update, can_delete)
	SELECT role, resource,
	       coalesce(reklam.flag(flags, 'can_view'), false),
	       coalesce(reklam.flag(flags, 'can_create'), false),
	       coalesce(reklam.flag(flags, 'can_update'), false),
	       coalesce(reklam.flag(flags, 'can_delete'), false)
	  FROM jsonb_each(permissions) given (resource, flags)
	 ORDER BY resource
	    ON CONFLICT (role_id, resource) DO UPDATE
	   SET can_view = excluded.can_view,
	       can_create = excluded.can_create,
	       can_update = excluded.can_update,
	       can_delete = excluded.can_delete;
END
$$;

-- Shows the role these processes and no others; null is none.
CREATE OR REPLACE FUNCTION reklam.role_show(role_id uuid, ids jsonb)
RETURNS void
LANGUAGE sql
AS $$
DELETE FROM role_process_permissions p
 WHERE p.role_id = role_show.role_id
   AND NOT (jsonb_typeof(ids) = 'array' AND ids ? p.process_id::text);
INSERT INTO role_process_permissions (role_id, process_id, can_view)
SELECT DISTINCT role_show.role_id, id::uuid, true
  FROM jsonb_array_elements_text(
           CASE WHEN jsonb_typeof(ids) = 'array' THEN ids ELSE '[]' END) id
 ORDER BY 2
    ON CONFLICT (role_id, process_id) DO UPDATE
   SET can_view = true
$$;

CREATE OR REPLACE FUNCTION reklam.role_create(body jsonb)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	made public.roles;
BEGIN
	PERFORM reklam.lock_people();
	INSERT INTO roles (name, code, description)
	VALUES (body ->> 'name',
	    lower((body ->> 'code') COLLATE pg_catalog."und-x-icu"),
	    body ->> 'description')
	RETURNING * INTO made;
	IF jsonb_typeof(body -> 'permissions') = 'object' THEN
		PERFORM reklam.role_allow(made.id, body -> 'permissions');
	END IF;
	PERFORM reklam.role_show(made.id, body -> 'process_permissions');
	RETURN reklam.reply(201, 'role_created', json_build_object('data',
	    json_build_object('id', made.id, 'name', made.name)));
END
$$;

/*
 * Nobody but a manager changes the managers' role, or one that he has himself:
 * it would give him what he lacks.
 */
CREATE OR REPLACE FUNCTION reklam.role_update(id uuid, body jsonb, me uuid,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	is_managers boolean;
BEGIN
	PERFORM reklam.lock_people();
	SELECT r.code = 'yonetici' INTO is_managers
	  FROM roles r
	 WHERE r.id = role_update.id
	   FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'role_not_found');
	END IF;
	PERFORM reklam.expect_above(rights, is_managers OR EXISTS (
	    SELECT
	      FROM reklam.active_roles(me) held
	     WHERE held.id = role_update.id));
	IF body ?| '{name,description}' THEN
		UPDATE roles r
		   SET name = coalesce(body ->> 'name', name),
		       description = CASE WHEN body ? 'description'
		           THEN body ->> 'description' ELSE description END
		 WHERE r.id = role_update.id;
	END IF;
	IF jsonb_typeof(body -> 'permissions') = 'object' THEN
		PERFORM reklam.role_allow(id, body -> 'permissions');
	END IF;
	IF body ? 'process_permissions' THEN
		PERFORM reklam.role_show(id, body -> 'process_permissions');
	END IF;
	RETURN reklam.reply(200, 'role_updated', NULL);
END
$$;

-- The program itself names two of them: managers, and what a new user is.
CREATE OR REPLACE FUNCTION reklam.role_delete(id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	its_code text;
BEGIN
	PERFORM reklam.lock_people();
	SELECT r.code INTO its_code
	  FROM roles r
	 WHERE r.id = role_delete.id
	   FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'role_not_found');
	END IF;
	PERFORM
	  FROM user_roles ur
	 WHERE ur.role_id = role_delete.id
	UNION ALL
	SELECT
	  FROM users u
	 WHERE u.role = its_code
	   AND NOT EXISTS (SELECT FROM user_roles ur WHERE ur.user_id = u.id);
	IF FOUND THEN
		PERFORM reklam.refuse(400, 'role_in_use');
	END IF;
	IF its_code IN ('yonetici', 'operator') THEN
		PERFORM reklam.refuse(409, 'role_needed');
	END IF;
	DELETE FROM roles r WHERE r.id = role_delete.id;
	RETURN reklam.reply(200, 'role_deleted', NULL);
END
$$;
