-- What a user's password is checked against.
-- reads: users
SELECT json_build_object('hash', password_hash) AS body
  FROM users
 WHERE id = :'user'::uuid;
