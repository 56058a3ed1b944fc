"""What a session of ours is told when it begins holds in each statement."""

import json

import pytest

from backends import trigger

TOLD = {
    'statement_timeout': '1500ms',
    'search_path': 'public,reklam',
    'TimeZone': 'Asia/Kathmandu',
    'DateStyle': 'ISO, MDY',
    'jit': 'off',
    'max_parallel_workers_per_gather': '0',
    'plan_cache_mode': 'force_generic_plan',
    'client_connection_check_interval': '100ms',
    'idle_in_transaction_session_timeout': '5s',
    'reklam.lang': 'tr',
}
# Behind a pooler the session is not ours, its sockets neither.
ALSO = set(TOLD) - {'client_connection_check_interval',
                    'idle_in_transaction_session_timeout'}


@pytest.mark.parametrize('prepared', ['on', 'off'])
def test_settings_of_a_session(make_shop, prepared):
    shop = make_shop(DB_STATEMENT_MS=1500, REKLAM_LANG='tr',
                     TIME_ZONE='Asia/Kathmandu', DB_PREPARED=prepared)
    shop.sql(f"ALTER DATABASE {shop.database} SET DateStyle = 'German'")
    shop.sql('CREATE TABLE seen (name text, value text); '
             'GRANT ALL ON seen TO PUBLIC')
    trigger(shop, ''.join(
        f"INSERT INTO seen VALUES ('{name}', "
        f"current_setting('{name}', true));" for name in TOLD))
    for n in range(2):          # the second on a session that was used
        shop.sql('TRUNCATE seen')
        answer = shop.worker(0).post('/api/machines', {
            'name': 'x', 'code': f'S{n}'}, token=shop.login('manager'))
        assert answer.status == 201, answer
        seen = json.loads(shop.sql(
            'SELECT json_object_agg(name, value) FROM seen'))
        for name in TOLD if prepared == 'on' else ALSO:
            assert seen[name].replace(', ', ',') == \
                TOLD[name].replace(', ', ','), name
