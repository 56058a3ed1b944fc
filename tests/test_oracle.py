"""Random writes, random reads: each as a program without memory says.

A read through nginx is compared with one of a second reklamd that keeps
nothing, when nobody has written between the two: no write of the API was under
way or began, and what psql did is older than SOON.
"""

import contextlib
import random
import threading
import time
from collections import Counter

import psycopg2
import pytest

from fastcgi import Connection
from load import FAULTS
from process import FULL, wait_until
from samples import Samples
from shop import ROLES
from test_cache import PATIENT, SOON, elsewhere, kept_paths, run

pytestmark = pytest.mark.once

SECONDS = 60 if FULL else 6
READERS, WRITERS = 3, 2
ROUND = 0.6


@pytest.fixture(scope='module')
def shop(make_shops):
    found = make_shops(workers=3, **PATIENT)
    for who in ROLES:
        found.login(who)
    return found


@pytest.fixture(scope='module')
def plain(make_shops, shop):
    """A worker for each reader: they share nothing, not even a flight."""
    return make_shops(database=shop.database, workers=READERS, web=False,
                      CACHE_TTL_MAX=0, **PATIENT,
                      JWT_SECRET_KEY=shop.settings['JWT_SECRET_KEY'])


class Oracle:
    def __init__(self, shop, plain, reads, writes, others):
        self.shop, self.plain = shop, plain
        self.reads, self.writes, self.others = reads, writes, others
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.under_way, self.begun, self.quiet_from = 0, 0, 0
        self.count, self.said, self.wrong = Counter(), Counter(), []

    # --- who writes ---

    @contextlib.contextmanager
    def written(self, known):
        """From before it is sent; after it, psql's is not known at once."""
        with self.lock:
            self.under_way += 1
            self.begun += 1
        known = [known]
        try:
            yield known
        finally:
            with self.lock:
                self.under_way -= 1
                if not known[0]:
                    self.quiet_from = time.monotonic() + SOON

    def turn(self, seconds):
        """
        Waits so long, and then for a time to write: the rest of each round
        is for those who compare.  False at the end.
        """
        if self.ending.wait(seconds):
            return False
        past = time.monotonic() % ROUND
        return not self.ending.wait(ROUND - past if past > ROUND / 3 else 0)

    def write(self, number):
        chance, browser = random.Random(number), self.shop.browser()
        while self.turn(chance.random() * 0.05):
            method, path, body = chance.choice(self.writes)(chance)
            with self.written(True) as known:
                try:
                    answer = browser.ask(method, path, body, 'manager')
                    known[0] = answer.status < 500
                except FAULTS:
                    browser.close()
                    answer, known[0] = None, False
            with self.lock:
                self.count[answer and answer.status] += 1
        browser.close()

    def write_elsewhere(self):
        chance = random.Random(0)
        with contextlib.closing(elsewhere(self.shop)) as other:
            while self.turn(chance.random() * 0.3):
                with self.written(False):
                    try:
                        run(other, chance.choice(self.others))
                    except psycopg2.Error as fault:
                        self.wrong.append(fault)
                self.count['psql'] += 1

    # --- who reads ---

    def state(self):
        with self.lock:
            quiet = not self.under_way and time.monotonic() > self.quiet_from
            return quiet, self.begun

    def read(self, number):
        chance = random.Random(100 + number)
        browser = self.shop.browser()
        with Connection(self.plain.sockets[number], 30) as truth:
            while not self.ending.is_set():
                path, who = chance.choice(self.reads), chance.choice([*ROLES])
                self.compare(browser, truth, path, who)
        browser.close()

    def compare(self, browser, truth, path, who):
        quiet, begun = self.state()
        expected = quiet and truth.ask('GET', path, {
            'Authorization': f'Bearer {self.shop.login(who)}'})
        answer = browser.get(path, who)
        compared = quiet and self.state()[1] == begun
        with self.lock:
            self.said[answer.headers.get('x-cache')] += 1
            self.count['compared'] += bool(compared)
            if compared and told(answer) != told(expected):
                self.wrong.append((path, who, answer.headers.get('x-cache'),
                                   answer, expected))

    def run(self, seconds):
        threads = [threading.Thread(target=self.read, args=(n,))
                   for n in range(READERS)]
        threads += [threading.Thread(target=self.write, args=(n,))
                    for n in range(WRITERS)] if self.writes else []
        threads.append(threading.Thread(target=self.write_elsewhere))
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.ending.set()
        for thread in threads:
            thread.join(60)
        assert not any(t.is_alive() for t in threads)
        return self

    def hit_rate(self):
        return self.said['hit'] / max(1, sum(self.said.values()))


def told(answer):
    return (answer.status, answer.body, answer.headers.get('x-total-count'),
            answer.headers.get('content-type'))


def readable(samples):
    """Each GET that is kept, and some lists in more ways than one."""
    return kept_paths(samples) + [
        '/api/jobs?limit=5&offset=5', '/api/jobs?status=active',
        '/api/customers?search=ab&limit=5', '/api/users?limit=3',
        '/api/tasks?status=ready', '/api/jobs?search=tabela&limit=5',
        '/api/export/customers.csv']


def some(shop, table):
    """Three of each status, so that most of what is tried is allowed."""
    return shop.sql(f'''SELECT id FROM (SELECT id, row_number() OVER (
        PARTITION BY status ORDER BY id) AS n FROM {table}) ranked
        WHERE n <= 3''').split()


def writable(shop, samples):
    """Functions that make up a request: method, path, body."""
    ids = samples.ids
    jobs, steps = some(shop, 'jobs'), some(shop, 'job_steps')
    machine = f'/api/machines/{ids["machine"]}'
    customer = f'/api/customers/{ids["customer"]}'

    def text(chance):
        return f'yazı {chance.randrange(1 << 30)}'

    def step(action, body=None):
        return lambda c: ('POST', f'/api/jobs/steps/{c.choice(steps)}/'
                          f'{action}', body or {})

    def job(action, body=None):
        return lambda c: ('POST', f'/api/jobs/{c.choice(jobs)}/{action}',
                          body or {})

    return [
        lambda c: ('PATCH', machine, {'notes': text(c)}),
        lambda c: ('PATCH', machine, {
            'status': c.choice(['active', 'maintenance'])}),
        lambda c: ('POST', '/api/machines', {
            'name': text(c), 'code': f'M-{c.randrange(1 << 30)}'}),
        lambda c: ('PATCH', customer, {'name': text(c)}),
        lambda c: ('POST', '/api/customers', {'name': text(c)}),
        lambda c: ('POST', f'{customer}/dealers', {'name': text(c)}),
        lambda c: ('PATCH', f'/api/jobs/{c.choice(jobs)}', {
            'title': text(c)}),
        lambda c: ('PATCH', f'/api/users/{ids["user"]}', {
            'full_name': text(c)}),
        lambda c: ('PATCH', f'/api/processes/{ids["process"]}', {
            'name': text(c)}),
        lambda c: ('PATCH', f'/api/roles/{ids["role"]}', {
            'description': text(c)}),
        lambda c: ('POST', f'/api/jobs/steps/{c.choice(steps)}/notes', {
            'note': text(c)}),
        lambda c: ('POST', '/api/notifications/create-test-notifications',
                   {}),
        lambda c: ('PATCH', '/api/notifications/mark-all-read', {}),
        step('start'), step('pause', {'reason': 'mola'}),
        step('resume'), step('complete'), step('activate'),
        step('production', {'production_quantity': 1}),
        job('activate'), job('hold', {'reason': 'bekle'}), job('resume'),
    ]


ELSEWHERE = [
    '''UPDATE machines SET notes = random()::text''',
    '''UPDATE customers SET phone = left(random()::text, 12)
        WHERE id IN (SELECT customer_id FROM customer_dealers)''',
    '''UPDATE users SET full_name = full_name || '.' WHERE username = 'akaya'
           AND length(full_name) < 60''',
    '''INSERT INTO notifications (user_id, title, message, type)
       SELECT id, 'psql', random()::text, 'info' FROM users
        WHERE username IN ('admin', 'akaya')''',
    '''DELETE FROM notifications WHERE title = 'psql' ''',
    '''UPDATE jobs SET priority = CASE priority WHEN 'high' THEN 'low'
           ELSE 'high' END WHERE status = 'active' ''',
    '''UPDATE role_permissions SET can_view = NOT can_view
        WHERE resource = 'machines' AND role_id IN (
              SELECT id FROM roles WHERE code = 'operator')''',
    '''UPDATE job_steps SET production_notes = random()::text
        WHERE status = 'ready' ''',
    '''UPDATE processes SET description = random()::text''',
]


@pytest.mark.seconds(300)
def test_no_read_differs_from_what_the_database_says(shop, plain, capsys):
    samples = Samples(shop.cluster, shop.database)
    found = Oracle(shop, plain, readable(samples), writable(shop, samples),
                   ELSEWHERE).run(SECONDS)
    count = found.count
    with capsys.disabled():
        print(f'\nORACLE: {sum(found.said.values())} reads, '
              f'{count["compared"]} compared, {len(found.wrong)} stale, '
              f'hit rate {found.hit_rate():.2f} {dict(found.said)}; '
              f'writes {dict(count)}')
    assert not found.wrong, found.wrong[:3]
    assert count['compared'] > 3 * SECONDS
    assert count[200] + count[201] > 2 * SECONDS and count['psql'] > SECONDS
    assert not any(status and isinstance(status, int) and status >= 500
                   for status in count)
    assert found.hit_rate() > 0.1


@pytest.mark.seconds(120)
def test_a_table_that_tells_nobody_of_its_changes_is_noticed(shop, plain):
    """The oracle can see what is stale."""
    samples = Samples(shop.cluster, shop.database)
    shop.sql('ALTER TABLE machines DISABLE TRIGGER USER')
    try:
        found = Oracle(shop, plain, [f'/api/machines/{samples.ids["machine"]}',
                                     '/api/machines'], [],
                       [ELSEWHERE[0]]).run(3)
    finally:
        shop.sql('ALTER TABLE machines ENABLE TRIGGER USER')
    assert found.wrong
    assert all('machines' in path for path, *_ in found.wrong)
    shop.sql('UPDATE machines SET notes = NULL')
    wait_until(lambda: not shop.worker(0).get(
        '/api/machines', 'manager').json['data'][0]['notes'], 5)
