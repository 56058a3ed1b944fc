"""GET /api/metrics and GET /api/openapi.json: the tables, as others read
them."""

import json
import re
import shutil
import subprocess

import pytest

import process
import routes

LINE = re.compile(r'^(reklam_\w+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf|NaN)$')


def read(text):
    """{name: {labels: value}}, after the rules of the text format."""
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith('# TYPE '):
            name = line.split()[2]
            assert name not in typed, f'{name} is described twice'
            typed.add(name)
            continue
        if line.startswith('# HELP '):
            continue
        match = LINE.match(line)
        assert match, line
        name, labels, value = match.groups()
        base = re.sub(r'_(bucket|sum|count)$', '', name)
        assert name in typed or base in typed, f'{name} has no type'
        place = found.setdefault(name, {})
        assert labels not in place, f'{line} is there twice'
        place[labels] = float(value)
    return found


def total(metrics, name, part=''):
    return sum(v for k, v in metrics.get(name, {}).items()
               if part in (k or ''))


def test_what_was_asked_is_counted(shop):
    before = read(shop.get('/api/metrics').body.decode())
    for _ in range(7):
        for worker in shop.workers():
            assert worker.get('/api/machines?limit=3',
                              who='manager').status == 200
    shop.worker(0).get('/api/jobs/nonsense', who='manager')
    after = read(shop.get('/api/metrics').body.decode())

    def more(name, part=''):
        return total(after, name, part) - total(before, name, part)

    route = 'route="/api/machines"'
    assert more('reklam_http_requests_total', route) == 14
    assert more('reklam_http_request_seconds_count', route) == 14
    assert more('reklam_http_requests_total',
                'route="/api/jobs/{id}",status="4xx"') == 1
    assert more('reklam_hits_total') + more('reklam_misses_total') + \
        more('reklam_waits_total') >= 14
    assert more('reklam_hits_total') >= 12


def test_histograms_only_grow_and_end_with_all(shop):
    metrics = read(shop.get('/api/metrics').body.decode())
    for name, lines in metrics.items():
        if not name.endswith('_bucket'):
            continue
        series = {}
        for labels, value in lines.items():
            rest = re.sub(r',?le="[^"]*"', '', labels)
            series.setdefault(rest, []).append(value)
        counts = {re.sub(r',$', '', k or ''): v for k, v in
                  metrics[name.replace('_bucket', '_count')].items()}
        for rest, values in series.items():
            assert values == sorted(values), f'{name} {rest}'
            assert values[-1] == counts[rest.rstrip(',')], f'{name} {rest}'


def test_counters_survive_a_killed_worker(shop):
    import os
    import signal
    for _ in range(20):
        shop.worker(0).get('/api/health')
    before = total(read(shop.get('/api/metrics').body.decode()),
                   'reklam_requests_total')
    os.kill(shop.worker_pids()[0], signal.SIGKILL)
    process.wait_until(shop.is_ready)
    after = read(shop.get('/api/metrics').body.decode())
    assert total(after, 'reklam_requests_total') >= before
    assert total(after, 'reklam_worker_restarts_total') == 1


def test_metrics_are_for_this_machine_or_a_right(shop):
    import fastcgi
    plain = fastcgi.ask(shop.sockets[0], 'GET', '/api/metrics',
                        REMOTE_ADDR='192.0.2.7')
    assert plain.status == 401
    token = shop.login('operator')
    with_token = fastcgi.ask(
        shop.sockets[0], 'GET', '/api/metrics',
        {'Authorization': f'Bearer {token}'},
        REMOTE_ADDR='192.0.2.7')
    assert with_token.status == 403
    token = shop.login('manager')
    manager = fastcgi.ask(
        shop.sockets[0], 'GET', '/api/metrics',
        {'Authorization': f'Bearer {token}'},
        REMOTE_ADDR='192.0.2.7')
    assert manager.status == 200


RULES = process.ROOT / 'etc/prometheus/reklam.rules.yml'


def promtool(*words, input=None):
    if not shutil.which('promtool'):
        pytest.skip('promtool is not installed (Debian: prometheus)')
    done = subprocess.run(['promtool', *map(str, words)], text=True,
                          input=input, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.once
def test_promtool_finds_nothing(shop):
    assert not promtool('check', 'metrics', input=shop.get(
        '/api/metrics').body.decode())
    promtool('check', 'rules', '--lint=all', '--lint-fatal', RULES)


@pytest.mark.once
def test_prometheus_takes_the_settings_that_the_rules_tell(tmp_path):
    told = re.search(r'^# scrape_configs:\n(#   .*\n)+',
                     RULES.read_text(), re.M)[0]
    token = tmp_path / 'reklam-token'
    token.write_text('a.b.c')
    assert '/etc/prometheus/reklam-token' in told
    path = tmp_path / 'prometheus.yml'
    path.write_text(re.sub('^# ', '', told, flags=re.M).replace(
        '/etc/prometheus/reklam-token', str(token)))
    assert 'SUCCESS' in promtool('check', 'config', path)


# What an alert needs to fire, after 20 minutes; nothing else fires with it.
FIRING = {
    'ReklamPoolHigh': {'reklam_pool_busy{slot="0"}': '5x30',
                       'reklam_pool_busy{slot="1"}': '4x30',
                       'reklam_pool_max': '10x30'},
    'ReklamHitsLow': {'reklam_hits_total{slot="0"}': '0+600x30',
                      'reklam_waits_total{slot="0"}': '0+60x30',
                      'reklam_misses_total{slot="0"}': '0+700x30'},
    'ReklamAnswersSlow': {
        'reklam_http_request_seconds_bucket{le="0.05"}': '0+90x30',
        'reklam_http_request_seconds_bucket{le="0.2"}': '0+100x30',
        'reklam_http_request_seconds_bucket{le="+Inf"}': '0+100x30'},
    'ReklamDown': {'up{job="reklam"}': '0x30'},
    'ReklamDatabaseUnreachable': {'reklam_database_unreachable': '1x30'},
    'ReklamListenerLost': {'reklam_listener_trusted': '0x30'},
    'ReklamErrors': {
        'reklam_http_requests_total{status="5xx"}': '0+2x30',
        'reklam_http_requests_total{status="2xx"}': '0+98x30'},
    'ReklamRefusing': {'reklam_refused_total{slot="0"}': '0+60x30',
                       'reklam_waited_out_total{slot="0"}': '0x30'},
    'ReklamWorkersDie': {'reklam_worker_restarts_total{slot="0"}': '0+1x30'},
    'ReklamLogLost': {'reklam_log_dropped_total{slot="0"}': '0+1x30'},
}


@pytest.mark.once
def test_each_alert_fires(tmp_path):
    named = re.findall(r'- alert: (\w+)', RULES.read_text())
    assert named == list(FIRING)
    path = tmp_path / 'tests.yml'
    path.write_text(json.dumps({'rule_files': [str(RULES)], 'tests': [{
        'interval': '1m',
        'input_series': [{'series': name, 'values': values}
                         for name, values in series.items()],
        'promql_expr_test': [{
            'expr': 'count by (alertname) (ALERTS{alertstate="firing"})',
            'eval_time': '20m',
            'exp_samples': [{'labels': f'{{alertname="{alert}"}}',
                             'value': 1}]}]}
        for alert, series in FIRING.items()]}))
    assert 'SUCCESS' in promtool('test', 'rules', path)


@pytest.mark.once
def test_alerts_speak_of_metrics_that_exist(shop):
    shop.get('/api/machines', who='manager')
    there = set(read(shop.get('/api/metrics').body.decode()))
    rules = re.sub(r'#.*', '', RULES.read_text())
    for name in re.findall(r'reklam_\w+', rules):
        assert name in there, name


# --- OpenAPI ---

@pytest.fixture(scope='module')
def document(shop):
    answer = shop.get('/api/openapi.json')
    assert answer.status == 200
    return answer.json


def test_every_route_is_in_the_document(document):
    there = {(method.upper(), path)
             for path, operations in document['paths'].items()
             for method in operations}
    assert there == {(r.method, r.path) for r in routes.routes()}


def test_the_document_says_who_may(document):
    for r in routes.routes():
        operation = document['paths'][r.path][r.method.lower()]
        assert operation['x-access'] == r.access
        assert ('security' in operation) == (r.access == 'public')
        assert operation['summary']


def test_parameters_are_those_of_the_tables(document):
    for r in routes.routes():
        operation = document['paths'][r.path][r.method.lower()]
        found = {(p['in'], p['name']) for p in
                 operation.get('parameters', [])}
        path = {('path', n) for n in re.findall(r'{(\w+)}', r.path)}
        query = {('query', f.name) for f in r.fields if f.source == 'QUERY'}
        assert found == path | query, r.path
        body = {f.name for f in r.fields if f.source == 'BODY'}
        schema = operation.get('requestBody', {}).get('content', {}).get(
            'application/json', {}).get('schema', {})
        assert set(schema.get('properties', {})) == body, r.path


def test_the_document_is_openapi(document):
    """The rules of OpenAPI 3.1 that such a document can break."""
    assert document['openapi'] == '3.1.0'
    assert document['info']['title'] and document['info']['version']
    for path, operations in document['paths'].items():
        assert path.startswith('/')
        names = re.findall(r'{(\w+)}', path)
        assert len(names) == len(set(names))
        for method, operation in operations.items():
            assert method in ('get', 'post', 'patch', 'delete')
            assert operation['responses']
            for status, response in operation['responses'].items():
                assert re.fullmatch(r'[1-5](\d\d|XX)', status)
                assert response['description']
            for p in operation.get('parameters', []):
                assert p['in'] != 'path' or p['required'] is True
                assert 'schema' in p
            for ref in re.findall(r"'\$ref': '([^']+)'", repr(operation)):
                node = document
                for part in ref.lstrip('#/').split('/'):
                    node = node[part]


def test_a_client_that_has_the_document_gets_304(shop):
    first = shop.get('/api/openapi.json')
    again = shop.get('/api/openapi.json',
                     headers={'If-None-Match': first.headers['etag']})
    assert (again.status, again.body) == (304, b'')
