-- Sets the asker's own password, unless it is no longer the one that was
-- checked; tokens issued until now end.
SELECT status, message, body
  FROM reklam.password_change(:'me'::uuid, :'hash'::text, :'old'::text);
