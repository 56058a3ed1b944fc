-- Changes fields of a process.
SELECT status, message, body
  FROM reklam.process_update(:'id'::uuid, :'body'::jsonb);
