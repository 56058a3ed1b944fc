"""Workers die, retire and are replaced, and no request is lost by it.

R1 to R5 are the rows of the project's table of faults; a tenth of each is
done here, all of it with REKLAM_FULL.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest

import process
from backends import nobody_new
from load import Load
from process import FULL, at_most, run, wait_until
from web_server import workers_file

SECONDS = 60 if FULL else 6
KINDS = ['reads', pytest.param('writes', marks=pytest.mark.once)]


# A server process outlives its worker for a moment; and a busy machine is no
# reason to refuse anything here.
AMPLE = {'DB_POOL_MAX_CONNECTIONS': 60, 'DB_POOL_WAIT_MS': 5000,
         'DB_CONNECT_MS': 5000, 'DB_STATEMENT_MS': 10000}


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(**AMPLE)


@pytest.fixture(scope='module')
def forgetful(make_shops):
    """Nothing is remembered: every request is a query."""
    return make_shops(CACHE_TTL_MAX=0, **AMPLE)


def reading(shop):
    """Asks for a user; whether it is the one that was asked for."""
    token = shop.login('manager')
    ids = shop.sql('SELECT id FROM users ORDER BY id LIMIT 50').split()

    def ask(browser, n):
        user = ids[n % len(ids)]
        answer = browser.get(f'/api/users/{user}', token=token)
        if answer.status != 200:
            return str(answer)
        return 200 if answer.json['data']['id'] == user else 'wrong'
    return ask


def writing(shop, name, said=None):
    """Creates a machine; `said` keeps what was answered for each."""
    token = shop.login('manager')

    def ask(browser, n):
        answer = browser.post('/api/machines', {
            'name': f'{name} {n}', 'code': f'{name}-{n}'}, token=token)
        if said is not None:
            said[n] = answer.status
        if answer.status == 201 or (answer.status == 503 and
                                    list(answer.json) == ['error']):
            return answer.status
        return str(answer)
    return ask


def made(shop, name):
    """How often each machine is there, by its number."""
    rows = shop.sql(f"SELECT split_part(code, '-', 2), count(*) FROM machines"
                    f" WHERE code LIKE '{name}-%' GROUP BY 1").split()
    return {int(n): int(count) for n, count in (r.split('|') for r in rows)}


def slow_machines(shop, seconds):
    """A trigger that makes the creation of a machine take its time."""
    shop.sql('DROP TRIGGER IF EXISTS slow ON machines')
    if seconds:
        shop.sql(f'''CREATE OR REPLACE FUNCTION slowly() RETURNS trigger
            LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds});
            RETURN NEW; END $$''')
        shop.sql('''CREATE TRIGGER slow BEFORE INSERT ON machines
            FOR EACH ROW EXECUTE FUNCTION slowly()''')


def kill_some(shop, seconds, count, every=0.2):
    """
    Kills a random worker again and again; how many.  Not before the one
    before has been replaced, and each of four clients has been answered
    twice since, which `count` tells: on a busy machine nobody would ever be.
    """
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(every)
        wait_until(shop.is_ready, 20)
        enough = count() + 8
        wait_until(lambda: count() >= enough, 20)
        os.kill(random.choice(list(shop.worker_pids().values())),
                signal.SIGKILL)
        kills += 1
    return kills


def answered(shop, route):
    """How often, over all workers; their counters survive them."""
    text = shop.worker(0).get('/api/metrics').body.decode()
    return sum(int(n) for n in re.findall(
        rf'^reklam_http_requests_total{{.*route="{route}".*}} (\d+)$', text,
        re.M))


def has_workers(shop, count=2):
    """So many are there, ready, and no more."""
    wait_until(lambda: len(shop.worker_pids()) == count and shop.is_ready()
               and len(shop.program.children()) == count + 1, 20,
               f'{count} workers')


# --- they are killed ---

@pytest.mark.seconds(180)
def test_r1_a_killed_worker_costs_a_read_nothing(shop):
    with Load(shop, reading(shop), clients=4, pause=0.005) as load:
        kills = kill_some(shop, SECONDS, load.count)
    assert set(load.seen) == {200}, load.seen
    assert kills > SECONDS and load.seen[200] > 5 * kills
    has_workers(shop)


@pytest.mark.once
@pytest.mark.seconds(180)
def test_r2_nor_over_tls_and_http2(forgetful):
    """Each a statement, and each a kill every third of a second."""
    shop, answers = forgetful, Counter()
    token = shop.login('manager')
    kills = []
    killing = threading.Thread(target=lambda: kills.append(kill_some(
        shop, SECONDS, lambda: answered(shop, '/api/machines'), 0.3)))
    killing.start()
    while killing.is_alive():
        done = run('curl', '-sk', '--http2', '--parallel', '--parallel-max',
                   4, '-H', f'Authorization: Bearer {token}',
                   '-w', '%{http_version} %{http_code}\\n', '-o', '/dev/null',
                   f'{shop.https_url}/api/machines?limit=[1-100]')
        answers.update(done.stdout.split('\n')[:-1])
    assert kills and kills[0] > SECONDS / 2
    assert set(answers) == {'2 200'}, answers
    has_workers(shop)


@pytest.mark.seconds(180)
def test_r3_a_write_is_done_once_or_refused(shop):
    slow_machines(shop, 0.01)
    said = {}
    with Load(shop, writing(shop, 'R3', said), clients=4, fresh=True) as load:
        kills = kill_some(shop, SECONDS, load.count)
    slow_machines(shop, 0)
    has_workers(shop)
    rows = made(shop, 'R3')
    assert set(load.seen) <= {201, 503}, load.seen
    assert load.seen[503] <= 6 * kills
    assert load.seen[201] > 5 * kills
    assert set(rows.values()) == {1}
    lost = [n for n, status in said.items()
            if status == 201 and n not in rows]
    assert not lost


def test_a_dead_worker_is_replaced_at_once(shop):
    has_workers(shop)
    before = shop.worker_pids()
    time.sleep(1.1)             # it is not young any more
    os.kill(before[0], signal.SIGKILL)
    began = time.monotonic()
    wait_until(lambda: shop.worker_pids().get(0, before[0]) != before[0]
               and shop.is_ready(), 5)
    assert time.monotonic() - began < at_most(0.5)
    assert shop.worker_pids()[1] == before[1]
    assert f'pid={before[0]} signal=9' in shop.program.tail()


def test_who_dies_young_again_and_again_comes_back_later(shop):
    """A crash at its start, as it seems: replacing it costs CPU."""
    seen, end = set(), time.monotonic() + 3
    while time.monotonic() < end:
        for pid in shop.worker_pids().values():
            if pid not in seen:
                seen.add(pid)
                try:
                    os.kill(pid, signal.SIGABRT)
                except ProcessLookupError:
                    pass
        time.sleep(0.001)
    # At once, after 50, 100, 200 … 2,000 ms; each of two sockets.
    assert 4 <= len(seen) <= 20
    has_workers(shop)


def test_the_listener_is_replaced(shop):
    def listener():
        return [p for p in shop.program.children()
                if p not in shop.worker_pids().values()]
    (before,) = listener()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: listener() and listener() != [before], 5)
    wait_until(lambda: shop.program.tail(500).count('listening for changes'),
               5)
    assert shop.get('/api/dashboard/stats', 'manager').status == 200
    has_workers(shop)


def test_the_master_is_killed_and_a_new_one_starts(make_shop):
    shop = make_shop()
    children = shop.program.children()
    shop.program.signal(signal.SIGKILL)
    shop.program.popen.wait(5)
    wait_until(shop.program.group_is_gone, 21)
    assert len(children) == 3
    # The sockets are in the way, and nobody listens there.
    assert all(s.exists() for s in shop.sockets)
    shop.start_program()
    assert shop.get('/api/dashboard/stats', 'manager').status == 200


def test_a_new_master_need_not_wait_for_the_old_ones_workers(make_shop):
    shop = make_shop()
    slow_machines(shop, 1.5)
    with Load(shop, writing(shop, 'OLD'), clients=2, fresh=True) as load:
        time.sleep(0.5)
        shop.program.signal(signal.SIGKILL)
        shop.program.popen.wait(5)
        shop.start_program()
        assert shop.worker(0).get('/api/health').status == 200
        time.sleep(0.5)
    assert set(load.seen) <= {201, 503}


# --- they are told to go ---

@pytest.mark.seconds(180)
@pytest.mark.parametrize('kind', KINDS)
def test_r4_a_storm_of_reloads_costs_nothing(shop, kind):
    ask = reading(shop) if kind == 'reads' else writing(shop, 'R4')
    reloads = SECONDS * 2
    with Load(shop, ask, fresh=kind == 'writes') as load:
        for _ in range(reloads):
            time.sleep(0.5)
            shop.reload()
        time.sleep(0.5)
    assert set(load.seen) == {200 if kind == 'reads' else 201}, load.seen
    assert load.slowest < 3
    if kind == 'writes':
        assert made(shop, 'R4') == {n: 1 for n in range(1, load.number + 1)}
    has_workers(shop)
    assert shop.program.log.read_text().count('master notice reloading') \
        >= 2                    # those that came during a check are one


def stop(shop):
    """Seconds until the program has ended after SIGTERM; all of it."""
    began = time.monotonic()
    shop.program.signal(signal.SIGTERM)
    assert shop.program.popen.wait(30) == 0
    took = time.monotonic() - began
    assert shop.program.group_is_gone()
    assert not list(shop.run.iterdir())
    return took


def test_r5_an_idle_program_ends_at_once(make_shop):
    shop = make_shop(web=False)
    assert stop(shop) < 3
    assert 'reklam' not in ' '.join(os.listdir('/dev/shm'))
    assert 'stopped' in shop.program.tail()


def test_r5_it_ends_at_once_behind_an_idle_nginx(make_shop):
    shop = make_shop()
    assert shop.get('/api/dashboard/stats', 'manager').status == 200
    assert stop(shop) < 9       # its connections are kept for five seconds


def test_r5_what_runs_is_answered_when_it_ends(make_shop):
    shop = make_shop(DB_POOL_WAIT_MS=5000)
    slow_machines(shop, 0.3)
    said = {}
    with Load(shop, writing(shop, 'R5', said), fresh=True) as writes, \
            Load(shop, reading_stats(shop), clients=4) as reads:
        time.sleep(1)
        assert stop(shop) < 7
    assert set(reads.seen) <= {200, 503} and reads.seen[200] > 20
    assert set(writes.seen) == {201, 503}, writes.seen
    assert made(shop, 'R5') == {
        n: 1 for n, status in said.items() if status == 201}


def reading_stats(shop):
    token = shop.login('manager')
    return lambda browser, n: browser.get('/api/dashboard/stats',
                                          token=token).status


def test_a_statement_that_does_not_end_does_not_keep_it(make_shop):
    shop = make_shop(DRAIN_SECONDS=1, DB_STATEMENT_MS=20000)
    slow_machines(shop, 15)
    with Load(shop, writing(shop, 'LONG'), clients=1, fresh=True):
        time.sleep(0.5)
        assert stop(shop) < 7


# --- the list changes ---

def number_of_workers(shop, count, nginx_first=False):
    """As a sysadmin does it: the list, then both programs reload."""
    shop.write_workers([shop.run / f'worker-{i}.sock' for i in range(count)])
    if nginx_first:
        shop.web.reload()
        time.sleep(0.3)
        shop.reload()
    else:                       # reklamctl comes back when they serve
        run(shop.installed('reklamctl'), '-f', shop.settings_path, 'reload')
        shop.web.reload()
    time.sleep(0.5)


@pytest.mark.parametrize('kind', KINDS)
def test_workers_come_and_go_by_the_list(make_shop, kind):
    shop = make_shop(CACHE_TTL_MAX=0, **AMPLE)
    ask = reading(shop) if kind == 'reads' else writing(shop, 'LIST')
    with Load(shop, ask, fresh=True) as load:
        for count in (4, 1, 2):
            number_of_workers(shop, count)
    assert set(load.seen) == {200 if kind == 'reads' else 201}, load.seen
    if kind == 'writes':
        assert made(shop, 'LIST') == {
            n: 1 for n in range(1, load.number + 1)}
    has_workers(shop)
    assert sorted(s.name for s in shop.run.glob('worker-*')) \
        == ['worker-0.sock', 'worker-1.sock']


def test_a_delete_is_not_lost_when_nginx_hears_of_it_first(make_shop):
    shop = make_shop(**AMPLE)
    token = shop.login('manager')

    def ask(browser, n):
        return browser.delete('/api/machines/'
                              '11111111-1111-1111-1111-111111111111',
                              token=token).status
    with Load(shop, ask, clients=4, fresh=True) as load:
        number_of_workers(shop, 3)
        number_of_workers(shop, 2, nginx_first=True)
        number_of_workers(shop, 1, nginx_first=True)
        number_of_workers(shop, 2)
        number_of_workers(shop, 1)
    assert set(load.seen) == {404}


def test_a_socket_with_another_name_takes_over(make_shop):
    shop = make_shop(**AMPLE)
    with Load(shop, reading_stats(shop), clients=2, fresh=True) as load:
        shop.write_workers([shop.run / 'left.sock', shop.run / 'right.sock'])
        shop.reload()
        wait_until(shop.is_ready, 10)
        shop.web.reload()
        time.sleep(0.3)
    assert set(load.seen) == {200}
    has_workers(shop)
    assert sorted(p.name for p in shop.run.iterdir()) \
        == ['control.sock', 'left.sock', 'right.sock']


@pytest.mark.parametrize('settings, workers, sentence', [
    ({'DB_POOL_QUEUE': 'many'}, None,
     'DB_POOL_QUEUE is "many"; it must be a number'),
    ({'DB_POL_QUEUE': '1'}, None, 'DB_POL_QUEUE'),
    ({'JWT_SECRET_KEY': 'secret'}, None, 'JWT_SECRET_KEY'),
    ({'DB_POOL_MAX_CONNECTIONS': '2'}, None,
     'are not enough for 2 workers'),
    ({'DATABASE_URL': 'postgresql://reklam@/none?host=/nowhere'}, None,
     'the database cannot be reached'),
    ({'TIME_ZONE': 'Nowhere/Land'}, None, 'TIME_ZONE'),
    ({}, 'server localhost:9000;\n', 'there must be unix:PATH'),
    ({}, '', 'no worker is named'),
    ({}, 'server unix:/nowhere/w.sock max_fails=0;\n', '/nowhere/w.sock'),
    ({'WORKERS_FILE': '/nowhere/list'}, None, '/nowhere/list'),
], ids=['value', 'name', 'secret', 'pool', 'database', 'zone', 'port',
        'empty', 'directory', 'file'])
def test_a_refused_reload_changes_nothing(refusing, settings, workers,
                                          sentence):
    shop, before = refusing, refusing.worker_pids()
    begin = len(shop.program.log.read_text())
    kept = dict(shop.settings)
    shop.write_settings(**settings)
    if workers is not None:
        process.write(shop.web.workers_path, workers)
    shop.reload()
    wait_until(lambda: 'all goes on as before' in
               shop.program.log.read_text()[begin:], 10)
    shop.settings = kept
    shop.write_settings()
    shop.write_workers()
    time.sleep(0.1)
    assert shop.worker_pids() == before
    assert shop.get('/api/dashboard/stats', 'manager').status == 200
    said = shop.program.log.read_text()[begin:]
    assert sum(sentence in line for line in said.split('\n')) == 1, said
    assert 'reloading' not in said


@pytest.fixture(scope='module')
def refusing(make_shops):
    return make_shops()


def test_a_reload_takes_what_is_new(make_shop):
    shop = make_shop()
    shop.write_settings(REKLAM_LANG='en')
    shop.reload()
    wait_until(lambda: b'Authorization' in shop.worker(0).get(
        '/api/jobs').body or b'token' in shop.worker(0).get(
        '/api/jobs').body.lower(), 10)
    shop.write_settings(JWT_SECRET_KEY='0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e')
    token = shop.login('manager')
    shop.reload()
    wait_until(lambda: shop.worker(0).get(
        '/api/auth/me', token=token).status == 401, 10)


def test_workers_take_turns_and_others_do_not(make_shop):
    shop = make_shop(web=False)

    def policies(pids):
        return {os.sched_getscheduler(pid) for pid in pids}
    assert policies(shop.worker_pids().values()) == {os.SCHED_BATCH}
    assert policies([shop.program.pid, *shop.listener_pids()]) == {
        os.SCHED_OTHER}
    shop.write_settings(WORKER_SCHEDULING='normal')
    shop.reload()
    wait_until(lambda: policies(shop.worker_pids().values()) == {
        os.SCHED_OTHER}, 10)


# --- another program ---

def upgrade(shop, seconds=20):
    begin = len(shop.program.log.read_text())
    shop.program.signal(signal.SIGUSR2)
    wait_until(lambda: re.search(
        'workers serve|all goes on as before|upgrade failed',
        shop.program.log.read_text()[begin:]), seconds)
    return shop.program.log.read_text()[begin:]


@pytest.mark.parametrize('kind', KINDS)
def test_an_upgrade_loses_nothing(shop, kind):
    ask = reading(shop) if kind == 'reads' else writing(shop, 'U2')
    workers, pid = set(shop.worker_pids().values()), shop.program.pid
    with Load(shop, ask, fresh=kind == 'writes') as load:
        for _ in range(3 if not FULL else 30):
            time.sleep(0.3)
            said = upgrade(shop)
            assert 'upgrading' in said and 'refused' not in said
    assert set(load.seen) == {200 if kind == 'reads' else 201}, load.seen
    if kind == 'writes':
        assert made(shop, 'U2') == {
            n: 1 for n in range(1, load.number + 1)}
    assert shop.program.is_running() and shop.program.pid == pid
    has_workers(shop)
    assert not workers & set(shop.worker_pids().values())
    assert shop.program.log.read_text().count('another layout') == 0


def hits(shop):
    """Where each worker gets the stats from."""
    return [w.get('/api/dashboard/stats', 'manager').headers['x-cache']
            for w in shop.workers()]


def new_workers(shop, before):
    wait_until(lambda: set(shop.worker_pids()) == {0, 1} and
               not set(shop.worker_pids().values()) & set(before.values()),
               10)


def test_memory_survives_a_reload_and_an_upgrade(make_shop):
    shop = make_shop()
    wait_until(lambda: hits(shop) == ['hit', 'hit'], 10)
    for renew in (shop.reload, lambda: upgrade(shop)):
        before = shop.worker_pids()
        assert hits(shop) == ['hit', 'hit']
        renew()
        wait_until(lambda: newest_serve(shop, before), 10)
        assert hits(shop) == ['hit', 'hit']
    shop.sql("UPDATE jobs SET title = title || '!'")
    # The upgraded program still hears of changes.
    title = shop.sql('SELECT title FROM jobs ORDER BY id LIMIT 1')
    job = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1')
    for worker in shop.workers():
        wait_until(lambda: worker.get(f'/api/jobs/{job}', 'manager').json[
            'data']['title'] == title, 1)


def hears_as_before(shop, listener, before):
    """The listener that was there goes on, and is replaced in the end."""
    machine = shop.sql('SELECT id FROM machines LIMIT 1')

    def is_new(name):
        return all(w.get(f'/api/machines/{machine}', 'manager').json['data'][
            'name'] == name for w in shop.workers())
    new_workers(shop, before)
    wait_until(lambda: len(shop.listener_pids()) == 1, 10, 'one listener')
    assert shop.listener_pids() != [listener]
    assert int(shop.cluster.ask(f"""SELECT count(*)
        FROM pg_stat_activity WHERE datname = '{shop.database}'
         AND application_name = 'reklamd listener' """)) == 1
    shop.sql(f"UPDATE machines SET name = 'heard' WHERE id = '{machine}'")
    wait_until(lambda: is_new('heard'), 2, 'what was changed')
    assert 'the listener lost' not in shop.program.log.read_text()


def test_an_upgrade_while_listeners_change_leaves_one(make_shop):
    """The next one cannot connect; it is not waited for, nor forgotten."""
    shop = make_shop(**AMPLE)
    (listener,), before = shop.listener_pids(), shop.worker_pids()
    wait_until(lambda: hits(shop) == ['hit', 'hit'], 10)
    with nobody_new(shop):
        shop.reload()
        wait_until(lambda: len(shop.listener_pids()) == 2, 10, 'a second')
        shop.program.signal(signal.SIGUSR2)
        wait_until(lambda: 'upgrading' in shop.program.log.read_text(), 10)
        time.sleep(0.5)
        assert listener in shop.listener_pids()
        assert hits(shop) == ['hit', 'hit']
    hears_as_before(shop, listener, before)


def test_a_listener_that_dies_before_it_listens_leaves_the_one_before(
        make_shop):
    shop = make_shop(**AMPLE)
    (listener,), before = shop.listener_pids(), shop.worker_pids()
    wait_until(lambda: hits(shop) == ['hit', 'hit'], 10)
    with nobody_new(shop):
        shop.reload()
        for _ in range(3):
            (other,) = wait_until(lambda: [
                p for p in shop.listener_pids() if p != listener], 10,
                'another')
            os.kill(other, signal.SIGKILL)
            wait_until(lambda: other not in shop.listener_pids(), 10)
        assert hits(shop) == ['hit', 'hit']
    hears_as_before(shop, listener, before)


def newest_serve(shop, before):
    """Workers with other pids answer on both sockets, and alone."""
    pids = shop.worker_pids()
    return set(pids) == {0, 1} and not set(pids.values()) & set(
        before.values()) and shop.is_ready()


def test_another_layout_starts_cold(make_shop):
    shop = make_shop()
    wait_until(lambda: hits(shop) == ['hit', 'hit'], 10)
    before = set(shop.worker_pids().values())
    shop.write_settings(CACHE_SEGMENT_MB=8)
    with Load(shop, reading_stats(shop), clients=4) as load:
        time.sleep(0.2)
        said = upgrade(shop)
        time.sleep(0.5)
    assert 'another layout: the cache starts empty' in said
    assert set(load.seen) == {200}
    wait_until(lambda: len(shop.program.children()) == 3, 20)
    assert not before & set(shop.worker_pids().values())


def other_program(private, name, text):
    """Built from a copy of this build, with that statement."""
    copy = private / f'next-{name}'
    shutil.copytree(process.build(), copy, symlinks=True)
    more = private / f'{name}.sql'
    more.write_text(text)
    makefile = (copy / 'Makefile').read_text()
    source = re.search(r'^srcdir = (.*)$', makefile, re.M).group(1)
    files = [f for f in (copy / source / 'sql/query').glob('*.sql')
             if f.name != more.name]
    done = subprocess.run(
        ['make', '-s', '-C', copy, 'src/reklamd', 'queries=' + ' '.join(
            map(str, sorted([*files, more], key=lambda f: f.name)))],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (copy / 'src/reklamd').read_bytes()


@pytest.mark.once
def test_a_program_with_one_more_statement_starts_cold(make_shop, private):
    program = other_program(private, 'zz', "-- One.\nSELECT '{}' AS body;\n")
    shop = make_shop()
    hits(shop)
    replace(shop, program)
    with Load(shop, reading_stats(shop), clients=4) as load:
        time.sleep(0.2)
        said = upgrade(shop)
        time.sleep(0.5)
    assert 'another layout: the cache starts empty' in said
    assert set(load.seen) == {200}
    wait_until(lambda: len(shop.program.children()) == 3, 20)


@pytest.mark.once
def test_a_changed_statement_meets_no_old_answer(make_shop, private):
    """Of the same names; what was not changed is still there."""
    program = other_program(private, 'processes', """-- Others.
-- reads: processes
SELECT '{"data": "other ones"}' AS body;
""")
    shop = make_shop()
    hits(shop)
    token = shop.login('manager')
    for worker in shop.workers() * 2:
        before = worker.get('/api/processes', token=token)
    assert before.headers['x-cache'] == 'hit'
    replace(shop, program)
    assert 'another layout' not in upgrade(shop)
    for worker in shop.workers():
        assert worker.get('/api/processes', token=token).json \
            == {'data': 'other ones'}
    assert set(hits(shop)) == {'hit'}


def replace(shop, program):
    """Another program in the place of ours, as a package does it."""
    path = shop.installed('reklamd')
    new = path.with_suffix('.new')
    new.write_bytes(program)
    new.chmod(0o755)
    process.give(new)
    new.rename(path)


@pytest.mark.parametrize('program', [
    b'#!/bin/sh\necho "it is broken" >&2\nexit 1\n',
    b'this is no program\n', b'', None],
    ids=['refuses', 'text', 'empty', 'gone'])
def test_a_broken_program_is_refused(refusing, program):
    shop, before = refusing, refusing.worker_pids()
    path = shop.installed('reklamd')
    good = path.read_bytes()
    if program is None:
        path.unlink()
    else:
        replace(shop, program)
    said = upgrade(shop)
    replace(shop, good)
    assert 'the upgrade is refused' in said
    assert shop.worker_pids() == before
    assert shop.get('/api/dashboard/stats', 'manager').status == 200


def test_an_upgrade_after_that_works(refusing):
    before = refusing.worker_pids()
    assert 'workers serve' in upgrade(refusing)
    wait_until(lambda: newest_serve(refusing, before), 20)


def test_an_upgrade_goes_on_without_a_socket_that_it_cannot_have(make_shop):
    """-t does not try to open sockets."""
    shop = make_shop()
    process.write(shop.web.workers_path, workers_file(
        [*shop.sockets, '/nowhere/w.sock']))
    before = shop.worker_pids()
    with Load(shop, reading_stats(shop), clients=2) as load:
        said = upgrade(shop)
    assert '/nowhere/w.sock: No such file' in said
    assert set(load.seen) == {200}
    shop.write_workers()
    shop.reload()
    wait_until(lambda: newest_serve(shop, before), 20)


def test_signals_in_any_number_and_order(make_shop):
    """And SIGUSR1, which other programs take for something else."""
    shop = make_shop(**AMPLE)
    with Load(shop, reading_stats(shop), clients=2) as load:
        for number in [signal.SIGHUP, signal.SIGUSR2, signal.SIGUSR1] * 4:
            shop.program.signal(number)
            time.sleep(random.random() / 5)
        shop.write_settings(REKLAM_LANG='en')
        shop.reload()           # an upgrade that is under way reads it too
        wait_until(lambda: all(w.get('/api/jobs').json['error'].isascii()
                               for w in shop.workers()), 30)
    assert set(load.seen) == {200}
    has_workers(shop)
    shop.program.signal(signal.SIGHUP)
    assert stop(shop) < 9       # the check of the reload ends as well


def test_it_is_stopped_after_an_upgrade_as_before(make_shop):
    shop = make_shop()
    upgrade(shop)
    assert stop(shop) < 21


# --- it does not start ---

class Command:
    """reklamd by itself, on settings that are good until changed."""

    def __init__(self, shop, directory):
        self.shop = shop
        self.directory = process.directory(directory)
        self.sockets = [self.directory / f'{i}.sock' for i in range(2)]
        self.list = process.write(self.directory / 'list',
                                  workers_file(self.sockets))
        self.settings = {**shop.settings, 'WORKERS_FILE': self.list,
                         'CONTROL_SOCKET': self.directory / 'control.sock'}

    def __call__(self, *words, **settings):
        path = process.write(self.directory / 'conf', ''.join(
            f'{k}={v}\n' for k, v in {**self.settings, **settings}.items()))
        return run(self.shop.installed('reklamd'), '-f', path, *words,
                   check=False, timeout=20)


@pytest.fixture
def command(shop, tmp_path_factory, private):
    directory = private / 'command'
    yield Command(shop, directory)
    shutil.rmtree(directory)


def is_refused(done, sentence):
    assert done.returncode == 1 and done.stdout == ''
    lines = [line for line in done.stderr.split('\n') if line]
    assert len(lines) == 1, done.stderr
    assert sentence in lines[0] and ' error ' in lines[0]


@pytest.mark.parametrize('settings, sentence', [
    ({'DB_POOL_MAX_CONECTIONS': '9'}, 'DB_POOL_MAX_CONECTIONS'),
    ({'DB_POOL_MAX_CONNECTIONS': '-1'}, 'it must be a number from 2 to'),
    ({'DB_POOL_MAX_CONNECTIONS': '2'},
     'one is the listener\'s, and 1 are not enough for 2 workers'),
    ({'DB_POOL_MIN_CONNECTIONS': '90'},
     'more than DB_POOL_MAX_CONNECTIONS'),
    ({'JWT_SECRET_KEY': ''}, 'JWT_SECRET_KEY'),
    ({'JWT_SECRET_KEY': 'too short'}, 'JWT_SECRET_KEY'),
    ({'JWT_SECRET_KEY': 'change-this-secret-key-in-production'},
     'JWT_SECRET_KEY'),
    ({'JWT_ALGORITHM': 'none'}, 'JWT_ALGORITHM'),
    ({'CACHE_TTL_no_such_thing': '1'}, 'CACHE_TTL_no_such_thing'),
    ({'REKLAM_LANG': 'de'}, 'REKLAM_LANG is "de"'),
    ({'TIME_ZONE': 'Nowhere/Land'}, 'TIME_ZONE'),
    ({'WORKERS_FILE': '/nowhere/list'}, '/nowhere/list'),
    ({'CONTROL_SOCKET': '/nowhere/control'}, '/nowhere/control'),
    ({'DATABASE_URL': 'postgresql://reklam@/x?host=/nowhere'},
     'the database cannot be reached'),
], ids=lambda x: '-'.join(f'{k}' for k in x) if isinstance(x, dict) else '')
def test_settings_that_it_does_not_start_with(command, settings, sentence):
    is_refused(command(**settings), sentence)
    assert not list(command.directory.glob('*.sock'))


@pytest.mark.parametrize('line, sentence', [
    ('', 'no worker is named'),
    ('# none\n', 'no worker is named'),
    ('server unix:/x.sock max_fails=0\n', 'semicolon'),
    ('server localhost:80;\n', 'there must be unix:PATH'),
    ('listen 80;\n', 'only "server unix:PATH max_fails=0;" may stand here'),
    ('server unix:x.sock;\n', 'begins with /'),
    (f'server unix:/{"x" * 110};\n', 'at most 107 bytes'),
    ('server unix:/x.sock max_fials=0;\n', 'nginx knows no such parameter'),
    ('server unix:/nowhere/x.sock max_fails=0;\n',
     '/nowhere/x.sock: No such file'),
])
def test_lists_that_it_does_not_start_with(command, line, sentence):
    process.write(command.list, line)
    is_refused(command(), sentence)


def test_a_missing_migration_is_told(command, postgres):
    postgres.create_database('bare')
    is_refused(command(DATABASE_URL=postgres.url('bare')),
               'reklamctl migrate')
    postgres.drop_database('bare')


def test_a_socket_in_use_is_told(command, shop):
    process.write(command.list, workers_file(shop.sockets))
    is_refused(command(), f'{shop.sockets[0]}: another program listens')
    process.write(command.list, workers_file(command.sockets))
    is_refused(command(CONTROL_SOCKET=shop.settings['CONTROL_SOCKET']),
               'another program listens')
    assert shop.is_ready()


def test_what_is_no_socket_is_left_alone(command):
    process.write(command.sockets[0], 'precious')
    is_refused(command(), f'{command.sockets[0]}: ')
    assert command.sockets[0].read_text() == 'precious'


def test_a_secret_in_a_file_and_no_settings_file(command):
    path = process.write(command.directory / 'key', 'k9' * 20 + '\n')
    text = command('-T', JWT_SECRET_KEY_FILE=path, JWT_SECRET_KEY='')
    assert text.returncode == 0 or 'JWT_SECRET_KEY' in text.stderr
    done = run(command.shop.installed('reklamd'), '-f', '/nowhere/conf',
               check=False)
    is_refused(done, '/nowhere/conf')


# --- its words ---

def test_t_checks_everything_and_starts_nothing(command):
    done = command('-t')
    assert (done.returncode, done.stdout, done.stderr) \
        == (0, 'all is well\n', '')
    assert not list(command.directory.glob('*.sock'))
    process.write(command.list, 'server unix:/tmp/x.sock;\n')
    done = command('-t')
    assert done.returncode == 0
    assert 'lacks max_fails=0' in done.stderr
    done = command('-t', DATABASE_URL='postgresql://r@/x?host=/nowhere')
    assert done.returncode == 0
    assert 'the database cannot be reached' in done.stderr
    is_refused(command('-t', DB_POOL_QUEUE='x'), 'DB_POOL_QUEUE')


def test_capital_t_prints_settings_and_no_secret(command):
    done = command('-T', DATABASE_PASSWORD='gizli-parola')
    assert done.returncode == 0
    assert 'DB_POOL_MAX_CONNECTIONS=60\n' in done.stdout
    assert 'SLOW_MS=100\n' in done.stdout
    said = done.stdout + done.stderr
    assert command.settings['JWT_SECRET_KEY'] not in said
    assert 'gizli-parola' not in said
    password = 'postgresql://reklam:gizli@/x?host=/nowhere'
    assert 'gizli' not in command('-T', DATABASE_URL=password).stdout


def test_v_and_h(shop):
    program = shop.installed('reklamd')
    done = run(program, '-V')
    assert re.fullmatch(r'reklamd \d+(\.\d+)*\S*\n', done.stdout)
    done = run(program, '-h')
    assert done.stdout.startswith('usage: reklamd') and done.stderr == ''
    for words in (['-x'], ['-f'], ['more'], ['-t', 'more']):
        done = run(program, *words, check=False)
        assert done.returncode == 1 and 'usage: reklamd' in done.stderr
