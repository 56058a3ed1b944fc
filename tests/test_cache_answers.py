"""What an answer from memory looks like, how old it may be, and when it is
given although it may be out of date.  O2 is a row of the table of faults.
"""

import gzip
import re
import time

import pytest

import process
from process import FULL, wait_until
from samples import Samples
from shop import FAKETIME, ROLES
from test_cache import (SOON, cache, clear, executions, statements,
                        until_fresh)

PLAIN = re.compile(r'"[0-9a-f]{32}"')
PACKED = re.compile(r'"[0-9a-f]{32}-z"')
HOUR, DAY, YEAR = 3600, 86400, 31557600
NOON = 12 * HOUR - int(time.time()) % DAY       # from now


def logged_in(shop):
    for who in ROLES:           # now: a login is a write
        shop.login(who)
    shop.ids = Samples(shop.cluster, shop.database).ids
    shop.machine = f'/api/machines/{shop.ids["machine"]}'
    return shop


@pytest.fixture(scope='module')
def shop(make_shops):
    return logged_in(make_shops(
        workers=3, DB_POOL_WAIT_MS=5000, DB_CONNECT_MS=5000,
        DB_STATEMENT_MS=10000, CACHE_TTL_get_roles=1,
        CACHE_TTL_get_users=0))


# --- its head ---

def test_an_answer_says_what_it_is_and_how_old(shop):
    clear(shop)
    first = shop.worker(0).get(shop.machine, 'manager')
    time.sleep(1.1)
    second = shop.worker(1).get(shop.machine, 'manager')
    for answer, said, age in ((first, 'miss', 0), (second, 'hit', 1)):
        h = answer.headers
        assert PLAIN.fullmatch(h['etag'])
        assert h['cache-control'] == 'private, no-cache'
        assert h['vary'] == 'Authorization, Accept-Encoding'
        assert h['x-cache'] == said
        assert int(h['age']) in (age, age + 1)
        assert 'warning' not in h
        assert f'cache;desc={said}' in h['server-timing']
    assert first.body == second.body
    assert first.headers['etag'] == second.headers['etag']


def test_the_same_content_has_the_same_etag_at_each_worker(shop):
    tags = set()
    for worker in shop.workers():
        clear(shop)
        tags.add(worker.get(shop.machine, 'manager').headers['etag'])
    assert len(tags) == 1


def test_errors_are_not_kept(shop):
    for path, who, status in (
            (f'{shop.machine[:-12]}{"0" * 12}', 'manager', 404),
            ('/api/machines?limit=x', 'manager', 400),
            ('/api/dashboard/tasks', 'sales', 403)):
        for _ in range(2):
            answer = shop.worker(0).get(path, who)
            assert answer.status == status
            assert answer.headers['cache-control'] == 'no-store'
            assert 'etag' not in answer.headers
            assert cache(answer) is None


def asked(shop, tags, **more):
    return shop.worker(2).get(shop.machine, 'manager',
                              headers={'If-None-Match': tags, **more})


def test_who_has_it_is_told_so_without_the_database(shop):
    tag = shop.get(shop.machine, 'manager').headers['etag']
    for worker in shop.workers() * 2:       # the connections are there
        worker.get(shop.machine, 'manager')
    before = statements(shop)
    for tags in (tag, f'W/{tag}', f'"a", {tag}', f'{tag}, "b"', '*',
                 f'"x" , W/"y",{tag}'):
        answer = asked(shop, tags)
        assert (answer.status, answer.body) == (304, b''), tags
        assert answer.headers['etag'] == tag
        assert answer.headers['cache-control'] == 'private, no-cache'
        assert answer.headers['vary'] == 'Authorization, Accept-Encoding'
        assert cache(answer) == 'hit'
        through_nginx = shop.get(shop.machine, 'manager',
                                 headers={'If-None-Match': tags})
        assert (through_nginx.status, through_nginx.body) == (304, b'')
    assert statements(shop) == before
    for tags in ('"a"', tag[:-2] + '"', tag.strip('"'), '"*"', ''):
        assert asked(shop, tags).status == 200, tags


def test_and_gets_the_new_one_when_it_has_changed(shop):
    tag = shop.get(shop.machine, 'manager').headers['etag']
    assert shop.patch(shop.machine, {'notes': str(time.time())},
                      'manager').status == 200
    answer = asked(shop, tag)
    assert answer.status == 200 and answer.headers['etag'] != tag


def test_304_is_also_for_an_answer_that_had_to_be_computed(shop):
    tag = shop.get(shop.machine, 'manager').headers['etag']
    clear(shop)
    answer = asked(shop, tag)
    assert (answer.status, cache(answer)) == (304, 'miss')


def test_head_is_get_without_a_body(shop):
    get = shop.get(shop.machine, 'manager')
    head = shop.ask('HEAD', shop.machine, who='manager')
    assert (head.status, head.body) == (200, b'')
    for name in ('etag', 'content-length', 'content-type', 'cache-control',
                 'vary', 'x-cache'):
        assert head.headers[name] == get.headers[name]
    assert int(head.headers['content-length']) == len(get.body)
    again = shop.ask('HEAD', shop.machine, who='manager',
                     headers={'If-None-Match': get.headers['etag']})
    assert (again.status, again.body) == (304, b'')
    missing = shop.ask('HEAD', f'{shop.machine[:-12]}{"0" * 12}',
                       who='manager')
    assert (missing.status, missing.body) == (404, b'')


# --- its compressed form ---

def packed(worker, path, **more):
    return worker.get(path, 'manager', headers={
        'Accept-Encoding': 'br, gzip;q=0.8', **more})


@pytest.mark.parametrize('path', ['/api/machines', '/api/jobs?limit=100'])
def test_what_is_asked_for_twice_is_compressed_once_for_all(shop, path):
    clear(shop)
    first, second = (packed(shop.worker(0), path) for _ in range(2))
    assert [cache(first), cache(second)] == ['miss', 'hit']
    assert first.headers['etag'] == second.headers['etag']
    assert 'content-encoding' not in second.headers
    # A large one is made beside the loop.
    if 'jobs' in path:
        assert len(first.body) > 16384
    third = wait_until(lambda: next((a for a in [
        packed(shop.worker(0), path)] if 'content-encoding' in a.headers),
        None), 5)
    assert third.headers['content-encoding'] == 'gzip'
    assert cache(third) == 'hit'
    assert len(third.body) < len(first.body)
    assert int(third.headers['content-length']) == len(third.body)
    assert gzip.decompress(third.body) == first.body
    assert PACKED.fullmatch(third.headers['etag'])
    assert third.headers['vary'] == 'Authorization, Accept-Encoding'
    for name in ('content-type', 'cache-control', 'x-total-count'):
        assert third.headers.get(name) == first.headers.get(name)
    for number in (1, 2):       # it is not made anew there
        packed(shop.worker(number), path)
        other = packed(shop.worker(number), path)
        assert other.body == third.body


def test_only_who_takes_it_gets_the_compressed_form(shop):
    path = '/api/machines'
    wait_until(lambda: packed(shop.worker(0), path).headers.get(
        'content-encoding'), 5)
    for accepted in (None, 'identity', 'gzip;q=0', 'br', 'xgzip'):
        answer = shop.worker(0).get(path, 'manager', headers={
            'Accept-Encoding': accepted} if accepted else {})
        assert 'content-encoding' not in answer.headers, accepted
        assert answer.json['data']
    assert packed(shop, path).status == 200     # through nginx


def test_each_form_has_its_etag_and_either_will_do(shop):
    path = '/api/machines'
    plain = shop.worker(0).get(path, 'manager').headers['etag']
    form = wait_until(lambda: next((a for a in [packed(
        shop.worker(0), path)] if 'content-encoding' in a.headers), None), 5)
    tag = form.headers['etag']
    assert tag == plain[:-1] + '-z"'
    for had in (plain, tag, f'W/{tag}'):
        answer = packed(shop.worker(0), path, **{'If-None-Match': had})
        assert answer.status == 304
        assert answer.headers['etag'] == had.removeprefix('W/')
    # Who does not take it now, has no use for the one he had.
    assert shop.worker(0).get(path, 'manager', headers={
        'If-None-Match': tag}).status == 200


def test_the_compressed_form_is_no_older_than_the_data(shop):
    path = '/api/machines'
    wait_until(lambda: packed(shop.worker(0), path).headers.get(
        'content-encoding'), 5)
    text = f'at {time.time()}'
    assert shop.worker(1).patch(shop.machine, {'notes': text},
                                'manager').status == 200
    answer = packed(shop.worker(0), path)
    assert cache(answer) == 'miss' and text.encode() in answer.body


def test_a_small_answer_is_not_compressed(shop):
    for _ in range(4):
        answer = packed(shop.worker(0), shop.machine)
    assert len(answer.body) < 1024
    assert 'content-encoding' not in answer.headers


# --- its age ---

def test_a_name_has_its_own_age_limit(shop):
    path = '/api/roles'         # one second, says the setting
    first = shop.worker(0).get(path, 'manager')
    assert cache(shop.worker(1).get(path, 'manager')) == 'hit'
    time.sleep(1.1)
    again = shop.worker(0).get(path, 'manager')
    assert cache(again) == 'miss' and again.body == first.body


def test_and_0_is_off(shop):
    before = statements(shop)
    for worker in shop.workers():
        answer = worker.get('/api/users', 'manager')
        assert (answer.status, cache(answer)) == (200, 'miss')
    assert cache(shop.worker(0).get('/api/users', 'manager')) == 'miss'
    assert statements(shop) >= before + 4


def test_a_greatest_age_of_0_is_no_cache_at_all(make_shop):
    shop = logged_in(make_shop(workers=1, web=False, CACHE_TTL_MAX=0))
    before = statements(shop), executions(shop, 'valid_from')
    for _ in range(5):
        answer = shop.worker(0).get(shop.machine, 'manager')
        assert cache(answer) == 'miss'
    assert executions(shop, 'valid_from') == before[1] + 5
    assert statements(shop) == before[0] + 10
    stats = shop.worker(0).get('/api/health/cache',
                               'manager').json['cache_stats']
    assert (stats['hits'], stats['total_entries']) == (0, 0)


# --- the wall clock ---

class Clock:
    """The program's, to be set while it runs; timers stay as they are."""

    def __init__(self, path):
        self.path = path
        self.set(0)
        self.env = {
            'LD_PRELOAD': process.program('', '', FAKETIME),
            'FAKETIME_TIMESTAMP_FILE': path, 'FAKETIME_NO_CACHE': '1',
            'FAKETIME_DONT_FAKE_MONOTONIC': '1'}

    def set(self, seconds):
        process.write(self.path, f'{seconds:+d}\n')


@pytest.fixture(scope='module')
def clock(private):
    return Clock(private / 'clock')


@pytest.fixture(scope='module')
def clocked(make_shops, clock):
    """At noon of today."""
    clock.set(NOON)
    return logged_in(make_shops(workers=2, env=clock.env, web=False,
                                CACHE_TTL_get_roles=2))


def test_midnight_changes_the_key(clocked, clock):
    path = '/api/dashboard/stats'

    def overdue():
        answer = clocked.worker(0).get(path, 'manager')
        return answer.json['data']['jobs']['overdue'], cache(answer)

    today = time.strftime('%Y-%m-%d', time.gmtime())
    clocked.sql(f"""UPDATE jobs SET due_date = '{today}' WHERE id = (
        SELECT id FROM jobs WHERE status = 'active' LIMIT 1)""")
    time.sleep(3 * SOON)
    clock.set(DAY - 3 - int(time.time()) % DAY)
    before, said = overdue()
    assert overdue() == (before, 'hit')
    end = time.monotonic() + 10
    while overdue()[0] == before and time.monotonic() < end:
        time.sleep(0.05)
    assert overdue() == (clocked_overdue(clocked, today), 'hit')
    assert overdue()[0] > before
    clock.set(NOON)
    assert overdue() == (before, 'hit')     # the day's own answer


def clocked_overdue(shop, today):
    return int(shop.sql(f"""SELECT count(*) FROM jobs
        WHERE due_date <= '{today}'
          AND status NOT IN ('completed', 'canceled')"""))


@pytest.mark.parametrize('jump, status', [
    (HOUR, 200), (-HOUR, 401), (10 * YEAR, 401), (0, 200)])
def test_o2_a_clock_that_jumps_moves_tokens_and_nothing_else(
        clocked, clock, jump, status):
    clock.set(NOON)
    clear(clocked)
    assert clocked.worker(0).get(clocked.machine, 'manager').status == 200
    assert clocked.worker(0).get('/api/roles', 'manager').status == 200
    stored = time.monotonic()
    clock.set(NOON + jump)
    assert clocked.worker(0).get(clocked.machine,
                                 'manager').status == status
    if status == 200:           # neither too old at once nor for ever young
        answer = clocked.worker(1).get('/api/roles', 'manager')
        if time.monotonic() - stored < 1.8:
            assert cache(answer) == 'hit'
        answer = clocked.worker(1).get(clocked.machine, 'manager')
        assert cache(answer) == 'hit' and int(answer.headers['age']) < 5
        time.sleep(max(0, stored + 2.1 - time.monotonic()))
        assert cache(clocked.worker(1).get('/api/roles',
                                           'manager')) == 'miss'
    # Timers go on: what others change is heard, and what is asked answered.
    before = time.monotonic()
    clocked.sql(f"UPDATE machines SET notes = 'jump {jump}' WHERE id = "
                f"'{clocked.machine[-36:]}'")
    clock.set(NOON)
    until_fresh(clocked, lambda w: w.get(clocked.machine, 'manager').json[
        'data']['notes'] == f'jump {jump}')
    assert time.monotonic() - before < 2
    assert clocked.is_ready()


# --- without the database ---

class Away:
    """with Away(postgres): it cannot be reached."""

    def __init__(self, postgres):
        self.postgres = postgres

    def __enter__(self):
        assert self.postgres.stop()

    def __exit__(self, *_):
        self.postgres.start()


def no_database(shop):
    """As each worker sees it: it refuses what is not in memory."""
    return all(w.get('/api/health/ready').status == 503
               for w in shop.workers())


@pytest.mark.seconds(240)
def test_without_the_database_the_last_answer_is_given_and_marked(
        shop, postgres):
    for path in (shop.machine, '/api/auth/me'):
        for worker in shop.workers():
            fresh = worker.get(path, 'manager')
            assert 'warning' not in fresh.headers
    shop.get(shop.machine, 'manager')
    with Away(postgres):
        began = time.monotonic()
        wait_until(lambda: no_database(shop))
        for worker in [*shop.workers(), shop]:
            answer = worker.get(shop.machine, 'manager')
            assert answer.status == 200
            assert cache(answer) == 'stale'
            assert answer.headers['warning'].startswith('110 ')
            assert int(answer.headers['age']) >= 0
            etag = answer.headers['etag']
            again = worker.get(shop.machine, 'manager',
                               headers={'If-None-Match': etag})
            assert again.status == 304
            assert again.headers['warning'].startswith('110 ')
        never_asked = shop.worker(0).get('/api/export/customers.csv',
                                         'manager')
        assert never_asked.status == 503
        assert shop.worker(0).get('/api/users', 'manager').status == 503
        refused = shop.worker(0).patch(shop.machine, {'notes': 'x'},
                                       'manager')
        assert refused.status == 503 and refused.headers['retry-after']
        if FULL:                # for a minute, and no longer
            time.sleep(max(0, began + 58 - time.monotonic()))
            assert shop.worker(0).get(shop.machine, 'manager').status == 200
            time.sleep(max(0, began + 62 - time.monotonic()))
            for worker in shop.workers():
                assert worker.get(shop.machine, 'manager').status == 503
    wait_until(shop.is_ready, 10)
    wait_until(lambda: cache(shop.worker(0).get(
        shop.machine, 'manager')) in ('hit', 'miss'), 5)
    for worker in shop.workers():
        answer = worker.get(shop.machine, 'manager')
        assert answer.status == 200 and 'warning' not in answer.headers


def test_but_never_one_from_before_a_write(shop, postgres):
    """That was acknowledged; of one in doubt nobody knows anything yet."""
    customer = f'/api/customers/{shop.ids["customer"]}'
    for path in (shop.machine, customer):
        for worker in shop.workers():
            assert worker.get(path, 'manager').status == 200
    assert shop.worker(1).patch(shop.machine, {'notes': 'the last'},
                                'manager').status == 200
    with Away(postgres):
        wait_until(lambda: no_database(shop))
        for worker in shop.workers():
            assert worker.get(shop.machine, 'manager').status == 503
            assert cache(worker.get(customer, 'manager')) == 'stale'
    wait_until(shop.is_ready, 10)


def test_and_not_because_a_worker_alone_cannot_reach_it(shop):
    """The listener is well: what is in memory is exact, the rest refused."""
    wait_until(shop.is_ready, 10)
    shop.worker(0).get(shop.machine, 'manager')
    assert cache(shop.worker(1).get(shop.machine, 'manager')) == 'hit'
