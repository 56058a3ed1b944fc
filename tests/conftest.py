"""Fixtures.  What a test needs is private to it and gone when it ends.

postgres    a PostgreSQL server: .url(db), .create_database(name), .psql(…)
database    a fresh database with the demo shop (scale 1, 2026-11-23)
shop        the demo shop, running, shared by the tests of a file
make_shop   one with other settings: make_shop(workers=3, CACHE_TTL_MAX=0)
"""

import faulthandler
import itertools
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

import prepared
import process
from shop import Shop

SETUP = 120                 # seconds, for what a test needs and leaves
numbers = itertools.count(1)
running = []


def pytest_configure(config):
    config.stderr = os.dup(2)   # before it is captured
    config.addinivalue_line(
        'markers', 'seconds(n): how long the test may take (120)')
    config.addinivalue_line(
        'markers', 'once: does not depend on the build; the first will do')
    config.addinivalue_line(
        'markers', 'memory: where a sanitizer looks on; not with the first')


# The files that take longest begin, so that none is left at the end.
LONG = ['test_page', 'test_migration_guide', 'test_package', 'test_workers',
        'test_lists', 'test_migrations', 'test_pool', 'test_work',
        'test_database_faults', 'test_cache', 'test_bad_input',
        'test_elsewhere']


def pytest_collection_modifyitems(items):
    names = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: names.get(item.path.stem, len(LONG)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """No test hangs, nor what is made before it and ended after it."""
    mark = item.get_closest_marker('seconds')
    seconds = mark.args[0] if mark else 120

    def ring(*_):
        raise TimeoutError(f'not done within {seconds} s')
    signal.signal(signal.SIGALRM, ring)
    # Again, as what cleans up may wait for what hung; then the hard way.
    signal.setitimer(signal.ITIMER_REAL, seconds + SETUP, 5)
    faulthandler.dump_traceback_later(seconds + 2 * SETUP, exit=True,
                                      file=item.config.stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the programs said goes with a failure."""
    report = (yield).get_result()
    if report.failed:
        for shop in running:
            for title, text in (('reklamd', shop.program.tail()),
                                ('nginx', shop.web.error_log()[-3000:])):
                if text:
                    report.sections.append((f'{title} in {shop.directory}',
                                            text))


@pytest.fixture(scope='session')
def private():
    """A directory for everything; short, for the names of sockets."""
    path = Path(tempfile.mkdtemp(prefix='reklam-', dir='/tmp'))
    process.give(path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope='session')
def postgres(private):
    cluster = prepared.server(private / 'pg')
    yield cluster
    assert cluster.stop(), 'PostgreSQL did not end cleanly'


@pytest.fixture(scope='session')
def empty(postgres):
    """The name of a migrated database without a row, for use as template."""
    return prepared.ensure(postgres, 'empty')


@pytest.fixture(scope='session')
def demo(postgres):
    """The name of a database with the demo shop, for use as template."""
    return prepared.ensure(postgres, 'demo')


def fresh(postgres, template):
    return postgres.create_database(f'shop{next(numbers)}', template)


@pytest.fixture
def database(postgres, demo):
    return fresh(postgres, demo)


def shops(private, postgres, request):
    """A function that makes shops, and their end."""
    made = []

    def make(template='demo', database=None, **words):
        if database is None:
            template = request.getfixturevalue(template)
            database = fresh(postgres, template)
        shop = Shop(private / f's{next(numbers)}', postgres, database,
                    **words)
        made.append(shop)
        running.append(shop)
        return shop.start()

    yield make
    faults = []
    for shop in made:
        running.remove(shop)
        faults += shop.stop()
        postgres.drop_database(shop.database)
    assert not faults, '\n'.join(faults)


@pytest.fixture(scope='module')
def make_shops(private, postgres, request):
    """Makes shops that live as long as the test file."""
    yield from shops(private, postgres, request)


@pytest.fixture
def make_shop(private, postgres, request):
    """Makes shops that live as long as the test."""
    yield from shops(private, postgres, request)


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops()
