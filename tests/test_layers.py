"""src/ has layers: a file includes what stands above it, never below."""

import re
from pathlib import Path

import pytest

from process import ROOT

pytestmark = pytest.mark.once

# A module is a file and its header; those of a line may use each other, but
# not in a circle.  A star stands for the rest of a name.
LAYERS = (
    'log log_sink text utf8',
    'conf conf_* env_file shm versions cache claim board permit throttle '
    'json json_* placeholder query sqlstate base64url',
    'resolve connection pool fcgi http http_* gzip token password bcrypt',
    'routes fields match field fetch gate args answer login report health '
    'metrics measure openapi plan',
    'worker listener',
    'workers_file sockets children handover control check roster renew '
    'master',
    'main reklamctl ctl ctl_* api_manual',
)
# They run while reklam is built, and know nothing of it but how a statement
# is read.
BUILD_TOOLS = {'embed': {'embed', 'placeholder', 'query'},
               'embed_top': {'embed'}}
FILES = sorted(p for p in (ROOT / 'src').iterdir()
               if p.suffix in ('.c', '.h') and p.name != 'statements.c')


def layer(module):
    for number, line in enumerate(LAYERS):
        for word in line.split():
            if re.fullmatch(word.replace('*', r'\w+'), module):
                return number
    return None


def includes(path):
    return {Path(name).stem for name in
            re.findall(r'^#\s*include "([^"]+)"', path.read_text(), re.M)}


def test_every_file_has_a_layer():
    alone = {p.stem for p in FILES if layer(p.stem) is None}
    assert alone == set(BUILD_TOOLS)


@pytest.mark.parametrize('path', FILES, ids=lambda p: p.name)
def test_a_file_includes_only_what_stands_above_it(path):
    allowed = BUILD_TOOLS.get(path.stem)
    for name in includes(path):
        if allowed is not None:
            assert name in allowed
        else:
            assert name not in BUILD_TOOLS
            assert layer(name) <= layer(path.stem), \
                f'{path.name} includes {name}.h, which stands below it'


def test_headers_make_no_circle():
    uses = {p.stem: includes(p) - {p.stem} for p in FILES
            if p.suffix == '.h'}
    done = set()

    def visit(name, trail):
        assert name not in trail, ' → '.join([*trail, name])
        if name not in done:
            for other in sorted(uses.get(name, ())):
                visit(other, [*trail, name])
            done.add(name)
    for name in sorted(uses):
        visit(name, [])
