-- The customers that match, by name.
-- reads: customers
WITH found AS MATERIALIZED (
	SELECT *
	  FROM reklam.customers_found(:'search', :'city',
	           :'is_active'::boolean, coalesce(:'offset'::bigint, 0),
	           least(coalesce(:'limit'::bigint, 10000), 10000))
)
SELECT json_build_object('data', (
           SELECT coalesce(json_agg(reklam.customer_object(c)
                      ORDER BY place), '[]')
             FROM unnest(found.ids) WITH ORDINALITY page (id, place)
             JOIN customers c ON c.id = page.id)) AS body,
       total
  FROM found;
