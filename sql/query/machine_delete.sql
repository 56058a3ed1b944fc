-- Takes a machine out of use.
SELECT status, message, body
  FROM reklam.machine_delete(:'id'::uuid);
