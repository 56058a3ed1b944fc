-- Adds a note to a step.
SELECT status, message, body
  FROM reklam.step_note(:'id'::uuid, :'body'::jsonb, :'me'::uuid);
