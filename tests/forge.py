"""Tokens that are not as they should be."""

import base64
import hashlib
import hmac
import json
import time


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def decode(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def claims(token):
    return json.loads(decode(token.split('.')[1]))


def signed(body, secret, head=None, digest='sha256'):
    """A token; `body` are its claims."""
    head = head or {'alg': 'HS256', 'typ': 'JWT'}
    text = '.'.join(encode(json.dumps(part).encode())
                    for part in (head, body))
    mac = hmac.digest(secret.encode(), text.encode(),
                      getattr(hashlib, digest))
    return f'{text}.{encode(mac)}'


def expired(token, secret):
    body = claims(token)
    return signed({**body, 'iat': body['iat'] - 90000,
                   'exp': body['iat'] - 3600}, secret)


def wrong_key(token):
    return signed(claims(token), 'another key that is long enough to be one')


def no_algorithm(token):
    head = encode(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())
    return f'{head}.{token.split(".")[1]}.'


def without(token, secret, claim):
    body = claims(token)
    body.pop(claim)
    return signed(body, secret)


def token(good, words, secret):
    """What the recordings describe in words."""
    if words == 'expired token':
        return expired(good, secret)
    if words == 'token with alg none':
        return no_algorithm(good)
    if words.startswith('token without a '):
        return without(good, secret, words.split()[3])
    raise ValueError(f'what is a <{words}>?')



def of(user, name, secret, role=None):
    """A good token, as a login gives it."""
    now = int(time.time())
    return signed({'user_id': user, 'username': name, 'role': role,
                   'iat': now - 60, 'exp': now + 3600}, secret)
