"""
What no client should send, made from the tables of routes and fields: every
route gets more than forty of it from a manager, so that nothing stops at the
gate.  The answer is JSON, never 5xx, and tells nothing of what is behind.
F3 is a row of the project's table of faults.
"""

import json
import re
from urllib.parse import quote

import pytest

from process import FULL
from routes import label, routes
from samples import NIL, Samples

pytestmark = pytest.mark.memory

FOREIGN = re.compile(
    r'SQLSTATE|libpq|psql|postgres|server closed|FATAL|ERROR:|relation "|'
    r'syntax error|violates|constraint|invalid input|/var/|/home/|/tmp/|'
    r'host=|assert|0x[0-9a-f]{6}|reklam\.|\$\d')
LEAST = 40

# Texts for any place.
TEXTS = (
    '', ' ', "'", '"', '\\', '\0', '\x01', '\x7f', '$1', '%', '_', '%s%n',
    "'; DROP TABLE jobs; --", '" OR 1=1 --', '{}', '[]', '{1,2}', 'null',
    'undefined', 'true', '-0', '-1', '0', '007', '1.5', '1,5', '1e3', '1e400',
    '99999999999999999999', '-9223372036854775809', 'NaN', 'Infinity',
    '-infinity', 'now', 'today', 'epoch', '2026-02-30', '0000-00-00',
    '9999-12-31', '10000-01-01', '2026-11-23T25:00:00', '24:00', '25:99',
    '23:59:60', 'abc', NIL, NIL + '0', '{' + NIL + '}', 'İıŞşĞğ', '😀' * 40,
    '\u202egnu', 'ﬃ', 'a' * 256, 'ş' * 1500, 'x' * 70000,
    '../../etc/passwd', '<script>alert(1)</script>', '=1+1', 'yonetici', '*')
# Bytes that stand where a percent-encoded text should.
ENCODED = ('%', '%zz', '%ff', '%c0%af', '%ed%a0%80', '%f5%80%80%80', '%e2%82',
           '%00', 'a%00b', '+', '%2B', '%25%30%30', '&', '=', ';', '%26')
VALUES = (None, True, False, 0, -1, 1.5, 10 ** 30, -10 ** 30, 1e308, [], [1],
          [None], [[]], {}, {'a': {}}, [NIL] * 3, ['abc'], [{}], [[[]]],
          {'id': NIL}, ['x' * 300])
BODIES = (
    b'', b' ', b'{', b'}', b'[', b'[]', b'[1]', b'""', b'"x"', b'null', b'1',
    b'true', b'-', b'{]', b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,}',
    b"{'a':1}", b'{a:1}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":01}',
    b'{"a":+1}', b'{"a":.5}', b'{"a":1e999}', b'{"a":1} x', b'{}{}',
    b'/**/{}', b'\xef\xbb\xbf{}', b'\0', b'{"a":"\0"}', b'{"a":"\n"}',
    b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":"\\x41"}',
    b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"\\u0061":1,"a":2}',
    b'{"a":' * 40 + b'1' + b'}' * 40, b'[' * 5000, b'{"a":' * 5000,
    b'{"a":[' + b'1,' * 20000 + b'1]}', b'{"a":' + b'9' * 5000 + b'}',
    b'{"a":"' + b'x' * 300000 + b'"}', b'\xfe\xff\x00{\x00}')
RESERVED = {'me': NIL, 'role': 'yonetici', 'rights': '{*}', 'operator': NIL,
            'lang': 'xx', 'today': '1999-01-01', 'body': '{}', 'status': 200,
            'is_admin': True, 'id': NIL, 'user_id': NIL, 'password_hash': 'x',
            '__proto__': {}, '': 1, "a'b": 1, 'a"b': 1, '$1': 1}
HEADERS = (
    {'Content-Type': 'text/plain'}, {'Content-Type': 'application/xml'},
    {'Content-Type': ''}, {'Content-Type': 'x' * 3000},
    {'Content-Type': 'application/json; charset=utf-16'},
    {'Accept-Language': 'x' * 4000}, {'Accept-Language': ',;q=;;,tr-'},
    {'Accept-Encoding': 'gzip;q=nan, *;q=2'}, {'If-None-Match': '"' * 500},
    {'If-None-Match': '*'}, {'If-None-Match': 'W/"x", "y'},
    {'Authorization': 'Bearer'}, {'Authorization': 'Bearer ' + 'x' * 7000},
    {'Authorization': 'Bearer a.b.c.d'}, {'Authorization': '\xff\xfe \xff'})


class Mutations:
    """(path, body, headers) for each bad request to a route."""

    def __init__(self, route, samples):
        self.route, self.samples = route, samples
        self.path = samples.path(route.path)
        # Nothing is gone before the last of them was sent.
        if route.method == 'DELETE':
            self.path = samples.path(route.path, NIL)
        names = {f.name for f in route.fields if f.source == 'QUERY'}
        # Of long lists a little will do.
        self.query = '?limit=1&' if 'limit' in names else \
            '?date_from=2026-11-20&' if 'EXPORT' in route.flags else '?'
        self.fields = {kind: [f for f in route.fields if f.source == kind]
                       for kind in ('QUERY', 'BODY')}
        self.body = samples.body(route.fields)
        self.turn = 0

    def paths(self):
        words = self.route.path.split('/')
        for place, word in enumerate(words):
            if not word.startswith('{'):
                continue
            for text in [quote(t, safe='') for t in TEXTS[:-2]] \
                    + list(ENCODED):
                if text and len(text) < 1500:
                    real = self.path.split('/')
                    yield '/'.join([*real[:place], text,
                                    *real[place + 1:]]), self.body, {}

    def queries(self):
        names = [f.name for f in self.fields['QUERY']]
        for name in names or ['unknown']:
            # The first of two is the one that counts.
            query = '?' if name in self.query else self.query
            for text in [quote(t, safe='') for t in TEXTS] + list(ENCODED):
                if len(text) < 1800:
                    yield f'{self.path}{query}{name}={text}', None, {}
            yield f'{self.path}{query}{name}', None, {}
            yield f'{self.path}{query}{name}=1&{name}=2', None, {}
        for name, value in RESERVED.items():
            yield f'{self.path}{self.query}{quote(name)}=' \
                f'{quote(str(value))}', self.body, {}
        yield self.path + self.query + '&'.join(['a=1'] * 500), self.body, {}
        yield self.path + self.query + 'a' * 5000, self.body, {}
        yield self.path + self.query + '&&=&=1&?', self.body, {}
        yield self.path + '/', self.body, {}
        yield self.path.replace('/api', '//api'), self.body, {}

    def bodies(self):
        for body in BODIES:
            yield self.path, body, {'Content-Type': 'application/json'}
        for name, value in RESERVED.items():
            yield self.path, {**self.body, name: value}, {}
        yield self.path, dict.fromkeys(map(str, range(3000)), 1), {}
        for field in self.fields['BODY']:
            yield self.path, {k: v for k, v in self.body.items()
                              if k != field.name}, {}
            yield from self.values(self.body, field.name)
            for member in field.members or []:
                inner = self.samples.body(field.members)
                for _, found, _ in self.values(inner, member.name):
                    yield self.path, {**self.body, field.name: [found]}, {}

    def values(self, body, name):
        """All of them in full; in short each field gets another third."""
        self.turn += 1
        for value in (TEXTS + VALUES)[0 if FULL else self.turn % 3::
                                      1 if FULL else 3]:
            yield self.path, {**body, name: value}, {}

    def headers(self):
        for header in HEADERS:
            yield self.path + self.query, json.dumps(self.body), header

    def all(self):
        yield from self.paths()
        yield from self.queries()
        if self.route.method != 'GET':
            yield from self.bodies()
        yield from self.headers()


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(names={'LOGIN_RATE': '1000r/s'}, PASSWORD_COST=4)


@pytest.fixture(scope='module')
def samples(postgres, demo):
    return Samples(postgres, demo)


def is_right(answer, sent):
    about = f'{sent!r:.600} -> {answer}'
    assert answer.status < 500, about
    kind = answer.headers.get('content-type', '')
    if answer.status >= 400:
        assert kind == 'application/json', about
        assert answer.json['error'], about
        assert not FOREIGN.search(answer.body.decode()), about
    elif answer.status == 200 and kind == 'application/json':
        json.loads(answer.body)


@pytest.mark.seconds(300)
@pytest.mark.parametrize('route', routes(), ids=label)
def test_f3_bad_input_is_refused_in_our_words(shop, samples, route):
    token = shop.login('manager')
    pids, number = shop.worker_pids(), 0
    for path, body, headers in Mutations(route, samples).all():
        number += 1
        if 'Authorization' not in headers:
            headers = {**headers, 'Authorization': f'Bearer {token}'}
        answer = shop.ask(route.method, path,
                          body=None if route.method == 'GET' else body,
                          headers=headers)
        is_right(answer, (route.method, path, body, headers))
    assert number >= LEAST
    assert shop.worker_pids() == pids, 'a worker died'
    assert shop.get('/api/auth/me', who='manager').status == 200


def test_f3_there_is_enough_of_it(samples):
    assert sum(len(list(Mutations(route, samples).all()))
               for route in routes()) >= 8000


def test_reserved_names_change_nothing(shop):
    """Whoever says he is a manager is not one, nor somebody else."""
    mine = shop.get('/api/auth/me', who='operator').json
    for name, value in RESERVED.items():
        query = f'{quote(name)}={quote(str(value))}'
        assert shop.get(f'/api/auth/me?{query}', who='operator').json == mine
        assert shop.get(f'/api/users?{query}&limit=1',
                        who='operator').status == 200
        for method, path in (('POST', '/api/machines'),
                             ('DELETE', f'/api/customers/{NIL}')):
            assert shop.ask(method, f'{path}?{query}', {name: value},
                            who='operator').status == 403
