"""/api/health/db and what hangs below it: the pool, and slow statements."""

import time

import pytest

import process
from backends import Asking, Backends, locked
from process import wait_until

PATIENT = {'DB_POOL_WAIT_MS': 5000, 'DB_STATEMENT_MS': 20000,
           'DB_CONNECT_MS': 5000}


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(PASSWORD_COST=4, REKLAM_LANG='en', **PATIENT)


def slow(shop, worker=0):
    answer = shop.worker(worker).get('/api/health/db/slow', 'manager')
    assert answer.status == 200
    return answer.json


def of(found, name):
    return next((s for s in found['statements'] if s['statement'] == name),
                None)


def held_up(shop, path, seconds, worker=0, table='machines'):
    """The answer to a GET whose statement has to wait so long."""
    token = shop.login('manager')
    with Backends(shop) as backends, locked(shop, table):
        asking = Asking([lambda: shop.worker(worker).get(path, token=token)])
        backends.waits_for(1)
        time.sleep(seconds)
    return asking.all()[0]


# --- the pool ---

def test_the_arithmetic_of_connections_is_told(shop):
    told = shop.get('/api/health/db', 'manager').json
    assert told['pool_stats']['server_max_connections'] == 200
    recommendations = told['recommendations']
    assert list(recommendations)[:2] == ['optimal_range', 'current_config']
    assert recommendations['arithmetic'] == \
        '12 here and 3 for superusers, of the server\'s 200: 185 are left ' \
        'for others'


# --- slow statements ---

def test_statements_come_with_their_times(shop):
    token = shop.login('manager')
    shop.sql("CREATE OR REPLACE FUNCTION nap() RETURNS trigger LANGUAGE "
             "plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END'")
    shop.sql('CREATE TRIGGER nap BEFORE INSERT ON machines '
             'FOR EACH ROW EXECUTE FUNCTION nap()')
    before = of(slow(shop), 'machine_create')
    assert before is None
    for n in range(3):
        assert shop.worker(n % 2).post('/api/machines', {
            'name': f'n{n}', 'code': f'N{n}'}, token=token).status == 201
    for n in range(4):
        assert shop.worker(0).get('/api/processes',
                                  token=token).status == 200
    shop.sql('DROP TRIGGER nap ON machines')
    found = slow(shop, 1)
    assert found['slow_ms'] == 100
    names = [s['statement'] for s in found['statements']]
    p99s = [s['ms']['p99'] for s in found['statements']]
    assert p99s == sorted(p99s, reverse=True)
    create = of(found, 'machine_create')
    assert create['calls'] == create['ms']['count'] == 3
    assert create['errors'] == create['saved_by_cache'] == 0
    assert 50 <= create['ms']['max'] < 1000
    # As buckets tell it.
    assert 20 <= create['ms']['p50'] <= create['ms']['p99'] <= 1000
    read = of(found, 'processes')
    assert read['calls'] == read['rows'] == 1
    assert read['saved_by_cache'] == 3
    assert names.index('machine_create') < names.index('processes')


def test_what_the_server_counted_stands_beside_it(shop):
    found = slow(shop)
    assert found['pg_stat_statements'] is False
    shop.sql('CREATE EXTENSION pg_stat_statements')
    found = slow(shop)
    assert found['pg_stat_statements'] is True
    for name in ('machine_create', 'processes'):
        ours = of(found, name)
        assert ours['server']['calls'] == ours['calls']
        assert 0 <= ours['server']['mean_ms'] <= ours['server']['max_ms']
        assert ours['server']['blocks_hit'] > 0
    assert of(found, 'machine_create')['server']['mean_ms'] >= 50
    # In whatever schema, if we may look there; and without it all goes on.
    shop.sql('CREATE SCHEMA elsewhere; '
             'ALTER EXTENSION pg_stat_statements SET SCHEMA elsewhere')
    assert slow(shop)['pg_stat_statements'] is False
    shop.sql('GRANT USAGE ON SCHEMA elsewhere TO reklam')
    assert slow(shop)['pg_stat_statements'] is True
    shop.sql('DROP EXTENSION pg_stat_statements')
    found = slow(shop)
    assert found['pg_stat_statements'] is False
    assert of(found, 'processes')['calls'] == 1


@pytest.mark.parametrize('prepared', ['on', 'off'])
def test_the_plan_of_a_slow_statement_is_fetched_once(make_shop, prepared):
    shop = make_shop(DB_PREPARED=prepared, CACHE_TTL_MAX=0, **PATIENT)
    machine = shop.sql('SELECT id FROM machines ORDER BY id LIMIT 1')
    path = f'/api/machines/{machine}'
    assert shop.get(path, 'manager').status == 200
    assert 'plan' not in of(slow(shop), 'machine')
    for worker in (0, 1, 0):
        assert held_up(shop, path, 0.6, worker).status == 200
        wait_until(lambda: 'plan' in of(slow(shop, 1 - worker), 'machine'), 5)
    found = of(slow(shop), 'machine')
    # Generic: with the parameter, and no value.
    first, second = found['plan'].split('\n')[:2]
    assert ' on machines m ' in first and '= $1)' in second
    # Not anew by the two that were slow later, each for 0.6 seconds.
    assert 1 <= found['plan_age_seconds'] < 60
    assert found['calls'] == 4 and found['errors'] == 0


def test_the_plan_of_a_slow_write_runs_nothing(shop):
    token = shop.login('manager')
    count = shop.sql('SELECT count(*) FROM machines')
    with Backends(shop) as backends, locked(shop, 'machines'):
        asking = Asking([lambda: shop.worker(0).post('/api/machines', {
            'name': 'slow', 'code': 'SLOW'}, token=token)])
        backends.waits_for(1)
        time.sleep(0.3)
    assert asking.all()[0].status == 201
    found = wait_until(lambda: of(slow(shop), 'machine_create').get('plan'),
                       5)
    assert 'machine_create' in found
    assert shop.sql('SELECT count(*) FROM machines') == str(int(count) + 1)


def test_a_plan_that_cannot_be_had_harms_nobody(make_shop):
    """The table stays locked for longer than the plan is waited for."""
    shop = make_shop(workers=1, CACHE_TTL_MAX=0, DB_STATEMENT_MS=400)
    token = shop.login('manager')
    with Backends(shop) as backends:
        with locked(shop):
            assert shop.worker(0).get('/api/machines',
                                      token=token).status == 503
            backends.waits_for(1)
            backends.waits_for(0, 3)
            assert 'plan' not in of(slow(shop), 'machines')
        assert shop.worker(0).get('/api/machines', token=token).status == 200
        told = shop.get('/api/health/db', 'manager').json
        assert told['workers'][0]['in_use'] == 0
        assert told['workers'][0]['timeouts'] == 0


def test_reklamctl_tells_it_without_the_database(shop):
    assert shop.get('/api/processes', 'manager').status == 200
    shop.post('/api/machines', {'name': 'x', 'code': 'TOLD'}, 'manager')
    told = process.run(shop.installed('reklamctl'), '-f', shop.settings_path,
                       'slow').stdout
    assert 'machine_create' in told and 'processes' in told
