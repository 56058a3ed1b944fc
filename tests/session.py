"""
A connection with a database that is kept.  psql is started anew for each
statement, and a process of the server with it: that takes ten times as long as
what most statements do.
"""

from process import Trouble

try:
    import psycopg2
    from psycopg2.extensions import new_type, register_type, string_types
except ImportError:         # a demo does without
    psycopg2 = None


class Session:
    """`url` is a function: where it leads may change."""

    def __init__(self, url):
        self.url, self.connection = url, None

    def connect(self):
        try:
            self.connection = psycopg2.connect(self.url())
        except psycopg2.OperationalError as e:
            raise Trouble(f'no session: {e}') from None
        self.connection.autocommit = True
        register_type(new_type(tuple(string_types), 'TEXT',
                               lambda text, cursor: text), self.connection)

    def ask(self, text):
        """What psql would print without ornament, of the last statement; once
        more where the server had ended the connection."""
        for last in (False, True):
            if self.connection is None:
                self.connect()
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute(text)
                    rows = cursor.fetchall() if cursor.description else []
                    cursor.execute('DISCARD ALL')
                break
            except psycopg2.Error as e:
                lost = self.connection.closed
                if lost:
                    self.connection = None
                if last or not lost:
                    raise Trouble(f'{text}\n{e}') from None
        return '\n'.join('|'.join(v or '' for v in row)
                         for row in rows).strip()

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
