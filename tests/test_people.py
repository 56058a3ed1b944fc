"""
Users, roles, passwords: who may change whom, and that a manager remains and
everybody has one primary role whatever eight people do at once.
"""

import contextlib
import random
import threading
import time
from collections import Counter

import psycopg2
import pytest

import forge
from backends import Asking, Backends

pytestmark = pytest.mark.once


@pytest.fixture
def shop(make_shop):
    return make_shop(names={'LOGIN_RATE': '1000r/s'})


class People:
    def __init__(self, shop):
        self.shop = shop

    def id(self, name):
        return self.shop.sql(
            f"SELECT id FROM users WHERE username = '{name}'").strip()

    def token(self, name):
        return forge.of(self.id(name), name,
                        self.shop.settings['JWT_SECRET_KEY'])

    def role(self, code, *rights):
        """A role with rights like users.update; its id."""
        permissions = {}
        for right in rights:
            resource, action = right.split('.')
            permissions.setdefault(resource, {})[f'can_{action}'] = True
        made = self.shop.post('/api/roles', {
            'name': code, 'code': code, 'permissions': permissions},
            who='admin')
        assert made.status == 201, made
        return made.json['data']['id']

    def user(self, name, *role_ids):
        made = self.shop.post('/api/users', {
            'username': name, 'email': f'{name}@ornek.example',
            'password': 'gizli-1', 'full_name': name}, who='admin')
        assert made.status == 201, made
        if role_ids:
            given = self.shop.post(
                f'/api/user-roles/user/{made.json["data"]["id"]}',
                {'role_ids': role_ids}, who='admin')
            assert given.status == 200, given
        return made.json['data']['id']

    def enter(self, name, password):
        return self.shop.post('/api/auth/login', {
            'username': name, 'password': password})


@pytest.fixture
def people(shop):
    return People(shop)


def test_everybody_changes_the_own_name_and_nothing_else(shop, people):
    mine, other = people.user('ayse'), people.user('fatma')
    token = people.token('ayse')
    assert shop.patch(f'/api/users/{mine}', {'full_name': 'Ayşe'},
                      token=token).status == 200
    assert shop.get('/api/auth/me', token=token).json['user']['full_name'] \
        == 'Ayşe'
    for path, body in ((mine, {'full_name': 'A', 'role': 'yonetici'}),
                       (mine, {'is_active': True}),
                       (mine, {'password': 'baska-1'}),
                       (other, {'full_name': 'x'})):
        assert shop.patch(f'/api/users/{path}', body,
                          token=token).status == 403


def test_a_new_password_ends_the_older_tokens(shop, people):
    people.user('ayse')
    old = people.enter('ayse', 'gizli-1').json['token']
    for body, status in (({}, 400), ({'current_password': 'gizli-1',
                                      'new_password': 'kisa'}, 400),
                         ({'current_password': 'yanlis',
                           'new_password': 'yeni-sifre'}, 400)):
        assert shop.post('/api/auth/password', body,
                         token=old).status == status
    assert shop.post('/api/auth/password', {
        'current_password': 'gizli-1', 'new_password': 'yeni-sifre'},
        token=old).status == 200
    assert shop.get('/api/auth/me', token=old).status == 401
    assert people.enter('ayse', 'gizli-1').status == 401
    again = people.enter('ayse', 'yeni-sifre')
    assert again.status == 200
    assert shop.get('/api/auth/me', token=again.json['token']).status == 200


@contextlib.contextmanager
def held(shop, user):
    """Who changes the user has to wait; a cursor for who need not."""
    with contextlib.closing(psycopg2.connect(shop.cluster.url(
            shop.database))) as holder:
        row = holder.cursor()
        row.execute(f"SELECT FROM users WHERE id = '{user}' FOR UPDATE")
        yield row
        holder.commit()


def test_of_two_who_change_a_password_at_once_one_does(shop, people):
    """The later one was checked against a password that is none any more."""
    mine = people.user('ayse')
    token, new = people.token('ayse'), ['yeni-sifre-0', 'yeni-sifre-1']

    def change(n):
        return shop.worker(n).post('/api/auth/password', {
            'current_password': 'gizli-1', 'new_password': new[n]},
            token=token, headers={'Accept-Language': 'tr'})
    with Backends(shop) as backends, held(shop, mine):
        # Both have been checked when they come to write.
        asking = Asking([lambda: change(0), lambda: change(1)])
        backends.waits_for(2)
    answers = asking.all()
    assert sorted(a.status for a in answers) == [200, 409], answers
    won = [a.status for a in answers].index(200)
    assert answers[1 - won].json == {
        'error': 'Şifre bu sırada değişti, lütfen tekrar giriş yapın'}
    assert people.enter('ayse', new[won]).status == 200
    for password in 'gizli-1', new[1 - won]:
        assert people.enter('ayse', password).status == 401


def test_a_manager_s_new_password_is_not_overwritten(shop, people):
    mine = people.user('ayse')
    token = people.token('ayse')
    with Backends(shop) as backends, held(shop, mine) as row:
        asking = Asking([lambda: shop.post('/api/auth/password', {
            'current_password': 'gizli-1', 'new_password': 'benim-1'},
            token=token, headers={'Accept-Language': 'en'})])
        backends.waits_for(1)
        row.execute("UPDATE users SET password_hash = crypt('onun-1', "
                    f"gen_salt('bf', 6)) WHERE id = '{mine}'")
    answer, = asking.all()
    assert (answer.status, answer.json) == (409, {
        'error': 'The password has changed meanwhile, please log in again'})
    assert people.enter('ayse', 'onun-1').status == 200


def test_a_deactivated_user_is_out_at_once_and_for_good(shop, people):
    mine = people.user('ayse')
    token = people.enter('ayse', 'gizli-1').json['token']
    assert shop.get('/api/auth/me', token=token).status == 200
    assert shop.delete(f'/api/users/{mine}', who='admin').status == 200
    assert shop.get('/api/auth/me', token=token).status == 401
    assert people.enter('ayse', 'gizli-1').status == 401
    assert shop.patch(f'/api/users/{mine}', {'is_active': True},
                      who='admin').status == 200
    assert shop.get('/api/auth/me', token=token).status == 401
    assert people.enter('ayse', 'gizli-1').status == 200


def test_a_right_over_people_is_not_every_right(shop, people):
    staff = people.role('personel', 'users.create', 'users.update',
                        'users.delete', 'roles.create', 'roles.update')
    people.user('ayse', staff)
    other = people.user('fatma')
    token, admin = people.token('ayse'), people.id('admin')
    managers = shop.sql("SELECT id FROM roles WHERE code = 'yonetici'").strip()
    new = {'username': 'zehra', 'email': 'z@ornek.example',
           'password': 'gizli-1'}

    def status(method, path, body=None):
        return shop.ask(method, path, body, token=token).status
    assert status('POST', '/api/users', {**new, 'role': 'yonetici'}) == 403
    assert status('POST', '/api/users', new) == 201
    assert status('PATCH', f'/api/users/{other}', {'password': 'x-12345'}) \
        == 200
    assert status('PATCH', f'/api/users/{other}', {'role': 'yonetici'}) == 403
    assert status('PATCH', f'/api/users/{admin}', {'password': 'x-12345'}) \
        == 403
    assert status('PATCH', f'/api/users/{admin}', {'email': 'x@y'}) == 403
    assert status('DELETE', f'/api/users/{admin}') == 403
    assert status('POST', f'/api/user-roles/user/{other}',
                  {'role_ids': [managers]}) == 403
    assert status('PATCH', f'/api/roles/{managers}', {'name': 'x'}) == 403
    assert status('PATCH', f'/api/roles/{staff}',
                  {'permissions': {'jobs': {'can_view': True}}}) == 403


def test_the_last_manager_stays(shop, people):
    admin = people.id('admin')
    other = people.role('baska')
    managers = shop.sql("SELECT id FROM roles WHERE code = 'yonetici'").strip()
    shop.sql('UPDATE users SET is_active = false WHERE reklam.is_manager(id) '
             f"AND id <> '{admin}'")
    ours = f'/api/user-roles/user/{admin}'
    for method, path, body in (
            ('DELETE', f'/api/users/{admin}', None),
            ('PATCH', f'/api/users/{admin}', {'is_active': False}),
            ('PATCH', f'/api/users/{admin}', {'role': 'operator'}),
            ('POST', ours, {'role_ids': [other]}),
            ('DELETE', f'{ours}/role/{managers}', None)):
        answer = shop.ask(method, path, body, who='admin')
        assert answer.status == 409, (method, path, answer)
    assert shop.delete(f'/api/roles/{managers}', who='admin').status == 400
    assert shop.get('/api/auth/me', who='admin').json['user']['role'] \
        == 'yonetici'


# Somebody with no primary role or two; a users.role that is another one.
ILLEGAL = """
SELECT user_id
  FROM user_roles
 GROUP BY user_id
HAVING count(*) FILTER (WHERE is_primary) <> 1
UNION ALL
SELECT u.id
  FROM users u
  JOIN user_roles ur ON ur.user_id = u.id AND ur.is_primary
  JOIN roles r ON r.id = ur.role_id
 WHERE u.role IS DISTINCT FROM r.code
"""


class Racer(threading.Thread):
    """One of eight who change the same people at random."""

    def __init__(self, shop, seed, users, roles):
        super().__init__()
        self.browser, self.random = shop.browser(), random.Random(seed)
        self.secret = shop.settings['JWT_SECRET_KEY']
        self.users, self.roles = users, roles
        self.statuses, self.wrong = Counter(), []

    def token(self):
        """A new one: who was deactivated may be back."""
        now = int(time.time())
        return forge.signed({'user_id': self.random.choice(self.users),
                             'iat': now, 'exp': now + 60}, self.secret)

    def write(self):
        choose = self.random.choice
        user, role = choose(self.users), choose(list(self.roles))
        some = self.random.sample(list(self.roles), 2)
        return choose((
            ('POST', f'/api/user-roles/user/{user}',
             {'role_ids': some, 'primary_role_id': choose(some)}),
            ('DELETE', f'/api/user-roles/user/{user}/role/{role}', None),
            ('PATCH', f'/api/user-roles/user/{user}/primary/{role}', None),
            ('PATCH', f'/api/users/{user}', {'role': self.roles[role]}),
            ('PATCH', f'/api/users/{user}',
             {'is_active': choose((True, True, False))}),
            ('DELETE', f'/api/users/{user}', None)))

    def run(self):
        for _ in range(60):
            method, path, body = self.write()
            answer = self.browser.ask(method, path, body, token=self.token())
            self.statuses[answer.status] += 1
            # 401 and 403: the asker is one who has lost his role.
            if answer.status not in (200, 401, 403, 404, 409):
                self.wrong.append((method, path, body, answer))


@pytest.mark.seconds(300)
def test_eight_at_once_leave_one_primary_role_and_a_manager(shop, people):
    roles = dict(line.split('|')[:2] for line in shop.sql(
        "SELECT id, code FROM roles WHERE code IN ('yonetici', 'operator', "
        "'depocu')").split())
    managers = {code: id for id, code in roles.items()}['yonetici']
    names = [f'yarisci{i}' for i in range(4)]
    users = [people.user(name, managers) for name in names]
    shop.sql('UPDATE users SET is_active = false WHERE reklam.is_manager(id) '
             "AND username NOT LIKE 'yarisci%'")
    racers = [Racer(shop, seed, users, roles) for seed in range(8)]
    for racer in racers:
        racer.start()
    while any(racer.is_alive() for racer in racers):
        assert shop.sql(ILLEGAL) == ''
        assert shop.sql('SELECT count(*) > 0 FROM users WHERE is_active AND '
                        'reklam.is_manager(id)').strip() == 't'
    for racer in racers:
        racer.join()
    assert not [fault for racer in racers for fault in racer.wrong]
    assert shop.sql(ILLEGAL) == ''
    done = sum((racer.statuses for racer in racers), Counter())
    assert done[200] > 50, done
