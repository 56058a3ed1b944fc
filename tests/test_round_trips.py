"""What belongs together is said to the database in one flight: an answer takes
one round trip, whether its statement is new or known, reads or writes."""

import contextlib
import re
import signal
import subprocess
import time

import pytest

import process
from test_pool import known

# 1700000000.123456 sendto(12, "Q\0\0..."..., 34, ...) = 34
CALL = re.compile(r'^([\d.]+) (sendto|recvfrom)\((\d+), "(.*)"\.*, '
                  r'\d+, .* = (-?\d+)', re.M)


class Listening:
    """What a process says to its database and hears of it: libpq alone uses
    these system calls to send."""

    def __init__(self, pid, file):
        self.pid, self.file = pid, file

    def __enter__(self):
        try:
            program = process.program('strace', 'STRACE')
        except process.Trouble as trouble:
            pytest.skip(str(trouble))
        self.popen = subprocess.Popen(
            [program, '-p', str(self.pid), '-e', 'trace=sendto,recvfrom',
             '-ttt', '-s', '65536', '-o', self.file],
            stderr=subprocess.PIPE, text=True)
        line = self.popen.stderr.readline()
        if 'attached' not in line:
            self.popen.wait(5)
            pytest.skip(f'strace: {line.strip()}')
        return self

    def __exit__(self, *_):
        self.popen.send_signal(signal.SIGINT)
        self.popen.wait(10)
        self.popen.stderr.close()
        calls = [(float(at), name, int(fd), said) for at, name, fd, said, got
                 in CALL.findall(self.file.read_text()) if int(got) > 0]
        ours = {fd for _, name, fd, _ in calls if name == 'sendto'}
        self.calls = [c for c in calls if c[2] in ours]

    def flights(self, began, ended):
        """What was sent, each time up to an answer."""
        found, answered = [], True
        for at, name, _, said in self.calls:
            if not began <= at <= ended:
                continue
            if name == 'sendto':
                if answered:
                    found.append('')
                found[-1] += said
            answered = name == 'recvfrom'
        return found


class Asked:
    """The times of requests, to look up later what they took."""

    def __init__(self, listening):
        self.listening, self.times = listening, {}

    @contextlib.contextmanager
    def __call__(self, name):
        began = time.time()
        yield
        self.times[name] = began, time.time()

    def flights(self, name):
        return self.listening.flights(*self.times[name])


@pytest.mark.parametrize('prepared', ['on', 'off'])
def test_one_round_trip(make_shop, prepared):
    # A single connection, and nobody else on it.
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=2,
                     DB_PREPARED=prepared)
    worker, token = shop.worker(0), known(shop)

    def read(n):
        answer = worker.get(f'/api/machines?offset={n}', token=token)
        assert answer.status == 200

    def write(n, status=201):
        answer = worker.post('/api/machines', {'name': f'm{n}',
                                               'code': f'M{n}'}, token=token)
        assert answer.status == status
    trace = Listening(shop.worker_pids()[0], shop.directory / 'calls')
    asked = Asked(trace)
    with trace:
        for name, ask in (
                ('first read', lambda: read(0)),
                ('second read', lambda: read(1)),
                ('from memory', lambda: read(0)),
                ('first write', lambda: write(0)),
                ('second write', lambda: write(1)),
                ('refused write', lambda: write(1, 409)),
                ('read after it', lambda: read(0))):
            with asked(name):
                ask()
    assert asked.flights('from memory') == []
    said = {name: asked.flights(name) for name in asked.times
            if name != 'from memory'}
    assert {name: len(flights) for name, flights in said.items()} == \
        dict.fromkeys(said, 1), said
    # What a flight holds: the text, if it is not known, and the statement;
    # behind a write the question what it has touched.
    for name, (flight,) in said.items():
        text = 'machine_create' if 'write' in name else 'machines'
        new = prepared == 'off' or name in ('first read', 'first write')
        assert (f'/* {text} */' in flight) == new, name
        assert ('reklam.touched' in flight) == ('write' in name), name
        assert ('statement_timeout' in flight) == (prepared == 'off'), name
