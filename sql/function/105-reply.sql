-- What a function that changes something answers with, made: a row of plain
-- constants would not do, because their type is unknown.
CREATE OR REPLACE FUNCTION reklam.reply(status int, message text, body json)
RETURNS reklam.reply
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT status, message, body
$$;
