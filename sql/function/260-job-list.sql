-- The order of priorities; the indexes of the list's orders use it.
CREATE OR REPLACE FUNCTION reklam.urgency(priority text)
RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT array_position('{low,normal,high,urgent}'::text[], priority)
$$;

/*
 * The jobs of a list: the ids of one page in order, and how many there are.
 *
 * The conditions that are asked for, and only they, are put together from the
 * fixed pieces below; values go in as parameters.  A statement with all of
 * them and "or not asked for" beside each has one plan for every question,
 * and that is to read the table.
 */
CREATE OR REPLACE FUNCTION reklam.jobs_found(
    search text, statuses text[], customer uuid, priority text,
    created_from timestamp, created_to date, overdue boolean, today date,
    assignee uuid, machine uuid, due_from date, due_to date,
    sort text, page_offset bigint, page_limit bigint,
    OUT ids uuid[], OUT total bigint)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	pattern text := reklam.part(search);
	customers uuid[];
	conditions text[];
	found text;
BEGIN
	conditions := array_remove(ARRAY[
	    CASE WHEN statuses IS NOT NULL THEN 'j.status = ANY ($2)' END,
	    CASE WHEN customer IS NOT NULL THEN 'j.customer_id = $3' END,
	    CASE WHEN priority IS NOT NULL THEN 'j.priority = $4' END,
	    CASE WHEN created_from IS NOT NULL THEN 'j.created_at >= $5' END,
	    CASE WHEN created_to IS NOT NULL THEN 'j.created_at < $6 + 1' END,
	    CASE WHEN overdue THEN 'j.due_date < $7 AND '
	        'j.status NOT IN (''completed'', ''canceled'')' END,
	    CASE WHEN assignee IS NOT NULL THEN 'j.id IN (SELECT job_id '
	        'FROM job_steps WHERE assigned_to = $8)' END,
	    CASE WHEN machine IS NOT NULL THEN 'j.id IN (SELECT job_id '
	        'FROM job_steps WHERE machine_id = $9)' END,
	    CASE WHEN due_from IS NOT NULL THEN 'j.due_date >= $10' END,
	    CASE WHEN due_to IS NOT NULL THEN 'j.due_date <= $11' END], NULL);
	IF search IS NOT NULL THEN
		-- A few customers are looked up in the index of their jobs, many
		-- in a table of them.
		SELECT array_agg(id) INTO customers
		  FROM (SELECT id
		          FROM public.customers
		         WHERE search_name LIKE pattern
		         LIMIT 1001) matching;
		conditions := conditions || ('(j.search_text LIKE $1'
		    || CASE WHEN customers IS NULL THEN ''
		       WHEN cardinality(customers) <= 1000
		           THEN ' OR j.customer_id = ANY ($12)'
		       ELSE ' OR j.customer_id IN (SELECT id FROM customers'
		           ' WHERE search_name LIKE $1)' END || ')');
	END IF;
	found := 'FROM jobs j WHERE '
	    || coalesce(nullif(array_to_string(conditions, ' AND '), ''), 'true');
	-- A condition that stands alone may have a shorter way to its total.
	EXECUTE CASE
	    WHEN cardinality(conditions) = num_nonnulls(statuses)
	        THEN 'SELECT coalesce(sum(n), 0) FROM reklam.counts'
	            ' WHERE what = ''jobs'''
	            ' AND ($2 IS NULL OR status = ANY ($2))'
	    WHEN cardinality(conditions) > 1 THEN 'SELECT count(*) ' || found
	    WHEN assignee IS NOT NULL
	        THEN 'SELECT count(DISTINCT job_id) FROM job_steps'
	            ' WHERE assigned_to = $8'
	    WHEN machine IS NOT NULL
	        THEN 'SELECT count(DISTINCT job_id) FROM job_steps'
	            ' WHERE machine_id = $9'
	    ELSE 'SELECT count(*) ' || found END
	   INTO total
	  USING pattern, statuses, customer, priority, created_from, created_to,
	        today, assignee, machine, due_from, due_to, customers;
	EXECUTE 'SELECT array(SELECT j.id ' || found || ' ORDER BY '
	    || CASE sort
	       WHEN 'created_at' THEN 'j.created_at, j.id'
	       WHEN 'due_date' THEN 'j.due_date, j.id'
	       WHEN '-due_date' THEN 'j.due_date DESC NULLS LAST, j.id DESC'
	       WHEN 'job_number' THEN 'j.job_number'
	       WHEN '-job_number' THEN 'j.job_number DESC'
	       WHEN 'priority' THEN 'reklam.urgency(j.priority), '
	           'j.created_at DESC, j.id DESC'
	       WHEN '-priority' THEN 'reklam.urgency(j.priority) DESC, '
	           'j.created_at DESC, j.id DESC'
	       ELSE 'j.created_at DESC, j.id DESC' END
	    || ' LIMIT $13 OFFSET $14)'
	   INTO ids
	  USING pattern, statuses, customer, priority, created_from, created_to,
	        today, assignee, machine, due_from, due_to, customers,
	        page_limit, page_offset;
END
$$;
