"""Statements wait for a connection no longer than they have to; and there
are never more connections than were granted."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

import fastcgi
from backends import (Asking, Backends, Frozen, Watch, is_busy, locked,
                      slow_writes, timing, trigger)
from load import Load
from process import FULL, at_most, run, wait_until

SECONDS = 60 if FULL else 5

# For tests in which a busy machine is no reason to refuse anything.
PATIENT = {'DB_POOL_WAIT_MS': 5000, 'DB_STATEMENT_MS': 20000,
           'DB_CONNECT_MS': 5000}


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(PASSWORD_COST=4)


def machines(shop, worker, offset, token):
    """Each offset is another statement for the cache."""
    return lambda: shop.worker(worker).get(f'/api/machines?offset={offset}',
                                           token=token)


def pool(shop):
    return shop.get('/api/health/db', 'manager').json


def known(shop):
    """Everybody at the gate is known to every worker."""
    token = shop.login('manager')
    # A login may store the password's hash anew, after it was answered.
    wait_until(lambda: all(w['in_use'] == 0 for w in pool(shop)['workers']))
    for worker in shop.workers():
        assert worker.get('/api/auth/me', token=token).status == 200
    return token


# --- never more than granted ---

def asking_users(shop):
    token = shop.login('manager')
    ids = shop.sql('SELECT id FROM users ORDER BY id LIMIT 50').split()
    return lambda browser, n: browser.get(f'/api/users/{ids[n % len(ids)]}',
                                          token=token).status


@pytest.mark.seconds(180)
@pytest.mark.parametrize('workers, most', [
    pytest.param(16, 20, marks=pytest.mark.once), (2, 3)])
def test_never_more_connections_than_granted(make_shop, workers, most):
    """Nor while workers are killed and settings are read again."""
    shop = make_shop(workers=workers, DB_POOL_MAX_CONNECTIONS=most,
                     CACHE_TTL_MAX=0, **PATIENT)
    with Watch(shop) as watch, Load(shop, asking_users(shop)) as load:
        end, round = time.monotonic() + SECONDS, 0
        while time.monotonic() < end or round < 6:
            round += 1
            if round % 3 == 0:
                shop.reload()
            time.sleep(0.5)
            os.kill(random.choice(list(shop.worker_pids().values())),
                    signal.SIGKILL)
            wait_until(shop.is_ready, 30)
    assert watch.most <= most
    assert watch.looks > 50
    assert load.seen[200] > 50
    # A read that was killed twice is refused at last; few are.
    assert set(load.seen) <= {200, 503}, load.seen
    assert load.seen[503] * 10 < load.seen[200], load.seen


def test_too_few_connections_are_refused_with_the_arithmetic(shop):
    path = shop.directory / 'few.conf'
    path.write_text(shop.settings_path.read_text().replace(
        'DB_POOL_MAX_CONNECTIONS=12', 'DB_POOL_MAX_CONNECTIONS=2'))
    path.chmod(0o644)
    done = run(shop.installed('reklamd'), '-t', '-f', path, check=False)
    assert done.returncode == 1
    assert 'DB_POOL_MAX_CONNECTIONS is 2: one is the listener\'s, and 1 are ' \
        'not enough for 2 workers' in done.stderr


def test_cold_requests_at_once_are_all_answered(make_shop):
    """More of them than connections are open, fewer than may be."""
    shop = make_shop(DB_POOL_MAX_CONNECTIONS=12, **PATIENT)
    token = known(shop)
    with Backends(shop) as backends, locked(shop):
        asking = Asking([machines(shop, 0, n, token) for n in range(7)])
        # All of them run at the same time, and none ends by itself.
        backends.waits_for(7)
    assert [a.status for a in asking.all()] == [200] * 7


def test_lent_connections_come_back_when_their_owner_needs_them(make_shop):
    shop = make_shop(DB_POOL_MAX_CONNECTIONS=12, **PATIENT)
    token = known(shop)

    def slowest(worker, first, count):
        """The longest wait of so many at once."""
        with locked(shop):
            asking = Asking([machines(shop, worker, first + n, token)
                             for n in range(count)])
            backends.waits_for(count)
        assert [a.status for a in asking.all()] == [200] * count
        return max(timing(a)['queue'] for a in asking.answers)
    with Backends(shop) as backends:
        # One is left for who logs in; the other worker has its own.
        opening = slowest(0, 0, 9)
        assert backends.count("application_name ~ 'worker-0'") == 10
        returning = slowest(1, 100, 4)
    # 20 ms, and then it takes as long as any other to be opened.
    assert returning <= 1000 * at_most(0.02) + opening


# --- waiting ---

def test_nobody_waits_longer_than_he_is_told(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=6)
    token = known(shop)
    with Backends(shop) as backends, locked(shop):
        asking = Asking([machines(shop, 0, n, token) for n in range(40)])
        backends.waits_for(4)
        answers = asking.all()
    assert all(is_busy(a) for a in answers), answers
    waited = sorted(asking.took)
    # Four ran to their deadline, the others waited for DB_POOL_WAIT_MS.
    assert waited[-1] < 2 + at_most(0.25)
    assert waited[35] < at_most(0.25)
    assert shop.get('/api/machines', 'manager').status == 200


def test_the_queue_is_bounded(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=6, DB_POOL_QUEUE=5,
                     **PATIENT)
    token = known(shop)
    with Backends(shop) as backends:
        with locked(shop):
            first = Asking([machines(shop, 0, n, token) for n in range(4)])
            backends.waits_for(4)
            more = Asking([machines(shop, 0, 10 + n, token)
                           for n in range(5)])
            wait_until(lambda: pool(shop)['pool_stats']['waiting'] == 5, 5)
            for n in range(5):
                began = time.monotonic()
                answer = machines(shop, 0, 50 + n, token)()
                assert is_busy(answer)
                assert time.monotonic() - began < at_most(0.02)
        assert [a.status for a in first.all() + more.all()] == [200] * 9
    assert shop.worker(0).get('/api/metrics').body.count(
        b'reklam_refused_total') >= 1


def test_health_hits_and_logins_wait_behind_no_statement(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=6, PASSWORD_COST=4,
                     names=None)
    token = known(shop)
    assert shop.get('/api/processes', token=token).status == 200
    worker = shop.worker(0)
    took = {}
    with locked(shop):
        offsets = iter(range(10 ** 6))
        with Load(shop, lambda browser, n: browser.get(
                f'/api/machines?offset={next(offsets)}',
                token=token).status, clients=12) as load:
            time.sleep(0.5)
            for _ in range(10):
                for name, ask in {
                        'health': lambda: worker.get('/api/health'),
                        'ready': lambda: worker.get('/api/health/ready'),
                        'hit': lambda: worker.get('/api/processes',
                                                  token=token),
                        'database': lambda: worker.get('/api/health/db',
                                                       token=token),
                        'login': lambda: worker.post('/api/auth/login', {
                            'username': 'akaya',
                            'password': 'operator123'})}.items():
                    began = time.monotonic()
                    assert ask().status == 200, name
                    took.setdefault(name, []).append(
                        time.monotonic() - began)
                time.sleep(0.1)
    assert set(load.seen) == {503}
    # Behind a statement it would have been two seconds, or a refusal.
    assert {n: t for n, t in took.items() if sorted(t)[5] > 0.3} == {}
    assert max(max(t) for t in took.values()) < at_most(0.06)


class Open:
    """So many requests in a second, whether they are answered or not."""

    def __init__(self, rate, seconds, ask):
        self.seen, self.lock = [], threading.Lock()
        began, threads = time.monotonic(), []
        for n in range(int(rate * seconds)):
            at = n / rate
            wait = began + at - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            thread = threading.Thread(target=self.one, args=(at, ask, n))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(30)

    def one(self, at, ask, n):
        began = time.monotonic()
        answer = ask(n)
        with self.lock:
            self.seen.append((at, time.monotonic() - began, answer))

    def took(self, status, after):
        return sorted(took for at, took, answer in self.seen
                      if answer.status == status and at >= after)


def seconds_of(ask, status=201):
    began = time.monotonic()
    assert ask().status == status
    return time.monotonic() - began


def quantile(times, share):
    return times[min(int(len(times) * share), len(times) - 1)]


@pytest.mark.once
@pytest.mark.seconds(180)
@pytest.mark.parametrize('times', [2, 5])
def test_r13_what_is_too_much_is_refused_at_once(make_shop, times):
    """An open loop above what four connections can do."""
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=6)
    token = known(shop)
    slow_writes(shop, 0.1)
    capacity = 4 / 0.1
    seconds = 30 if FULL else 4

    def ask(n):
        return shop.worker(0).post('/api/machines', {
            'name': f'm{n}', 'code': f'm{n}'}, token=token)
    alone = [seconds_of(lambda: ask(f'-{n}')) for n in range(5)]
    found = Open(capacity * times, seconds, ask)
    accepted, rejected = found.took(201, 1), found.took(503, 1)
    assert len(accepted) + len(rejected) == sum(
        1 for at, _, _ in found.seen if at >= 1)
    assert all(is_busy(a) for _, _, a in found.seen if a.status == 503)
    assert len(accepted) >= 0.5 * capacity * (seconds - 1)
    assert quantile(accepted, 0.99) <= at_most(max(alone))
    assert quantile(rejected, 0.9) <= 0.1 * 3
    # It has recovered when the last of them is answered.
    assert seconds_of(lambda: ask('last')) < at_most(0.1)


# --- deadlines ---

def test_a_statement_ends_at_its_deadline_and_its_connection_stays(make_shop):
    shop = make_shop(workers=1, DB_STATEMENT_MS=400)
    token = known(shop)
    with Backends(shop) as backends:
        before = set(backends.pids())
        with locked(shop):
            began = time.monotonic()
            answer = machines(shop, 0, 1, token)()
            assert is_busy(answer)
            # After the other 250 ms the connection would have been dropped.
            assert 0.4 <= time.monotonic() - began < 0.4 + at_most(0.25)
        assert before <= set(backends.pids())
        assert backends.count("state <> 'idle' AND state <> 'active'") == 0
    assert machines(shop, 0, 1, token)().status == 200


def test_an_export_has_its_own_deadline(make_shop):
    shop = make_shop(workers=1, DB_STATEMENT_MS=300, DB_EXPORT_MS=1500)
    token = known(shop)

    def export(n):
        return shop.worker(0).get(f'/api/export/customers.csv?search={n}',
                                  token=token)
    with locked(shop, 'customers'):
        asking = Asking([lambda: export(1)])
        time.sleep(0.8)
    assert asking.all()[0].status == 200
    with locked(shop, 'customers'):
        began = time.monotonic()
        assert is_busy(export(2))
        assert 1.5 <= time.monotonic() - began < 1.5 + at_most(0.25)


# --- the client is gone ---

def leaves(shop, method, path, body=b''):
    """A connection that has sent a request and will not read its answer."""
    connection = fastcgi.Connection(shop.sockets[0])
    connection.send(fastcgi.request(method, path, {
        'Authorization': f'Bearer {shop.login("manager")}',
        'Content-Type': 'application/json'}, body))
    return connection


def test_a_read_that_nobody_waits_for_is_dropped(make_shop):
    shop = make_shop(workers=1, **PATIENT)
    known(shop)
    with Backends(shop) as backends, locked(shop):
        connection = leaves(shop, 'GET', '/api/machines?offset=7')
        backends.waits_for(1)
        connection.socket.close()
        began = time.monotonic()
        backends.waits_for(0)
        assert time.monotonic() - began < at_most(0.3)
        wait_until(lambda: pool(shop)['pool_stats']['in_use'] == 1, 2)
        # One that waits for a connection, too, and its place is free.
        more = [leaves(shop, 'GET', f'/api/machines?offset={n}')
                for n in range(20)]
        wait_until(lambda: pool(shop)['pool_stats']['waiting'] > 0, 5)
        for connection in more:
            connection.socket.close()
        backends.waits_for(0)
        assert pool(shop)['pool_stats']['waiting'] == 0
    assert shop.get('/api/machines', 'manager').status == 200


def test_a_read_that_somebody_else_waits_for_goes_on(make_shop):
    shop = make_shop(workers=1, **PATIENT)
    token = known(shop)
    with Backends(shop) as backends:
        with locked(shop):
            first = leaves(shop, 'GET', '/api/machines?offset=7')
            backends.waits_for(1)
            second = Asking([machines(shop, 0, 7, token)])
            time.sleep(0.3)
            first.socket.close()
            time.sleep(0.3)
            assert backends.blocked() == 1
        assert second.all()[0].status == 200


def cpu_seconds(pid):
    words = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def test_a_write_runs_to_its_end_and_the_loop_sleeps_meanwhile(make_shop):
    shop = make_shop(workers=1, **PATIENT)
    known(shop)
    slow_writes(shop, 1)
    connection = leaves(shop, 'POST', '/api/machines',
                        b'{"name": "late", "code": "LATE"}')
    time.sleep(0.2)
    pid = shop.worker_pids()[0]
    connection.socket.close()
    before = cpu_seconds(pid)
    time.sleep(0.6)
    assert cpu_seconds(pid) - before < 0.1
    wait_until(lambda: shop.sql(
        "SELECT count(*) FROM machines WHERE code = 'LATE'") == '1', 5)
    assert 'LATE' in [m['code'] for m in shop.get(
        '/api/machines', 'manager').json['data']]


# --- the health of a connection ---

def test_connections_have_a_lifetime(make_shop):
    shop = make_shop(workers=1, DB_LIFETIME_SECONDS=2,
                     DB_POOL_MAX_CONNECTIONS=6, DB_POOL_MIN_CONNECTIONS=4,
                     CACHE_TTL_MAX=0)
    with Backends(shop) as backends, \
            Load(shop, asking_users(shop), clients=2) as load:
        worker = "application_name ~ 'worker-'"
        first = set(backends.pids(worker))
        oldest, end = 0, time.monotonic() + 5
        while time.monotonic() < end:
            oldest = max([oldest, *(row[0] for row in backends.ask(
                'extract(epoch FROM clock_timestamp() - backend_start)',
                worker))])
            time.sleep(0.1)
        assert not first & set(backends.pids(worker))
    assert set(load.seen) == {200}, load.seen
    assert 1.5 < oldest < 2 + 0.5 + 0.5
    closes = sum(w['lifetime_closes'] for w in pool(shop)['workers'])
    assert closes >= 4


def test_a_silent_connection_is_found_while_it_is_idle(make_shop):
    """Frozen servers keep their sockets; only asking tells."""
    shop = make_shop(workers=1, DB_IDLE_CHECK_SECONDS=1,
                     DB_POOL_MAX_CONNECTIONS=6)
    token = known(shop)
    with Backends(shop) as backends:
        frozen = backends.pids("application_name ~ 'worker-0'")
        with Frozen(frozen):
            wait_until(lambda: pool(shop)['workers'][0]['reconnects'] +
                       pool(shop)['workers'][0]['timeouts'] >= len(frozen), 5)
            began = time.monotonic()
            assert machines(shop, 0, 3, token)().status == 200
            assert time.monotonic() - began < at_most(0.1)
        wait_until(lambda: not set(frozen) & set(backends.pids()), 3)


def test_statements_are_prepared_again_when_they_are_gone(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=2)
    token = known(shop)

    def create(n):
        return shop.post('/api/machines', {'name': f'm{n}', 'code': f'm{n}'},
                         token=token)
    assert create(0).status == 201
    # A session's statements go as if somebody said DISCARD ALL in it: 26000.
    trigger(shop, "EXECUTE 'DEALLOCATE ALL';")
    for n in range(1, 4):
        assert create(n).status == 201
        assert shop.get(f'/api/machines?offset={n}', token=token).status == 200
    shop.sql('DROP TRIGGER fault ON machines')
    assert create(4).status == 201
    # What a plan whose result has another type now says: 0A000.
    shop.sql('CREATE SEQUENCE tries; GRANT ALL ON tries TO reklam')
    trigger(shop, "IF nextval('tries') < 2 THEN RAISE EXCEPTION USING "
            "ERRCODE = '0A000'; END IF;")
    assert create(5).status == 201
    codes = [m['code'] for m in shop.get('/api/machines',
                                         token=token).json['data']]
    assert {f'M{n}' for n in range(6)} <= set(codes)
    assert pool(shop)['workers'][0]['retries'] >= 4


@pytest.mark.parametrize('code', ['40001', '40P01'])
def test_a_conflict_is_tried_again_and_done_once(shop, code):
    shop.sql('DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries; '
             'GRANT ALL ON tries TO reklam')

    def create(name):
        return shop.post('/api/machines', {'name': name, 'code': name},
                         'manager')
    trigger(shop, f"IF nextval('tries') < 3 THEN RAISE EXCEPTION USING "
            f"ERRCODE = '{code}'; END IF;")
    assert create(f'ONCE-{code}').status == 201
    assert shop.sql(f"SELECT count(*) FROM machines "
                    f"WHERE code = 'ONCE-{code}'") == '1'
    trigger(shop, f"RAISE EXCEPTION USING ERRCODE = '{code}';")
    assert is_busy(create(f'NEVER-{code}'))
    shop.sql('DROP TRIGGER fault ON machines')


# --- many failures ---

def failing(shop):
    """(status, a request) of every kind that fails."""
    token = shop.login('manager')
    me = shop.sql("SELECT id FROM users WHERE username = 'admin'")
    nobody = '00000000-0000-4000-8000-000000000000'
    worker = shop.worker(0)

    def post(path, body, **words):
        return lambda: worker.post(path, body, token=token, **words)

    def get(path, **words):
        return lambda: worker.get(path, **{'token': token, **words})
    return [
        (401, get('/api/machines', token=None)),
        (401, get('/api/machines', token=token[:-2] + 'xx')),
        (403, lambda: worker.post('/api/machines', {
            'name': 'x', 'code': 'X'}, who='operator')),
        (404, get('/api/nothing')),
        (404, get('/api/jobs/nonsense')),
        (404, get(f'/api/jobs/{nobody}')),
        (404, post(f'/api/jobs/{nobody}/activate', {})),
        (405, lambda: worker.delete('/api/machines', token=token)),
        (400, get('/api/jobs?limit=many')),
        (400, post('/api/machines', '{"name": ',
                   headers={'Content-Type': 'application/json'})),
        (400, post('/api/machines', {'name': ''})),
        (404, lambda: worker.patch(f'/api/customers/{nobody}',
                                   {'name': 'x'}, token=token)),
        (409, post('/api/machines', {'name': 'x', 'code': 'twice'})),
        (401, lambda: worker.post('/api/auth/login', {
            'username': 'nobody', 'password': 'wrong'})),
        (400, lambda: worker.patch(f'/api/users/{me}',
                                   {'email': 7}, token=token)),
    ]


@pytest.mark.seconds(180)
def test_a_thousand_failures_leave_the_pool_as_it_was(shop):
    known(shop)
    assert shop.worker(0).post('/api/machines', {
        'name': 'x', 'code': 'twice'}, who='manager').status == 201
    kinds = failing(shop)
    for status, ask in kinds:
        answer = ask()
        assert answer.status == status, answer
        assert list(answer.json)[0] == 'error'
    with Backends(shop) as backends:
        before = pool(shop)
        there = set(backends.pids())
        for n in range(1000):
            status, ask = kinds[n % len(kinds)]
            assert ask().status in (status, 429)
        after = pool(shop)
        assert set(backends.pids()) == there
        assert backends.count("state NOT IN ('idle', 'active')") == 0
    same = ('in_use', 'total', 'waiting', 'available')
    assert {k: after['pool_stats'][k] for k in same} == \
        {k: before['pool_stats'][k] for k in same}
    for a, b in zip(after['workers'], before['workers']):
        assert a['reconnects'] == b['reconnects']
        assert a['timeouts'] == b['timeouts']


# --- seeing it ---

def test_the_pool_is_described_worker_by_worker(shop):
    known(shop)
    found = pool(shop)
    assert found['status'] == 'healthy', found
    stats = found['pool_stats']
    assert stats['min_connections'] == 2 and stats['max_connections'] == 12
    assert stats['available'] + stats['in_use'] == stats['total'] <= 12
    assert stats['server_max_connections'] == 200
    assert found['recommendations']['current_config'] == 'min=2, max=12'
    assert found['recommendations']['advice'] == []
    assert len(found['workers']) == 2
    with Backends(shop) as backends:
        assert stats['total'] == backends.count()
    for worker in found['workers']:
        assert worker['open'] == worker['in_use'] + worker['idle'] >= 1
        waited = worker['waited_ms']
        assert waited['count'] > 0
        assert 0 <= waited['p50'] <= waited['p99'] <= waited['max'] * 2
        for name in ('waiting', 'timeouts', 'reconnects', 'lifetime_closes',
                     'waited_out', 'refused', 'connect_failures', 'retries'):
            assert worker[name] >= 0


def test_what_to_do_is_said_when_the_pool_is_full(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=6, REKLAM_LANG='en',
                     **PATIENT)
    token = known(shop)
    with Backends(shop) as backends, locked(shop):
        asking = Asking([machines(shop, 0, n, token) for n in range(6)])
        backends.waits_for(4)
        wait_until(lambda: pool(shop)['pool_stats']['waiting'] == 2, 5)
        found = pool(shop)
    assert found['status'] == 'warning'
    assert any('83' in w for w in found['warnings'])
    (advice,) = found['recommendations']['advice']
    assert '6' in advice and '8' in advice      # from 6 to 5 / 0.7
    assert [a.status for a in asking.all()] == [200] * 6


def test_more_than_the_server_allows_is_told(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=199)
    wait_until(lambda: pool(shop)['recommendations']['advice'], 5)
    (advice,) = pool(shop)['recommendations']['advice']
    assert '199' in advice and '200' in advice
