"""./bootstrap run, start and stop, but for apt and make."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import demo as the_demo
import process
from process import ROOT, build, free_port, wait_until

pytestmark = [pytest.mark.once, pytest.mark.seconds(200)]


class Demo:
    def __init__(self, directory, **words):
        self.directory = directory / 'demo'
        self.env = {
            **os.environ, 'DEMO_DIR': str(self.directory),
            'DEMO_PORT': str(free_port()), 'DEMO_HTTP_PORT': str(free_port()),
            'DEMO_ENV': str(directory / 'demo.env'), 'DEMO_SCALE': '0.05',
            'REKLAM_BUILD': str(build()), **words}
        self.file = Path(self.env['DEMO_ENV'])

    def popen(self, word, **more):
        return subprocess.Popen(
            [sys.executable, ROOT / 'tests/demo.py', word], text=True,
            env={**self.env, **more}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def do(self, word, **more):
        """(status, what it said)"""
        popen = self.popen(word, **more)
        said = popen.communicate(timeout=150)[0]
        return popen.returncode, said

    def told(self):
        """demo.env, as a shell reads it."""
        return dict(w.split('=', 1) for w in
                    shlex.split(self.file.read_text()))

    def processes(self):
        """What runs in its directory."""
        found = []
        for path in Path('/proc').glob('[0-9]*/cmdline'):
            try:
                if str(self.directory).encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                pass
        return found


@pytest.fixture(scope='module')
def demo(private):
    directory = process.directory(private / 'd')
    found = Demo(directory)
    yield found
    found.do('stop')


def sh(text, **env):
    return subprocess.run(['bash', '-c', text], text=True, check=True,
                          env={**os.environ, **env},
                          stdout=subprocess.PIPE).stdout


def test_start_tells_what_works_as_printed(demo):
    status, said = demo.do('start')
    assert status == 0, said
    lines = [line for line in said.split('\n')
             if line.startswith(('TOKEN=', 'curl '))]
    assert len(lines) == 3
    stats, cache = sh(f'{lines[0]}\n{lines[1]}; echo; {lines[2]}').split(
        '\n', 1)
    assert json.loads(stats)['data']['jobs']['total'] == 500
    assert json.loads(cache)['cache_stats']['prefix'] == 'all'
    for login in the_demo.LOGINS:
        assert login in said


def test_demo_env_is_for_scripts(demo):
    told = demo.told()
    said = sh(f'. {demo.file}; curl -sk $BASE_URL/api/health; echo; '
              'curl -s $HTTP_URL/api/health; echo; kill -0 $REKLAMD_PID; '
              'psql -XAtc "SELECT count(*) FROM jobs" "$DATABASE_URL"')
    assert said.count('"ok"') == 2
    assert said.split()[-1] == '500'
    assert Path(f'/proc/{told["REKLAMD_PID"]}').exists()
    assert not Path(told['DEMO_DIR']).stat().st_mode & 0o077


def test_a_second_start_leaves_the_first_alone(demo):
    before = demo.told()
    status, said = demo.do('start')
    assert status == 0 and 'running already' in said
    status, said = demo.do('run')
    assert status == 1 and 'running in the background' in said
    status, said = demo.do('run', DEMO_ENV='/nonexistent/demo.env')
    assert status == 1 and 'is running in' in said
    assert demo.told() == before


def test_stop_ends_all_of_it(demo):
    status, said = demo.do('stop')
    assert status == 0 and 'stopped' in said
    assert not demo.processes()
    assert not demo.file.exists()
    status, said = demo.do('stop')
    assert status == 0 and 'no demo' in said


def test_the_next_run_is_up_in_seconds_and_ctrl_c_ends_it(demo):
    began = time.monotonic()
    # What was loaded with a scale stays without one.
    env = {k: v for k, v in demo.env.items() if k != 'DEMO_SCALE'}
    popen = subprocess.Popen(
        [sys.executable, ROOT / 'tests/demo.py', 'run'], text=True, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = ''
    for line in popen.stdout:
        said += line
        if 'Ctrl-C' in line:
            break
    assert time.monotonic() - began < 20
    assert 'loads' not in said and 'removes' not in said
    assert demo.processes()
    popen.send_signal(signal.SIGINT)
    assert popen.wait(30) == 0, said + popen.stdout.read()
    popen.stdout.close()
    assert not demo.processes()


def test_other_data_and_more_workers(demo, tmp_path):
    data = tmp_path / 'data.sql'
    data.write_text("INSERT INTO customers (name) VALUES ('Tek');\n")
    status, said = demo.do('start', DEMO_DATA=str(data), DEMO_WORKERS='3',
                           DEMO_SCALE='1')
    assert status == 0, said
    assert 'removes the old shop' in said and 'loads data.sql' in said
    url = demo.told()['DATABASE_URL']
    assert sh(f'psql -XAtc "SELECT name FROM customers" "{url}"') == 'Tek\n'
    pid = int(demo.told()['REKLAMD_PID'])
    children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    names = [Path(f'/proc/{c}/comm').read_text().strip() for c in children]
    assert sum(n.startswith('worker-') for n in names) == 3, names
    assert demo.do('stop')[0] == 0


def test_killed_in_the_middle_it_starts_anew(demo):
    popen = demo.popen('run', DEMO_SCALE='0.1', DEMO_DATA='')
    wait_until(lambda: (demo.directory / 'data/postmaster.pid').exists(), 20)
    time.sleep(1)
    popen.kill()
    popen.wait()
    popen.stdout.close()
    wait_until(lambda: not demo.processes(), 30, 'the end of its processes')
    status, said = demo.do('start', DEMO_SCALE='0.1', DEMO_DATA='')
    assert status == 0, said
    url = demo.told()['DATABASE_URL']
    assert sh(f'psql -XAtc "SELECT count(*) FROM jobs" "{url}"') == '1000\n'
    assert demo.do('stop')[0] == 0


@pytest.mark.parametrize('words, sentence', [
    ({'DEMO_PORT': 'x'}, 'DEMO_PORT is a number'),
    ({'DEMO_WORKERS': '0'}, 'DEMO_WORKERS is a number from 1 to 64'),
    ({'DEMO_SCALE': '-1'}, 'DEMO_SCALE is a number'),
    ({'DEMO_DATA': '/nonexistent.sql'}, 'DEMO_DATA=/nonexistent.sql'),
    ({'DEMO_TODAY': 'now'}, 'DEMO_TODAY is a date'),
    ({'DEMO_DIR': '/nonexistent/x'}, 'there is no /nonexistent'),
    ({'DEMO_DIR': '/tmp/' + 'x' * 90}, 'too long'),
])
def test_what_is_wrong_is_said_in_a_sentence(demo, words, sentence):
    status, said = demo.do('run', **words)
    assert status == 1
    assert sentence in said and 'Traceback' not in said


def test_a_port_in_use_is_said(demo):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        status, said = demo.do('run', DEMO_HTTP_PORT=str(port))
    assert status == 1
    assert re.search(f'port {port}: .* DEMO_HTTP_PORT=… chooses', said)
