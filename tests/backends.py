"""The server processes of a shop, as its database sees them."""

import contextlib
import os
import re
import signal
import threading
import time

import psycopg2

import process

OURS = "starts_with(application_name, 'reklamd') AND datname = %s"


class Frozen:
    """Processes that do nothing for a while, but are there.  One that is gone
    meanwhile is no reason to leave the others so: PostgreSQL would wait for
    them whenever a database is made or dropped."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.send(signal.SIGSTOP)
        self.began = time.monotonic()
        return self

    def __exit__(self, *_):
        self.send(signal.SIGCONT)

    def send(self, number):
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Backends:
    """A view of pg_stat_activity; with `cluster` that of another server."""

    def __init__(self, shop, cluster=None):
        self.database = shop.database
        self.connection = psycopg2.connect((cluster or shop.cluster).url(
            'postgres', 'postgres'))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def ask(self, what, more='true'):
        self.cursor.execute(f'SELECT {what} FROM pg_stat_activity '
                            f'WHERE {OURS} AND {more}', (self.database,))
        return self.cursor.fetchall()

    def count(self, more='true'):
        return self.ask('count(*)', more)[0][0]

    def pids(self, more='true'):
        return [row[0] for row in self.ask('pid', more)]

    def blocked(self, worker=None):
        """How many wait for a lock."""
        return self.count("wait_event_type = 'Lock'" + (
            f" AND application_name = 'reklamd worker-{worker}'"
            if worker is not None else ''))

    def waits_for(self, blocked, seconds=10):
        process.wait_until(lambda: self.blocked() == blocked, seconds,
                           f'{blocked} blocked statements', every=0.005)

    def terminate(self, more='true'):
        self.cursor.execute(
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
            f'WHERE {OURS} AND {more}', (self.database,))


class Watch:
    """The most that were there at one time, while the block runs."""

    def __init__(self, shop):
        self.backends, self.most, self.looks = Backends(shop), 0, 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self):
        while not self.ending.wait(0.001):
            self.most = max(self.most, self.backends.count())
            self.looks += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(30)
        self.backends.connection.close()


@contextlib.contextmanager
def nobody_new(shop):
    """The database lets nobody in who is not there already."""
    def limit(number):
        shop.cluster.ask(f'ALTER DATABASE "{shop.database}" '
                         f'CONNECTION LIMIT {number}')
    limit(0)
    try:
        yield
    finally:
        limit(-1)


@contextlib.contextmanager
def locked(shop, table='machines'):
    """Who reads or writes the table has to wait."""
    with contextlib.closing(psycopg2.connect(shop.cluster.url(
            shop.database))) as blocker:
        blocker.cursor().execute(f'LOCK TABLE {table}')
        yield
        blocker.rollback()


class Asking:
    """Requests that run at once, in threads; the answers in their order."""

    def __init__(self, functions):
        self.answers = [None] * len(functions)
        self.took = [None] * len(functions)
        self.threads = [threading.Thread(target=self.run, args=(i, f),
                                         daemon=True)
                        for i, f in enumerate(functions)]
        for thread in self.threads:
            thread.start()

    def run(self, i, function):
        began = time.monotonic()
        try:
            self.answers[i] = function()
        except OSError as fault:
            self.answers[i] = fault
        self.took[i] = time.monotonic() - began

    def all(self, seconds=30):
        for thread in self.threads:
            thread.join(seconds)
        assert None not in self.answers, 'not everybody was answered'
        return self.answers


def slow_writes(shop, seconds, table='machines'):
    """A trigger that makes a new row of the table take its time."""
    shop.sql(f'DROP TRIGGER IF EXISTS slow ON {table}')
    if seconds:
        trigger(shop, f'PERFORM pg_sleep({seconds});', 'slow', table)


def trigger(shop, body, name='fault', table='machines'):
    """What happens before each new row of the table."""
    shop.sql(f'''CREATE OR REPLACE FUNCTION {name}() RETURNS trigger
        LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$''')
    shop.sql(f'CREATE OR REPLACE TRIGGER {name} BEFORE INSERT ON {table} '
             f'FOR EACH ROW EXECUTE FUNCTION {name}()')


def timing(answer):
    """Milliseconds by name: queue, query, total."""
    return {name: float(ms) for name, ms in re.findall(
        r'(\w+);dur=([0-9.]+)', answer.headers['server-timing'])}


def is_busy(answer):
    """A refusal that a client may try again, in words of ours."""
    return answer.status == 503 and list(answer.json) == ['error'] and \
        int(answer.headers['retry-after']) >= 1 and not leaks(answer.body)


LEAK = re.compile(
    rb'SQLSTATE|libpq|server closed|FATAL|ERROR:|relation "|syntax error|'
    rb'/var/|/tmp/|/home/|host=|assert|0x[0-9a-f]{6}')


def leaks(body):
    """Whether the database's words, or the machine's, came out."""
    return bool(LEAK.search(body))
