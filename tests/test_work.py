"""Jobs and steps: what may follow what, asked for through the API, and what
happens when eight people do it at once."""

import threading

import pytest

from routes import routes

JOB = ('draft', 'active', 'on_hold', 'in_progress', 'completed', 'canceled')
STEP = ('pending', 'ready', 'in_progress', 'blocked', 'on_hold', 'completed',
        'canceled')

# What each action makes of each status; what is not here is refused.
JOB_ACTIONS = {
    'activate': {'draft': 'active'},
    'hold': {'draft': 'on_hold', 'active': 'on_hold',
             'in_progress': 'on_hold'},
    'resume': {'on_hold': 'active'},
    'cancel': {'draft': 'canceled', 'active': 'canceled',
               'on_hold': 'canceled', 'in_progress': 'canceled'},
}
STEP_ACTIONS = {
    'activate': {'pending': 'ready'},
    'start': {'pending': 'in_progress', 'ready': 'in_progress'},
    'pause': {'ready': 'blocked', 'in_progress': 'blocked'},
    'resume': {'blocked': 'ready'},
    'production': {'in_progress': 'in_progress'},
    'complete': {'pending': 'completed', 'ready': 'completed',
                 'in_progress': 'completed'},
    'reopen': {'completed': 'ready'},
    'delete': {'pending': None, 'ready': None},
    'patch': {s: s for s in STEP if s not in ('completed', 'canceled')},
}
BODIES = {'hold': {'reason': 'x'}, 'cancel': {'reason': 'x'},
          'pause': {'reason': 'x'}, 'production': {'production_quantity': 2},
          'complete': {}, 'reopen': {'reason': 'x'},
          'patch': {'requirements': 'x'}}


@pytest.fixture(scope='module')
def process_id(shop):
    return shop.sql('SELECT id FROM processes WHERE is_active '
                    'ORDER BY name LIMIT 1')


def make_job(shop, process_id, steps=1):
    answer = shop.post('/api/jobs', {
        'title': 'Deneme', 'steps': [{'process_id': process_id}] * steps},
        'manager')
    assert answer.status == 201, answer
    return answer.json['data']['id']


def steps_of(shop, job):
    return shop.sql(f"SELECT id FROM job_steps WHERE job_id = '{job}' "
                    'ORDER BY order_index').split()


def act(shop, path, action, who='manager', client=None):
    client = client or shop
    body = BODIES.get(action)
    if action == 'delete':
        return client.delete(path, who=who)
    if action == 'patch':
        return client.patch(path, body, who)
    return client.post(f'{path}/{action}', body, who)


def status_of(shop, table, id):
    return shop.sql(f"SELECT status FROM {table} WHERE id = '{id}'") or None


@pytest.mark.once
@pytest.mark.parametrize('action', JOB_ACTIONS)
def test_a_job_goes_where_it_may_and_nowhere_else(shop, process_id, action):
    for status in JOB:
        job = make_job(shop, process_id)
        shop.sql(f"UPDATE jobs SET status = '{status}' WHERE id = '{job}'")
        answer = act(shop, f'/api/jobs/{job}', action)
        wanted = JOB_ACTIONS[action].get(status)
        assert answer.status == (200 if wanted else 409), (status, answer)
        assert status_of(shop, 'jobs', job) == (wanted or status), status


def in_state(shop, process_id, job_status, step_status):
    """A job of two steps, and its first."""
    job = make_job(shop, process_id, 2)
    step = steps_of(shop, job)[0]
    shop.sql(f"UPDATE jobs SET status = '{job_status}' WHERE id = '{job}'; "
             f"UPDATE job_steps SET status = '{step_status}' "
             f"WHERE id = '{step}'")
    return job, step


@pytest.mark.once
@pytest.mark.parametrize('action', STEP_ACTIONS)
def test_a_step_goes_where_it_may_and_nowhere_else(shop, process_id, action):
    for status in STEP:
        _, step = in_state(shop, process_id, 'active', status)
        answer = act(shop, f'/api/jobs/steps/{step}', action)
        legal = status in STEP_ACTIONS[action]
        assert answer.status == (200 if legal else 409), (status, answer)
        wanted = STEP_ACTIONS[action].get(status, status)
        assert status_of(shop, 'job_steps', step) == wanted, status


# What a job becomes when that is done to one of its steps, which would let
# it; a job that is not here refuses.
ANY = {s: s for s in JOB}
RUNNING = {'active': 'active', 'in_progress': 'in_progress'}
STARTED = {'active': 'in_progress', 'in_progress': 'in_progress'}
JOB_OF_STEP = {
    'activate': ('pending', RUNNING),
    'start': ('ready', STARTED),
    'pause': ('in_progress', RUNNING),
    'resume': ('blocked', RUNNING),
    'production': ('in_progress', STARTED),
    'complete': ('ready', STARTED),
    'reopen': ('completed', {**RUNNING, 'on_hold': 'on_hold',
                             'completed': 'active', 'canceled': 'active'}),
    'delete': ('pending', ANY),
    'patch': ('ready', ANY),
    'add': ('pending', {**RUNNING, 'draft': 'draft', 'on_hold': 'on_hold'}),
}
REFUSALS = {'start': 'Adım bulunamadı veya başlatılamaz',
            'add': 'Tamamlanan veya iptal edilen işe süreç eklenemez'}
NOT_RUNNING = 'İş aktif değil'
# As the table in the database calls them.
EVENTS = {'activate step': 'activate', 'start step': 'start',
          'produce': 'production', 'pause step': 'pause',
          'resume step': 'resume', 'complete step': 'complete',
          'reopen step': 'reopen', 'add step': 'add'}


@pytest.mark.once
@pytest.mark.parametrize('action', JOB_OF_STEP)
def test_a_step_goes_where_its_job_lets_it(shop, process_id, action):
    step_status, outcomes = JOB_OF_STEP[action]
    for status in JOB:
        job, step = in_state(shop, process_id, status, step_status)
        if action == 'add':
            answer = shop.post(f'/api/jobs/{job}/steps',
                               {'process_id': process_id}, 'manager')
        else:
            answer = act(shop, f'/api/jobs/steps/{step}', action)
        wanted = outcomes.get(status)
        if wanted:
            assert answer.status in (200, 201), (status, answer)
        else:
            assert (answer.status, answer.json) == (409, {
                'error': REFUSALS.get(action, NOT_RUNNING)}), status
            assert status_of(shop, 'job_steps', step) == step_status, status
        assert status_of(shop, 'jobs', job) == (wanted or status), status
        assert len(steps_of(shop, job)) == 2 + bool(wanted) * {
            'add': 1, 'delete': -1}.get(action, 0), status


def test_a_step_that_is_reopened_in_a_held_job_waits_with_the_others(
        shop, process_id):
    job, step = in_state(shop, process_id, 'on_hold', 'completed')
    assert act(shop, f'/api/jobs/steps/{step}', 'reopen').status == 200
    assert status_of(shop, 'job_steps', step) == 'on_hold'


@pytest.mark.once
def test_what_a_job_lets_its_steps_do_is_what_the_table_says(shop):
    rows = shop.sql('SELECT event, from_status, to_status '
                    "FROM reklam.transitions WHERE entity = 'job'")
    found = {}
    for row in rows.splitlines():
        event, before, after = row.split('|')
        if event in EVENTS:
            found.setdefault(EVENTS[event], {})[before] = after
        else:
            assert event in (*JOB_ACTIONS, 'complete')
    assert found == {action: outcomes for action, (_, outcomes)
                     in JOB_OF_STEP.items() if outcomes is not ANY}


@pytest.mark.parametrize('action', [*JOB_ACTIONS, *STEP_ACTIONS])
def test_what_does_not_exist_is_404(shop, action):
    place = 'jobs/steps' if action in STEP_ACTIONS else 'jobs'
    answer = act(shop, f'/api/{place}/00000000-0000-0000-0000-000000000000',
                 action)
    assert answer.status == 404, answer


def test_a_job_that_was_in_progress_goes_on_as_that(shop, process_id):
    job = make_job(shop, process_id)
    act(shop, f'/api/jobs/{job}', 'activate')
    step, = steps_of(shop, job)
    assert act(shop, f'/api/jobs/steps/{step}', 'start').status == 200
    assert status_of(shop, 'jobs', job) == 'in_progress'
    assert act(shop, f'/api/jobs/{job}', 'hold').status == 200
    assert status_of(shop, 'job_steps', step) == 'on_hold'
    assert act(shop, f'/api/jobs/{job}', 'resume').status == 200
    assert status_of(shop, 'jobs', job) == 'in_progress'
    assert status_of(shop, 'job_steps', step) == 'in_progress'


def states(shop, job):
    return shop.sql('SELECT status FROM job_steps '
                    f"WHERE job_id = '{job}' ORDER BY order_index").split()


def parallel_job(shop, process_id, line):
    """An active job: 'p' is a step beside its neighbours, 's' one alone."""
    answer = shop.post('/api/jobs', {'title': 'Yan yana', 'steps': [
        {'process_id': process_id, 'is_parallel': c == 'p'} for c in line]},
        'manager')
    assert answer.status == 201, answer
    job = answer.json['data']['id']
    assert act(shop, f'/api/jobs/{job}', 'activate').status == 200
    return job, steps_of(shop, job)


def test_steps_side_by_side_are_ready_together_and_waited_for(shop,
                                                              process_id):
    job, steps = parallel_job(shop, process_id, 'spppss')
    assert states(shop, job) == ['ready'] + ['pending'] * 5
    act(shop, f'/api/jobs/steps/{steps[0]}', 'start')
    act(shop, f'/api/jobs/steps/{steps[0]}', 'complete')
    assert states(shop, job) == ['completed'] + ['ready'] * 3 + \
        ['pending'] * 2
    shop.login('manager')
    found = at_once(shop, 3, lambda client, n: act(
        shop, f'/api/jobs/steps/{steps[1 + n]}', 'start', client=client))
    assert [a.status for a in found] == [200] * 3
    assert states(shop, job)[1:] == ['in_progress'] * 3 + ['pending'] * 2
    # The last one in the line does not have to be the last to end.
    for place, after in ((3, 'pending'), (1, 'pending'), (2, 'ready')):
        assert act(shop, f'/api/jobs/steps/{steps[place]}',
                   'complete').status == 200
        assert states(shop, job)[4:] == [after, 'pending']
    assert status_of(shop, 'jobs', job) == 'in_progress'


def test_steps_side_by_side_that_end_at_once_let_the_next_begin(shop,
                                                                process_id):
    shop.login('manager')
    for _ in range(5):
        job, steps = parallel_job(shop, process_id, 'pppps')
        assert states(shop, job) == ['ready'] * 4 + ['pending']
        found = at_once(shop, 4, lambda client, n: act(
            shop, f'/api/jobs/steps/{steps[n]}', 'complete', client=client))
        assert [a.status for a in found] == [200] * 4
        assert states(shop, job) == ['completed'] * 4 + ['ready']


def test_two_runs_side_by_side_do_not_mix(shop, process_id):
    """A step that stands alone parts them."""
    job, steps = parallel_job(shop, process_id, 'ppspp')
    for step in steps[:2]:
        assert act(shop, f'/api/jobs/steps/{step}', 'complete').status == 200
    assert states(shop, job)[2:] == ['ready', 'pending', 'pending']
    assert act(shop, f'/api/jobs/steps/{steps[2]}', 'complete').status == 200
    assert states(shop, job)[3:] == ['ready', 'ready']
    for step in steps[3:]:
        assert status_of(shop, 'jobs', job) == 'in_progress'
        assert act(shop, f'/api/jobs/steps/{step}', 'complete').status == 200
    assert status_of(shop, 'jobs', job) == 'completed'


def test_the_next_step_is_ready_over_gaps_and_canceled_ones(shop, process_id):
    job = make_job(shop, process_id, 4)
    first, second, third, fourth = steps_of(shop, job)
    act(shop, f'/api/jobs/{job}', 'activate')
    shop.sql(f"UPDATE job_steps SET status = 'canceled' WHERE id = '{second}';"
             f"DELETE FROM job_steps WHERE id = '{third}'")
    act(shop, f'/api/jobs/steps/{first}', 'start')
    assert act(shop, f'/api/jobs/steps/{first}', 'complete').status == 200
    assert status_of(shop, 'job_steps', fourth) == 'ready'
    assert act(shop, f'/api/jobs/steps/{fourth}', 'complete').status == 200
    assert status_of(shop, 'jobs', job) == 'completed'


@pytest.mark.parametrize('before', ['active', 'in_progress', 'draft'])
def test_a_job_of_which_only_finished_steps_are_left_ends_when_it_resumes(
        shop, process_id, before):
    """The old backend held a job and left its steps as they were."""
    job = make_job(shop, process_id, 2)
    first, second = steps_of(shop, job)
    shop.sql(f"UPDATE jobs SET status = 'on_hold', status_before_hold = "
             f"'{before}' WHERE id = '{job}'; "
             "UPDATE job_steps SET status = 'completed' "
             f"WHERE id = '{first}'")
    assert act(shop, f'/api/jobs/steps/{second}', 'delete').status == 200
    assert status_of(shop, 'jobs', job) == 'on_hold'
    assert act(shop, f'/api/jobs/{job}', 'resume').status == 200
    after = 'draft' if before == 'draft' else 'completed'
    assert status_of(shop, 'jobs', job) == after
    assert shop.get(f'/api/jobs/{job}', 'manager').json['data']['status'] == \
        after


def test_a_job_without_a_step_does_not_end_when_it_resumes(shop, process_id):
    job = make_job(shop, process_id, 0)
    for action in 'activate', 'hold', 'resume':
        assert act(shop, f'/api/jobs/{job}', action).status == 200
    assert status_of(shop, 'jobs', job) == 'active'


def at_once(shop, count, what):
    """The answers of `count` clients that begin together."""
    barrier, answers = threading.Barrier(count), [None] * count

    def run(n):
        client = shop.browser()
        barrier.wait()
        answers[n] = what(client, n)
        client.close()
    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def test_of_eight_who_start_a_step_one_does(shop, process_id):
    shop.login('manager')
    for _ in range(5):
        job = make_job(shop, process_id)
        act(shop, f'/api/jobs/{job}', 'activate')
        step, = steps_of(shop, job)
        found = at_once(shop, 8, lambda client, n: act(
            shop, f'/api/jobs/steps/{step}', 'start', client=client))
        assert sorted(a.status for a in found) == [200] + [409] * 7


def test_of_eight_who_complete_or_pause_a_step_one_does(shop, process_id):
    shop.login('manager')
    for _ in range(5):
        job = make_job(shop, process_id)
        act(shop, f'/api/jobs/{job}', 'activate')
        step, = steps_of(shop, job)
        act(shop, f'/api/jobs/steps/{step}', 'start')
        found = at_once(shop, 8, lambda client, n: act(
            shop, f'/api/jobs/steps/{step}', ('complete', 'pause')[n % 2],
            client=client))
        assert [a.status for a in found].count(200) == 1
        assert {a.status for a in found} == {200, 409}
        assert status_of(shop, 'job_steps', step) in ('completed', 'blocked')


def test_production_of_eight_at_once_adds_up(shop, process_id):
    shop.login('manager')
    job = make_job(shop, process_id)
    act(shop, f'/api/jobs/{job}', 'activate')
    step, = steps_of(shop, job)
    act(shop, f'/api/jobs/steps/{step}', 'start')
    found = at_once(shop, 8, lambda client, n: act(
        shop, f'/api/jobs/steps/{step}', 'production', client=client))
    assert {a.status for a in found} == {200}
    assert float(shop.sql('SELECT production_quantity FROM job_steps '
                          f"WHERE id = '{step}'")) == 16


def test_jobs_made_at_once_have_numbers_of_their_own(shop, process_id):
    shop.login('manager')
    found = at_once(shop, 8, lambda client, n: [client.post(
        '/api/jobs', {'title': f'Yarış {n}'}, 'manager')
        for _ in range(10)])
    answers = [a for some in found for a in some]
    assert {a.status for a in answers} == {201}
    numbers = {a.json['data']['job_number'] for a in answers}
    assert len(numbers) == 80
    assert int(shop.sql("SELECT count(*) FROM jobs WHERE title LIKE 'Yarış%'")
               ) == 80


def test_steps_added_and_deleted_at_once_keep_an_order(shop, process_id):
    shop.login('manager')
    job = make_job(shop, process_id, 4)
    steps = steps_of(shop, job)

    def what(client, n):
        if n % 2:
            return client.delete(f'/api/jobs/steps/{steps[n // 2]}',
                                 who='manager')
        return client.post(f'/api/jobs/{job}/steps',
                           {'process_id': process_id}, 'manager')
    found = at_once(shop, 8, what)
    assert {a.status for a in found} <= {200, 201}, found
    orders = shop.sql('SELECT order_index FROM job_steps '
                      f"WHERE job_id = '{job}'").split()
    assert len(orders) == len(set(orders)) == 4


def test_the_table_of_actions_is_that_of_the_routes():
    """A new action needs a line above."""
    known = {('POST', f'/api/jobs/{{id}}/{a}') for a in JOB_ACTIONS} | \
        {('POST', f'/api/jobs/steps/{{id}}/{a}') for a in STEP_ACTIONS}
    others = {('POST', '/api/jobs/{id}/revise'),
              ('POST', '/api/jobs/{id}/steps'),
              ('POST', '/api/jobs/steps/{id}/notes')}
    found = {(r.method, r.path) for r in routes()
             if r.method == 'POST' and r.path.startswith('/api/jobs/')}
    assert found <= known | others
