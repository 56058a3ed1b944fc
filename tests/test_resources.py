"""A full disk of nginx's, and memory as valgrind sees it.

O1 and F5 are rows of the project's table of faults; reklamd's own log is in
test_logs.py, and the sanitizers are builds in which all of this is run.
"""

import re

import pytest

from process import FULL, build, program, run
from shop import Shop

LARGE = 1_500_000
SPOOLED = 300_000           # more than nginx keeps of a body in memory


# --- O1: nginx can write nothing ---

def may_write(shop, size):
    """How large a file nginx may write; a full disk, as it seems to it."""
    for pid in shop.web.process.children():
        run('prlimit', '--pid', pid, f'--fsize={size}:')


@pytest.fixture
def ignoring(make_shop):
    """A shop whose nginx is told of the limit, not ended by it."""
    shop = make_shop()
    shop.close()
    assert shop.web.stop()
    (shop.web.directory / 'nginx.pid').unlink(missing_ok=True)
    shop.web.process.argv = ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh',
                             *shop.web.process.argv]
    shop.web.start()
    return shop


@pytest.mark.once
def test_o1_a_full_disk_of_nginx_costs_no_read(ignoring):
    """What is not written is lost: a line of a log, a body too large for
    memory.  Never is an answer empty, or short."""
    shop = ignoring
    large = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1')
    shop.sql(f"UPDATE jobs SET description = repeat('x', {LARGE}) "
             f"WHERE id = '{large}'")
    body = '{"name":"' + 'x' * SPOOLED + '"}'
    assert shop.post('/api/machines', body, 'manager').status == 415
    may_write(shop, 0)
    for n in range(5 if not FULL else 500):
        answer = shop.get(f'/api/jobs/{large}', 'manager')
        assert answer.status == 200 and len(answer.body) > LARGE
        answer = shop.post('/api/machines', {'name': f'O1 {n}',
                                             'code': f'O1-{n}'}, 'manager')
        assert answer.status == 201 and answer.json
        spooled = shop.post('/api/machines', body, 'manager')
        assert spooled.status == 503 and spooled.json['error']
    may_write(shop, 'unlimited')
    assert shop.post('/api/machines', body, 'manager').status == 415


# --- F5: memory, as valgrind sees it ---

# What a machine that is thirty times slower needs.
PATIENT = {'PASSWORD_COST': 4, 'CACHE_SEGMENT_MB': 1,
           'DB_POOL_WAIT_MS': 10000, 'DB_CONNECT_MS': 10000,
           'DB_STATEMENT_MS': 30000}
FOUND = re.compile(r'ERROR SUMMARY: (\d+) errors')
LOST = re.compile(r'(?:definitely|indirectly) lost: ([\d,]+) bytes')


def has_sanitizer():
    made = (build() / 'src/reklamd').read_bytes()
    return b'libasan' in made or b'libtsan' in made


@pytest.fixture
def watched(private, postgres, database):
    """A shop under valgrind."""
    if has_sanitizer():
        pytest.skip('valgrind and a sanitizer exclude each other')
    shop = Shop(private / 'valgrind', postgres, database, web=False,
                **PATIENT)
    shop.program.argv = [
        # What is only possibly lost is the stack of a helper that runs.
        program('valgrind', 'VALGRIND'), '--leak-check=full',
        '--errors-for-leak-kinds=definite', '--num-callers=30',
        *shop.program.argv]
    yield shop.start()
    if shop.program.is_running():
        shop.stop()
    postgres.drop_database(database)


def requests(shop, number):
    """Of all kinds: statuses seen."""
    worker, who = shop.worker(number % 2), 'manager'
    job = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1 '
                   f'OFFSET {number}')
    return [answer.status for answer in (
        worker.get(f'/api/jobs/{job}', who),
        worker.get('/api/jobs?limit=20&search=a', who),
        worker.get('/api/dashboard/stats', who),
        worker.get('/api/users', who, headers={'Accept-Encoding': 'gzip'}),
        worker.get(f'/api/jobs/{job}x', who),
        worker.get('/api/jobs', token='a.b.c'),
        worker.post('/api/machines', {'name': f'F5 {number}',
                                      'code': f'F5-{number}'}, who),
        worker.post('/api/machines', '{"name":', who, headers={
            'Content-Type': 'application/json'}),
        worker.post('/api/auth/login', {'username': 'nobody',
                                        'password': 'no'}),
        worker.get('/api/metrics'))]


@pytest.mark.once
@pytest.mark.seconds(600)
def test_f5_valgrind_finds_nothing(watched):
    """No suppressions but valgrind's own."""
    shop, seen = watched, set()
    for number in range(3 if not FULL else 50):
        seen.update(requests(shop, number))
    assert seen == {200, 201, 400, 401, 404}
    assert not shop.stop()
    said = shop.program.log.read_text()
    # The master, its listener and the workers, each to its end.
    assert len(FOUND.findall(said)) >= 4
    assert set(FOUND.findall(said)) == {'0'}, said[-6000:]
    assert set(LOST.findall(said)) <= {'0'}, said[-6000:]
