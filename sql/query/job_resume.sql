-- Takes a job off hold; it becomes what it was before.
SELECT status, message, body
  FROM reklam.job_resume(:'id'::uuid);
