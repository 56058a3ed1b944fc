-- Changes fields of a machine and what it can do.
SELECT status, message, body
  FROM reklam.machine_update(:'id'::uuid, :'body'::jsonb);
