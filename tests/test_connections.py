"""What peers do at a worker's socket, and clients at nginx.

R14 to R17, F1 and F2 and O4 are rows of the project's table of faults.
"""

import os
import random
import select
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import pytest

import fastcgi
import process
from fake_fastcgi import Responder
from fastcgi import (ABORT, BEGIN, END, GET_VALUES, PARAMS, STDERR, STDIN,
                     STDOUT, Connection, begin, length, pair, parameters,
                     record, stream)
from process import FULL, run, wait_until
from routes import label, routes
from web_server import WebServer

SOON = 0.3              # seconds; three times what is promised
READ_SECONDS = 2        # how long a worker waits for the rest of a request
LARGE = 5_000_000
FORGED = 16             # alignments


@pytest.fixture(scope='module')
def shop(make_shops):
    """With an answer of five megabytes."""
    shop = make_shops(DB_STATEMENT_MS=20000, DB_POOL_WAIT_MS=5000)
    shop.large = shop.sql('SELECT id FROM jobs ORDER BY id LIMIT 1')
    shop.sql(f"UPDATE jobs SET description = repeat('x', {LARGE}) "
             f"WHERE id = '{shop.large}'")
    shop.login('manager')
    return shop


def soon(shop, number=0, ask=None):
    """A worker answers at once; the best of three, for a busy machine."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        if ask:
            answer = ask()
        else:
            answer = fastcgi.ask(shop.sockets[number], 'GET', '/api/health')
        assert answer.status == 200
        took.append(time.monotonic() - began)
        if took[-1] < SOON:
            return
    raise AssertionError(f'answered after {took} s')


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def bearer(shop):
    return {'Authorization': f'Bearer {shop.login("manager")}',
            'Content-Type': 'application/json'}


def made(shop, name):
    return int(shop.sql("SELECT count(*) FROM machines "
                        f"WHERE code LIKE '{name}%'"))


# --- slow ones ---

def get_large(shop):
    return fastcgi.request('GET', f'/api/jobs/{shop.large}', bearer(shop))


def slow_reader(path, data, stop, seen):
    """Takes ten kilobytes a second."""
    peer = socket.socket(socket.AF_UNIX)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(str(path))
    peer.sendall(data)
    while not stop.wait(0.1):
        found = peer.recv(1000)
        seen.append(len(found))
        if not found:
            break
    peer.close()


def test_r14_slow_readers_delay_nobody(shop):
    """Straight at the worker, where nginx's buffers do not help."""
    stop, seen = threading.Event(), []
    readers = [threading.Thread(target=slow_reader, args=(
        shop.sockets[0], get_large(shop), stop, seen)) for _ in range(5)]
    for reader in readers:
        reader.start()
    try:
        wait_until(lambda: len(seen) >= 5, 10)
        for _ in range(40):
            soon(shop)
            soon(shop, ask=lambda: shop.worker(0).get('/api/auth/me',
                                                      'manager'))
            time.sleep(0.02)
        assert 0 not in seen
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_r14_nor_do_slow_clients_of_nginx(shop):
    request = (f'GET /api/jobs/{shop.large} HTTP/1.1\r\nHost: x\r\n'
               f'Authorization: Bearer {shop.login("manager")}\r\n\r\n')
    slow = b'POST /api/machines HTTP/1.1\r\nHost: x\r\n' \
           b'Content-Length: 100000\r\n\r\n{'
    clients = []
    for text, number in ((request.encode(), 10 if not FULL else 100),
                         (slow, 20 if not FULL else 200),
                         (b'GET / HTTP/1.1\r\nHo', 20 if not FULL else 200)):
        for _ in range(number):
            clients.append(socket.create_connection(
                ('127.0.0.1', shop.web.http_port)))
            clients[-1].sendall(text)
    pids = shop.worker_pids()
    for client in clients[:10]:
        client.recv(10)                 # his answer has begun
    for n in range(30):
        soon(shop, ask=lambda: shop.get('/api/auth/me', 'manager'))
        soon(shop, n % 2)
        for client in clients[:10]:
            client.recv(10)
    for client in clients:
        client.close()
    assert shop.worker_pids() == pids


def test_who_takes_nothing_is_closed(shop):
    """After five seconds; until then his megabytes are kept for him."""
    with Connection(shop.sockets[0]) as peer:
        poll = select.poll()
        poll.register(peer.socket, select.POLLRDHUP)
        peer.send(get_large(shop))
        assert not poll.poll(3000)
        assert poll.poll(15000)
    soon(shop)


def test_peers_that_never_close_cost_nothing(shop):
    idle = [Connection(shop.sockets[0]) for _ in range(100)]
    kept = [Connection(shop.sockets[0]) for _ in range(50)]
    for peer in kept:
        assert peer.ask('GET', '/api/health').status == 200
    for _ in range(20):
        soon(shop)
    for peer in kept:
        assert peer.ask('GET', '/api/health').status == 200
    for peer in idle + kept:
        peer.__exit__()


def test_half_a_request_holds_a_worker_for_two_seconds_at_most(shop):
    """Which nginx, having all of it, never sends."""
    whole = fastcgi.request('GET', '/api/health')
    for cut in (1, len(whole) - 1):
        with Connection(shop.sockets[0]) as peer:
            peer.send(whole[:cut])
            began = time.monotonic()
            assert fastcgi.ask(shop.sockets[0], 'GET',
                               '/api/health').status == 200
            assert time.monotonic() - began < 3 * READ_SECONDS
    soon(shop)


def test_o4_too_few_descriptors_only_make_clients_wait(shop):
    pid = shop.worker_pids()[0]
    few = max(int(f) for f in os.listdir(f'/proc/{pid}/fd')) + 11
    run('prlimit', '--pid', pid, f'--nofile={few}:')
    try:
        peers = [Connection(shop.sockets[0], 20) for _ in range(100)]
        for peer in peers:
            peer.send(fastcgi.request('GET', '/api/health'))
        for peer in peers:
            assert peer.answer().status == 200
            peer.__exit__()
        # Kept ones fill the table: a new client waits until one has gone.
        peers = [Connection(shop.sockets[0], 20) for _ in range(30)]
        for peer in peers:
            peer.send(fastcgi.request('GET', '/api/health', keep=True))
        time.sleep(0.2)
        assert descriptors(pid) <= few
        for peer in peers:
            assert peer.answer().status == 200
            peer.__exit__()
    finally:
        run('prlimit', '--pid', pid, '--nofile=1024:')
    assert shop.worker_pids()[0] == pid
    soon(shop)


# --- R15: bytes that are no request ---

def creation(shop, code):
    body = f'{{"name":"{code}","code":"{code}"}}'
    return fastcgi.request('POST', '/api/machines', bearer(shop), body)


def push(path, data):
    """Sends it, ends, and waits until the worker has closed."""
    with Connection(path) as peer:
        try:
            peer.send(data)
            peer.socket.shutdown(socket.SHUT_WR)
            while peer.socket.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.mark.seconds(300)
def test_r15_a_request_that_is_cut_anywhere_is_not_run(shop):
    pids, before = shop.worker_pids(), descriptors(shop.worker_pids()[0])
    whole = creation(shop, 'CUT')
    for cut in range(len(whole)):
        push(shop.sockets[0], whole[:cut])
        if cut % 20 == 0:
            soon(shop)
    assert made(shop, 'CUT') == 0
    push(shop.sockets[0], whole)
    assert made(shop, 'CUT') == 1
    assert shop.worker_pids() == pids
    assert descriptors(pids[0]) <= before + 1


def test_r15_nor_one_whose_length_is_not_what_it_says(shop):
    """A body that is shorter or longer than CONTENT_LENGTH is refused."""
    for said in (0, 1, 10, 1000, 2 ** 40, 2 ** 70, -1, 'x', '', '1e2'):
        answer = fastcgi.ask(
            shop.sockets[0], 'POST', '/api/machines', bearer(shop),
            '{"name":"LENGTH","code":"LENGTH"}', CONTENT_LENGTH=said)
        assert answer.status == 400, (said, answer)
    assert made(shop, 'LENGTH') == 0


def head(**more):
    """BEGIN and the parameters of a request for the health."""
    found = parameters('GET', '/api/health')
    found.update(more)
    return b''.join(pair(k, v) for k, v in found.items())


def whole(content, body=b''):
    return begin() + stream(PARAMS, content) + stream(STDIN, body)


GOOD = whole(head())
ABUSE = {
    'nothing': b'',
    'a zero': b'\0',
    'zeros': bytes(4096),
    'ones': b'\xff' * 4096,
    'http': b'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'tls': bytes.fromhex('16030100c8010000c40303') + bytes(200),
    'noise': random.Random(1).randbytes(5000),
    'version 0': b'\0' + GOOD[1:],
    'version 2': b'\2' + GOOD[1:],
    'version 255': b'\xff' + GOOD[1:],
    'no begin': stream(PARAMS, head()) + stream(STDIN, b''),
    'begin only': begin(),
    'begin twice': begin() + begin() + stream(PARAMS, head()),
    'begin after parameters': whole(head()) + begin(),
    'begin is empty': record(BEGIN, b'') + GOOD,
    'begin is short': record(BEGIN, b'\0\1\0\0') + GOOD,
    'begin is long': record(BEGIN, bytes(100)) + GOOD,
    'begin of an authorizer': GOOD.replace(begin(), begin(role=2)),
    'begin of a filter': GOOD.replace(begin(), begin(role=3)),
    'begin of role 0': GOOD.replace(begin(), begin(role=0)),
    'begin of role 65535': GOOD.replace(begin(), begin(role=65535)),
    'request 0': begin(request=0) + stream(PARAMS, head(), 0),
    'request 65535': fastcgi.request('GET', '/api/health', number=65535),
    'another request': begin() + stream(PARAMS, head(), 2) +
    stream(STDIN, b'', 2),
    'parameters of two': begin() + record(PARAMS, head()[:40]) +
    record(PARAMS, head()[40:], 2) + record(PARAMS),
    'stdin of another': begin() + stream(PARAMS, head()) +
    stream(STDIN, b'abc', 2),
    'abort': begin() + record(ABORT),
    'abort in parameters': begin() + record(PARAMS, head()[:30]) +
    record(ABORT),
    'abort in body': begin() + stream(PARAMS, head()) +
    record(STDIN, b'{') + record(ABORT),
    'end': begin() + record(END, bytes(8)),
    'stdout': begin() + record(STDOUT, b'Status: 200\r\n\r\n'),
    'stderr': begin() + record(STDERR, b'x'),
    'data': begin() + record(8, b'x') + stream(PARAMS, head()),
    'type 0': begin() + record(0, b'x'),
    'type 12': begin() + record(12, b'x'),
    'type 255': begin() + record(255, b'x' * 1000),
    'management of type 100': record(100, b'', 0) + GOOD,
    'one value asked for': record(GET_VALUES, pair('FCGI_MAX_CONNS', ''),
                                  0) + GOOD,
    'values cut off': record(GET_VALUES, b'\x0e', 0) + GOOD,
    'padding': begin() + record(PARAMS, head(), padding=255) +
    record(PARAMS, padding=8) + record(STDIN, padding=1),
    'padding cut off': begin() + record(PARAMS, head(), padding=255)[:-9],
    'byte by byte': begin() + b''.join(
        record(PARAMS, head()[i:i + 1]) for i in range(len(head()))) +
    record(PARAMS) + record(STDIN),
    'stdin first': begin() + stream(STDIN, b'') + stream(PARAMS, head()),
    'parameters twice': begin() + stream(PARAMS, head()) +
    stream(PARAMS, head()) + stream(STDIN, b''),
    'no parameters': whole(b''),
    'no marker': whole(head().replace(pair('REKLAM_END', 1), b'')),
    'marker first': whole(pair('REKLAM_END', 1) + head().replace(
        pair('REKLAM_END', 1), b'')),
    'marker of another value': whole(head(REKLAM_END='')),
    'no method': whole(head(REQUEST_METHOD='')),
    'no uri': whole(head(REQUEST_URI='')),
    'uri without a slash': whole(head(REQUEST_URI='api')),
    'uri of 60,000': whole(head(REQUEST_URI='/' + 'x' * 60000)),
    'uri with a nul': whole(head(REQUEST_URI=b'/api\0/health')),
    'uri of slashes': whole(head(REQUEST_URI='/' * 2000)),
    'uri with a broken escape': whole(head(REQUEST_URI='/%')),
    '1,000 parameters': whole(b''.join(
        pair(f'HTTP_X{i}', 'x') for i in range(1000)) + head()),
    'a parameter of 60,000': whole(pair('HTTP_X', 'x' * 60000) + head()),
    'a parameter without a name': whole(pair('', 'x') + head()),
    'a name with an equals sign': whole(pair('REQUEST_URI=/x', 'y') +
                                        head()),
    'the method twice': whole(pair('REQUEST_METHOD', 'POST') + head()),
    'a pair longer than its stream': whole(length(2000) + length(2000) +
                                           b'abc'),
    'half a length': whole(head() + b'\x80\0'),
    'a token of 60,000': whole(head(HTTP_AUTHORIZATION='Bearer ' +
                                    'x' * 60000)),
    'a body nobody announced': whole(head(), b'x' * 100000),
    'two at once': GOOD + GOOD,
    'two on a kept one': fastcgi.request('GET', '/api/health', keep=True) +
    GOOD,
    'a request and noise': GOOD + random.Random(2).randbytes(3000),
    'ten thousand empty records': begin() + record(PARAMS, head()) +
    record(PARAMS) + record(100, b'', 0) * 10000 + record(STDIN),
}


@pytest.mark.seconds(300)
def test_r15_no_bytes_harm_a_worker(shop):
    assert len(ABUSE) >= 60
    pids, before = shop.worker_pids(), descriptors(shop.worker_pids()[0])
    for name, data in ABUSE.items():
        push(shop.sockets[0], data)
        soon(shop)
        assert shop.worker_pids() == pids, name
    for _ in range(50 if not FULL else 2000):       # changed here and there
        data = bytearray(GOOD)
        for _ in range(random.randint(1, 4)):
            # Not the lengths of pairs: see F1 below.
            data[random.randrange(8)] = random.randrange(256)
        push(shop.sockets[0], bytes(data))
    soon(shop)
    assert shop.worker_pids() == pids
    assert descriptors(pids[0]) <= before + 1


def test_r15_what_follows_a_request_that_is_not_kept_is_not_run(shop):
    push(shop.sockets[0], GOOD + creation(shop, 'AFTER'))
    push(shop.sockets[0], ABUSE['no marker'] + creation(shop, 'AFTER'))
    push(shop.sockets[0], ABUSE['version 2'] + creation(shop, 'AFTER'))
    assert made(shop, 'AFTER') == 0


# --- F1, F2: what libfcgi itself does not survive ---

@pytest.mark.parametrize('data', [
    whole(struct.pack('!II', 0xfffffffe, 0xfffffffe) + b'x'),
    whole(struct.pack('!II', 0xc0000000, 0xc0000000) + b'x'),
    record(GET_VALUES, pair('FCGI_MAX_CONNS', '') * 4, 0) + GOOD,
], ids=['F1', 'F1 half', 'F2'])
def test_a_fault_of_libfcgi_costs_one_worker_for_a_moment(shop, data):
    """Only nginx could send it, and it cannot be made to: see below."""
    before = shop.worker_pids()
    push(shop.sockets[0], data)
    wait_until(lambda: set(shop.worker_pids()) == {0, 1} and shop.is_ready(),
               10)
    assert shop.worker_pids()[1] == before[1]
    soon(shop)
    assert 'process_ended worker=0' in shop.program.tail(60000)
    os.truncate(shop.program.log, 0)    # it is no finding in our code


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_nginxs_group_reaches_the_sockets(shop):
    for path in shop.sockets:
        assert mode(path) == 0o660
    assert mode(shop.settings['CONTROL_SOCKET']) == 0o600
    assert mode(shop.run) == 0o750          # as systemd makes it:
    (unit,) = (process.ROOT / 'etc').glob('reklamd.service*')
    unit = unit.read_text()
    assert 'RuntimeDirectoryMode=0750' in unit
    if process.USER:
        text = f'import socket; socket.socket(socket.AF_UNIX).connect(' \
               f'"{shop.sockets[0]}")'
        done = subprocess.run(['/usr/bin/python3', '-c', text],
                              user='nobody', group='nogroup',
                              extra_groups=[], capture_output=True,
                              text=True, cwd='/')
        assert 'PermissionError' in done.stderr


class Recorder(Responder):
    """Keeps the bytes that nginx sends."""

    def __init__(self, path):
        self.kinds, self.largest = set(), 0
        super().__init__(path)

    def finish_request(self, request, client):
        peer = fastcgi.Connection.__new__(fastcgi.Connection)
        peer.socket = request
        content = b''
        while True:
            kind, number, data = peer.record()
            self.kinds.add((kind, number))
            if kind == PARAMS:
                content += data
            if kind == STDIN and not data:
                break
        self.largest = max(self.largest, len(content))
        text = b'Status: 200\r\nContent-Length: 0\r\n\r\n'
        peer.send(stream(STDOUT, text) + record(END, bytes(8)))


def test_nginx_cannot_be_made_to_send_them(private):
    """One request, id 1, BEGIN, PARAMS and STDIN; pairs of few kilobytes."""
    directory = process.directory(private / 'recorded')
    recorder = Recorder(directory / 'w.sock')
    os.chmod(directory / 'w.sock', 0o666)
    web = WebServer(directory / 'nginx', [recorder.server_address])
    web.start()
    for text in (
            'GET /' + 'x' * 8000, 'POST /api/jobs', 'GET /api/%00%09%FF',
            'DELETE /api/' + '%ff' * 900, 'GET /?' + 'a=b&' * 1900):
        with socket.create_connection(('127.0.0.1', web.http_port)) as c:
            body = b'\1\t\0\0\0\x40\0\0' * 1000 if 'POST' in text else b''
            c.sendall(f'{text} HTTP/1.1\r\nHost: x\r\n'.encode() +
                      b'Authorization: ' + b'\xfe' * 7000 + b'\r\n'
                      b'FCGI_MAX_CONNS: 1\r\nContent-Type: ' +
                      b'y' * 5000 + b'\r\nConnection: close\r\n'
                      b'Content-Length: %d\r\n\r\n' % len(body) + body)
            while c.recv(65536):
                pass
    assert web.stop()
    recorder.stop()
    assert recorder.kinds == {(BEGIN, 1), (PARAMS, 1), (STDIN, 1)}
    assert recorder.largest < 65536


# --- R16: a request within a body ---

def forgery(shop, code, shift):
    """300 KB after so many bytes: requests again and again, each behind many
    records that mean nothing, so that a reader may begin in most places."""
    one = record(100, b'', 0) * 240 + creation(shop, code)
    one += bytes(-len(one) % FORGED)
    return bytes(shift) + one * (300000 // len(one))


def is_open(route):
    return set(route.access_words) & {'public', 'loopback'}


@pytest.mark.seconds(300)
def test_r16_no_route_runs_what_is_in_a_body(shop):
    pids = shop.worker_pids()
    for n, route in enumerate(routes()):
        path = route.path.replace('{id}', shop.large).replace(
            '{role_id}', shop.large)
        body = forgery(shop, 'FORGED', n % FORGED)
        for method in dict.fromkeys(('POST', route.method)):
            for token in (None, 'Bearer a.b.c'):
                with Connection(shop.sockets[n % 2]) as peer:
                    answer = peer.ask(method, path, {
                        'Authorization': token} if token else {}, body)
                    assert answer.status >= 400 or \
                        is_open(route), (label(route), answer)
                    assert answer.body, label(route)
                    # The next answer on it is that of the next request.
                    assert peer.ask('GET', '/api/health/ready').json
    assert shop.worker_pids() == pids
    assert made(shop, 'FORGED') == 0


@pytest.mark.parametrize('method, path', [
    ('GET', '/api/jobs'), ('GET', '/api/health'), ('GET', '/nowhere'),
    ('POST', '/api/jobs'), ('POST', '/api/auth/login'), ('PUT', '/api/jobs'),
    ('GET', '/' + 'x' * 3000), ('BREW', '/%')])
def test_r16_at_every_alignment(shop, method, path):
    for shift in range(FORGED):
        with Connection(shop.sockets[0]) as peer:
            peer.ask(method, path, {}, forgery(shop, 'SHIFT', shift))
            assert peer.ask('GET', '/api/health').json['status']
    assert made(shop, 'SHIFT') == 0


def test_r16_through_nginx(shop):
    """Reads travel on kept connections, with a body if a client wants it."""
    pids = shop.worker_pids()
    for n, route in enumerate(routes()):
        path = route.path.replace('{id}', shop.large).replace(
            '{role_id}', shop.large)
        for method in dict.fromkeys(('GET', 'POST', route.method)):
            body = forgery(shop, 'NGINX', n % FORGED)
            answer = shop.ask(method, path, body)
            assert answer.status >= 400 or is_open(route), label(route)
    assert shop.get('/api/auth/me', 'manager').status == 200
    assert shop.worker_pids() == pids
    assert made(shop, 'NGINX') == 0


def test_a_body_that_is_too_large_is_read_and_refused(shop):
    large = forgery(shop, 'LARGE', 0)
    large = (large * 4)[:1 << 20]
    with Connection(shop.sockets[0]) as peer:
        for path, status in (('/api/auth/login', 413), ('/api/jobs', 401),
                             ('/api/nowhere', 404)):
            assert peer.ask('POST', path, {}, large).status == status
        assert peer.ask('POST', '/api/jobs', {}, large + b'x').status == 413
        assert peer.ask('POST', '/api/jobs', bearer(shop),
                        large).status == 400
        assert peer.ask('GET', '/api/health').status == 200
    assert made(shop, 'LARGE') == 0


# --- R17: a worker dies while it answers ---

def read_some(shop, client):
    """(announced, arrived) of the large answer; the workers die midway."""
    request = (f'GET /api/jobs/{shop.large} HTTP/1.1\r\nHost: x\r\n'
               f'Authorization: Bearer {shop.login("manager")}\r\n'
               'Connection: close\r\n\r\n')
    client.sendall(request.encode())
    found = client.recv(random.randint(1, 100000))
    for pid in shop.worker_pids().values():
        os.kill(pid, signal.SIGKILL)
    try:
        while more := client.recv(1 << 20):
            found += more
    except ConnectionResetError:
        pass
    first, _, body = found.partition(b'\r\n\r\n')
    return first.decode('latin-1').lower(), body


@pytest.mark.seconds(1200)
def test_r17_a_short_answer_never_looks_complete(shop):
    cut = 0
    for _ in range(20 if not FULL else 1000):
        wait_until(lambda: len(shop.worker_pids()) == 2 and shop.is_ready(),
                   20)
        with socket.create_connection(
                ('127.0.0.1', shop.web.http_port), 30) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            first, body = read_some(shop, client)
        if ' 200 ' not in first:
            assert ' 503 ' in first
            continue
        assert 'transfer-encoding' not in first
        announced = int(first.partition('content-length: ')[2].split()[0])
        assert announced > LARGE and len(body) <= announced
        cut += len(body) < announced
    assert cut > 0
    wait_until(shop.is_ready, 20)
