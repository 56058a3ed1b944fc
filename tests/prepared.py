"""
A PostgreSQL server with two databases for use as templates: `empty`, migrated,
and `demo`, with the demo shop.  The processes of one tests/run copy the files
of one such server, which the first of them makes.
"""

import fcntl
import os
from pathlib import Path

import process
from cluster import Cluster, load
from shop import migrate, not_before

ANCHOR = '2026-11-23'


def ensure(cluster, name):
    """The template, made unless it is there; its name."""
    if cluster.has(name):
        return name
    if name == 'empty':
        cluster.create_database(name)
        migrate(cluster, name)
    else:
        cluster.create_database(name, ensure(cluster, 'empty'))
        load(cluster, name, process.ROOT / 'sql/demo.sql', 1, ANCHOR)
        # As small as can be, since it is copied for every shop.
        cluster.psql(name, '-c', 'VACUUM FULL')
        cluster.psql(name, '-c', 'VACUUM ANALYZE')
    return name


def copy(place, data):
    """The files of the server at `place`."""
    first = Cluster(place / 'pg', env=not_before(ANCHOR))
    with open(place / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if first.create():
            first.start()
            ensure(first, 'demo')
            assert first.stop()
    process.run('cp', '-a', '--reflink=auto', first.data, data, user=None)


def server(directory, today=ANCHOR):
    """One that runs, by a calendar that is not before `today`."""
    cluster = Cluster(directory, env=not_before(today))
    if 'REKLAM_PREPARED' in os.environ:
        process.directory(directory)
        copy(Path(os.environ['REKLAM_PREPARED']), cluster.data)
    cluster.create()
    return cluster.start()
