"""
reklam-guide(7) is followed: the way from the old backend, on an old database,
and backup and restore.  The commands are taken from its text, and typed into
one shell from the first to the last.  Host, paths and names are changed, and
three programs have stand-ins: systemctl, since nothing here is a service, su
and runuser, since nobody here is root; and curl trusts our certificate.
"""

import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

import forge
import process
import replay
from cluster import Cluster, load
from process import ROOT, Trouble, run
from shop import Shop, moment, not_before
from test_migrations import TABLES
from web_server import certificate

pytestmark = pytest.mark.once

SECRET = 'the old key, which is longer than 32 bytes'
# What the recordings' database had, and the other kinds of old ones have not.
AS_RECORDED = '''
    ALTER TABLE user_roles ADD created_at timestamp DEFAULT now();
    ALTER TABLE files ADD content_type varchar(255);
    ALTER TABLE job_steps ADD planned_start_date date,
        ADD planned_end_date date, ADD started_by uuid,
        ADD completed_by uuid;
    ALTER TABLE users DROP CONSTRAINT users_role_check;
    ALTER TABLE job_steps DROP CONSTRAINT job_steps_status_check;
    ALTER TABLE notifications DROP CONSTRAINT notifications_type_check;'''
SYSTEMCTL = 'systemctl '
# What the old backend's site says.
OLD_SITE = '''server {{
	listen {listen} ssl http2;
	server_name localhost;
	ssl_certificate {pem};
	ssl_certificate_key {key};
	return 200 old-shop;
}}
'''


def chapter(heading):
    guide = (ROOT / 'man/reklam-guide.7').read_text()
    return guide.split(f'.Sh {heading}\n')[1].split('\n.Sh ')[0]


def blocks():
    """{heading: commands}, each as one text, of the guide's first chapter."""
    return dict(re.findall(
        r'^\.Ss ([^\n]+)\n(?:(?!\.Ss ).*\n)*?\.Bd -literal.*\n'
        r'((?:.*\n)*?)\.Ed', chapter('COMING FROM THE OLD BACKEND'), re.M))


def literal(heading):
    """What is to be typed as it stands."""
    return re.search(r'^\.Bd -literal.*\n((?:.*\n)*?)\.Ed',
                     chapter(heading), re.M)[1]


def old_database(cluster, name):
    """The old tables with the shop that was recorded, and what is beside."""
    text = (ROOT / 'tests/sql/old-database.sql').read_text()
    tables, rest = text.split('\n-- Rows.')
    others = rest.split('\nRESET ROLE;')[1]
    cluster.create_database(name)

    def psql(text):
        cluster.psql(name, '-v', 'deleted_at=timestamptz', '-f', '-',
                     input=text)
    psql(tables + AS_RECORDED + '\nCOMMIT;')
    psql('CREATE TABLE role_permissions (id uuid PRIMARY KEY, role_id uuid '
         'REFERENCES roles (id), resource varchar(100), can_view boolean, '
         'can_create boolean, can_update boolean, can_delete boolean, '
         'created_at timestamp DEFAULT now());'
         'ALTER TABLE role_permissions OWNER TO reklam;')
    load(cluster, name, ROOT / 'sql/demo.sql')
    psql('BEGIN;' + others)
    return name


class Rows:
    """What is in the old tables, by the columns that they had."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.columns = dict(self.ask('''
            SELECT table_name::text, string_agg(column_name, ', '
                   ORDER BY ordinal_position)
              FROM information_schema.columns
             WHERE table_schema = 'public' GROUP BY 1'''))

    def ask(self, query):
        with closing(psycopg2.connect(
                self.cluster.url(self.name, 'postgres'))) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()

    def digests(self):
        """{table: (how many rows, a digest of them all)}"""
        return {table: self.ask(f'''
            SELECT count(*), md5(string_agg(d, '' ORDER BY d)) FROM (
                   SELECT md5(row({self.columns[table]})::text)
                     FROM public.{table}) AS t (d)''')[0]
            for table in [*TABLES, 'hr_employees']}


def structure(cluster, name):
    text = run(Cluster.tool('pg_dump'), '-s', '-d',
               cluster.url(name, 'postgres')).stdout
    return re.sub(r'^\\(un)?restrict .*$', '', text, flags=re.M)


class Terminal:
    """A shell that remembers from block to block what was exported."""

    END = 'the end of what was asked'

    def __init__(self, directory, path, env):
        self.log = process.write(directory / 'terminal.log', '')
        with open(self.log, 'ab') as log:
            self.popen = subprocess.Popen(
                ['sh', '-e'], cwd=directory, text=True, stderr=log,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env=process.environment({**env, 'PATH': path}),
                preexec_fn=process.die_with_parent, **process.user_words())

    def __call__(self, commands):
        """What they print; none of them reads what is typed after it."""
        self.popen.stdin.write(f'{{\n{commands}}} < /dev/null\n'
                               f"echo '{self.END}'\n")
        self.popen.stdin.flush()
        said = ''
        for line in self.popen.stdout:
            if line.endswith(f'{self.END}\n'):
                return said + line[:-len(self.END) - 1]
            said += line
        raise Trouble(f'{commands}{said}{self.log.read_text()}')

    def close(self):
        self.popen.stdin.close()
        self.popen.stdout.close()
        self.popen.wait(10)


class Machine:
    """Where the guide is followed."""

    def __init__(self, directory, cluster):
        self.cluster = cluster
        self.directory = process.directory(directory)
        self.etc = process.directory(directory / 'etc')
        for name in ('bin', 'run', 'etc/reklam', 'etc/nginx',
                     'etc/nginx/sites-available', 'etc/nginx/sites-enabled'):
            process.directory(directory / name, 0o750)
        ports = process.free_port(), process.free_port()
        self.shop = Shop(
            directory, cluster, 'shop', today=replay.TODAY,
            http_port=ports[0], https_port=ports[1],
            names={'LOGIN_RATE': '1000r/s', 'SERVER_NAME': '_'},
            env={'DB_STATEMENT_MS': 20000,
                 'WORKERS_FILE': directory / 'nginx/reklam-workers.conf',
                 'CONTROL_SOCKET': directory / 'run/control.sock'})
        self.web = self.shop.web
        self.shop.settings_path.symlink_to('etc/reklam/reklam.conf')
        self.copy_sql()
        self.install_site()
        self.stand_in('su', '[ "$1 $2" = "postgres -c" ] || exit\n'
                      f'PGHOST={cluster.directory} PGUSER=postgres '
                      'exec sh -c "$3"')
        self.stand_in('runuser', '[ "$1 $2 $3" = "-u reklam --" ] || exit\n'
                      'shift 3; exec "$@"')
        for name in 'reklamd', 'reklamctl':
            self.shop.installed(name)
        self.old_settings()
        self.said, self.services = '', []
        tools = Path(Cluster.tool('pg_dump')).parent
        self.sh = Terminal(directory, f'{directory}/bin:{tools}:'
                           '/usr/local/bin:/usr/bin:/bin',
                           {**self.shop.program.env, 'LD_PRELOAD': ''})

    def copy_sql(self):
        shutil.copytree(ROOT / 'sql', self.directory / 'sql')
        for path in [self.directory / 'sql',
                     *(self.directory / 'sql').rglob('*')]:
            process.give(path)

    def install_site(self):
        """nginx as the package leaves it: the site is there, without a name
        and with some certificate; and the old one is enabled."""
        pem, key = certificate(process.directory(self.directory / 'other'))
        self.web.names.update(CERTIFICATE=pem, CERTIFICATE_KEY=key)
        self.web.write()
        site = self.web.directory / 'reklam-site.conf'
        cut = re.search(r"sed (-e '.*?' -e '.*?') \\",
                        (ROOT / 'debian/rules').read_text())[1]
        available = self.etc / 'nginx/sites-available'
        process.write(available / 'reklam',
                      run('sh', '-c', f'sed {cut} {site}').stdout)
        pem, key = certificate(self.web.directory)
        process.write(available / 'old-shop', OLD_SITE.format(
            listen=f'127.0.0.1:{self.web.https_port}', pem=pem, key=key))
        (self.etc / 'nginx/sites-enabled/old-shop').symlink_to(
            '../sites-available/old-shop')
        self.web.files[site.name] = \
            f'include {self.etc}/nginx/sites-enabled/*;\n'
        self.web.start()
        process.wait_until(self.site_is_as_linked, 10, 'the old site')

    def name_site(self, lines):
        """Each line stands instead of the one that begins as it does."""
        path = self.etc / 'nginx/sites-available/reklam'
        text = path.read_text()
        for line in self.local(lines).splitlines():
            word = line.split()[0]
            text, count = re.subn(rf'^\t{word} .*$', f'\t{line}', text,
                                  flags=re.M)
            assert count == 1, line
        path.write_text(text)

    def stand_in(self, name, text):
        path = process.write(self.directory / 'bin' / name,
                             f'#!/bin/sh\n{text}\n', 0o700)
        path.chmod(0o700)

    def old_settings(self):
        process.write(self.directory / 'old.env', f'''# the old backend
FLASK_ENV=production
DATABASE_HOST={self.cluster.directory}
DATABASE_PORT=5432
DATABASE_NAME=shop
DATABASE_USER=reklam
DATABASE_PASSWORD=PASSWORD
DB_POOL_MIN_CONNECTIONS=2
DB_POOL_MAX_CONNECTIONS=6
JWT_SECRET_KEY="{SECRET}"
JWT_ALGORITHM=HS256
JWT_EXPIRATION_HOURS=24
MINIO_ENDPOINT=minio:9000
CORS_ORIGINS=*
''')

    def local(self, commands):
        """The same with this machine's host, paths and names."""
        pem, key = certificate(self.web.directory)
        live = '/etc/letsencrypt/live/shop.example.org'
        for theirs, ours in (
                ('/srv/shop/.env', self.directory / 'old.env'),
                (f'{live}/fullchain.pem', pem),
                (f'{live}/privkey.pem', key),
                ('server_name shop.example.org', 'server_name localhost'),
                ('/etc/', f'{self.etc}/'),
                ('postgresql://reklam:PASSWORD@localhost/copy',
                 self.cluster.url('copy')),
                *((f' {word}', f' {word} -d {self.directory}/sql')
                  for word in ('migrate', 'check')),
                ('https://shop.example.org',
                 f'--cacert {pem} {self.shop.https_url}')):
            commands = commands.replace(theirs, str(ours))
        # The database of the last chapter is the package's own.
        return re.sub(r'(pg_dump -Fc|--if-exists|-O reklam|-d) reklam\b',
                      r'\1 shop', commands)

    def follow(self, commands):
        """Runs a block; what systemd would do is done here."""
        script = ''
        for line in [*commands.splitlines(keepends=True), SYSTEMCTL]:
            if not line.startswith(SYSTEMCTL):
                script += line
                continue
            if script:
                self.said += self.sh(self.local(script))
                script = ''
            self.systemctl(line[len(SYSTEMCTL):].strip())

    def sql(self, text):
        """In a session that ends, so that the database can be dropped."""
        return self.cluster.psql('shop', '-c', text).strip()

    def systemctl(self, words):
        if not words:
            return
        self.services.append(words)
        if words in ('enable --now reklamd', 'start reklamd'):
            self.shop.program.start()
            self.shop.program.wait_until(self.shop.is_ready, 60)
        elif words in ('disable --now reklamd', 'stop reklamd'):
            assert self.shop.program.stop()
        elif words == 'reload nginx':
            self.web.reload()
            process.wait_until(self.site_is_as_linked, 10, 'the site')
        else:
            assert words in ('stop shop-api', 'start shop-api'), words

    def site_is_as_linked(self):
        linked = [path.name for path in
                  (self.etc / 'nginx/sites-enabled').iterdir()]
        return self.answering() in linked

    def answering(self):
        """Which site does."""
        said = run('curl', '-sk', f'{self.shop.https_url}/api/health',
                   check=False).stdout
        return 'old-shop' if said == 'old-shop' else said and 'reklam'


@pytest.fixture(scope='module')
def then(private):
    """A PostgreSQL server that is not younger than the data."""
    cluster = Cluster(private / 'then', env=not_before(replay.TODAY))
    cluster.create()
    cluster.start()
    yield cluster
    assert cluster.stop()


@pytest.fixture(scope='module')
def moved(private, then):
    """The machine after the day."""
    machine = Machine(private / 'guide', then)
    old_database(then, 'shop')
    rows = Rows(then, 'shop')
    machine.before = rows.digests()
    as_it_was = structure(then, 'shop')
    commands = blocks()
    machine.follow(commands['The settings'])
    machine.name_site(commands['The site'])
    machine.follow(commands['Before the day'])
    machine.untouched = (structure(then, 'shop') == as_it_was,
                         rows.digests() == machine.before)
    machine.follow(commands['On the day'])
    machine.after = rows.digests()
    yield machine
    machine.sh.close()
    assert not machine.shop.stop()


def test_the_guide_has_what_is_followed_here():
    assert list(blocks()) == ['The settings', 'The site', 'Before the day',
                              'On the day', 'Back again']


@pytest.mark.seconds(300)
def test_all_of_it_goes_through(moved):
    assert 'would apply migration/001-tables.sql' in moved.said
    assert moved.said.count('\napplied indexes.sql') == 2
    assert moved.services == ['stop shop-api', 'enable --now reklamd',
                              'reload nginx']
    assert not moved.cluster.has('copy')


def test_the_new_site_has_taken_the_name_of_the_old_one(moved):
    assert moved.answering() == 'reklam'
    assert 'conflicting server name' not in moved.web.error_log()


def test_the_rehearsal_left_the_old_database_alone(moved):
    assert moved.untouched == (True, True)


def test_every_row_is_there_as_it_was(moved):
    for table, (count, digest) in moved.before.items():
        assert count, f'there is nothing in {table}'
        assert moved.after[table] == (count, digest), table


def test_an_old_token_works_and_another_does_not(moved):
    for name in 'admin', 'akaya':
        person = moved.sql('SELECT id FROM users WHERE username = '
                                f"'{name}'")
        login = int(moment(replay.TODAY)) - 3600
        claims = {'user_id': person, 'username': name, 'role': 'operator',
                  'exp': login + 86400, 'iat': login}
        answer = moved.shop.get('/api/auth/me',
                                token=forge.signed(claims, SECRET))
        assert (answer.status, answer.json['user']['id']) == (200, person)
        assert moved.shop.get('/api/auth/me', token=forge.signed(
            claims, SECRET.upper())).status == 401


def test_what_was_read_before_is_read_now(moved):
    reads, _ = replay.lines(replay.RECORDED / 'reads.jsonl')
    found = replay.Replay(moved.shop, replay.Differences(), secret=SECRET)
    faults = [fault for fault in map(found.check, reads) if fault]
    assert not faults, '\n'.join(faults)


def test_the_pool_has_the_connections_of_all_old_processes(moved):
    stats = moved.shop.get('/api/health/db', who='manager').json
    assert stats['pool_stats']['max_connections'] == 25


# --- backup and restore ---

@pytest.fixture(scope='module')
def restored(moved):
    """After a backup, the loss of much, and the restore."""
    backup, restore = literal('BACKUP AND RESTORE').split('\n\n')
    rows = Rows(moved.cluster, 'shop')
    kept = rows.digests()
    token = moved.shop.login('manager')
    moved.follow(backup + '\n')
    moved.sql("UPDATE customers SET name = 'lost'; "
                   'DELETE FROM notifications')
    (moved.etc / 'reklam/reklam.conf').unlink()
    (moved.etc / 'nginx/sites-enabled/reklam').unlink()
    assert rows.digests() != kept
    moved.follow(restore)
    return moved, token, kept, rows.digests()


def test_backup_and_restore_are_ten_lines():
    assert len(literal('BACKUP AND RESTORE').split('\n')) - 2 == 10


@pytest.mark.seconds(200)
def test_what_was_saved_is_there_again(restored):
    machine, token, kept, found = restored
    assert found == kept
    assert machine.site_is_as_linked()
    assert machine.shop.get('/api/customers', token=token).status == 200
    assert b'"lost"' not in machine.shop.get('/api/customers',
                                             token=token).body


# --- back again ---

# What the old backend writes, with the columns that it knows.
OLD_WRITES = '''
    UPDATE users SET full_name = 'Again', updated_at = now()
     WHERE username = 'admin';
    INSERT INTO users (username, email, password_hash, full_name, role,
        is_active) VALUES ('again', 'again@old.example',
        crypt('again123', gen_salt('bf')), 'Again', 'operator', true);
    INSERT INTO user_roles (user_id, role_id, is_primary, assigned_by)
    SELECT u.id, r.id, true, u.id FROM users u, roles r
     WHERE username = 'again' AND code = 'operator';
    INSERT INTO customers (name, city) VALUES ('Again', 'Ankara');
    INSERT INTO customer_dealers (customer_id, name)
    SELECT id, 'Again' FROM customers WHERE name = 'Again';
    INSERT INTO processes (name, code, folder_name, group_id)
    SELECT 'Again', 'AGAIN', 'AGAIN', id FROM process_groups LIMIT 1;
    INSERT INTO machines (name, code) VALUES ('Again', 'AGAIN');
    INSERT INTO jobs (job_number, title, status, priority, created_by)
    SELECT 'TLP-2026-9999', 'Again', 'draft', 'normal', id FROM users
     WHERE username = 'again';
    INSERT INTO job_steps (job_id, process_id, order_index, status)
    SELECT j.id, p.id, 0, 'pending' FROM jobs j, processes p
     WHERE title = 'Again' AND code = 'AGAIN';
    INSERT INTO notifications (user_id, title, message, type, ref_type)
    SELECT id, 'Again', 'Again', 'info', 'job' FROM users
     WHERE username = 'again';
    INSERT INTO audit_logs (user_id, action, entity_type, changes)
    SELECT id, 'update', 'job', '{}' FROM users WHERE username = 'again';
    DELETE FROM jobs WHERE job_number = 'TLP-2026-9999';'''


@pytest.fixture(scope='module')
def back(restored):
    moved = restored[0]
    assert moved.shop.post('/api/auth/login', {
        'username': 'admin', 'password': 'admin123'}).status == 200
    moved.follow(blocks()['Back again'])
    return moved


def test_the_way_back_ends_what_was_begun(back):
    assert back.services[-3:] == ['disable --now reklamd', 'start shop-api',
                                  'reload nginx']
    assert not back.shop.program.is_running()
    assert back.answering() == 'old-shop'


def test_the_old_backend_writes_as_before(back):
    back.cluster.psql('shop', '-1', '-c', OLD_WRITES, user='reklam')


def test_the_old_backend_knows_the_passwords(back):
    assert back.sql(
        "SELECT password_hash = crypt('admin123', password_hash) FROM users"
        " WHERE username = 'admin'") == 't'


# --- how large ---

def test_the_arithmetic_is_right():
    lines = literal('HOW LARGE').replace('\n    ', ' ').splitlines()
    worked = 0
    for line in lines:
        sum_ = re.search(r'  (\d[\d ()*/+-]*[*/+-][\d ()*/+-]*?\d\)?)\s{2,}'
                         r'(\d+)', line)
        if sum_:
            worked += 1
            assert eval(sum_[1]) == int(sum_[2]), line
    assert worked == 6
    assert '(30 + 16)' in lines[5]      # 16: the default of CACHE_SEGMENT_MB
    assert '"CACHE_SEGMENT_MB", NUMBER(segment_mb), "16"' \
        in (ROOT / 'src/conf_table.c').read_text()
