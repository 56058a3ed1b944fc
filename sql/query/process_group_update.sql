-- Changes fields of a group of processes.
SELECT status, message, body
  FROM reklam.process_group_update(:'id'::uuid, :'body'::jsonb);
