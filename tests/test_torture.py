"""R12: the cache's writer is killed again and again while others read."""

import json
import shutil

import pytest

import process
from process import FULL, build, run

pytestmark = pytest.mark.once

KILLS = 20_000 if FULL else 1_000


def torture(private, name, kills):
    program = build() / 'tests/torture' / name
    if not program.exists():
        pytest.fail(f'{program} was not built: make units')
    # Where the shop's user can read it.
    here = process.directory(private / 'torture')
    shutil.copy2(program, here / name)
    done = run(here / name, kills, check=False, timeout=900)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.mark.seconds(900)
def test_r12_no_value_is_wrong_after_any_number_of_kills(private, capsys):
    found = torture(private, 'torture', KILLS)
    with capsys.disabled():
        print(f'\nR12: {found}')
    assert found['kills'] == KILLS
    assert found['reads'] > 1000 * KILLS and found['found'] > 100 * KILLS
    assert found['bad'] == 0


@pytest.mark.seconds(900)
def test_without_the_checks_some_are(private):
    """Neither looks whether it was overtaken, nor at the checksum."""
    assert any(torture(private, 'torture_unchecked', 300)['bad']
               for _ in range(10))
