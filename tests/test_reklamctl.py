"""reklamctl token and user: who may come in, told from the command line."""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import pty
import re
import socket
import subprocess
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import process
from process import run, wait_until
from session import Session
from shop import copy_of_sql, installed

SECRET = 'a key of these tests, never of a shop'


class Control:
    """reklamctl for one database."""

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        self.program = installed(cluster.directory, 'reklamctl')
        self.env = {'DATABASE_URL': cluster.url(database),
                    'JWT_SECRET_KEY': SECRET, 'PASSWORD_COST': 4}
        self.sql = Session(lambda: cluster.url(database, 'postgres')).ask

    def __call__(self, *words, input='', **env):
        done = run(self.program, *words, input=input, check=False,
                   env={**self.env, **env})
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def add(self, *words, password='long enough'):
        return self('user', 'add', '-d', copy_of_sql(self.cluster),
                    *words, input=password + '\n')


@pytest.fixture
def control(postgres, empty):
    name = postgres.create_database('control', empty)
    yield Control(postgres, name)
    postgres.drop_database(name)


def claims(token):
    """What a token says, when it is signed with the key."""
    def decoded(part):
        return base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))
    text, _, signature = token.rpartition('.')
    assert decoded(signature) == hmac.digest(
        SECRET.encode(), text.encode(), hashlib.sha256)
    header, said = (json.loads(decoded(p)) for p in text.split('.'))
    assert header == {'alg': 'HS256', 'typ': 'JWT'}
    return said


def test_a_token_names_a_row(control):
    status, token, _ = control('token', '--service', 'cron', '--days', '30')
    assert status == 0
    said = claims(token)
    assert said['username'] == 'service:cron'
    assert said['exp'] - said['iat'] == 30 * 86400
    assert control.sql(f'''
        SELECT name, rights, expires_at - created_at = '30 days',
               extract(epoch FROM created_at) - {said['iat']} BETWEEN 0 AND 1
          FROM reklam.service_tokens WHERE id = '{said['service_id']}' ''') \
        == 'cron|{cache.clear}|t|t'


def test_a_token_has_the_rights_that_were_named(control):
    status, text, _ = control('-j', 'token', '--service', 'report', '--days',
                              '1', '--right', 'jobs.view', '--right', '*')
    made = json.loads(text)
    assert status == 0
    assert claims(made['token'])['service_id'] == made['id']
    assert control.sql('SELECT rights FROM reklam.service_tokens') \
        == '{jobs.view,*}'


@pytest.mark.parametrize('words', [
    (), ('--service', 'x'), ('--days', '3'),
    ('--service', 'a b', '--days', '3'), ('--service', '', '--days', '3'),
    ('--service', 'x', '--days', '0'), ('--service', 'x', '--days', '3d'),
    ('--service', 'x', '--days', '99999'),
    ('--service', 'x', '--days', '3', '--right', 'clear'),
    ('--service', 'x', '--days', '3', '--right', 'a.b"c'),
    ('--service', 'x', '--days', '3', 'more')])
def test_no_token_for_less_or_for_nonsense(control, words):
    status, token, why = control('token', *words)
    assert (status in (1, 2), token) == (True, '') and why
    assert control.sql('SELECT count(*) FROM reklam.service_tokens') == '0'


def test_no_token_without_a_key(control):
    assert control('token', '--service', 'x', '--days', '3',
                   JWT_SECRET_KEY='')[0] == 1


def test_the_first_user_is_a_manager_and_brings_the_roles(control):
    status, _, said = control.add('anna', 'anna@example.org', '-n', 'Anna Ö')
    assert (status, said) \
        == (0, 'anna is a user now, with the role yonetici')
    assert control.sql('''
        SELECT username, email, full_name, role, is_active,
               password_hash = crypt('long enough', password_hash),
               password_hash LIKE '$2a$04$%'
          FROM users''') \
        == 'anna|anna@example.org|Anna Ö|yonetici|t|t|t'
    assert control.sql('''SELECT code, is_primary FROM user_roles
        JOIN roles r ON r.id = role_id''') == 'yonetici|t'
    assert control.sql('SELECT count(*) FROM roles') == '8'


def test_a_second_user_has_a_role_of_his_own(control):
    control.add('anna', 'anna@example.org')
    for words in ('bob', 'bob@example.org'), \
            ('bob', 'bob@example.org', '-r', 'nobody'):
        assert control.add(*words)[0] == 1
    assert control.add('bob', 'bob@example.org', '-r', 'operator')[0] == 0
    assert control.add('bob', 'bob2@example.org', '-r', 'operator') \
        == (1, '', 'reklamctl: Key (username)=(bob) already exists.')
    status, listed, _ = control('-j', 'user', 'list')
    assert [(u['username'], u['roles'], u['active'])
            for u in json.loads(listed)] \
        == [('anna', 'yonetici', True), ('bob', 'operator', True)]
    header, *lines = control('user', 'list')[1].splitlines()
    assert header.split() == ['username', 'email', 'full_name', 'roles',
                              'active', 'since']
    assert [line.split()[:2] for line in lines] \
        == [['anna', 'anna@example.org'], ['bob', 'bob@example.org']]


@pytest.mark.parametrize('words, password', [
    (('', 'a@b'), 'long enough'), (('a b', 'a@b'), 'long enough'),
    (('anna', 'nowhere'), 'long enough'), (('anna',), 'long enough'),
    (('anna', 'a@b'), 'short'), (('anna', 'a@b'), 'ö' * 37)])
def test_a_user_who_cannot_be(control, words, password):
    status, _, why = control.add(*words, password=password)
    assert status in (1, 2) and why
    assert control.sql('SELECT count(*) FROM users') == '0'


def test_passwd_ends_older_tokens(control):
    control.add('anna', 'anna@example.org')
    before = control.sql('SELECT tokens_valid_from IS NULL FROM users')
    assert control('user', 'passwd', 'anna', input='quite another\n')[0] == 0
    assert (before, control.sql('''
        SELECT password_hash = crypt('quite another', password_hash),
               tokens_valid_from BETWEEN now() - interval '1 min' AND now()
          FROM users''')) == ('t', 't|t')
    assert control('user', 'passwd', 'bob', input='quite another\n') \
        == (1, '', 'reklamctl: no user is called "bob"')


def test_the_last_manager_stays(control):
    control.add('anna', 'anna@example.org')
    control.add('bob', 'bob@example.org', '-r', 'operator')
    assert control('user', 'deactivate', 'anna') \
        == (1, '', 'reklamctl: anna is the last manager')
    assert control('user', 'deactivate', 'bob')[0] == 0
    assert control('user', 'deactivate', 'nobody')[0] == 1
    assert control.sql('SELECT string_agg(username, \',\') FROM users '
                       'WHERE is_active') == 'anna'


def typed(control, *lines):
    """user passwd anna, with lines typed at a terminal; what it showed."""
    ours, theirs = pty.openpty()
    shown = b''
    with subprocess.Popen(
            [control.program, 'user', 'passwd', 'anna'], stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True,
            env=process.environment(control.env), cwd='/',
            **process.user_words()) as program:
        os.close(theirs)
        try:
            for line in lines:
                while not shown.rstrip(b'\r\n').endswith(b': '):
                    shown += os.read(ours, 100)
                os.write(ours, line.encode() + b'\n')
                shown += os.read(ours, 1) + b'|'
            while piece := os.read(ours, 100):
                shown += piece
        except OSError:             # nobody holds the other end any more
            pass
        except TimeoutError:
            program.kill()
            raise
    os.close(ours)
    return program.returncode, shown.decode()


def test_a_password_is_typed_twice_and_not_shown(control):
    control.add('anna', 'anna@example.org')
    status, shown = typed(control, 'quite another', 'quite another')
    assert status == 0 and 'quite' not in shown
    assert control.sql('''SELECT password_hash = crypt('quite another',
        password_hash) FROM users''') == 't'
    status, shown = typed(control, 'and a third', 'and a fourth')
    assert status == 1 and 'these were two different ones' in shown


def test_a_password_is_asked_for_when_nothing_typed_is_shown(control):
    """Nor thrown away: what comes before the question is."""
    control.add('anna', 'anna@example.org')
    ours, theirs = pty.openpty()
    question, full = os.pipe()
    os.write(full, b'x' * fcntl.fcntl(full, fcntl.F_GETPIPE_SZ))
    with subprocess.Popen(
            [control.program, 'user', 'passwd', 'anna'], stdin=theirs,
            stdout=theirs, stderr=full, start_new_session=True,
            env=process.environment(control.env), cwd='/',
            **process.user_words()) as program:
        try:                    # its question cannot be written yet
            wait_until(lambda: not termios.tcgetattr(theirs)[3]
                       & termios.ECHO, 5, 'a terminal without echo')
        finally:
            program.kill()
    for number in ours, theirs, question, full:
        os.close(number)


def test_what_it_cannot_do(control):
    assert control()[0] == 2
    assert control('fly') == (2, '', 'reklamctl: no command is called "fly"')
    assert control('user', 'rename', 'anna')[0] == 2
    assert control('migrate', 'more')[0] == 2
    status, _, why = control('user', 'list',
                             DATABASE_URL='postgresql:///?host=/nowhere')
    assert status == 1 and why.startswith('reklamctl: connection to server')
    assert '\n' not in why


# --- what is asked of the master ---

STATUS = {
    'version': '1.0.0', 'uptime_seconds': 93, 'ready': True,
    'listener': None, 'pool': {'open': 4, 'in_use': 1},
    'workers': [
        {'name': 'worker-0', 'pid': 12, 'pool': {'open': 2}, 'idle': False},
        {'name': 'worker-ü', 'pid': 1234, 'pool': {'open': 2}}],
    'prefixes': {'get_jobs': {'hits': 10}, 'get_job': {'hits': 9}},
    'empty': [], 'warnings': []}
SHOWN = '''\
version         1.0.0
uptime_seconds  93
ready           yes
listener        -
empty           
warnings        

pool:
open    4
in_use  1

workers:
name       pid  pool.open  idle
worker-0    12          2  no
worker-ü  1234          2  -

prefixes:
name      hits
get_jobs    10
get_job      9'''


@pytest.fixture
def master(control):
    """Answers as a master would; .asked holds the lines it was sent."""
    class Master:
        asked, answer = [], json.dumps(STATUS).encode()
    path = control.cluster.directory / 'control.sock'
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    process.give(path)
    listener.listen()

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                line = peer.makefile().readline()
                Master.asked.append(line)
                answer = Master.answer
                if isinstance(answer, dict):
                    answer = json.dumps(answer[line.strip()]).encode()
                peer.sendall(answer)
    threading.Thread(target=serve, daemon=True).start()
    control.env['CONTROL_SOCKET'] = path
    yield Master
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    path.unlink()


@pytest.mark.parametrize('words, line', [
    ('status', 'status'), ('workers', 'workers'), ('pool', 'pool'),
    ('slow', 'slow'), ('reload', 'reload'), ('cache', 'cache'),
    ('cache clear', 'cache clear'),
    ('cache clear get_jobs', 'cache clear get_jobs')])
def test_a_line_for_the_master(control, master, words, line):
    assert control(*words.split())[0] == 0
    assert master.asked[-1] == line + '\n'


def test_an_answer_is_shown_as_tables(control, master):
    assert control('status') == (0, SHOWN, '')
    status, text, _ = control('-j', 'status')
    assert (status, json.loads(text)) == (0, STATUS)


@pytest.mark.parametrize('answer, why', [
    (b'{"error": "two reloads at once"}', 'two reloads at once'),
    (b'{"error', 'what reklamd answers is not JSON'),
    (b'', 'reklamd does not answer')])
def test_an_answer_that_is_none(control, master, answer, why):
    master.answer = answer
    status, out, said = control('reload')
    assert (status, out) == (1, '') and said.startswith(f'reklamctl: {why}')


def test_no_master(control):
    assert control('status', CONTROL_SOCKET='/nowhere/control.sock') \
        == (1, '', 'reklamctl: /nowhere/control.sock: No such file or '
            'directory; is reklamd running?')


@pytest.mark.parametrize('words', [
    'status now', 'cache empty', 'cache clear a b', 'check all'])
def test_lines_that_are_not_sent(control, master, words):
    before = len(master.asked)
    assert control(*words.split())[0] == 2
    assert control('cache', 'clear', 'a\nreload')[0] == 1
    assert len(master.asked) == before


def test_check_looks_at_all_of_it(control, master):
    def check(**env):
        return control('check', '-d', copy_of_sql(control.cluster),
                       **env)

    def answers(listening=True, reachable=True, state='ready'):
        master.answer = {
            'status': {'listening': listening,
                       'database_reachable': reachable},
            'workers': [{'state': 'starting'}, {'state': state}],
            'pool': {'warnings': ['the pool is small']}}
    answers()
    assert check() == (0, 'settings: understood\n'
                       'database: answers, and is of this version\n'
                       'reklamd: answers, 1 workers are ready\n'
                       'warning: the pool is small', '')
    for wrong in {'listening': False}, {'reachable': False}, \
            {'state': 'draining'}:
        answers(**wrong)
        status, _, why = check()
        assert status == 1 and why.startswith('reklamctl: ')
    answers()
    control.sql("DELETE FROM reklam.migrations WHERE name = 'texts'")
    status, _, why = check()
    assert (status, why) == (1, 'reklamctl: the database lacks 1 parts of '
                             'this version: reklamctl migrate')
    assert check(CONTROL_SOCKET='/nowhere/control.sock')[0] == 1
    assert check(DATABASE_URL='postgresql:///?host=/nowhere')[0] == 1
    assert check(JWT_SECRET_KEY='short')[0] == 1


# --- a running shop ---

@pytest.fixture(scope='module')
def told(shop):
    """told(words): what reklamctl says of the shop, as JSON."""
    def tell(*words):
        return json.loads(ask(shop, '-j', *words))
    return tell


def ask(shop, *words, check=True):
    done = run(shop.installed('reklamctl'), '-f', shop.settings_path, *words,
               check=check)
    return done.stdout + done.stderr


def test_the_master_tells_how_the_shop_is(shop, told):
    for _ in range(3):
        assert shop.get('/api/dashboard/stats', 'manager').status == 200
    status = told('status')
    assert status['workers'] == 2 and status['listening']
    assert status['database_reachable'] and status['requests'] >= 4
    workers = told('workers')
    assert {w['pid'] for w in workers} == set(shop.worker_pids().values())
    assert {w['state'] for w in workers} == {'ready'}
    assert told('pool')['pool_stats']['max_connections'] == 12
    assert 'get_dashboard_stats' in json.dumps(told('cache'))
    assert told('slow')['statements'][0]['calls'] > 0
    for words in 'status', 'workers', 'pool', 'cache', 'slow':
        lines = ask(shop, words).splitlines()
        assert len(lines) > 2 and not any('{' in line for line in lines)


def test_the_cache_is_cleared_from_the_command_line(shop, told):
    def cached():
        return shop.get('/api/dashboard/stats', 'manager').headers['x-cache']
    assert cached() in ('hit', 'miss') and cached() == 'hit'
    assert told('cache', 'clear', 'no_such_prefix')['cleared_count'] == 0
    assert cached() == 'hit'
    assert told('cache', 'clear', 'get_dashboard')['cleared_count'] >= 1
    assert cached() == 'miss'
    assert cached() == 'hit'
    told('cache', 'clear')
    assert cached() == 'miss'


def test_check_is_content_with_a_shop(shop):
    said = ask(shop, 'check', '-d', copy_of_sql(shop.cluster))
    assert 'reklamd: answers, 2 workers are ready\n' in said


def test_reload_starts_other_workers(shop, told):
    before = shop.worker_pids()
    assert told('reload') == {'reload': '2 workers serve'}
    serving = [w['pid'] for w in told('workers') if w['state'] == 'ready']
    assert len(set(serving) - set(before.values())) == 2
    process.wait_until(lambda: len(shop.worker_pids()) == 2 and not
                       set(before.values()) & set(shop.worker_pids()
                                                  .values()), 30)
    assert told('status')['generation'] >= 2


def test_reloads_at_once_are_each_told_their_end(shop):
    with ThreadPoolExecutor() as threads:
        said = list(threads.map(
            lambda _: ask(shop, '-j', 'reload'), range(4)))
    assert [json.loads(s) for s in said] == [{'reload': '2 workers serve'}] * 4


def test_a_refused_reload_says_so(shop):
    right = shop.settings_path.read_text()
    pids = shop.worker_pids()
    process.write(shop.settings_path, right + 'DB_POOL_QUEUE=many\n')
    # Its own settings are other ones.
    done = run(shop.installed('reklamctl'), 'reload', check=False,
               env={'CONTROL_SOCKET': shop.run / 'control.sock'})
    process.write(shop.settings_path, right)
    assert (done.returncode, done.stdout, done.stderr) == (
        1, '', 'reklamctl: the reload is refused, the log tells why; all '
        'goes on as before\n')
    assert shop.worker_pids() == pids and shop.is_ready()


def test_without_a_file_and_settings_it_takes_the_systems(shop):
    """The one that an installed reklamd has."""
    path = re.search(r'settings, as for reklamd \((.*)\)',
                     ask(shop, '-h'))[1]
    for env, taken in ({}, True), ({'DATABASE_URL': 'postgresql:///x'}, False):
        done = run(process.program('strace', ''), '-f', '-e',
                   'trace=access,openat', shop.installed('reklamctl'),
                   'status', env=env, check=False)
        assert (f'"{path}"' in done.stderr) == taken, done.stderr


def test_a_service_clears_the_cache_until_its_row_goes(shop):
    token = ask(shop, 'token', '--service', 'cron', '--days', '1').strip()

    def clear():
        return [worker.post('/api/health/cache/clear', token=token).status
                for worker in shop.workers()]
    assert clear() == [200, 200]
    assert shop.get('/api/users', token=token).status == 403
    shop.sql('DELETE FROM reklam.service_tokens')
    process.wait_until(lambda: clear() == [401, 401], 5)


def test_a_new_password_ends_the_old_tokens(shop):
    token = shop.login('sales')
    assert shop.get('/api/auth/me', token=token).status == 200
    time.sleep(1.1)             # tokens count in seconds
    done = run(shop.installed('reklamctl'), '-f', shop.settings_path,
               'user', 'passwd', 'mbozkurt6', input='quite another\n')
    assert done.returncode == 0
    process.wait_until(lambda: shop.get('/api/auth/me', token=token).status
                       == 401, 5)
    answer = shop.post('/api/auth/login', {
        'username': 'mbozkurt6', 'password': 'quite another'})
    assert answer.status == 200
    assert shop.get('/api/auth/me',
                    token=answer.json['token']).status == 200
