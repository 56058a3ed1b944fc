-- Adds a dealer to a customer.
SELECT status, message, body
  FROM reklam.dealer_create(:'id'::uuid, :'body'::jsonb);
