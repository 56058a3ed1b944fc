-- Archives a process; machines no longer do it.
SELECT status, message, body
  FROM reklam.process_delete(:'id'::uuid);
