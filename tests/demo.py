#!/usr/bin/python3
"""
A whole shop of one's own: PostgreSQL, reklamd, nginx.

    demo.py run      in the foreground; Ctrl-C ends it all
    demo.py start    in the background; writes demo.env
    demo.py stop     ends that

What was there the last time is there again.  The environment changes it:

    DEMO_DIR        where it lives [/var/tmp/reklam-demo]
    DEMO_PORT       https [8443]
    DEMO_HTTP_PORT  plain http, for scripts [8080]
    DEMO_WORKERS    workers of reklamd [2]
    DEMO_SCALE      size of the shop: 1 is 10,000 jobs, 20 is 200,000
    DEMO_DATA       another file for psql instead of the demo shop
    DEMO_ENV        where start writes what scripts want to know [demo.env]
    DEMO_TODAY      the day that it takes for today (needs faketime)

A changed DEMO_SCALE, DEMO_DATA or DEMO_TODAY makes a new shop; without them
the old one stays as it is; DEMO_DATA= goes back to the demo shop.  Settings of
reklamd (see reklam.conf(5)) in the environment hold for the demo too.
"""

import datetime
import glob
import hashlib
import json
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import process
from cluster import Cluster
from process import ROOT, Trouble, wait_until
from shop import FAKETIME, Shop, migrate, not_before

ENV = Path(os.environ.get('DEMO_ENV') or ROOT / 'demo.env')
DATABASE = 'reklam'
LOGINS = ('admin     admin123     manager (yonetici)',
          'akaya     operator123  operator',
          'mbozkurt6 123456       sales (musteri_temsilcisi)')
# The demo's own; the rest of reklamd's settings may come from outside.
OURS = {'DATABASE_URL', 'JWT_SECRET_KEY', 'WORKERS_FILE', 'CONTROL_SOCKET'}


def step(what, do, *words):
    """A line with the time it took."""
    print(f'{what:<44}', end='', flush=True)
    began = time.monotonic()
    try:
        found = do(*words)
    except BaseException:
        print('failed', flush=True)
        raise
    print(f'{time.monotonic() - began:6.1f} s', flush=True)
    return found


def number(name, default, least, most):
    text = os.environ.get(name) or str(default)
    if not re.fullmatch(r'\d{1,9}', text) or not least <= int(text) <= most:
        raise Trouble(f'{name} is a number from {least} to {most}, '
                      f'not "{text}"')
    return int(text)


def place():
    """The directory; short, for the names of sockets, and nobody else's."""
    mine = '' if process.USER else '-' + pwd.getpwuid(os.geteuid()).pw_name
    path = Path(os.environ.get('DEMO_DIR') or f'/var/tmp/reklam-demo{mine}')
    path = path.absolute()
    if len(str(path)) > 80:
        raise Trouble(f'DEMO_DIR={path} is too long: sockets lie in it')
    if not path.parent.is_dir():
        raise Trouble(f'DEMO_DIR={path}: there is no {path.parent}')
    owners = {os.geteuid()}
    if process.USER:
        owners.add(pwd.getpwnam(process.USER).pw_uid)
    if path.is_symlink() or path.exists() and (
            not path.is_dir() or path.stat().st_uid not in owners):
        raise Trouble(f'{path} belongs to somebody else; DEMO_DIR=… '
                      'chooses another place')
    process.directory(path)
    try:
        process.run('test', '-x', path)
    except Trouble:
        raise Trouble(f'the user {process.USER} cannot reach {path}; '
                      'DEMO_DIR=… chooses another place') from None
    return path


def check_port(name, port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', port))
        except OSError as e:
            raise Trouble(f'port {port}: {e.strerror.lower()}; '
                          f'{name}=… chooses another') from None


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def check_idle(directory):
    """One demo at a time in a directory."""
    lock = directory / 'data/postmaster.pid'
    if lock.exists():
        pid = int(lock.read_text().split()[0])
        if is_alive(pid) and 'postgres' in words_of(pid):
            raise Trouble(f'a demo is running in {directory} already '
                          f'(PostgreSQL is process {pid})')


class Demo:
    def __init__(self, lasting):
        self.port = number('DEMO_PORT', 8443, 1, 65535)
        self.http_port = number('DEMO_HTTP_PORT', 8080, 1, 65535)
        self.workers = number('DEMO_WORKERS', 2, 1, 64)
        self.directory = place()
        check_idle(self.directory)
        check_port('DEMO_PORT', self.port)
        check_port('DEMO_HTTP_PORT', self.http_port)
        self.wanted = self.wish()
        self.cluster = Cluster(self.directory, quick=False, lasting=lasting,
                               env=not_before(self.wanted['today']))
        self.shop = Shop(
            self.directory, self.cluster, DATABASE, workers=self.workers,
            today=self.wanted['today'], http_port=self.http_port,
            https_port=self.port, lasting=lasting, **self.settings())

    # --- what is loaded ---

    @property
    def note(self):
        """What was loaded, when that was done to its end."""
        return self.directory / 'loaded.json'

    def wish(self):
        """What is to be there: as asked, else as it is."""
        try:
            loaded = json.loads(self.note.read_text())
        except (FileNotFoundError, ValueError):
            loaded = {}
        today = os.environ.get('DEMO_TODAY', loaded.get('today')) or None
        scale = os.environ.get('DEMO_SCALE') or loaded.get('scale') or '1'
        data = os.environ.get('DEMO_DATA', loaded.get('data'))
        if not re.fullmatch(r'\d{1,3}(\.\d{1,4})?', scale):
            raise Trouble(f'DEMO_SCALE is a number, not "{scale}"')
        if today and not re.fullmatch(r'\d{4}-\d\d-\d\d', today):
            raise Trouble(f'DEMO_TODAY is a date, not "{today}"')
        if today and not glob.glob(FAKETIME):
            raise Trouble('DEMO_TODAY needs the package faketime')
        data = str(Path(data).absolute()) if data else None
        file = Path(data) if data else ROOT / 'sql/demo.sql'
        try:
            self.text = file.read_text()
        except (OSError, UnicodeDecodeError) as e:
            raise Trouble(f'DEMO_DATA={file}: {e}') from None
        same = {'today': today, 'scale': scale, 'data': data,
                'sum': hashlib.sha256(self.text.encode()).hexdigest()}
        # The clone's own demo shop may change without anybody asking.
        keys = ['today', 'scale', 'data'] + (['sum'] if data else [])
        if loaded and all(loaded.get(k) == same[k] for k in keys):
            return loaded
        anchor = today or str(datetime.date.today())
        return {**same, 'anchor': anchor, 'new': True}

    def load(self):
        self.note.unlink(missing_ok=True)
        self.cluster.psql(
            DATABASE, '-v', f'scale={self.wanted["scale"]}',
            '-v', f'anchor={self.wanted["anchor"]}', '-f', '-',
            input=self.text, user='reklam', timeout=3600)
        self.cluster.psql(DATABASE, '-c', 'VACUUM ANALYZE', timeout=3600)
        self.wanted.pop('new', None)
        process.write(self.note, json.dumps(self.wanted) + '\n')

    def fill(self):
        """The database as it is wanted."""
        new = self.wanted.get('new') or not self.note.exists()
        if new and self.cluster.has(DATABASE):
            step('removes the old shop', self.cluster.drop_database,
                 DATABASE)
        if not self.cluster.has(DATABASE):
            new = True
            self.cluster.create_database(DATABASE)
        shutil.rmtree(self.directory / 'sql', ignore_errors=True)
        step('reklamctl migrate', migrate, self.cluster, DATABASE)
        if new:
            name = Path(self.wanted['data'] or 'demo.sql').name
            step(f'loads {name}, scale {self.wanted["scale"]}', self.load)

    # --- settings ---

    def secret(self):
        """The same one each time, so that tokens stay good."""
        path = self.directory / 'secret'
        if not path.exists():
            process.write(path, secrets.token_hex(32) + '\n')
        return path.read_text().strip()

    def settings(self):
        table = (ROOT / 'src/conf_table.c').read_text()
        names = set(re.findall(r'^\t\{ "([A-Z_]+)"', table, re.M)) - OURS
        found = {k: v for k, v in os.environ.items()
                 if k in names or k.startswith('CACHE_TTL_')}
        return {'JWT_SECRET_KEY': self.secret(),
                'DB_POOL_MAX_CONNECTIONS': max(12, 4 * self.workers + 1),
                **found}

    # --- starting and ending ---

    def start(self):
        if self.cluster.create():
            print(f'a new shop, in {self.directory}')
        step('starts PostgreSQL', self.cluster.start)
        self.fill()
        step(f'starts nginx and reklamd, {self.workers} '
             f'worker{"s" if self.workers > 1 else ""}', self.shop.start)

    def stop(self):
        try:
            return self.shop.stop()
        finally:
            self.cluster.stop()

    def tell(self):
        url = f'https://localhost:{self.port}'
        wanted = self.wanted
        print(f'''
{url}        (its certificate is its own: curl -k)
http://127.0.0.1:{self.http_port}     the same without TLS
psql '{self.cluster.url(DATABASE)}\'''')
        if wanted['data']:
            print(f'\nThe data are those of {wanted["data"]}.')
        else:
            print(f'\nA shop as of {wanted["anchor"]}; who may log in:\n')
            print(''.join(f'    {line}\n' for line in LOGINS), end='')
        print(f'''
TOKEN=$(curl -sk {url}/api/auth/login -H 'Content-Type: application/json' '''
              '''-d '{"username":"admin","password":"admin123"}' | '''
              f'''sed 's/.*"token": *"\\([^"]*\\)".*/\\1/')
curl -sk {url}/api/dashboard/stats -H "Authorization: Bearer $TOKEN"
curl -sk {url}/api/health/cache -H "Authorization: Bearer $TOKEN"
''', flush=True)

    def write_env(self):
        """For shells: . ./demo.env"""
        values = {
            'BASE_URL': f'https://localhost:{self.port}',
            'HTTP_URL': f'http://127.0.0.1:{self.http_port}',
            'DATABASE_URL': self.cluster.url(DATABASE),
            'DEMO_DIR': self.directory,
            'REKLAM_CONF': self.shop.settings_path,
            'WORKERS_FILE': self.shop.web.workers_path,
            'JWT_SECRET_KEY': self.secret(),
            'REKLAMD_PID': self.shop.program.pid,
            'NGINX_PID': self.shop.web.process.pid,
            'POSTGRES_PID': self.cluster.process.pid}
        ENV.touch(0o600)
        ENV.write_text(''.join(f'{k}={shlex.quote(str(v))}\n'
                               for k, v in values.items()))


def words_of(pid):
    """The command line of a process; '' when there is none."""
    try:
        return Path(f'/proc/{pid}/cmdline').read_text().replace('\0', ' ')
    except OSError:
        return ''


def read_env():
    try:
        text = ENV.read_text()
    except FileNotFoundError:
        return {}
    return dict(word.split('=', 1) for word in shlex.split(text))


def running(env):
    """The pids of a demo in the background, in the order of their end."""
    found = {}
    for name, signal_, word in (('NGINX', signal.SIGTERM, 'nginx'),
                                ('REKLAMD', signal.SIGTERM, 'reklamd'),
                                ('POSTGRES', signal.SIGINT, 'postgres')):
        pid = int(env.get(name + '_PID', 0))
        # Another process may have that number by now.
        if pid and word in words_of(pid):
            found[name] = pid, signal_
    return found


def stop():
    env = read_env()
    if not env:
        print('no demo was started from here')
        return 0
    for name, (pid, signal_) in running(env).items():
        os.kill(pid, signal_)
        try:
            wait_until(lambda: not words_of(pid), 40)
        except Trouble:
            print(f'{name.lower()} (process {pid}) does not end; killed')
            os.killpg(pid, signal.SIGKILL)
    ENV.unlink()
    print('stopped')
    return 0


def start():
    env = read_env()
    if running(env):
        print(f'it is running already: {env["BASE_URL"]}; '
              './bootstrap stop ends it')
        return 0
    demo = Demo(lasting=True)
    try:
        demo.start()
        demo.write_env()
    except BaseException:
        demo.stop()
        raise
    demo.tell()
    print('./bootstrap stop ends it; demo.env has all this for scripts')
    return 0


def interrupt(*_):
    raise KeyboardInterrupt


def run():
    if running(read_env()):
        raise Trouble('it is running in the background; '
                      './bootstrap stop ends it')
    demo = Demo(lasting=False)
    faults = []
    try:
        demo.start()
        demo.tell()
        print('Ctrl-C ends it all', flush=True)
        parts = (demo.cluster.process, demo.shop.program,
                 demo.shop.web.process)
        while all(part.is_running() for part in parts):
            time.sleep(0.3)
        for part in parts:
            if not part.is_running():
                faults.append(f'{part.name} has ended:\n{part.tail(2000)}')
    except KeyboardInterrupt:
        print()
    finally:
        for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number_, signal.SIG_IGN)
        faults += demo.stop()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


COMMANDS = {'run': run, 'start': start, 'stop': stop}


def main(words):
    if len(words) != 1 or words[0] not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    # Of a job in the background a shell has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:   # nohup
        signal.signal(signal.SIGHUP, interrupt)
    try:
        return COMMANDS[words[0]]()
    except Trouble as trouble:
        print(f'demo: {trouble}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
