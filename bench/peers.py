#!/usr/bin/python3
"""
reklam beside its peers: the same data, the same answers (compared before
anything is measured), the same machine, behind the same nginx.

    peers.py [--quick]

The peers run reklam's own statements, prepared, on kept connections, and pass
on the JSON that the database made.  They check the signature of a token and
trust what it says; reklam also knows whether its owner may still do this.
"""

import http.client
import json
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from ground import DATABASE, ground     # first: it finds tests/
import chart
import process
from forge import claims, signed, wrong_key
from limits import UNCACHED, executions
from measure import Contest, choose_among, rss_kb, table, warm, wrk
from shop import Shop
from stacks import PEERS, write_settings

STATS = '/api/dashboard/stats'
OURS, KEPT = 'reklam', 'reklam, from memory'


@dataclass
class Endpoint:
    name: str
    requests: list
    statement: str = ''         # of which the cache is off, where it is ours
    path: str = ''              # where the peers answer it, if elsewhere
    refused: bool = False

    def of_peers(self):
        return [{**r, 'path': self.path or r['path']} for r in self.requests]


def more_operators(shop, count):
    """So that few ask the same at the same time: reklam would execute it
    once for all of them."""
    shop.sql(f'''
        WITH model AS (
            SELECT u, ur
              FROM users u
              JOIN user_roles ur ON ur.user_id = u.id AND ur.is_primary
              JOIN roles r ON r.id = ur.role_id AND r.code = 'operator'
             WHERE u.is_active
             ORDER BY u.id
             LIMIT 1
        ), made AS (
            INSERT INTO users
            SELECT (jsonb_populate_record(u, jsonb_build_object(
                       'id', md5('bench' || n), 'email', n || (u).email,
                       'username', 'bench' || n))).*
              FROM model, generate_series(1, {count}) n
            RETURNING id
        )
        INSERT INTO user_roles
        SELECT (jsonb_populate_record(ur, jsonb_build_object(
                   'id', gen_random_uuid(), 'user_id', made.id))).*
          FROM model, made''')
    shop.sql('ANALYZE users, user_roles')


def column(shop, text):
    return shop.sql(text).split('\n')


def endpoints(shop):
    manager = shop.login('manager')
    secret = shop.settings['JWT_SECRET_KEY']

    def asked(paths, token=manager):
        return [{'path': p, 'token': token} for p in paths]

    operators = [signed({**claims(manager), 'user_id': u,
                         'role': 'operator'}, secret)
                 for u in column(shop, '''
        SELECT u.id FROM users u
          JOIN user_roles ur ON ur.user_id = u.id AND ur.is_primary
          JOIN roles r ON r.id = ur.role_id
         WHERE r.code = 'operator' AND u.is_active''')]
    jobs = column(shop, 'SELECT id FROM jobs ORDER BY id LIMIT 500')
    # Steps of other jobs: those above shall not grow meanwhile.
    steps = column(shop, '''
        SELECT s.id FROM job_steps s JOIN jobs j ON j.id = s.job_id
         ORDER BY j.id DESC, s.id LIMIT 500''')
    words = column(shop, '''
        SELECT DISTINCT substr(name, 1 + length(id::text || name) % 7, 5)
          FROM customers ORDER BY 1 LIMIT 500''')
    return [
        Endpoint('statistics, cached', asked([STATS])),
        Endpoint('statistics, uncached',
                 [r for t in operators for r in asked([STATS], t)],
                 'dashboard_stats', '/uncached/dashboard/stats'),
        Endpoint('job list, 20 of a page', asked(
            f'/api/jobs?limit=20&offset={n}' for n in range(500)), 'jobs'),
        Endpoint('job detail', asked(f'/api/jobs/{j}' for j in jobs), 'job'),
        Endpoint('customer search', asked(
            '/api/customers?limit=20&search=' + urllib.parse.quote(w)
            for w in words if len(w.strip()) > 2), 'customers'),
        Endpoint('refused token', asked([STATS], wrong_key(manager)),
                 refused=True),
        Endpoint('write: a note', [
            {**r, 'body': json.dumps({'note': 'Ready on Monday'})}
            for r in asked(f'/api/jobs/steps/{s}/notes' for s in steps)])]


# --- the same answers ---

def ask(port, request):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
    body = request.get('body')
    connection.request('POST' if body else 'GET', request['path'], body, {
        'Authorization': f'Bearer {request["token"]}',
        'Accept-Language': 'tr',
        **({'Content-Type': 'application/json'} if body else {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    try:
        found = json.loads(text)
    except ValueError:
        return answer.status, text.decode(errors='replace')[:200]
    if body and isinstance(found.get('data'), dict):
        for fresh in ('id', 'created_at'):
            assert found['data'].pop(fresh)
    return answer.status, found


def compare(endpoint, port, peer):
    """Raises where a peer's answer is not ours."""
    for ours, its in list(zip(endpoint.requests,
                              endpoint.of_peers()))[::97]:
        wanted, found = ask(port, ours), ask(peer.port, its)
        if wanted != found or \
                wanted[0] != (401 if endpoint.refused else
                              201 if 'body' in ours else 200):
            raise process.Trouble(
                f'{peer.name} answers {its["path"]} with {found}, '
                f'reklam with {wanted}')


# --- who takes part ---

class Field:
    """reklam twice, with and without its cache, and the peers."""

    def __init__(self, directory, postgres):
        self.postgres, self.notes = postgres, []
        place = process.directory(directory / 'field')
        self.peers = []
        for kind in PEERS:
            missing = kind.missing()
            if missing:
                self.notes.append(f'{kind.name} is left out: it needs the '
                                  f'Debian package {", ".join(missing)}.')
            else:
                self.peers.append(kind(process.directory(place / 'peers')))
        pool = {'DB_POOL_MIN_CONNECTIONS': 12, 'DB_POOL_MAX_CONNECTIONS': 12}
        self.shop = Shop(place, postgres, DATABASE, **pool,
                         DB_POOL_WAIT_MS=UNCACHED['DB_POOL_WAIT_MS'],
                         more='\n'.join(p.place() for p in self.peers))
        self.off = Shop(directory / 'off', postgres, DATABASE, **pool,
                        JWT_SECRET_KEY=self.shop.settings['JWT_SECRET_KEY'],
                        **UNCACHED)

    def start(self):
        self.shop.start()
        more_operators(self.shop, 200)
        self.off.start()
        write_settings(self.shop, self.shop.directory / 'peers')
        request = {'path': STATS, 'token': self.shop.login('manager')}
        for peer in list(self.peers):
            try:
                peer.start()
                peer.process.wait_until(
                    lambda p=peer: ask(p.port, request)[0] == 200, 20)
            except process.Trouble as trouble:
                self.notes.append(f'{peer.name} is left out: {trouble}')
                peer.stop()
                self.peers.remove(peer)
        return self

    def stop(self):
        for peer in self.peers:
            peer.stop()
        self.off.stop()
        self.shop.stop()

    def pids(self, shop, pid):
        return {'nginx': [shop.web.process.pid], 'worker': [pid],
                'postgres': [self.postgres.process.pid]}

    def entries(self, endpoint):
        """name -> (url, requests, pids, the shop whose executions count)"""
        shop = self.off if endpoint.statement else self.shop
        found = {OURS: (shop.url, endpoint.requests,
                        self.pids(shop, shop.program.pid), shop)}
        if endpoint.statement and not endpoint.path:
            found[KEPT] = (self.shop.url, endpoint.requests,
                           self.pids(self.shop, self.shop.program.pid), None)
        for p in self.peers:
            found[p.name] = (f'http://127.0.0.1:{p.port}',
                             endpoint.of_peers(),
                             self.pids(self.shop, p.process.pid), None)
        return found

    def memory(self):
        """PSS: of what several share, to each his part."""
        rows = [['', 'processes', 'connections', 'memory MiB',
                 'of it shared']]
        for name, pid, mark in [
                (OURS, self.shop.program.pid, 'reklam'),
                (OURS + ' without a cache', self.off.program.pid, 'reklam'),
                *((p.name, p.process.pid, p.socket.stem)
                  for p in self.peers)]:
            # Both of ours have the same mark, and as many.
            count = int(self.shop.sql(
                'SELECT count(*) FROM pg_stat_activity '
                f"WHERE application_name LIKE '{mark}%'"))
            rows.append([name, len(family(pid)),
                         count // 2 if mark == 'reklam' else count,
                         f'{rss_kb([pid], "Pss") / 1024:.1f}',
                         f'{rss_kb([pid], "Pss_Shmem") / 1024:.1f}'])
        return rows


def family(pid):
    text = Path(f'/proc/{pid}/task/{pid}/children').read_text()
    return [pid] + [p for child in text.split() for p in family(child)]


# --- the measurement ---

def measure(field, endpoint, clients, seconds, rounds, directory):
    """The contest, and how often ours executed the statement for a request."""
    contest, executed = Contest(), []

    def run(url, requests, pids, counted):
        def go():
            warm(url, requests, clients, 3)
            before = counted and executions(counted, endpoint.statement)
            found = wrk(url, seconds, clients, {}, pids, directory,
                        choose_among(requests), endpoint.refused)
            if before is not None and endpoint.statement:
                executed.append((executions(counted, endpoint.statement)
                                 - before) / (found.rate * seconds))
            return found
        return go

    for name, entry in field.entries(endpoint).items():
        contest.add(name, run(*entry))
    contest.go(rounds)
    return contest, sum(executed) / len(executed) if executed else None


HEAD = ['', 'clients', 'req/s', 'reklam is', 'p50 ms', 'p99 ms', 'CPU µs',
        "PostgreSQL's", 'spread', 'errors']


def lines(contest, clients):
    ours = contest.median(OURS)
    for name in contest.entries:
        m = contest.median(name)
        yield [name, clients, f'{m.rate:,.0f}', f'{ours.rate / m.rate:.2f} ×',
               f'{m.p50:.2f}', f'{m.p99:.2f}',
               f'{m.cpu["nginx"] + m.cpu["worker"]:.0f}',
               f'{m.cpu["postgres"]:.0f}', f'{contest.spread(name):.0%}',
               m.errors]


def summary(field, results):
    """How many times as many requests as each peer's."""
    names = [p.name for p in field.peers]
    rows = [['reklam answers as many times the requests of', 'clients', *names,
             'req/s']]
    for (endpoint, clients), contest in results.items():
        ours = contest.median(OURS).rate
        rows.append([endpoint, clients, *(
            f'{ours / contest.median(n).rate:.2f}' for n in names),
            f'{ours:,.0f}'])
    return table(rows)


def main(quick, picture=None):
    """The tables, as they come; `picture`: where the chart goes."""
    seconds, rounds = (1, 1) if quick else (2, 3)
    with ground() as (directory, postgres):
        field = Field(directory, postgres)
        try:
            field.start()
            yield from contests(field, seconds, rounds,
                                [16] if quick else [16, 64], directory,
                                picture)
        finally:
            field.stop()


def contests(field, seconds, rounds, numbers, directory, picture):
    yield '## The peers'
    yield '\n'.join(field.notes + [
        '- ' + p.name + ': ' + p.versions() for p in field.peers])
    asked = endpoints(field.shop)
    for endpoint in asked:
        for peer in field.peers:
            compare(endpoint, field.shop.web.http_port, peer)
    results, parts = {}, []
    for endpoint in asked:
        rows, words = [HEAD], ''
        warm_up(field, endpoint, directory)
        for clients in numbers:
            contest, executed = measure(field, endpoint, clients, seconds,
                                        rounds, directory)
            results[endpoint.name, clients] = contest
            rows += lines(contest, clients)
            if executed is not None:
                words += (f'\n{clients} clients: reklam executed the '
                          f'statement {executed:.2f} times for a request.')
        parts += [f'### {endpoint.name.capitalize()}', table(rows) + '\n'
                  + words]
    memory = field.memory()
    yield summary(field, results)
    yield '### Memory, after all of it'
    yield table(memory) + (
        '\n\nWithout nginx and PostgreSQL.  Shared is where reklam and APCu '
        'keep their answers.')
    yield from parts
    if picture:
        picture.write_text(chart.draw(results, memory))


def warm_up(field, endpoint, directory):
    """Every connection of each has prepared the statement and settled on a
    plan, and every process compiled what it compiles."""
    for url, requests, *_ in field.entries(endpoint).values():
        warm(url, requests, 64, 30)


if __name__ == '__main__':
    for paragraph in main('--quick' in sys.argv):
        print(paragraph + '\n', flush=True)
