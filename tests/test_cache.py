"""Answers from memory are never from before a write, and never another's.

R10, S6 and the cache's promises: what is short here is long with
REKLAM_FULL.  Deadlines are three times what is promised.
"""

import contextlib
import json
import os
import random
import signal
import threading
import time

import psycopg2
import pytest

import fastcgi
import forge
from fastcgi import Connection
from process import FULL, at_most, wait_until
from routes import routes
from samples import Samples
from shop import ROLES

SOON = 0.15             # until what others changed is seen: 50 ms
SECONDS = 60 if FULL else 6
READS = 10_000 if FULL else 1_000
PATIENT = {'DB_POOL_MAX_CONNECTIONS': 41, 'DB_POOL_WAIT_MS': 5000,
           'DB_CONNECT_MS': 5000, 'DB_STATEMENT_MS': 10000}


@pytest.fixture(scope='module')
def shop(make_shops):
    found = make_shops(workers=4, **PATIENT)
    for who in ROLES:           # now: a login is a write
        found.login(who)
    return found


@pytest.fixture(scope='module')
def plain(make_shops, shop):
    """A program without memory, in front of the same database."""
    return make_shops(database=shop.database, workers=1, web=False,
                      CACHE_TTL_MAX=0)


@pytest.fixture(scope='module')
def ids(shop):
    return Samples(shop.cluster, shop.database).ids


@pytest.fixture
def other(shop):
    """Somebody who is not the program, in the same database."""
    found = elsewhere(shop)
    yield found
    found.close()


def elsewhere(shop, autocommit=True):
    found = psycopg2.connect(shop.cluster.url(shop.database, 'postgres'))
    found.autocommit = autocommit
    return found


def run(connection, text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else None


def headers(shop, who='manager', **more):
    return {'Authorization': f'Bearer {shop.login(who)}', **more}


@contextlib.contextmanager
def kept(shop):
    """A connection to each worker."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Connection(s, 30)) for s in shop.sockets]


def cache(answer):
    return answer.headers.get('x-cache')


def executions(shop, word=''):
    """How often the program ran statements with that word."""
    return int(shop.cluster.ask(f'''
        SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s
          JOIN pg_database d ON d.oid = dbid AND datname = '{shop.database}'
         WHERE userid = 'reklam'::regrole AND query LIKE '%{word}%' '''))


def statements(shop):
    """What a request can cost.  What the pool and the plans of slow ones ask
    has no name; the listener looks for the pool's closed connections."""
    return executions(shop, '/* ') - executions(shop, '/* listener_')


def clear(shop, number=0, **what):
    answer = shop.worker(number).post('/api/health/cache/clear', what,
                                      'manager')
    assert answer.status == 200
    return answer.json['cleared_count']


def until_fresh(shop, ask):
    """`ask(worker)` is true at each worker: after how long."""
    began = time.monotonic()
    for worker in shop.workers():
        wait_until(lambda: ask(worker), 5, 'a fresh answer', 0.001)
    return time.monotonic() - began


@contextlib.contextmanager
def slow_row(shop, table, row, seconds, there='='):
    """To look at that row takes a while; whether it is there then."""
    shop.sql(f'''
        CREATE POLICY slow ON {table} USING (CASE id WHEN '{row}'
            THEN pg_sleep({seconds})::text {there} '' ELSE true END);
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY''')
    try:
        clear(shop)
        yield
    finally:
        shop.sql(f'''DROP POLICY slow ON {table};
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY''')


@contextlib.contextmanager
def slow_customer(shop, seconds):
    """One whose answer takes a while after it has looked at the data."""
    dealer, customer = shop.sql('''
        SELECT min(id::text), customer_id FROM customer_dealers
         GROUP BY 2 HAVING count(*) = 1 LIMIT 1''').split('|')
    with slow_row(shop, 'customer_dealers', dealer, seconds):
        yield customer


class Asking(threading.Thread):
    """A request in the background: .answer() and when it came."""

    def __init__(self, worker, path, who='manager'):
        super().__init__(daemon=True)
        self.worker, self.path, self.who = worker, path, who
        self.found, self.at = None, None
        worker.shop.login(who)
        self.start()

    def run(self):
        try:
            self.found = self.worker.get(self.path, self.who)
        except OSError as fault:
            self.found = fault
        self.at = time.monotonic()

    def answer(self):
        self.join(30)
        assert not self.is_alive()
        return self.found


# --- whose answers they are ---

def test_one_execution_serves_all_who_may_see_the_same(shop):
    clear(shop)
    path = '/api/dashboard/stats'
    seen = [cache(shop.worker(n).get(path, who))
            for n, who in ((0, 'manager'), (0, 'sales'), (3, 'manager'),
                           (2, 'sales'))]
    assert seen == ['miss', 'hit', 'hit', 'hit']


def test_what_depends_on_the_asker_is_his_own(shop):
    clear(shop)
    for path in ('/api/auth/me', '/api/notifications'):
        bodies = {}
        for who in ('manager', 'sales', 'operator'):
            first = shop.worker(0).get(path, who)
            second = shop.worker(1).get(path, who)
            assert (cache(first), cache(second)) == ('miss', 'hit')
            assert first.body == second.body
            bodies[who] = first.body
        assert len(set(bodies.values())) > 1
    # An operator's numbers have his own tasks in them.
    assert cache(shop.worker(0).get('/api/dashboard/stats',
                                    'manager')) == 'miss'
    mine = shop.worker(0).get('/api/dashboard/stats', 'operator')
    assert cache(mine) == 'miss' and 'my_tasks' in mine.json['data']


def kept_paths(samples):
    """Of every GET that is kept, but not megabytes of each list."""
    return [samples.path(r.path) + ('?limit=20' if any(
        f.name == 'limit' for f in r.fields) else '') for r in routes()
        if r.method == 'GET' and r.cache and 'export' not in r.path]


def personal(shop):
    """Twenty GETs, most of them about who asks."""
    found = kept_paths(Samples(shop.cluster, shop.database))
    mine = [p for p in found if 'task' in p or 'notif' in p or 'me' in p]
    return (mine + [p for p in found if p not in mine])[:20]


@pytest.mark.seconds(400)
def test_s6_nobody_gets_what_was_computed_for_somebody_else(
        shop, plain):
    """Everything is compared with what a program without memory says."""
    count = 100_000 if FULL else 1_500
    secret = shop.settings['JWT_SECRET_KEY']
    people = [row.split('|') for row in shop.sql(
        'SELECT id, username FROM users WHERE is_active '
        'ORDER BY id LIMIT 50').split('\n')]
    tokens = [(forge.of(*p, secret),
               forge.of(*p, plain.settings['JWT_SECRET_KEY']))
              for p in people]
    paths, expected, foreign = personal(shop), {}, 0
    assert len(paths) == 20 and len(people) >= 40
    chance = random.Random(6)
    with kept(shop) as workers, Connection(plain.sockets[0], 30) as truth:
        for _ in range(count):
            who, path = chance.randrange(len(people)), chance.choice(paths)
            if (who, path) not in expected:
                answer = truth.ask('GET', path, {
                    'Authorization': f'Bearer {tokens[who][1]}'})
                expected[who, path] = answer.status, answer.body
            answer = chance.choice(workers).ask('GET', path, {
                'Authorization': f'Bearer {tokens[who][0]}'})
            foreign += (answer.status, answer.body) != expected[who, path]
    assert foreign == 0
    bodies = {}
    for (who, path), answer in expected.items():
        bodies.setdefault(path, set()).add(answer)
    assert sum(len(b) > 10 for b in bodies.values()) >= 3


# --- others change a row ---

def test_a_change_by_psql_is_seen_by_each_worker_soon(shop, ids, other):
    path, took = f'/api/machines/{ids["machine"]}', []
    for n in range(20):
        for worker in shop.workers():
            assert worker.get(path, 'manager').status == 200
        run(other, 'UPDATE machines SET notes = %s WHERE id = %s',
            f'psql {n}', ids['machine'])
        took.append(until_fresh(shop, lambda w: w.get(
            path, 'manager').json['data']['notes'] == f'psql {n}'))
    assert sorted(took)[len(took) // 2] < 3 * SOON, took
    assert max(took) < at_most(SOON), took


def test_a_user_who_is_no_longer_one_is_refused_soon(shop, other):
    for active, status in ((False, 401), (True, 200)):
        run(other, 'UPDATE users SET is_active = %s WHERE username = %s',
            active, 'mbozkurt6')
        assert until_fresh(shop, lambda w: w.get(
            '/api/auth/me', 'sales').status == status) < at_most(SOON)


def test_a_right_that_was_taken_is_gone_soon(shop, other):
    token = shop.login('sales')
    for allowed, status in ((False, 403), (True, 200)):
        run(other, '''UPDATE role_permissions p SET can_view = %s
              FROM user_roles ur JOIN users u ON u.id = ur.user_id
             WHERE ur.role_id = p.role_id AND resource = 'customers'
               AND username = 'mbozkurt6' ''', allowed)
        assert until_fresh(shop, lambda w: w.get(
            '/api/customers', token=token).status == status) < at_most(SOON)


def test_it_costs_no_query_while_nothing_changes(shop):
    with kept(shop) as workers:
        for worker in workers * 2:
            worker.ask('GET', '/api/machines', headers(shop))
        before = statements(shop), executions(shop, 'valid_from')
        for n in range(1000):
            answer = workers[n % 4].ask('GET', '/api/machines', headers(shop))
            assert cache(answer) == 'hit'
        assert executions(shop, 'valid_from') == before[1]
        assert statements(shop) == before[0]


# --- and one's own writes ---

def write(connection, shop, path, body):
    answer = connection.ask('PATCH', path, headers(
        shop, **{'Content-Type': 'application/json'}), json.dumps(body))
    return answer.status


@pytest.mark.seconds(400)
def test_each_worker_answers_from_after_an_acknowledged_write(shop, ids):
    path = f'/api/machines/{ids["machine"]}'
    stale = reads = 0
    with kept(shop) as workers:
        for n in range(READS // 4):
            assert write(workers[n % 4], shop, path,
                         {'notes': f'own {n}'}) == 200
            for worker in random.sample(workers, 4):
                answer = worker.ask('GET', path, headers(shop))
                stale += answer.json['data']['notes'] != f'own {n}'
                reads += 1
    assert (reads, stale) == (READS, 0)


def write_and_look(shop, number, machine, until, found):
    """A client of two workers: each write of his is in what he reads next."""
    path, n = f'/api/machines/{machine}', 0
    with kept(shop) as workers:
        while time.monotonic() < until or found['reads'] < READS // 2:
            n += 1
            if write(workers[number], shop, path, {'notes': str(n)}) != 200:
                found['refused'] += 1
                continue
            for worker in workers:
                answer = worker.ask('GET', path, headers(shop))
                found['reads'] += 1
                found['stale'] += answer.status != 200 or \
                    answer.json['data']['notes'] != str(n)


def change(shop, customer, until, commits):
    with contextlib.closing(elsewhere(shop)) as other:
        for n in range(1, 1 << 30):
            if time.monotonic() > until:
                return
            run(other, 'UPDATE customers SET notes = %s WHERE id = %s',
                str(n), customer)
            commits.append(time.monotonic())
            time.sleep(0.004)


def compare(shop, customer, until, commits, found):
    """What was committed a second before a read is in it."""
    with kept(shop) as workers:
        while time.monotonic() < until:
            began, count = time.monotonic(), len(commits)
            answer = random.choice(workers).ask(
                'GET', f'/api/customers/{customer}', headers(shop))
            notes = answer.json['data']['notes']
            seen = int(notes) if notes and notes.isdigit() else 0
            found['compared'] += 1
            if seen < count:    # how long ago the next one was committed
                age = began - commits[seen]
                found['oldest'] = max(found['oldest'], age)


@pytest.mark.seconds(400)
def test_r10_also_while_the_listener_loses_its_connection(shop, ids, other,
                                                          capsys):
    machines = shop.sql('SELECT id FROM machines ORDER BY id '
                        'LIMIT 2').split()
    customer, commits = ids['customer'], []
    until, kills = time.monotonic() + SECONDS, 0
    found = [dict(reads=0, stale=0, refused=0) for _ in machines]
    read = dict(compared=0, oldest=0)
    threads = [threading.Thread(target=write_and_look, args=(
        shop, n, machine, until, found[n]))
        for n, machine in enumerate(machines)]
    threads.append(threading.Thread(target=change, args=(
        shop, customer, until, commits)))
    threads.append(threading.Thread(target=compare, args=(
        shop, customer, until, commits, read)))
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        kills += len(run(other, '''SELECT pg_terminate_backend(pid)
            FROM pg_stat_activity WHERE datname = current_database()
             AND application_name = 'reklamd listener' '''))
        time.sleep(0.5)
    for thread in threads:
        thread.join()
    with capsys.disabled():
        print(f'\nR10: {kills} kills, {len(commits)} changes, {read}, '
              f'writers {found}')
    assert kills > SECONDS
    assert read['compared'] > 100 and read['oldest'] < 1
    for writer in found:
        assert writer['reads'] >= READS // 2
        assert writer['stale'] == 0


def test_a_fresh_answer_is_not_thrown_away_by_the_writes_own_notify(
        shop, ids):
    path, hits = f'/api/machines/{ids["machine"]}', 0
    for n in range(50):
        assert shop.worker(n % 4).patch(path, {'notes': f'once {n}'},
                                        'manager').status == 200
        assert cache(shop.worker(0).get(path, 'manager')) == 'miss'
        time.sleep(0.03)
        hits += cache(shop.worker(1).get(path, 'manager')) == 'hit'
    assert hits >= 49


# --- a worker dies, or gives up ---

@contextlib.contextmanager
def locked(shop, machine):
    """Somebody holds the row; until he is told to let go."""
    with contextlib.closing(elsewhere(shop, False)) as other:
        run(other, 'SELECT FROM machines WHERE id = %s FOR UPDATE', machine)
        yield other.rollback


def waits_for_lock(shop):
    return shop.sql('''SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
        ''') == '1'


def notes(shop, machine):
    return shop.sql(f"SELECT notes FROM machines WHERE id = '{machine}'")


@pytest.mark.parametrize('refused_before', [False, True])
def test_a_worker_killed_between_commit_and_bump_leaves_nothing_stale(
        make_shop, refused_before):
    """
    While its write waits for a lock it is stopped; then the lock is let go.
    """
    shop = make_shop(workers=3, DB_POOL_MIN_CONNECTIONS=3, **PATIENT)
    machine = shop.sql('SELECT id FROM machines ORDER BY id LIMIT 1')
    path, who = f'/api/machines/{machine}', headers(
        shop, **{'Content-Type': 'application/json'})
    if refused_before:          # it was rolled back, with what it had said
        code = shop.sql('SELECT code FROM machines LIMIT 1')
        for _ in range(4):
            assert shop.worker(0).post(
                '/api/machines', {'name': 'x', 'code': code},
                'manager').status in (400, 409)
    victim = shop.worker_pids()[0]
    others = [shop.worker(1), shop.worker(2)]

    def see(text):
        return all(w.get(path, 'manager').json['data']['notes'] == text
                   for w in others)

    assert not see('late') and not see('late')
    with Connection(shop.sockets[0], 30) as c, locked(shop, machine) as let:
        c.send(fastcgi.request('PATCH', path, who, '{"notes":"late"}'))
        wait_until(lambda: waits_for_lock(shop))
        os.kill(victim, signal.SIGSTOP)
        let()
        wait_until(lambda: notes(shop, machine) == 'late')
        committed = time.monotonic()
        if refused_before:      # by the NOTIFY: the worker says nothing
            wait_until(lambda: see('late'), at_most(SOON),
                       'what was committed')
        os.kill(victim, signal.SIGKILL)
    wait_until(lambda: see('late'), 1, 'what was committed')
    assert time.monotonic() - committed < at_most(SOON)
    wait_until(shop.is_ready)


def test_a_write_that_is_committed_after_its_worker_gave_up(make_shop,
                                                            postgres):
    """As by a server that waits for its replica, and then goes on."""
    shop = make_shop(workers=2, DB_STATEMENT_MS=300)
    machine = shop.sql('SELECT id FROM machines ORDER BY id LIMIT 1')
    path = f'/api/machines/{machine}'
    shop.login('manager')

    def see(text):
        return [w.get(path, 'manager').json['data']['notes'] == text
                for w in shop.workers()]

    def set_standby(text):
        postgres.ask(f'ALTER SYSTEM SET {text}')
        postgres.ask('SELECT pg_reload_conf()')

    shop.sql(f'''ALTER DATABASE {shop.database}
                 SET synchronous_commit = local''')
    shop.sql(f'''ALTER ROLE reklam IN DATABASE {shop.database}
                 SET synchronous_commit = on''')
    shop.sql('''SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'reklam' ''')
    wait_until(shop.is_ready)
    set_standby("synchronous_standby_names = 'nobody'")
    try:
        time.sleep(0.2)
        assert shop.worker(0).patch(path, {'notes': 'late'},
                                    'manager').status == 503
        wait_until(lambda: see('late') == [False, False])
        assert see('late') == [False, False]
    finally:
        set_standby("synchronous_standby_names = ''")
    wait_until(lambda: notes(shop, machine) == 'late')
    wait_until(lambda: see('late') == [True, True], at_most(SOON))


# --- clearing ---

@pytest.mark.parametrize('what, kept_one', [
    ({}, False), ({'prefix': 'get_machine'}, True),
    ({'table': 'machines'}, True)])
def test_clearing_at_one_worker_clears_for_all(shop, ids, what, kept_one):
    machine = f'/api/machines/{ids["machine"]}'
    clear(shop)
    for path in (machine, '/api/roles'):
        for worker in shop.workers():
            worker.get(path, 'manager')
        assert cache(shop.worker(2).get(path, 'manager')) == 'hit'
    assert clear(shop, 1, **what) >= 1
    assert cache(shop.worker(3).get(machine, 'manager')) == 'miss'
    assert (cache(shop.worker(3).get('/api/roles', 'manager')) ==
            ('hit' if kept_one else 'miss'))


def test_clearing_beats_an_answer_that_is_being_computed(shop):
    with slow_customer(shop, 0.6) as customer:
        path = f'/api/customers/{customer}'
        flight = Asking(shop.worker(0), path)
        time.sleep(0.2)
        clear(shop, 1, prefix='get_customer')
        assert cache(flight.answer()) == 'miss'
        assert cache(shop.worker(0).get(path, 'manager')) == 'miss'
        assert cache(shop.worker(2).get(path, 'manager')) == 'hit'


# --- flights ---

def test_200_at_once_over_four_workers_are_one_execution(shop):
    with slow_customer(shop, 0.5) as customer:
        path = f'/api/customers/{customer}'
        before = executions(shop, 'dealers_of')
        request = fastcgi.request('GET', path, headers(shop))
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Connection(s, 30))
                       for s in shop.sockets for _ in range(50)]
            for client in clients:
                client.send(request)
            answers = [client.answer() for client in clients]
        assert {a.status for a in answers} == {200}
        assert len({a.body for a in answers}) == 1
        said = [cache(a) for a in answers]
        assert said.count('miss') == 1
        assert set(said) <= {'miss', 'wait', 'hit'}
        assert said.count('wait') > 100
        assert executions(shop, 'dealers_of') == before + 1


def test_when_the_worker_that_runs_it_dies_another_one_does_at_once(shop):
    with slow_customer(shop, 1) as customer:
        path = f'/api/customers/{customer}'
        for worker in shop.workers():   # they know who asks
            assert worker.get('/api/machines', 'manager').status == 200
        before = executions(shop, 'dealers_of')
        victim = shop.worker_pids()[0]
        first = Asking(shop.worker(0), path)
        time.sleep(0.3)
        others = [Asking(shop.worker(n), path) for n in (1, 2, 3)]
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        for asking in others:
            assert asking.answer().status == 200
        # A new execution takes its second.
        assert max(a.at for a in others) - killed < 1 + 0.9
        # The dead worker's own statement may have come to its end as well.
        assert executions(shop, 'dealers_of') in (before + 1, before + 2)
        first.answer()
    wait_until(shop.is_ready)


def test_what_cannot_be_kept_is_not_waited_for_in_a_row(shop, ids):
    """No row, nothing to keep: who waits at another worker asks himself."""
    customer = ids['customer']
    with slow_row(shop, 'customers', customer, 0.9, '<>'):
        began = time.monotonic()
        asked = [Asking(w, f'/api/customers/{customer}')
                 for w in shop.workers()]
        assert [a.answer().status for a in asked] == [404] * 4
        # One's own, after one that was in the air; not four in a row.
        assert max(a.at for a in asked) - began < 3 * 0.9


def test_who_comes_after_a_write_does_not_join_what_began_before(shop):
    with slow_customer(shop, 2) as customer:
        path = f'/api/customers/{customer}'
        early = [Asking(w, path) for w in shop.workers()]
        time.sleep(0.5)
        assert shop.worker(1).patch(path, {'notes': 'between'},
                                    'manager').status == 200
        late = [Asking(w, path) for w in shop.workers()]
        assert {a.answer().json['data']['notes'] for a in late} == {'between'}
        for asking in early:    # these may be from before; they came before
            assert asking.answer().status == 200
        for worker in shop.workers():
            assert worker.get(path, 'manager').json['data']['notes'] == \
                'between'


@pytest.mark.seconds(180)
def test_nobody_waits_for_more_than_one_execution_under_writes(shop, ids,
                                                               other):
    """At 200 writes a second, of an answer that takes 700 ms."""
    slowest, ending = 0, threading.Event()

    def write_on():
        while not ending.wait(0.005):
            run(other, 'UPDATE customers SET notes = %s WHERE id = %s',
                str(time.monotonic()), ids['customer'])

    with slow_customer(shop, 0.7) as customer:
        writer = threading.Thread(target=write_on)
        writer.start()
        try:
            for _ in range(3):
                began = time.monotonic()
                asked = [Asking(w, f'/api/customers/{customer}')
                         for w in shop.workers() * 5]
                assert {a.answer().status for a in asked} == {200}
                slowest = max([slowest] + [a.at - began for a in asked])
        finally:
            ending.set()
            writer.join()
    # One that is in the air already does not count for who joins it.
    assert slowest < 3 * 0.7


# --- what is told of it ---

def test_the_numbers_are_the_whole_programs(shop, ids):
    path = f'/api/machines/{ids["machine"]}'

    def told(number):
        return shop.worker(number).get(
            '/api/health/cache', 'manager').json['cache_stats']

    clear(shop)
    before = told(0)
    with kept(shop) as workers:
        for n in range(40):
            workers[n % 4].ask('GET', path, headers(shop))
    seen = [told(n) for n in range(4)]
    assert all(s['hits'] - before['hits'] == 39 for s in seen)
    assert all(s['misses'] - before['misses'] == 1 for s in seen)
    assert len(seen[0]['workers']) == 4
    assert sum(w['hits'] for w in seen[0]['workers']) == seen[0]['hits']
    assert seen[0]['hits_other'] - before['hits_other'] == 30
    assert seen[0]['prefixes']['get_machine']['active'] == 1
    for name in ('total_entries', 'active_entries', 'expired_entries',
                 'prefix', 'bytes', 'capacity', 'stale', 'evictions',
                 'bumps', 'hit_rate'):
        assert name in seen[0]
