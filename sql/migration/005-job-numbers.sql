-- The last job number of each year, so that no two jobs get the same.
CREATE TABLE IF NOT EXISTS reklam.job_numbers (
	year integer PRIMARY KEY,
	last integer NOT NULL
);
