"""
reklam.counts is what a count would give, whoever writes and however many
write at once.
"""

import pytest

from cluster import OWNER
from process import FULL, run

pytestmark = pytest.mark.once

# What the two ways to count do not agree on.
DIFFERENCE = """
WITH kept AS (
    SELECT what, month, status, machine_id, sum(n) AS n
      FROM reklam.counts
     GROUP BY what, month, status, machine_id
    HAVING sum(n) <> 0
), counted AS (
    SELECT 'jobs' AS what, date_trunc('month', created_at)::date AS month,
           status::text, NULL::uuid AS machine_id, count(*)::numeric AS n
      FROM jobs
     GROUP BY 2, 3
    UNION ALL
    SELECT 'job_steps', NULL, NULL, NULL, count(*)
      FROM job_steps
    HAVING count(*) > 0
    UNION ALL
    SELECT 'completed', NULL, NULL, machine_id, count(*)
      FROM job_steps
     WHERE status = 'completed'
       AND machine_id IS NOT NULL
     GROUP BY machine_id
)
(TABLE kept EXCEPT TABLE counted)
UNION ALL
(TABLE counted EXCEPT TABLE kept)
"""

# One write in eight is of each kind; some touch many rows, some are undone.
WRITES = r"""
\set kind random(1, 8)
\set n random(1, 10000)
\if :kind = 1
INSERT INTO jobs (job_number, title, status, created_at)
SELECT 'R-' || gen_random_uuid(), 'x', s, now() - random() * interval '1 year'
  FROM unnest('{draft,active,completed}'::text[]) s
 LIMIT :n % 4;
\elif :kind = 2
DELETE FROM jobs
 WHERE id IN (SELECT id FROM jobs WHERE job_number LIKE 'R-%'
               ORDER BY random() LIMIT :n % 3 FOR UPDATE SKIP LOCKED);
\elif :kind = 3
UPDATE jobs
   SET status = (ARRAY['draft', 'active', 'on_hold', 'in_progress',
           'completed', 'canceled'])[1 + :n % 6]
 WHERE id IN (SELECT id FROM jobs OFFSET :n LIMIT :n % 5
                 FOR UPDATE SKIP LOCKED);
\elif :kind = 4
UPDATE jobs
   SET title = 'y', created_at = created_at - (:n % 2) * interval '20 days'
 WHERE id = (SELECT id FROM jobs OFFSET :n LIMIT 1 FOR UPDATE SKIP LOCKED);
\elif :kind = 7
UPDATE job_steps
   SET status = (ARRAY['ready', 'completed'])[1 + :n % 2]
 WHERE id IN (SELECT id FROM job_steps OFFSET :n LIMIT :n % 5
                 FOR UPDATE SKIP LOCKED);
\elif :kind = 8
UPDATE job_steps
   SET machine_id = (SELECT id FROM machines ORDER BY random() LIMIT :n % 2)
 WHERE id = (SELECT id FROM job_steps OFFSET :n LIMIT 1
                FOR UPDATE SKIP LOCKED);
\elif :kind = 5
INSERT INTO job_steps (job_id, process_id, order_index)
SELECT j.id, p.id, 100
  FROM (SELECT id FROM jobs OFFSET :n LIMIT 1 FOR KEY SHARE SKIP LOCKED) j,
       (SELECT id FROM processes LIMIT 2) p;
DELETE FROM job_steps
 WHERE id IN (SELECT id FROM job_steps OFFSET :n LIMIT :n % 3
                 FOR UPDATE SKIP LOCKED);
\else
BEGIN;
UPDATE jobs SET status = 'canceled'
 WHERE id = (SELECT id FROM jobs OFFSET :n LIMIT 1 FOR UPDATE SKIP LOCKED);
ROLLBACK;
\endif
"""


def differ(postgres, database):
    return postgres.psql(database, '-c', DIFFERENCE)


@pytest.mark.seconds(300)
def test_they_equal_a_count_after_writes_by_8_at_once(postgres, database):
    assert differ(postgres, database) == ''
    before = postgres.psql(database, '-c', 'TABLE reklam.counts')
    run(postgres.tool('pgbench'), '-n', '-c', 8, '-t', 1250 if FULL else 250, '-f', '-',
        postgres.url(database), input=WRITES)
    assert postgres.psql(database, '-c', 'TABLE reklam.counts') != before
    assert differ(postgres, database) == ''
    rows = postgres.psql(database, '-c', 'SELECT count(*) FROM reklam.counts')
    assert int(rows) < 2000     # folded now and then


def test_they_begin_anew_with_an_empty_table(postgres, database):
    postgres.psql(database, '-c', 'TRUNCATE jobs CASCADE')
    assert postgres.psql(database, '-c', 'TABLE reklam.counts') == ''
    assert differ(postgres, database) == ''


def test_they_are_there_for_what_was_written_past_triggers(postgres,
                                                           database):
    postgres.psql(database, '-c', '''SET session_replication_role = replica;
        UPDATE jobs SET status = 'draft' WHERE status = 'active' ''')
    assert differ(postgres, database) != ''
    postgres.psql(database, '-c', 'SELECT reklam.recount()', user=OWNER)
    assert differ(postgres, database) == ''
