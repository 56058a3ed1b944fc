-- The customers that match, by name.
-- reads: customers
WITH found AS MATERIALIZED (
	SELECT id, name
	  FROM customers
	 WHERE is_active = coalesce(:'is_active'::boolean, true)
	   AND (:'search'::text IS NULL OR search_text LIKE
	           (SELECT reklam.part(:'search'::text)))
	   AND (:'city'::text IS NULL OR reklam.fold(city) = reklam.fold(:'city'::text))
), page AS (
	SELECT id
	  FROM found
	 ORDER BY name, id
	 LIMIT least(coalesce(:'limit'::int, 10000), 10000)
	OFFSET coalesce(:'offset'::int, 0)
)
SELECT json_build_object('data', coalesce(json_agg(reklam.customer_object(c)
           ORDER BY c.name, c.id), '[]')) AS body,
       (SELECT count(*) FROM found) AS total
  FROM page
  JOIN customers c ON c.id = page.id;
