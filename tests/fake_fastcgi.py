"""A FastCGI responder that tells what it was sent, for testing nginx alone.

Every answer is a JSON object {"socket", "parameters", "body"}.  A path asks
for other behaviour: /die closes the connection unanswered, /hang never
answers, /garbage answers nonsense.
"""

import json
import socketserver
import struct
import threading

import fastcgi


def pairs(content):
    """The name-value pairs of a PARAMS stream, in order."""
    found, at = [], 0
    while at < len(content):
        sizes = []
        for _ in range(2):
            if content[at] < 128:
                sizes.append(content[at])
                at += 1
            else:
                n, = struct.unpack_from('!I', content, at)
                sizes.append(n & ~(1 << 31))
                at += 4
        name = content[at:at + sizes[0]].decode()
        value = content[at + sizes[0]:at + sum(sizes)].decode('latin-1')
        found.append((name, value))
        at += sum(sizes)
    return found


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.connections += 1
        peer = fastcgi.Connection.__new__(fastcgi.Connection)
        peer.socket = self.request
        try:
            while self.serve(peer):
                pass
        except ConnectionError:
            pass

    def serve(self, peer):
        content, body, keep = b'', b'', False
        while True:
            kind, number, data = peer.record()
            if kind == fastcgi.BEGIN:
                keep = data[2] & fastcgi.KEEP
            elif kind == fastcgi.PARAMS:
                content += data
            elif kind == fastcgi.STDIN:
                body += data
                if not data:
                    break
        parameters = pairs(content)
        path = dict(parameters)['REQUEST_URI'].partition('?')[0]
        self.server.seen.append((dict(parameters), body))
        if path == '/die':
            return False
        if path == '/hang':
            self.server.stopped.wait(30)
            return False
        if path == '/garbage':
            peer.send(b'nonsense' * 100)
            return False
        text = json.dumps({'socket': self.server.server_address,
                           'parameters': parameters,
                           'body': body.decode('latin-1')}).encode()
        head = (f'Status: 200 OK\r\nContent-Type: application/json\r\n'
                f'X-Powered-By: fake\r\nX-Accel-Redirect: /secret\r\n'
                f'Content-Length: {len(text)}\r\n\r\n').encode()
        peer.send(fastcgi.stream(fastcgi.STDOUT, head + text, number) +
                  fastcgi.record(fastcgi.END, bytes(8), number))
        return keep


class Responder(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens on one socket; `seen` holds what came, `connections` how."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, path):
        self.seen = []
        self.connections = 0
        self.stopped = threading.Event()
        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.shutdown()
        self.server_close()
