-- Keeps two reklamctl migrate from running at once.
--
-- It is asked again and again rather than waited for: a statement that waits
-- would hold up the other's CREATE INDEX CONCURRENTLY, and that this one.
SELECT pg_try_advisory_lock(hashtext('reklamctl migrate')) AS locked;
