"""What benchmarks stand on: a PostgreSQL with a demo shop, for a while."""

import contextlib
import re
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
PASSWORD = 'one that goes over TCP'
INDEXES = ROOT / 'sql/indexes.sql'


@contextlib.contextmanager
def ground(scale=1, address=None):
    """A directory and the server in it, with the database DATABASE; over TCP
    too, with PASSWORD, at an address of the loopback."""
    directory = process.give(Path(tempfile.mkdtemp(prefix='reklam-bench-',
                                                   dir='/tmp')))
    postgres = Cluster(directory / 'pg')
    postgres.settings.update({'shared_buffers': '1GB', 'jit': 'off',
                              'max_wal_size': '8GB'})
    if address:
        postgres.settings['listen_addresses'] = f"'{address}'"
    try:
        postgres.create()
        with open(postgres.data / 'pg_hba.conf', 'a', encoding='utf-8') as f:
            f.write('host all all 127.0.0.0/8 scram-sha-256\n')
        postgres.start()
        postgres.psql('postgres', '-c',
                      f"ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'")
        postgres.create_database(DATABASE)
        migrate(postgres, DATABASE)
        fill(postgres, scale)
        yield directory, postgres
    finally:
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


def indexes(*tables):
    """The names of those that sql/indexes.sql makes: all, or `performance`,
    the 31 that the old backend has too, or `search`, the others."""
    text = INDEXES.read_text()
    return [name for part in text.split('INSERT INTO ')[1:]
            if not tables or part.split()[0] in tables
            for name in re.findall(r"^\('\w+', '(\w+)',", part, re.M)]


def fill(postgres, scale):
    """The demo shop; a large one is indexed when it is there."""
    if scale > 1:
        postgres.psql(DATABASE, '-c', 'DROP INDEX ' + ', '.join(indexes()))
    postgres.psql(DATABASE, '-v', f'scale={scale}', '-v', f'anchor={ANCHOR}',
                  '-f', '-', input=(ROOT / 'sql/demo.sql').read_text(),
                  user=OWNER, timeout=1800)
    if scale > 1:
        postgres.psql(DATABASE, '-c', "SET maintenance_work_mem = '512MB'",
                      '-f', '-', input=INDEXES.read_text(), user=OWNER,
                      timeout=1800)
    postgres.psql(DATABASE, '-c', 'VACUUM ANALYZE', timeout=1800)
    postgres.psql(DATABASE, '-c', 'CHECKPOINT', timeout=1800)
