-- Tables for spreadsheets (RFC 4180).

/*
 * A cell.  Text that a spreadsheet would take for a formula gets an apostrophe
 * in front: what a customer is called must not run on somebody's computer.
 */
CREATE OR REPLACE FUNCTION reklam.cell(t text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
       WHEN t ~ '^[-=+@\t\r]' THEN '"''' || replace(t, '"', '""') || '"'
       WHEN t ~ '[",\r\n]' THEN '"' || replace(t, '"', '""') || '"'
       ELSE coalesce(t, '') END
$$;
