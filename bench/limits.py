"""
How near reklamd is to what its parts allow, in one run:

- hits against a bare libfcgi responder with the same bytes, against nginx's
  own `return 200`, and a 304;
- misses (the cache is off) against pgbench -M prepared with the same
  statement and as many clients as reklamd has connections.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests'))

import process                                                  # noqa: E402
from forge import claims, signed                                 # noqa: E402
from measure import Contest, machine, rss_kb, table, wrk           # noqa: E402
from process import Process                                     # noqa: E402
from shop import Shop                                           # noqa: E402
from web_server import WebServer                                # noqa: E402

STATS = '/api/dashboard/stats'


class Bare:
    """The limit behind an nginx of its own, with reklam's configuration."""

    def __init__(self, directory, answer, count):
        self.directory = process.directory(directory)
        path = process.write(self.directory / 'answer', answer)
        program = process.directory(self.directory / 'bin') / 'bare'
        shutil.copy2(process.build() / 'bench/bare', program)
        sockets = [self.directory / f'bare-{i}.sock' for i in range(count)]
        self.programs = [Process('bare', [program, s, path],
                                 self.directory / 'bare.log') for s in sockets]
        self.web = WebServer(self.directory / 'nginx', sockets)

    def start(self):
        for p in self.programs:
            p.start()
        self.web.start()
        return self

    def stop(self):
        self.web.stop()
        for p in self.programs:
            p.stop()

    @property
    def pids(self):
        return {'nginx': [self.web.process.pid],
                'worker': [p.pid for p in self.programs]}


def pids_of(shop):
    return {'nginx': [shop.web.process.pid],
            'worker': list(shop.worker_pids().values())}


def raw_answer(shop, token):
    """What a worker sends: the head as FastCGI has it, and the body."""
    a = shop.worker(0).get(STATS, token=token)
    a = shop.worker(0).get(STATS, token=token)
    lines = [f'Status: {a.status} OK']
    lines += [f'{k}: {v}' for k, v in a.headers.items()
              if k.lower() != 'status']
    return '\r\n'.join(lines) + '\r\n\r\n' + a.body.decode()


def line_of(contest, name, base):
    m, b = contest.median(name), contest.median(base)
    return [name, f'{m.rate:,.0f}', f'{m.rate / b.rate:.2f}',
            f'{m.p50:.2f}', f'{m.p99:.2f}',
            f'{m.cpu.get("nginx", 0):.1f}', f'{m.cpu.get("worker", 0):.1f}',
            f'{contest.spread(name):.0%}', m.errors]


HEAD = ['', 'req/s', 'ratio', 'p50 ms', 'p99 ms', 'nginx CPU µs',
        'worker CPU µs', 'spread', 'errors']


def hits(directory, postgres, database, seconds, rounds, clients, workers):
    more = '''server {
        listen 127.0.0.1:%d;
        location / { default_type application/json; return 200 '%s'; } }'''
    port = process.free_port()
    plain = json.dumps({'data': 'x' * 260})
    shop = Shop(directory / 'hits', postgres, database, workers=workers,
                more=more % (port, plain)).start()
    bare = None
    try:
        token = shop.login('manager')
        tag = shop.get(STATS, token=token).headers['etag']
        headers = {'Authorization': f'Bearer {token}'}
        bare = Bare(directory / 'bare', raw_answer(shop, token),
                    workers).start()
        contest = Contest()

        def ask(url, pids, more=None):
            return lambda: wrk(url, seconds, clients,
                               {**headers, **(more or {})}, pids(),
                               directory)

        contest.add('bare libfcgi', ask(
            f'http://127.0.0.1:{bare.web.http_port}{STATS}',
            lambda: bare.pids))
        contest.add('reklam, hit', ask(shop.url + STATS,
                                       lambda: pids_of(shop)))
        contest.add('reklam, 304', ask(
            shop.url + STATS, lambda: pids_of(shop),
            {'If-None-Match': tag}))
        contest.add('nginx return 200', ask(
            f'http://127.0.0.1:{port}/',
            lambda: {'nginx': [shop.web.process.pid]}))
        contest.go(rounds)
        rows = [HEAD] + [line_of(contest, n, 'bare libfcgi')
                         for n in contest.entries]
        return table(rows)
    finally:
        if bare:
            bare.stop()
        shop.stop()


def statement_for_pgbench(statement, values):
    """The file's text with variables for `values` and NULL for the rest."""
    text = (ROOT / f'sql/query/{statement}.sql').read_text()
    text = re.sub(r'^--.*\n', '', text, flags=re.M)
    text = re.sub(r":'(\w+)'", lambda m: f':{m.group(1)}'
                  if m.group(1) in values else 'NULL', text)
    return ' '.join(text.split()).rstrip('; ') + ';\n'


def pgbench(postgres, database, statement, choices, seconds, clients,
            directory):
    """requests/s of as many pgbenches of one client, each with values of its
    own, which are parameters of the prepared statement."""
    script = process.write(directory / f'{statement}.pgbench',
                           statement_for_pgbench(statement, choices[0]))
    running = []
    for values in choices[:clients]:
        words = [w for k, v in values.items() for w in ('-D', f'{k}={v}')]
        running.append(subprocess.Popen(
            ['pgbench', '-n', '-M', 'prepared', '-T', str(seconds),
             '-f', script, *words, '-h', postgres.directory,
             '-U', 'postgres', database],
            stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
            env={'PATH': '/usr/bin:/bin',
                 'PGOPTIONS': '-c search_path=public,reklam'},
            **process.user_words()))
    return sum(float(re.search(r'tps = ([\d.]+)', r.communicate()[0])
                     .group(1)) for r in running)


def choose_among(requests):
    """For wrk: each request is one of (path, token), by chance."""
    lines = ',\n'.join("{%s, %s}" % (json.dumps(path), json.dumps(token))
                       for path, token in requests)
    return f'''
local requests = {{ {lines} }}
request = function()
	local r = requests[math.random(#requests)]
	return wrk.format("GET", r[1], {{ ["Authorization"] = "Bearer " .. r[2] }})
end
'''


def cases_of(shop):
    """Name, statement, its values, and the requests that ask for it.

    Many different ones each, since equal requests at the same time would be
    answered by one execution.
    """
    manager = shop.login('manager')
    secret = shop.settings['JWT_SECRET_KEY']
    day = shop.sql('SELECT CURRENT_DATE')
    jobs = shop.sql("SELECT id FROM jobs WHERE status = 'in_progress' "
                    'ORDER BY created_at DESC LIMIT 100').split()
    operators = shop.sql(
        'SELECT u.id FROM users u JOIN user_roles ur ON ur.user_id = u.id '
        "JOIN roles r ON r.id = ur.role_id WHERE r.code = 'operator' "
        'AND ur.is_primary AND u.is_active').split()
    of = {o: signed({**claims(manager), 'user_id': o}, secret)
          for o in operators}
    yield ('job detail', 'job', [{'id': j} for j in jobs],
           [(f'/api/jobs/{j}', manager) for j in jobs])
    yield ('job list, 20 of a page', 'jobs',
           [{'limit': 20, 'offset': n, 'today': day, 'sort': '-created_at'}
            for n in range(100)],
           [(f'/api/jobs?limit=20&offset={n}', manager) for n in range(100)])
    yield ('dashboard/stats of operators', 'dashboard_stats',
           [{'operator': o, 'today': day} for o in operators],
           [(STATS, token) for token in of.values()])


def misses(directory, postgres, database, seconds, rounds, clients, workers):
    shop = Shop(directory / 'misses', postgres, database, workers=workers,
                CACHE_TTL_MAX=0, CACHE_TTL_identity=300, SLOW_MS=0,
                DB_POOL_MAX_CONNECTIONS=clients + 1,
                DB_POOL_MIN_CONNECTIONS=clients + 1,
                DB_POOL_WAIT_MS=5000).start()
    try:
        rows = [['uncached', 'pgbench/s', 'reklam/s', 'ratio', 'p50 ms',
                 'p99 ms', 'nginx CPU µs', 'worker CPU µs', 'errors']]
        for name, statement, choices, requests in cases_of(shop):
            more = choose_among(requests)
            rates, contest = [], Contest()
            contest.add(name, lambda: wrk(shop.url, seconds, clients, {},
                                          pids_of(shop), directory, more))
            for _ in range(rounds):
                rates.append(pgbench(postgres, database, statement, choices,
                                     seconds, clients, directory))
                contest.go(1)
            limit = sorted(rates)[len(rates) // 2]
            m = contest.median(name)
            rows.append([name, f'{limit:,.0f}', f'{m.rate:,.0f}',
                         f'{m.rate / limit:.2f}', f'{m.p50:.2f}',
                         f'{m.p99:.2f}', f'{m.cpu["nginx"]:.1f}',
                         f'{m.cpu["worker"]:.1f}', m.errors])
        memory = rss_kb(shop.worker_pids().values()) // workers
        return table(rows) + (f'\n\nPrivate memory of a worker after it, '
                              f'its part of the cache apart: {memory} KiB.')
    finally:
        shop.stop()


def main(quick):
    """Prints the tables."""
    import tempfile
    from cluster import Cluster, load
    from shop import migrate
    seconds, rounds = (2, 3) if quick else (5, 5)
    directory = process.give(Path(tempfile.mkdtemp(prefix='reklam-bench-',
                                                   dir='/tmp')))
    postgres = Cluster(directory / 'pg')
    try:
        postgres.create()
        postgres.start()
        postgres.create_database('shop')
        migrate(postgres, 'shop')
        load(postgres, 'shop', ROOT / 'sql/demo.sql', 1)
        postgres.psql('shop', '-c', 'VACUUM ANALYZE')
        print(f'Measured on {machine()}.\n')
        print('## The limit of a hit: 16 clients, 2 workers\n', flush=True)
        print(hits(directory, postgres, 'shop', seconds, rounds, 16, 2))
        print('\n## The limit of a miss: 8 clients, 8 connections, '
              '2 workers\n', flush=True)
        print(misses(directory, postgres, 'shop', seconds, rounds, 8, 2))
    finally:
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
    main('--quick' in sys.argv)
