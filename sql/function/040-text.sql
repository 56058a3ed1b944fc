-- Words for what is stored: notifications.

/*
 * The text of that name in the language of the setting reklam.lang, with the
 * arguments in place of {1}, {2} …  A null argument stands as nothing.  The
 * arguments are put in together, so that a {2} inside the first one stays.
 * A text that is missing is its name: nothing fails for want of words.
 */
CREATE OR REPLACE FUNCTION reklam.say(name text,
    VARIADIC arguments text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT coalesce(string_agg(
           CASE WHEN part[2] IS NULL THEN part[1]
           ELSE part[1] || coalesce(arguments[part[2]::int], '') END,
           '' ORDER BY place), say.name)
  FROM reklam.texts t,
       regexp_matches(t.template || '{0}', '(.*?)\{(\d)\}', 'g')
           WITH ORDINALITY parts (part, place)
 WHERE t.name = say.name
   AND t.language = coalesce(
           nullif(current_setting('reklam.lang', true), ''), 'en')
$$;
