"""What reklamd says to systemd, and when."""

import os
import re
import signal
import socket
import time

import pytest

import process
from backends import Frozen
from process import wait_until

pytestmark = pytest.mark.once


class Manager:
    """Reads what a service says, as systemd does."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        process.give(path)
        self.socket.setblocking(False)

    def reads(self):
        """What has been said since."""
        said = []
        try:
            while True:
                said.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return said

    def hears(self, word):
        """All that is said until that is."""
        said = []

        def heard():
            said.extend(self.reads())
            return any(word in s for s in said)
        wait_until(heard, 10, f'{word} to systemd')
        return said


@pytest.fixture
def manager(private):
    path = private / f'notify-{os.urandom(3).hex()}'
    manager = Manager(path)
    manager.path = path
    yield manager
    manager.socket.close()
    path.unlink()


@pytest.fixture
def shop(make_shop, manager):
    return make_shop(web=False, env={
        'NOTIFY_SOCKET': manager.path, 'WATCHDOG_USEC': '3000000'})


def test_it_is_ready_when_all_workers_serve(shop, manager):
    assert 'READY=1\nSTATUS=2 workers' in manager.hears('READY=1')
    assert shop.is_ready()


def test_a_reload_begins_and_ends(shop, manager):
    manager.hears('READY=1')
    shop.reload()
    said = manager.hears('READY=1')
    begins = next(s for s in said if 'RELOADING=1' in s)
    assert re.search(r'^MONOTONIC_USEC=\d+$', begins, re.M)
    assert said.index(begins) < said.index('READY=1\nSTATUS=2 workers')
    # One that is refused has not begun.
    process.write(shop.settings_path, shop.settings_path.read_text() +
                  'DB_POOL_QUEUE=many\n')
    shop.reload()
    said = manager.hears('STATUS=checking the settings')
    wait_until(lambda: 'goes on as before' in shop.program.tail())
    assert 'RELOADING' not in ''.join(said + manager.hears('WATCHDOG=1'))


def test_an_upgrade_says_that_it_serves(shop, manager):
    manager.hears('READY=1')
    shop.program.signal(signal.SIGUSR2)
    assert 'READY=1\nSTATUS=2 workers' in manager.hears('READY=1')
    manager.hears('WATCHDOG=1')


def test_it_shows_signs_of_life_oftener_than_asked_for(shop, manager):
    manager.hears('READY=1')
    manager.hears('WATCHDOG=1')
    time.sleep(3)
    assert sum('WATCHDOG=1' in s for s in manager.hears('WATCHDOG=1')) >= 2
    # A master that has stopped shows none, and systemd starts it anew.
    with Frozen([shop.program.pid]):
        time.sleep(0.3)
        manager.reads()
        time.sleep(3)
        assert manager.reads() == []
    manager.hears('WATCHDOG=1')


def test_it_says_when_it_stops(shop, manager):
    manager.hears('READY=1')
    shop.program.signal(signal.SIGTERM)
    manager.hears('STOPPING=1')


def test_the_journal_reads_priorities(make_shop):
    """<5> before a notice, where standard error is the journal's."""
    shop = make_shop(web=False)
    assert not re.search(r'^<\d>', shop.program.tail(), re.M)
    found = os.stat(shop.program.log)
    shop.stop()
    shop.program.env['JOURNAL_STREAM'] = f'{found.st_dev}:{found.st_ino}'
    shop.start_program()
    wait_until(shop.is_ready)
    lines = shop.program.tail().split('\n')
    assert any(re.fullmatch(r'<5>.*2 workers serve', s) for s in lines), lines
    process.write(shop.settings_path, shop.settings_path.read_text() +
                  'DB_POOL_QUEUE=many\n')
    shop.reload()
    wait_until(lambda: re.search(r'^<3>.*goes on as before',
                                 shop.program.tail(), re.M))
