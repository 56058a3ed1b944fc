"""Values that fit: real ids for paths, one good value for each field."""

import re

from session import Session

NIL = '00000000-0000-0000-0000-000000000000'

# Where the last word before an id, or a field's name, says whose it is.
IDS = {
    'job': 'SELECT id FROM jobs WHERE status = \'active\' ORDER BY id',
    'step': 'SELECT id FROM job_steps WHERE status = \'ready\' ORDER BY id',
    'customer': 'SELECT customer_id FROM customer_dealers ORDER BY id',
    'dealer': 'SELECT id FROM customer_dealers ORDER BY id',
    'machine': 'SELECT id FROM machines WHERE is_active ORDER BY id',
    'notification': 'SELECT n.id FROM notifications n JOIN users u '
                    'ON u.id = n.user_id AND u.username = \'admin\' '
                    'ORDER BY n.id',
    'process': 'SELECT id FROM processes WHERE is_active ORDER BY id',
    'group': 'SELECT id FROM process_groups ORDER BY id',
    'role': 'SELECT id FROM roles WHERE code NOT IN (\'yonetici\') '
            'ORDER BY id',
    'user': 'SELECT id FROM users WHERE is_active AND username NOT IN '
            '(\'admin\', \'akaya\', \'mbozkurt6\') ORDER BY id',
    'manager': "SELECT id FROM users WHERE username = 'admin'",
    'file': 'SELECT id FROM files ORDER BY id',
}
KINDS = {
    'jobs': 'job', 'steps': 'step', 'tasks': 'step', 'customers': 'customer',
    'dealers': 'dealer', 'machines': 'machine', 'processes': 'process',
    'notifications': 'notification', 'groups': 'group', 'roles': 'role',
    'role': 'role', 'primary': 'role', 'users': 'user', 'user': 'user',
    'assigned_to': 'user', 'avatar_file_id': 'file', 'process_ids': 'process',
    'role_ids': 'role', 'primary_role_id': 'role', 'group_id': 'group',
    'permissions': 'role', 'process_permissions': 'process',
}
WORDS = {'username': 'yenikisi', 'email': 'yeni@ornek.example',
         'password': 'uzun-parola-9', 'current_password': 'yanlis-parola',
         'new_password': 'uzun-parola-9', 'resource': 'jobs',
         'action': 'view', 'code': 'YENI-KOD', 'status': 'active',
         'role': 'operator', 'color': '#3B82F6', 'is_read': 'true',
         'priority': 'high'}


class Samples:
    def __init__(self, cluster, database):
        session = Session(lambda: cluster.url(database, 'postgres'))
        self.ids = {kind: session.ask(f'{query} LIMIT 1')
                    for kind, query in IDS.items()}
        session.close()

    def id_of(self, name):
        kind = KINDS.get(name) or re.sub('_ids?$', '', name)
        return self.ids[kind]

    def path(self, path, other=None):
        """With real ids, or with `other` for each."""
        words = path.split('/')
        for place, word in enumerate(words):
            if word.startswith('{'):
                words[place] = other or self.id_of(words[place - 1])
        return '/'.join(words)

    def value(self, field):
        """As it stands in JSON."""
        kind = field.type
        if field.choices:
            return field.choices[0]
        if kind == 'UUID':
            return self.id_of(field.name)
        if kind == 'UUIDS':
            return [self.id_of(field.name)]
        if kind == 'OBJECTS':
            return [self.body(field.members)]
        if kind == 'OBJECT':
            return {}
        if kind in ('INTEGER', 'NUMBER'):
            return max(field.min, min(3, field.max or 3))
        if kind in ('BOOLEAN', 'FLAG'):
            return True
        if kind in ('DATE', 'TIMESTAMP'):
            return '2026-10-05'
        if kind == 'TIME':
            return '14:30'
        return WORDS.get(field.name, 'a')

    def text(self, field):
        """As it stands in a query."""
        value = self.value(field)
        if isinstance(value, bool):
            return 'true' if value else 'false'
        return ','.join(value) if isinstance(value, list) else str(value)

    def body(self, fields):
        return {f.name: self.value(f) for f in fields
                if f.source in ('BODY', None)}
