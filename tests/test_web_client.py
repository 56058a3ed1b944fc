"""
The old web client finds what it needs: web-client.json has each call that its
pages make, with what they send and which members of the answer they read.  In
"needs" a * stands for each item, braces for one of several members.  Values
in braces are ids: of the demo shop, or taken from an earlier answer.
"mismatches" says of what the client expected in vain whether it is served.
"""

import json
import re
from pathlib import Path

import pytest

from routes import routes
from samples import Samples

pytestmark = pytest.mark.once

FOUND = json.loads((Path(__file__).parent / 'web-client.json').read_text())
CALLS = FOUND['calls']


@pytest.fixture(scope='module')
def shop(make_shops):
    return make_shops(today='2026-11-23')


@pytest.fixture(scope='module')
def known(postgres, demo):
    """The ids that calls may name; they add their own."""
    return dict(Samples(postgres, demo).ids)


def fill(value, known):
    if isinstance(value, str):
        return re.sub(r'\{(\w+)\}', lambda m: known[m.group(1)], value)
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if isinstance(value, dict):
        return {k: fill(v, known) for k, v in value.items()}
    return value


def expanded(path):
    """data/{a,b} as data/a and data/b."""
    found = re.search(r'\{([^{}]*)\}', path)
    if not found:
        return [path]
    return [one for word in found.group(1).split(',')
            for one in expanded(path[:found.start()] + word
                                + path[found.end():])]


def seen(json, words):
    """How often a member is there; a null above it may be one."""
    if not words:
        return 1
    if json is None:
        return 0
    if words[0] == '*':
        assert isinstance(json, list), f'{words}: no list'
        return sum(seen(item, words[1:]) for item in json)
    if isinstance(json, list):
        return seen(json[int(words[0])], words[1:])
    assert words[0] in json, f'{words[0]} is missing in {list(json)}'
    return seen(json[words[0]], words[1:])


def value_at(json, path):
    for word in path.split('/'):
        json = json[int(word) if isinstance(json, list) else word]
    return json


@pytest.mark.parametrize('call', CALLS,
                         ids=lambda c: f'{c["page"]}: {c["call"]}')
def test_a_page_finds_what_it_needs(shop, known, call):
    method, path = fill(call['call'], known).split(' ', 1)
    who = call.get('who', 'manager')
    answer = shop.ask(method, path, fill(call.get('send'), known),
                      who=None if who == 'nobody' else who)
    assert answer.status in (200, 201), answer
    for path in [one for word in call.get('needs', '').split()
                 for one in expanded(word)]:
        assert seen(answer.json, path.split('/')), f'{path}: in none of them'
    for name, path in call.get('take', {}).items():
        known[name] = value_at(answer.json, path)


def test_what_the_client_expected_in_vain_is_decided():
    assert [m['n'] for m in FOUND['mismatches']] == list(range(1, 29))
    for item in FOUND['mismatches']:
        assert item['how'] and isinstance(item['served'], bool)


def test_every_call_is_a_route():
    known = [(r.method, re.compile(re.sub(r'\{\w+\}', '[^/]+', r.path)))
             for r in routes()]
    for call in CALLS:
        method, path = call['call'].split('?')[0].split(' ')
        assert any(m == method and p.fullmatch(path) for m, p in known), call
