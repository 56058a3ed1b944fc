"""The tables of src/routes.c and src/fields.c, as Python sees them."""

import os
import re
import subprocess
from types import SimpleNamespace

from process import ROOT

ROUTE = ('method', 'path', 'access', 'statement', 'cache', 'ttl', 'body',
         'body_max', 'fields', 'not_found', 'flags', 'handler', 'help')
FIELD = ('name', 'source', 'type', 'flags', 'min', 'max', 'choices',
         'fallback', 'refusal', 'members')
TOKEN = re.compile(r'\s+|("(?:\\.|[^"\\])*")|([A-Za-z_]\w*)|'
                   r'([0-9][0-9A-Za-z]*)|(<<|>>|.)', re.S)


def source(file):
    """A C file with its macros replaced."""
    return subprocess.run(
        [os.environ.get('CC', 'cc'), '-E', '-P', '-D_GNU_SOURCE',
         '-I', ROOT / 'src', ROOT / 'src' / file],
        check=True, stdout=subprocess.PIPE, text=True).stdout


def tokens(text):
    found = (m for m in TOKEN.finditer(text) if m.group().strip())
    return [m.group() for m in found]


def expression(words):
    """A string, a number, or names joined by |."""
    if words and words[0].startswith('"'):
        return ''.join(bytes(w[1:-1], 'utf-8').decode('unicode_escape')
                       .encode('latin-1').decode() for w in words)
    text = ''.join(words)
    if 'void' in text:
        return None
    if re.fullmatch(r'[-+0-9a-fA-Fx<>*()UL]+', text):
        return eval(re.sub(r'[UL]+', '', text))
    return text


class Parser:
    """Initialisers: lists of rows, rows of values by place or by name."""

    def __init__(self, words):
        self.words, self.at = words, 0

    def next(self):
        self.at += 1
        return self.words[self.at - 1]

    def value(self):
        if self.words[self.at] == '{':
            return self.braces()
        found, depth = [], 0
        while depth or self.words[self.at] not in (',', '}'):
            word = self.next()
            depth += (word == '(') - (word == ')')
            found.append(word)
        return expression(found)

    def braces(self):
        """[(name or None, value)]"""
        found = []
        self.next()
        while self.words[self.at] != '}':
            name = None
            if self.words[self.at] == '.':
                name = self.words[self.at + 1]
                self.at += 3
            found.append((name, self.value()))
            if self.words[self.at] == ',':
                self.at += 1
        self.next()
        return found


def row(pairs, names):
    """Values by name; what C would count on from a named one, too."""
    found, place = dict.fromkeys(names), 0
    for name, value in pairs:
        place = names.index(name) if name else place
        found[names[place]] = value
        place += 1
    return SimpleNamespace(**found)


def arrays(file, struct, names):
    """Every array of that struct in a file, by name."""
    text = source(file)
    found = {}
    for m in re.finditer(rf'const struct {struct} (\w+)\[\] = ', text):
        pairs = Parser(tokens(text[m.end():])).braces()
        found[m.group(1)] = [row(p, names) for _, p in pairs]
    return found


def words(text):
    return set((text or '').split('|')) - {'', '0'}


def fields():
    """The tables of fields, by name; members are tables too."""
    found = arrays('fields.c', 'field', FIELD)
    for name, table in found.items():
        found[name] = [f for f in table if f.name]
    for table in found.values():
        for field in table:
            field.flags = words(str(field.flags or ''))
            field.members = found.get(field.members)
            field.choices = (field.choices or '').split()
            field.min, field.max = field.min or 0, field.max or 0
    return found


def routes():
    """The endpoints, each with its fields."""
    tables = fields()
    found = arrays('routes.c', 'route', ROUTE)['routes']
    for route in found:
        route.fields = tables[route.fields] if route.fields else []
        route.flags = words(str(route.flags or ''))
        route.access_words = route.access.split('|')
    return found


def label(route):
    return f'{route.method} {route.path}'
