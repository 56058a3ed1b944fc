-- Records one file, in its own transaction: `reklamctl migrate` gives psql the
-- name and the checksum.
INSERT INTO reklam.migrations (name, checksum)
VALUES (:'migration', :'checksum')
    ON CONFLICT (name) DO UPDATE
   SET checksum = excluded.checksum,
       applied_at = now();
