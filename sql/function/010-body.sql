-- Small helpers that the other functions and the statements share.

-- What a function that changes something answers with.
DO $$
BEGIN
	CREATE TYPE reklam.reply AS (status int, message text, body json);
EXCEPTION WHEN duplicate_object THEN
	NULL;
END
$$;

/*
 * Ends the transaction with an HTTP status and the name of a text, after which
 * its arguments may follow: reklam.refuse(409, 'revision_exists|5').
 */
CREATE OR REPLACE FUNCTION reklam.refuse(status int, name text,
    field text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF field IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'PT' || status, MESSAGE = name;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'PT' || status, MESSAGE = name,
	    COLUMN = field;
END
$$;

-- Text without the white space around it, or null when nothing is left.
CREATE OR REPLACE FUNCTION reklam.blank_null(t text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT nullif(btrim(t, U&' \0009\000A\000B\000C\000D\0085\00A0\2007\2028\2029\202F\3000'), '')
$$;

-- A scalar of the body as trimmed text: 555 is "555"; blank is null.
CREATE OR REPLACE FUNCTION reklam.loose(body jsonb, key text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT reklam.blank_null(body ->> key)
$$;

/*
 * A yes or no: true and false as they are, a number when it is not 0, text
 * when it is one of 1, true, yes, on.  Missing and null are null.
 */
CREATE OR REPLACE FUNCTION reklam.flag(body jsonb, key text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE jsonb_typeof(body -> key)
       WHEN 'boolean' THEN (body -> key)::boolean
       WHEN 'number' THEN (body -> key)::numeric <> 0
       WHEN 'string' THEN
           lower(btrim(body ->> key)) IN ('1', 'true', 'yes', 'on')
       WHEN 'null' THEN NULL
       ELSE (body -> key) NOT IN ('[]', '{}')
       END
$$;

-- The same where only the word counts: 2 is none of them.
CREATE OR REPLACE FUNCTION reklam.worded_flag(body jsonb, key text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT lower(btrim(body ->> key)) IN ('1', 'true', 'yes', 'on')
$$;

-- Is there something: not missing, null, false, 0, "", [] or {}?
CREATE OR REPLACE FUNCTION reklam.given(body jsonb, key text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce((body -> key) NOT IN ('null', 'false', '0', '""', '[]', '{}'),
           false)
$$;

-- Does the asker's list of rights contain this one?
CREATE OR REPLACE FUNCTION reklam.may(rights text[], needed text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce(rights && ARRAY[needed, '*'], false)
$$;
