-- The dealers of a customer, by name.
-- reads: customers, customer_dealers
SELECT json_build_object('data', (
           SELECT coalesce(json_agg(reklam.dealer_object(d)
                      ORDER BY d.name, d.id), '[]')
             FROM (SELECT *
                     FROM customer_dealers
                    WHERE customer_id = c.id
                    ORDER BY name, id
                    LIMIT least(coalesce(:'limit'::int, 10000), 10000)
                   OFFSET coalesce(:'offset'::int, 0)) d)) AS body,
       (SELECT count(*)
          FROM customer_dealers
         WHERE customer_id = c.id) AS total
  FROM customers c
 WHERE c.id = :'id'::uuid;
