-- How many notifications the asker has not read.
-- reads: notifications
SELECT json_build_object('data', json_build_object('count', count(*))) AS body
  FROM notifications
 WHERE user_id = :'me'::uuid
   AND NOT is_read;
