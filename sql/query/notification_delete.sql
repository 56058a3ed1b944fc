-- Deletes one of the asker's notifications.
SELECT status, message, body
  FROM reklam.notification_delete(:'id'::uuid, :'me'::uuid);
