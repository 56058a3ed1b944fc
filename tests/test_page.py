"""The page: what people see of it, and what they can do with it."""

import gzip
import json
import os
import re
import time

import forge
import pytest

import browser
from backends import slow_writes
from browser import Page, needs_browser
from process import ROOT, free_port, wait_until
from shop import ROLES

pytestmark = pytest.mark.once

WEB = ROOT / 'web'
SCRIPTS = sorted(WEB.rglob('*.js'))
HTML = {'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'}
POLLS = 8               # seconds; longer than any page waits
TITLE = 'Işıklı <b>Totem</b> & "Tabela"'
PAGES = ['', 'jobs', 'jobs/new', 'jobs/JOB', 'tasks', 'tasks/TASK', 'machines',
         'customers', 'customers/CUSTOMER', 'notifications', 'users',
         'roles?role=ROLE', 'server']


# --- the files ---

def test_a_browser_gets_the_page_and_a_program_the_words(shop):
    page = shop.get('/', headers=HTML)
    assert page.status == 200
    assert page.headers['content-type'].startswith('text/html')
    assert b'<script type="module" src="/web/main.js">' in page.body
    assert 'endpoints' in shop.get('/').json
    assert 'endpoints' in shop.get('/', headers={'Accept': '*/*'}).json
    assert shop.post('/', {}, headers=HTML).status == 405
    assert shop.get('/nothing', headers=HTML).json['error']


@pytest.mark.parametrize('path, kind', [
    ('/', 'text/html'), ('/web/main.js', 'application/javascript'),
    ('/web/reklam.css', 'text/css'), ('/web/icon.svg', 'image/svg+xml'),
    ('/web/pages/jobs.js', 'application/javascript')])
def test_what_is_served_may_run_only_itself(shop, path, kind):
    answer = shop.get(path, headers=HTML)
    assert answer.status == 200
    assert answer.headers['content-type'].split(';')[0] == kind
    policy = dict(part.split(' ', 1) for part in
                  answer.headers['content-security-policy'].split('; '))
    assert policy['default-src'] == "'none'"
    for name in ('script-src', 'style-src', 'connect-src', 'img-src'):
        assert policy[name] == "'self'"
    assert policy['trusted-types'] == "'none'"
    assert 'unsafe' not in answer.headers['content-security-policy']
    assert answer.headers['x-content-type-options'] == 'nosniff'
    assert answer.headers['cache-control'] == 'no-cache'
    again = shop.get(path, headers={
        **HTML, 'If-None-Match': answer.headers['etag']})
    assert again.status == 304


def test_what_lies_beside_the_page_is_not_served(shop):
    for path in ('/web/pages/', '/web/../reklam.conf',
                 '/web../nginx.conf', '/web/%2e%2e/nginx.conf',
                 '/web/nothing.js'):
        assert shop.get(path).status in (400, 403, 404), path
    assert shop.post('/web/main.js', {}).status in (403, 405)


def test_text_never_becomes_markup():
    never = re.compile(r'innerHTML|outerHTML|insertAdjacentHTML|'
                       r'document\.write|\beval\(|new Function|srcdoc|'
                       r"setAttribute\('style|localStorage.*token")
    for script in SCRIPTS:
        assert not never.search(script.read_text()), script
    html = (WEB / 'index.html').read_text()
    assert not re.search(r'\son\w+=|\sstyle=|<style|https?:', html)


def words():
    """The table of words, and of each name both languages' texts."""
    text = (WEB / 'words.js').read_text()
    table = text[text.index('{'):text.index('\n};')]
    return table, dict(re.findall(r'^\t(\w+): (\[.*?\]),$', table,
                                  re.MULTILINE | re.DOTALL))


def test_every_word_is_there_in_both_languages():
    table, known = words()
    for name, row in known.items():
        # The apostrophe would end a text; ’ is written in its place.
        texts = re.findall(r"'([^'\n]+)'", row)
        assert len(texts) == 2, name
        assert sorted(re.findall(r'\{\d\}', texts[0])) \
            == sorted(re.findall(r'\{\d\}', texts[1])), name
    assert len(known) == len(re.findall(r'^\t\w+:', table, re.MULTILINE))
    for script in SCRIPTS:
        for name in re.findall(r"\bt\('(\w+)'", script.read_text()):
            assert name in known, f'{script}: {name}'


def quoted(text):
    return set(re.findall(r"'(\w+)'", text))


def built_words():
    """The names that the page puts together, from what they are made of."""
    def part(name, begin, end):
        text = (WEB / name).read_text()
        return text[text.index(begin):].split(end, 1)[0]
    rules = (ROOT / 'sql/migration/003-constraints.sql').read_text()
    timeline = (ROOT / 'sql/query/timeline.sql').read_text()
    acts = part('actions.js', 'const STEP_ACTIONS', '];') \
        + part('actions.js', 'const JOB_ACTIONS', '];')
    pages = ''.join(s.read_text() for s in SCRIPTS if s.name != 'words.js')

    def rule(table, column):
        found = re.search(fr"\('{table}', '{column}', ((?:'[\w ]+'\s*)+)\)",
                          rules)
        return ''.join(re.findall(r"'([\w ]+)'", found[1])).split()
    events = set(re.findall(r"PERFORM reklam\.audit\([^']*'(\w+)'", ''.join(
        f.read_text() for f in (ROOT / 'sql/function').iterdir())))
    events |= {e for e in quoted(timeline) if re.fullmatch(
        r'(?:step|note|file)_\w+ed', e)}
    events |= quoted(re.search(r'-- --- audit logs ---.*?CASE t (.*?) END,',
                               (ROOT / 'sql/demo.sql').read_text(),
                               re.DOTALL)[1])
    return {
        'event': events,
        'do': set(re.findall(r"\{name: '(\w+)'", acts)) | set(
            re.findall(r"'do_(\w+)'", pages)),
        'status': {*rule('jobs', 'status'), *rule('job_steps', 'status')},
        'priority': set(rule('jobs', 'priority')),
        'machine': {*rule('machines', 'status'), 'busy', 'free'},
        'theme': {'auto', 'light', 'dark'},
        'may': {'view', 'create', 'update', 'delete'},
        'machines': {'busy', 'free', 'standing'},
        'sort': {s.replace('-', 'down_') for s in re.findall(
            r"'([-\w]+)'", part('pages/jobs.js', 'const SORTS', ';'))}}


def test_every_word_that_is_built_is_there():
    _, known = words()
    kinds = built_words()
    for kind, codes in kinds.items():
        assert len(codes) > 1
        for code in codes:
            assert f'{kind}_{code}' in known
    assert {'step_reopened', 'login', 'note_added', 'step_started'} \
        <= kinds['event']
    assert {'start', 'revise', 'archive'} <= kinds['do']
    # None is built of which this test does not know; what is no word of the
    # page's, a resource's name, is shown as it is.
    for script in SCRIPTS:
        text = script.read_text()
        for kind in re.findall(r"\bt\(`(\w+)_\$\{|\bword\('(\w+)'", text):
            assert ''.join(kind) in {*kinds, 'resource'}, script
    for name in re.findall(r"withReason\('(\w+)'",
                           (WEB / 'actions.js').read_text()):
        assert f'{name}_text' in known


def test_every_file_is_within_its_lines():
    for script in SCRIPTS:
        lines = script.read_text().splitlines()
        assert len(lines) <= 300 or script.name == 'words.js', script


# --- somebody at the page ---

@pytest.fixture(scope='module')
def browsers():
    """Those that nobody uses."""
    idle = []
    yield idle
    for page in idle:
        page.quit()


@pytest.fixture
def people(shop, browsers):
    """people(width): somebody; at the end no console has complained."""
    yield from visitors(shop, browsers)


def visitors(shop, idle):
    pages = []

    def come(width=1440, **words):
        page = idle.pop() if idle else Page()
        pages.append(page)
        return page.begin(shop, width, **words)
    yield come
    said = [line for page in pages for line in page.end()]
    idle.extend(pages)
    assert not said, '\n'.join(said)


def menu(page):
    page.wait('#menu a')
    return [a.text for a in page.all('#menu a')]


@needs_browser
def test_a_wrong_password_is_said(people):
    page = people()
    page.expected = ['401']
    page.log_in('admin', 'wrong')
    said = page.wait('.trouble').text
    assert said
    page.fill('password', 'admin123')
    page.click('button.main')
    page.wait('h1', 'Dashboard')
    assert page.script('return sessionStorage["reklam.session"]')


@needs_browser
@pytest.mark.parametrize('who, sees, not_', [
    ('manager', ['Dashboard', 'Jobs', 'My tasks', 'Machines', 'Customers',
                 'Notifications', 'Users', 'Server'], []),
    ('operator', ['Dashboard', 'Jobs', 'My tasks', 'Machines',
                  'Notifications'], ['Customers', 'Users', 'Server']),
    ('sales', ['Dashboard', 'Jobs', 'Customers'], ['Users', 'Server'])])
def test_each_sees_what_is_his(people, shop, who, sees, not_):
    page = people()
    page.enter_as(who)
    found = menu(page)
    assert set(sees) <= set(found)
    assert not set(not_) & set(found)
    page.go('jobs')
    page.wait('h1', 'Jobs')
    assert bool(page.all('a[href="#/jobs/new"]')) == (who != 'operator')


@needs_browser
def test_the_token_ends_with_the_tab(people, shop):
    page = people()
    page.enter_as('manager', 'jobs')
    token = shop.login('manager')
    assert token not in page.driver.current_url
    assert token not in page.script('return JSON.stringify(localStorage)')
    assert not page.script('return document.cookie')
    page.click('details.who summary')
    page.click('.sheet button', 'Log out')
    page.wait('#username')
    assert page.script('return sessionStorage.length') == 0


@needs_browser
@pytest.mark.seconds(240)
def test_a_whole_life_of_a_job_by_clicking(people, shop):
    manager = people()
    manager.enter_as('manager', 'jobs')
    manager.click('a[href="#/jobs/new"]')
    manager.fill('title', TITLE)
    manager.fill('customer', 'CUST-000')
    wait_until(lambda: manager.all('#customers option'), 10, 'customers')
    manager.fill('customer', manager.all('#customers option')[0]
                 .get_attribute('value'))
    manager.choose('[name=priority]', 'Urgent')
    manager.choose('li:nth-child(1) [name=process_id]', 'Dijital Baskı')
    manager.choose('li:nth-child(1) [name=assigned_to]', 'Ali Kaya')
    manager.fill('required_quantity', '12')
    manager.click('[data-do=add_step]')
    manager.choose('li:nth-child(2) [name=process_id]', 'Montaj')
    manager.choose('li:nth-child(2) [name=assigned_to]', 'Ali Kaya')
    manager.click('button', 'Create the job')

    manager.wait('h1', 'Draft')
    # What looks like markup is read as it was written.
    assert TITLE in manager.text('h1')
    manager.click('[data-do=activate]')
    manager.wait('h1', 'Active')
    number = manager.text('.facts dd')
    job = manager.hash().split('/')[-1]

    operator = people(360)
    operator.enter_as('operator', 'tasks')
    first, second = (s['id'] for s in shop.get(
        f'/api/jobs/{job}', who='manager').json['data']['steps'])
    task = f'[data-task="{first}"]'
    operator.wait(task, number)
    operator.click(f'{task} [data-do=start]')                # one tap
    operator.wait(f'{task}.is-in_progress')
    manager.wait('h1', 'In progress')
    operator.click(f'{task} [data-do=produce]')              # two
    operator.click('dialog .quick button', '+5')
    operator.wait(task, '5 of 12')
    operator.click(f'{task} [data-do=pause]')                # two
    operator.click('dialog .quick button', 'Machine fault')
    operator.wait(f'{task}.is-blocked')
    manager.wait('.reason', 'Machine fault')
    operator.click(f'{task} [data-do=resume]')
    operator.wait(f'{task}.is-in_progress')
    operator.click(f'{task} [data-do=note]')
    operator.fill('note', 'Renk tamam', 'dialog')
    operator.click('dialog button', 'Add')
    operator.gone('dialog')
    operator.click(f'{task} [data-do=complete]')             # two
    operator.click('dialog button.main')
    operator.gone(task)
    operator.click(f'[data-task="{second}"] [data-do=start]')
    operator.click(f'[data-task="{second}"] [data-do=complete]')
    operator.click('dialog button.main')
    operator.gone(f'[data-task="{second}"]')

    manager.wait('h1', 'Completed')
    wait_until(lambda: 'Renk tamam' in manager.text(), POLLS, 'the note')
    assert len(manager.all('.line .is-completed')) == 2
    told = shop.get('/api/notifications?limit=5', who='operator').json
    assert any(number in n['message'] for n in told['data'])


def new_job(shop, **more):
    """A draft with a step of the operator's; job and step."""
    process = shop.sql("SELECT id FROM processes WHERE code = 'BASKI'")
    who = shop.sql(f"SELECT id FROM users WHERE username = "
                   f"'{ROLES['operator']}'")
    job = shop.post('/api/jobs', {'title': 'Vitrin', 'steps': [
        {'process_id': process, 'assigned_to': who, **more}]},
        who='manager').json['data']['id']
    step = shop.get(f'/api/jobs/{job}', who='manager') \
        .json['data']['steps'][0]['id']
    return job, step


@needs_browser
def test_hold_revise_reopen_and_cancel(people, shop):
    job, step = new_job(shop)
    page = people()
    page.enter_as('manager', f'jobs/{job}')
    page.click('[data-do=edit]')
    page.fill('title', 'Vitrin 2', 'dialog')
    page.click('dialog button.main')
    page.wait('h1', 'Vitrin 2')
    page.click('[data-do=activate]')
    page.click('[data-do=hold]')
    page.fill('reason', 'Ödeme bekleniyor', 'dialog')
    page.click('dialog button.main')
    page.wait('h1', 'On hold')
    wait_until(lambda: 'Ödeme bekleniyor' in page.text(), POLLS, 'the reason')
    page.click('[data-do=resume]')
    page.wait('h1', 'Active')
    page.click('[data-do=revise]')
    page.fill('revision_reason', 'Ölçü değişti', 'dialog')
    page.choose('dialog [name=priority]', 'High')
    page.click('dialog button.main')
    page.wait('h1', 'High')
    page.click(f'#step-{step} [data-do=start]')
    page.click(f'#step-{step} [data-do=complete]')
    page.click('dialog button.main')
    page.wait('h1', 'Completed')
    page.click(f'#step-{step} [data-do=reopen]')
    page.click('dialog button.main')
    page.wait('h1', 'Active')
    page.click('[data-do=cancel]')
    page.click('dialog button.main')
    page.wait('h1', 'Canceled')
    assert not page.all('.buttons [data-do=activate]')


def newest(shop, who):
    return shop.get('/api/notifications?limit=1', who=who) \
        .json['data'][0]['message']


@needs_browser
def test_a_dialog_changes_only_what_was_touched(people, shop):
    job, step = new_job(shop, requirements='Mat')
    machine = shop.get('/api/machines', who='manager').json['data'][0]['id']
    page = people()
    page.enter_as('manager', f'jobs/{job}')
    page.click(f'#step-{step} [data-do=edit]')
    page.wait('dialog')
    # Somebody else is quicker.
    shop.patch(f'/api/jobs/steps/{step}', {
        'requirements': 'Parlak', 'machine_id': machine,
        'has_production': True}, who='manager')
    page.fill('estimated_duration', '45', 'dialog')
    page.click('dialog button.main')
    page.gone('dialog')
    found = shop.get(f'/api/jobs/{job}', who='manager').json['data']
    now = found['steps'][0]
    assert (now['estimated_duration'], now['requirements'],
            now['machine']['id'], now['has_production']) \
        == (45, 'Parlak', machine, True)
    told = newest(shop, 'operator')
    assert 'Tahmini süre' in told
    assert not re.search('Süreç,|Makine|Atanan|Şartlar|Termin', told)
    # Nothing is sent when nothing was touched.
    before = shop.sql('SELECT count(*) FROM notifications')
    page.click(f'#step-{step} [data-do=edit]')
    page.click('dialog button.main')
    page.gone('dialog')
    assert shop.sql('SELECT count(*) FROM notifications') == before
    page.click('[data-do=edit]')
    page.wait('dialog')
    shop.patch(f'/api/jobs/{job}', {'title': 'Başka vitrin'}, who='manager')
    page.choose('dialog [name=priority]', 'Urgent')
    page.click('dialog button.main')
    page.wait('h1', 'Urgent')
    assert 'Başka vitrin' in page.text('h1')


@needs_browser
def test_a_revision_may_empty_the_description(people, shop):
    job, _ = new_job(shop)
    shop.patch(f'/api/jobs/{job}', {'description': 'Eski',
                                    'due_date': '2027-01-15'}, who='manager')
    shop.post(f'/api/jobs/{job}/activate', who='manager')
    page = people()
    page.enter_as('manager', f'jobs/{job}')
    page.click('[data-do=revise]')
    page.fill('revision_reason', 'Sade', 'dialog')
    page.fill('job_description', '', 'dialog')
    page.click('dialog button.main')
    page.gone('dialog')
    now = shop.get(f'/api/jobs/{job}', who='manager').json['data']
    assert not now['description']
    assert (now['due_date'], now['revision_no']) == ('2027-01-15', 2)


@needs_browser
def test_what_is_no_longer_offered_stays_chosen(people, shop):
    def made(path, body):
        return shop.post(path, body, who='manager').json['data']['id']
    process = made('/api/processes', {'name': 'Serigrafi', 'code': 'SERI'})
    machine = made('/api/machines', {'name': 'Eski Kesim', 'code': 'ESKI'})
    user = made('/api/users', {
        'username': 'giden', 'full_name': 'Giden Kişi',
        'email': 'giden@demo.com', 'password': 'gizli123'})
    job, step = new_job(shop, process_id=process, machine_id=machine,
                        assigned_to=user)
    for path in (f'processes/{process}', f'machines/{machine}',
                 f'users/{user}'):
        assert shop.delete(f'/api/{path}', who='manager').status == 200
    page = people()
    page.enter_as('manager', f'jobs/{job}')
    page.click(f'#step-{step} [data-do=edit]')
    for name, text in (('process_id', 'Serigrafi'),
                       ('machine_id', 'Eski Kesim'),
                       ('assigned_to', 'Giden Kişi')):
        chosen = page.wait(f'dialog [name={name}]') \
            .find_element('css selector', 'option:checked')
        assert chosen.text == text
    page.fill('estimated_duration', '20', 'dialog')
    page.click('dialog button.main')
    page.gone('dialog')
    now = shop.get(f'/api/jobs/{job}', who='manager').json['data']['steps'][0]
    assert [now[name]['id'] for name in
            ('process', 'machine', 'assigned_to')] == [process, machine, user]
    assert now['estimated_duration'] == 20


@needs_browser
def test_without_the_people_no_dialog_opens(people, shop):
    job, step = new_job(shop)
    page = people()
    page.expected = ['ERR_BLOCKED_BY_CLIENT', 'Failed to load']
    page.enter_as('manager', f'jobs/{job}')
    page.wait('[data-do=add_step]')
    page.cdp('Network.setBlockedURLs', urls=['*/api/users*'])
    page.click(f'#step-{step} [data-do=edit]')
    page.wait('.notice.bad')
    assert not page.all('dialog')
    page.cdp('Network.setBlockedURLs', urls=[])
    page.click(f'#step-{step} [data-do=edit]')
    assert 'Ali Kaya' in page.wait('dialog [name=assigned_to]').text


@needs_browser
def test_a_field_is_marked_while_it_is_wrong(people, shop):
    page = people()
    page.expected = ['400']
    page.enter_as('manager', 'users')
    page.click('button', 'New user')
    page.click('dialog button.main')
    name = page.wait('dialog [name=username]')
    assert name.get_attribute('aria-invalid') == 'true'
    name.send_keys('yanlis')
    assert name.get_attribute('aria-invalid') is None
    page.fill('email', 'a@b', 'dialog')
    page.fill('password', 'gizli123', 'dialog')
    # What the browser lets pass, the server does not.
    page.script('document.querySelector("dialog [name=email]").type = "text"')
    page.fill('email', 'kimse', 'dialog')
    page.click('dialog button.main')
    page.wait('dialog [name=email][aria-invalid=true]')
    page.fill('email', 'kimse@demo.com', 'dialog')
    page.gone('dialog [aria-invalid]')


@needs_browser
def test_a_token_that_expires_leads_to_the_login_and_back(people, shop):
    page = people()
    page.expected = ['401']
    page.enter_as('manager', 'machines')
    old = forge.expired(shop.login('manager'),
                        shop.settings['JWT_SECRET_KEY'])
    page.script('''
        const s = JSON.parse(sessionStorage['reklam.session']);
        s.token = arguments[0];
        sessionStorage['reklam.session'] = JSON.stringify(s);''', old)
    page.driver.refresh()
    page.wait('.notice.bad')
    page.wait('#username')
    page.fill('username', 'admin')
    page.fill('password', 'admin123')
    page.click('button.main')
    page.wait('h1', 'Machines')


@needs_browser
def test_what_is_forbidden_is_said(people, shop):
    page = people()
    page.expected = ['403']
    page.enter_as('operator', 'customers')
    page.wait('h1', 'cannot be shown')
    assert page.text('[role=alert]').count('\n') >= 1
    job, _ = new_job(shop)
    page.go(f'jobs/{job}')
    page.wait('h1', 'Vitrin')
    assert not page.all('[data-do=activate], [data-do=edit]')


@needs_browser
def test_a_right_that_is_taken_is_told_when_it_is_used(people, shop):
    job, _ = new_job(shop)
    shop.sql("INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id "
             "FROM users u, roles r WHERE u.username = 'mbozkurt6' "
             "AND r.code = 'yonetici'")
    page = people()
    page.expected = ['403']
    page.enter_as('sales', f'jobs/{job}')
    page.wait('[data-do=activate]')
    shop.sql("DELETE FROM user_roles USING roles r WHERE r.id = role_id "
             "AND r.code = 'yonetici' AND user_id = (SELECT id FROM users "
             "WHERE username = 'mbozkurt6')")
    page.click('[data-do=activate]')
    page.wait('.notice.bad')
    assert 'Draft' in page.text('h1')


@needs_browser
def test_a_conflict_gives_the_reason_and_the_true_state(people, shop):
    job, step = new_job(shop)
    shop.post(f'/api/jobs/{job}/activate', who='manager')
    page = people()
    page.expected = ['409']
    page.enter_as('manager', f'jobs/{job}')
    page.wait('[data-do=start]')
    # It does not look again by itself, as behind another window.
    page.script('Object.defineProperty(document, "hidden", '
                '{get: () => true})')
    time.sleep(POLLS)
    shop.post(f'/api/jobs/steps/{step}/start', who='operator')
    assert not page.all(f'#step-{step}.is-in_progress')
    page.click(f'#step-{step} [data-do=start]')
    page.wait('.notice.bad', 'how things are')
    page.wait(f'#step-{step}.is-in_progress')


@needs_browser
@pytest.mark.seconds(180)
def test_a_server_that_goes_is_missed_and_its_return_seen(make_shop,
                                                         browsers):
    shop = make_shop(http_port=free_port())
    for come in visitors(shop, browsers):
        page = come()
        page.expected = ['503', 'ERR_']
        page.enter_as('manager', 'machines')
        page.wait('.machine')
        shop.web.stop()
        page.wait('#banner .lost', 'cannot be reached', POLLS + 10)
        assert page.all('.machine')                 # what was known stays
        shop.web.start()
        page.wait('#banner .back', seconds=20)
        page.gone('#banner p')
        shop.program.stop()
        page.wait('#banner .lost', seconds=POLLS + 10)
        shop.start_program()
        shop.sql("UPDATE machines SET name = 'Yeni Makine' WHERE id = "
                 "(SELECT id FROM machines WHERE is_active LIMIT 1)")
        page.wait('.machine', 'Yeni Makine', 25)
        page.gone('#banner .lost')


@pytest.fixture
def away(shop):
    """away(): the database ends; it is back afterwards."""
    cluster = shop.cluster
    yield cluster.stop
    back(shop)


def back(shop):
    if not shop.cluster.process.is_running():
        shop.cluster.start()
    wait_until(shop.is_ready, 30, 'the shop')


@needs_browser
@pytest.mark.seconds(180)
def test_the_server_is_shown_while_its_database_is_away(people, shop, away):
    page = people()
    page.enter_as('manager', 'machines')
    page.wait('.machine')
    away()
    page.go('server')
    page.wait('.warnings', 'database cannot be reached', 20)
    page.wait('#banner .lost', 'database cannot be reached')
    for title in ('Workers', 'Slowest statements', 'Cache'):
        page.wait('h2', title)
    page.wait('.tile', 'connections in use')
    # What needs no database does not say that it is back.
    end = time.monotonic() + 7
    while time.monotonic() < end:
        assert page.all('#banner .lost')
        time.sleep(0.1)
    back(shop)
    page.gone('.warnings', 'database', 25)
    page.gone('#banner .lost', seconds=25)


@needs_browser
def test_one_that_is_lost_does_not_hide_the_others(people, shop):
    page = people()
    page.expected = ['ERR_BLOCKED_BY_CLIENT', 'Failed to load']
    page.enter_as('manager')
    page.cdp('Network.setBlockedURLs', urls=['*/api/health/db/slow*'])
    page.go('server')
    page.wait('h2', 'Workers')
    assert 'Slowest statements' not in page.text()
    page.cdp('Network.setBlockedURLs', urls=[])
    page.wait('h2', 'Slowest statements')


# --- fresh, and without flicker ---

@needs_browser
def test_what_changed_is_drawn_and_the_rest_stays(people, shop):
    job, step = new_job(shop)
    page = people()
    page.enter_as('manager', f'jobs/{job}')
    page.wait(f'#step-{step}')
    page.script(f'document.getElementById("step-{step}").mine = true')
    page.wait('[data-do=activate]').send_keys('')
    page.script('document.querySelector("[data-do=hold], [data-do=cancel]")'
                '.focus()')
    shop.patch(f'/api/jobs/{job}', {'title': 'Başka'}, who='manager')
    page.wait('h1', 'Başka', POLLS)
    assert page.script(
        f'return document.getElementById("step-{step}").mine')
    assert page.focused().get_attribute('data-do') == 'cancel'


@needs_browser
def test_what_did_not_change_costs_a_304(people, shop):
    log = shop.web.directory / 'reklam-access.log'
    before = len(log.read_text())
    page = people()
    page.enter_as('manager', 'machines')
    page.wait('.machine')

    def statuses():
        return re.findall(r'GET /api/machines/status HTTP/\S+ (\d+)',
                          log.read_text()[before:])
    wait_until(lambda: len(statuses()) >= 4, 20, 'some turns')
    assert statuses()[0] == '200' and set(statuses()[1:]) == {'304'}


@needs_browser
def test_search_as_one_types_and_the_address_keeps_it(people, shop):
    page = people()
    page.enter_as('manager', 'jobs')
    page.fill('search', 'TLP-2026-0001')
    page.wait('tbody tr', 'TLP-2026-0001')
    wait_until(lambda: len(page.all('tbody tr')) == 1, 10, 'one row')
    assert 'search=TLP-2026-0001' in page.hash()
    assert page.focused().get_attribute('id') == 'search'
    page.driver.refresh()
    page.wait('tbody tr', 'TLP-2026-0001')
    assert page.wait('#search').get_attribute('value') == 'TLP-2026-0001'
    page.go('jobs')
    page.choose('#status', 'On hold')
    page.wait('tbody .is-on_hold')
    page.gone('tbody .is-active')
    page.click('.pager a', 'Next')
    wait_until(lambda: 'page=2' in page.hash(), 5, 'the second page')
    page.wait('.pager', '26')
    page.driver.back()
    page.wait('.pager', '1–25')
    assert page.wait('#status').get_attribute('value') == 'on_hold'


@needs_browser
def test_both_languages(people, shop):
    page = people()
    page.enter_as('manager')
    page.click('details.who summary')
    page.click('.sheet button', 'Türkçe')
    page.wait('h1', 'Pano')
    assert page.script('return document.documentElement.lang') == 'tr'
    page.go('jobs')
    page.wait('h1', 'İşler')
    page.wait('tbody .chip', 'Devam ediyor')
    page.driver.refresh()
    page.wait('h1', 'İşler')
    page.go('jobs/new')
    page.wait('h1', 'Yeni iş')
    job, _ = new_job(shop)
    page.go(f'jobs/{job}')
    page.click('[data-do=activate]', 'Aktif et')
    page.wait('.notice.good', 'aktif edildi')           # the server's words


@needs_browser
def test_a_form_survives_a_change_of_language(people, shop):
    page = people()
    page.enter_as('manager', 'jobs/new')
    page.fill('title', 'Totem')
    page.fill('description', 'İki yüzlü')
    page.choose('[name=priority]', 'Urgent')
    page.click('[data-do=add_step]')
    page.choose('li:nth-child(2) [name=process_id]', 'Montaj')
    page.choose('li:nth-child(2) [name=assigned_to]', 'Ali Kaya')
    page.choose('li:nth-child(2) [name=machine_id]', 'None')
    page.fill('required_quantity', '7', 'li:nth-child(2)')
    page.click('details.who summary')
    page.click('.sheet button', 'Türkçe')
    page.wait('h1', 'Yeni iş')
    page.wait('li:nth-child(2) button', 'Kaldır')
    page.wait('form button.main', 'İşi oluştur')
    page.gone('.new-job', 'Title')

    def value(css):
        return page.script('return document.querySelector(arguments[0])'
                           '.value', css)
    assert value('[name=title]') == 'Totem'
    assert value('[name=description]') == 'İki yüzlü'
    assert value('[name=priority]') == 'urgent'
    second = 'li:nth-child(2)'
    assert value(f'{second} [name=required_quantity]') == '7'
    assert page.wait(f'{second} [name=machine_id]').find_element(
        'css selector', 'option:checked').text == 'Yok'
    page.press('ESCAPE')
    page.click('form button.main')
    page.wait('h1', 'Totem')
    job = shop.get(f'/api/jobs/{page.hash().split("/")[-1]}',
                   who='manager').json['data']
    assert job['priority'] == 'urgent' and len(job['steps']) == 2
    step = job['steps'][1]
    assert (step['process']['name'], step['assigned_to']['name'],
            step['required_quantity']) == ('Montaj', 'Ali Kaya', 7)


@needs_browser
def test_words_and_numbers_are_the_readers(people, shop):
    job = shop.sql('SELECT id FROM jobs LIMIT 1')
    shop.sql("INSERT INTO audit_logs (user_id, action, entity_type, "
             "entity_id, created_at) SELECT id, 'stock_counted', 'job', "
             f"'{job}', now() + interval '1 hour' FROM users "
             "WHERE username = 'admin'")
    page = people()
    page.enter_as('manager')
    page.wait('.events', 'stock counted')
    assert 'event_' not in page.text()
    page.go(f'jobs/{job}')
    page.wait('.events', 'stock counted')
    page.go('jobs?status=completed')
    page.wait('tbody .figure', '100%')
    page.click('details.who summary')
    page.click('.sheet button', 'Türkçe')
    page.wait('tbody .figure', '%100')


# --- customers, notifications, people, server ---

@needs_browser
def test_a_customer_from_beginning_to_archive(people, shop):
    page = people()
    page.enter_as('sales', 'customers')
    page.click('button', 'New customer')
    page.fill('name', 'Çınar Şekerleme', 'dialog')
    page.fill('city', 'Muğla', 'dialog')
    page.click('dialog button.main')
    page.wait('h1', 'Çınar Şekerleme')
    page.click('button', 'New dealer')
    page.fill('name', 'Bodrum Bayi', 'dialog')
    page.click('dialog button.main')
    page.wait('.rows', 'Bodrum Bayi')
    customer = page.hash().split('/')[-1]
    page.go('customers')
    page.wait('h1', 'Customers')
    page.fill('search', 'çınar şek')
    page.wait('tbody tr', 'Çınar Şekerleme')
    boss = people()
    boss.enter_as('manager', f'customers/{customer}')
    boss.click('button', 'Archive')
    boss.click('dialog button.main')
    boss.wait('h1', 'Archived')


@needs_browser
def test_notifications_are_read_and_deleted(people, shop):
    shop.post('/api/notifications/create-test-notifications', who='manager')
    page = people()
    page.enter_as('manager', 'notifications?unread=1')
    first = page.wait('.notifications li').get_attribute('data-key')
    page.click(f'[data-key="{first}"] button', 'Mark read')
    page.gone(f'[data-key="{first}"]')
    page.click('button', 'Mark all read')
    page.wait('.empty')
    page.go('notifications')
    page.wait('.notifications li')
    first = page.wait('.notifications li').get_attribute('data-key')
    page.click('.notifications li:first-child button', 'Delete')
    page.gone(f'[data-key="{first}"]')


@needs_browser
def test_more_is_shown_when_it_is_asked_for(people, shop):
    shop.sql("INSERT INTO notifications (user_id, title, message, type) "
             "SELECT id, 'n' || n, 'm', 'info' FROM users, "
             "generate_series(1, 130) n WHERE username = 'mbozkurt6'")
    page = people()
    page.enter_as('sales', 'notifications?unread=1')
    count = int(shop.get('/api/notifications?is_read=false', who='sales')
                .headers['x-total-count'])
    for shown in (60, 120, count):
        wait_until(lambda: len(page.all('.notifications li')) == min(
            shown, count), 10, f'{shown} rows')
        if shown < count:
            page.click('.more a', f'({count - shown})')
    page.gone('.more a')
    assert 'unread=1' in page.hash()

    job, _ = new_job(shop)
    shop.sql("INSERT INTO audit_logs (action, entity_type, entity_id, "
             f"created_at) SELECT 'job_held', 'job', '{job}', now() "
             "FROM generate_series(1, 105)")
    page.go(f'jobs/{job}')
    wait_until(lambda: len(page.all('.events li')) == 100, 10, 'the newest')
    page.click('.more a', '(5)')
    wait_until(lambda: len(page.all('.events li')) == 105, 10, 'all of them')
    page.gone('.more a')


def new_user(shop, name, role='operator'):
    """Who has his role in users.role alone, and is logged in."""
    user = shop.post('/api/users', {
        'username': name, 'full_name': name.capitalize(), 'role': role,
        'email': f'{name}@demo.com', 'password': 'gizli123'},
        who='manager').json['data']['id']
    answer = shop.worker(0).post('/api/auth/login', {
        'username': name, 'password': 'gizli123'})
    shop.tokens[name] = answer.json['token']
    return user


def roles_of(shop, user):
    """As the table has them, the primary one with a star."""
    return shop.sql(
        "SELECT string_agg(code || CASE WHEN is_primary THEN '*' ELSE '' "
        "END, ' ' ORDER BY code) FROM user_roles JOIN roles r ON r.id = "
        f"role_id WHERE user_id = '{user}'")


@needs_browser
def test_roles_that_were_not_touched_stay(people, shop):
    user = new_user(shop, 'sade', 'depocu')
    page = people()
    page.enter_as('manager', 'users')
    page.wait('tbody .chip', 'Depocu')

    def box(text):
        at = page.wait('dialog .check label', text).get_attribute('for')
        return page.wait(f'[id="{at}"]')

    def opened():
        page.click(f'[data-key="{user}"] button', 'Roles')
        return page.wait('dialog [name=primary]').find_element(
            'css selector', 'option:checked').text
    assert opened() == 'Depocu'
    assert box('Depocu').is_selected() and not box('Keşifçi').is_selected()
    page.click('dialog button.main')
    page.gone('dialog')
    assert roles_of(shop, user) == ''
    assert opened() == 'Depocu'
    box('Keşifçi').click()
    page.click('dialog button.main')
    page.gone('dialog')
    assert roles_of(shop, user) == 'depocu* kesifci'
    # One that is not offered any more.
    shop.sql("INSERT INTO roles (code, name, is_active) VALUES ('emekli', "
             "'Emekli', false)")
    shop.sql("INSERT INTO user_roles (user_id, role_id) SELECT "
             f"'{user}', id FROM roles WHERE code = 'emekli'")
    assert opened() == 'Depocu'
    assert not page.all('dialog label[for$=emekli]')
    box('Keşifçi').click()
    page.click('dialog button.main')
    page.gone('dialog')
    assert roles_of(shop, user) == 'depocu* emekli'


@needs_browser
@pytest.mark.parametrize('right, sees, not_', [
    ('health.view', 'Server', 'Users'), ('metrics.view', 'Server', 'Users'),
    ('users.create', 'Users', 'Server')])
def test_a_right_opens_its_page(people, shop, right, sees, not_):
    resource, action = right.split('.')
    code = f'yalniz_{resource}'
    assert shop.post('/api/roles', {
        'name': code, 'code': code, 'permissions': {
            resource: {f'can_{action}': True}}}, who='manager').status == 201
    new_user(shop, f'kisi{resource}', code)
    page = people()
    page.enter_as(f'kisi{resource}', 'tasks')
    found = menu(page)
    assert sees in found and not_ not in found
    page.click('#menu a', sees)
    page.wait('h1', sees)
    if sees == 'Users':
        page.wait('button', 'New user')
        assert not page.all('tbody button')
    else:
        page.wait('h2', 'Workers')


@needs_browser
def test_a_user_with_a_role_and_what_the_role_may(people, shop):
    page = people()
    page.enter_as('manager', 'users')
    page.click('button', 'New user')
    page.fill('username', 'yenikisi', 'dialog')
    page.fill('full_name', 'Yeni Kişi', 'dialog')
    page.fill('email', 'yeni@demo.com', 'dialog')
    page.fill('password', ' gizli123 ', 'dialog')
    page.choose('dialog [name=role]', 'Depocu')
    page.click('dialog button.main')
    page.wait('tbody tr', 'Yeni Kişi')
    assert shop.post('/api/auth/login', {    # its blanks are part of it
        'username': 'yenikisi', 'password': ' gizli123 '}).status == 200
    wait_until(lambda: 'Depocu' in page.wait('tbody tr', 'Yeni Kişi').text,
               POLLS, 'the role')
    page.go('roles')
    page.click('tbody a', 'Depocu')
    box = '[aria-label$=": Delete"]'
    page.wait(f'[data-key=machines] {box}')
    assert not page.wait(f'[data-key=machines] {box}').is_selected()
    page.click(f'[data-key=machines] {box}')
    page.wait('.notice.good')
    page.driver.refresh()
    wait_until(lambda: page.wait(f'[data-key=machines] {box}').is_selected(),
               POLLS, 'the right')


@needs_browser
def test_the_server_is_shown_and_its_cache_cleared(people, shop):
    page = people()
    page.enter_as('manager', 'server')
    page.wait('.tile', 'connections in use')
    page.wait('figure', 'Hit rate', 20)
    page.wait('figure', 'Pool and queue')
    assert len(page.all('figure canvas')) == 4
    page.click('figure summary')
    page.wait('figure details td')
    for title in ('Times by route', 'Workers', 'Slowest statements'):
        page.wait('h2', title)
    slow_writes(shop, 0.15)
    shop.post('/api/machines', {'name': 'slow', 'code': 'SLOW'}, 'manager')
    slow_writes(shop, 0)
    page.wait('.plan code', 'machine_create', 10)
    page.click('.plan summary', 'machine_create')
    page.wait('.plan pre', 'Function Scan')
    clears = shop.get('/api/health/cache', who='manager') \
        .json['cache_stats']['clears']
    page.click('button', 'Clear the cache')
    page.click('dialog button', 'Back')
    page.gone('dialog')
    page.click('button', 'Clear the cache')
    page.click('dialog button.danger')
    page.wait('.notice.good', 'Cleared')
    assert shop.get('/api/health/cache', who='manager') \
        .json['cache_stats']['clears'] == clears + 1


# --- for everybody ---

@needs_browser
def test_all_of_it_by_keyboard(people, shop):
    page = people()
    page.open()
    page.wait('#username').send_keys('akaya')
    page.press('TAB', 'operator123')
    page.press('TAB', 'operator123', 'ENTER')
    page.wait('h1', 'Dashboard')
    wait_until(lambda: page.focused().tag_name == 'h1', 5, 'focus on the h1')
    page.driver.refresh()
    page.wait('h1', 'Dashboard')
    page.wait('body').send_keys(browser.Keys.TAB)
    assert page.focused().text == 'Skip to the content'
    page.go('tasks')
    page.wait('.task [data-do=pause]')
    page.script('document.querySelector(".task [data-do=note]").focus()')
    page.press('ENTER')
    page.wait('dialog')
    assert page.focused().get_attribute('name') == 'note'
    page.press('ESCAPE')
    page.gone('dialog')
    assert page.focused().get_attribute('data-do') == 'note'


@needs_browser
def test_targets_are_large_on_the_shop_floor(people, shop):
    page = people(360)
    page.enter_as('operator', 'tasks')
    page.wait('.task button')
    for css, least in (('.task .buttons button', 56), ('.top .menu', 40),
                       ('.bell', 40), ('.who summary', 40)):
        for element in page.all(css):
            assert element.size['height'] >= least, css
            assert element.size['width'] >= least, css
    page.click('.task [data-do=pause]')
    for button in page.all('dialog button'):
        assert button.size['height'] >= 48


def addresses(shop):
    def one(text):
        return shop.sql(text + ' LIMIT 1')
    names = {
        'JOB': one("SELECT id FROM jobs WHERE status = 'in_progress' "
                   'ORDER BY created_at DESC, id'),
        'CUSTOMER': one('SELECT customer_id FROM jobs JOIN customer_dealers '
                        'USING (customer_id) ORDER BY jobs.created_at DESC'),
        'TASK': one("SELECT s.id FROM job_steps s JOIN users u ON u.id = "
                    "assigned_to JOIN job_step_notes n ON job_step_id = s.id "
                    "WHERE username = 'akaya' ORDER BY s.status = "
                    "'in_progress' DESC, s.created_at DESC, s.id"),
        'ROLE': one("SELECT id FROM roles WHERE code = 'operator'")}
    return [re.sub('[A-Z]{3,}', lambda m: names[m.group()], path)
            for path in PAGES]


@needs_browser
@pytest.mark.seconds(240)
@pytest.mark.parametrize('width', browser.WIDTHS)
def test_every_page_fits(people, shop, width):
    page = people(width, motion=width < 600)
    page.open()
    page.wait('#username')
    page.shot('login')
    for name, path in zip(PAGES, addresses(shop)):
        page.visit('operator' if path.startswith('tasks') else
                   'manager', path)
        if path == 'server':
            page.wait('figure', 'Hit rate', 20)
            if os.environ.get('REKLAM_SHOTS'):
                time.sleep(12)          # there is more to show
        page.settled()
        page.shot(re.sub(r'\W.*', '', name.replace('/', '_').lower())
                  or 'dashboard')
        wide = page.script('return document.documentElement.scrollWidth')
        assert wide <= width, path


@needs_browser
@pytest.mark.seconds(300)
@pytest.mark.parametrize('dark', [False, True], ids=['light', 'dark'])
def test_axe_finds_nothing_serious(people, shop, private, dark):
    source = browser.axe_source(private / 'axe')
    page = people(dark=dark)
    # axe makes markup to measure with, which the page's own rule forbids.
    page.cdp('Page.setBypassCSP', enabled=True)
    page.open()
    page.wait('#username')
    # What else there is to find is the same in the dark.
    only = ['color-contrast'] if dark else None
    found = {'login': page.axe(source, only)}
    for path in addresses(shop):
        page.visit('operator' if path.startswith('tasks') else
                   'manager', path)
        page.settled()
        found[path] = page.axe(source, only)
    page.visit('operator', 'tasks')
    page.click('.task [data-do=pause], .task [data-do=note]')
    page.wait('dialog')
    found['dialog'] = page.axe(source, only)
    assert not any(found.values()), json.dumps(
        {k: v for k, v in found.items() if v}, indent=1)


@needs_browser
def test_the_first_view_is_light(people, shop):
    page = people()
    page.enter_as('manager')
    page.cdp('Network.clearBrowserCache')
    page.driver.refresh()
    page.wait('main .tile')
    page.settled()
    took = page.script('''
        return performance.getEntriesByType('resource')
            .filter(e => !e.name.includes('/web/lib/'))
            .map(e => [new URL(e.name).pathname, e.transferSize,
                       e.responseEnd])''')
    calls = [path for path, *_ in took if path.startswith('/api/')]
    assert len(calls) <= 6, calls
    # As nginx sends them; the browser's own numbers include headers.
    size = sum(size for _, size, _ in took) + len(gzip.compress(
        (WEB / 'index.html').read_bytes()))
    print(f'{size} bytes, {len(calls)} calls')
    assert size <= 150 * 1024, took
    assert max(end for *_, end in took) <= 3 * 3000, took


@needs_browser
def test_without_charts_there_are_tables(people, shop):
    page = people()
    page.expected = ['ERR_BLOCKED_BY_CLIENT', 'Failed to load']
    page.cdp('Network.setBlockedURLs', urls=['*chart.min.js*'])
    page.enter_as('manager')
    page.wait('figure details[open] td')
    assert not page.all('.plot')[0].is_displayed()
