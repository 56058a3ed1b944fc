"""nginx/: what the site lets through, and what it says itself."""

import http.client
import json
import os
import re
import socket
import ssl
import warnings
from types import SimpleNamespace

import pytest

import process
from fake_fastcgi import Responder
from fastcgi import Answer
from process import ROOT, free_port, run, wait_until
from shop import Browser
from web_server import WebServer

pytestmark = pytest.mark.once

SECURITY = {
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
        "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
}
ORIGINS = '"https://shop.example.org" $http_origin;\n'


def site(directory, **words):
    """nginx before two fake workers."""
    process.directory(directory)
    responders = []
    for i in range(2):
        path = directory / f'worker-{i}.sock'
        responders.append(Responder(path))
        os.chmod(path, 0o666)
    web = WebServer(directory / 'nginx', [r.server_address
                                          for r in responders], **words)
    web.start()
    browser = Browser(SimpleNamespace(web=web))
    return SimpleNamespace(web=web, responders=responders, browser=browser,
                           get=browser.get, post=browser.post,
                           ask=browser.ask)


def end(found):
    found.browser.close()
    for responder in found.responders:
        responder.stop()
    assert found.web.stop()


@pytest.fixture(scope='module')
def web(private):
    found = site(private / 'web', files={'reklam-origins.conf': ORIGINS},
                 names={'LOGIN_RATE': '1000r/s'})
    yield found
    end(found)


def parameters(answer):
    return dict(answer.json['parameters'])


def seen(web):
    return sum(len(r.seen) for r in web.responders)


# --- what reaches a worker ---

def test_a_worker_gets_what_fcgi_h_names_and_no_more(web):
    answer = web.get('/api/jobs?search=x', headers={
        'Authorization': 'Bearer a.b.c', 'If-None-Match': '"1"',
        'Accept-Encoding': 'gzip', 'Accept-Language': 'tr',
        'Content-Type': 'text/plain',
        'X-User-Id': 'admin', 'REMOTE_USER': 'admin', 'Me': 'admin',
        'X-Forwarded-For': '1.2.3.4', 'Proxy': 'http://evil',
        'X_Forwarded_For': '1.2.3.4', 'Cookie': 'a=b'})
    names = [name for name, _ in answer.json['parameters']]
    header = (ROOT / 'src/fcgi.h').read_text()
    listed = re.search(r'define FCGI_PARAMETERS\(X\)(.*?)\n\n', header,
                       re.DOTALL).group(1)
    expected = re.findall(r'X\((\w+)\)', listed)
    expected.remove('CONTENT_LENGTH')
    assert names == expected
    assert names[-1] == 'REKLAM_END'
    assert parameters(answer)['REQUEST_URI'] == '/api/jobs?search=x'
    assert parameters(answer)['REMOTE_ADDR'] == '127.0.0.1'


def test_the_uri_arrives_as_it_was_sent(web):
    for path in ('/api//jobs', '/api/%6aobs', '/api/x/../jobs', '/api/ş?ğ=1'):
        raw = f'GET {path} HTTP/1.1\r\nHost: localhost\r\n' \
              'Connection: close\r\n\r\n'
        head, body = plain(web, raw.encode())
        assert parameters_of(body)['REQUEST_URI'] \
            == path.encode().decode('latin-1')


def exchange(s, data):
    """Bytes to nginx; all that comes back until it closes."""
    s.sendall(data)
    found = b''
    try:
        while more := s.recv(65536):
            found += more
    except ConnectionResetError:
        pass                    # it waited for more, or had not read all
    return found


def plain(web, data):
    """Head and body of what comes back."""
    with socket.create_connection(('127.0.0.1', web.web.http_port), 10) as s:
        found = exchange(s, data)
    head, _, body = found.partition(b'\r\n\r\n')
    return head.decode('latin-1'), body


def parameters_of(body):
    return dict(json.loads(body)['parameters'])


def test_two_authorizations_are_refused(web):
    head, body = plain(web, b'GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n'
                       b'Authorization: Bearer a\r\n'
                       b'Authorization: Bearer b\r\nConnection: close\r\n'
                       b'\r\n')
    assert ' 400 ' in head
    assert json.loads(body)['error']


def test_a_chunked_body_arrives_with_its_length(web):
    answer = web.post('/api/jobs', iter([b'{"a":', b'1}']))
    assert answer.json['body'] == '{"a":1}'
    assert parameters(answer)['CONTENT_LENGTH'] == '7'


def test_reads_use_kept_connections_and_writes_do_not(web):
    def connections(method):
        before = sum(r.connections for r in web.responders)
        for _ in range(20):
            assert web.ask(method, '/api/jobs').status == 200
        return sum(r.connections for r in web.responders) - before
    assert connections('GET') <= 8      # 2 nginx workers, 2 sockets, reserve
    assert connections('POST') == 20
    assert connections('PATCH') == 20
    assert connections('DELETE') == 20


@pytest.mark.parametrize('method, most', [
    ('GET', 6), ('HEAD', 6), ('POST', 1), ('PATCH', 1), ('DELETE', 1),
    ('PUT', 1)])
def test_only_reads_are_repeated(web, method, most):
    before = seen(web)
    answer = web.ask(method, '/die')
    assert answer.status == 503
    # Three times; what failed on a kept connection does not count for nginx.
    assert min(most, 3) <= seen(web) - before <= most


def test_health_and_login_are_repeated_as_their_method_allows(web):
    assert parameters(web.get('/api/health'))['REQUEST_URI'] == '/api/health'
    assert web.get('/api/health/ready').status == 200
    assert web.get('/api/metrics').status == 200
    assert web.post('/api/auth/login', {}).status == 200
    assert web.get('/api/export/jobs.csv').status == 200


def test_what_a_worker_says_to_nginx_stays_there(web):
    answer = web.get('/api/jobs')
    assert answer.status == 200
    assert 'x-powered-by' not in answer.headers
    assert 'x-accel-redirect' not in answer.headers


# --- what nginx says itself ---

def is_refusal(answer, status, text=None):
    assert answer.status == status
    assert answer.headers['content-type'] == 'application/json'
    assert list(answer.json) == ['error']
    if text:
        assert answer.json['error'] == text
    for name, value in SECURITY.items():
        assert answer.headers[name] == value
    assert re.fullmatch('[0-9a-f]{32}', answer.headers['x-request-id'])


def test_a_worker_that_dies_or_talks_nonsense_is_503(web):
    for path in ('/die', '/garbage'):
        answer = web.get(path)
        is_refusal(answer, 503)
        assert answer.headers['retry-after'] == '1'
        assert 'nginx' not in answer.headers['server'].replace('nginx', '', 1)


def test_no_worker_is_503(private):
    found = site(private / 'alone')
    for responder in found.responders:
        responder.stop()
    for method in ('GET', 'POST', 'PATCH', 'DELETE'):
        answer = found.ask(method, '/api/jobs')
        is_refusal(answer, 503)
        assert answer.headers['retry-after'] == '1'
    is_refusal(found.get('/api/jobs', headers={'Accept-Language': 'tr'}),
               503, 'Sunucu şu anda meşgul, lütfen biraz sonra tekrar '
                    'deneyin')
    assert found.web.stop()


def test_a_large_body_is_413(web):
    is_refusal(web.post('/api/jobs', b'x' * (1 << 20 | 1)), 413)
    is_refusal(web.post('/api/x.html', b'x' * (1 << 20 | 1)), 413)
    assert web.post('/api/jobs', b'x' * (1 << 20)).status == 200
    is_refusal(web.post('/api/auth/login', b'x' * 4097), 413)
    is_refusal(web.post('/api/auth/login', iter([b'x' * 4097])), 413)


@pytest.mark.parametrize('request_line, more, status', [
    ('GET /' + 'x' * 9000 + ' HTTP/1.1', '', 414),
    ('GET / HTTP/1.1', 'X: ' + 'x' * 9000 + '\r\n', 400),
    ('GET / HTTP/1.1', ''.join(f'X{i}: 1\r\n' for i in range(80)), 400),
    ('GET / HTTP/1.1', 'Content-Length: 1\r\n'
                       'Transfer-Encoding: chunked\r\n', 400),
    ('GET / HTTP/1.1', 'Host: other\r\n', 400),
    ('GET /%zz HTTP/1.1', '', 400),
    ('TRACE / HTTP/1.1', '', 405),
], ids=['long', 'long header', 'many headers', 'two lengths', 'two hosts',
        'bad escape', 'trace'])
def test_a_malformed_request_is_refused_as_json(web, request_line, more,
                                                status):
    head, body = plain(web, (f'{request_line}\r\nHost: localhost\r\n{more}'
                             'Connection: close\r\n\r\n').encode())
    assert f' {status} ' in head
    assert json.loads(body)['error']
    assert 'X-Frame-Options: DENY' in head
    assert 'nginx/' not in head


def test_what_the_page_has_not_is_refused_as_json(web):
    for path in ('/web/nothing.js', '/web/lib/chart.js/nothing'):
        is_refusal(web.get(path), 404)
    is_refusal(web.get('/web/nothing', headers={'Accept-Language': 'tr'}),
               404, 'Böyle bir sayfa yok')
    is_refusal(web.get('/web/pages/'), 403)
    is_refusal(web.post('/web/main.js', {}), 403)
    assert web.get('/web/main.js').status == 200


def test_guessing_passwords_is_429(private):
    found = site(private / 'slow', names={'LOGIN_RATE': '1r/m'})
    answers = [found.post('/api/auth/login', {}) for _ in range(30)]
    assert [a.status for a in answers] == [200] * 21 + [429] * 9
    is_refusal(answers[-1], 429)
    assert answers[-1].headers['retry-after'] == '5'
    assert found.get('/api/jobs').status == 200
    end(found)


def test_every_answer_carries_the_security_headers_once(web):
    for answer in (web.get('/api/jobs'), web.ask('HEAD', '/api/jobs'),
                   web.ask('OPTIONS', '/api/jobs', headers={
                       'Access-Control-Request-Method': 'PATCH'})):
        assert answer.status == 200
        for name, value in SECURITY.items():
            assert answer.headers[name] == value
    head, _ = plain(web, b'GET /api/jobs HTTP/1.0\r\n\r\n')
    assert head.count('X-Request-Id') == 1


# --- pages of other origins ---

def test_a_listed_origin_may_read_and_others_may_not(web):
    answer = web.get('/api/jobs', headers={
        'Origin': 'https://shop.example.org'})
    assert answer.headers['access-control-allow-origin'] \
        == 'https://shop.example.org'
    assert 'X-Total-Count' in answer.headers['access-control-expose-headers']
    for origin in ('https://shop.example.org.evil.example', 'null',
                   'http://shop.example.org', 'https://evil.example'):
        answer = web.get('/api/jobs', headers={'Origin': origin})
        assert answer.status == 200
        assert 'access-control-allow-origin' not in answer.headers
        assert answer.headers['vary'] == 'Origin'


@pytest.mark.parametrize('path', ['/api/jobs', '/api/auth/login',
                                  '/api/health', '/api/export/jobs.csv'])
def test_nginx_answers_the_preflight(web, path):
    before = seen(web)
    answer = web.ask('OPTIONS', path, headers={
        'Origin': 'https://shop.example.org',
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'authorization,content-type'})
    assert answer.status == 200 and answer.body == b''
    assert answer.headers['access-control-allow-origin'] \
        == 'https://shop.example.org'
    assert answer.headers['access-control-allow-methods'] \
        == 'DELETE, GET, OPTIONS, PATCH, POST, PUT'
    assert 'Authorization' in answer.headers['access-control-allow-headers']
    assert answer.headers['access-control-max-age'] == '3600'
    assert seen(web) == before
    assert web.ask('OPTIONS', path).json       # a plain one is the program's


# --- TLS ---

def context(**words):
    found = ssl.create_default_context()
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    for name, value in words.items():
        setattr(found, name, value)
    return found


def handshake(web, tls, name='localhost'):
    with socket.create_connection(('127.0.0.1', web.web.https_port),
                                  10) as raw:
        with tls.wrap_socket(raw, server_hostname=name) as s:
            return s.version()


def test_tls_is_1_2_or_1_3(web):
    V = ssl.TLSVersion
    assert handshake(web, context()) == 'TLSv1.3'
    assert handshake(web, context(maximum_version=V.TLSv1_2)) == 'TLSv1.2'
    old = context()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        old.minimum_version, old.maximum_version = V.TLSv1, V.TLSv1_1
    old.set_ciphers('ALL:@SECLEVEL=0')
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(web, old)


def test_another_name_gets_no_handshake(web):
    for name in ('other.example.org', None):
        with pytest.raises(ssl.SSLError, match='UNRECOGNIZED_NAME'):
            handshake(web, context(), name)


def test_http2_works(web):
    done = run('curl', '-sk', '--http2', '-w', '%{http_version} %{http_code}',
               '-o', '/dev/null', f'https://localhost:{web.web.https_port}'
               '/api/jobs')
    assert done.stdout == '2 200'


def test_port_80_sends_to_tls_and_shows_certbots_proofs(private):
    port = free_port()
    directory = private / 'plain'
    found = site(directory, names={'HTTP_LISTEN': f'127.0.0.1:{port}'},
                 more=f'include {directory}/nginx/reklam-http.conf;')

    def get(path):
        c = http.client.HTTPConnection('127.0.0.1', port)
        c.request('GET', path, headers={'Host': 'localhost'})
        return c.getresponse()
    r = get('/x?y=1')
    assert r.status == 301
    assert r.getheader('Location') == 'https://localhost/x?y=1'
    # There is none now, which is not asked over TLS.
    assert get('/.well-known/acme-challenge/none').status == 404
    end(found)


# --- logs, proxies, the installed files ---

def test_the_log_holds_no_query_and_no_key(web):
    answer = web.get('/api/jobs?search=geheim', headers={
        'Authorization': 'Bearer geheim'})
    log = web.web.directory / 'reklam-access.log'
    wait_until(lambda: answer.headers['x-request-id'] in log.read_text(), 5,
               'the line in the log')
    assert parameters(answer)['REQUEST_ID'] == answer.headers['x-request-id']
    line, = re.findall(rf'.*{answer.headers["x-request-id"]}.*',
                       log.read_text())
    assert ' GET /api/jobs HTTP/1.1 200 ' in line
    assert 'geheim' not in log.read_text()


@pytest.fixture(scope='module')
def proxied(private):
    """A load balancer before the site, both as reklam-guide(7) tells it."""
    inner, outer = free_port(), free_port()
    guide = (ROOT / 'man/reklam-guide.7').read_text()
    server, trust, location = re.findall(
        r'\.Bd -literal.*\n((?:.*\n)*?)\.Ed', guide.split(
            '.Sh BEHIND ANOTHER PROXY')[1].split('\n.Sh ')[0])
    directory = private / 'proxied'

    def local(text):
        return text.replace('192.0.2.6:8080', f'127.0.0.1:{inner}').replace(
            '192.0.2.5', '127.0.0.1').replace(
            '/etc/nginx', f'{directory}/nginx')
    found = site(directory, names={'LOGIN_RATE': '1r/m'},
                 files={'reklam-proxy.conf': local(trust)},
                 more=local(server) + f'''
    server {{
        listen 127.0.0.1:{outer};
        {local(location)}
    }}''')
    found.port = outer
    yield found
    end(found)


def through(proxied, method, path, come_from='127.0.0.1', headers=None):
    """Asks the load balancer, from an address of this machine."""
    c = http.client.HTTPConnection('127.0.0.1', proxied.port, timeout=10,
                                   source_address=(come_from, 0))
    c.request(method, path, headers={'Host': 'shop.example.org',
                                     **(headers or {})})
    r = c.getresponse()
    found = Answer(r.status, r.getheaders(), r.read())
    c.close()
    return found


def test_behind_a_proxy_the_client_is_who_came_to_it(proxied):
    for address in '127.0.0.2', '127.0.0.3':
        for forged in None, '192.0.2.7', '192.0.2.7, 127.0.0.9':
            answer = through(proxied, 'GET', '/api/jobs', address,
                             forged and {'X-Forwarded-For': forged})
            assert parameters(answer)['REMOTE_ADDR'] == address
            assert answer.headers['x-frame-options'] == 'DENY'


def test_who_comes_past_the_proxy_names_nobody(proxied):
    c = http.client.HTTPConnection('127.0.0.1', proxied.web.http_port,
                                   source_address=('127.0.0.4', 0))
    c.request('GET', '/api/jobs', headers={'X-Forwarded-For': '192.0.2.7'})
    assert dict(json.loads(c.getresponse().read())['parameters'])[
        'REMOTE_ADDR'] == '127.0.0.4'
    c.close()


def test_behind_a_proxy_each_client_has_his_own_attempts(proxied):
    def statuses(address):
        return [through(proxied, 'POST', '/api/auth/login', address).status
                for _ in range(23)]
    expected = [200] * 21 + [429] * 2
    assert statuses('127.0.0.5') == statuses('127.0.0.6') == expected


def test_what_is_installed_passes_nginx_t(web, private):
    """With Debian's own nginx.conf around it, but for ports and paths."""
    directory = process.directory(private / 'debian')
    web.web.write()
    conf = re.sub(r'^\s*(user|pid|include /etc/nginx/(modules|conf|sites)).*$',
                  '', open('/etc/nginx/nginx.conf').read(), flags=re.M)
    source = web.web.directory
    conf = conf.replace('/var/log/nginx', str(directory))
    conf = f'include {source}/reklam-main.conf;\npid {directory}/pid;\n' \
        + conf.replace('\nhttp {', f'''
http {{
	include {source}/reklam.conf;
	include {source}/reklam-site.conf;
	include {source}/reklam-http.conf;
	client_body_temp_path {directory}/body;
	fastcgi_temp_path {directory}/fastcgi;
	proxy_temp_path {directory}/proxy;
	scgi_temp_path {directory}/scgi;
	uwsgi_temp_path {directory}/uwsgi;
''')
    process.write(directory / 'nginx.conf', conf)
    done = run(process.program('nginx', 'NGINX'), '-t', '-c',
               directory / 'nginx.conf', '-e', directory / 'error.log')
    assert 'syntax is ok' in done.stderr
    assert 'warn' not in done.stderr
