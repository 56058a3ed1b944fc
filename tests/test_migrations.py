"""sql/migration: empty databases and old ones become the same, losing nothing.
"""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from process import ROOT, Trouble
from shop import migrate

pytestmark = pytest.mark.once

KINDS = {
    'old': (),
    'old without rights': ('-v', 'permissions=none'),
    'old with deletion': ('-v', 'deleted_at=timestamptz'),
    'old with naive deletion': ('-v', 'deleted_at=timestamp'),
}
TABLES = '''users roles user_roles role_permissions role_process_permissions
    customers customer_dealers process_groups processes machines
    machine_processes jobs job_steps job_step_notes notifications audit_logs
    files'''.split()


class Database:
    """One of a kind, looked at before and after its migration."""

    def __init__(self, postgres, name, kind, spoil=None):
        self.postgres = postgres
        self.name = postgres.create_database(name)
        if kind:
            old = (ROOT / 'tests/sql/old-database.sql').read_text()
            postgres.psql(name, *KINDS[kind], '-f', '-', input=old)
        if spoil:
            postgres.psql(name, '-c', spoil)
        self.connection = None
        self.before = self.rows()
        self.migrate()

    def migrate(self):
        """Who asks afterwards is new as well."""
        self.connection = None
        migrate(self.postgres, self.name)

    def ask(self, query):
        if self.connection is None:
            self.connection = psycopg2.connect(
                self.postgres.url(self.name, 'postgres'))
            self.connection.autocommit = True
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def rows(self):
        """Every row of every table as {table: [row]}."""
        found = {}
        for table in TABLES + ['hr_employees', 'hr_open_steps']:
            if self.ask(f"SELECT to_regclass('{table}')") != [(None,)]:
                found[table] = [row for row, in self.ask(
                    f'SELECT to_jsonb(t) FROM public.{table} t '
                    'ORDER BY to_jsonb(t)::text')]
        return found

    def structure(self):
        return [set(self.ask(q)) for q in
                (COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS)]


@pytest.fixture(scope='module')
def made(postgres):
    """made(kind): a migrated database, shared by those who only look."""
    found = {}

    def make(kind=None):
        if kind not in found:
            found[kind] = Database(postgres, f'migrated{len(found)}', kind)
        return found[kind]

    yield make
    for database in found.values():
        postgres.drop_database(database.name)


COLUMNS = '''SELECT attrelid::regclass::text, attname,
        format_type(atttypid, atttypmod), attnotnull, attgenerated,
        pg_get_expr(adbin, adrelid)
   FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum)
        = (attrelid, attnum)
  WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (
        SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace IN
        ('public'::regnamespace, to_regnamespace('reklam')))'''
CONSTRAINTS = '''SELECT conrelid::regclass::text, conname,
        pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
        AND connamespace = 'public'::regnamespace'''
INDEXES = '''SELECT tablename, indexname, indexdef FROM pg_indexes
  WHERE schemaname IN ('public', 'reklam')'''
# That of updated_at names all columns, in the order in which they came.
TRIGGERS = '''SELECT tgrelid::regclass::text, tgname,
        regexp_replace(pg_get_triggerdef(oid), 'WHEN .* EXECUTE', 'EXECUTE')
   FROM pg_trigger WHERE NOT tgisinternal'''


def test_it_tells_what_it_does(postgres):
    def told(*words):
        return migrate(postgres, 'told', *words).splitlines()
    postgres.create_database('told')
    files = [str(f.relative_to(ROOT / 'sql'))
             for kind in ('migration', 'function')
             for f in sorted((ROOT / 'sql' / kind).glob('*.sql'))]
    files += ['texts', 'indexes.sql']
    assert told('--dry-run') == [f'would apply {f}' for f in files]
    assert [line.split()[1] for line in told() if line.startswith('applied')]\
        == files
    assert told() == told('--dry-run') == ['the database is up to date']
    # What an older version applied in other words is applied anew.
    postgres.psql('told', '-c', '''UPDATE reklam.migrations SET checksum = '1'
        WHERE name IN ('texts', 'indexes.sql', 'function/010-body.sql')''')
    assert [line.split()[2] for line in told('--dry-run')] \
        == [f for f in files if not f.startswith('migration')]
    postgres.drop_database('told')


def test_two_at_once_take_turns(postgres):
    postgres.create_database('turns')
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: migrate(postgres, 'turns'), range(3)))
    assert sorted(text.count('applied indexes.sql') for text in said) \
        == [0, 0, 1]
    postgres.drop_database('turns')


def test_an_empty_database_stays_empty(made):
    fresh = made()
    assert fresh.rows() == {table: [] for table in TABLES}
    assert {table for table, in fresh.ask(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")} \
        == set(TABLES)
    for table in 'merged', 'service_tokens', 'job_numbers':
        assert fresh.ask(f'SELECT count(*) FROM reklam.{table}') == [(0,)]


@pytest.mark.parametrize('kind', [None, 'old', 'old with deletion'])
def test_a_second_time_changes_nothing(made, kind):
    def look():
        # By their oids: nobody had to wait for a trigger to be made again.
        return (database.structure(), database.rows(),
                database.ask('SELECT * FROM reklam.merged'),
                database.ask('SELECT oid FROM pg_trigger WHERE NOT '
                             'tgisinternal ORDER BY oid'))
    database = made(kind)
    before = look()
    database.migrate()
    assert look() == before


@pytest.mark.parametrize('kind', KINDS)
def test_an_old_database_becomes_as_a_new_one(made, kind):
    def plain(columns):
        # Old ids may come from another generator, and an old deletion may be
        # a naive time.  What is not ours stays as it is.
        for table, name, type, null, generated, default in columns:
            if name == 'id' and default:
                default = 'an id'
            if name == 'deleted_at':
                type = type.replace('without', 'with')
            if table not in THEIRS and (table, name) not in THEIRS:
                yield table, name, type, null, generated, default
    THEIRS = 'hr_employees', 'hr_open_steps', ('roles', 'permissions')
    fresh, old = made(), made(kind)
    columns, constraints, indexes, triggers = fresh.structure()
    found = old.structure()
    assert set(plain(columns)) == set(plain(found[0]))
    assert {c for c in found[1] if c[0] not in THEIRS} == constraints
    # Of the old indexes those stay that no new one replaces.
    assert {name for _, name, _ in found[2] - indexes} \
        == {'idx_job_steps_status', 'idx_job_steps_due_date',
            'idx_job_steps_has_production', 'hr_employees_pkey'}
    assert indexes <= found[2]
    assert found[3] == triggers


@pytest.mark.parametrize('kind', KINDS)
def test_no_row_of_an_old_database_is_lost(made, kind):
    def same(row, found):
        return all(found[column] == value for column, value in row.items())
    old = made(kind)
    after = old.rows()
    merged = old.ask('SELECT table_name, kept, dropped FROM reklam.merged')
    for table, rows in old.before.items():
        assert rows, f'the fixture has nothing in {table}'
        remembered = [row for name, kept, dropped in merged if name == table
                      for row in (kept, dropped)]
        # Whatever is not there as it was is remembered as it was.
        for row in rows:
            assert any(same(row, found) for found in after[table]) \
                or any(same(row, found) for found in remembered), row
        gone = sum(name == table == 'role_permissions'
                   for name, *_ in merged)
        assert len(after[table]) == len(rows) - gone


def test_double_rights_become_one_that_allows_what_any_did(made):
    old = made('old')
    assert old.ask('''
        SELECT can_view, can_create, can_update, can_delete
          FROM role_permissions p JOIN roles r ON r.id = role_id
         WHERE code = 'operator' AND resource = 'jobs' ''') \
        == [(True, True, True, None)]
    assert old.ask('''
        SELECT migration, kept ->> 'id' = md5('right2')::uuid::text,
               dropped ->> 'id' = md5('right3')::uuid::text,
               dropped -> 'can_update', at <= now()
          FROM reklam.merged WHERE table_name = 'role_permissions'
         ORDER BY dropped ->> 'created_at' ''') \
        == [('002-merge', True, True, True, True),
            ('002-merge', True, False, False, True)]


def test_of_two_primary_roles_the_known_or_latest_stays(made):
    old = made('old')
    assert old.ask('''
        SELECT username, array_agg(code ORDER BY code)
                   FILTER (WHERE is_primary), count(*)
          FROM user_roles a JOIN users u ON u.id = user_id
          JOIN roles r ON r.id = role_id
         GROUP BY username ORDER BY username''') \
        == [('admin', ['yonetici'], 1), ('akaya', ['operator'], 1),
            ('both', ['tasarimci'], 2), ('gone', None, 1),
            ('moved', ['depocu'], 3)]
    assert old.ask('''
        SELECT count(*), bool_and((dropped -> 'is_primary')::boolean)
          FROM reklam.merged WHERE table_name = 'user_roles' ''') \
        == [(3, True)]


def test_a_process_gets_the_folder_of_its_code(made):
    assert made('old').ask('SELECT folder_name FROM processes ORDER BY 1') \
        == [('BASKI',), ('KESIM',), ('kesim-2',)]


def test_other_modules_are_left_alone(made):
    """The table of another server fails whoever looks into it."""
    theirs = ("('hr_employees'::regclass, 'invoices'::regclass,"
              " 'hr_open_steps'::regclass)")
    for kind in KINDS:
        old = made(kind)
        assert old.ask(f'''
            SELECT (SELECT count(*) FROM pg_trigger
                     WHERE tgrelid IN {theirs} AND NOT tgisinternal),
                   (SELECT count(*) FROM pg_constraint
                     WHERE conrelid IN {theirs}),
                   (SELECT count(*) FROM hr_open_steps)''') == [(0, 2, 4)]


def test_what_old_rows_contradict_holds_for_new_ones(postgres):
    old = Database(postgres, 'contradicted', 'old', '''
        ALTER TABLE jobs DROP CONSTRAINT jobs_priority_check;
        ALTER TABLE job_steps DROP CONSTRAINT job_steps_machine_id_fkey;
        UPDATE jobs SET priority = 'asap' WHERE job_number LIKE 'JOB%';
        UPDATE job_steps SET machine_id = gen_random_uuid()
         WHERE status = 'pending' ''')
    assert old.ask('SELECT conname FROM pg_constraint WHERE NOT convalidated'
                   ' ORDER BY 1') \
        == [('job_steps_machine_id_fkey',), ('jobs_priority_check',)]
    for refused in ("UPDATE jobs SET priority = 'soon'",
                    'UPDATE job_steps SET machine_id = gen_random_uuid()'):
        with pytest.raises(Trouble):
            postgres.psql(old.name, '-c', refused)
    postgres.drop_database(old.name)


LEGAL = [
    "UPDATE users SET role = NULL",
    "UPDATE users SET role = 'hr_manager'",
    "UPDATE job_steps SET status = 'on_hold'",
    *(f"UPDATE notifications SET type = '{t}'" for t in
      'info success warning error task_assigned task_ready task_started'
      ' task_completed job_activated job_held job_resumed job_canceled'
      ' revision_created'.split()),
    # a deleted row gives its code back
    '''UPDATE processes SET deleted_at = now();
       INSERT INTO processes (name, code, folder_name)
       VALUES ('Again', 'KESIM', 'KESIM')''',
    '''INSERT INTO machines (name, code) VALUES ('Again', 'CNC-A')''',
    'DELETE FROM files',
]
ILLEGAL = {
    "UPDATE job_steps SET status = 'lost'": 'job_steps_status_check',
    "UPDATE notifications SET type = 'spam'": 'notifications_type_check',
    "UPDATE jobs SET status = 'lost'": 'jobs_status_check',
    "UPDATE jobs SET priority = 'soon'": 'jobs_priority_check',
    "UPDATE machines SET status = 'lost'": 'machines_status_check',
    "UPDATE jobs SET job_number = '1'": 'jobs_job_number_key',
    "UPDATE users SET username = '1'": 'users_username_key',
    "UPDATE users SET email = '1'": 'users_email_key',
    "UPDATE roles SET code = '1'": 'roles_code_key',
    "UPDATE processes SET code = '1'": 'idx_processes_code_unique_active',
    "UPDATE processes SET folder_name = 'A', group_id = NULL":
        'idx_processes_no_group_folder_unique',
    '''UPDATE processes SET folder_name = 'A',
        group_id = (SELECT id FROM process_groups)''':
        'idx_processes_group_folder_unique',
    "UPDATE machines SET code = '1', is_active = true":
        'idx_machines_code_unique_active',
    '''INSERT INTO process_groups (name) VALUES ('a'), ('A')''':
        'idx_process_groups_name',
    '''INSERT INTO role_permissions (role_id, resource)
       SELECT role_id, resource FROM role_permissions''':
        'role_permissions_role_id_resource_key',
    'UPDATE user_roles SET is_primary = true': 'user_roles_one_primary',
    '''INSERT INTO machine_processes (machine_id, process_id)
       SELECT machine_id, process_id FROM machine_processes''':
        'machine_processes_machine_id_process_id_key',
    'UPDATE jobs SET customer_id = gen_random_uuid()':
        'jobs_customer_id_fkey',
}


def test_constraints(postgres, made):
    connection = psycopg2.connect(postgres.url(made('old').name))
    for legal in LEGAL:
        connection.cursor().execute(legal)
        connection.rollback()
    for illegal, name in ILLEGAL.items():
        with pytest.raises(psycopg2.IntegrityError) as found:
            connection.cursor().execute(illegal)
        assert found.value.diag.constraint_name == name, illegal
        connection.rollback()
    connection.close()
