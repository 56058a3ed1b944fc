"""
What the web client was promised about machines, notifications, processes,
roles, tasks and people, where no recorded line says it.
"""

import uuid

import pytest

from process import wait_until

pytestmark = pytest.mark.once

NOBODY = '00000000-0000-0000-0000-000000000000'


@pytest.fixture
def ask(shop):
    """ask('POST', path, body) as a manager: the status and the JSON."""
    def asked(method, path, body=None, who='manager'):
        answer = shop.ask(method, path, body, who=who,
                          headers={'Accept-Language': 'tr'})
        return answer.status, answer.json
    return asked


def new(ask, path, body):
    status, answer = ask('POST', path, body)
    assert status == 201, answer
    return answer['data']['id']


def role_ids(shop, *codes):
    return [shop.sql(f"SELECT id FROM roles WHERE code = '{c}'")
            for c in codes]


@pytest.fixture
def user(ask):
    name = f'k{uuid.uuid4().hex[:12]}'
    return new(ask, '/api/users', {
        'username': name, 'email': f'{name}@ornek.example',
        'password': 'gizli-1'})


# --- machines ---

def test_a_blank_status_of_a_machine_is_none(ask):
    path = '/api/machines'
    made = new(ask, path, {'name': 'Kesim 9', 'code': 'ks-9', 'status': ''})
    assert ask('GET', f'{path}/{made}')[1]['data']['status'] == 'active'
    assert ask('PATCH', f'{path}/{made}', {'status': ' '}) == (400, {
        'error': 'status geçersiz', 'field': 'status'})


# --- notifications ---

def test_any_word_but_true_asks_for_the_unread(shop, ask):
    def states(query):
        status, answer = ask('GET', f'/api/notifications?limit=9999{query}')
        assert status == 200
        return {n['is_read'] for n in answer['data']}
    assert states('') == {True, False}
    assert states('&is_read=True') == {True}
    for word in ('false', '1', 'junk', 'x' * 99, ''):
        assert states(f'&is_read={word}') == {False}, word


def test_the_test_notifications_come_in_their_order(ask):
    status, made = ask('POST',
                       '/api/notifications/create-test-notifications')
    assert status == 201
    found = ask('GET', '/api/notifications?limit=6')[1]['data']
    assert [n['id'] for n in found] == made['created_ids'][::-1]
    assert [(n['title'], n['type'], n['ref_type'], n['is_read'])
            for n in found[::-1]] == [
        ('Hoş Geldiniz', 'info', None, False),
        ('İş Tamamlandı', 'success', None, False),
        ('Dikkat Gerekli', 'warning', None, False),
        ('Hata Oluştu', 'error', None, False),
        ('Yeni İş Atandı', 'info', 'job', False),
        ('Sistem Güncellemesi', 'success', None, True)]


# --- permissions ---

@pytest.mark.parametrize('resource, action, allowed', [
    ('jobs', 'view', True), ('audit_logs', 'delete', True),
    ('jobs', 'approve', False), ('nothing', 'view', False),
    ('*', 'view', False), (' jobs', 'view', False)])
def test_a_manager_may_do_all_there_is(ask, resource, action, allowed):
    assert ask('POST', '/api/permissions/check', {
        'resource': resource, 'action': action}) == (200,
                                                     {'allowed': allowed})


def test_what_some_role_names_there_is_too(ask):
    asked = {'resource': 'depo', 'action': 'update'}
    assert not ask('POST', '/api/permissions/check', asked)[1]['allowed']
    new(ask, '/api/roles', {'name': 'D', 'code': 'd',
                            'permissions': {'depo': {}}})
    assert ask('POST', '/api/permissions/check', asked)[1]['allowed']
    assert not ask('POST', '/api/permissions/check', asked,
                   'operator')[1]['allowed']


# --- roles ---

def test_a_deleted_process_is_shown_to_no_role(ask):
    ids = [new(ask, '/api/processes', {'name': n, 'code': n})
           for n in ('Lak', 'Mat')]
    role = new(ask, '/api/roles', {'name': 'R', 'code': 'r',
                                   'process_permissions': ids})

    def shown():
        return ask('GET', f'/api/roles/{role}')[1]['data'][
            'process_permissions']
    assert shown() == ids
    assert ask('DELETE', f'/api/processes/{ids[0]}')[0] == 200
    assert shown() == ids[1:]


# --- tasks ---

def test_a_task_says_what_it_demands_and_why_it_is_paused(shop, ask):
    step = shop.sql("SELECT s.id FROM job_steps s JOIN users u "
                    "ON u.id = s.assigned_to AND u.username = 'akaya' "
                    "WHERE s.status = 'ready' ORDER BY s.id LIMIT 1")
    assert ask('PATCH', f'/api/jobs/steps/{step}',
               {'requirements': 'Mat folyo'})[0] == 200

    def seen():
        task = ask('GET', f'/api/tasks/{step}', who='operator')[1]['data']
        listed, = (t for t in ask('GET', '/api/tasks?status=ready,blocked',
                                  who='operator')[1]['data']
                   if t['id'] == step)
        assert task['requirements'] == listed['requirements']
        assert task['block_reason'] == listed['block_reason']
        return task['requirements'], task['block_reason']
    assert seen() == ('Mat folyo', None)
    assert ask('POST', f'/api/jobs/steps/{step}/pause',
               {'reason': 'Malzeme yok'}, 'operator')[0] == 200
    assert seen() == ('Mat folyo', 'Malzeme yok')

@pytest.mark.parametrize('seconds, minutes', [
    (0, None), (90, 2), (20, 0), (150, 2)])
def test_minutes_are_round_and_only_none_at_all_is_null(shop, ask, seconds,
                                                        minutes):
    shop.sql(f"""UPDATE job_steps
                    SET completed_at = now() + interval '1 hour',
                        started_at = now() + interval '1 hour'
                            - interval '{seconds} seconds'
                  WHERE id = (SELECT s.id
                                FROM job_steps s
                                JOIN users u ON u.id = s.assigned_to
                               WHERE u.username = 'akaya'
                                 AND s.status = 'completed'
                               ORDER BY s.completed_at DESC
                               LIMIT 1)""")

    def newest():
        return ask('GET', '/api/tasks/history?limit=1',
                   who='operator')[1]['data'][0]['actual_duration_minutes']
    wait_until(lambda: newest() == minutes, 3)


@pytest.mark.parametrize('period', [0, -5, 4000, -36500, 36500])
def test_the_period_of_a_performance_is_any_number(ask, period):
    status, answer = ask('GET', f'/api/tasks/performance?period={period}',
                         who='operator')
    assert status == 200
    assert answer['data']['period_days'] == period
    if period:
        assert (answer['data']['total_completed'] > 0) == (period > 0)


# --- user-roles ---

def test_a_role_that_stays_keeps_its_history(shop, ask, user):
    path = f'/api/user-roles/user/{user}'
    operator, depot, design = role_ids(shop, 'operator', 'depocu',
                                       'tasarimci')

    def held():
        return {r['role_id']: r for r in ask('GET', path)[1]['data']}
    assert ask('POST', path, {'role_ids': [operator, depot]})[0] == 200
    before = held()
    assert ask('POST', path, {'role_ids': [design, depot.upper()]})[0] == 200
    after = held()
    assert after.keys() == {design, depot}
    assert after[depot] == before[depot]
    assert after[design]['is_primary']


def test_the_role_that_was_given_first_follows_the_primary_one(shop, ask,
                                                               user):
    path = f'/api/user-roles/user/{user}'
    ids = role_ids(shop, 'tasarimci', 'operator', 'depocu', 'kesifci',
                   'satinalma')
    assert ask('POST', path, {'role_ids': ids})[0] == 200
    for role, follower in zip(ids, ids[1:]):
        assert ask('DELETE', f'{path}/role/{role}')[0] == 200
        assert [r['role_id'] for r in ask('GET', path)[1]['data']
                if r['is_primary']] == [follower]


def test_roles_that_are_no_ids_are_not_called_missing(ask, user):
    path = f'/api/user-roles/user/{user}'
    missing = {'error': 'En az bir rol seçilmeli', 'field': 'role_ids'}
    for body in ({}, {'role_ids': []}, {'role_ids': None}):
        assert ask('POST', path, body) == (400, missing)
    for ids in (['x'], 'x', 5, [None]):
        assert ask('POST', path, {'role_ids': ids}) == (400, {
            'error': 'role_ids geçersiz', 'field': 'role_ids'})
    assert ask('POST', path, {'role_ids': [NOBODY]}) == (404, {
        'error': 'Rol bulunamadı'})


# --- users ---

def test_a_blank_password_is_none(shop, ask, user):
    path = f'/api/users/{user}'
    for blank in ('', ' ', '\t  \n   '):
        assert ask('PATCH', path, {'password': blank}) == (400, {
            'error': 'Güncellenecek alan bulunamadı'})
        assert ask('PATCH', path, {'password': blank,
                                   'full_name': 'Ayşe'})[0] == 200
    name = ask('GET', path)[1]['data']['username']
    assert shop.post('/api/auth/login', {
        'username': name, 'password': 'gizli-1'}).status == 200
