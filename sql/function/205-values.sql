-- Values of a body whose recorded rules no plain type has.

/*
 * A number, or text that is one; blank and "null" are null.  What cannot be
 * read, or lies outside, is refused with the text KEY_invalid.
 */
CREATE OR REPLACE FUNCTION reklam.amount(body jsonb, key text,
    low numeric, high numeric)
RETURNS numeric
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	t text := nullif(reklam.loose(body, key), 'null');
BEGIN
	IF length(t) > 40 OR t !~
	    '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$' OR
	    t::numeric NOT BETWEEN low AND high THEN
		PERFORM reklam.refuse(400, key || '_invalid', key);
	END IF;
	RETURN t::numeric;
END
$$;

-- A date or a time of the body, checked before; blank and "null" are null.
CREATE OR REPLACE FUNCTION reklam.day(body jsonb, key text)
RETURNS date
LANGUAGE sql STABLE
AS $$
SELECT nullif(reklam.loose(body, key), 'null')::date
$$;

CREATE OR REPLACE FUNCTION reklam.clock(body jsonb, key text)
RETURNS time
LANGUAGE sql STABLE
AS $$
SELECT nullif(reklam.loose(body, key), 'null')::time
$$;

-- A date that nobody checked: what is none counts as not given.
CREATE OR REPLACE FUNCTION reklam.day_if_any(body jsonb, key text)
RETURNS date
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN substring(reklam.loose(body, key)
	    FROM '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')::date;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;

-- An id of the body; blank is null.
CREATE OR REPLACE FUNCTION reklam.ident(body jsonb, key text)
RETURNS uuid
LANGUAGE sql STABLE
AS $$
SELECT reklam.loose(body, key)::uuid
$$;

-- Upper case as in codes: by Unicode, whatever the database's collation.
CREATE OR REPLACE FUNCTION reklam.code(t text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
SELECT upper(t COLLATE pg_catalog."und-x-icu")
$$;

-- Refuses a body that has none of these keys.
CREATE OR REPLACE FUNCTION reklam.expect(body jsonb, keys text[],
    text_name text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF NOT body ?| keys THEN
		PERFORM reklam.refuse(400, text_name);
	END IF;
END
$$;

-- Refuses a key that is there but blank.
CREATE OR REPLACE FUNCTION reklam.expect_not_blank(body jsonb, key text,
    text_name text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF body ? key AND reklam.loose(body, key) IS NULL THEN
		PERFORM reklam.refuse(400, text_name, key);
	END IF;
END
$$;
