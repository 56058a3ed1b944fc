"""A protection is taken away, and the tests of it must fail.

Five of them: a request's body is read to its end, answers carry the versions
of their data, readers of the cache look whether they were overtaken, an
unknown user costs a hash, an answer says how long it is.  Each program is the
real one but for one object (tests/controls, tests/torture/unchecked.c).
"""

import contextlib
import shutil

import pytest

import process
import test_cache
import test_connections
import test_intruders
import test_torture
from fastcgi import Connection
from process import build
from samples import Samples

pytestmark = pytest.mark.once


@pytest.fixture
def without(make_shop, private, monkeypatch):
    """without(NAME): a shop whose program lacks a protection."""
    def make(name, **words):
        made = build() / f'tests/controls/reklamd_{name}'
        if not made.exists():
            pytest.fail(f'{made} was not built: make units')
        place = process.directory(private / name)
        process.directory(place / 'src')
        shutil.copy2(made, place / 'src/reklamd')
        shutil.copy2(build() / 'src/reklamctl', place / 'src')
        monkeypatch.setenv('REKLAM_BUILD', str(place))
        return make_shop(**words)
    return make


def test_what_is_left_of_a_body_is_run(without):
    """R16"""
    shop, path = without('undrained', web=False), '/api/auth/login'
    with pytest.raises((AssertionError, OSError)):
        test_connections.test_r16_at_every_alignment(shop, 'POST', path)
    for shift in range(test_connections.FORGED):
        body = test_connections.forgery(shop, 'CONTROL', shift)
        with contextlib.suppress(OSError), \
                Connection(shop.sockets[0]) as peer:
            peer.ask('POST', path, {}, body)
    assert test_connections.made(shop, 'CONTROL') > 0


def test_answers_are_given_that_are_out_of_date(without, monkeypatch):
    """R10"""
    monkeypatch.setattr(test_cache, 'READS', 40)
    shop = without('unversioned', workers=4, **test_cache.PATIENT)
    ids = Samples(shop.cluster, shop.database).ids
    with pytest.raises(AssertionError) as failure:
        test_cache.test_each_worker_answers_from_after_an_acknowledged_write(
            shop, ids)
    assert '(40, 0)' in str(failure.value)


def test_values_are_wrong_after_some_kills(private, capsys, monkeypatch):
    """R12; not every time."""
    real, found = test_torture.torture, []

    def torture(where, name, kills):
        found.append(real(where, f'{name}_unchecked', kills))
        return found[-1]
    monkeypatch.setattr(test_torture, 'torture', torture)
    monkeypatch.setattr(test_torture, 'KILLS', 300)
    while not any(f['bad'] for f in found):
        assert len(found) < 10
        try:
            test_torture.test_r12_no_value_is_wrong_after_any_number_of_kills(
                private, capsys)
        except AssertionError:
            continue
        assert not found[-1]['bad']


def test_the_time_tells_who_is_unknown(without):
    """S3"""
    shop = without('undisguised', JWT_SECRET_KEY=test_intruders.SECRET,
                   PASSWORD_COST=8, names={'LOGIN_RATE': '1000r/s'})
    with pytest.raises(AssertionError) as failure:
        test_intruders.test_s3_an_unknown_user_costs_as_much_as_a_wrong_password(
            shop)
    assert 'unknown' in str(failure.value)


def test_an_answer_does_not_say_where_it_ends(without):
    """R17"""
    shop = without('unmeasured', DB_STATEMENT_MS=20000)
    shop.large = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1')
    shop.sql('UPDATE jobs SET description = '
             f"repeat('x', {test_connections.LARGE}) "
             f"WHERE id = '{shop.large}'")
    with pytest.raises(AssertionError) as failure:
        test_connections.test_r17_a_short_answer_never_looks_complete(shop)
    assert 'transfer-encoding' in str(failure.value)
