-- Which roles a user has, and which of them is the primary one.

/*
 * Makes one of the user's roles his primary one, and users.role its code; a
 * null takes his role from him.  First the old one ends, because at no time
 * may there be two.
 */
CREATE OR REPLACE FUNCTION reklam.user_roles_lead(user_id uuid, role_id uuid)
RETURNS void
LANGUAGE sql
AS $$
UPDATE user_roles ur
   SET is_primary = false
 WHERE ur.user_id = user_roles_lead.user_id
   AND ur.is_primary
   AND ur.role_id IS DISTINCT FROM user_roles_lead.role_id;
UPDATE user_roles ur
   SET is_primary = true
 WHERE ur.user_id = user_roles_lead.user_id
   AND ur.is_primary IS DISTINCT FROM true
   AND ur.role_id = user_roles_lead.role_id;
UPDATE users u
   SET role = (SELECT r.code FROM roles r
                WHERE r.id = user_roles_lead.role_id)
 WHERE u.id = user_roles_lead.user_id
$$;

-- Gives a user these roles and no others; those that he has stay as they are.
CREATE OR REPLACE FUNCTION reklam.user_roles_assign(user_id uuid, body jsonb,
    by uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	ids jsonb := body -> 'role_ids';
	lead text := coalesce(reklam.loose(body, 'primary_role_id'), ids ->> 0);
BEGIN
	IF coalesce(jsonb_array_length(ids), 0) = 0 THEN
		PERFORM reklam.refuse(400, 'role_ids_required', 'role_ids');
	END IF;
	PERFORM
	  FROM jsonb_array_elements_text(ids) id
	 WHERE id::uuid = lead::uuid;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(400, 'primary_role_invalid',
		    'primary_role_id');
	END IF;
	PERFORM reklam.lock_people();
	PERFORM
	  FROM users u
	 WHERE u.id = user_roles_assign.user_id
	   FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'user_not_found');
	END IF;
	PERFORM
	  FROM jsonb_array_elements_text(ids) given
	 WHERE NOT EXISTS (SELECT FROM roles r WHERE r.id = given::uuid);
	IF FOUND THEN
		PERFORM reklam.refuse(404, 'role_not_found');
	END IF;
	DELETE FROM user_roles ur
	 WHERE ur.user_id = user_roles_assign.user_id
	   AND ur.role_id NOT IN (
	           SELECT given::uuid FROM jsonb_array_elements_text(ids) given);
	-- Given at one time; created_at says in which order.
	INSERT INTO user_roles (user_id, role_id, is_primary, assigned_by,
	    created_at)
	SELECT user_roles_assign.user_id, given::uuid, false, by,
	       now() + min(place) * interval '1 microsecond'
	  FROM jsonb_array_elements_text(ids) WITH ORDINALITY list (given, place)
	 GROUP BY given::uuid
	    ON CONFLICT DO NOTHING;
	PERFORM reklam.user_roles_lead(user_id, lead::uuid);
	PERFORM reklam.expect_manager();
	RETURN reklam.reply(200, 'roles_assigned', NULL);
END
$$;

-- Of what remains, the oldest role becomes primary when the primary one goes.
CREATE OR REPLACE FUNCTION reklam.user_role_remove(user_id uuid, role_id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	was_primary boolean;
BEGIN
	PERFORM reklam.lock_people();
	PERFORM
	  FROM users u
	 WHERE u.id = user_role_remove.user_id
	   FOR NO KEY UPDATE;
	DELETE FROM user_roles ur
	 WHERE ur.user_id = user_role_remove.user_id
	   AND ur.role_id = user_role_remove.role_id
	RETURNING coalesce(is_primary, false) INTO was_primary;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'role_assignment_not_found');
	END IF;
	IF was_primary OR NOT EXISTS (
	    SELECT FROM user_roles ur
	     WHERE ur.user_id = user_role_remove.user_id) THEN
		PERFORM reklam.user_roles_lead(user_id, (
		    SELECT ur.role_id
		      FROM user_roles ur
		     WHERE ur.user_id = user_role_remove.user_id
		     ORDER BY ur.assigned_at, ur.created_at, ur.id
		     LIMIT 1));
	END IF;
	PERFORM reklam.expect_manager();
	RETURN reklam.reply(200, 'role_removed', NULL);
END
$$;

CREATE OR REPLACE FUNCTION reklam.user_role_lead(user_id uuid, role_id uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM reklam.lock_people();
	PERFORM
	  FROM users u
	 WHERE u.id = user_role_lead.user_id
	   FOR NO KEY UPDATE;
	PERFORM
	  FROM user_roles ur
	 WHERE ur.user_id = user_role_lead.user_id
	   AND ur.role_id = user_role_lead.role_id;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'role_assignment_not_found');
	END IF;
	PERFORM reklam.user_roles_lead(user_id, role_id);
	RETURN reklam.reply(200, 'primary_role_set', NULL);
END
$$;
