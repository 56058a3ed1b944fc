-- The customers that match as a table, at most 100,000.
-- reads: customers
WITH found AS MATERIALIZED (
	SELECT *
	  FROM reklam.customers_found(:'search', :'city',
	           :'is_active'::boolean, 0, 100000)
), lines AS (
	SELECT place, concat_ws(',',
	           reklam.cell(c.code),
	           reklam.cell(c.name),
	           reklam.cell(c.short_code),
	           reklam.cell(c.contact_person),
	           reklam.cell(c.phone),
	           reklam.cell(c.phone_secondary),
	           reklam.cell(c.gsm),
	           reklam.cell(c.email),
	           reklam.cell(c.address),
	           reklam.cell(c.city),
	           reklam.cell(c.postal_code),
	           reklam.cell(c.tax_office),
	           reklam.cell(c.tax_number),
	           coalesce(c.is_active, false),
	           reklam.cell(c.notes)) || E'\r\n' AS line
	  FROM found, unnest(found.ids) WITH ORDINALITY page (id, place)
	  JOIN customers c ON c.id = page.id
)
SELECT U&'\FEFF' || 'code,name,short_code,contact_person,phone,'
           'phone_secondary,gsm,email,address,city,postal_code,tax_office,'
           'tax_number,is_active,notes' || E'\r\n'
           || coalesce((SELECT string_agg(line, '' ORDER BY place)
                          FROM lines), '') AS body,
       'text/csv; charset=utf-8' AS type,
       total
  FROM found;
