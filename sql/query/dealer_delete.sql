-- Deletes a dealer.
SELECT status, message, body
  FROM reklam.dealer_delete(:'id'::uuid, :'dealer_id'::uuid);
