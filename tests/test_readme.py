"""What README.md says is so: its endpoint is added to a copy of the tree."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import process
from process import ROOT

pytestmark = pytest.mark.once

README = (ROOT / 'README.md').read_text()
LEFT_OUT = shutil.ignore_patterns(
    'build', 'build-[!a]*', '.git', 'autom4te.cache', 'demo.env', '__pycache__',
    '*.o', '*.a', 'config.status', 'config.log', '.deps')


def steps():
    """(file, heading or None, text) of each block of "Add an endpoint"."""
    section = README.split('## Add an endpoint')[1].split('\n## ')[0]
    return re.findall(r'`([\w/.]+)`(?:, below `(/\*.*?\*/)`)?:\n\n'
                      r'```\w+\n(.*?)```', section, re.S)


def make(build):
    words = ['make', f'-j{os.cpu_count()}', '-C', build]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT,
                          env={k: v for k, v in os.environ.items()
                               if k not in ('MAKEFLAGS', 'MAKELEVEL')})
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope='module')
def copy(private):
    """A build of its own that stops at a warning."""
    tree = private / 'copy'
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    (tree / 'Makefile').unlink(missing_ok=True)
    build = tree / 'build'
    build.mkdir()
    if not (tree / 'configure').exists():
        subprocess.run(['autoreconf', '-fi'], cwd=tree, check=True)
    subprocess.run([tree / 'configure', '--quiet', '--enable-werror',
                    'CFLAGS=-O2'], cwd=build, check=True)
    return tree


@pytest.mark.seconds(400)
def test_it_builds_without_a_warning(copy):
    said = make(copy / 'build')
    assert 'warning:' not in said


@pytest.mark.seconds(400)
def test_an_endpoint_is_added_as_the_readme_says(copy, make_shop,
                                                 monkeypatch):
    found = steps()
    assert len(found) == 4
    for file, heading, text in found:
        path = copy / file
        if heading:
            before = path.read_text()
            assert heading in before, f'{file} has no {heading}'
            text = before.replace(heading, f'{heading}\n{text}', 1)
        else:
            assert not path.exists()
        path.write_text(text)
    make(copy / 'build')
    monkeypatch.setenv('REKLAM_BUILD', str(copy / 'build'))
    shop = make_shop(today='2026-11-23')
    is_there(shop)


def is_there(shop):
    """Asked, cached, guarded, checked, documented."""
    customer = shop.sql("SELECT customer_id FROM jobs WHERE due_date < "
                        "'2026-11-01' AND status = 'active' ORDER BY id "
                        "LIMIT 1")
    path = f'/api/customers/{customer}/late-jobs'
    answer = shop.get(path, who='manager')
    assert answer.status == 200, answer
    late = shop.sql("SELECT job_number FROM jobs WHERE customer_id = "
                    f"'{customer}' AND status NOT IN ('completed', "
                    "'canceled') AND due_date < '2026-11-23' "
                    "ORDER BY due_date, id").split()
    assert [job['job_number'] for job in answer.json['data']] == late
    assert late
    shop.sql("UPDATE jobs SET status = 'completed' WHERE customer_id = "
             f"'{customer}'")
    process.wait_until(lambda: shop.get(path, who='manager').json['data']
                       == [], 2, 'the change')
    assert shop.get(f'{path}?days=9999', who='manager').json['field'] \
        == 'days'
    assert shop.get('/api/customers/x/late-jobs',
                    who='manager').status == 404
    assert shop.get(path).status == 401
    paths = shop.get('/api/openapi.json').json['paths']
    assert '/api/customers/{id}/late-jobs' in paths


def test_its_files_exist():
    """Links, and the names of files in its text."""
    for name in re.findall(r'\]\(([^)]+)\)', README) + re.findall(
            r'`((?:src|sql|tests|etc|nginx|web|man|bench)/[\w/.-]*)`',
            README):
        if not (ROOT / name).exists():
            assert any(name == file for file, _, _ in steps()), name


def test_the_settings_of_the_demo_are_all_there():
    demo = (Path(__file__).parent / 'demo.py').read_text()
    named = set(re.findall(r"'(DEMO_[A-Z_]+)'", demo))
    assert named == set(re.findall(r'DEMO_[A-Z_]+', README))
