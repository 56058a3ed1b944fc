-- Sets a user's password and ends the tokens issued until now.
UPDATE users
   SET password_hash = :'hash',
       tokens_valid_from = now()
 WHERE username = :'username'
RETURNING id;
