-- Parts of answers that many of them have.

-- A person in an answer; nobody is null.
CREATE OR REPLACE FUNCTION reklam.person(u public.users)
RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN u.id IS NOT NULL
       THEN json_build_object('id', u.id, 'name', u.full_name) END
$$;

-- How many percent of the steps are completed; a half goes to the even side,
-- as the old backend's did.
CREATE OR REPLACE FUNCTION reklam.progress(completed bigint, total bigint)
RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN total > 0
       THEN round(completed::float8 / total * 100)::int ELSE 0 END
$$;
