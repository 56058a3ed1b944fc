"""
The commands that the old backend's documentation taught, to the letter but
for host and names: health, cache, indexes, pool settings.
"""

import json
import re

import pytest

from process import ROOT, run

pytestmark = pytest.mark.once

AUTHORIZED = 'curl -sS -H "Authorization: Bearer $TOKEN" '
JSON = '-H "Content-Type: application/json" '


@pytest.fixture
def sh(shop, postgres):
    """Runs a line as a sysadmin would; what it printed."""
    sql = ROOT / 'sql/indexes.sql'
    copy = shop.directory / 'add_performance_indexes.sql'
    copy.write_text(sql.read_text())
    copy.chmod(0o644)

    def do(line, who='manager'):
        return run('sh', '-c', line, env={
            'URL': shop.url, 'TOKEN': shop.login(who),
            'DB_HOST': postgres.directory, 'DB_USER': 'reklam',
            'DB_NAME': shop.database, 'FILE': copy,
            'PGHOST': postgres.directory, 'PGUSER': 'reklam',
            'PGDATABASE': shop.database}).stdout
    return do


def test_check_pool_health(sh):
    found = json.loads(sh(AUTHORIZED + '$URL/api/health/db'))
    assert found['status'] == 'healthy'
    stats = found['pool_stats']
    assert {'min_connections', 'max_connections', 'available', 'in_use',
            'total'} <= set(stats)
    assert stats['min_connections'] == 2
    assert stats['max_connections'] == 12
    assert stats['total'] == stats['available'] + stats['in_use']
    assert re.fullmatch('min=2, max=12',
                        found['recommendations']['current_config'])


def test_test_the_connection(sh):
    found = json.loads(sh(AUTHORIZED + '$URL/api/health/db/test'))
    assert found['status'] == 'ok'
    assert found['test_result']['test'] == 1


def test_check_overall_health_without_a_token(sh):
    assert json.loads(sh('curl -sS $URL/api/health'))['status'] == 'ok'


def test_cache_statistics_with_and_without_prefix(sh, shop):
    shop.get('/api/dashboard/stats', who='manager')
    shop.get('/api/dashboard/chart/jobs-by-month', who='manager')
    everything = json.loads(sh(
        AUTHORIZED + '\\\n  $URL/api/health/cache'))['cache_stats']
    part = json.loads(sh(AUTHORIZED + '"$URL/api/health/cache'
                         '?prefix=get_dashboard"'))['cache_stats']
    assert everything['prefix'] == 'all'
    assert part['prefix'] == 'get_dashboard'
    assert everything['total_entries'] > part['total_entries'] >= 1
    for stats in (everything, part):
        assert stats['total_entries'] == \
            stats['active_entries'] + stats['expired_entries']


def test_clear_everything_without_a_body(sh, shop):
    shop.get('/api/dashboard/stats', who='manager')
    found = json.loads(sh(
        'curl -sS -X POST -H "Authorization: Bearer $TOKEN" \\\n'
        '  $URL/api/health/cache/clear'))
    assert found['status'] == 'ok' and found['cleared_count'] >= 1
    assert found['message'] \
        == f'Cleared all {found["cleared_count"]} cache entries'


def test_clear_a_prefix(sh, shop):
    shop.get('/api/dashboard/stats', who='manager')
    found = json.loads(sh(
        'curl -sS -X POST -H "Authorization: Bearer $TOKEN" ' + JSON +
        '-d \'{"prefix": "get_dashboard_stats"}\' '
        '$URL/api/health/cache/clear'))
    assert found == {
        'status': 'ok', 'cleared_count': 1,
        'message': 'Cleared 1 cache entries with prefix '
                   '"get_dashboard_stats"'}


def test_clearing_is_not_for_everybody(sh):
    line = 'curl -sS -o /dev/null -w "%{http_code}" -X POST '
    url = '$URL/api/health/cache/clear'
    assert sh(line + url) == '401'
    assert sh(line + '-H "Authorization: Bearer $TOKEN" ' + url,
              who='operator') == '403'


def test_create_the_indexes_and_count_them(sh):
    said = sh('PGPASSWORD=x psql -X -h $DB_HOST -U $DB_USER -d $DB_NAME \\\n'
              '  -f "$FILE"')
    assert '✅ Performance indexes created successfully!' in said
    assert '📊 Total new indexes: 31' in said


def test_verify_the_indexes(sh):
    said = sh('psql -c "SELECT tablename, indexname FROM pg_indexes '
              "WHERE schemaname = 'public' ORDER BY tablename, indexname;\"")
    for name in ('idx_customers_name', 'idx_customers_email',
                 'idx_customers_phone', 'idx_customers_created_at',
                 'idx_customers_updated_at', 'idx_jobs_status_created_at',
                 'idx_jobs_status_due_date', 'idx_jobs_due_date',
                 'idx_jobs_job_number_pattern', 'idx_jobs_updated_at',
                 'idx_job_steps_job_status', 'idx_job_steps_job_order',
                 'idx_job_steps_assigned_status',
                 'idx_job_steps_machine_status', 'idx_job_steps_created_at',
                 'idx_job_steps_started_at', 'idx_job_steps_completed_at',
                 'idx_machines_status', 'idx_machines_name',
                 'idx_machines_is_active', 'idx_users_role',
                 'idx_users_is_active', 'idx_users_full_name'):
        assert re.search(rf'\b{name}\b', said), name


def test_the_pool_has_the_size_that_the_settings_say(make_shop):
    """Production had 8 and 24: four workers times six."""
    shop = make_shop(workers=4, DB_POOL_MIN_CONNECTIONS=8,
                     DB_POOL_MAX_CONNECTIONS=24)
    stats = shop.get('/api/health/db', who='manager').json['pool_stats']
    assert stats['min_connections'] == 8
    assert stats['max_connections'] == 24
    assert 1 <= stats['total'] <= 24


def test_a_shorter_ttl_for_one_endpoint(make_shop):
    shop = make_shop(CACHE_TTL_get_dashboard_stats=0)
    for _ in range(2):
        answer = shop.get('/api/dashboard/stats', who='manager')
        assert 'hit' not in answer.headers.get('server-timing', '')
    for _ in range(3):
        answer = shop.get('/api/dashboard/chart/jobs-by-month',
                          who='manager')
    assert 'hit' in answer.headers['server-timing']
