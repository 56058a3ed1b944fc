-- Changes fields of a user; one's own name without a right.
SELECT status, message, body
  FROM reklam.user_update(:'id'::uuid, :'body'::jsonb, :'hash'::text,
           :'me'::uuid, :'rights'::text[]);
