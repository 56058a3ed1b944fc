"""
sql/query/: a GET says in `reads:` what it depends on, and depends on nothing
else: its answers are kept until one of those tables changes.
"""

import re

import psycopg2
import pytest

from process import ROOT
from routes import routes
from samples import Samples

pytestmark = pytest.mark.once

FILES = {p.stem: p.read_text() for p in (ROOT / 'sql/query').glob('*.sql')}
READS = re.compile(r'^-- reads:((?:.*,\n--)*.*)$', re.M)
ROUTES = {}
for route in routes():
    ROUTES.setdefault(route.statement, []).append(route)

# A relation that a transaction has looked at is locked until its end.
LOCKED = """
SELECT DISTINCT coalesce(o.relname, c.relname)
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_class o ON o.oid = i.indrelid
 WHERE l.pid = pg_backend_pid()
   AND n.nspname IN ('public', 'reklam')
   AND coalesce(o.relkind, c.relkind) IN ('r', 'p', 'm')
"""
# What has another value each time it is asked, or at another time of day.
CLOCKS = re.compile(r'\b(now|random|gen_random_uuid|clock_timestamp|'
                    r'statement_timestamp|transaction_timestamp|timeofday|'
                    r'setseed|nextval|set_config|pg_notify|txid_current\w*|'
                    r'pg_current_xact_id\w*)\s*\(|\bcurrent_(date|time|'
                    r'timestamp)\b|\blocaltime(stamp)?\b|'
                    r"(?<!:)'(now|today|tomorrow|yesterday)'", re.I)


def declared(name):
    found = READS.search(FILES[name])
    if not found:
        return None
    words = set(re.findall(r'\w+', found.group(1)))
    return words - {'nothing'}


def code(text):
    """Without comments; strings stay, they hold dates too."""
    return re.sub(r'--.*|/\*.*?\*/', '', text, flags=re.S | re.M) \
        if '/*' in text else re.sub(r'--.*', '', text)


READERS = sorted(name for name in FILES if declared(name) is not None)


@pytest.fixture(scope='module')
def connection(postgres, demo):
    found = psycopg2.connect(postgres.url(demo))
    with found.cursor() as c:
        c.execute('SET search_path = public, reklam')
    found.commit()
    yield found
    found.close()


@pytest.fixture(scope='module')
def samples(postgres, demo):
    return Samples(postgres, demo)


def test_each_get_has_one_and_nothing_else_has():
    gets = {r.statement for rs in ROUTES.values() for r in rs
            if r.method == 'GET' and r.statement and not r.handler}
    assert not [n for n in gets if declared(n) is None and not
                all(r.ttl == -1 for r in ROUTES[n])]
    writes = {r.statement for rs in ROUTES.values() for r in rs
              if r.method != 'GET' and r.statement}
    assert not writes & set(READERS)


def arguments(name, samples):
    """Sets of arguments that let the statement do all it can."""
    me = samples.ids['manager']
    names = set(re.findall(r"(?<!:):'(\w+)'", FILES[name]))
    plain = dict.fromkeys(names)
    plain.update({k: v for k, v in {
        'me': me, 'user': me, 'role': 'yonetici', 'rights': '{*}',
        'lang': 'tr', 'today': '2026-11-23', 'username': 'admin',
        'operator': me, 'service': samples.ids['user'],
        'id': samples.ids['job']}.items() if k in names})
    found = []
    for route in ROUTES.get(name, []):
        base = dict(plain)
        wanted = [w for w in route.path.split('/') if w.startswith('{')]
        real = [w for a, w in zip(route.path.split('/'),
                                  samples.path(route.path).split('/'))
                if a.startswith('{')]
        base.update({k[1:-1]: v for k, v in zip(wanted, real)})
        base.update({f.name: f.fallback for f in route.fields
                     if f.name in names and f.fallback})
        found.append(base)
        filters = [f for f in route.fields if f.name in names]
        for field in filters:
            for text in field.choices or [samples.text(field)]:
                found.append({**base, field.name: text})
        found.append({**base, **{f.name: samples.text(f) for f in filters}})
        if 'me' in names or 'rights' in names:
            found.append({**base, **{k: v for k, v in {
                'me': samples.ids['user'], 'role': 'operator',
                'rights': '{}'}.items() if k in names}})
    return found or [plain]


@pytest.mark.parametrize('name', READERS)
def test_it_reads_what_it_says(name, samples, connection):
    text = FILES[name].replace('%', '%%')
    text = re.sub(r"(?<!:):'(\w+)'", r'%(\1)s', text)
    seen = set()
    for values in arguments(name, samples):
        with connection.cursor() as c:
            try:
                c.execute(text, values)
                c.fetchall()
                c.execute(LOCKED)
                seen |= {row[0] for row in c.fetchall()}
            finally:
                connection.rollback()
    assert seen == declared(name)


@pytest.mark.parametrize('name', READERS)
def test_it_asks_no_clock(name):
    found = CLOCKS.search(code(FILES[name]))
    assert not found or name == 'db_test', found.group()


@pytest.mark.parametrize('name', READERS)
def test_it_calls_nothing_volatile(name, connection):
    """Nor does a function of ours that it calls, however deep."""
    with connection.cursor() as c:
        c.execute("""SELECT proname, provolatile, prosrc
                       FROM pg_proc
                      WHERE pronamespace = 'reklam'::regnamespace""")
        ours = {p: (v, s) for p, v, s in c.fetchall()}
    connection.rollback()
    waiting, seen = [FILES[name]], set()
    while waiting:
        for called in re.findall(r'\breklam\.(\w+)\s*\(',
                                 code(waiting.pop())):
            if called in seen or called not in ours:
                continue
            seen.add(called)
            volatile, body = ours[called]
            assert volatile != 'v', f'reklam.{called} is volatile'
            found = CLOCKS.search(code(body))
            assert not found, f'reklam.{called} uses {found.group()}'
            waiting.append(body)
