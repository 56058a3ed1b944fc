-- Notifications: everybody reads, marks and deletes his own.

CREATE OR REPLACE FUNCTION reklam.notification_read(id uuid, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM
	  FROM notifications n
	 WHERE n.id = notification_read.id
	   AND n.user_id = me
	   FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'notification_not_found');
	END IF;
	UPDATE notifications n
	   SET is_read = true
	 WHERE n.id = notification_read.id
	   AND n.is_read IS DISTINCT FROM true;
	RETURN reklam.reply(200, 'notification_was_read', NULL);
END
$$;

-- In the order of their ids, as everybody who locks more than one.
CREATE OR REPLACE FUNCTION reklam.notifications_read(me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	WITH unread AS MATERIALIZED (
		SELECT n.id
		  FROM notifications n
		 WHERE n.user_id = me
		   AND n.is_read IS DISTINCT FROM true
		 ORDER BY n.id
		   FOR NO KEY UPDATE
	)
	UPDATE notifications n
	   SET is_read = true
	  FROM unread
	 WHERE n.id = unread.id;
	RETURN reklam.reply(200, 'notifications_were_read', NULL);
END
$$;

CREATE OR REPLACE FUNCTION reklam.notification_delete(id uuid, me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM notifications n
	 WHERE n.id = notification_delete.id
	   AND n.user_id = me;
	IF NOT FOUND THEN
		PERFORM reklam.refuse(404, 'notification_not_found');
	END IF;
	RETURN reklam.reply(200, 'notification_deleted', NULL);
END
$$;

-- One of each kind, for whoever works on the client.
CREATE OR REPLACE FUNCTION reklam.notifications_test(me uuid)
RETURNS reklam.reply
LANGUAGE plpgsql
AS $$
DECLARE
	ids json;
BEGIN
	WITH made AS (
		INSERT INTO notifications (user_id, title, message, type,
		    ref_type, is_read, created_at)
		SELECT me, reklam.say('test_' || sample), reklam.say('test_'
		           || sample || '_about'), type, ref_type, sample =
		           'update', now() + place * interval '1 microsecond'
		  FROM (VALUES (1, 'welcome', 'info', NULL),
		               (2, 'done', 'success', NULL),
		               (3, 'attention', 'warning', NULL),
		               (4, 'failure', 'error', NULL),
		               (5, 'assigned', 'info', 'job'),
		               (6, 'update', 'success', NULL)
		       ) samples (place, sample, type, ref_type)
		 ORDER BY place
		RETURNING id
	)
	SELECT json_agg(id) INTO ids FROM made;
	RETURN reklam.reply(201, 'test_notifications_created',
	    json_build_object('created_ids', ids));
END
$$;
