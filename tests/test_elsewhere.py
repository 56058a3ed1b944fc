"""The database is another machine's: TLS and passwords, two servers of which
one takes over, and PgBouncer between.

Servers are copies of the session's, by pg_basebackup; each has an address of
its own out of 127.0.0.0/8, so that all of them keep the usual port.
"""

import random
import signal
import time
from pathlib import Path

import pytest

import process
from backends import Asking, Backends, Frozen, is_busy, locked, trigger
from cluster import OWNER, Cluster
from conftest import fresh
from process import FULL, Process, at_most, run, wait_until
from routes import routes
from samples import Samples
from test_database_faults import Record, connects, created

USER, PASSWORD = 'keeper', 'p:a\\s\'s "w%rd#1'
IN_URL = 'p%3Aa%5Cs%27s%20%22w%25rd%231'
NAME = 'db.reklam.test'

# Ours, for what tests do beside the program; nobody else without a password.
RULES = f'''local all postgres,{OWNER} trust
local replication postgres trust
local all {USER} scram-sha-256
hostssl all {USER} samenet scram-sha-256
hostnossl all {OWNER} samenet trust
'''


class Copy(Cluster):
    """Another server with the data that one has now."""

    def __init__(self, directory, of, **settings):
        super().__init__(directory)
        self.address = '127.' + '.'.join(
            str(random.randint(1, 254)) for _ in range(3))
        self.settings.update({
            'listen_addresses': f"'{self.address}'", **settings})
        process.directory(self.directory)
        run(self.tool('pg_basebackup'), '-h', of.directory, '-U', 'postgres',
            '-D', self.data, '-c', 'fast', '-X', 'stream', '--no-sync')
        process.write(self.data / 'pg_hba.conf', RULES)

    def follow(self, primary):
        """As its standby; starts it."""
        self.settings['primary_conninfo'] = \
            f"'host={primary.directory} user=postgres'"
        process.write(self.data / 'standby.signal', '')
        process.write(self.data / 'postgresql.auto.conf', ''.join(
            f'{k} = {v}\n' for k, v in self.settings.items()))
        self.process.start()
        wait_until(lambda: connects(self), 30)
        return self

    def promote(self):
        self.psql('postgres', '-c', 'SELECT pg_promote()')


def away(make_shop, cluster, name, **words):
    """A shop whose database is not on the session's server (there, the one
    of that name goes with the first shop)."""
    shop = make_shop(database=name, **words)
    shop.cluster = cluster
    return shop


@pytest.fixture(scope='module')
def name(postgres, demo):
    """Of a demo shop's database, on copies of the session's server."""
    return fresh(postgres, demo)


@pytest.fixture(scope='module')
def second_name(guarded, name):
    """Of one for PgBouncer alone."""
    return f'{name}_2'


# --- TLS and passwords ---

def certificates(directory):
    """An authority, one that nobody trusts, and a server's certificate."""
    process.directory(directory)

    def openssl(*words):
        run('openssl', *words, cwd=directory)
    for ca in ('ca', 'other'):
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
                'ec_paramgen_curve:prime256v1', '-nodes', '-days', 2,
                '-subj', f'/CN={ca}', '-keyout', f'{ca}.key',
                '-out', f'{ca}.pem')
    openssl('req', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:prime256v1', '-nodes', '-subj', f'/CN={NAME}',
            '-keyout', 'server.key', '-out', 'server.csr')
    process.write(directory / 'names', f'subjectAltName=DNS:{NAME}\n')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey',
            'ca.key', '-CAcreateserial', '-days', 2, '-extfile', 'names',
            '-out', 'server.pem')
    return directory


@pytest.fixture(scope='module')
def guarded(private, postgres, name):
    """Lets keeper in with his password, and from outside with TLS alone."""
    keys = certificates(private / 'keys')
    cluster = Copy(private / 'guarded', postgres, ssl='on',
                   ssl_cert_file=f"'{keys}/server.pem'",
                   ssl_key_file=f"'{keys}/server.key'",
                   password_encryption="'scram-sha-256'").start()
    cluster.psql('postgres', input=f'''CREATE ROLE {USER} LOGIN IN ROLE {OWNER}
        PASSWORD $${PASSWORD}$$''')
    cluster.create_database(f'{name}_2', name)
    cluster.keys = keys
    yield cluster
    assert cluster.stop()


def tls(cluster, name, host=NAME, ca='ca', password=IN_URL, more=''):
    word = f':{password}' if password else ''
    return f'postgresql://{USER}{word}@/{name}?host={host}' \
        f'&hostaddr={cluster.address}&sslmode=verify-full' \
        f'&sslrootcert={cluster.keys}/{ca}.pem{more}'


def test_the_database_is_known_by_its_certificate(make_shop, guarded, name):
    url = tls(guarded, name)
    shop = away(make_shop, guarded, name, workers=1, DATABASE_URL=url,
                DB_POOL_MIN_CONNECTIONS=3, DB_POOL_WAIT_MS=5000,
                DB_CONNECT_MS=2000)
    with Backends(shop) as backends:
        wait_until(lambda: backends.count() >= 4, 5)
        backends.cursor.execute(
            'SELECT bool_and(s.ssl), bool_and(a.usename = %s) '
            'FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) '
            "WHERE starts_with(application_name, 'reklamd')", (USER,))
        assert backends.cursor.fetchall() == [(True, True)]
        # Answers larger than a TLS record, several in flight.
        token = shop.login('manager')
        asking = Asking([lambda n=n: shop.browser().get(
            f'/api/customers?limit={200 + n}', token=token)
            for n in range(6)])
        assert [(a.status, len(a.json['data'])) for a in asking.all()] == \
            [(200, 200 + n) for n in range(6)]
        assert shop.post('/api/machines', {'name': 'x', 'code': 'TLS'},
                         token=token).status == 201
        # A connection that breaks, and one that says nothing.
        backends.terminate()
        assert shop.get('/api/machines?offset=1', token=token).status == 200
        with Frozen(backends.pids("application_name ~ 'worker'")) as frozen:
            assert is_busy(shop.get('/api/machines?offset=2', token=token))
            assert time.monotonic() - frozen.began < 3.2 + 1
        wait_until(lambda: shop.get('/api/machines?offset=3',
                                    token=token).status == 200, 3)


def checked(shop, **settings):
    """What reklamd -t says with other settings: status, lines."""
    path = process.write(shop.directory / 'other.conf', ''.join(
        f'{k}={v}\n' for k, v in {**shop.settings, **settings}.items()))
    done = run(shop.installed('reklamd'), '-t', '-f', path, check=False)
    return done.returncode, (done.stderr + done.stdout).strip().split('\n')


@pytest.fixture(scope='module')
def plain(make_shops, guarded, name):
    """Comes by the unix socket, without a password."""
    return away(make_shops, guarded, name, workers=1, web=False,
                DATABASE_URL=guarded.url(name))


@pytest.mark.parametrize('words, sentence', [
    ({'host': 'another.reklam.test'},
     f'server certificate for "{NAME}" does not match host name '
     '"another.reklam.test"'),
    ({'ca': 'other'}, 'certificate verify failed'),
    ({'ca': 'missing'}, 'root certificate file'),
    ({'password': 'wrong'}, f'password authentication failed for user '
     f'"{USER}"'),
    ({'password': None}, 'no password supplied'),
])
def test_who_is_not_let_in_is_told_why_in_a_sentence(plain, guarded, name,
                                                     words, sentence):
    url = tls(guarded, name, **words)
    status, lines = checked(plain, DATABASE_URL=url)
    said = [line for line in lines if 'cannot be reached' in line]
    # Without a database there is a warning, all else is well.
    assert (status, len(lines), len(said)) == (0, 2, 1), lines
    assert sentence in said[0]
    assert PASSWORD not in said[0] and IN_URL not in said[0]
    # Nor is it taken by a program that runs.
    before = plain.program.tail()
    plain.write_settings(DATABASE_URL=url)
    plain.reload()
    try:
        said = wait_until(lambda: [
            line for line in plain.program.tail(10 ** 6).removeprefix(
                before).split('\n') if 'the reload is refused: ' in line], 10)
    finally:
        plain.write_settings(DATABASE_URL=guarded.url(name))
    assert len(said) == 1 and sentence in said[0]
    assert plain.worker(0).get('/api/health/ready').status == 200


def secret(directory, name, text):
    return process.write(Path(directory) / name, text)


def test_a_password_may_come_from_anywhere(plain, guarded, name):
    directory = process.directory(plain.directory / 'secrets')
    base = {'DATABASE_URL': '', 'DATABASE_HOST': guarded.directory,
            'DATABASE_NAME': name, 'DATABASE_USER': USER}
    escaped = PASSWORD.replace('\\', '\\\\').replace(':', '\\:')
    passfile = secret(directory, 'pgpass', f'*:*:*:{USER}:{escaped}\n')
    quoted = PASSWORD.replace('\\', '\\\\').replace('"', '\\"')
    for settings in (
            {**base, 'DATABASE_PASSWORD': f'"{quoted}"'},
            {**base, 'DATABASE_PASSWORD_FILE':
             secret(directory, 'password', PASSWORD + '\n')},
            {'DATABASE_URL': tls(guarded, name)},
            {'DATABASE_URL': '', 'DATABASE_URL_FILE':
             secret(directory, 'url', tls(guarded, name))},
            {'DATABASE_URL': tls(guarded, name, password=None,
                                 more=f'&passfile={passfile}')}):
        assert checked(plain, **settings) == (0, ['all is well']), settings
    plain.write_settings(**base, DATABASE_PASSWORD_FILE=directory / 'password')
    workers = plain.worker_pids()
    with Backends(plain) as backends:
        plain.reload()
        wait_until(lambda: backends.count(f"usename <> '{USER}'") == 0 and
                   backends.count() >= 2 and
                   plain.worker_pids() != workers, 20)
    assert plain.worker(0).get('/api/machines', 'manager').status == 200


# --- two servers ---

def pair(private, origin, number, together):
    """A primary and its standby.  `together`: what is acknowledged is on
    both."""
    first = Copy(private / f'a-{number}', origin,
                 synchronous_commit='on').start()
    second = Copy(private / f'b-{number}', first,
                  synchronous_commit='on').follow(first)
    if together:
        first.psql('postgres', '-c',
                   "ALTER SYSTEM SET synchronous_standby_names = '*'",
                   '-c', 'SELECT pg_reload_conf()')
        wait_until(lambda: first.psql(
            'postgres', '-c', "SELECT count(*) FROM pg_stat_replication "
            "WHERE sync_state = 'sync'").strip() == '1', 10)
    return first, second


def is_exact(shop, mark):
    """Each worker answers from after each write, whoever made it."""
    token = shop.login('manager')
    browsers = shop.workers()

    def codes(worker):
        return {m['code'] for m in worker.get('/api/machines',
                                              token=token).json['data']}
    for worker in browsers:
        codes(worker)
    for n, writer in enumerate(browsers):
        code = f'{mark}{n}'
        assert writer.post('/api/machines', {'name': code, 'code': code},
                           token=token).status == 201
        assert all(code in codes(w) for w in browsers)
    shop.sql(f"UPDATE machines SET code = 'P' || code "
             f"WHERE code LIKE '{mark}%'")
    wait_until(lambda: all(f'P{mark}0' in codes(w) for w in browsers), 0.75)
    for worker in browsers:
        assert codes(worker) == set(shop.sql(
            'SELECT code FROM machines WHERE is_active').split('\n'))


@pytest.mark.once
@pytest.mark.seconds(240)
@pytest.mark.parametrize('how', ['planned', 'sudden'] if FULL else ['planned'])
def test_the_standby_takes_over_under_load(make_shop, private, guarded, name,
                                           how):
    """A planned stop sends the standby all there is; a sudden one only what
    the standby had to have before it was acknowledged."""
    first, second = pair(private, guarded, how, how == 'sudden')
    try:
        shop = away(make_shop, first, name, DB_POOL_MAX_CONNECTIONS=8,
                    DB_POOL_MIN_CONNECTIONS=4, DB_POOL_WAIT_MS=1000,
                    DATABASE_URL=(
                        f'postgresql://{OWNER}@{first.address},'
                        f'{second.address}/{name}'
                        '?target_session_attrs=read-write'))
        with Backends(shop) as backends, \
                Backends(shop, second) as others:
            wait_until(lambda: backends.count() >= 4, 5)
            assert others.count() == 0
        with Record(shop, clients=8, writes=True) as record:
            time.sleep(10 if FULL else 2)
            stopped = time.monotonic()
            first.process.signal(signal.SIGINT if how == 'planned'
                                 else signal.SIGQUIT)
            first.process.popen.wait(30)
            time.sleep(10 if FULL else 2)
            second.promote()
            promoted = time.monotonic()
            shop.cluster = second
            time.sleep(10 if FULL else 2)
        # It recovered by itself, as fast as after a restart.
        for kind, status in (('query', 200), ('write', 201)):
            assert record.first(kind, status, stopped + 0.5) - promoted \
                <= at_most(0.25), kind
        late = [s for _, s, began, *_ in record.seen
                if began > promoted + at_most(0.25)]
        assert len(late) > 50 and set(late) <= {200, 201}
        # What is in memory goes on, but for the moments in which it is not
        # known yet that the database is away, and is back.
        assert {s for k, s, began, ended, _ in record.seen
                if k == 'memory' and not stopped <= ended < stopped + 1.5
                and not promoted - 0.25 < began
                < promoted + at_most(0.25)} == {200}
        assert len([k for k, _, began, *_ in record.seen if k == 'memory' and
                    stopped + 1.5 < began < promoted]) > 5
        said = {n for k, s, _, _, n in record.seen
                if (k, s) == ('write', 201)}
        assert len({n for k, s, began, _, n in record.seen
                    if (k, s) == ('write', 201) and began < stopped}) > 20
        assert said - {int(c) for c in created(shop)} == set()
        assert max(ended - began for _, _, began, ended, _ in record.seen) \
            <= 4.2
        with Backends(shop) as backends:
            assert 4 <= backends.count() <= 8
        is_exact(shop, how.upper())
        for worker in shop.workers():
            told = worker.get('/api/health/db', 'manager').json
            assert told['status'] == 'healthy', told
    finally:
        second.stop()
        first.stop()


# --- PgBouncer ---

@pytest.fixture(scope='module')
def bouncer(private, guarded, second_name):
    """With fewer connections to the server than come to it."""
    try:
        program = process.program('pgbouncer', 'PGBOUNCER')
    except process.Trouble as trouble:
        pytest.skip(str(trouble))
    directory = process.directory(private / 'bouncer')
    password = PASSWORD.replace('"', '""')
    process.write(directory / 'users', f'"{USER}" "{password}"\n')
    process.write(directory / 'pgbouncer.ini', f'''
[databases]
* = host={guarded.directory}
[pgbouncer]
unix_socket_dir = {directory}
listen_addr =
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
auth_type = scram-sha-256
auth_file = {directory}/users
admin_users = {USER}
''')
    found = Process('PgBouncer', [program, directory / 'pgbouncer.ini'],
                    directory / 'log')
    found.directory = directory
    found.url = f'postgresql://{USER}:{IN_URL}@/{{}}?host={directory}&port=6432'
    found.start()
    found.wait_until(lambda: (directory / '.s.PGSQL.6432').exists())
    yield found
    assert found.stop()


def bounced(make, bouncer, guarded, name, **words):
    return away(make, guarded, name, **{
        'DATABASE_URL': bouncer.url.format(name), 'DB_PREPARED': 'off',
        'DB_LISTEN_URL': guarded.url(name), 'DB_POOL_MAX_CONNECTIONS': 12,
        'DB_POOL_MIN_CONNECTIONS': 12, 'DB_POOL_WAIT_MS': 5000, **words})


@pytest.fixture(scope='module')
def behind(make_shops, bouncer, guarded, second_name):
    return bounced(make_shops, bouncer, guarded, second_name)


def test_answers_through_pgbouncer_are_the_same(behind, make_shop, guarded):
    """As of a program that prepares, for each GET; also where the server's
    defaults are strange."""
    samples = Samples(guarded, behind.database)
    for setting in ("datestyle = 'German, DMY'", 'search_path = nowhere',
                    "timezone = 'Asia/Kathmandu'"):
        behind.sql(f'ALTER DATABASE {behind.database} SET {setting}')
    with Backends(behind) as backends:
        backends.terminate()
    straight = away(make_shop, guarded, behind.database, workers=1,
                    DATABASE_URL=guarded.url(behind.database))
    wait_until(behind.is_ready, 5)
    compared = 0
    for route in routes():
        if route.method != 'GET' or not route.statement:
            continue
        path = samples.path(route.path)
        a, b = (shop.worker(0).get(path, 'manager')
                for shop in (straight, behind))
        assert (b.status, b.body) == (a.status, a.body), path
        compared += b.status == 200
    assert compared > 30
    behind.sql(f'ALTER DATABASE {behind.database} RESET ALL')


def test_writes_through_pgbouncer_are_seen_at_once(behind):
    is_exact(behind, 'BOUNCED')


def test_nothing_is_left_in_a_session_that_is_everybodys(behind):
    token = behind.login('manager')
    answers = Asking([lambda n=n: behind.browser().get(
        f'/api/machines?offset={n}', token=token) for n in range(30)]).all()
    assert {a.status for a in answers} == {200}
    with Backends(behind) as backends:
        assert 1 <= backends.count("application_name ~ 'worker'") <= 3
        assert backends.count("application_name ~ 'listener'") == 1
        assert backends.count("state ~ 'transaction'") == 0
    # What a statement of ours sees is its own, what others see is not ours.
    behind.sql('CREATE TABLE IF NOT EXISTS left_over (name text, value text);'
               'GRANT ALL ON left_over TO PUBLIC')
    trigger(behind, '''INSERT INTO left_over
        SELECT 'prepared', count(*)::text FROM pg_prepared_statements
        UNION ALL SELECT 'timeout', current_setting('statement_timeout');''')
    assert behind.post('/api/machines', {'name': 'x', 'code': 'LEFT'},
                       token=token).status == 201
    behind.sql('DROP TRIGGER fault ON machines')
    assert behind.sql('SELECT * FROM left_over ORDER BY 1') == \
        'prepared|0\ntimeout|2s'


def test_a_deadline_through_pgbouncer_is_the_servers_too(behind):
    token = behind.login('manager')
    with Backends(behind) as backends, locked(behind):
        began = time.monotonic()
        asking = Asking([lambda n=n: behind.browser().get(
            f'/api/machines?offset={100 + n}', token=token)
            for n in range(3)])
        backends.waits_for(3)
        assert all(is_busy(a) for a in asking.all())
        assert time.monotonic() - began < 2 + at_most(0.25)
        backends.waits_for(0)
    assert behind.get('/api/machines?offset=100', token=token).status == 200


@pytest.mark.once
@pytest.mark.seconds(240)
def test_a_restart_of_pgbouncer_under_load(behind, bouncer):
    with Record(behind, writes=True) as record:
        time.sleep(1)
        bouncer.signal(signal.SIGTERM)          # at once
        bouncer.popen.wait(10)
        began = time.monotonic()
        time.sleep(0.5)
        bouncer.start()
        bouncer.wait_until(lambda: (bouncer.directory / '.s.PGSQL.6432')
                           .exists())
        ready = time.monotonic()
        time.sleep(3)
    assert record.first('query', 200, began) - ready <= at_most(0.25)
    late = [s for _, s, at, *_ in record.seen if at > ready + at_most(0.25)]
    assert late and set(late) <= {200, 201}
    said = {n for k, s, _, _, n in record.seen if (k, s) == ('write', 201)}
    assert len(said) > 20
    assert said - {int(c) for c in created(behind)} == set()
    is_exact(behind, 'AGAIN')


def test_a_listener_behind_a_pooler_is_refused(behind, bouncer):
    """It would hear nothing, and answers would be from before others' writes."""
    for settings in ({'DB_LISTEN_URL': ''},
                     {'DB_LISTEN_URL': bouncer.url.format(behind.database),
                      'DATABASE_URL': behind.settings['DB_LISTEN_URL']}):
        status, lines = checked(behind, **settings)
        assert (status, len(lines)) == (1, 1), lines
        assert 'DB_LISTEN_URL' in lines[0] and 'pooler' in lines[0]


def test_nor_are_statements_prepared_behind_one(behind):
    status, lines = checked(behind, DB_PREPARED='on')
    assert (status, len(lines)) == (1, 1), lines
    assert 'pooler' in lines[0] and 'DB_PREPARED' in lines[0]
