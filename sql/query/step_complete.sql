-- Completes a step; what comes next becomes ready.
SELECT status, message, body
  FROM reklam.step_complete(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
