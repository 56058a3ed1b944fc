-- Activates a draft: its first steps become ready.
SELECT status, message, body
  FROM reklam.job_activate(:'id'::uuid);
