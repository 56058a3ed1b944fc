"""When the plan of a slow statement is not asked for; what else is counted."""

import time

import pytest

from backends import Asking, Backends, locked
from process import wait_until
from test_health_db import PATIENT, held_up, of, slow

pytestmark = pytest.mark.once


def test_who_looks_for_nothing_slow_asks_for_no_plan(make_shop):
    shop = make_shop(workers=1, SLOW_MS=0, CACHE_TTL_MAX=0, **PATIENT)
    assert held_up(shop, '/api/machines', 0.3).status == 200
    time.sleep(0.3)
    assert not any('plan' in s for s in slow(shop)['statements'])


def test_a_plan_does_not_wait_for_a_table(make_shop):
    """It would keep one of the connections that others want."""
    shop = make_shop(workers=1, CACHE_TTL_MAX=0, **{
        **PATIENT, 'DB_STATEMENT_MS': 1500})
    token = shop.login('manager')
    with Backends(shop) as backends, locked(shop):
        assert shop.worker(0).get('/api/machines', token=token).status == 503
        time.sleep(0.1 * 5)
        assert backends.blocked() == 0


def test_nor_is_it_asked_for_while_others_wait(make_shop):
    shop = make_shop(workers=1, DB_POOL_MAX_CONNECTIONS=2, CACHE_TTL_MAX=0,
                     SLOW_MS=1000, **PATIENT)
    token = shop.login('manager')

    def ask(n):
        return lambda: shop.worker(0).get(f'/api/machines?offset={n}',
                                          token=token)
    assert ask(0)().status == 200
    with Backends(shop) as backends, locked(shop):
        asking = Asking([ask(1), ask(2)])
        backends.waits_for(1)
        time.sleep(1.2)
    assert [a.status for a in asking.all()] == [200, 200]
    # The second waited for a connection, and was quick when it had one.
    time.sleep(0.3)
    assert 'plan' not in of(slow(shop), 'machines')
    assert held_up(shop, '/api/machines?offset=3', 1.2).status == 200
    wait_until(lambda: 'plan' in of(slow(shop), 'machines'), 5)


def test_what_a_write_gives_counts_too(make_shop):
    shop = make_shop(workers=1)
    token = shop.login('manager')
    for status in (201, 409):
        assert shop.worker(0).post('/api/machines', {
            'name': 'x', 'code': 'ROWS'}, token=token).status == status
    found = of(slow(shop), 'machine_create')
    assert (found['calls'], found['errors'], found['rows']) == (2, 1, 1)
    assert found['bytes'] > 10
