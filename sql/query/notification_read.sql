-- Marks one of the asker's notifications as read.
SELECT status, message, body
  FROM reklam.notification_read(:'id'::uuid, :'me'::uuid);
