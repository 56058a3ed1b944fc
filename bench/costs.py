#!/usr/bin/python3
"""
What an answer costs the worker: its system calls, counted by strace, and its
instructions, counted by callgrind, which finds the same number each time.

    costs.py [FUNCTIONS]

One worker is asked over one kept connection, past nginx, by one client.
FUNCTIONS: of how many functions of the program it is told what they cost with
all that they call (20).
"""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ground import DATABASE, ground     # first: it finds tests/
import fastcgi
import process
from forge import wrong_key
from limits import STATS, UNCACHED, cpu_ns
from measure import table
from shop import Shop

COUNT = 1000
SAMPLES = 5
ORDER = ['epoll_wait', 'read', 'sendto', 'recvfrom', 'sendmsg', 'close']


@dataclass
class Kind:
    """What is asked for again and again."""

    name: str
    method: str
    path: str
    headers: dict
    body: bytes = b''
    status: int = 200
    cached: bool = True


def kinds(shop):
    token = shop.login('manager')
    found = shop.worker(0).get(STATS, token=token)
    job = shop.sql("SELECT id FROM jobs WHERE status = 'in_progress' "
                   'ORDER BY id LIMIT 1')
    step = shop.sql('SELECT id FROM job_steps ORDER BY id LIMIT 1')
    asker = {'authorization': f'Bearer {token}'}
    return [
        Kind('hit', 'GET', STATS, asker),
        Kind('304', 'GET', STATS,
             {**asker, 'if-none-match': found.headers['etag']}, status=304),
        Kind('refused token', 'GET', STATS,
             {'authorization': f'Bearer {wrong_key(token)}'}, status=401),
        Kind('miss: statistics', 'GET', STATS, asker, cached=False),
        Kind('miss: a job', 'GET', f'/api/jobs/{job}', asker, cached=False),
        Kind('write: a note', 'POST', f'/api/jobs/steps/{step}/notes',
             {**asker, 'content-type': 'application/json'},
             json.dumps({'note': 'Ready on Monday'}).encode(), status=201)]


def ask(connection, kind, count):
    for _ in range(count):
        answer = connection.ask(kind.method, kind.path, kind.headers,
                                kind.body)
        assert answer.status == kind.status, answer


class Stand:
    """A shop of one worker for what is cached, another for what is not."""

    def __init__(self, directory, postgres, *before):
        self.directory = directory
        self.shops = {
            cached: Shop(directory / f'cached-{cached}', postgres, DATABASE,
                         workers=1, web=False,
                         DB_POOL_MIN_CONNECTIONS=4, DB_POOL_MAX_CONNECTIONS=4,
                         **({'DB_POOL_WAIT_MS': 5000} if cached else UNCACHED))
            for cached in (True, False)}
        for shop in self.shops.values():
            shop.program.argv = [*before, *shop.program.argv]

    def __enter__(self):
        for shop in self.shops.values():
            shop.start()
        return self

    def __exit__(self, *_):
        for shop in self.shops.values():
            shop.stop()

    def each(self):
        """A kind, its worker's pid and a warm connection to it."""
        for kinds_of in zip(*(kinds(s) for s in self.shops.values())):
            kind = next(k for k, c in zip(kinds_of, self.shops)
                        if k.cached == c)
            shop = self.shops[kind.cached]
            with fastcgi.Connection(shop.sockets[0]) as connection:
                ask(connection, kind, 50)
                yield kind, shop.worker_pids()[0], connection


# --- counting ---

def cpu_us(pid, connection, kind):
    """A request's, the median of some samples; nothing watches."""
    found = []
    for _ in range(SAMPLES):
        before = cpu_ns(pid)
        ask(connection, kind, COUNT)
        found.append((cpu_ns(pid) - before) / COUNT / 1000)
    return sorted(found)[SAMPLES // 2]


def is_traced(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return re.search(r'TracerPid:\t[1-9]', file.read())


def system_calls(pid, connection, kind, directory):
    """{name: how many a request}, in the order in which they come."""
    path = directory / 'strace'
    argv = [process.program('strace', ''), '-c', '-p', str(pid), '-o', path]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as strace:
        process.wait_until(lambda: is_traced(pid), 10, 'strace')
        ask(connection, kind, COUNT)
        strace.send_signal(signal.SIGINT)
    found = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if words and words[0][0].isdigit() and words[-1] != 'total':
            # Those of a few timers are not the request's.
            if int(words[3]) >= COUNT // 10:
                found[words[-1]] = int(words[3]) / COUNT
    return dict(sorted(found.items(), key=lambda f: (
        ORDER.index(f[0]) if f[0] in ORDER else len(ORDER), f[0])))


def instructions(pid, connection, kind, directory):
    """What callgrind counted for COUNT requests."""
    health = Kind('', 'GET', '/api/health', {})
    ask(connection, health, 1)
    ask(connection, kind, COUNT)
    ask(connection, health, 1)
    return Profile(max(directory.glob(f'callgrind.{pid}.*'),
                       key=lambda p: int(p.suffix[1:])))


class Profile:
    """
    Of a request: instructions by program or library, and for each function of
    the program how often it is called and what it costs with all that it
    calls.  (callgrind_annotate loses its way in forked processes.)
    """

    def __init__(self, path):
        self.names = {}
        self.own, self.whole, self.calls = Counter(), Counter(), Counter()
        self.place = {}         # of a function
        place = function = called = None
        called_place, is_call = None, False
        for line in path.read_text().splitlines():
            key, _, value = line.partition('=')
            if key == 'ob':
                place = self.name('ob', value)
            elif key == 'cob':
                called_place = self.name('ob', value)
            elif key == 'fn':
                function, called_place = self.name('fn', value), None
                self.place[function] = place
            elif key == 'cfn':
                called = self.name('fn', value)
                self.place.setdefault(called, called_place or place)
            elif key == 'calls':
                self.calls[called] += int(value.split()[0]) / COUNT
                is_call = True
            elif line[:1] in set('0123456789+-*'):
                cost = int(line.split()[1]) / COUNT
                if is_call:
                    self.whole[called] += cost
                else:
                    self.own[place] += cost
                is_call, called_place = False, None

    def name(self, kind, text):
        """Written out once, a number afterwards."""
        number, _, words = text.partition(' ')
        if words:
            self.names[kind, number] = words
        return self.names[kind, number]

    @property
    def total(self):
        return sum(self.own.values())

    def parts(self):
        """The share of each library, largest first."""
        return [(Path(p).name.split('.so')[0], n)
                for p, n in self.own.most_common() if n >= self.total / 200]

    def steps(self):
        """The program's functions that a request calls."""
        return [(f, self.calls[f], n) for f, n in self.whole.most_common()
                if self.place[f].endswith('/reklamd') and self.calls[f] > 0.9
                and n >= self.total / 200]


# --- the tables ---

# Counting begins anew where a worker tells its health.
CALLGRIND = [process.program('valgrind', ''), '--tool=callgrind',
             '--dump-before=health_alive']


def calls_of(found):
    return ', '.join(f'{name} {count:.2g}' if abs(count - 1) > 0.01 else name
                     for name, count in found.items())


def main(most=20):
    with ground() as (directory, postgres):
        rows = {}
        with Stand(directory, postgres) as stand:
            for kind, pid, connection in stand.each():
                rows[kind.name] = [
                    f'{cpu_us(pid, connection, kind):.1f}',
                    calls_of(system_calls(pid, connection, kind, directory))]
        profiles = {}
        with Stand(directory, postgres, *CALLGRIND, '--callgrind-out-file='
                   f'{directory}/callgrind.%p') as stand:
            for kind, pid, connection in stand.each():
                profiles[kind.name] = instructions(pid, connection, kind,
                                                   directory)
    yield table([['', 'instructions', 'CPU µs', 'system calls']] + [
        [name, f'{profiles[name].total:,.0f}', *row]
        for name, row in rows.items()])
    for name, profile in profiles.items():
        yield f'### {name.capitalize()}'
        yield ', '.join(f'{p} {n:,.0f}' for p, n in profile.parts())
        yield table([['', 'calls', 'instructions', 'of all']] + [
            [f, f'{calls:.0f}', f'{n:,.0f}', f'{n / profile.total:.1%}']
            for f, calls, n in profile.steps()[:most]])


if __name__ == '__main__':
    for paragraph in main(*map(int, sys.argv[1:])):
        print(paragraph + '\n', flush=True)
