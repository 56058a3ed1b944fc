-- Adds a group of processes.
SELECT status, message, body
  FROM reklam.process_group_create(:'body'::jsonb);
