-- Sets the asker's own password; tokens issued until now end.
UPDATE users
   SET password_hash = :'hash'::text,
       tokens_valid_from = now()
 WHERE id = :'me'::uuid
   AND :'hash'::text IS NOT NULL
RETURNING 'password_changed' AS message, NULL::json AS body;
