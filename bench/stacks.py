"""The peers: other ways to build the same backend, with their servers."""

import glob
import json
import re
import subprocess

from ground import ROOT
import process
from process import Process

# Processes and threads by each field's rule of thumb for two cores; whether
# others would be faster has not been measured.
SYNC_WORKERS = 4
THREAD_WORKERS, THREADS = 2, 4
PHP_CHILDREN = 8
NODE_PROCESSES, NODE_CONNECTIONS = 2, 6
MODULES = ['fastify@5', 'pg@8']

STATEMENTS = ['dashboard_stats', 'jobs', 'job', 'customers', 'step_note']
TEXTS = ['token_invalid', 'not_found', 'note_added']
OPTIONS = ('-c search_path=public,reklam -c jit=off '
           '-c max_parallel_workers_per_gather=0 -c TimeZone=UTC '
           '-c reklam.lang=tr')


def numbered(name):
    """The statement as its file has it, with $1 …"""
    names = []

    def place(match):
        if match.group(1) not in names:
            names.append(match.group(1))
        return f'${names.index(match.group(1)) + 1}'
    text = (ROOT / f'sql/query/{name}.sql').read_text()
    text = re.sub(r'^\s*--.*\n', '', text, flags=re.M)
    text = re.sub(r"(?<!:):'(\w+)'", place, text).strip().rstrip(';')
    return {'numbered': text, 'arguments': names,
            'places': ', '.join(['%s'] * len(names))}


def write_settings(shop, directory):
    """What every peer is told, as JSON and as PHP."""
    texts = shop.sql("SELECT json_object_agg(name, template) "
                     "FROM reklam.texts WHERE language = 'tr' "
                     f"AND name = ANY ('{{{','.join(TEXTS)}}}')")
    host, user = shop.cluster.directory, 'reklam'
    process.write(directory / 'settings.json', json.dumps({
        'dsn': f'host={host} user={user} dbname={shop.database}',
        'host': str(host), 'user': user, 'database': shop.database,
        'options': OPTIONS, 'secret': shop.settings['JWT_SECRET_KEY'],
        'today': shop.sql('SELECT CURRENT_DATE'),
        'statements': {n: numbered(n) for n in STATEMENTS},
        'texts': json.loads(texts)}))
    for file in (ROOT / 'bench/peers').iterdir():
        if file.is_file():
            process.write(directory / file.name, file.read_text())


class Peer:
    """One, in a directory where the settings and programs lie."""

    needs = {}          # where a file of it would be: the Debian package
    protocol = 'proxy'
    name = ''

    def __init__(self, directory):
        self.directory = directory
        self.socket = directory / f'{type(self).__name__.lower()}.sock'
        self.port = process.free_port()
        self.process = None

    @classmethod
    def missing(cls):
        return [package for path, package in cls.needs.items()
                if not glob.glob(path)]

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """What is to be done once before it starts."""

    def environment(self):
        return {}

    def start(self):
        self.prepare()
        self.process = Process(self.name, self.command(),
                               self.directory / f'{self.name}.log',
                               {'PGAPPNAME': self.socket.stem,
                                'PEER_SETTINGS':
                                self.directory / 'settings.json',
                                **self.environment()}).start()

    def stop(self):
        if self.process:
            self.process.stop()

    # --- its place in nginx, with what reklam's has ---

    keepalive = 64

    def place(self):
        kept = f'keepalive {self.keepalive}; keepalive_timeout 60s; ' \
            'keepalive_requests 1000000;' if self.keepalive else ''
        words = '\n'.join(f'\t\t{self.protocol}_{line};'
                          for line in self.passing())
        return f'''
upstream {self.socket.stem} {{
	server unix:{self.socket} max_fails=0;
	{kept}
}}
server {{
	listen 127.0.0.1:{self.port} backlog=4096;
	server_tokens off;
	keepalive_requests 100000;
	gzip off;
	access_log {self.socket}.log reklam buffer=64k flush=1s;
	include {self.directory.parent}/nginx/reklam-headers.conf;
	location / {{
{words}
	}}
}}'''

    def passing(self):
        return [f'pass http://{self.socket.stem}', 'http_version 1.1',
                'set_header Connection ""', 'set_header Host $host',
                'buffer_size 16k', 'buffers 32 32k', 'busy_buffers_size 64k',
                'max_temp_file_size 0']


class Sync(Peer):
    """The old design."""

    name = 'Flask, gunicorn sync'
    needs = {'/usr/bin/gunicorn': 'gunicorn',
             '/usr/lib/python3/dist-packages/flask': 'python3-flask',
             '/usr/lib/python3/dist-packages/jwt': 'python3-jwt',
             '/usr/lib/python3/dist-packages/psycopg2': 'python3-psycopg2'}
    workers, threads, kind = SYNC_WORKERS, 1, 'sync'
    keepalive = 0       # it closes after every answer

    def environment(self):
        return {'PEER_THREADS': self.threads}

    def command(self):
        return ['/usr/bin/gunicorn', '-k', self.kind, '-w', self.workers,
                '--threads', self.threads, '--keep-alive', 75,
                '--worker-tmp-dir', '/dev/shm', '--log-level', 'warning',
                '--chdir', self.directory, '-b', f'unix:{self.socket}',
                'flask_app:app']

    @classmethod
    def versions(cls):
        return said('/usr/bin/python3', '-c', '''
import flask, gunicorn, psycopg2, sys
print("Python", sys.version.split()[0] + ", Flask", flask.__version__ +
      ", gunicorn", gunicorn.__version__ + ", psycopg2",
      psycopg2.__version__.split()[0])''')


class Threads(Sync):
    name = 'Flask, gunicorn gthread'
    workers, threads, kind = THREAD_WORKERS, THREADS, 'gthread'
    keepalive = 64


class Php(Peer):
    name = 'PHP-FPM'
    needs = {'/usr/sbin/php-fpm8.2': 'php8.2-fpm',
             '/usr/lib/php/20220829/apcu.so': 'php8.2-apcu',
             '/usr/lib/php/20220829/pgsql.so': 'php8.2-pgsql',
             '/usr/bin/php8.2': 'php8.2-cli'}
    protocol = 'fastcgi'
    keepalive = 0       # a kept connection would hold one of its children

    def prepare(self):
        process.run('/usr/bin/php8.2', '-r', '''
            file_put_contents($argv[2], "<?php return " . var_export(
                json_decode(file_get_contents($argv[1]), true), true) . ";");
            ''', self.directory / 'settings.json',
                    self.directory / 'settings.php')
        process.write(self.directory / 'php-fpm.conf', f'''[global]
error_log = {self.directory}/php-fpm.log
daemonize = no
[shop]
listen = {self.socket}
listen.backlog = 4096
clear_env = no
pm = static
pm.max_children = {PHP_CHILDREN}
''')

    def command(self):
        return ['/usr/sbin/php-fpm8.2', '-y', self.directory / 'php-fpm.conf',
                '-d', 'opcache.validate_timestamps=0',
                '-d', 'opcache.jit_buffer_size=32M',
                '-d', 'opcache.jit=tracing']

    def passing(self):
        return [f'pass {self.socket.stem}',
                f'param SCRIPT_FILENAME {self.directory}/index.php',
                f'param PEER_SETTINGS {self.directory}/settings.php',
                'param QUERY_STRING $query_string',
                'param REQUEST_METHOD $request_method',
                'param REQUEST_URI $request_uri',
                'param CONTENT_TYPE $content_type',
                'param CONTENT_LENGTH $content_length',
                'param HTTP_AUTHORIZATION $http_authorization',
                'pass_request_headers off',
                'buffer_size 16k', 'buffers 32 32k', 'busy_buffers_size 64k',
                'max_temp_file_size 0', 'hide_header X-Powered-By']

    @classmethod
    def versions(cls):
        return said('/usr/bin/php8.2', '-r', '''
            echo "PHP ", PHP_VERSION, ", APCu ", phpversion("apcu");''')


class Node(Peer):
    name = 'Node.js, fastify'
    needs = {'/usr/bin/node': 'nodejs', '/usr/bin/npm': 'npm'}
    found = ''

    def prepare(self):
        """The two modules, by whoever runs this, as npm is set up for him."""
        to = self.directory / 'modules'
        to.mkdir(exist_ok=True)
        done = subprocess.run(
            ['npm', 'install', '--prefix', to, '--ignore-scripts',
             '--no-audit', '--no-fund', '--no-package-lock', *MODULES],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, timeout=120, cwd=to)
        if done.returncode != 0:
            raise process.Trouble('npm cannot install ' + ' '.join(MODULES))
        for path in [to, *to.rglob('*')]:
            process.give(path)
        Node.found = ', '.join(
            f'{n} {version_of(to / "node_modules" / n)}'
            for n in (m.split('@')[0] for m in MODULES))

    def environment(self):
        return {'PEER_SOCKET': self.socket, 'NODE_ENV': 'production',
                'PEER_MODULES': self.directory / 'modules',
                'PEER_PROCESSES': NODE_PROCESSES,
                'PEER_CONNECTIONS': NODE_CONNECTIONS}

    def command(self):
        return ['/usr/bin/node', self.directory / 'server.mjs']

    @classmethod
    def versions(cls):
        return f'Node.js {said("/usr/bin/node", "--version")}, {cls.found}'


PEERS = [Sync, Threads, Php, Node]


def version_of(module):
    return json.loads((module / 'package.json').read_text())['version']


def said(*argv):
    return process.run(*argv).stdout.strip()


