-- Stores a password's stronger hash, unless the password has changed meanwhile.
UPDATE users
   SET password_hash = :'hash'::text
 WHERE id = :'id'::uuid
   AND password_hash = :'old'::text
RETURNING id;
