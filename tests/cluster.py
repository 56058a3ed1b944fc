"""A PostgreSQL server of one's own: a directory, a unix socket, no port."""

import functools
import glob
import os
import signal
from pathlib import Path

import process
from process import Process, Trouble, program, run
from session import Session, psycopg2

OWNER = 'reklam'

QUICK = {'fsync': 'off', 'full_page_writes': 'off',
         'synchronous_commit': 'off'}
COMMON = {
    'listen_addresses': "''",
    'unix_socket_permissions': '0700',
    'max_connections': '200',
    'shared_buffers': '128MB',
    'shared_preload_libraries': 'pg_stat_statements',
    'log_line_prefix': "'%m [%p] %q%a '",
    'timezone': 'UTC',
    'log_timezone': 'UTC',
}


class Cluster:
    """The server; with `lasting` it outlives who started it."""

    def __init__(self, directory, quick=True, lasting=False, env=None):
        self.directory = Path(directory)
        self.data = self.directory / 'data'
        self.process = Process(
            'PostgreSQL', [self.tool('postgres'), '-D', self.data],
            self.directory / 'postgresql.log', env, stop=signal.SIGINT,
            lasting=lasting)
        self.session = Session(lambda: self.url('postgres', 'postgres'))
        self.settings = {**COMMON, **(QUICK if quick else {}),
                         'unix_socket_directories': f"'{self.directory}'"}

    @staticmethod
    @functools.cache
    def tool(name):
        """The program itself: what Debian has in the path is a script, which
        looks for a server of the system's each time."""
        asked = os.environ.get('PG_BINDIR')
        found = sorted(glob.glob(f'{asked or "/usr/lib/postgresql/*/bin"}'
                                 f'/{name}'), key=len)
        return found[0] if found else program(name, '')

    def create(self):
        """The files, unless they are there; whether they were made."""
        process.directory(self.directory)
        if (self.data / 'PG_VERSION').exists():
            return False
        run(self.tool('initdb'), '-D', self.data, '-U', 'postgres',
            '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '-N')
        return True

    def start(self):
        process.write(self.data / 'postgresql.auto.conf', ''.join(
            f'{k} = {v}\n' for k, v in self.settings.items()))
        self.process.start()
        self.process.wait_until(lambda: run(
            self.tool('pg_isready'), '-q', '-h', self.directory,
            check=False).returncode == 0, 60)
        self.psql('postgres', '-c', f'''
            DO $$ BEGIN CREATE ROLE {OWNER} LOGIN;
            EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            CREATE EXTENSION IF NOT EXISTS pg_stat_statements''')
        return self

    def stop(self):
        self.session.close()
        return self.process.stop()

    def restart(self, how=signal.SIGINT):
        """fast by SIGINT, immediate by SIGQUIT."""
        self.process.signal(how)
        self.process.popen.wait(30)
        return self.start()

    def url(self, database, user=OWNER):
        return f'postgresql://{user}@/{database}?host={self.directory}'

    def psql(self, database, *words, input=None, user='postgres',
             check=True, timeout=300):
        """Rows without ornament: what psql prints, as text."""
        return run(self.tool('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1',
                   '-d', self.url(database, user), *words, input=input,
                   check=check, timeout=timeout, user=None).stdout

    def ask(self, text):
        """A statement about the server itself."""
        if psycopg2 is None:
            return self.psql('postgres', '-c', text).strip()
        return self.session.ask(text)

    def has(self, database):
        return self.ask('SELECT 1 FROM pg_database '
                        f"WHERE datname = '{database}'") == '1'

    def create_database(self, name, template='template0'):
        self.ask(f'CREATE DATABASE "{name}" OWNER {OWNER} '
                 f'TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def drop_database(self, name):
        self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def load(cluster, database, file, scale=1, anchor='2026-11-23'):
    """The demo shop, or another, as psql reads it."""
    try:
        text = Path(file).read_text()
    except OSError as e:
        raise Trouble(f'{file}: {e.strerror}') from None
    cluster.psql(database, '-v', f'scale={scale}', '-v', f'anchor={anchor}',
                 '-f', '-', input=text, user=OWNER)
