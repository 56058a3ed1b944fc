-- Adds a process.
SELECT status, message, body
  FROM reklam.process_create(:'body'::jsonb);
