-- One customer with its dealers.
-- reads: customers, customer_dealers
SELECT json_build_object('data', reklam.customer_object(c)
           || jsonb_build_object('dealers', reklam.dealers_of(c.id))) AS body
  FROM customers c
 WHERE c.id = :'id'::uuid;
