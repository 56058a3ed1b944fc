"""What benchmarks stand on: a PostgreSQL with a demo shop, for a while."""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests'))

import process                                                  # noqa: E402
from cluster import OWNER, Cluster                              # noqa: E402
from shop import migrate                                        # noqa: E402

DATABASE = 'shop'
ANCHOR = '2026-11-23'


@contextlib.contextmanager
def ground(scale=1):
    """A directory and the server in it, with the database DATABASE."""
    directory = process.give(Path(tempfile.mkdtemp(prefix='reklam-bench-',
                                                   dir='/tmp')))
    postgres = Cluster(directory / 'pg')
    postgres.settings.update({'shared_buffers': '1GB', 'jit': 'off',
                              'max_wal_size': '8GB'})
    try:
        postgres.create()
        postgres.start()
        postgres.create_database(DATABASE)
        migrate(postgres, DATABASE)
        fill(postgres, scale)
        yield directory, postgres
    finally:
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


def fill(postgres, scale):
    """The demo shop; a large one is indexed when it is there."""
    indexes = (ROOT / 'sql/indexes.sql').read_text()
    if scale > 1:
        names = [w for line in indexes.splitlines() if line.startswith("('")
                 for w in line.split("'") if w.startswith('idx_')]
        postgres.psql(DATABASE, '-c', 'DROP INDEX ' + ', '.join(names))
    postgres.psql(DATABASE, '-v', f'scale={scale}', '-v', f'anchor={ANCHOR}',
                  '-f', '-', input=(ROOT / 'sql/demo.sql').read_text(),
                  user=OWNER, timeout=1800)
    if scale > 1:
        postgres.psql(DATABASE, '-c', "SET maintenance_work_mem = '512MB'",
                      '-f', '-', input=indexes, user=OWNER, timeout=1800)
    postgres.psql(DATABASE, '-c', 'VACUUM ANALYZE', timeout=1800)
    postgres.psql(DATABASE, '-c', 'CHECKPOINT', timeout=1800)
