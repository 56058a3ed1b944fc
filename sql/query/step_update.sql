-- Changes fields of a step.
SELECT status, message, body
  FROM reklam.step_update(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
