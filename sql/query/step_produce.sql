-- Adds to what a step has produced.
SELECT status, message, body
  FROM reklam.step_produce(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
