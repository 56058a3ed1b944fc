-- Deletes a step that nobody has begun.
SELECT status, message, body
  FROM reklam.step_delete(:'id'::uuid);
