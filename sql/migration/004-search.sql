-- Searching by a part of a word, whatever the case of its letters.
SET client_min_messages = warning;

/*
 * The text with the case of its letters taken away, also of the Turkish ones:
 * I, İ, ı and i are one letter, so that "ışık" finds "IŞIK" and "istanbul"
 * finds "İstanbul", written with one character or with a dot above that
 * follows the i.  The collation is named so that the result does not depend
 * on the database's.  Columns are made of it: whoever changes it has to make
 * those anew, which is why it stands in a migration.
 */
CREATE OR REPLACE FUNCTION reklam.fold(t text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
SELECT lower(translate(t, U&'I\0130\0131\0307', 'iii')
    COLLATE pg_catalog."und-x-icu")
$$;

/*
 * What to compare a folded column with to find `t` in it.  In `t` % and _ are
 * letters; a null t finds everything.  A subselect makes it once instead of
 * once a row:  WHERE search_text LIKE (SELECT reklam.part(:'search'))
 */
CREATE OR REPLACE FUNCTION reklam.part(t text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT '%' || coalesce(regexp_replace(reklam.fold(t), '([\\%_])', '\\\1', 'g'),
    '') || '%'
$$;

-- The columns are stored because an index of trigrams only suggests rows: at
-- 200,000 jobs to fold each of them again took most of the time of a search.
ALTER TABLE public.jobs
	ADD COLUMN IF NOT EXISTS search_text text GENERATED ALWAYS AS (
	    reklam.fold(title || E'\n' || job_number)) STORED;
ALTER TABLE public.customers
	ADD COLUMN IF NOT EXISTS search_text text GENERATED ALWAYS AS (
	    reklam.fold(name || E'\n' || coalesce(code, '') || E'\n'
	    || coalesce(email, '') || E'\n' || coalesce(phone, ''))) STORED,
	ADD COLUMN IF NOT EXISTS search_name text GENERATED ALWAYS AS (
	    reklam.fold(name)) STORED;
