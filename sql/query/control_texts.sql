-- Copies the program's texts, so that notifications are stored in words.
WITH given AS (
	SELECT name, language, template
	  FROM json_to_recordset(:'texts'::json)
	           AS t (name text, language text, template text)),
gone AS (
	DELETE FROM reklam.texts t
	 WHERE NOT EXISTS (
	           SELECT FROM given g
	            WHERE g.name = t.name
	              AND g.language = t.language)),
record AS (
	INSERT INTO reklam.migrations (name, checksum)
	VALUES ('texts', :'checksum')
	    ON CONFLICT (name) DO UPDATE
	   SET checksum = excluded.checksum,
	       applied_at = now())
INSERT INTO reklam.texts (name, language, template)
SELECT name, language, template
  FROM given
    ON CONFLICT (name, language) DO UPDATE
   SET template = excluded.template;
