-- How many steps were completed on each machine: what = 'completed'.
ALTER TABLE reklam.counts
	ADD COLUMN IF NOT EXISTS machine_id uuid;
