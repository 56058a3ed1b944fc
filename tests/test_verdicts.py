"""F2: our checks of JSON and of tokens, and others', on the same texts.

Python's json and PyJWT are the others.  Ours refuse more, for the reasons
listed here and for no other.
"""

import base64
import binascii
import datetime
import hmac
import json
import random
import re
import shutil
import struct
import subprocess
from collections import Counter

import pytest

import process
from fastcgi import octets
from process import FULL, ROOT, SANITIZERS, build
from test_bad_input import BODIES
from test_intruders import SECRET, tokens

pytestmark = pytest.mark.memory

TEXTS = 200_000 if FULL else 8_000
TOKENS = 50_000 if FULL else 4_000
NOW = 1_795_500_000


def verdicts(private, texts, *words):
    """What ours says to each."""
    program = build() / 'tests/verdict/verdict'
    if not program.exists():
        pytest.fail(f'{program} was not built: make units')
    here = process.directory(private / 'verdict')
    shutil.copy2(program, here / 'verdict')
    given = b''.join(struct.pack('<I', len(t)) + t for t in texts)
    done = subprocess.run([here / 'verdict', *words], input=given,
                          capture_output=True, env=SANITIZERS)
    assert done.returncode == 0, done.stderr
    found = done.stdout.decode().split()
    assert len(found) == len(texts)
    return found


# --- JSON ---

PIECES = [b'{', b'}', b'[', b']', b',', b':', b'"', b'\\', b'\\u', b'\\"',
          b'null', b'true', b'false', b'nul', b'NaN', b'-Infinity', b'0',
          b'-', b'-0', b'00', b'1.', b'.5', b'1e5', b'1E+', b'e', b'+',
          b'9' * 30, b'\\u0000', b'\\ud83d\\ude00', b'\\ud800', b'\\udc00',
          b'\\uFFFF', b'\\u00e9', b'\\n', b'\\x', b'\\/', b'/', b"'", b' ',
          b'\t', b'\n', b'\r', b'\f', b'\v', b'\0', b'\x1f', b'\x7f',
          b'\xc2\xa0', b'\xe2\x80\xa8', b'\xef\xbb\xbf', b'\xc0\x80',
          b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\xf0\x9f\x98\x80', b'\xff',
          b'"a":1', b'"a"', b'"\\u0061":2', b'//', b'/**/', b'[' * 33]


def value(chance, depth=0):
    """Text of JSON that is right, but for names that are there twice."""
    def blank():
        return chance.choice(['', '', '', ' ', '\n', '\t\r '])
    kind = chance.randrange(9 if depth < 34 and chance.random() < .9 else 6)
    if kind < 2:
        return chance.choice(['null', 'true', 'false'])
    if kind < 4:
        return chance.choice(['', '-']) + str(chance.choice(
            [0, 7, 10 ** 18, 10 ** 40])) + chance.choice(
            ['', '.0', '.50', 'e9', 'E-99', '.1e+400'])
    if kind < 6:
        return text(chance)
    items = [value(chance, depth + 1) for _ in range(chance.randrange(5))]
    if kind == 6:
        return '[' + ','.join(blank() + i + blank() for i in items) + ']'
    return '{' + ','.join(blank() + text(chance) + blank() + ':' + blank() + i
                          for i in items) + blank() + '}'


def text(chance):
    return '"' + ''.join(chance.choices(
        ['a', 'b', 'ş', '😀', '\\n', '\\"', '\\\\', '\\/', '\\u0061',
         '\\u015F', '\\ud83d\\ude00', '\x7f', '\u2028', '\\ud83d', '\\u0000'],
        [9, 9, 3, 3, 1, 1, 1, 1, 3, 3, 1, 1, 1, .1, .1],
        k=chance.randrange(6))) + '"'


def changed(chance, data, pieces):
    """A little is put in, taken out, doubled or cut off."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.choice([0, 0, 1, 1, 2, 9]))
        data = chance.choice([
            data[:at] + chance.choice(pieces) + data[to:],
            data[:at] + bytes([chance.randrange(256)]) + data[to:],
            data[:at] + data[to:], data[:to] + data[at:], data[:at]])
    return data


class Twice(Exception):
    """A name is there twice."""


def pairs(found):
    if len({name for name, _ in found}) < len(found):
        raise Twice
    return dict(found)


def refuse(word):
    raise ValueError(word)


def measure(found, depth=0):
    """(values and names, depth, every character) of what was read."""
    if isinstance(found, dict):
        inner = [measure(v, depth + 1) for v in found.values()]
        inner += [(1, depth + 1, k) for k in found]
    elif isinstance(found, list):
        inner = [measure(v, depth + 1) for v in found]
    else:
        return 1, depth, found if isinstance(found, str) else ''
    return (1 + sum(i[0] for i in inner),
            max([depth + 1, *(i[1] for i in inner)]),
            ''.join(i[2] for i in inner))


def judge(data):
    """What ours may say.  Numbers stay text, however long they are."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=pairs,
                           parse_constant=refuse, parse_int=lambda t: 0,
                           parse_float=lambda t: 0)
    except Twice:
        # It is the first fault only if no other comes before.
        return {'duplicate', 'syntax', 'utf8', 'depth', 'nodes', 'nul'}
    except RecursionError:
        return {'depth', 'syntax', 'utf8'}
    except ValueError:
        return {'syntax', 'utf8', 'depth', 'nodes', 'nul', 'duplicate'}
    nodes, depth, letters = measure(found)
    more = set()                    # what Python takes and ours does not
    if nodes > 10_000:
        more.add('nodes')
    if depth > 32:
        more.add('depth')
    if '\0' in letters:
        more.add('nul')
    if re.search('[\ud800-\udfff]', letters):
        more.add('syntax')          # half a pair
    return more or {'fine'}


def test_f2_json_is_what_python_says(private):
    chance = random.Random(2)
    texts = [*BODIES, b'[' * 32 + b']' * 32, b'[' * 33 + b']' * 33,
             b'[' + b'1,' * 9998 + b'1]', b'[' + b'1,' * 9999 + b'1]']
    texts += [f.read_bytes() for f in sorted(
        (ROOT / 'tests/fuzz/corpus/json').iterdir())]
    while len(texts) < TEXTS:
        good = value(chance).encode('utf-8')
        texts += [good, *(changed(chance, good, PIECES) for _ in range(3))]
        texts.append(changed(chance, chance.choice(texts[:400])[:3000],
                             PIECES))
    said = Counter()
    for data, found in zip(texts, verdicts(private, texts, 'json')):
        said[found] += 1
        assert found in judge(data), data
    assert said['fine'] > TEXTS / 10 and said['syntax'] > TEXTS / 10, said
    assert len(said) == 7, said


# --- tokens ---

def reference(jwt, token):
    """PyJWT's claims, or None."""
    try:
        # Of audiences neither backend knows anything.
        return jwt.decode(token, SECRET, algorithms=['HS256'],
                          options={'require': ['exp'], 'verify_aud': False})
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError,
            AttributeError, RecursionError):
        return None


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


@pytest.fixture
def library(monkeypatch):
    """PyJWT, whose time stands still."""
    found = pytest.importorskip('jwt')
    monkeypatch.setattr(found.api_jwt, 'datetime', Clock)
    return found


UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.I)


def part(piece):
    """It as JSON that ours would read, or None."""
    try:
        data = base64.urlsafe_b64decode(piece + b'=' * (-len(piece) % 4))
        if base64.urlsafe_b64encode(data).rstrip(b'=') != piece or \
                judge(data) != {'fine'}:
            return None
        return json.loads(data)
    except (ValueError, binascii.Error):
        return None


def reason(token):
    """Why ours refuses what PyJWT takes."""
    if len(token) > 4096:
        return 'long'
    pieces = token.split(b'.')
    head, claims = part(pieces[0]), part(pieces[1])
    signature = hmac.digest(SECRET.encode(), b'.'.join(pieces[:2]), 'sha256')
    if encoded(signature) != pieces[2]:
        return 'another spelling of the signature'
    if head is None or claims is None:
        return 'another spelling, or JSON that is not strict'
    if 'crit' in head:
        return 'crit'
    for name in ('exp', 'iat', 'nbf'):
        if name in claims and type(claims[name]) is not int:
            return f'{name} is no whole number'
        if name in claims and not -2 ** 63 <= claims[name] < 2 ** 63:
            return f'{name} is too large'
    if 'iat' in claims and claims['iat'] > NOW:
        return 'of the future'
    people = [claims[n] for n in ('user_id', 'service_id') if n in claims]
    if len(people) != 1 or not isinstance(people[0], str) or \
            not UUID.fullmatch(people[0]):
        return 'nobody'
    return None


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=')


def signed_raw(head, claims):
    found = encoded(head) + b'.' + encoded(claims)
    return found + b'.' + encoded(hmac.digest(SECRET.encode(), found,
                                              'sha256'))


CLAIMS = [b'"exp":', b'"iat":', b'"nbf":', b'"user_id":', b'"service_id":',
          b'"crit":[]', b'"aud":"x"', b'"alg":"none"', b'1e3', b'-1', b'null',
          b'"1"', b'{}', str(NOW).encode(), str(NOW - 1).encode(),
          str(NOW + 1).encode(), b'9' * 20, b',', b'"', b'}', b' ']
MEMBERS = {
    'exp': [NOW + 9, NOW + 9, NOW + 9, NOW + 1, NOW, NOW - 1, 0, -5, None,
            '1', str(NOW + 9), NOW + .5, 10 ** 18, 10 ** 25, [], True],
    'iat': [NOW, NOW - 9, NOW - 9, NOW + 1, 0, -1, None, 'x', .5, {}],
    'nbf': [NOW, NOW - 9, NOW + 1, 0, None, 'x', 1.5],
    'user_id': ['12345678-9abc-DEF0-1234-56789abcdef0'] * 3 + [
        'x', '', None, 5, '12345678-9abc-def0-1234-56789abcdefg',
        '12345678-9abc-def0-1234-56789abcdef0 '],
    'service_id': ['12345678-9abc-def0-1234-56789abcdef0', 1],
    'aud': ['x'], 'username': ['a', 'ş' * 9, 'x' * 3000]}
USUAL = {'exp': 1, 'iat': .9, 'nbf': .2, 'user_id': .95, 'service_id': .05,
         'aud': .02, 'username': .8}


def made(chance):
    """A token with our signature, most often right."""
    claims = {name: chance.choice(values) if chance.random() < .3
              else values[0] for name, values in MEMBERS.items()
              if chance.random() < USUAL[name]}
    head = {'alg': 'HS256', 'typ': 'JWT'}
    if chance.random() < .1:
        head[chance.choice(['alg', 'crit', 'kid', 'typ'])] = chance.choice(
            ['none', 'HS512', ['exp'], None, 1, 'x', 'hs256'])
    return json.dumps(head).encode(), json.dumps(claims).encode()


def test_f2_tokens_are_what_pyjwt_says(private, library):
    chance = random.Random(3)
    body = {'user_id': '12345678-9abc-def0-1234-56789abcdef0',
            'exp': NOW + 3600, 'iat': NOW}
    texts = [octets(t) for t in tokens(body).values()]
    while len(texts) < TOKENS:
        head, claims = made(chance)
        good = signed_raw(head, claims)
        texts += [good, signed_raw(changed(chance, head, CLAIMS), claims),
                  signed_raw(head, changed(chance, claims, CLAIMS)),
                  changed(chance, good, [b'.', b'=', b'-', b'_', b'+', b'A'])]
    said, why = Counter(), Counter()
    for token, found in zip(texts, verdicts(private, texts, 'token', SECRET,
                                            str(NOW))):
        theirs = reference(library, token)
        said[found, theirs is not None] += 1
        assert found == 'bad' or theirs is not None, token
        if found == 'bad' and theirs is not None:
            found = reason(token)
            assert found, (token, theirs)
            why[found] += 1
    assert said['good', True] > TOKENS / 10, said
    assert said['bad', False] > TOKENS / 10, said
    assert len(why) >= 7, why
