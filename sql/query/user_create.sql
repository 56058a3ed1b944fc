-- Adds a user.
SELECT status, message, body
  FROM reklam.user_create(:'body'::jsonb, :'hash'::text, :'rights'::text[]);
