-- The list of what was applied.  `reklamctl migrate` runs this first.
SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS reklam;
CREATE TABLE IF NOT EXISTS reklam.migrations (
	name text PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE reklam.migrations ADD COLUMN IF NOT EXISTS checksum text;
