-- Changes fields of a dealer.
SELECT status, message, body
  FROM reklam.dealer_update(:'id'::uuid, :'dealer_id'::uuid, :'body'::jsonb);
