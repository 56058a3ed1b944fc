-- Users.

CREATE OR REPLACE FUNCTION reklam.expect_email(body jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF body ->> 'email' !~ '^[^@[:space:]]+@[^@[:space:]]+$' THEN
		PERFORM reklam.refuse(400, 'email_invalid', 'email');
	END IF;
END
$$;

/*
 * The new user's role is in users.role alone: a row of user_roles comes with
 * the first assignment.
 */
CREATE OR REPLACE FUNCTION reklam.user_create(body jsonb, hash text,
    rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	code text := coalesce(reklam.loose(body, 'role'), 'operator');
	made public.users;
BEGIN
	IF hash IS NULL THEN
		PERFORM reklam.refuse(400, 'user_fields_required', 'password');
	END IF;
	PERFORM reklam.expect_email(body);
	PERFORM reklam.role_to_give(code, rights);
	INSERT INTO users (username, email, password_hash, full_name, role)
	VALUES (body ->> 'username', body ->> 'email', hash,
	    body ->> 'full_name', code)
	RETURNING * INTO made;
	RETURN reklam.reply(201, 'user_created', json_build_object('data',
	    json_build_object('id', made.id, 'username', made.username,
	        'full_name', made.full_name, 'avatar_url', made.avatar_url,
	        'avatar_file_id', made.avatar_file_id)));
END
$$;

/*
 * Gives a user this role in place of his primary one.  Who has no row in
 * user_roles gets none: users.role is his role.
 */
CREATE OR REPLACE FUNCTION reklam.user_role_replace(person uuid, new_role uuid,
    by uuid)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM user_roles ur WHERE ur.user_id = person;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	DELETE FROM user_roles ur
	 WHERE ur.user_id = person
	   AND ur.is_primary
	   AND ur.role_id <> new_role;
	INSERT INTO user_roles (user_id, role_id, is_primary, assigned_by)
	VALUES (person, new_role, true, by)
	    ON CONFLICT (user_id, role_id) DO UPDATE
	   SET is_primary = true;
END
$$;

-- Hashing takes its time: a password that was changed after it was checked is
-- left as it is.
CREATE OR REPLACE FUNCTION reklam.password_change(me uuid, hash text, old text)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE users u
	   SET password_hash = hash,
	       tokens_valid_from = now()
	 WHERE u.id = me
	   AND u.password_hash = old;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(409, 'password_changed_meanwhile');
	END IF;
	RETURN reklam.reply(200, 'password_changed', NULL);
END
$$;

-- Everybody may change his own name; for more it takes a right.
CREATE OR REPLACE FUNCTION reklam.user_update(id uuid, body jsonb, hash text,
    me uuid, rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	known text[] := '{full_name,email,role,is_active,avatar_url,'
	    'avatar_file_id}';
	active boolean := reklam.flag(body, 'is_active');
	code text := reklam.loose(body, 'role');
	made public.users;
BEGIN
	IF NOT reklam.may(rights, 'users.update') AND (id IS DISTINCT FROM me OR
	    hash IS NOT NULL OR body ?| array_remove(known, 'full_name')) THEN
		PERFORM reklam.refuse(403, 'forbidden');
	END IF;
	IF hash IS NULL AND reklam.given(body, 'password') THEN
		PERFORM reklam.refuse(400, 'field_invalid|password', 'password');
	END IF;
	IF hash IS NULL AND NOT body ?| known THEN
		PERFORM reklam.refuse(400, 'no_field_to_update');
	END IF;
	IF body ? 'role' AND code IS NULL THEN
		PERFORM reklam.refuse(400, 'field_invalid|role', 'role');
	END IF;
	PERFORM reklam.expect_email(body);
	PERFORM reklam.lock_people();
	PERFORM FROM users u WHERE u.id = user_update.id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'user_not_found');
	END IF;
	PERFORM reklam.expect_above(rights,
	    id IS DISTINCT FROM me AND reklam.is_manager(id));
	IF NOT active AND id = me THEN
		PERFORM reklam.refuse(409, 'user_is_self');
	END IF;
	IF code IS NOT NULL THEN
		PERFORM reklam.user_role_replace(id,
		    reklam.role_to_give(code, rights), me);
	END IF;
	UPDATE users u
	   SET full_name = CASE WHEN body ? 'full_name'
	           THEN body ->> 'full_name' ELSE full_name END,
	       email = coalesce(body ->> 'email', email),
	       role = coalesce(code, role),
	       is_active = coalesce(active, is_active),
	       avatar_url = CASE WHEN body ? 'avatar_url'
	           THEN body ->> 'avatar_url' ELSE avatar_url END,
	       avatar_file_id = CASE WHEN body ? 'avatar_file_id'
	           THEN reklam.ident(body, 'avatar_file_id')
	           ELSE avatar_file_id END,
	       password_hash = coalesce(hash, password_hash),
	       tokens_valid_from = CASE WHEN hash IS NOT NULL OR NOT active
	           THEN now() ELSE tokens_valid_from END
	 WHERE u.id = user_update.id
	RETURNING * INTO made;
	IF NOT active OR code <> 'yonetici' THEN
		PERFORM reklam.expect_manager();
	END IF;
	RETURN reklam.reply(200, 'user_updated', json_build_object('data',
	    json_build_object('id', made.id, 'username', made.username,
	        'full_name', made.full_name)));
END
$$;

CREATE OR REPLACE FUNCTION reklam.user_delete(id uuid, me uuid, rights text[])
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM reklam.lock_people();
	PERFORM FROM users u WHERE u.id = user_delete.id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'user_not_found');
	END IF;
	IF id = me THEN
		PERFORM reklam.refuse(409, 'user_is_self');
	END IF;
	PERFORM reklam.expect_above(rights, reklam.is_manager(id));
	UPDATE users u
	   SET is_active = false,
	       tokens_valid_from = now()
	 WHERE u.id = user_delete.id
	   AND u.is_active IS DISTINCT FROM false;
	PERFORM reklam.expect_manager();
	RETURN reklam.reply(200, 'user_deleted', NULL);
END
$$;
