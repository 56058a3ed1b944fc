-- Marks all notifications of the asker as read.
SELECT status, message, body
  FROM reklam.notifications_read(:'me'::uuid);
