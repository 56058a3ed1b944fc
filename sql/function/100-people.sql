-- Who has which roles, and who may change that.

/*
 * The active roles of a user.  Somebody without a row in user_roles, from
 * before there were any, has the role that users.role names.
 */
CREATE OR REPLACE FUNCTION reklam.active_roles(user_id uuid)
RETURNS TABLE (id uuid, code varchar, name varchar, is_primary boolean)
LANGUAGE sql STABLE
AS $$
SELECT r.id, r.code, r.name, coalesce(ur.is_primary, false)
  FROM user_roles ur
  JOIN roles r ON r.id = ur.role_id
 WHERE ur.user_id = active_roles.user_id
   AND r.is_active
UNION ALL
SELECT r.id, r.code, r.name, true
  FROM users u
  JOIN roles r ON r.code = u.role
 WHERE u.id = active_roles.user_id
   AND r.is_active
   AND NOT EXISTS (SELECT FROM user_roles ur WHERE ur.user_id = u.id)
$$;

-- What there are rights to, named in some role or not.
CREATE OR REPLACE FUNCTION reklam.resources()
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ARRAY['jobs', 'customers', 'files', 'machines', 'processes', 'users',
           'reports', 'roles', 'dashboard', 'audit_logs', 'notifications']
$$;

-- A moment as a number that says it whole; 0 when there is none.
CREATE OR REPLACE FUNCTION reklam.microseconds(moment timestamptz)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce((extract(epoch FROM moment) * 1000000)::bigint, 0)
$$;

CREATE OR REPLACE FUNCTION reklam.is_manager(user_id uuid)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT EXISTS (SELECT FROM reklam.active_roles(user_id)
                WHERE code = 'yonetici')
$$;

/*
 * Whoever changes people or roles does so alone: what one of them checks, that
 * a manager remains, is still true when he has finished, and nobody waits for
 * somebody who waits for him.  There are few of them, and they are quick.
 */
CREATE OR REPLACE FUNCTION reklam.lock_people()
RETURNS void
LANGUAGE sql
AS $$
SELECT pg_advisory_xact_lock(hashtext('reklam people'))
$$;

-- After a change: is there still a manager who can log in?
CREATE OR REPLACE FUNCTION reklam.expect_manager()
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM
	  FROM users u
	 WHERE u.is_active
	   AND reklam.is_manager(u.id);
	IF NOT FOUND THEN
		PERFORM reklam.refuse(409, 'last_manager');
	END IF;
END
$$;

/*
 * What belongs to a manager only a manager may give, change or take: else a
 * right over people would be every right there is.
 */
CREATE OR REPLACE FUNCTION reklam.expect_above(rights text[], managers boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF managers AND NOT '*' = ANY (rights) THEN
		PERFORM reklam.refuse(403, 'forbidden');
	END IF;
END
$$;

-- The role of that code, for somebody who gives it to somebody.
CREATE OR REPLACE FUNCTION reklam.role_to_give(code text, rights text[])
RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
	found_id uuid;
BEGIN
	SELECT r.id INTO found_id
	  FROM roles r
	 WHERE r.code = role_to_give.code
	   FOR KEY SHARE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(400, 'field_invalid|role', 'role');
	END IF;
	PERFORM reklam.expect_above(rights, code = 'yonetici');
	RETURN found_id;
END
$$;
