#!/usr/bin/python3
"""
Replays recorded requests against a running server and compares its answers.

    replay.py --url http://127.0.0.1:8080 [--secret KEY] [--only MODULE]
              [--verbose] FILE ...

FILE is a recording, reads.jsonl or writes.jsonl.  The server has the data of
recorded/data.sql (a fresh copy for writes), its calendar begins at
2026-11-23 14:30, its default language is Turkish.  KEY is its JWT_SECRET_KEY:
without it the lines with forged tokens are left out.  MODULE is the first
word of the path after /api: lines of others are not reported (and not sent,
unless they are writes, on which later lines depend).

Intended differences are listed in differences/*.json, in the format of
differences/README.md.  Everything else is to be the same, but for

- white space, the order of keys, 7.0 or 7, zeros at the end of microseconds;
- ids that the recorded run made (random ones; the data's are not): each stands
  for one of ours, the same wherever it appears;
- times of the recorded run: one of ours for each, the same everywhere;
- "field" in a 400, which names the field that is to blame;
- the order of a list where the line is flagged order_of_ties_unspecified,
  values where it is flagged depends_on_server_state, tokens.
"""

import argparse
import copy
import json
import re
import sys
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import differ
import forge
from shop import PASSWORDS, Browser

HERE = Path(__file__).resolve().parent
RECORDED = HERE / 'recorded'
TODAY = '2026-11-23 14:30:00'
USERS = {'admin': 'admin', 'operator': 'akaya', 'sales': 'mbozkurt6'}


class Line:
    """One recorded request with its answer, of either file."""

    def __init__(self, found):
        self.found = found
        request = found['request']
        self.id = found.get('name') or f'write {found["n"]}'
        self.who = found['as']
        self.method = request['method']
        self.path = request.get('path') or request['path_template']
        self.headers = dict(request.get('headers', {}))
        self.body = request.get('body')
        if request.get('body_template') is not None:
            self.body = json.dumps(request['body_template'])
            self.headers['Content-Type'] = 'application/json'
        self.status = found['status']
        self.defect = found.get('defect', False)
        self.flags = found.get('flags', [])
        self.captured = found.get('captured', {})

    @property
    def module(self):
        words = self.path.split('?')[0].split('/')
        return words[2] if len(words) > 2 else 'root'

    @property
    def writes(self):
        return 'n' in self.found


def lines(*files):
    """The lines of recordings, and the variables of writes."""
    found, variables = [], {}
    for file in files:
        for text in Path(file).read_text().splitlines():
            item = json.loads(text)
            if 'variables' in item:
                variables = item['variables']
            else:
                found.append(Line(item))
    return found, variables


def recorded_answer(name):
    return next(line.found['json'] for line in
                lines(RECORDED / 'reads.jsonl')[0] if line.id == name)


class Differences:
    """The intended ones: of a line, by its id, and what routes add."""

    def __init__(self):
        self.lines, self.routes, self.used = {}, [], set()
        for file in sorted((HERE / 'differences').glob('*.json')):
            for item in json.loads(file.read_text()):
                self.take(item, file.name)

    def take(self, item, name):
        if not item.get('why'):
            raise ValueError(f'{name}: no reason in {item}')
        if 'route' in item:
            pattern = re.sub(r'{\w+}', '[^/]+', item['route'])
            self.routes += [(re.compile(pattern), path)
                            for path in item['adds']]
        elif item['id'] in self.lines:
            raise ValueError(f'{name}: "{item["id"]}" is there twice')
        else:
            self.lines[item['id']] = item

    def without_additions(self, line, answer):
        """An answer without the members that its route adds."""
        asked = f'{line.method} {line.path.split("?")[0]}'
        for number, (pattern, path) in enumerate(self.routes):
            if pattern.fullmatch(asked) \
                    and take_away(answer, path.strip('/').split('/')):
                self.used.add(number)
        return answer

    def unused(self):
        return [f'{p.pattern} {path}' for number, (p, path)
                in enumerate(self.routes) if number not in self.used]


def take_away(json, words):
    """Removes what a pointer names, * for each item; whether it was there."""
    if not words:
        return False
    if words[0] == '*' and isinstance(json, list):
        return any([take_away(item, words[1:]) for item in json])
    if not isinstance(json, dict) or words[0] not in json:
        return False
    if len(words) == 1:
        json.pop(words[0])
        return True
    return take_away(json[words[0]], words[1:])


class Wanted:
    """What a line is to be answered with, the difference applied."""

    def __init__(self, line, item):
        self.line, self.status = line, item.get('status', line.status)
        self.headers = dict(item.get('headers', {}))
        self.unordered = item.get('unordered') \
            or 'order_of_ties_unspecified' in line.flags
        self.shape = 'depends_on_server_state' in line.flags \
            and not {'json', 'like', 'error', 'change'} & set(item)
        # Of a large answer the recording has the head and the count.
        self.items = item.get('items', line.found.get('items'))
        self.text = item.get('text')
        self.kind = None if 'text' in item else 'application/json'
        if 'like' in item:
            self.json = recorded_answer(item['like'])
        elif 'error' in item:
            self.json = {k: item[k] for k in ('error', 'field') if k in item}
        elif 'json' in item:
            self.json = item['json']
        elif self.text is None:
            self.recorded(item)

    def recorded(self, item):
        line = self.line.found
        self.text = line.get('text')
        self.json = copy.deepcopy(line.get('json', line.get('json_head')))
        if 'latest' in item:
            self.json['data'] = one_each(self.json['data'], item['latest'])
        for path, value in item.get('insert', {}).items():
            place, key = at(self.json, path)
            place.insert(int(key), value)
        for path, value in item.get('change', {}).items():
            place, key = at(self.json, path)
            place[int(key) if isinstance(place, list) else key] = value
        for path in item.get('remove', []):
            place, key = at(self.json, path)
            place.pop(int(key) if isinstance(place, list) else key)


def one_each(items, path):
    """Of those with one id the one whose member is the greatest."""
    found = {}
    for item in items:
        holder, key = at(item, path)
        rank = (holder or {}).get(key) or ''
        if item['id'] not in found or rank > found[item['id']][0]:
            found[item['id']] = rank, item
    return [item for _, item in found.values()]


def at(json, path):
    """What holds the value that a JSON pointer names, and its key there."""
    words = path.strip('/').split('/')
    for word in words[:-1]:
        json = json[int(word) if isinstance(json, list) else word]
    return json, words[-1].replace('~1', '/')


class Replay:
    """A server, who is logged in there, and what stands for what."""

    def __init__(self, browser, differences, variables=None, secret=None):
        self.browser, self.secret = browser, secret
        self.intended = differences
        self.match = differ.Match(variables or {})
        self.tokens = {}

    def token(self, who):
        if who not in self.tokens:
            name = USERS[who]
            answer = self.browser.post('/api/auth/login', {
                'username': name, 'password': PASSWORDS[name]})
            self.tokens[who] = answer.json['token']
        return self.tokens[who]

    def header(self, value):
        """<token of admin> and its kin, as what they stand for."""
        def fill(found):
            words = found.group(1)
            if words.startswith('token of '):
                return self.token(words[9:])
            return forge.token(self.token('admin'), words, self.secret)
        return re.sub('<(.*?)>', fill, value)

    def needs_secret(self, line):
        return any('<' in v and 'token of' not in v
                   for v in line.headers.values())

    def ask(self, line):
        headers = {k: self.header(v) for k, v in line.headers.items()}
        if line.writes:
            headers['Authorization'] = f'Bearer {self.token(line.who)}'
        headers['Accept-Language'] = 'tr'
        fill = self.match.fill
        return self.browser.request(line.method, fill(line.path),
                                    line.body and fill(line.body), headers)

    def faults(self, line, answer, item):
        """Why the answer is not the one wanted, as sentences."""
        wanted = Wanted(line, item)
        found = []
        if answer.status != wanted.status:
            found.append(f'status {answer.status}, not {wanted.status}')
        for name, value in wanted.headers.items():
            if answer.headers.get(name.lower()) != value:
                found.append(f'{name} is {answer.headers.get(name.lower())}, '
                             f'not {value}')
        kind = answer.headers.get('content-type', '').split(';')[0]
        if wanted.kind and kind != wanted.kind:
            found.append(f'Content-Type is {kind}')
        if wanted.text is not None:
            if answer.body != wanted.text.encode():
                found.append(f'the body is {answer.body[:200]!r}')
            return found
        try:
            got = answer.json
        except ValueError:
            return found + [f'not JSON: {answer.body[:200]!r}']
        if isinstance(got, dict):
            got = self.without_additions(line, wanted, got, answer.status)
        if wanted.items:
            data = got.get('data', [])
            if len(data) != wanted.items:
                found.append(f'{len(data)} items, not {wanted.items}')
            got = {**got, 'data': data[:len(wanted.json['data'])]}
        return found + self.match.differences(
            wanted.json, got, unordered=wanted.unordered, shape=wanted.shape)

    def without_additions(self, line, wanted, got, status):
        """What the old backend never said: also which field is to blame."""
        if status < 300:
            return self.intended.without_additions(line, got)
        if status == 400 and 'field' not in (wanted.json or {}):
            got.pop('field', None)
        return got

    def check(self, line):
        """Asks, compares, remembers ids; None, or what is wrong."""
        item = self.intended.lines.get(line.id)
        if line.defect and item is None:
            return 'a defect needs an entry that says what is answered'
        answer = self.ask(line)
        self.match.captured = tuple(line.captured.values())
        if item and not line.defect:
            before = dict(self.match.ours)
            if not self.faults(line, answer, {}):
                return f'stale difference, the recorded answer came: {item}'
            self.match.ours = before
        found = self.faults(line, answer, item or {})
        if not found:
            return None
        said = answer.body.decode(errors='replace')[:1500]
        return '\n  '.join([f'{line.method} {self.match.fill(line.path)}'
                            f' {line.body or ""}', *found,
                            f'answered: {said}'])


def main(words):
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--url', default='http://127.0.0.1:8080')
    parser.add_argument('--secret')
    parser.add_argument('--only', metavar='MODULE')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('files', nargs='+', metavar='FILE')
    asked = parser.parse_args(words)
    found, variables = lines(*asked.files)
    port = urllib.parse.urlsplit(asked.url).port or 80
    browser = Browser(SimpleNamespace())
    browser.shop.web = SimpleNamespace(http_port=port)
    replay = Replay(browser, Differences(), variables, asked.secret)
    passed = failed = 0
    for line in found:
        ours = asked.only in (None, line.module)
        if not (ours or line.writes) \
                or replay.needs_secret(line) and not asked.secret:
            continue
        fault = replay.check(line)
        if not ours:
            continue
        passed, failed = passed + (not fault), failed + bool(fault)
        if fault or asked.verbose:
            print(f'{line.id}: {fault or "the same"}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
