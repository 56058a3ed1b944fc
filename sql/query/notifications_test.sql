-- Gives the asker six notifications to look at.
SELECT status, message, body
  FROM reklam.notifications_test(:'me'::uuid);
