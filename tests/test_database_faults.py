"""The database restarts, is away, is frozen, or ends connections.

R6 to R9 are the rows of the project's table of faults; each is done in short
here, in full with REKLAM_FULL.
"""

import random
import re
import signal
import time
from collections import Counter
from pathlib import Path

import psycopg2
import pytest

from backends import Asking, Backends, Frozen, is_busy, leaks, trigger
from load import Load
from process import FULL, at_most, sanitized, wait_until

MOST = 8


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(DB_POOL_MAX_CONNECTIONS=MOST, DB_POOL_MIN_CONNECTIONS=4)


@pytest.fixture(autouse=True)
def the_server_is_left_running(shop):
    yield
    if shop.cluster.process.popen.poll() is not None:
        up(shop.cluster)


class Record:
    """What was answered, and when: reads that are in memory, reads that
    never are, and writes."""

    def __init__(self, shop, clients=6, writes=False):
        self.shop, self.seen, self.wrong = shop, [], []
        self.token = shop.login('manager')
        self.numbers = iter(range(int(time.time() * 1000) % 10 ** 9, 10 ** 10))
        # Every seventh a day: known at each worker before it begins.
        for worker in shop.workers():
            assert worker.get('/api/processes', token=self.token).status \
                == 200
        self.writes = writes
        self.load = Load(shop, self.ask, clients=clients, pause=0.01)

    def ask(self, browser, n):
        kind = ['memory', 'query', 'write' if self.writes else 'query'][n % 3]
        number = next(self.numbers)
        began = time.monotonic()
        if kind == 'memory':
            answer = browser.get('/api/processes', token=self.token)
        elif kind == 'query':
            answer = browser.get(f'/api/machines?offset={number}',
                                 token=self.token)
        else:
            browser.close()         # as nginx does, for what is not repeated
            answer = browser.post('/api/machines', {
                'name': str(number), 'code': f'W{number}'}, token=self.token)
        ended = time.monotonic()
        good = {'memory': 200, 'query': 200, 'write': 201}[kind]
        fine = answer.status == good or is_busy(answer)
        if not fine or leaks(answer.body):
            self.wrong.append(str(answer))
        self.seen.append((kind, answer.status, began, ended, number))
        return answer.status

    def __enter__(self):
        self.load.__enter__()
        return self

    def __exit__(self, *words):
        self.load.__exit__(*words)
        assert not self.wrong, self.wrong[:3]
        assert set(self.load.seen) <= {200, 201, 503}, self.load.seen

    def counts(self, kind):
        return Counter(status for k, status, *_ in self.seen if k == kind)

    def first(self, kind, status, after):
        """When the first such one that began after then was answered."""
        return min((ended for k, s, began, ended, _ in self.seen
                    if (k, s) == (kind, status) and began >= after),
                   default=float('inf'))

    def took(self, status, after=0, before=float('inf')):
        return sorted(ended - began for _, s, began, ended, _ in self.seen
                      if s == status and after <= began < before) or [0]


def quantile(times, share):
    return times[min(int(len(times) * share), len(times) - 1)]


def connects(cluster):
    try:
        psycopg2.connect(cluster.url('postgres', 'postgres')).close()
        return True
    except psycopg2.OperationalError:
        return False


def down(cluster, how):
    cluster.process.signal(how)
    cluster.process.popen.wait(30)


def up(cluster):
    """When it can be connected to."""
    cluster.process.start()
    wait_until(lambda: connects(cluster), 30, every=0.002)
    return time.monotonic()


def is_refilled(shop, backends, seconds=2):
    wait_until(lambda: backends.count("application_name ~ 'worker'") >= 4
               and backends.count("application_name ~ 'listener'") == 1,
               seconds, 'the pool is full again')


@pytest.mark.seconds(300)
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGQUIT],
                         ids=['fast', 'immediate'])
def test_r6_a_restart_is_over_when_the_database_is_back(shop, how):
    cluster = shop.cluster
    waited = []
    with Record(shop) as record:
        for _ in range(10 if FULL else 2):
            time.sleep(0.5)
            began = time.monotonic()
            down(cluster, how)
            time.sleep(0.5)
            ready = up(cluster)
            time.sleep(1.2)
            # When it was ready, not when we had noticed.
            waited.append(record.first('query', 200, began + 0.1) - ready)
            # Who came at that moment hoped for another connection.
            assert max(record.took(503, began)) <= at_most(0.25)
            assert quantile(record.took(503, began + 0.5), 0.9) <= 0.05 * 3
    assert max(waited) <= at_most(0.25), waited
    assert record.counts('query')[200] > 20
    with Backends(shop) as backends:
        is_refilled(shop, backends)
        assert backends.count() <= MOST


def rss(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', Path(
        f'/proc/{pid}/status').read_text()).group(1))


def counted(shop, name):
    text = shop.worker(0).get('/api/metrics').body.decode()
    return sum(int(n) for n in re.findall(
        rf'^reklam_{name}(?:{{.*}})? (\d+)$', text, re.M))


@pytest.mark.seconds(300)
def test_r7_without_a_database_memory_is_all_there_is(shop):
    cluster, seconds = shop.cluster, 60 if FULL else 4
    pids = shop.worker_pids()
    with Record(shop) as record:
        time.sleep(0.3)
        memory = {p: rss(p) for p in pids.values()}
        down(cluster, signal.SIGINT)
        began = time.monotonic()
        time.sleep(1)
        attempts = counted(shop, 'connects_total')
        at = time.monotonic()
        while time.monotonic() < began + seconds:
            for worker in shop.workers():
                assert worker.get('/api/health').status == 200
                ready = worker.get('/api/health/ready')
                assert ready.status == 503 and not leaks(ready.body)
                told = worker.get('/api/health/db', token=record.token)
                assert told.status == 503
                assert told.json['status'] == 'error'
            time.sleep(0.2)
        rate = (counted(shop, 'connects_total') - attempts) / \
            (time.monotonic() - at)
        # Two workers and the listener.
        assert 0 < rate <= 5 * 3
        assert sanitized() or all(
            rss(p) - memory[p] <= 1024 for p in pids.values())
        ready = up(cluster)
        wait_until(shop.is_ready, at_most(1))
        time.sleep(1)
    assert record.first('query', 200, ready - 1) - ready <= at_most(1)
    stale = [answer for k, answer, b, *_ in record.seen
             if k == 'memory' and began + 1 < b < began + seconds]
    assert set(stale) == {200}
    assert shop.worker_pids() == pids


def test_what_is_stale_says_so(shop):
    cluster, token = shop.cluster, shop.login('manager')
    # What was read before the listener listened again does not count.
    wait_until(lambda: shop.get('/api/processes', token=token).headers[
        'x-cache'] == 'hit', 5, 'a hit')
    down(cluster, signal.SIGINT)
    try:
        def stale():
            answer = shop.get('/api/processes', token=token)
            return answer if 'warning' in answer.headers else None
        answer = wait_until(stale, 5)
        assert answer.status == 200
        assert answer.headers['warning'].startswith('110')
        assert int(answer.headers['age']) >= 0
        began = time.monotonic()
        refused = shop.post('/api/machines', {'name': 'x', 'code': 'X'},
                            token=token)
        assert is_busy(refused) and time.monotonic() - began < at_most(0.05)
    finally:
        up(cluster)
    wait_until(shop.is_ready, 3)
    wait_until(lambda: 'warning' not in shop.get(
        '/api/processes', token=token).headers, 3)


@pytest.mark.seconds(300)
@pytest.mark.parametrize('what', ['its backends', 'the postmaster', 'both'])
def test_r8_a_frozen_server_is_waited_for_no_longer_than_promised(shop, what):
    seconds = 10 if FULL else 4
    with Backends(shop) as backends:
        is_refilled(shop, backends, 5)
        pids = backends.pids() if what != 'the postmaster' else []
        if what != 'its backends':
            pids.append(shop.cluster.process.pid)
        with Record(shop, writes=True) as record:
            time.sleep(0.3)
            with Frozen(pids):
                time.sleep(seconds)
            thawed = time.monotonic()
            time.sleep(at_most(1) + 1)
        slowest = max(ended - began for _, _, began, ended, _ in record.seen)
        assert slowest <= 3.2 + 1, slowest
        for kind, status in (('query', 200), ('write', 201)):
            assert record.first(kind, status, thawed) - thawed <= at_most(1)
        # Then nobody is refused any more.
        late = [s for _, s, began, *_ in record.seen
                if began > thawed + at_most(1)]
        assert late and set(late) <= {200, 201}
        is_refilled(shop, backends, 3)
        wait_until(lambda: backends.count() <= MOST, 2)
    told = shop.get('/api/health/db', 'manager').json
    assert all(w['in_use'] == 0 and w['waiting'] == 0
               for w in told['workers'])


def created(shop):
    return set(shop.sql("SELECT substr(code, 2) FROM machines "
                        "WHERE code LIKE 'W%'").split())


@pytest.mark.seconds(300)
def test_r9_ended_connections_cost_a_read_nothing(shop):
    seconds = 60 if FULL else 5
    with Backends(shop) as backends, Record(shop, writes=True) as record:
        end, ended = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            time.sleep(0.1)
            pids = backends.pids("application_name ~ 'worker'")
            # Nobody's second attempt is hit as well.
            record.load.wait_for_those_that_run()
            if pids:
                backends.cursor.execute('SELECT pg_terminate_backend(%s)',
                                        (random.choice(pids),))
                ended += 1
    assert ended > seconds
    assert set(record.counts('memory')) == {200}
    assert set(record.counts('query')) == {200}, record.counts('query')
    there = created(shop)
    said = {(s, n) for k, s, _, _, n in record.seen if k == 'write'}
    assert {n for s, n in said if s == 201} - {int(c) for c in there} == set()
    assert record.counts('write')[201] > seconds


def test_nor_does_the_end_of_all_at_once(make_shop):
    """Who is tried once more does not meet the next that is broken."""
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=9, DB_CONNECT_MS=5000,
                     DB_POOL_MIN_CONNECTIONS=8, DB_POOL_WAIT_MS=5000)
    token = shop.login('manager')
    worker = "application_name ~ 'worker'"
    with Backends(shop) as backends:
        for n in range(10):
            # None is on its way: that one would be met, and end, as well.
            wait_until(lambda: backends.count(
                f"{worker} AND state = 'idle'") >= 7, 5)
            backends.terminate(worker)
            asking = Asking([lambda i=i: shop.worker(0).get(
                f'/api/machines?offset={10 * n + i}', token=token)
                for i in range(4)])
            assert [a.status for a in asking.all()] == [200] * 4, n


def test_a_write_whose_connection_breaks_is_not_repeated(shop):
    shop.sql('CREATE SEQUENCE runs; GRANT ALL ON runs TO reklam')
    trigger(shop, "PERFORM nextval('runs'); "
            'PERFORM pg_terminate_backend(pg_backend_pid());')
    answer = shop.post('/api/machines', {'name': 'x', 'code': 'ONCE'},
                       'manager')
    shop.sql('DROP TRIGGER fault ON machines')
    assert is_busy(answer)
    assert shop.sql('SELECT last_value, is_called FROM runs') == '1|t'
    assert shop.sql("SELECT count(*) FROM machines WHERE code = 'ONCE'") \
        == '0'


def test_a_read_is_tried_once_more_and_no_more(shop):
    """Whoever reads machines ends its own connection, as it seems."""
    token = shop.login('manager')
    before = counted(shop, 'retries_total')
    shop.sql('''CREATE FUNCTION ends() RETURNS boolean LANGUAGE sql AS
        'SELECT pg_terminate_backend(pg_backend_pid())';
        ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
        ALTER TABLE machines FORCE ROW LEVEL SECURITY;
        CREATE POLICY ends ON machines USING (ends())''')
    answer = shop.worker(0).get('/api/machines?offset=1', token=token)
    shop.sql('ALTER TABLE machines NO FORCE ROW LEVEL SECURITY; '
             'ALTER TABLE machines DISABLE ROW LEVEL SECURITY; '
             'DROP POLICY ends ON machines')
    assert is_busy(answer)
    assert counted(shop, 'retries_total') - before == 1
    assert shop.worker(0).get('/api/machines?offset=1',
                              token=token).status == 200


def test_too_many_connections_at_the_server_are_no_outage(make_shop):
    """Others took the rest: what is open goes on."""
    shop = make_shop(DB_POOL_MAX_CONNECTIONS=12, DB_POOL_MIN_CONNECTIONS=2)
    token = shop.login('manager')
    others = []
    try:
        while len(others) < 300:
            try:
                others.append(psycopg2.connect(
                    shop.cluster.url('postgres', 'reklam')))
            except psycopg2.OperationalError:
                break
        asking = Asking([lambda n=n: shop.browser().get(
            f'/api/users?page=1&per_page={n + 1}', token=token)
            for n in range(30)])
        answers = asking.all()
        assert {a.status for a in answers} <= {200, 503}
        assert sum(a.status == 200 for a in answers) >= 10
        assert not any(leaks(a.body) for a in answers)
    finally:
        for other in others:
            other.close()
    wait_until(shop.is_ready, 3)
