"""What is written down, what never is, and that writing keeps nobody waiting.

O1, O2, O3 and O5 are rows of the project's table of faults.
"""

import json
import os
import random
import re
import signal
import threading
import time

import pytest

import fastcgi
import forge
import process
from backends import Asking, Backends, locked
from load import Load
from process import FULL, at_most, wait_until
from shop import PASSWORDS

TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z'
UUID = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
SEARCHED = 'gizlimusteri'
JSON = {'Content-Type': 'application/json'}


def lines(shop):
    return shop.program.log.read_text().split('\n')[:-1]


def line_of(shop, request):
    """The line of a request, by its id."""
    return wait_until(lambda: [x for x in lines(shop) if request in x], 5)[-1]


# --- the lines ---

@pytest.fixture(scope='module')
def text(make_shops):
    return make_shops(LOG_LEVEL='debug')


@pytest.fixture(scope='module')
def as_json(make_shops):
    return make_shops(LOG_LEVEL='debug', LOG_FORMAT='json')


def test_a_line_of_text_is_for_people(text):
    answer = text.get('/api/users?limit=3', 'manager')
    line = line_of(text, answer.headers['x-request-id'])
    assert re.fullmatch(
        f'{TIME} worker-\\d debug request request=[0-9a-f]{{32}} '
        f'method=GET route=/api/users statement=users user={UUID} '
        r'status=200 bytes=\d+ us=\d+ cache=miss queued_us=\d+ '
        r'query_us=\d+', line), line
    assert all(re.match(f'{TIME} [a-z]+(-\\d+)? (error|warning|notice|debug) ',
                        x) for x in lines(text))


def test_a_line_of_json_is_for_programs(as_json):
    answer = as_json.get('/api/users?limit=3', 'manager')
    request = answer.headers['x-request-id']
    found = json.loads(line_of(as_json, request))
    assert found.pop('time') and found.pop('us') > 0
    assert found.pop('query_us') >= 0 and found.pop('queued_us') >= 0
    assert found.pop('who') in ('worker-0', 'worker-1')
    assert found.pop('user') == as_json.sql(
        "SELECT id FROM users WHERE username = 'admin'")
    assert found.pop('bytes') > len(answer.body)
    assert found == {'level': 'debug', 'event': 'request', 'method': 'GET',
                     'request': request, 'route': '/api/users',
                     'statement': 'users', 'status': 200, 'cache': 'miss'}
    for line in lines(as_json):
        assert {'time', 'who', 'level'} <= set(json.loads(line))


def test_refusals_have_their_line_too(as_json):
    for path, status, route in (('/api/nowhere', 404, None),
                                ('/api/jobs', 401, '/api/jobs'),
                                ('/api/jobs/x', 401, '/api/jobs/{id}')):
        answer = as_json.get(path)
        assert answer.status == status
        found = json.loads(line_of(as_json, answer.headers['x-request-id']))
        assert (found['status'], found.get('route')) == (status, route)
        assert 'user' not in found


def test_a_slow_request_is_told_with_its_times(make_shop):
    shop = make_shop(SLOW_MS=50)
    shop.sql('''CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON machines
            FOR EACH ROW EXECUTE FUNCTION slowly()''')
    answer = shop.post('/api/machines', {'name': 'a', 'code': 'a'},
                       'manager')
    line = line_of(shop, answer.headers['x-request-id'])
    assert ' notice slow ' in line
    assert int(re.search(r' query_us=(\d+)', line)[1]) >= 200000
    assert int(re.search(r' us=(\d+)', line)[1]) >= 200000
    quick = shop.get('/api/health')
    time.sleep(0.1)
    assert quick.headers['x-request-id'] not in shop.program.tail()


def test_nginx_and_reklamd_tell_of_one_request(text):
    answer = text.get('/api/auth/me', 'manager')
    request = answer.headers['x-request-id']
    line_of(text, request)
    access = text.web.directory / 'reklam-access.log'
    wait_until(lambda: request in access.read_text(), 5)


# --- what is never written ---

@pytest.mark.parametrize('name', ['text', 'as_json'])
def test_no_secret_is_in_any_log(request, name):
    shop = request.getfixturevalue(name)
    token, secret = shop.login('manager'), shop.settings['JWT_SECRET_KEY']
    shop.get(f'/api/users?search={SEARCHED}', 'manager')
    shop.get(f'/api/users?{SEARCHED}={SEARCHED}', 'manager')
    shop.get(f'/api/{SEARCHED}', 'manager')
    shop.get(f'/api/jobs/{SEARCHED}', 'manager')
    shop.post('/api/machines', {'name': SEARCHED, 'code': SEARCHED},
              'manager')
    shop.post('/api/machines', f'{{"name": "{SEARCHED}', 'manager',
              headers=JSON)
    shop.post('/api/auth/login', {'username': 'akaya',
                                  'password': 'yanlis-parola'})
    shop.post('/api/auth/login', {'username': SEARCHED, 'password': 'x'})
    shop.post('/api/auth/login', {'username': 'akaya',
                                  'password': PASSWORDS['akaya']})
    shop.post('/api/auth/password', {'current_password': 'eski-parola',
                                     'new_password': 'yeni-parola'},
              'manager')
    shop.get('/api/auth/me', token=token[:-2])
    shop.get('/api/auth/me', token=forge.expired(token, secret))
    shop.sql('ALTER TABLE machines RENAME TO moved')
    assert shop.get('/api/machines', 'manager').status in (200, 500)
    assert shop.post('/api/machines', {'name': SEARCHED, 'code': 'c'},
                     'manager').status == 500
    shop.sql('ALTER TABLE moved RENAME TO machines')
    shop.get('/api/health')
    time.sleep(1.2)             # nginx writes once a second
    access = shop.web.directory / 'reklam-access.log'
    said = shop.program.log.read_text()
    assert 'statement_failed' in said and access.read_text()
    # nginx logs a path; a query it does not.
    for where, words in ((said, [SEARCHED]), (access.read_text(), [])):
        for word in [*words, secret, token.split('.')[2][:20],
                     token.split('.')[1][:40], 'Bearer', 'yanlis-parola',
                     'eski-parola', 'yeni-parola', *PASSWORDS.values(),
                     f'search={SEARCHED}', '$2a$', '$2b$']:
            assert word not in where, word


def test_nor_in_what_nginx_says_of_a_worker_that_ended(text):
    """nginx tells each request that it could not pass on with its line."""
    token = text.login('manager')
    with Backends(text) as backends, locked(text, 'users'):
        asking = Asking([lambda: text.browser().get(
            f'/api/users?search={SEARCHED}', token=token)])
        backends.waits_for(1)
        for _ in range(2):      # at the second it is not asked again
            for pid in text.worker_pids().values():
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)
    assert asking.all()[0].status in (200, 503)
    wait_until(text.is_ready)
    for path in text.web.directory.glob('*.log'):
        assert path.name == 'reklam-access.log' or \
            SEARCHED not in path.read_text(), path


# --- O1: nobody reads the log ---

def logging_to(shop, redirection):
    """The shop's program, with another standard error."""
    shop.program.argv = ['sh', '-c', f'exec "$@" {redirection}', 'sh',
                         *shop.program.argv]


class Unread:
    """A pipe as log, and its reader, who sleeps until told."""

    def __init__(self, shop):
        self.path = shop.directory / 'pipe'
        os.mkfifo(self.path)
        process.give(self.path)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        logging_to(shop, f'2>{self.path}')

    def read(self):
        found = b''
        while True:
            try:
                more = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return found
            if not more:
                return found
            found += more

    def close(self):
        os.close(self.fd)


@pytest.fixture
def quiet(private, postgres, database):
    """A shop not yet started."""
    from shop import Shop
    made = []

    def make(**settings):
        shop = Shop(private / f'quiet-{len(made)}-{os.urandom(3).hex()}',
                    postgres, database, web=False, LOG_LEVEL='debug',
                    **settings)
        made.append(shop)
        return shop
    yield make
    for shop in made:
        assert not shop.stop()
    postgres.drop_database(database)


def many(shop, count):
    """So many requests, in parallel; all of them are answered."""
    def ask(number):
        with fastcgi.Connection(shop.sockets[number % 2]) as peer:
            for _ in range(count // 4):
                assert peer.ask('GET', '/api/health').status == 200
            done.append(number)
    done = []
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 4


def renewed(shop, pids):
    """Other workers than these are there, and no more of them."""
    now = shop.worker_pids()
    return len(shop.program.children()) == 3 and len(now) == 2 and \
        not set(now.values()) & set(pids.values()) and shop.is_ready()


def dropped(shop):
    text = shop.worker(0).get('/api/metrics').body.decode()
    return sum(float(x) for x in re.findall(
        r'^reklam_log_dropped_total.* ([\d.e+]+)$', text, re.M))


def test_o1_a_full_pipe_keeps_nobody_waiting(quiet):
    shop = quiet()
    pipe = Unread(shop)
    shop.start()
    pids = shop.worker_pids()
    many(shop, 4000)            # 64 KB are full after 400 lines
    wait_until(lambda: dropped(shop) > 1000, 5)
    said = pipe.read()
    assert len(said) >= 60000
    many(shop, 40)              # each worker counts at its next request
    lost = dropped(shop)
    many(shop, 40)
    assert dropped(shop) == lost
    said = pipe.read().decode().split('\n')
    assert sum(' debug request ' in line for line in said) >= 40
    # What is counted outlives who counted it.
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: shop.worker_pids().get(0, pids[0]) != pids[0]
               and shop.is_ready())
    many(shop, 40)
    assert dropped(shop) >= lost
    pids = shop.worker_pids()
    # A reload is possible with a full pipe, and so is an end.
    many(shop, 2000)
    shop.reload()
    wait_until(lambda: renewed(shop, pids), 15)
    assert not shop.stop()
    pipe.close()


def test_o1_a_reader_who_has_gone_is_no_reason_to_go(quiet):
    shop = quiet()
    pipe = Unread(shop)
    shop.start()
    pids = shop.worker_pids()
    pipe.close()
    many(shop, 1000)
    assert shop.worker_pids() == pids
    shop.reload()
    wait_until(lambda: renewed(shop, pids), 15)
    many(shop, 1000)


@pytest.mark.parametrize('where', ['<&- >&- 2>&-', '2>/dev/full'])
def test_o1_no_log_or_a_full_disk(quiet, where):
    shop = quiet()
    logging_to(shop, where)
    shop.start()
    pids = shop.worker_pids()
    many(shop, 2000)
    assert shop.worker_pids() == pids
    if 'full' in where:
        wait_until(lambda: dropped(shop) > 1000, 5)
    # A reload looks at standard error anew: it is nobody's socket by now.
    shop.reload()
    wait_until(lambda: renewed(shop, pids), 15)
    for pid in shop.program.children():
        for number in (0, 1, 2):
            assert os.readlink(f'/proc/{pid}/fd/{number}') \
                in ('/dev/null', '/dev/full') or number < 2
    many(shop, 2000)


# --- O2: the clock jumps ---

@pytest.mark.once
def test_o2_only_tokens_follow_the_clock(make_shop, private):
    """An hour on and back, ten years on; what is waited for is not."""
    path = process.write(private / 'clock', '+0')
    shop = make_shop(env={
        'LD_PRELOAD': process.program('', '',
                                      '/usr/lib/*/faketime/libfaketime.so.1'),
        'FAKETIME_TIMESTAMP_FILE': path, 'FAKETIME_NO_CACHE': '1',
        'FAKETIME_DONT_FAKE_MONOTONIC': '1'}, JWT_EXPIRATION_HOURS=2)
    token = shop.login('manager')
    me = [w.get('/api/auth/me', token=token).headers['x-cache']
          for w in shop.workers() * 2]
    assert me[-1] == 'hit'
    for jump, status in (('+3600', 200), ('+7300', 401), ('-3600', 401),
                         ('+315360000', 401), ('+0', 200)):
        process.write(path, jump)
        for worker in shop.workers():
            began = time.monotonic()
            answer = worker.get('/api/auth/me', token=token)
            assert time.monotonic() - began < at_most(0.1)
            assert answer.status == status, jump
            if status == 200:
                assert answer.headers['x-cache'] == 'hit'
                assert int(answer.headers['age']) < 60
        assert shop.is_ready()
    assert len(shop.program.children()) == 3


# --- O3, O5: memory ---

def memory(pid, what='VmRSS'):
    with open(f'/proc/{pid}/status') as status:
        return int(re.search(rf'^{what}:\s+(\d+) kB', status.read(),
                             re.M)[1]) * 1024


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


@pytest.mark.once
@pytest.mark.seconds(2400)
def test_o3_it_does_not_grow(make_shop):
    """Reads, writes, refusals; memory and descriptors after a warm-up."""
    shop = make_shop(DB_POOL_WAIT_MS=5000, CACHE_SEGMENT_MB=1)
    token = shop.login('manager')
    users = shop.sql('SELECT id FROM users').split()

    def ask(browser, n):
        if n % 100 == 0:
            return browser.post('/api/machines', b'{"name":', token=token,
                                headers=JSON)
        if n % 50 == 0:
            return browser.post('/api/machines', {
                'name': f'N{n}', 'code': f'N{n}'}, token=token)
        if n % 7 == 0:
            return browser.get('/api/jobs?limit=100', token=token)
        return browser.get(f'/api/users/{random.choice(users)}', token=token)

    def count(browser, n):
        return ask(browser, n).status

    seconds = 900 if FULL else 5
    with Load(shop, count, clients=4) as load:
        time.sleep(seconds)
        before = {pid: (memory(pid), descriptors(pid))
                  for pid in shop.program.children()}
        time.sleep(seconds)
        after = {pid: (memory(pid), descriptors(pid))
                 for pid in shop.program.children()}
    assert set(load.seen) == {200, 201, 400}, load.seen
    assert set(before) == set(after)
    for pid in before:
        assert after[pid][0] - before[pid][0] <= 2 << 20, (before, after)
        assert abs(after[pid][1] - before[pid][1]) <= 6


def test_o5_a_megabyte_of_json_takes_little_memory(make_shop):
    shop = make_shop(web=False)
    pid = shop.worker_pids()[0]
    worker = shop.worker(0)
    worker.get('/api/auth/me', 'manager')
    before = memory(pid)
    half = 500_000
    for body in (f'{{"name":"a","code":"b","notes":"{"x" * half}"}}',
                 f'{{"name":"a","code":"b","a":[{"1," * 9000}1]}}',
                 f'{{"name":"a","code":"b","a":[{"1," * half}1]}}',
                 '{"a":' * 170000, '[' * 1000000,
                 '{' + ','.join(f'"k{i}":{i}' for i in range(60000)) + '}',
                 '{"a":"' + '\\u0041' * 170000 + '"}'):
        assert len(body) < 1 << 20
        for _ in range(3):
            answer = worker.post('/api/machines', body, 'manager',
                                 headers=JSON)
            assert answer.status in (201, 400, 409), answer
    assert shop.worker_pids()[0] == pid
    assert memory(pid, 'VmHWM') - before < 25 << 20
