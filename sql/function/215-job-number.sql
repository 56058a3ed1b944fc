-- Job numbers: TLP-<year>-<n>, n with four digits or more.

-- The highest n of a year among the jobs that there are.
CREATE OR REPLACE FUNCTION reklam.highest_job_number(year int)
RETURNS int
LANGUAGE sql STABLE
AS $$
SELECT coalesce(max(substring(job_number
           FROM '^TLP-[0-9]{4}-([0-9]{1,9})$')::int), 0)
  FROM jobs
 WHERE job_number LIKE 'TLP-' || year || '-%'
$$;

/*
 * The year's row stays locked until the transaction ends, so whoever comes
 * next gets the next number, or this one when it was rolled back.  A number
 * that somebody has given by hand is passed over.
 */
CREATE OR REPLACE FUNCTION reklam.next_job_number(today date)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	this_year int := extract(year FROM today);
	n int;
	name text;
BEGIN
	LOOP
		UPDATE reklam.job_numbers
		   SET last = last + 1
		 WHERE year = this_year
		RETURNING last INTO n;
		IF NOT FOUND THEN
			INSERT INTO reklam.job_numbers AS numbers (year, last)
			VALUES (this_year,
			    reklam.highest_job_number(this_year) + 1)
			    ON CONFLICT (year) DO UPDATE
			   SET last = numbers.last + 1
			RETURNING last INTO n;
		END IF;
		name := format('TLP-%s-%s', this_year,
		    lpad(n::text, greatest(4, length(n::text)), '0'));
		PERFORM FROM jobs WHERE job_number = name;
		EXIT WHEN NOT FOUND;
	END LOOP;
	RETURN name;
END
$$;
