-- Searching by a part of a word, whatever the case of its letters.

/*
 * The text with the case of its letters taken away, also of the Turkish ones:
 * I, İ, ı and i are one letter, so that "ışık" finds "IŞIK" and "istanbul"
 * finds "İstanbul", written with one character or with a dot above that
 * follows the i.  The collation is named so that the result does not depend
 * on the database's: indexes are made of it.  For the same reason the
 * function may not change without making those anew.
 */
CREATE OR REPLACE FUNCTION reklam.fold(t text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
SELECT lower(translate(t, U&'I\0130\0131\0307', 'iii')
    COLLATE pg_catalog."und-x-icu")
$$;

/*
 * What to compare folded text with to find `t` in it; null finds everything:
 *     WHERE reklam.fold(title) LIKE reklam.part(:'search')
 * In `t` % and _ are letters.
 */
CREATE OR REPLACE FUNCTION reklam.part(t text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT '%' || coalesce(regexp_replace(reklam.fold(t), '([\\%_])', '\\\1', 'g'),
    '') || '%'
$$;
