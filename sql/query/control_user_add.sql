-- Makes a user with one role; no row when there is no such role.
WITH given AS (
	SELECT id, code
	  FROM roles
	 WHERE code = lower(:'role')),
added AS (
	INSERT INTO users (username, email, password_hash, full_name, role,
	    is_active)
	SELECT :'username', :'email', :'hash', nullif(:'full_name', ''), code,
	       true
	  FROM given
	RETURNING id),
assigned AS (
	INSERT INTO user_roles (user_id, role_id, is_primary)
	SELECT added.id, given.id, true
	  FROM added, given)
SELECT id
  FROM added;
