-- Adds a customer.
SELECT status, message, body
  FROM reklam.customer_create(:'body'::jsonb);
