"""
What the web client was promised about logins, customers, jobs and steps, where
no recorded line says it.
"""

import pytest

pytestmark = pytest.mark.once

NOBODY = '00000000-0000-0000-0000-000000000000'
STEPS = '/api/jobs/steps'


@pytest.fixture
def ask(shop):
    """ask('POST', path, body) as a manager: the status and the JSON."""
    def asked(method, path, body=None, who='manager', kind=None):
        headers = {'Accept-Language': 'tr'}
        if kind:
            headers['Content-Type'] = kind
        answer = shop.ask(method, path, body, who=who, headers=headers)
        return answer.status, answer.json
    return asked


@pytest.fixture
def process_id(shop):
    return shop.sql('SELECT id FROM processes WHERE is_active '
                    'ORDER BY code LIMIT 1')


def user_id(shop, name):
    return shop.sql(f"SELECT id FROM users WHERE username = '{name}'")


@pytest.fixture
def make(shop, ask, process_id):
    """make(2, assigned_to=…): an active job's id and its steps' ids."""
    def made(count=1, **more):
        status, answer = ask('POST', '/api/jobs', {
            'title': 'Söz', 'steps': [{'process_id': process_id, **more}]
            * count})
        assert status == 201, answer
        job = answer['data']['id']
        assert ask('POST', f'/api/jobs/{job}/activate')[0] == 200
        return job, [s['id'] for s in seen(ask, job)['steps']]
    return made


def seen(ask, job):
    status, answer = ask('GET', f'/api/jobs/{job}')
    assert status == 200, answer
    return answer['data']


def refused(text, field=None):
    return 400, {'error': text, **({'field': field} if field else {})}


# --- auth ---

LOGIN = '/api/auth/login'
LOGIN_MISSING = 'Kullanıcı adı ve şifre gerekli'


@pytest.mark.parametrize('body', ['null', '[]', '""', '0', 'false', '{}'])
def test_a_login_of_nothing_lacks_name_and_password(ask, body):
    assert ask('POST', LOGIN, body, None, 'application/json') == \
        refused(LOGIN_MISSING, 'username')


@pytest.mark.parametrize('nothing', [None, '', 0, False, [], {}])
def test_a_login_with_nothing_for_a_password_lacks_it(ask, nothing):
    assert ask('POST', LOGIN, {'username': 'admin', 'password': nothing},
               None) == refused(LOGIN_MISSING, 'password')


@pytest.mark.parametrize('name, password', [
    (' ', 'x'), ('admin', ' '), (' admin', 'admin123'), ('Admin', 'admin123')])
def test_blanks_of_a_login_are_part_of_it(ask, name, password):
    assert ask('POST', LOGIN, {'username': name, 'password': password},
               None) == (401, {'error': 'Kullanıcı adı veya şifre hatalı'})


# --- customers ---

@pytest.mark.parametrize('sent, active', [
    (None, False), (0, False), (1, True), (2, False), ('YES', True),
    ('on', True), ('hayır', False)])
def test_a_new_customer_is_active_by_the_word(ask, sent, active):
    status, made = ask('POST', '/api/customers',
                       {'name': 'A', 'is_active': sent})
    assert status == 201
    assert ask('GET', f'/api/customers/{made["data"]["id"]}')[1]['data'][
        'is_active'] is active


# --- dashboard ---

@pytest.fixture
def latest(ask):
    def count(path, limit):
        status, answer = ask('GET', f'/api/dashboard/{path}?limit={limit}')
        assert status == 200
        return len(answer['data'])
    return count


def test_more_than_there_may_be_is_as_much_as_there_is(latest):
    rows = latest('activity', 10000)
    assert rows > 1000
    assert latest('activity', 20000) == latest('activity', 10 ** 9) == rows


@pytest.mark.parametrize('limit, rows', [
    (0, 0), ('', 10), ('x', 10), ('3.5', 10), (-1, 10), ('%205', 5)])
def test_what_is_no_limit_is_ten(latest, limit, rows):
    for path in 'recent-jobs', 'activity':
        assert latest(path, limit) == rows


# --- jobs ---

@pytest.mark.parametrize('nothing', [None, '', 0, False, [], {}])
def test_a_job_with_nothing_for_a_title_lacks_it(ask, nothing):
    assert ask('POST', '/api/jobs', {'title': nothing}) == \
        refused('Başlık gerekli', 'title')


@pytest.mark.parametrize('name', ['search', 'status', 'priority'])
def test_a_filter_that_nothing_can_match_finds_nothing(ask, name):
    assert ask('GET', f'/api/jobs?{name}={"x" * 600}') == (200, {
        'data': [], 'meta': {'total': 0, 'page': 1, 'per_page': 20,
                             'total_pages': 0}})


def test_a_priority_may_be_null_but_not_blank(ask, make):
    blank = refused('priority geçersiz', 'priority')
    assert ask('POST', '/api/jobs', {'title': 'x', 'priority': ''}) == blank
    job, _ = make()
    path = f'/api/jobs/{job}'
    assert ask('PATCH', path, {'priority': ''}) == blank
    assert ask('POST', f'{path}/revise', {'reason': 'x', 'priority': ' '}) \
        == blank
    assert seen(ask, job)['priority'] == 'normal'
    assert ask('PATCH', path, {'priority': None})[0] == 200
    assert seen(ask, job)['priority'] is None


def test_minutes_with_a_fraction_are_rounded_in_a_new_step(ask, process_id,
                                                           make):
    job, _ = make(estimated_duration=45.7)
    assert ask('POST', f'/api/jobs/{job}/steps', {
        'process_id': process_id, 'estimated_duration': 44.5})[0] == 201
    assert [s['estimated_duration'] for s in seen(ask, job)['steps']] == \
        [46, 45]


def test_of_a_new_step_the_dates_are_looked_at_first(ask):
    for field, text in (('due_date', 'Adım termin tarihi geçersiz'),
                        ('due_time', 'Adım termin saati geçersiz')):
        assert ask('POST', '/api/jobs', {
            'title': 'x', 'steps': [{field: 'x'}]}) == refused(text, field)


def test_null_changes_no_description_in_a_revision_and_empty_clears(ask,
                                                                    make):
    job, _ = make()
    for body, after in (({'job_description': 'a'}, 'a'),
                        ({'job_description': None}, 'a'),
                        ({'description': None}, 'a'),
                        ({'description': 'b'}, 'b'),
                        ({'job_description': None, 'description': 'c'}, 'c'),
                        ({'description': ''}, None)):
        assert ask('POST', f'/api/jobs/{job}/revise',
                   {'reason': 'x', **body})[0] == 201
        assert seen(ask, job)['description'] == after, body


@pytest.mark.parametrize('body, reason', [
    ({}, ''), ({'reason': None}, None), ({'reason': ''}, ''),
    ({'reason': ' a '}, ' a ')])
def test_a_reason_is_kept_as_it_was_sent(ask, make, body, reason):
    job, _ = make()
    for action in ('hold', 'cancel'):
        assert ask('POST', f'/api/jobs/{job}/{action}', body)[0] == 200
        newest = ask('GET', f'/api/jobs/{job}/timeline')[1]['data'][0]
        assert newest['details'] == {'reason': reason}


# --- steps ---

def test_the_total_of_production_is_told_unrounded(shop, ask, make):
    job, (step,) = make()
    ask('POST', f'{STEPS}/{step}/start')
    for sent, total, kept in ((0.125, 0.125, 0.13), ('7.5', 7.63, 7.63)):
        assert ask('POST', f'{STEPS}/{step}/production',
                   {'production_quantity': sent}) == (200, {
                       'message': 'Üretim kaydedildi!',
                       'total_production': total})
        assert seen(ask, job)['steps'][0]['production_quantity'] == kept


def test_who_may_not_change_a_step_is_told_so_first(shop, ask, make):
    job, (step, other) = make(2, assigned_to=user_id(shop, 'akaya'))
    nothing = refused('Güncellenecek alan bulunamadı')
    denied = 403, {'error': 'Bu işlem için yetkiniz yok'}
    for body in ({}, {'status': 'ready'}, {'is_parallel': None},
                 {'process_id': ''}):
        assert ask('PATCH', f'{STEPS}/{step}', body) == nothing
        assert ask('PATCH', f'{STEPS}/{step}', body, 'operator') == nothing
        assert ask('PATCH', f'{STEPS}/{step}', body, 'sales') == denied
        assert ask('PATCH', f'{STEPS}/{NOBODY}', body) == (404, {
            'error': 'Süreç adımı bulunamadı'})
    assert ask('POST', f'{STEPS}/{step}/complete', {})[0] == 200
    assert ask('PATCH', f'{STEPS}/{step}', {}) == (409, {
        'error': 'Bu süreç adımı güncellenemez'})


@pytest.mark.parametrize('sent, stored', [
    (True, True), ('evet', False), ('on', True), (2, False), (1, True),
    (False, False)])
def test_a_flag_of_a_step_goes_by_the_word(ask, make, sent, stored):
    job, (step,) = make()
    assert ask('PATCH', f'{STEPS}/{step}', {'has_production': sent})[0] == 200
    assert seen(ask, job)['steps'][0]['has_production'] is stored


def test_what_can_be_started_can_be_completed(ask, make):
    """What comes next becomes ready, whatever is still open before it."""
    job, (first, second, third) = make(3)
    assert ask('POST', f'{STEPS}/{second}/complete', {}) == (200, {
        'message': 'Süreç tamamlandı!'})
    found = seen(ask, job)
    assert found['status'] == 'in_progress'
    assert [s['status'] for s in found['steps']] == ['ready', 'completed',
                                                     'ready']


@pytest.mark.parametrize('nothing', [None, '', ' ', 0, False, [], {}])
def test_a_note_or_reason_of_nothing_is_none(ask, make, nothing):
    job, (step,) = make()
    assert ask('POST', f'{STEPS}/{step}/notes', {'note': nothing}) == \
        refused('Not içeriği gerekli', 'note')
    assert ask('POST', f'{STEPS}/{step}/pause', {'reason': nothing}) == \
        refused('Durdurma sebebi gerekli', 'reason')
