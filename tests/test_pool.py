"""Statements wait for a connection no longer than they have to."""

import threading

import psycopg2

from process import wait_until


def test_cold_requests_at_once_are_all_answered(make_shop):
    """More of them than connections are open, fewer than may be."""
    shop = make_shop(workers=2, DB_POOL_MAX_CONNECTIONS=12,
                     DB_POOL_WAIT_MS=5000, DB_STATEMENT_MS=20000)
    token = shop.login('manager')
    worker = shop.worker(0)
    worker.get('/api/auth/me', token=token)
    answers = []
    with psycopg2.connect(shop.cluster.url(shop.database)) as blocker:
        # All of them run at the same time, and none ends by itself.
        blocker.cursor().execute('LOCK TABLE machines')
        threads = [threading.Thread(target=lambda n=n: answers.append(
            worker.get(f'/api/machines?offset={n}', token=token)))
            for n in range(7)]
        for t in threads:
            t.start()
        with psycopg2.connect(shop.cluster.url('postgres')) as other:
            def running():
                cursor = other.cursor()
                cursor.execute(
                    'SELECT count(*) FROM pg_stat_activity WHERE datname = %s'
                    " AND wait_event_type = 'Lock'", (shop.database,))
                found = cursor.fetchone()[0]
                other.rollback()
                return found == 7
            wait_until(running, 15, 'seven statements at one worker')
        blocker.rollback()
        for t in threads:
            t.join()
    assert [a.status for a in answers] == [200] * 7
