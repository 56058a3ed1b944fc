-- Changes fields of a customer.
SELECT status, message, body
  FROM reklam.customer_update(:'id'::uuid, :'body'::jsonb);
