"""
How near reklamd is to what its parts allow, in one run:

- hits against a bare libfcgi responder with the same bytes, against nginx's
  own `return 200` and nginx's own cache of that responder, and a 304; the same
  over TLS and HTTP/2;
- a hit without nginx, libfcgi and the kernel;
- a hit in the part of the cache that another worker owns against one's own;
- hits while the shop works: 50 jobs are written to each second;
- misses (the cache is off) against pgbench -M prepared with the same
  statement and as many clients as reklamd has connections.
"""

import json
import re
import shutil
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from ground import DATABASE, ROOT, ground   # first: it finds tests/
import fastcgi
import process
from forge import claims, signed
from measure import (Contest, choose_among, h2load, rss_kb, table, warm,
                     wrk)
from process import Process
from shop import Shop
from web_server import WebServer

STATS = '/api/dashboard/stats'
# The bare responder takes turns as reklamd's workers do (WORKER_SCHEDULING).
BATCH = ['chrt', '--batch', '0']
CROWD = 64                  # clients, more than there are connections
# No answer is kept, but who the asker is: CACHE_TTL_MAX=0 would hold for that
# too, and each request be two statements.  Nor is anybody sent away because
# others are before him.
UNCACHED = {'CACHE_TTL_get': 0, 'SLOW_MS': 0, 'DB_POOL_WAIT_MS': 5000}


# What nginx does without anybody: an answer of its own, and the bare
# responder's out of nginx's cache.
ALONE = '''fastcgi_cache_path %(directory)s/cached keys_zone=bare:1m;
upstream bare { %(bare)s keepalive 64; }
server {
    listen 127.0.0.1:%(port)d;
    keepalive_requests 1000000;
    location = /200 { default_type application/json; return 200 '%(plain)s'; }
    location / {
        include /etc/nginx/fastcgi_params;
        fastcgi_pass bare;
        fastcgi_keep_conn on;
        fastcgi_cache bare;
        fastcgi_cache_key $request_uri;
        fastcgi_cache_valid 10m;
        fastcgi_ignore_headers Cache-Control Vary;
    }
}'''


class Bare:
    """The limit behind an nginx of its own, with reklam's configuration."""

    def __init__(self, directory, answer, count, port, plain):
        self.directory = process.directory(directory)
        path = process.write(self.directory / 'answer', answer)
        program = process.directory(self.directory / 'bin') / 'bare'
        shutil.copy2(process.build() / 'bench/bare', program)
        sockets = [self.directory / f'bare-{i}.sock' for i in range(count)]
        self.programs = [Process('bare', [*BATCH, program, s, path],
                                 self.directory / 'bare.log') for s in sockets]
        self.web = WebServer(
            self.directory / 'nginx', sockets, more=ALONE % {
                'directory': self.directory / 'nginx', 'port': port,
                'plain': plain, 'bare': ''.join(
                    f'server unix:{s};' for s in sockets)})

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
    port = process.free_port()
    plain = json.dumps({'data': 'x' * 260})
    shop = Shop(directory / 'hits', postgres, database, workers=workers)
    shop.start()
    bare = None
    try:
        token = shop.login('manager')
        tag = shop.get(STATS, token=token).headers['etag']
        headers = {'Authorization': f'Bearer {token}'}
        bare = Bare(directory / 'bare', raw_answer(shop, token), workers,
                    port, plain).start()
        contest = Contest()

        def ask(url, pids, more=None, load=wrk):
            words = [] if load is h2load else [directory]
            return lambda: load(url, seconds, clients,
                                {**headers, **(more or {})}, pids(), *words)

        def of(web):
            return lambda: {'nginx': [web.process.pid]}

        def bares():
            return bare.pids

        def ours():
            return pids_of(shop)

        contest.add('bare libfcgi', ask(
            f'http://127.0.0.1:{bare.web.http_port}{STATS}', bares))
        contest.add('reklam, hit', ask(shop.url + STATS, ours))
        contest.add('reklam, 304', ask(shop.url + STATS, ours,
                                       {'If-None-Match': tag}))
        contest.add('nginx return 200', ask(
            f'http://127.0.0.1:{port}/200', of(bare.web)))
        contest.add('nginx fastcgi_cache', ask(
            f'http://127.0.0.1:{port}{STATS}', of(bare.web)))
        contest.add('bare, TLS and HTTP/2', ask(
            f'https://localhost:{bare.web.https_port}{STATS}', bares,
            load=h2load))
        contest.add('reklam hit, TLS and HTTP/2', ask(
            f'https://localhost:{shop.web.https_port}{STATS}', ours,
            load=h2load))
        contest.go(rounds)
        rows = [HEAD] + [
            line_of(contest, n, 'bare, TLS and HTTP/2' if 'TLS' in n
                    else 'bare libfcgi') for n in contest.entries]
        return table(rows) + (
            '\n\nThe ratio is to the bare responder, over TLS to that over '
            'TLS. h2load tells\nthe mean and the longest time instead of p50 '
            'and p99.')
    finally:
        if bare:
            bare.stop()
        shop.stop()


def executions(shop, statement):
    text = shop.worker(0).get('/api/metrics').body.decode()
    return sum(float(n) for n in re.findall(
        rf'^reklam_statement_seconds_count{{statement="{statement}"}} (\S+)$',
        text, re.M))


class Writer:
    """Writes to `jobs` in turn, so many times a second, through nginx."""

    def __init__(self, shop, token, jobs, rate):
        self.shop, self.token, self.jobs = shop, token, jobs
        self.every, self.count, self.wrong = 1 / rate, 0, []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)

    def write(self):
        browser, due = self.shop.browser(), time.monotonic()
        while not self.ending.wait(max(due - time.monotonic(), 0)):
            due += self.every
            job = self.jobs[self.count % len(self.jobs)]
            answer = browser.patch(f'/api/jobs/{job}', {
                'title': f'Written {self.count}'}, token=self.token)
            if answer.status != 200:
                self.wrong.append(str(answer))
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        assert not self.wrong, self.wrong[:3]


def cpu_ns(pid):
    """On a processor, of its one thread that serves."""
    return int(Path(f'/proc/{pid}/schedstat').read_text().split()[0])


def segments(directory, postgres, database, requests):
    """Microseconds of a worker's CPU for a hit, by whose memory it is in; one
    worker is asked at a time, on one connection, past nginx."""
    shop = Shop(directory / 'segments', postgres, database, web=False).start()
    try:
        token = shop.login('manager')
        headers = {'Authorization': f'Bearer {token}'}
        shop.worker(0).get(STATS, token=token)      # it runs the statement
        for worker in shop.workers():               # all is known to all
            worker.get(STATS, token=token)
        found = {0: [], 1: []}
        for _ in range(5):
            for number in found:
                pid = shop.worker_pids()[number]
                with fastcgi.Connection(shop.sockets[number]) as c:
                    before = cpu_ns(pid)
                    for _ in range(requests):
                        c.ask('GET', STATS, headers)
                    found[number].append((cpu_ns(pid) - before) / requests)
        own, other = (sorted(v)[2] / 1000 for v in found.values())
        return table([['hit', 'worker CPU µs', 'ratio'],
                      ["in the worker's own memory", f'{own:.2f}', '1.00'],
                      ["in another worker's", f'{other:.2f}',
                       f'{other / own:.2f}']])
    finally:
        shop.stop()


def own(directory, postgres, database, seconds, rounds, clients):
    """Microseconds of a worker itself for a hit, and for its token alone."""
    page = process.write(directory / 'own', '\0' * 4096)
    library = directory / 'own.so'
    shutil.copy2(process.build() / 'bench/own.so', library)
    shop = Shop(directory / 'apart', postgres, database, workers=1)
    shop.program.env.update(LD_PRELOAD=library, OWN_PAGE=page)
    shop.start()

    def counted():
        return struct.unpack('QQ', page.read_bytes()[:16])
    try:
        found = {}
        token = shop.login('manager')
        asked = {'a hit': (STATS, {'Authorization': f'Bearer {token}'}),
                 'health, without a token': ('/api/health', {})}
        for _ in range(rounds):
            for name, (path, headers) in asked.items():
                shop.get(path, token=token)
                requests, ns = counted()
                wrk(shop.url + path, seconds, clients, headers,
                    pids_of(shop), directory)
                now_requests, now_ns = counted()
                found.setdefault(name, []).append(
                    (now_ns - ns) / (now_requests - requests) / 1000)
        return table([['of the worker itself', 'µs', 'least', 'most']] + [
            [name, f'{statistics.median(us):.2f}', f'{min(us):.2f}',
             f'{max(us):.2f}'] for name, us in found.items()])
    finally:
        shop.stop()


def under_writes(directory, postgres, database, seconds, rounds, users=20):
    """Hits of as many users as there are at work, with and without writes."""
    shop = Shop(directory / 'writes', postgres, database).start()
    try:
        token = shop.login('manager')
        jobs = shop.sql('SELECT id FROM jobs LIMIT 200').split()
        headers = {'Authorization': f'Bearer {token}'}
        contest, told = Contest(), {'writes': 0, 'executions': 0}

        def quiet():
            return wrk(shop.url + STATS, seconds, users, headers,
                       pids_of(shop), directory)

        def busy():
            before = executions(shop, 'dashboard_stats')
            with Writer(shop, token, jobs, 50) as writer:
                found = quiet()
            told['writes'] += writer.count
            told['executions'] += executions(shop,
                                             'dashboard_stats') - before
            return found

        contest.add('no writes', quiet)
        contest.add('50 jobs written a second', busy)
        contest.go(rounds)
        return table([HEAD] + [line_of(contest, n, 'no writes')
                               for n in contest.entries]) + (
            f'\n\n{told["writes"]} writes, '
            f'{told["executions"] / max(told["writes"], 1):.2f} '
            'executions of the statement for each.')
    finally:
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
           [{'path': f'/api/jobs/{j}', 'token': manager} for j in jobs])
    yield ('job list, 20 of a page', 'jobs',
           [{'limit': 20, 'offset': n, 'today': day, 'sort': '-created_at'}
            for n in range(100)],
           [{'path': f'/api/jobs?limit=20&offset={n}', 'token': manager}
            for n in range(100)])
    yield ('dashboard/stats of operators', 'dashboard_stats',
           [{'operator': o, 'today': day} for o in operators],
           [{'path': STATS, 'token': token} for token in of.values()])


def misses(directory, postgres, database, seconds, rounds, clients, workers):
    shop = Shop(directory / 'misses', postgres, database, workers=workers,
                **UNCACHED, DB_POOL_MAX_CONNECTIONS=clients + 1,
                DB_POOL_MIN_CONNECTIONS=clients + 1).start()
    try:
        rows = [['uncached', 'clients', 'pgbench/s', 'reklam/s', 'ratio',
                 'p50 ms', 'p99 ms', 'p99 / p50', 'nginx CPU µs',
                 'worker CPU µs', "PostgreSQL's", 'errors']]
        for name, statement, choices, requests in cases_of(shop):
            more = choose_among(requests)
            rates, contest = [], Contest()

            def ask(number):
                warm(shop.url, requests, number)
                return wrk(shop.url, seconds, number, {}, {
                    **pids_of(shop), 'postgres': [postgres.process.pid]},
                    directory, more)
            for number in clients, CROWD:
                contest.add(number, lambda number=number: ask(number))
            for _ in range(rounds):
                rates.append(pgbench(postgres, database, statement, choices,
                                     seconds, clients, directory))
                contest.go(1)
            limit = statistics.median(rates)
            for number in contest.entries:
                m = contest.median(number)
                rows.append([name, number, f'{limit:,.0f}', f'{m.rate:,.0f}',
                             f'{m.rate / limit:.2f}', f'{m.p50:.2f}',
                             f'{m.p99:.2f}', f'{m.p99 / m.p50:.1f}',
                             *(f'{m.cpu[w]:.0f}' for w in (
                                 'nginx', 'worker', 'postgres')), m.errors])
        memory = rss_kb(shop.worker_pids().values()) // workers
        return table(rows) + (
            f'\n\npgbench has {clients} clients.  Private memory of a worker '
            f'after it, its part of the\ncache apart: {memory} KiB.')
    finally:
        shop.stop()


def main(quick):
    """The tables, as they come."""
    seconds, rounds = (1, 3) if quick else (2, 5)
    with ground() as (directory, postgres):
        more = directory, postgres, DATABASE
        yield '## The limit of a hit: 16 clients, 2 workers'
        yield hits(*more, seconds, rounds, 16, 2)
        yield "## A hit without nginx, libfcgi and the kernel: 16 clients"
        yield own(*more, seconds, rounds, 16)
        yield '## Whose memory it is in'
        yield segments(*more, 2000 * seconds)
        yield '## Hits while the shop works: 20 clients, 2 workers'
        yield under_writes(*more, seconds, rounds)
        yield '## The limit of a miss: 8 connections, 2 workers'
        yield misses(*more, seconds, rounds, 8, 2)


if __name__ == '__main__':
    for paragraph in main('--quick' in sys.argv):
        print(paragraph + '\n', flush=True)
