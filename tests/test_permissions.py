"""
The permission matrix: every route, asked by everybody.  Who may what follows
from the access words of src/routes.c and the rights that the demo shop's
roles have; the program is asked nothing about either.  S1 is a row of the
project's table of faults.
"""

import json

import pytest

import fastcgi
import forge
from routes import label, routes
from samples import NIL, Samples

pytestmark = pytest.mark.once

ROUTES = routes()
# As roles(code) has them; "deneme" and "bos", the empty one, are made up.
ROLES = ('yonetici', 'operator', 'musteri_temsilcisi', 'tasarimci', 'depocu',
         'lamineci', 'kesifci', 'satinalma', 'deneme', 'bos')
STRANGERS = ('no token', 'no scheme', 'expired', 'wrong key', 'no algorithm',
             'another algorithm', 'changed', 'of the future', 'without exp',
             'unknown user', 'inactive')
# Two roles more, one of them asleep, and for each role somebody who has it.
MADE = """
INSERT INTO roles (code, name, is_active)
VALUES ('deneme', 'Deneme', true), ('bos', 'Boş', true),
       ('uyuyan', 'Uyuyan', false);
INSERT INTO role_permissions (role_id, resource, can_view, can_create,
    can_update, can_delete)
SELECT id, r, false, r = 'machines', r = 'users', r = 'processes'
  FROM roles, unnest('{machines,users,processes}'::text[]) r
 WHERE code = 'deneme';
INSERT INTO role_permissions (role_id, resource, can_view, can_create,
    can_update, can_delete)
SELECT id, r, true, true, true, true
  FROM roles, unnest('{jobs,customers}'::text[]) r
 WHERE code = 'uyuyan';
INSERT INTO users (username, email, password_hash, full_name, role, is_active)
SELECT 'only ' || code, code || '@ornek.example', 'x', code, 'operator', true
  FROM roles;
INSERT INTO user_roles (user_id, role_id, is_primary)
SELECT u.id, r.id, true
  FROM users u
  JOIN roles r ON u.username = 'only ' || r.code;
-- What sleeps gives no right: he also has that role.
INSERT INTO user_roles (user_id, role_id)
SELECT u.id, r.id
  FROM users u, roles r
 WHERE u.username = 'only bos' AND r.code = 'uyuyan'
"""
RIGHTS = """
SELECT resource || '.' || a
  FROM role_permissions p
  JOIN roles r ON r.id = p.role_id
 CROSS JOIN LATERAL (VALUES ('view', can_view), ('create', can_create),
       ('update', can_update), ('delete', can_delete)) x (a, allowed)
 WHERE r.code = '{}' AND r.is_active AND allowed
"""


class People:
    """Tokens of those who ask, and what their roles allow."""

    def __init__(self, shop):
        self.secret = shop.settings['JWT_SECRET_KEY']
        shop.sql(MADE)
        self.tokens, self.rights = {}, {}
        for role in ROLES:
            name = f'only {role}'
            user = shop.sql('SELECT id FROM users WHERE username = '
                            f"'{name}'")
            # What a token says of a role counts for nothing.
            self.tokens[role] = forge.of(user, name, self.secret, 'yonetici')
            self.rights[role] = set(shop.sql(RIGHTS.format(role)).split())
        good = forge.of(shop.sql("SELECT id FROM users WHERE username = "
                                 "'admin'"), 'admin', self.secret, 'yonetici')
        body = forge.claims(good)
        sleeper = shop.sql('SELECT id FROM users WHERE NOT is_active '
                           'ORDER BY id LIMIT 1')
        self.headers = {
            'no token': None, 'no scheme': good,
            'expired': 'Bearer ' + forge.expired(good, self.secret),
            'wrong key': 'Bearer ' + forge.wrong_key(good),
            'no algorithm': 'Bearer ' + forge.no_algorithm(good),
            'another algorithm': 'Bearer ' + forge.signed(
                body, self.secret, {'alg': 'HS512', 'typ': 'JWT'}, 'sha512'),
            'changed': 'Bearer ' + '.'.join([
                good.split('.')[0], forge.encode(json.dumps(
                    {**body, 'role': 'x'}).encode()), good.split('.')[2]]),
            'of the future': 'Bearer ' + forge.signed(
                {**body, 'iat': body['iat'] + 7200,
                 'exp': body['exp'] + 7200}, self.secret),
            'without exp': 'Bearer ' + forge.without(good, self.secret,
                                                     'exp'),
            'unknown user': 'Bearer ' + forge.of(NIL, 'admin', self.secret),
            'inactive': 'Bearer ' + forge.of(sleeper, 'x', self.secret)}

    def may(self, role, route):
        words = route.access_words
        if role == 'yonetici' or 'token' in words or 'public' in words:
            return True
        return bool(self.rights[role] & set(words))


@pytest.fixture(scope='module')
def samples(postgres, demo):
    return Samples(postgres, demo)


@pytest.fixture(scope='module')
def people(shop):
    return People(shop)


def ask(shop, route, path, headers=None, token=None, body=None):
    if route.method == 'GET':
        body = None
    if 'loopback' not in route.access_words:
        return shop.ask(route.method, path, body=body, headers=headers,
                        token=token)
    # Open to whoever is on the host; here nobody is.
    headers = {**(headers or {}),
               **({'Authorization': f'Bearer {token}'} if token else {})}
    return fastcgi.ask(shop.sockets[0], route.method, path, headers,
                       REMOTE_ADDR='192.0.2.7')


def is_refusal(answer, status):
    assert answer.status == status, answer
    assert answer.json['error']


@pytest.mark.parametrize('stranger', STRANGERS)
@pytest.mark.parametrize('route', [r for r in ROUTES
                                   if r.access != 'public'], ids=label)
def test_s1_a_stranger_gets_nothing(shop, people, samples, route, stranger):
    """With ids and a body that would do."""
    header = people.headers[stranger]
    answer = ask(shop, route, samples.path(route.path),
                 {'Authorization': header} if header else {},
                 body=samples.body(route.fields))
    is_refusal(answer, 401)


@pytest.mark.parametrize('role', ROLES)
@pytest.mark.parametrize('route', ROUTES, ids=label)
def test_s1_a_role_opens_what_it_should(shop, people, samples, route, role):
    """
    Who may not is refused whatever he sends; who may reads what there is,
    and writes nothing here, since nothing has the id.
    """
    may = people.may(role, route)
    reads = route.method == 'GET'
    path = samples.path(route.path, NIL if may and not reads else None)
    answer = ask(shop, route, path, token=people.tokens[role],
                 body={} if may else samples.body(route.fields))
    if not may:
        is_refusal(answer, 403)
    elif reads and role == 'yonetici':
        assert answer.status == 200, answer
    else:
        # Where all may, a statement may still refuse: a step that is
        # somebody else's, somebody else himself.
        assert answer.status != 401 and answer.status < 500, answer
        assert answer.status != 403 or route.access == 'token', answer


OWN = [r for r in ROUTES if r.access == 'token' and r.path.startswith(
    ('/api/notifications/{', '/api/tasks/{', '/api/jobs/steps/{'))]


@pytest.mark.parametrize('role', [r for r in ROLES if r != 'yonetici'])
@pytest.mark.parametrize('route', OWN, ids=label)
def test_s1_what_is_somebody_elses_stays_his(shop, people, samples, route, role):
    """Notifications, tasks, steps: with the id of another person's."""
    user = forge.claims(people.tokens[role])['user_id']
    if 'notifications' in route.path:
        query = f"SELECT id FROM notifications WHERE user_id <> '{user}'"
    else:
        status = {'complete': 'in_progress', 'production': 'in_progress',
                  'pause': 'in_progress', 'resume': 'blocked',
                  'reopen': 'completed', 'activate': 'pending'}.get(
            route.path.split('/')[-1], 'ready')
        query = f"SELECT s.id FROM job_steps s JOIN jobs j ON j.id = " \
                f"s.job_id WHERE s.assigned_to <> '{user}' AND j.status IN " \
                f"('active', 'in_progress') AND s.status = '{status}'"
    other = shop.sql(f'{query} ORDER BY 1 LIMIT 1')
    assert other
    answer = ask(shop, route, samples.path(route.path, other),
                 token=people.tokens[role], body=samples.body(route.fields))
    assert answer.status in (403, 404), answer
    assert answer.json['error']


def test_two_roles_add_up(shop, people):
    """The empty role opens nothing until a second one is given."""
    token = people.tokens['bos']
    user = forge.claims(token)['user_id']
    assert shop.get('/api/jobs?limit=1', token=token).status == 403
    shop.sql(f"INSERT INTO user_roles (user_id, role_id) SELECT '{user}', id "
             "FROM roles WHERE code = 'operator'")
    for worker in shop.workers():
        assert worker.get('/api/jobs?limit=1', token=token).status == 200
    shop.sql(f"DELETE FROM user_roles WHERE user_id = '{user}' AND role_id = "
             "(SELECT id FROM roles WHERE code = 'operator')")


def test_each_route_has_access_words_that_mean_something():
    for route in ROUTES:
        for word in route.access_words:
            assert word in ('public', 'token', 'manager', 'loopback') \
                or word.count('.') == 1, label(route)
