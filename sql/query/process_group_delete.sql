-- Deletes a group; its processes stay, without one.
SELECT status, message, body
  FROM reklam.process_group_delete(:'id'::uuid);
