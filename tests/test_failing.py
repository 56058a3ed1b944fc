"""F4: the Nth call fails, for every N, whatever it is.

Memory, libpq, libevent, sockets, hashes and signatures: what our own code
calls (tests/failing).  In short every few calls of each request; all of them,
and more than once, with REKLAM_FULL.
"""

import mmap
import os
import re
import shutil
import struct
import time
from collections import Counter

import pytest

import fastcgi
import process
from process import FULL, build, wait_until
from shop import Shop

pytestmark = pytest.mark.memory

FOREIGN = re.compile(r'SQLSTATE|libpq|FATAL|ERROR:|relation "|/tmp/|assert')
NIL = '00000000-0000-0000-0000-000000000000'
STEP = int(os.environ.get('REKLAM_STEP', 1 if FULL else 3))
TIMES = 15 if FULL else 1
PATIENCE = 6                # seconds; no answer takes longer
LEAST = 5000 if FULL else 100


class Failing:
    """The page of tests/failing/fail.c."""

    FORM = 'iiii48s'

    def __init__(self, path):
        self.path = process.write(path, '\0' * 4096)
        with open(path, 'r+b') as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def set(self, pid, at, look=0):
        self.page[:64] = struct.pack(self.FORM, 0, at, 0, look, b'')
        struct.pack_into('i', self.page, 0, pid)

    def read(self):
        """(calls, the name of what failed or '')."""
        _, _, calls, _, name = struct.unpack(self.FORM, self.page[:64])
        return calls, name.rstrip(b'\0').decode()


@pytest.fixture
def shop(private, postgres, database):
    made = build() / 'tests/failing/reklamd'
    if not made.exists():
        pytest.fail(f'{made} was not built: make units')
    shop = Shop(private / 'failing', postgres, database, web=False,
                PASSWORD_COST=4, DB_POOL_WAIT_MS=2000, SLOW_MS=60000,
                LOG_LEVEL='error')
    shop.failing = Failing(shop.directory / 'page')
    shop.program.env['REKLAM_FAIL'] = shop.failing.path
    shutil.copy2(made, shop.directory / 'reklamd')
    shop.program.argv[0] = shop.directory / 'reklamd'
    yield shop.start()
    faults = shop.stop()
    postgres.drop_database(database)
    assert not faults


def requests(shop):
    """(method, path, body, who or headers, status, whether its connections
    are ended before); {} is another number each time."""
    job = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1')
    machine = shop.sql('SELECT id FROM machines ORDER BY id LIMIT 1')
    right = '{"username":"akaya","password":"operator123"}'
    wrong = '{"username":"nobody {}","password":"no"}'
    shop.sql("UPDATE jobs SET description = repeat('x', 300000) "
             f"WHERE id = '{job}'")
    return [
        ('GET', '/api/health', None, None, 200),
        ('GET', '/api/auth/me', None, 'manager', 200),
        ('GET', '/api/jobs?limit=20', None, 'manager', 200),
        ('GET', '/api/jobs?search=x{}', None, 'operator', 200),
        ('GET', '/api/jobs?limit=100', None, {'Accept-Encoding': 'gzip'},
         200),
        ('GET', f'/api/jobs/{job}', None, 'manager', 200),
        ('GET', f'/api/jobs/{job}', None, {'If-None-Match': '*'}, 304),
        ('GET', f'/api/jobs/{NIL[:-8]}{{}}', None, 'manager', 404),
        ('GET', '/api/jobs?limit=x', None, 'manager', 400),
        ('GET', '/api/jobs', None, None, 401),
        ('GET', '/api/nowhere', None, None, 404),
        ('GET', '/api/metrics', None, None, 200),
        ('GET', '/api/openapi.json', None, None, 200),
        ('GET', '/api/health/db', None, 'manager', 200),
        ('GET', '/api/health/cache', None, 'manager', 200),
        ('POST', '/api/health/cache/clear', None, 'manager', 200),
        ('POST', '/api/machines', '{"name":"F4","code":"F4-{}"}', 'manager',
         201),
        ('POST', '/api/machines', '{"name":"{}"', 'manager', 400),
        ('PATCH', f'/api/machines/{machine}', '{"name":"F4 {}"}',
         'manager', 200),
        ('DELETE', f'/api/customers/{NIL}', None, 'manager', 404),
        ('POST', '/api/auth/login', right, None, 200),
        ('POST', '/api/auth/login', wrong, None, 401),
        ('POST', '/api/users/{}', None, 'manager', 405),
        ('POST', '/api/users', '{"username":"f4-{}","role":"operator",'
         '"password":"f4-f4-f4","email":"f4-{}@x.example"}',
         'manager', 201),
        # Its connection to the database has gone: it opens another.
        ('GET', '/api/jobs?search=z{}', None, 'manager', 200, True),
    ]


class Asked:
    """A request, asked again and again."""

    def __init__(self, shop, request):
        self.shop = shop
        self.method, self.path, body, who, self.status, *more = request
        self.body = body or ''
        self.alone = bool(more)
        self.headers = {'Content-Type': 'application/json'}
        if isinstance(who, dict):
            self.headers.update(who)
            who = 'manager'
        if who:
            self.headers['Authorization'] = f'Bearer {shop.login(who)}'

    def connections(self, what):
        return int(self.shop.sql(f'''SELECT count({what})
            FROM pg_stat_activity WHERE datname = current_database()
            AND application_name ~ 'worker-0' '''))

    def prepare(self):
        if self.alone:
            self.connections('pg_terminate_backend(pid)')
            wait_until(lambda: self.connections('*') == 0)

    def wait(self):
        """Until another one is open, or could not be for a while."""
        end = time.monotonic() + 1
        while self.connections('*') == 0 and time.monotonic() < end:
            time.sleep(0.01)

    def __call__(self, number):
        return fastcgi.ask(self.shop.sockets[0], self.method,
                           self.path.replace('{}', number), self.headers,
                           self.body.replace('{}', number), timeout=PATIENCE)

    def is_right(self, answer, failed):
        """The answer that it should get, or an excuse that tells nothing."""
        if answer.status in (500, 503):
            return list(answer.json) == ['error'] or answer.body == b'{}'
        if answer.status == 401 and failed.startswith('EVP_MAC'):
            return True             # a signature that nobody can check
        return answer.status == self.status and not FOREIGN.search(
            answer.body.decode('latin-1'))


class Numbers:
    def __init__(self):
        self.number = 0

    def next(self):
        self.number += 1
        return f'{self.number:08}'


def fail_at(shop, asked, at, number):
    """What came of it: (what failed or '', answer or None)."""
    pid = shop.worker_pids()[0]
    shop.failing.set(pid, at)
    asked.prepare()
    try:
        answer = asked(number)
    except ConnectionError:         # nginx says 503 then
        answer = None
    if asked.alone:
        asked.wait()
    failed = shop.failing.read()[1]
    shop.failing.set(0, 0)
    assert shop.worker_pids()[0] == pid, (asked.path, at, failed)
    return failed, answer


def made(shop, number):
    return int(shop.sql("SELECT count(*) FROM machines WHERE code = "
                        f"'F4-{number}'"))


@pytest.mark.seconds(1800)
def test_f4_the_nth_call_fails(shop, capsys):
    """No crash, no leak, no half answer; and all is well afterwards."""
    seen, outcomes, numbers = Counter(), Counter(), Numbers()
    for n, request in enumerate(requests(shop) * TIMES):
        asked = Asked(shop, request)
        at, last = 1 + n % STEP, False
        while not last:
            number = numbers.next()
            failed, answer = fail_at(shop, asked, at, number)
            last = not failed
            about = f'{asked.method} {asked.path}: {at}, {failed}: {answer}'
            if answer is not None:
                assert asked.is_right(answer, failed), about
            if asked.path == '/api/machines' and asked.status == 201:
                assert made(shop, number) == 1 if answer and \
                    answer.status == 201 else made(shop, number) <= 1, about
            if asked.alone:
                wait_until(shop.is_ready, 20)
            again = asked(numbers.next())
            assert again.status == asked.status, (about, again)
            seen[failed] += 1
            outcomes[answer.status if answer else 'closed'] += 1
            at += STEP
    del seen['']
    with capsys.disabled():
        print(f'\nF4: {sum(seen.values())} failures: {dict(seen)}, '
              f'{dict(outcomes)}')
    assert sum(seen.values()) >= LEAST and len(seen) >= 15
    shop.failing.set(shop.worker_pids()[0], 0, 1)
    assert shop.worker(0).get('/api/health').status == 200
    wait_until(lambda: shop.is_ready(), 20)
