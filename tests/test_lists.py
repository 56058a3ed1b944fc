"""
Lists: what a filter finds, in which order, is what plain SQL or plain Python
finds in the demo shop; pages make up the whole; a table for spreadsheets has
the rows of its list.
"""

import csv
import io
import itertools
import json
import re
from urllib.parse import urlencode

import pytest

from routes import label, routes

pytestmark = pytest.mark.once

TODAY = '2026-11-23'
PAGE = 50
SOME = 2000         # as many as an answer has in good time

# Names that a pattern, a table or a spreadsheet could take for more.
ODD = ['Yüzde %100 tabela', 'Alt_çizgi', 'Ters\\bölü', 'a "söz", b',
       'İki\nsatır', 'Satır\r\nsonu', "'tırnak", '=1+1', '+90 212', '-eksi',
       '@SUM(A1)', '\tsekme', '\rbaş', ' =boşluk', '"=1+1"', 'IŞIL İĞNE',
       'ışıl iğne']


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope='module')
def shop(make_shops):
    shop = make_shops(today=TODAY, DB_STATEMENT_MS=20000)
    for n, name in enumerate(ODD):
        text = quoted(name)
        shop.sql(f"""
            INSERT INTO customers (name, code, email, phone, city, notes,
                is_active)
            VALUES ({text}, 'T%_{n}', 'posta_{n}@örnek.example',
                '+90 (312) 55_{n}', {text}, {text}, {n % 5 > 0});
            INSERT INTO jobs (job_number, title, description, customer_id,
                status, due_date, created_by)
            SELECT 'T_%-{n}', {text}, {text}, c.id, 'active', '2026-11-22',
                   (SELECT id FROM users WHERE username = 'admin')
              FROM customers c WHERE c.code = 'T%_{n}';""")
    return shop


def rows(shop, query):
    return json.loads(shop.sql(
        f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) found"))


def ids(shop, query):
    return [row['id'] for row in rows(shop, query)]


def page(shop, path, query, who='manager', token=None):
    """Items and the length of the whole list, where it is told."""
    if token:
        who = None
    answer = shop.get(f'{path}?{urlencode(query)}', who, token=token)
    assert answer.status == 200, (path, query, answer)
    total = answer.headers.get('x-total-count')
    return answer.json['data'], total and int(total)


def check(shop, path, query, wanted, **who):
    """The beginning, the middle and the end of a list, and its length."""
    for offset in sorted({0, len(wanted) // 2, max(0, len(wanted) - PAGE)}):
        items, total = page(shop, path, {**query, 'limit': PAGE,
                                         'offset': offset}, **who)
        assert [i['id'] for i in items] == wanted[offset:offset + PAGE], query
        assert total == len(wanted), query


def fold(text):
    """Without the case of its letters, Turkish ones too."""
    return re.sub('[Iİı]', 'i', text or '').replace('\u0307', '').lower()


def raised(text):
    return text.replace('i', 'İ').replace('ı', 'I').upper()


def lowered(text):
    return text.replace('I', 'ı').replace('İ', 'i').lower()


# --- jobs ---

ORDERS = {
    None: 'j.created_at DESC, j.id DESC',
    'created_at': 'j.created_at, j.id',
    '-created_at': 'j.created_at DESC, j.id DESC',
    'due_date': 'j.due_date NULLS LAST, j.id',
    '-due_date': 'j.due_date DESC NULLS LAST, j.id DESC',
    'job_number': 'j.job_number',
    '-job_number': 'j.job_number DESC',
    'priority': "array_position('{low,normal,high,urgent}', "
                'j.priority::text), j.created_at DESC, j.id DESC',
    '-priority': "array_position('{low,normal,high,urgent}', "
                 'j.priority::text) DESC, j.created_at DESC, j.id DESC',
}
STEP = 'EXISTS (SELECT FROM job_steps s WHERE s.job_id = j.id AND {})'
FILTERS = [
    ('overdue', 'true', "j.due_date < DATE '2026-11-23' AND j.status "
                        "NOT IN ('completed', 'canceled')"),
    ('overdue', 'false', 'true'),
    ('assigned_to', '{user}', STEP.format("s.assigned_to = '{user}'")),
    ('machine_id', '{machine}', STEP.format("s.machine_id = '{machine}'")),
    ('due_from', '2026-11-23', "j.due_date >= DATE '2026-11-23'"),
    ('due_to', '2026-11-23', "j.due_date <= DATE '2026-11-23'"),
    ('status', 'active', "j.status = 'active'"),
    ('status', 'draft, on_hold', "j.status IN ('draft', 'on_hold')"),
    ('priority', 'urgent', "j.priority = 'urgent'"),
    ('customer_id', '{customer}', "j.customer_id = '{customer}'"),
    ('date_from', '2026-10-01', "j.created_at >= DATE '2026-10-01'"),
    ('date_to', '2026-10-01', "j.created_at < DATE '2026-10-02'"),
    ('search', 'tabela', None),
    ('q', 'TLP-2026-00', None),
]


@pytest.fixture(scope='module')
def known(shop):
    """Somebody, a machine and a customer that are in many jobs."""
    return {name: shop.sql(f'SELECT {column} FROM {table} '
                           f'WHERE {column} IS NOT NULL GROUP BY 1 '
                           'ORDER BY count(*) DESC, 1 LIMIT 1')
            for name, column, table in (
                ('user', 'assigned_to', 'job_steps'),
                ('machine', 'machine_id', 'job_steps'),
                ('customer', 'customer_id', 'jobs'))}


@pytest.fixture(scope='module')
def jobs(shop):
    """What can be searched in, by id."""
    return {row['id']: [fold(row[n]) for n in ('title', 'number', 'name')]
            for row in rows(shop, """
                SELECT j.id, j.title, j.job_number AS number, c.name
                  FROM jobs j LEFT JOIN customers c ON c.id = j.customer_id
                """)}


@pytest.fixture(scope='module')
def find_jobs(shop, known, jobs):
    """find_jobs([filter, …], sort): the query that asks, what it finds."""
    def filled(text):
        for name, id in known.items():
            text = text.replace('{%s}' % name, id)
        return text

    def find(filters, sort=None):
        query = {name: filled(value) for name, value, _ in filters}
        conditions = [filled(c) for _, _, c in filters if c] or ['true']
        found = ids(shop, 'SELECT j.id FROM jobs j WHERE '
                    + ' AND '.join(conditions) + f' ORDER BY {ORDERS[sort]}')
        for name in {'search', 'q'} & set(query):
            found = [i for i in found
                     if any(fold(query[name]) in t for t in jobs[i])]
        if sort:
            query['sort'] = sort
        return query, found
    return find


def titled(filters):
    return ' '.join(f'{name}={value}' for name, value, _ in filters)


@pytest.mark.parametrize('one', FILTERS, ids=lambda f: titled([f]))
def test_a_filter_of_jobs_finds_what_sql_finds(shop, find_jobs, one):
    query, found = find_jobs([one])
    assert 0 < len(found) < 10000 or one[2] == 'true'
    check(shop, '/api/jobs', query, found)


def test_the_orders_of_jobs_are_these(shop):
    sort, = (f for r in routes() if label(r) == 'GET /api/jobs'
             for f in r.fields if f.name == 'sort')
    assert set(sort.choices) == set(ORDERS) - {None}
    assert shop.get('/api/jobs?sort=title', 'manager').status == 400


@pytest.mark.parametrize('sort', ORDERS)
def test_jobs_are_in_the_order_asked_for(shop, find_jobs, sort):
    check(shop, '/api/jobs', *find_jobs([], sort))
    check(shop, '/api/jobs', *find_jobs([FILTERS[6]], sort))


def test_two_filters_of_jobs_find_what_both_find(shop, find_jobs):
    orders = itertools.cycle(ORDERS)
    for both in itertools.combinations(FILTERS, 2):
        if both[0][0] != both[1][0] and \
                {'search', 'q'} - {name for name, _, _ in both}:
            query, found = find_jobs(both, next(orders))
            items, total = page(shop, '/api/jobs', {**query, 'limit': PAGE})
            assert [i['id'] for i in items] == found[:PAGE], query
            assert total == len(found), query


def test_many_filters_of_jobs_find_what_all_find(shop, find_jobs):
    for some in (FILTERS[2:5] + FILTERS[6:7], FILTERS[0:1] + FILTERS[5:7]
                 + FILTERS[12:13], FILTERS[2:4] + FILTERS[12:13]):
        check(shop, '/api/jobs', *find_jobs(some, '-due_date'))


@pytest.mark.parametrize('part', ['%', '_', '\\', '%1', 'T_%-', 't_ç', '"',
                                  'ışıl', 'IŞIL', 'işil', 'İĞNE', 'ığne'])
def test_of_a_search_every_sign_is_a_letter(shop, find_jobs, part):
    query, found = find_jobs([('search', part, None)])
    assert found
    check(shop, '/api/jobs', query, found)


def test_pages_of_jobs_have_numbers_too(shop, find_jobs):
    query, found = find_jobs([FILTERS[6]])
    for number in (1, 2, 3):
        answer = shop.get('/api/jobs?' + urlencode({
            **query, 'page': number, 'per_page': 7}), 'manager')
        assert [i['id'] for i in answer.json['data']] == \
            found[7 * number - 7:7 * number]
        assert answer.json['meta'] == {
            'total': len(found), 'page': number, 'per_page': 7,
            'total_pages': -(-len(found) // 7)}


# --- customers ---

SEARCHED = ('name', 'code', 'email', 'phone')


@pytest.fixture(scope='module')
def find_customers(shop):
    known = rows(shop, 'SELECT id, name, code, email, phone, city, is_active '
                       'FROM customers ORDER BY name, id')

    def find(query):
        active = query.get('is_active', 'true') == 'true'
        return [c['id'] for c in known if c['is_active'] is active and
                fold(query.get('city', c['city'])) == fold(c['city']) and
                any(fold(query.get('search', '')) in fold(c[field])
                    for field in SEARCHED)]
    return find


@pytest.mark.parametrize('query', [
    {}, {'is_active': 'true'}, {'is_active': 'false'}, {'city': 'İzmir'},
    {'city': 'ızmır'}, {'city': 'IZMIR'}, {'city': 'İSTANBUL'},
    {'city': 'istanbul', 'is_active': 'false'}, {'city': 'zmir'},
    {'city': 'Muğla', 'search': 'yıldız'}, {'city': 'ŞANLIURFA'},
    {'search': 'market', 'city': 'ankara', 'is_active': 'true'}],
    ids=urlencode)
def test_a_filter_of_customers_finds_what_python_finds(shop, find_customers,
                                                       query):
    found = find_customers(query)
    assert bool(found) == (query.get('city') != 'zmir')  # not a part of it
    check(shop, '/api/customers', query, found)


@pytest.mark.parametrize('field', SEARCHED)
def test_a_customer_is_found_by_a_part_of_each(shop, find_customers, field):
    for row in rows(shop, f"""SELECT id, {field} AS text FROM customers
                               WHERE is_active AND length({field}) > 6
                               ORDER BY md5(id::text) LIMIT 8"""):
        for part in (row['text'], row['text'][1:-1], row['text'][-4:],
                     raised(row['text'][2:]), lowered(row['text'][2:])):
            if not part.strip() or part != part.strip():
                continue
            query = {'search': part}
            found = find_customers(query)
            assert row['id'] in found
            check(shop, '/api/customers', query, found)


@pytest.mark.parametrize('part', ['%', '_', '\\', '%100', 'T_ç', 't%_1',
                                  '(312) 55_', 'posta_1', 'ÖRNEK', '"söz"',
                                  'ışıl', 'IŞIL', 'işil', 'İĞNE', 'ığne',
                                  'İSTANBUL', 'çağrı', 'ÇAĞRI', 'x' * 200])
def test_of_a_customer_s_search_every_sign_is_a_letter(shop, find_customers,
                                                       part):
    query = {'search': part}
    check(shop, '/api/customers', query, find_customers(query))
    query['is_active'] = 'false'
    check(shop, '/api/customers', query, find_customers(query))


# --- tasks ---

@pytest.fixture(scope='module')
def blind(shop):
    """Id and token of somebody with tasks who may not see jobs."""
    made = shop.post('/api/roles', {'name': 'Kör', 'code': 'kor',
                                    'permissions': {}}, 'manager')
    user, name = shop.sql("""
        SELECT u.id, u.username FROM users u
          JOIN job_steps s ON s.assigned_to = u.id
         WHERE u.is_active AND u.role = 'operator' AND u.username <> 'akaya'
         GROUP BY u.id ORDER BY count(*) DESC, u.id LIMIT 1""").split('|')
    given = shop.post(f'/api/user-roles/user/{user}', {
        'role_ids': [made.json['data']['id']]}, 'manager')
    assert given.status == 200, given
    return user, shop.post('/api/auth/login', {
        'username': name, 'password': '123456'}).json['token']


def find_tasks(shop, me, query, sees):
    statuses = query.get('status', 'in_progress,ready,completed')
    named = [f"s.{name} = '{query[name]}'" for name in
             ('assigned_to', 'machine_id', 'job_id')
             if sees and name in query] or [f"s.assigned_to = '{me}'"]
    return ids(shop, f"""
        SELECT s.id FROM job_steps s JOIN jobs j ON j.id = s.job_id
         WHERE {' AND '.join(named)} AND s.status = ANY (
               string_to_array('{statuses.replace(' ', '')}', ','))
         ORDER BY array_position('{{in_progress,ready,completed}}',
               s.status::text), j.due_date, s.order_index, s.id""")


STATUSES = [None, 'ready', 'blocked,on_hold', 'pending',
            'in_progress, completed', 'nothing']


def asked_of_tasks(shop, status):
    """Every set of the three, of a step that has them all."""
    step, = rows(shop, """
        SELECT assigned_to, machine_id, job_id FROM job_steps
         WHERE status = 'ready' AND assigned_to IS NOT NULL
           AND machine_id IS NOT NULL ORDER BY id LIMIT 1""")
    for count in range(4):
        for names in itertools.combinations(step, count):
            query = {name: step[name] for name in names}
            yield {**query, 'status': status} if status else query


@pytest.mark.parametrize('who', ['manager', 'operator', 'sales'])
@pytest.mark.parametrize('status', STATUSES)
def test_a_filter_of_tasks_finds_what_sql_finds(shop, who, status):
    me = shop.get('/api/auth/me', who).json['user']['id']
    found = 0
    for query in asked_of_tasks(shop, status):
        wanted = find_tasks(shop, me, query, True)
        check(shop, '/api/tasks', query, wanted, who=who)
        found += len(wanted)
    assert bool(found) == (status != 'nothing')


@pytest.mark.parametrize('status', STATUSES)
def test_who_sees_no_jobs_gets_his_own_tasks_whatever_he_asks(shop, blind,
                                                              status):
    me, token = blind
    assert shop.get('/api/jobs', token=token).status == 403
    for query in asked_of_tasks(shop, status):
        wanted = find_tasks(shop, me, query, False)
        check(shop, '/api/tasks', query, wanted, token=token)


# --- pages of every list ---

PAGED = [r for r in routes() if r.method == 'GET' and
         {'limit', 'offset'} <= {f.name for f in r.fields}]
BUSIEST = {
    '/api/customers/{id}/dealers': ('customer_id', 'customer_dealers'),
    '/api/jobs/{id}/revisions': ('entity_id', 'audit_logs WHERE '
                                 "action = 'revision_created'"),
    '/api/jobs/{id}/timeline': ('job_id', 'job_steps'),
    '/api/jobs/steps/{id}/notes': ('job_step_id', 'job_step_notes'),
    '/api/user-roles/user/{id}': ('user_id', 'user_roles'),
}


def real(shop, path):
    """The path with the id of whom has most of it."""
    if '{' not in path:
        return path
    column, table = BUSIEST[path]
    return path.replace('{id}', shop.sql(
        f'SELECT {column} FROM {table} GROUP BY 1 '
        'ORDER BY count(*) DESC, 1 LIMIT 1'))


# The newest of what there is: how much that is takes a while to count.
UNCOUNTED = {'/api/dashboard/recent-jobs': 'jobs',
             '/api/dashboard/activity': 'audit_logs'}


@pytest.mark.parametrize('route', PAGED, ids=label)
def test_pages_make_up_the_whole_list(shop, route):
    path = real(shop, route.path)
    who = 'operator' if path.startswith('/api/tasks') else 'manager'
    first, total = page(shop, path, {'limit': SOME}, who)
    told = total
    if path in UNCOUNTED:
        assert told is None
        total = int(shop.sql(f'SELECT count(*) FROM {UNCOUNTED[path]}'))
    assert total > 1
    assert len(first) == min(total, SOME)
    size, whole = max(1, min(SOME - 1, total // 3)), []
    for offset in range(0, total, size):
        items, said = page(shop, path, {'limit': size, 'offset': offset}, who)
        assert said == told
        assert len(items) == min(size, total - offset)
        whole += items
    assert whole[:len(first)] == first
    assert len({json.dumps(i, sort_keys=True) for i in whole}) == total
    for query in ({'limit': 0}, {'limit': 5, 'offset': total},
                  {'limit': 5, 'offset': 2 ** 31 - 1}):
        assert page(shop, path, query, who) == ([], told), query


@pytest.mark.parametrize('route', PAGED, ids=label)
def test_a_page_that_is_none_is_refused(shop, route):
    path = real(shop, route.path)
    for field in route.fields:
        if field.name in ('limit', 'offset') and \
                'LENIENT' not in field.flags:
            for wrong in ('-1', 'x', '1.5', str(field.max + 1)):
                answer = shop.get(f'{path}?{field.name}={wrong}', 'manager')
                assert answer.status == 400, (field.name, wrong, answer)
                assert answer.json['field'] == field.name


def test_every_list_with_an_id_is_looked_at_where_it_is_long():
    assert set(BUSIEST) == {r.path for r in PAGED if '{' in r.path}


# --- tables for spreadsheets ---

def table(answer):
    """Rows, by the names in the first."""
    assert answer.status == 200, answer
    assert answer.headers['content-type'] == 'text/csv; charset=utf-8'
    assert answer.body.startswith(b'\xef\xbb\xbf')
    text = answer.body[3:].decode()
    assert '\ufeff' not in text
    found = list(csv.reader(io.StringIO(text, newline=''), strict=True))
    # Each row ends with CRLF, and there is no other end but in quotes.
    ends = re.sub('"(?:[^"]|"")*"', '', text)
    assert ends.endswith('\r\n')
    assert ends.count('\r\n') == ends.count('\n') == ends.count('\r') == \
        len(found)
    head = found.pop(0)
    assert {len(row) for row in found} <= {len(head)}
    assert not [cell for row in found for cell in row
                if re.match('[-=+@\t\r]', cell)]
    assert int(answer.headers['x-total-count']) == len(found)
    return [dict(zip(head, row)) for row in found]


def cell(value):
    """As it stands in a table."""
    if value is None:
        return ''
    text = str(value)
    return "'" + text if re.match('[-=+@\t\r]', text) else text


def job_row(job):
    return {'job_number': job['job_number'], 'title': job['title'],
            'status': job['status'], 'priority': job['priority'],
            'customer': job['customer_name'], 'dealer': job['dealer_name'],
            'due_date': job['due_date'],
            'created_at': job['created_at'][:19].replace('T', ' '),
            'created_by': job['created_by_name'],
            'revision_no': job['revision_no'] or 1,
            'total_steps': job['total_steps'],
            'completed_steps': job['completed_steps'],
            'progress': job['progress'], 'description': job['description']}


def customer_row(customer):
    names = ('code name short_code contact_person phone phone_secondary gsm '
             'email address city postal_code tax_office tax_number')
    return {**{n: customer[n] for n in names.split()},
            'is_active': 't' if customer['is_active'] else 'f',
            'notes': customer['notes']}


def compare(shop, list_path, table_path, query, row):
    items, total = page(shop, list_path, {**query, 'limit': 10000})
    wanted = [{k: cell(v) for k, v in row(item).items()} for item in items]
    assert len(wanted) == total
    found = table(shop.get(f'{table_path}?{urlencode(query)}', 'manager'))
    assert found == wanted
    assert not found or list(found[0]) == list(wanted[0])
    return found


@pytest.mark.parametrize('some', [
    *([f] for f in FILTERS if f[2] != 'true' and 'date_' not in f[0]
      and 'due_' not in f[0]),
    FILTERS[0:1] + FILTERS[6:7], FILTERS[2:4] + FILTERS[4:5],
    [('search', 'T_%-', None)], [('search', 'there is none', None)]],
    ids=titled)
def test_the_table_of_jobs_has_the_rows_of_the_list(shop, find_jobs, some):
    query, found = find_jobs(some, '-due_date')
    assert len(compare(shop, '/api/jobs', '/api/export/jobs.csv', query,
                       job_row)) == len(found)


@pytest.mark.parametrize('sort', ORDERS)
def test_the_table_of_jobs_has_the_order_of_the_list(shop, find_jobs, sort):
    query, _ = find_jobs([('search', 'T_%-', None)], sort)
    assert len(compare(shop, '/api/jobs', '/api/export/jobs.csv', query,
                       job_row)) == len(ODD)


@pytest.mark.parametrize('query', [
    {}, {'is_active': 'false'}, {'city': 'ankara'}, {'search': 'market'},
    {'search': 'T%_'}, {'search': 'T%_', 'is_active': 'false'},
    {'search': 'there is none'}], ids=urlencode)
def test_the_table_of_customers_has_the_rows_of_the_list(shop, query):
    compare(shop, '/api/customers', '/api/export/customers.csv', query,
            customer_row)


@pytest.mark.parametrize('name, queries', [
    ('jobs', [{'search': 'T_%-'}]),
    ('customers', [{'search': 'T%_', 'is_active': 'true'},
                   {'search': 'T%_', 'is_active': 'false'}])])
def test_what_looks_like_a_formula_is_text(shop, name, queries):
    found = [row for query in queries for row in table(shop.get(
        f'/api/export/{name}.csv?{urlencode(query)}', 'manager'))]
    names = [row['title' if name == 'jobs' else 'name'] for row in found]
    assert sorted(names) == sorted(map(cell, ODD))
    assert {"'=1+1", "'+90 212", "'-eksi", "'@SUM(A1)", "'\tsekme",
            "'\rbaş", '"=1+1"', "'tırnak"} < set(names)
