-- Deactivates a user, but not the last active manager; `done` says which.
WITH managers AS (
	SELECT u.id
	  FROM users u
	 WHERE u.is_active
	   AND CASE WHEN EXISTS (
	                SELECT FROM user_roles
	                 WHERE user_id = u.id)
	       THEN EXISTS (
	                SELECT FROM user_roles ur
	                  JOIN roles r ON r.id = ur.role_id
	                 WHERE ur.user_id = u.id
	                   AND r.is_active
	                   AND r.code = 'yonetici')
	       ELSE u.role = 'yonetici' END),
meant AS (
	SELECT id,
	       id NOT IN (SELECT id FROM managers)
	           OR (SELECT count(*) FROM managers) > 1 AS may
	  FROM users
	 WHERE username = :'username'),
changed AS (
	UPDATE users u
	   SET is_active = false
	  FROM meant
	 WHERE u.id = meant.id
	   AND meant.may
	RETURNING u.id)
SELECT meant.id, meant.may AS done
  FROM meant
  LEFT JOIN changed USING (id);
