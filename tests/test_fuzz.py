"""What fuzzing found before: each input of tests/fuzz/corpus, and variants."""

import os
import re
import shutil
import subprocess

import pytest

import process
from process import FULL, ROOT, build, run

HERE = ROOT / 'tests/fuzz'
TARGETS = sorted(f.stem[5:] for f in HERE.glob('fuzz_*.c'))
VARIANTS = 500 if FULL else 20


@pytest.mark.seconds(600)
@pytest.mark.parametrize('target', TARGETS)
def test_no_input_breaks_it(private, target):
    program = build() / f'tests/fuzz/fuzz_{target}'
    if not program.exists():
        pytest.fail(f'{program} was not built: make units')
    # Where the shop's user can read it.
    here = process.directory(private / 'fuzz')
    shutil.copy2(program, here / target)
    corpus = here / f'corpus-{target}'
    shutil.copytree(HERE / 'corpus' / target, corpus)
    for path in [corpus, *corpus.iterdir()]:
        process.give(path)
    said = run(here / target, '-m', VARIANTS, corpus, timeout=600).stdout
    assert int(said.split()[0]) \
        == len(os.listdir(corpus)) * (VARIANTS + 1)


@pytest.mark.once
@pytest.mark.skipif(not FULL, reason='minutes for each target: '
                    'tests/fuzz/run -n 10000000')
@pytest.mark.seconds(1800)
@pytest.mark.parametrize('target', TARGETS)
def test_ten_million_inputs_break_nothing(tmp_path_factory, target):
    made = tmp_path_factory.mktemp(f'fuzz-{target}')
    done = subprocess.run(
        [HERE / 'run', '-n', str(10 ** 7), '-o', made, target],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    found = re.search(r'number_of_executed_units: (\d+)', done.stdout)
    assert int(found[1]) >= 10 ** 7


def test_every_target_has_a_corpus():
    assert TARGETS == sorted(p.name for p in (HERE / 'corpus').iterdir())
    listed = (HERE / 'fuzz.am').read_text()
    for target in TARGETS:
        assert f'\ttests/fuzz/fuzz_{target}' in listed
        assert os.listdir(HERE / 'corpus' / target)
