"""Who pretends to be somebody else, guesses, or looks at others' answers.

S2 to S7 are rows of the project's table of faults; S1 is
test_permissions.py.
"""

import hmac
import json
import random
import re
import statistics
import time
from collections import Counter

import pytest

import forge
from backends import Backends, nobody_new
from fastcgi import octets
from forge import encode, signed
from load import Load
from process import FULL, wait_until
from shop import PASSWORDS

SECRET = 'a key that is long enough for these tests, and known to them'
FOREIGN = re.compile(
    r'SQLSTATE|libpq|server closed|FATAL|ERROR:|relation "|syntax error|'
    r'/var/|/home/|/tmp/|host=|assert|0x[0-9a-f]{6}')


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(JWT_SECRET_KEY=SECRET, DB_POOL_WAIT_MS=5000,
                      DB_STATEMENT_MS=10000)


def user(shop, name='admin'):
    return shop.sql(f"SELECT id FROM users WHERE username = '{name}'")


# --- S2: tokens ---

def raw(head, claims):
    """Two texts, whatever they are, signed."""
    text = f'{encode(octets(head))}.{encode(octets(claims))}'
    mac = hmac.digest(SECRET.encode(), text.encode(), 'sha256')
    return f'{text}.{encode(mac)}'


def tokens(body):
    """name → token; only `good` is one."""
    now = body['iat']
    head = '{"alg":"HS256","typ":"JWT"}'
    good = signed(body, SECRET)
    first, second, third = good.split('.')
    claims = json.dumps(body)
    longer = encode(forge.decode(third) + b'x')

    def but(**more):
        return signed({k: v for k, v in {**body, **more}.items()
                       if v is not ...}, SECRET)

    def under(**more):
        return signed(body, SECRET, {'alg': 'HS256', 'typ': 'JWT', **more})
    standard = next(t for t in (but(n=n) for n in range(999))
                    if {'-', '_'} & set(t.split('.')[2]))
    return {
        'good': good,
        'alg none': forge.no_algorithm(good),
        'alg None': raw('{"alg":"None"}', claims),
        'alg none, signed': under(alg='none'),
        'alg hs256': under(alg='hs256'),
        'alg HS512': signed(body, SECRET, {'alg': 'HS512'}, 'sha512'),
        'alg HS384': signed(body, SECRET, {'alg': 'HS384'}, 'sha384'),
        'alg HS512 by HS256': under(alg='HS512'),
        'alg RS256': under(alg='RS256'),
        'alg empty': under(alg=''),
        'alg null': under(alg=None),
        'alg number': under(alg=256),
        'alg list': under(alg=['HS256']),
        'no alg': raw('{"typ":"JWT"}', claims),
        'alg twice': raw('{"alg":"none","alg":"HS256"}', claims),
        'alg with a blank': under(alg='HS256 '),
        'alg with a nul': raw('{"alg":"HS256\\u0000"}', claims),
        'crit': under(crit=['exp']),
        'crit empty': under(crit=[]),
        'head a list': raw('["HS256"]', claims),
        'head no json': raw('alg=HS256', claims),
        'head empty': raw('', claims),
        'claims a list': raw(head, '[]'),
        'claims a string': raw(head, '"x"'),
        'claims empty': raw(head, ''),
        'claims no json': raw(head, claims[:-1]),
        'claims and more': raw(head, claims + 'x'),
        'claims not UTF-8': raw(head, octets(claims[:-1]) +
                                b',"x":"\xff\xfe"}'),
        'claim twice': raw(head, claims[:-1] + ',"user_id":"x"}'),
        'exp twice': raw(head, claims[:-1] + f',"exp":{now + 9000}}}'),
        'expired': but(exp=now - 1),
        'expires now': but(exp=int(time.time())),
        'exp 0': but(exp=0),
        'exp negative': but(exp=-1),
        'exp text': but(exp=str(now + 3600)),
        'exp fraction': but(exp=now + 3600.5),
        'exp null': but(exp=None),
        'exp huge': raw(head, claims.replace(str(body['exp']), '9' * 30)),
        'exp 1e99': raw(head, claims.replace(str(body['exp']), '1e99')),
        'no exp': but(exp=...),
        'issued tomorrow': but(iat=now + 86400),
        'iat text': but(iat=str(now)),
        'not before tomorrow': but(nbf=now + 86400),
        'nbf text': but(nbf='tomorrow'),
        'no user': but(user_id=...),
        'user null': but(user_id=None),
        'user empty': but(user_id=''),
        'user a number': but(user_id=1),
        'user a list': but(user_id=[body['user_id']]),
        'user with a blank': but(user_id=body['user_id'] + ' '),
        'user unknown': but(user_id=body['user_id'][:-4] + 'ffff'),
        'user and service': but(service_id=body['user_id']),
        'service unknown': but(user_id=..., service_id=body['user_id']),
        'another key': forge.wrong_key(good),
        'empty key': signed(body, ''),
        'no signature': f'{first}.{second}.',
        'two parts': f'{first}.{second}',
        'four parts': f'{good}.{third}',
        'signature cut': good[:-1],
        'signature longer': f'{first}.{second}.{longer}',
        'signature padded': good + '=',
        'signature of others': f'{first}.{second}.' +
        but(exp=now + 7200).split('.')[2],
        'claims of others': f'{first}.{but(exp=now + 7200).split(".")[1]}'
        f'.{third}',
        'standard base64': standard.replace('-', '+').replace('_', '/'),
        'upper case': good.upper(),
        'large': but(more='x' * 4096),
        'larger': but(more='x' * 5000),
        'a nul': good + '%00',
        'empty': '',
        'dots': '..',
        'many dots': '.' * 3000,
    }


def test_s2_of_many_tokens_one_is_accepted(shop):
    now = int(time.time())
    body = {'user_id': user(shop), 'username': 'admin', 'role': 'yonetici',
            'exp': now + 3600, 'iat': now}
    found = tokens(body)
    assert len(found) >= 70 and len(set(found.values())) == len(found)
    for worker in (shop.worker(0), shop.browser()):
        for name, token in found.items():
            answer = worker.get('/api/auth/me', token=token)
            assert answer.status == (200 if name == 'good' else 401), name
            if name != 'good':
                assert list(answer.json) == ['error'], name


def test_s2_what_a_token_says_of_rights_is_not_believed(shop):
    now = int(time.time())
    body = {'user_id': user(shop, 'akaya'), 'exp': now + 3600, 'iat': now,
            'role': 'yonetici', 'roles': ['yonetici'], 'rights': ['*'],
            'is_admin': True, 'username': 'admin'}
    token = signed(body, SECRET)
    assert shop.get('/api/auth/me', token=token).json == shop.get(
        '/api/auth/me', 'operator').json
    assert shop.post('/api/machines', {'name': 'x', 'code': 'x'},
                     token=token).status == 403


# --- pretending ---

SPOOFS = {'X-User-Id': '{}', 'X-User': 'admin', 'X-Remote-User': 'admin',
          'Remote-User': 'admin', 'REMOTE_USER': 'admin', 'X-Role': 'yonetici',
          'X-Forwarded-User': 'admin', 'X-Auth-Roles': 'yonetici',
          'X-Original-URL': '/api/health', 'X-Rewrite-URL': '/api/health',
          'X-HTTP-Method-Override': 'GET', 'X-Forwarded-For': '127.0.0.1',
          'Cookie': 'token={}', 'Proxy-Authorization': 'Bearer {}'}


def test_who_asks_is_told_by_the_token_alone(shop):
    admin, token = user(shop), shop.login('manager')
    headers = {k: v.format(admin) for k, v in SPOOFS.items()}
    query = f'me={admin}&role=yonetici&rights=*&operator=&user_id={admin}' \
            f'&token={token}&access_token={token}&body={{}}&today=1999-01-01'
    assert shop.get('/api/auth/me', headers=headers).status == 401
    assert shop.get(f'/api/auth/me?{query}').status == 401
    for path in ('/api/auth/me', '/api/permissions/me', '/api/tasks',
                 '/api/dashboard/stats'):
        plain = shop.get(path, 'operator')
        told = shop.get(f'{path}?{query}', 'operator', headers=headers)
        assert plain.status == told.status == 200
        assert plain.json == told.json, path
    answer = shop.post('/api/machines', {
        'name': 'x', 'code': 'x', 'me': admin, 'role': 'yonetici',
        'rights': '{*}'}, 'operator', headers=headers)
    assert answer.status == 403
    assert shop.get('/api/metrics', headers={
        'X-Forwarded-For': '192.0.2.1'}).status == 200     # it is loopback


# --- S3, S4: guessing ---

def log_in(client, name, password):
    return client.post('/api/auth/login',
                       {'username': name, 'password': password})


@pytest.fixture(scope='module')
def guessed(make_shops):
    return make_shops(JWT_SECRET_KEY=SECRET, PASSWORD_COST=8,
                      names={'LOGIN_RATE': '1000r/s'})


def seconds(worker, name):
    began = time.monotonic()
    answer = log_in(worker, name, 'yanlis')
    return time.monotonic() - began, answer.status, answer.body


def test_s3_an_unknown_user_costs_as_much_as_a_wrong_password(guessed):
    """Rows of cost 6, as the old backend made them, and of ours."""
    shop, each = guessed, 500 if FULL else 40
    names = shop.sql('SELECT username FROM users WHERE is_active').split()
    half = len(names) // 2
    shop.sql('CREATE EXTENSION IF NOT EXISTS pgcrypto')
    for cost, some in ((6, names[:half]), (8, names[half:])):
        few = ','.join(f"'{n}'" for n in some)
        shop.sql(f"""UPDATE users SET password_hash =
            crypt('x', gen_salt('bf', {cost})) WHERE username IN ({few})""")
    found = {'unknown': [], 'cost 6': [], 'cost 8': []}
    answers = set()
    for n in range(each):
        for kind, name in (('unknown', f'nobody{n}'),
                           ('cost 6', names[n % half]),
                           ('cost 8', names[half + n % half])):
            took, *answer = seconds(shop.worker(0), name)
            if answer[0] != 429:
                found[kind].append(took)
                answers.add(tuple(answer))
    assert len(answers) == 1 and list(answers)[0][0] == 401
    fastest = {kind: statistics.median(t) for kind, t in found.items()}
    assert max(fastest.values()) - min(fastest.values()) < 0.006, fastest


def test_s4_ten_failures_a_minute_for_an_account(guessed):
    """Counted over all workers, whoever asks; others are not concerned."""
    shop, statuses = guessed, []
    while len(statuses) < 21 and 429 not in statuses:
        answer = log_in(shop.workers()[len(statuses) % 2], 'AKaya  x', 'no')
        statuses.append(answer.status)
    # A minute may have ended meanwhile: then it was ten more.
    assert statuses[-1] == 429 and len(statuses) >= 11
    assert set(statuses[:-1]) == {401}
    assert int(answer.headers['retry-after']) <= 60
    assert list(answer.json) == ['error']
    assert shop.sql("SELECT count(*) FROM users WHERE is_active") != '0'


def test_s4_the_right_password_waits_too_and_others_do_not(make_shop):
    shop = make_shop(PASSWORD_COST=4, names={'LOGIN_RATE': '1000r/s'})
    for _ in range(25):
        status = log_in(shop, 'akaya', 'no').status
        if status == 429:
            break
    answer = log_in(shop, 'akaya', PASSWORDS['akaya'])
    assert (status, answer.status) == (429, 429)
    assert log_in(shop, 'admin', PASSWORDS['admin']).status == 200


def test_s4_a_flood_of_logins_delays_nobody(make_shop):
    """Hashing is one thread's work, and nginx lets a few through."""
    shop = make_shop(names={'LOGIN_RATE': '1r/s'})
    token = shop.login('manager')
    slowest = 0

    def guess(browser, n):
        return log_in(browser, f'nobody{n}', 'no').status

    with Load(shop, guess, clients=8, pause=0.01) as flood:
        for _ in range(100 if not FULL else 2000):
            began = time.monotonic()
            assert shop.get('/api/auth/me', token=token).status == 200
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)
    assert slowest < 1
    assert set(flood.seen) <= {401, 429, 503}, flood.seen
    assert flood.seen[429] > 10 and flood.seen[401] >= 5, flood.seen


# --- S5: passwords of the old backend ---

def test_s5_hashes_of_pgcrypto_and_ours_are_the_same(make_shop):
    shop = make_shop(PASSWORD_COST=5, names={'LOGIN_RATE': '1000r/s'})
    shop.sql('CREATE EXTENSION IF NOT EXISTS pgcrypto')
    names = shop.sql('SELECT username FROM users WHERE is_active '
                     'ORDER BY username').split()
    for n in range(0, 500 if FULL else 50, len(names)):
        words = {name: some_password(n + i) for i, name in enumerate(names)}
        rows = ', '.join("('{}', '{}')".format(name, word.replace("'", "''"))
                         for name, word in words.items())
        shop.sql(f"""UPDATE users SET password_hash =
            crypt(word, gen_salt('bf', 4))
            FROM (VALUES {rows}) AS made (name, word)
            WHERE username = name""")
        for name, word in words.items():
            answer = log_in(shop.worker(n % 2), name, word)
            assert answer.status == 200, (name, word, answer)
        # They are stored anew, as strong as they should be.
        wait_until(lambda: shop.sql(
            f"""SELECT count(*) FROM users JOIN (VALUES {rows}) AS
                made (name, word) ON username = name
                 WHERE password_hash LIKE '$2a$05$%' AND
                    password_hash = crypt(word, password_hash)""")
            == str(len(words)), 5)
    assert 'could not be stored' not in shop.program.tail()


def some_password(n):
    """Up to 72 bytes; more, bcrypt would not look at."""
    chance = random.Random(n)
    letters = 'abcXYZ019_-!"$\\\'' if n % 2 else 'aşğİıöüç€😀'
    word = ''.join(chance.choices(letters, k=chance.choice([1, 8, 71, 72])))
    while len(word.encode()) > 72:
        word = word[:-1]
    return word


# --- S6: others' answers ---

def test_s6_nobody_sees_another_ones_answer(make_shop):
    """Against a shop that remembers nothing, on the same database."""
    patient = {'JWT_SECRET_KEY': SECRET, 'web': False,
               'DB_POOL_WAIT_MS': 5000, 'DB_STATEMENT_MS': 20000}
    shop = make_shop(**patient)
    paths = ['/api/auth/me', '/api/permissions/me', '/api/tasks?limit=5',
             '/api/tasks/stats', '/api/tasks/history?limit=5',
             '/api/tasks/performance', '/api/notifications?limit=5',
             '/api/notifications/unread-count', '/api/dashboard/stats',
             '/api/dashboard/recent-jobs', '/api/dashboard/tasks',
             '/api/dashboard/activity', '/api/jobs?limit=5', '/api/machines',
             '/api/machines/status', '/api/users?limit=5', '/api/roles',
             '/api/processes', '/api/customers?limit=5', '/api/jobs/nothing']
    users = shop.sql('SELECT id FROM users WHERE is_active ORDER BY '
                     f'username LIMIT {50 if FULL else 12}').split()
    now = int(time.time())
    keys = [signed({'user_id': u, 'iat': now, 'exp': now + 86400}, SECRET)
            for u in users]
    other = make_shop(database=shop.database, CACHE_TTL_MAX=0, **patient)
    expected = {}
    for n, key in enumerate(keys):
        for path in paths:
            answer = other.worker(0).get(path, token=key)
            expected[n, path] = answer.status, answer.body
    assert other.worker(0).get('/api/auth/me', token=keys[0]).headers[
        'x-cache'] == 'miss'
    differing = {p: len({expected[n, p] for n in range(len(users))})
                 for p in paths}
    assert differing['/api/auth/me'] == len(users), differing
    chance, workers = random.Random(6), shop.workers()
    sources = Counter()
    for _ in range(100000 if FULL else 2000):
        n, path = chance.randrange(len(users)), chance.choice(paths)
        answer = chance.choice(workers).get(path, token=keys[n])
        assert (answer.status, answer.body) == expected[n, path], path
        sources[answer.headers.get('x-cache')] += 1
    assert sources['hit'] > 500, sources


# --- S7: every class of answer has the headers ---

SECURITY = {
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
        "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
}


def answers(shop):
    """One of every status."""
    job = '/api/jobs/11111111-1111-1111-1111-111111111111'
    found = [
        shop.get('/api/health'),
        shop.post('/api/machines', {'name': 'S7', 'code': 'S7'}, 'manager'),
        shop.get('/api/machines', 'manager', headers={'If-None-Match': '*'}),
        shop.get('/api/jobs?limit=x', 'manager'),
        shop.get('/api/jobs'),
        shop.post('/api/machines', {'name': 'x', 'code': 'x'}, 'operator'),
        shop.get(job, 'manager'),
        shop.ask('PUT', '/api/jobs', b'', 'manager'),
        shop.post('/api/machines', {'name': 'S7', 'code': 'S7'}, 'manager'),
        shop.post('/api/auth/login', b'x' * 5000),
        shop.get('/api/jobs?search=' + 'x' * 3000, 'manager'),
        shop.post('/api/machines', b'{}', 'manager',
                  headers={'Content-Type': 'text/plain'}),
    ]
    for _ in range(40):
        answer = log_in(shop, 'nobody', 'x')
        if answer.status == 429:
            break
    found.append(answer)
    shop.sql('ALTER TABLE machines RENAME TO moved')
    found.append(shop.post('/api/machines', {'name': 'a', 'code': 'a'},
                           'manager'))
    shop.sql('ALTER TABLE moved RENAME TO machines')
    return found


def test_s7_every_class_of_answer_has_the_headers(make_shop):
    shop = make_shop()
    found = answers(shop)
    # A worker that cannot reach its database, then no worker at all.
    with nobody_new(shop), Backends(shop) as backends:
        backends.terminate()
        found.append(wait_until(lambda: is_unavailable(shop), 10))
    shop.program.stop()
    found.append(shop.get('/api/machines', 'manager'))
    assert {a.status for a in found} >= {
        200, 201, 304, 400, 401, 403, 404, 405, 409, 413, 414, 415, 429, 500,
        503}, [a.status for a in found]
    for answer in found:
        for name, value in SECURITY.items():
            assert answer.headers[name] == value, answer
        assert re.fullmatch('[0-9a-f]{32}', answer.headers['x-request-id'])
        if answer.status not in (400, 413, 414, 429, 503):
            assert 'no-' in answer.headers['cache-control']     # reklamd's
        assert not FOREIGN.search(answer.body.decode()), answer
        if answer.status >= 400:
            assert list(answer.json)[0] == 'error'
            assert answer.headers['content-type'] == 'application/json'
        if answer.status in (429, 503):
            assert int(answer.headers['retry-after']) >= 1


def is_unavailable(shop):
    answer = shop.post('/api/machines', {'name': 'b', 'code': 'b'},
                       'manager')
    return answer if answer.status == 503 else None


def test_no_secret_is_shown_anywhere(shop):
    url = shop.settings['DATABASE_URL']
    service = [shop.get(p, 'manager') for p in (
        '/', '/api/openapi.json', '/api/metrics', '/api/health',
        '/api/health/ready', '/api/health/db', '/api/health/db/slow',
        '/api/health/db/test', '/api/health/cache', '/api/auth/me',
        '/api/users', f'/api/users/{user(shop)}')]
    for answer in service:
        text = answer.body.decode()
        for secret in (SECRET, url, 'password_hash', '$2a$', '$2b$',
                       'postgresql://', str(shop.directory)):
            assert secret not in text, (secret, text[:200])
    assert service[0].status == 200 and service[9].status == 200


def test_an_origin_that_is_not_listed_reads_nothing(shop):
    for origin in ('https://evil.example', 'null', 'http://localhost'):
        answer = shop.get('/api/auth/me', 'manager',
                          headers={'Origin': origin})
        assert answer.status == 200
        assert not [h for h in answer.headers
                    if h.startswith('access-control-allow')]
