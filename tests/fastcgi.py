"""FastCGI as nginx speaks it, for asking one worker, politely or not."""

import json
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
GET_VALUES = 9
KEEP = 1


def record(kind, content=b'', request=1, padding=0):
    head = struct.pack('!BBHHBx', 1, kind, request, len(content), padding)
    return head + content + bytes(padding)


def length(n):
    return struct.pack('!B', n) if n < 128 else struct.pack('!I', n | 1 << 31)


def pair(name, value):
    name, value = octets(name), octets(value)
    return length(len(name)) + length(len(value)) + name + value


def octets(text):
    return text if isinstance(text, bytes) else str(text).encode()


def stream(kind, content, request=1):
    """The records of a stream, its empty last one included."""
    parts = [content[i:i + 32768] for i in range(0, len(content), 32768)]
    return b''.join(record(kind, p, request) for p in parts + [b''])


def begin(keep=False, request=1, role=1):
    return record(BEGIN, struct.pack('!HB5x', role, KEEP if keep else 0),
                  request)


def parameters(method, uri, headers=None, body=b'', **more):
    """What nginx/reklam-pass.conf sends, in its order, the marker last."""
    headers = {k.lower(): v for k, v in (headers or {}).items()}
    found = {'REQUEST_METHOD': method, 'REQUEST_URI': uri}
    if 'content-type' in headers:
        found['CONTENT_TYPE'] = headers['content-type']
    if body:
        found['CONTENT_LENGTH'] = len(body)
    found['REMOTE_ADDR'] = '127.0.0.1'
    found['REQUEST_ID'] = '0' * 31 + '1'
    for name in ('authorization', 'if-none-match', 'accept-encoding',
                 'accept-language'):
        if name in headers:
            found['HTTP_' + name.upper().replace('-', '_')] = headers[name]
    found.update(more)
    found['REKLAM_END'] = 1
    return found


def request(method, uri, headers=None, body=b'', keep=False, number=1,
            **more):
    """All bytes of a request."""
    body = octets(body)
    pairs = parameters(method, uri, headers, body, **more)
    content = b''.join(pair(k, v) for k, v in pairs.items() if v is not None)
    return (begin(keep, number) + stream(PARAMS, content, number) +
            stream(STDIN, body, number))


class Answer:
    """What came back: over FastCGI here, over HTTP in shop.py."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {k.lower(): v for k, v in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'<{self.status} {self.body[:300]!r}>'


def answer(output):
    """A CGI answer, head and body."""
    head, _, body = output.partition(b'\r\n\r\n')
    headers = [tuple(p.strip() for p in line.split(':', 1))
               for line in head.decode('latin-1').split('\r\n') if line]
    status = dict((k.lower(), v) for k, v in headers).get('status', '200')
    return Answer(int(status.split()[0]), headers, body)


class Connection:
    """A connection to a worker's socket."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def exactly(self, n):
        found = b''
        while len(found) < n:
            more = self.socket.recv(min(n - len(found), 1 << 20))
            if not more:
                raise ConnectionError(f'closed {n - len(found)} bytes early')
            found += more
        return found

    def record(self):
        """(kind, request, content) of the next record."""
        _, kind, number, size, padding = struct.unpack('!BBHHBx',
                                                       self.exactly(8))
        content = self.exactly(size)
        self.exactly(padding)
        return kind, number, content

    def answer(self):
        """Reads to the end of the request and returns what was said."""
        output = []
        while True:
            kind, _, content = self.record()
            if kind == STDOUT:
                output.append(content)
            elif kind == END:
                return answer(b''.join(output))

    def ask(self, method, uri, headers=None, body=b'', keep=True, **more):
        self.send(request(method, uri, headers, body, keep, **more))
        return self.answer()


def ask(path, method, uri, headers=None, body=b'', timeout=10, **more):
    """One request on a connection of its own."""
    with Connection(path, timeout) as c:
        return c.ask(method, uri, headers, body, keep=False, **more)
