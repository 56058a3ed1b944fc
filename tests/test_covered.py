"""O6: every code of the table of errors is looked at, and most branches of
what reads, who may, what is remembered and what speaks with the database."""

import re
import subprocess

import pytest

from process import FULL, ROOT, build

pytestmark = pytest.mark.once


def strings(text, table):
    """The first string of each row of a table in C."""
    rows = re.search(rf'{table}\[\] = \{{\n(.*?)^\t?\}};', text,
                     re.S | re.M)[1]
    found = re.findall(r'^\t+\{ "([^"]+)"|(?<=\}, )\{ "([^"]+)"', rows, re.M)
    return {a or b for a, b in found}


def test_o6_each_code_of_an_error_is_tested():
    codes = strings((ROOT / 'src/sqlstate.c').read_text(), 'codes')
    tried = strings((ROOT / 'tests/unit/test_sqlstate.c').read_text(), 'rows')
    assert len(codes) >= 20
    for code in codes:
        if code.endswith('*'):      # one that no other row takes
            assert [t for t in tried if t.startswith(code[:-1])
                    and t not in codes], code
        else:
            assert code in tried, code


@pytest.mark.skipif(not FULL, reason='a build of its own and ten minutes: '
                    'make coverage')
@pytest.mark.seconds(3000)
def test_o6_most_branches_are_taken():
    done = subprocess.run(['make', '-C', build(), 'coverage'],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
