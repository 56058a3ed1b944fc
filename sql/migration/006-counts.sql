-- How many jobs there are by the month they were made in and their status, and
-- how many steps: the sum of n.  The functions fill it and keep it.
CREATE TABLE IF NOT EXISTS reklam.counts (
	what text NOT NULL,
	month date,
	status text,
	n bigint NOT NULL);
