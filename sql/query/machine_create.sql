-- Adds a machine.
SELECT status, message, body
  FROM reklam.machine_create(:'body'::jsonb);
