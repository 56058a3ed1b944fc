"""A whole shop: reklamd with its workers, a database, nginx before it."""

import contextlib
import datetime
import http.client
import json
import secrets
import shutil
import signal
import time
from pathlib import Path

import fastcgi
import process
from process import Process, Trouble, build, run
from session import Session
from web_server import WebServer, workers_file

PASSWORDS = {'admin': 'admin123', 'akaya': 'operator123',
             'mbozkurt6': '123456'}
ROLES = {'manager': 'admin', 'operator': 'akaya', 'sales': 'mbozkurt6'}

FAKETIME = '/usr/lib/*/faketime/libfaketime.so.1'


class Client:
    """get, post … over one kept connection; subclasses know how."""

    shop = None

    def request(self, method, path, body=None, headers=None, token=None):
        raise NotImplementedError

    def ask(self, method, path, body=None, who=None, token=None,
            headers=None):
        """`body`: bytes, text, pieces as they are, anything else as JSON.
        `who`: whose token is sent (a user name or a role)."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list, int, float)):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        if who is not None:
            token = self.shop.login(who)
        if token is not None:
            headers.setdefault('Authorization', f'Bearer {token}')
        return self.request(method, path, body, headers)

    def get(self, path, who=None, **more):
        return self.ask('GET', path, who=who, **more)

    def post(self, path, body=None, who=None, **more):
        return self.ask('POST', path, body, who=who, **more)

    def patch(self, path, body=None, who=None, **more):
        return self.ask('PATCH', path, body, who=who, **more)

    def delete(self, path, body=None, who=None, **more):
        return self.ask('DELETE', path, body, who=who, **more)


class Browser(Client):
    """Through nginx, plainly."""

    def __init__(self, shop, timeout=30):
        self.shop, self.timeout = shop, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        if isinstance(body, str):
            body = body.encode()
        for last in (False, True):
            kept = self.connection is not None
            if not kept:
                self.connection = http.client.HTTPConnection(
                    '127.0.0.1', self.shop.web.http_port,
                    timeout=self.timeout)
            try:
                self.connection.request(method, path, body, headers or {})
                r = self.connection.getresponse()
                return fastcgi.Answer(r.status, r.getheaders(), r.read())
            except (http.client.RemoteDisconnected, BrokenPipeError,
                    ConnectionResetError):
                # nginx closes idle connections; only such a one is tried
                # again.
                self.close()
                if last or not kept:
                    raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Worker(Client):
    """Straight to the socket of one worker."""

    def __init__(self, shop, path):
        self.shop, self.path = shop, path

    def request(self, method, path, body=None, headers=None):
        return fastcgi.ask(self.path, method, path, headers, body or b'',
                           timeout=30)


class Shop(Browser):
    """
    reklamd on `database` of `cluster`, with nginx unless `web` is False.
    Words in capitals are settings; `today` sets the program's calendar.
    """

    def __init__(self, directory, cluster, database, workers=2, today=None,
                 web=True, http_port=0, https_port=0, names=None, files=None,
                 more='', env=None, lasting=False, **settings):
        super().__init__(self)
        self.directory = process.directory(directory)
        self.cluster, self.database = cluster, database
        self.run = self.directory / 'run'
        self.sockets = [self.run / f'worker-{i}.sock' for i in range(workers)]
        self.web = WebServer(self.directory / 'nginx', self.sockets,
                             http_port, https_port, names, files, more,
                             lasting)
        self.uses_web = web
        self.settings = {
            'DATABASE_URL': cluster.url(database),
            'DB_POOL_MAX_CONNECTIONS': 12,
            'JWT_SECRET_KEY': secrets.token_hex(32),
            'WORKERS_FILE': self.web.workers_path,
            'CONTROL_SOCKET': self.run / 'control.sock',
            'REKLAM_LANG': 'tr', **settings}
        self.tokens = {}
        self.session = Session(
            lambda: self.cluster.url(self.database, 'postgres'))
        self.program = Process(
            'reklamd', [self.installed('reklamd'), '-f', self.settings_path],
            self.directory / 'reklamd.log', {**(env or {}), **faked(today)},
            lasting=lasting)

    @property
    def settings_path(self):
        return self.directory / 'reklam.conf'

    def installed(self, name):
        return installed(self.directory, name)

    # --- starting and ending ---

    def start(self):
        process.directory(self.run, 0o750)
        if self.uses_web:
            self.web.start()
        else:
            process.directory(self.web.directory)
            self.write_workers()
        self.start_program()
        return self

    def write_workers(self, sockets=None):
        """The list that nginx and reklamd read."""
        self.sockets = self.web.sockets = sockets or self.sockets
        process.write(self.web.workers_path, workers_file(self.sockets))

    def write_settings(self, **settings):
        self.settings.update(settings)
        process.write(self.settings_path, ''.join(
            f'{k}={v}\n' for k, v in self.settings.items()))

    def start_program(self):
        self.write_settings()
        self.program.start()
        self.program.wait_until(self.is_ready, 60)

    def is_ready(self):
        try:
            return all(fastcgi.ask(s, 'GET', '/api/health/ready').status
                       == 200 for s in self.sockets)
        except OSError:
            return False

    def stop(self):
        """Ends all of it; a sentence for each thing that was not right."""
        self.close()
        self.session.close()
        faults = []
        # nginx first: reklamd waits for connections that nginx may still use.
        if not self.web.stop():
            faults.append('nginx did not end cleanly')
        if not self.program.stop():
            faults.append('reklamd did not end cleanly')
        if self.program.findings():
            faults.append(self.program.findings())
        return faults

    def reload(self):
        self.program.signal(signal.SIGHUP)

    def children(self):
        """(pid, name) of each, as the processes call themselves."""
        for pid in self.program.children():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield pid, Path(f'/proc/{pid}/comm').read_text().strip()

    def worker_pids(self):
        """By socket number."""
        return {int(name.split('-')[1]): pid for pid, name in self.children()
                if name.startswith('worker-')}

    def listener_pids(self):
        return [pid for pid, name in self.children() if name == 'listener']

    # --- asking ---

    @property
    def url(self):
        return f'http://127.0.0.1:{self.web.http_port}'

    @property
    def https_url(self):
        return f'https://localhost:{self.web.https_port}'

    def worker(self, number):
        return Worker(self, self.sockets[number])

    def workers(self):
        return [self.worker(i) for i in range(len(self.sockets))]

    def browser(self, timeout=30):
        """Another connection, for another thread."""
        return Browser(self, timeout)

    def login(self, who):
        """The token of a user, remembered."""
        name = ROLES.get(who, who)
        if name not in self.tokens:
            answer = self.worker(0).post('/api/auth/login', {
                'username': name, 'password': PASSWORDS[name]})
            if answer.status != 200:
                raise Trouble(f'{name} cannot log in: {answer}')
            self.tokens[name] = answer.json['token']
        return self.tokens[name]

    def sql(self, text):
        """What psql would print without ornament, of the last statement."""
        return self.session.ask(text)


def installed(directory, name):
    """A program of ours where the shop's user can reach it."""
    to = process.directory(directory / 'bin') / name
    made = build() / 'src' / name
    if not to.exists() or made.stat().st_mtime > to.stat().st_mtime:
        shutil.copy2(made, to)
    return to


def faked(today):
    """The environment in which it is now `today`, at 14:30 if only a date."""
    if not today:
        return {}
    return {'LD_PRELOAD': process.program('', '', FAKETIME),
            'FAKETIME': f'{moment(today) - time.time():+.0f}',
            'FAKETIME_DONT_FAKE_MONOTONIC': '1'}


def not_before(today):
    """
    The same for PostgreSQL, but only forward: set back, its timers see the
    true time now and then, and cancel statements.
    """
    if not today or moment(today) < time.time():
        return {}
    return faked(today)


def moment(today):
    if ' ' not in today:
        today += ' 14:30:00'
    return datetime.datetime.fromisoformat(today + '+00:00').timestamp()


def copy_of_sql(cluster):
    """Where the cluster's user can read it."""
    sql = cluster.directory / 'sql'
    if not sql.exists():
        shutil.copytree(process.ROOT / 'sql', sql)
        for path in [sql, *sql.rglob('*')]:
            process.give(path)
    return sql


def migrate(cluster, database, *words):
    """By a copy of reklamctl."""
    program = installed(cluster.directory, 'reklamctl')
    return run(program, 'migrate', '-d', copy_of_sql(cluster), *words,
               env={'DATABASE_URL': cluster.url(database)}).stdout
