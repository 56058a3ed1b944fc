-- Pauses a step, with a reason.
SELECT status, message, body
  FROM reklam.step_pause(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
