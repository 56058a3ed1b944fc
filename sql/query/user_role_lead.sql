-- Makes one of a user's roles his primary one.
SELECT status, message, body
  FROM reklam.user_role_lead(:'id'::uuid, :'role_id'::uuid);
