#!/usr/bin/python3
"""
The old backend's document on its performance, line by line: what it said, and
what is measured here, before and after.

    old_document.py [--quick]

"Before" is the old backend's way with the database of then: its statements,
a connection for each request, none of the performance indexes (they are
dropped in a transaction that is rolled back).  "After" is its own means where
a line says so, else reklam.  Where reklam answers, it is asked through nginx.
"""

import os
import statistics
import sys
import time
from urllib.parse import quote

import psycopg2
from psycopg2.extras import register_default_json

from ground import (DATABASE, OWNER, PASSWORD,  # first: it finds tests/
                    ground, indexes)
import process
from limits import UNCACHED, Writer, executions, statement_for_pgbench
from measure import choose_among, table, wrk
from old_queries import OLDER, QUERIES
from shop import Shop
from stacks import numbered

STATS = '/api/dashboard/stats'
DASHBOARD = [STATS, '/api/dashboard/recent-jobs?limit=10',
             '/api/dashboard/chart/jobs-by-status',
             '/api/dashboard/chart/jobs-by-month']
HEAD = ['', 'said: before', 'after', 'ratio', 'here: before', 'after',
        'ratio', 'how']


INTRODUCTION = """\
On %s jobs; what the document said, and what is measured here.  Before: the old
backend's statements, without HTTP, on the indexes of then; a connection for
each request where the document means requests.  After: its own means where the
last column says so, else reklam, which is asked through nginx by one client,
but for the tables on indexes and queries: those are the statements alone."""


# An address of our own, since the port is everybody's.
TCP = {'host': f'127.{os.getpid() >> 16 & 255}.{os.getpid() >> 8 & 255}.'
               f'{os.getpid() & 255 or 1}',
       'user': OWNER, 'password': PASSWORD, 'dbname': DATABASE}


def ms(value):
    return f'{value:.3f} ms' if value < 1 else f'{value:.2f} ms' \
        if value < 10 else f'{value:,.0f} ms'


def line(name, said, before, after, how):
    """A row whose figures are milliseconds."""
    return [name, *said, ms(before), ms(after), f'{before / after:,.1f} ×',
            how]


def shown(lines):
    return table([HEAD] + lines, words=[7])


def median_ms(do, seconds, least=3):
    """Of as many times as fit, after one that does not count."""
    do()
    found, end = [], time.monotonic() + seconds
    while len(found) < least or time.monotonic() < end and len(found) < 200:
        began = time.monotonic()
        do()
        found.append((time.monotonic() - began) * 1000)
    return statistics.median(found)


class Old:
    """The old backend's queries, and reklam's, on a connection of ours."""

    def __init__(self, postgres, seconds):
        self.url, self.seconds = postgres.url(DATABASE, 'postgres'), seconds
        self.connection = psycopg2.connect(self.url)
        # reklam passes JSON on as the text that it is.
        register_default_json(self.connection, loads=str)
        self.cursor = self.connection.cursor()
        self.cursor.execute('SET search_path = public, reklam; SET jit = off;'
                            'SET max_parallel_workers_per_gather = 0')
        self.connection.commit()
        self.prepared = set()
        self.values = {
            'today': self.one('SELECT CURRENT_DATE::text'),
            'user': self.one("SELECT id::text FROM users WHERE username = "
                             "'akaya'"),
            'job': self.one("SELECT id::text FROM jobs WHERE status = "
                            "'in_progress' ORDER BY id LIMIT 1"),
            # Two words that stand side by side in a few names.
            'search': self.one('SELECT substr(name, 3, 9) FROM customers '
                               'ORDER BY id OFFSET 100 LIMIT 1')}
        self.connection.commit()

    def one(self, text):
        self.cursor.execute(text)
        return self.cursor.fetchone()[0]

    def ask(self, name):
        """The statements of an answer, in turn."""
        for text in QUERIES[name]:
            self.cursor.execute(text, self.values)
            self.cursor.fetchall()

    def time(self, name):
        return median_ms(lambda: self.ask(name), self.seconds)

    def time_ours(self, name, **values):
        statement = numbered(name)
        if name not in self.prepared:
            self.cursor.execute(f'PREPARE {name} AS {statement["numbered"]}')
            self.prepared.add(name)
        words = [values.get(a) for a in statement['arguments']]

        def ask():
            self.cursor.execute(
                f'EXECUTE {name} ({statement["places"]})'
                if words else f'EXECUTE {name}', words)
            self.cursor.fetchall()
        for _ in range(6):      # then one plan serves all values, as a rule
            ask()
        found = median_ms(ask, self.seconds)
        self.connection.commit()
        return found

    def without(self, dropped):
        """Each query's time without these indexes of ours, but with the older
        ones; nothing of it stays."""
        self.connection.rollback()
        self.cursor.execute('DROP INDEX ' + ', '.join(dropped))
        for index in OLDER:
            self.cursor.execute(f'CREATE INDEX {index}')
        found = {name: self.time(name) for name in QUERIES}
        self.connection.rollback()
        return found

    def before_and_after(self, rounds):
        """Without its 31 and with them, in turns: each query's medians."""
        states = [indexes(), indexes('search')]
        found = [[self.without(s) for s in states] for _ in range(rounds)]
        return [{name: statistics.median(r[n][name] for r in found)
                 for name in QUERIES} for n in range(len(states))]

    def connect(self):
        """A connection and its end, as each request had them."""
        return median_ms(lambda: psycopg2.connect(**TCP).close(),
                         self.seconds, 20)


class Site:
    """reklam with its cache and without, asked by one client in turn."""

    def __init__(self, directory, postgres, seconds):
        self.directory, self.postgres = directory, postgres
        self.seconds = seconds
        self.shop = Shop(directory / 'on', postgres, DATABASE).start()
        self.off = Shop(directory / 'off', postgres, DATABASE,
                        **UNCACHED).start()

    def stop(self):
        self.off.stop()
        self.shop.stop()

    def load(self, shop, paths, clients=1):
        token = shop.login('manager')
        return wrk(shop.url, self.seconds, clients, {}, {}, self.directory,
                   choose_among([{'path': p, 'token': token}
                                 for p in paths]))

    def times(self, *paths):
        """Milliseconds uncached and cached, of all of these in turn."""
        return [sum(self.load(shop, [p]).p50 for p in paths)
                for shop in (self.off, self.shop)]

    def inside(self, shop):
        """Median of what the worker says of itself, in ms."""
        token = shop.login('manager')
        found = []
        for _ in range(200):
            words = shop.worker(0).get(STATS, token=token) \
                .headers['server-timing']
            found.append(float(words.rsplit('total;dur=', 1)[1]))
        return statistics.median(found)


# --- the document's parts ---

def pooling(old, site, without, connect):
    """Its part 1."""
    job = '/api/jobs/' + old.values['job']
    uncached, _ = site.times(job)
    rate = connecting(site, old.values['job'])
    own = site.load(site.off, [f'/api/jobs/{j}' for j in site.shop.sql(
        'SELECT id FROM jobs ORDER BY id LIMIT 500').split()], 20)
    opened = site.off.get('/api/health/db', who='manager') \
        .json['pool_stats']['total']
    waited = queue_ms(site.off, job)
    return [
        [
            'Connection for a request', '180 ms', '0 ms', '100 %',
            ms(connect), ms(waited), '',
            'connect and close, by TCP with a password (SCRAM); after: what '
            'a request waits for one of reklam’s'],
        line('One call of the API', ['200 ms', '20 ms', '10 ×'],
             connect + without['job detail'], uncached,
             'a job with its steps: a connection and three queries, without '
             'HTTP; after: all of it, uncached'),
        ['20 at a time', '', '20 connections', '', f'{rate:,.0f}/s',
         f'{own.rate:,.0f}/s', f'{own.rate / rate:.1f} ×',
         f'the statement of a job by pgbench -C; after: jobs, uncached, on '
         f'{opened} connections, {own.errors} errors']]


def connecting(site, job):
    """Answers a second to 20 clients with a connection for each."""
    script = process.write(site.directory / 'job.pgbench',
                           statement_for_pgbench('job', {'id': job}))
    said = process.run(
        'pgbench', '-n', '-C', '-M', 'extended', '-c', 20, '-T', 2,
        '-D', f'id={job}', '-f', script,
        env={**{f'PG{k.upper()}': v for k, v in TCP.items() if k != 'dbname'},
             'PGDATABASE': DATABASE,
             'PGOPTIONS': '-c search_path=public,reklam'}).stdout
    return float(said.rsplit('tps = ', 1)[1].split()[0])


def queue_ms(shop, path):
    token, found = shop.login('manager'), []
    for _ in range(50):
        words = shop.worker(0).get(path, token=token).headers['server-timing']
        found.append(float(words.split('queue;dur=')[1].split(',')[0]))
    return statistics.median(found)


def index_lines(old, without, within):
    """Its part 2: each by its own means, then as reklam answers it."""
    v = old.values
    asked = [
        ('Customer name search', 'customer search', ['70 ms', '3 ms', '23 ×'],
         'a b-tree does not serve ILIKE ’%x%’: it cannot be had so',
         old.time_ours('customers', search=v['search'], limit='20'),
         'what serves it: a trigram index on names folded to one case'),
        ('Jobs by status', 'jobs by status', ['30 ms', '8 ms', '4 ×'],
         '(status, created_at DESC)',
         old.time_ours('jobs', status='active', limit='20',
                       today=v['today']),
         'as its endpoint asked: the page, the total, all steps'),
        ('Job steps filter', 'job steps', ['25 ms', '5 ms', '5 ×'],
         '(assigned_to, status)',
         old.time_ours('tasks', me=v['user'], status='ready', limit='20',
                       rights='{}'),
         'the operator’s tasks as JSON'),
        ('Overdue jobs', 'overdue jobs', ['18 ms', '4 ms', '4.5 ×'],
         '(due_date) of those at work',
         old.time_ours('jobs', overdue='true', sort='due_date', limit='20',
                       today=v['today']),
         'the page with all steps and the total as JSON'),
        ('Complex joins', 'recent jobs', ['40 ms', '5 ms', '8 ×'],
         'all is joined before ten are taken: no index helps',
         old.time_ours('recent_jobs', limit='10'),
         'what helps: the ten first, then what belongs to them')]
    rows = []
    for name, query, said, means, ours, how in asked:
        whole = 'job list' if query == 'jobs by status' else query
        rows += [
            line(name, said, without[query], within[query],
                 'its query and index: ' + means),
            line(name + ', reklam', ['', '', ''], without[whole], ours, how)]
    return rows


def dashboard_lines(old, within):
    """Its part 3."""
    ours = old.time_ours('dashboard_stats', today=old.values['today'],
                         operator=old.values['user'])
    return [
        line('Dashboard: four queries, one',
             ['80–100 ms', '22 ms', '4 ×'], within['statistics'],
             within['statistics at once'],
             'its four as one: the rows are counted all the same'),
        line('Dashboard: four queries, reklam', ['', '', ''],
             within['statistics'], ours,
             'one statement, on counts that writes keep')]


def cache_lines(site):
    """Its part 4."""
    miss, hit = site.times(STATS)
    inner_miss, inner_hit = site.inside(site.off), site.inside(site.shop)
    rate = hit_rate(site)
    mean = rate * hit + (1 - rate) * miss
    taken, cleared = clear(site)
    return [
        line('Cache hit, in the program', ['22 ms', '0.08 ms', '275 ×'],
             inner_miss, inner_hit, 'a worker’s time of a miss and of a hit'),
        line('Cache hit, through nginx', ['', '', ''], miss, hit,
             'the whole request'),
        ['Cache miss', '', '22 ms (105 ms)', '', '', ms(miss), '',
         'the whole request'],
        ['Hit rate', '', '80–90 %', '', '', f'{rate:.1%}', '',
         '20 users who ask all the time while 10 jobs a second are written; '
         'a write ends the answer at once'],
        line('On average', ['22 ms', '', '220 ×'], miss, mean,
             'at that rate of hits; 80 % of its own hits and misses would '
             'give 4.9 ×'),
        ['Clear', '', '“works”', '', '', ms(taken), '', cleared],
        ['TTL', '', '“works”', '', '1 s asked', f'{lifetime(site):.2f} s', '',
         'CACHE_TTL_get_dashboard_stats=1: until it is a miss']]


def hit_rate(site):
    shop = site.shop
    jobs = shop.sql('SELECT id FROM jobs LIMIT 200').split()
    before = executions(shop, 'dashboard_stats')
    with Writer(shop, shop.login('manager'), jobs, 10):
        found = site.load(shop, [STATS], 20)
    return 1 - (executions(shop, 'dashboard_stats') - before) / (
        found.rate * site.seconds)


def clear(site):
    """Milliseconds, and what the next request found."""
    browser, token = site.shop.browser(), site.shop.login('manager')
    browser.get(STATS, token=token)
    found = browser.get(STATS, token=token).headers['x-cache']
    began = time.monotonic()
    answer = browser.post('/api/health/cache/clear', token=token)
    taken = (time.monotonic() - began) * 1000
    assert answer.status == 200, answer
    after = browser.get(STATS, token=token).headers['x-cache']
    return taken, (f'{answer.json["cleared_count"]} answers; a {found} '
                   f'before, a {after} after')


def lifetime(site):
    """Seconds until an answer for a second is computed anew."""
    shop = Shop(site.directory / 'ttl', site.postgres, DATABASE, web=False,
                CACHE_TTL_get_dashboard_stats=1).start()
    try:
        worker, token = shop.worker(0), shop.login('manager')
        worker.get(STATS, token=token)
        began = time.monotonic()
        while worker.get(STATS, token=token).headers['x-cache'] == 'hit':
            time.sleep(0.005)
        return time.monotonic() - began
    finally:
        shop.stop()


def combined_lines(old, site, without, connect):
    """Its last table: before, uncached, cached."""
    v = old.values
    job = f'/api/jobs/{v["job"]}'
    search = '/api/customers?limit=20&search=' + quote(v['search'])
    filtered = '/api/jobs?limit=20&status=active'
    parts = ['statistics', 'recent jobs', 'chart by status', 'chart by month']
    asked = [
        ('Single API call', [job], without['job detail'] + connect,
         ['200 ms', '20 ms', '10 ×'], ['200 ms', '0.08 ms', '2,500 ×'],
         'a job with its steps'),
        ('Dashboard load', DASHBOARD,
         sum(without[p] for p in parts) + 4 * connect,
         ['200 ms', '50 ms', '4 ×'], ['200 ms', '0.24 ms', '833 ×'],
         'four requests in turn, seven queries before'),
        ('Customer search', [search], without['customer search'] + connect,
         ['70 ms', '3 ms', '23 ×'], ['70 ms', '0.08 ms', '875 ×'],
         '20 of those that match'),
        ('Filtered queries', [filtered], without['job list'] + connect,
         ['30–50 ms', '5–8 ms', '6 ×'], ['30–50 ms', '0.08 ms', '625 ×'],
         'jobs of a status, the total, all steps')]
    rows = []
    for name, paths, before, said, said_cached, how in asked:
        uncached, cached = site.times(*paths)
        rows += [line(name + ', uncached', said, before, uncached, how),
                 line(name + ', cached', said_cached, before, cached, how)]
    return rows


def main(quick):
    """The tables, as they come."""
    scale, seconds = (1, 0.1) if quick else (20, 0.5)
    with ground(scale, TCP['host']) as (directory, postgres):
        yield from tables(directory, postgres, scale, seconds)


def tables(directory, postgres, scale, seconds):
    old = Old(postgres, seconds)
    connect = old.connect()
    without, within = old.before_and_after(2)
    site = Site(directory, postgres, max(int(seconds), 1))
    try:
        yield '## The old document, line by line'
        yield INTRODUCTION % format(10000 * scale, ',')
        yield '### Connections'
        yield shown(pooling(old, site, without, connect))
        yield '### Indexes'
        yield shown(index_lines(old, without, within))
        yield '### Dashboard'
        yield shown(dashboard_lines(old, within))
        yield '### Cache'
        yield shown(cache_lines(site))
        yield '### Together'
        yield shown(combined_lines(old, site, without, connect))
    finally:
        site.stop()
        old.connection.close()


if __name__ == '__main__':
    for paragraph in main('--quick' in sys.argv):
        print(paragraph + '\n', flush=True)
