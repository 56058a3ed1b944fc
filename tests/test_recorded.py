"""
What the web client met before is what it meets now: every recorded request
is sent again, in order, and its answer compared; see replay.py.  What is
meant to differ stands in differences/.
"""

import pytest

import prepared
import replay
from shop import Shop

READS, _ = replay.lines(replay.RECORDED / 'reads.jsonl')
WRITES, VARIABLES = replay.lines(replay.RECORDED / 'writes.jsonl')
DIFFERENCES = replay.Differences()


@pytest.fixture(scope='module')
def then(private):
    """A PostgreSQL server that is not younger than the data."""
    cluster = prepared.server(private / 'then', replay.TODAY)
    prepared.ensure(cluster, 'demo')
    yield cluster
    assert cluster.stop()


def server(private, then, name):
    """A shop on a fresh copy of the data."""
    then.create_database(name, 'demo')
    shop = Shop(private / name, then, name, today=replay.TODAY,
                       names={'LOGIN_RATE': '1000r/s'},
                       DB_STATEMENT_MS=20000)
    return shop.start()


@pytest.fixture(scope='module')
def reads(private, then):
    shop = server(private, then, 'reads')
    yield replay.Replay(shop, DIFFERENCES,
                        secret=shop.settings['JWT_SECRET_KEY'])
    assert not shop.stop()


@pytest.fixture(scope='module')
def writes(private, then):
    shop = server(private, then, 'writes')
    yield replay.Replay(shop, DIFFERENCES, VARIABLES,
                        shop.settings['JWT_SECRET_KEY'])
    assert not shop.stop()


@pytest.mark.parametrize('line', READS, ids=lambda line: line.id)
def test_a_read_is_as_recorded(reads, line):
    fault = reads.check(line)
    assert not fault, fault


@pytest.mark.parametrize('line', WRITES, ids=lambda line: line.id)
def test_a_write_is_as_recorded(writes, line):
    fault = writes.check(line)
    assert not fault, fault


def test_every_difference_belongs_to_a_line():
    assert set(DIFFERENCES.lines) <= {line.id for line in READS + WRITES}


def test_every_addition_was_seen():
    assert not DIFFERENCES.unused()
