"""Flask's habits: a pool of psycopg2, a dictionary per process as cache."""

import functools
import hashlib
import json
import os
import time

import jwt
from flask import Flask, Response, g, jsonify, request
from psycopg2.extensions import connection as Plain
from psycopg2.extras import register_default_json, register_default_jsonb
from psycopg2.pool import ThreadedConnectionPool

with open(os.environ['PEER_SETTINGS'], encoding='utf-8') as file:
    SETTINGS = json.load(file)
THREADS = int(os.environ['PEER_THREADS'])
STATEMENTS, TEXTS = SETTINGS['statements'], SETTINGS['texts']
TODAY = SETTINGS['today']
app = Flask(__name__)
cache = {}


class Connection(Plain):
    """One round trip a statement, and each prepared once."""

    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        self.autocommit = True
        self.prepared = set()


# It closes what is above its minimum as soon as it is given back.
pool = ThreadedConnectionPool(
    THREADS, THREADS, SETTINGS['dsn'], options=SETTINGS['options'],
    connection_factory=Connection)
# The statements' JSON is passed on as text.
register_default_json(loads=str, globally=True)
register_default_jsonb(loads=str, globally=True)


def run(name, **values):
    statement = STATEMENTS[name]
    connection = pool.getconn()
    try:
        with connection.cursor() as cursor:
            if name not in connection.prepared:
                cursor.execute(f'PREPARE {name} AS {statement["numbered"]}')
                connection.prepared.add(name)
            cursor.execute(
                f'EXECUTE {name} ({statement["places"]})',
                [values.get(a) for a in statement['arguments']])
            columns = [c.name for c in cursor.description]
            row = cursor.fetchone()
            return dict(zip(columns, row)) if row else None
    finally:
        pool.putconn(connection)


def token_required(view):
    @functools.wraps(view)
    def checked(*args, **kwargs):
        words = request.headers.get('Authorization', '').split(' ')
        try:
            g.user = jwt.decode(words[1], SETTINGS['secret'],
                                algorithms=['HS256'])
        except (IndexError, jwt.PyJWTError):
            return jsonify(error=TEXTS['token_invalid']), 401
        return view(*args, **kwargs)
    return checked


def cached(ttl):
    def decorate(view):
        @functools.wraps(view)
        def looked_up(*args, **kwargs):
            key = view.__name__ + ':' + hashlib.md5(json.dumps(
                [g.user['user_id'], request.args]).encode()).hexdigest()
            found = cache.get(key)
            if found and found[0] > time.time():
                return found[1]
            answer = view(*args, **kwargs)
            cache[key] = time.time() + ttl, answer
            return answer
        return looked_up
    return decorate


def answer(row):
    if row is None:
        return jsonify(error=TEXTS['not_found']), 404
    body = row['body']
    if row.get('message'):
        words = json.dumps(TEXTS[row['message']])
        body = f'{{"message":{words},{body[1:]}'
    return Response(body, row.get('status') or 200,
                    content_type='application/json')


def stats():
    operator = g.user['role'] == 'operator'
    return answer(run('dashboard_stats', today=TODAY,
                      operator=g.user['user_id'] if operator else None))


@app.get('/api/dashboard/stats')
@token_required
@cached(30)
def get_dashboard_stats():
    return stats()


@app.get('/uncached/dashboard/stats')
@token_required
def uncached_stats():
    return stats()


@app.get('/api/jobs')
@token_required
def jobs():
    return answer(run('jobs', limit=request.args.get('limit'),
                      offset=request.args.get('offset'), today=TODAY))


@app.get('/api/jobs/<job>')
@token_required
def job(job):
    return answer(run('job', id=job))


@app.get('/api/customers')
@token_required
def customers():
    return answer(run('customers', search=request.args.get('search'),
                      limit=request.args.get('limit')))


@app.post('/api/jobs/steps/<step>/notes')
@token_required
def note(step):
    return answer(run('step_note', id=step, me=g.user['user_id'],
                      body=json.dumps(request.get_json())))
