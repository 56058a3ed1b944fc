-- Archives a customer.
SELECT status, message, body
  FROM reklam.customer_delete(:'id'::uuid);
