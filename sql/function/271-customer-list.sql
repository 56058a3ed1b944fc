/*
 * The customers of a list: the ids of one page by name, and how many there
 * are.  As for jobs (260-job-list.sql), only the conditions that are asked for
 * are in the statement, so that each question has a plan of its own.
 */
CREATE OR REPLACE FUNCTION reklam.customers_found(search text, city text,
    is_active boolean, page_offset bigint, page_limit bigint,
    OUT ids uuid[], OUT total bigint)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	pattern text := reklam.part(search);
	found text;
BEGIN
	found := concat_ws(' AND ', 'FROM customers c WHERE '
	    || CASE WHEN is_active IS FALSE THEN 'NOT c.is_active'
	       ELSE 'c.is_active' END,
	    CASE WHEN search IS NOT NULL THEN 'c.search_text LIKE $1' END,
	    CASE WHEN city IS NOT NULL
	        THEN 'reklam.fold(c.city) = reklam.fold($2)' END);
	EXECUTE 'SELECT count(*) ' || found INTO total USING pattern, city;
	EXECUTE 'SELECT array(SELECT c.id ' || found
	    || ' ORDER BY c.name, c.id LIMIT $3 OFFSET $4)'
	   INTO ids
	  USING pattern, city, page_limit, page_offset;
END
$$;
