-- Reopens a completed step; the job has a new revision.
SELECT status, message, body
  FROM reklam.step_reopen(:'id'::uuid, :'body'::jsonb, :'me'::uuid,
           :'rights'::text[]);
