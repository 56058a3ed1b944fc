"""nginx of one's own, from the templates in nginx/ that are installed too."""

import functools
import shutil
import signal
import tempfile
from pathlib import Path

import process
from process import Process, ROOT, Trouble, free_port, program, run

MAIN = '''daemon off;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log notice;
include {directory}/reklam-main.conf;
events {{
	worker_connections 2048;
}}
http {{
	include /etc/nginx/mime.types;
	access_log off;
	client_body_temp_path {directory}/temporary/body;
	fastcgi_temp_path {directory}/temporary/fastcgi;
	proxy_temp_path {directory}/temporary/proxy;
	scgi_temp_path {directory}/temporary/scgi;
	uwsgi_temp_path {directory}/temporary/uwsgi;
	include {directory}/reklam.conf;
	include {directory}/reklam-site.conf;
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		server_name _;
		include {directory}/reklam-api.conf;
	}}
	{more}
}}
'''


@functools.cache
def new_certificate():
    """Texts of a certificate and its key."""
    with tempfile.TemporaryDirectory() as place:
        pem, key = Path(place, 'pem'), Path(place, 'key')
        run(program('openssl', 'OPENSSL'), 'req', '-x509', '-newkey', 'ec',
            '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
            '-days', 3650, '-subj', '/CN=localhost', '-keyout', key,
            '-out', pem, '-addext',
            'subjectAltName=DNS:localhost,IP:127.0.0.1', user=None)
        return pem.read_text(), key.read_text()


def certificate(directory):
    """A self-signed one for localhost, good for ten years."""
    pem, key = Path(directory) / 'localhost.pem', Path(directory) / 'key.pem'
    if not pem.exists():
        for path, text in zip((pem, key), new_certificate()):
            process.write(path, text)
    return pem, key


def copy_of_page(directory):
    """The page, where nginx's user may look."""
    to = Path(directory) / 'web'
    shutil.copytree(ROOT / 'web', to, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns('shots'))
    for path in [to, *to.rglob('*')]:
        process.give(path)
    return to


def workers_file(sockets):
    return ''.join(f'server unix:{s} max_fails=0 max_conns=256;\n'
                   for s in sockets)


class WebServer:
    """https_port and http_port 0: any that is free, chosen at each start.

    `names` replaces values of the templates, `files` whole files, `more` is
    added to the http level.
    """

    def __init__(self, directory, sockets, http_port=0, https_port=0,
                 names=None, files=None, more='', lasting=False):
        self.directory = Path(directory)
        self.sockets = sockets
        self.asked = http_port, https_port
        self.names, self.files, self.more = names or {}, files or {}, more
        self.process = Process(
            'nginx', [program('nginx', 'NGINX'), '-p', self.directory,
                      '-c', self.directory / 'nginx.conf',
                      '-e', self.directory / 'error.log'],
            self.directory / 'nginx.log', stop=signal.SIGTERM,
            lasting=lasting)

    @property
    def workers_path(self):
        return self.directory / 'reklam-workers.conf'

    def write(self):
        """The configuration, with ports chosen now."""
        process.directory(self.directory)
        process.directory(self.directory / 'temporary')
        pem, key = certificate(self.directory)
        self.http_port, self.https_port = (p or free_port()
                                           for p in self.asked)
        names = {
            'NGINX_DIR': self.directory, 'RUN_DIR': self.directory,
            'LOG_DIR': self.directory, 'LOGIN_RATE': '5r/s',
            'WEB_DIR': copy_of_page(self.directory),
            'HSTS_SECONDS': 31536000, 'SERVER_NAME': 'localhost',
            'HTTPS_LISTEN': f'127.0.0.1:{self.https_port}',
            'HTTP_LISTEN': f'127.0.0.1:{free_port()}',
            'CERTIFICATE': pem, 'CERTIFICATE_KEY': key, **self.names}
        # The shop's user may not look where the templates lie.
        templates = self.directory / 'templates'
        process.directory(templates)
        for file in (ROOT / 'nginx').iterdir():
            if file.is_file():
                process.write(templates / file.name, file.read_text())
        run('sh', templates / 'fill', self.directory,
            *(f'{k}={v}' for k, v in names.items()))
        process.write(self.workers_path, workers_file(self.sockets))
        for name, text in self.files.items():
            process.write(self.directory / name, text)
        process.write(self.directory / 'nginx.conf', MAIN.format(
            directory=self.directory, port=self.http_port, more=self.more))

    def start(self):
        for attempt in range(5):
            self.write()
            self.process.start()
            try:
                self.process.wait_until(
                    (self.directory / 'nginx.pid').exists, 10)
                return self
            except Trouble as trouble:
                self.process.stop()
                if 'already in use' not in str(trouble) or all(self.asked):
                    raise
        raise Trouble('nginx found no free port')

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def stop(self):
        return self.process.stop()

    def error_log(self):
        path = self.directory / 'error.log'
        return path.read_text(errors='replace') if path.exists() else ''
