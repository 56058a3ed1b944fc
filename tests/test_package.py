"""
Debian's package: it builds, and has all that belongs in it.  It is unpacked
and not installed: what its scripts would do to the machine, they do to a
directory, and the programs that they call only write down how.
"""

import os
import re
import shutil
import socket
import subprocess

import pytest

import process
from process import ROOT, run
from test_nginx import context, end, exchange, site
from test_readme import LEFT_OUT
from web_server import certificate

pytestmark = pytest.mark.once

LISTS = ('nginx/reklam-workers.conf', 'nginx/reklam-origins.conf',
         'nginx/reklam-proxy.conf')
SITES = 'nginx/sites-available/reklam', 'nginx/sites-available/reklam-http'
EDITED = 'reklam/reklam.conf', *LISTS, *SITES
RECORDED = ('adduser', 'chown', 'systemctl', 'deb-systemd-invoke', 'su',
            'runuser', 'psql', 'dropdb', 'dropuser')


def unmet():
    """Why there is nothing to build it with, or None."""
    if not shutil.which('dh'):
        return 'debhelper is not installed'
    done = subprocess.run(['dpkg-checkbuilddeps', ROOT / 'debian/control'],
                          stderr=subprocess.PIPE, text=True)
    return done.stderr.strip() or None


def build(*words, cwd):
    """Not as a part of the make that called the tests; and quickly: how fast
    its program is, is not asked here."""
    done = subprocess.run(
        words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors='replace',
        env={**{k: v for k, v in os.environ.items()
                if k not in ('MAKEFLAGS', 'MAKELEVEL', 'DESTDIR')},
             'DEB_BUILD_OPTIONS': 'noautodbgsym noopt',
             'CONFIG_SHELL': '/bin/sh', 'LC_ALL': 'C.UTF-8'})
    assert done.returncode == 0, done.stdout[-6000:]


class Package:
    def __init__(self, deb, directory):
        self.deb = deb
        self.root, self.control = directory / 'root', directory / 'control'
        run_here('dpkg-deb', '-x', deb, self.root)
        run_here('dpkg-deb', '-e', deb, self.control)
        self.files = {str(path.relative_to(self.root)) for path in
                      self.root.rglob('*') if not path.is_dir()}

    def has(self, pattern):
        return [name for name in self.files if re.fullmatch(pattern, name)]

    def text(self, name):
        return (self.root / name).read_text()


def run_here(*words, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **more)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope='module')
def package(private):
    why = unmet()
    if why:
        pytest.skip(why)
    directory = process.directory(private / 'package', 0o755)
    tree = directory / 'copy'
    # 1,500 files, which the source package has and this one has not.
    shutil.copytree(ROOT, tree, ignore=lambda at, names: {
        *LEFT_OUT(at, names), *(n for n in names if n == 'corpus')})
    (tree / 'Makefile').unlink(missing_ok=True)
    (tree / 'build').mkdir()
    if not (tree / 'configure').exists():
        build('autoreconf', '-fi', cwd=tree)
    build('sh', tree / 'configure', '--quiet', cwd=tree / 'build')
    build('make', 'deb', cwd=tree / 'build')
    deb, = (tree / 'build').glob('reklam_*.deb')
    return Package(deb, directory)


# --- what is in it ---

@pytest.mark.seconds(400)
def test_it_is_built(package):
    said = run_here('dpkg-deb', '-f', package.deb, 'Package', 'Version',
                    'Depends')
    assert said.startswith('Package: reklam\nVersion: ')
    for name in 'adduser', 'nginx', 'postgresql-client', 'libpq5':
        assert re.search(rf'[ ,]{name}\b', said), said


def test_lintian_finds_no_error(package):
    if not shutil.which('lintian'):
        pytest.skip('lintian is not installed')
    done = subprocess.run(['lintian', '--allow-root', package.deb],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    assert not re.findall('^E: .*', done.stdout, re.M), done.stdout
    assert done.returncode == 0, done.stdout


def test_everything_is_in_it(package):
    sources = {str(path.relative_to(ROOT)) for directory in ('sql', 'web')
               for path in (ROOT / directory).rglob('*.*')
               if path.suffix in ('.sql', '.html', '.css', '.js', '.svg')
               and path.parent.name != 'shots'}
    manuals = {f'{path.name}.gz' for path in (ROOT / 'man').glob('*.[1-8]')}
    expected = {
        'usr/sbin/reklamd', 'usr/sbin/reklamctl',
        *(f'usr/share/reklam/{name}' for name in sources),
        *(f'usr/share/man/man{name[-4]}/{name}'
          for name in (*manuals, 'reklam-api.7.gz')),
        *(f'usr/share/reklam/etc/{name}' for name in EDITED),
        'lib/systemd/system/reklamd.service',
        'usr/share/bash-completion/completions/reklamctl',
        *(f'usr/share/doc/reklam/examples/{name}' for name in
          ('reklam.conf.example', 'reklam.cron', 'reklam.rules.yml')),
        'usr/share/doc/reklam/README.Debian',
        'etc/nginx/conf.d/reklam.conf', 'etc/nginx/reklam-api.conf'}
    assert expected - package.files == set()
    assert len(sources) > 100
    for name in 'usr/sbin/reklamd', 'usr/sbin/reklamctl':
        assert os.access(package.root / name, os.X_OK)


def test_what_is_edited_is_not_dpkgs(package):
    conffiles = (package.control / 'conffiles').read_text().split()
    assert set(conffiles) == {f'/{name}' for name in package.has('etc/.*')}
    assert not {f'/etc/{name}' for name in EDITED} & set(conffiles)


def test_the_unit_starts_what_is_in_it(package):
    unit = package.text('lib/systemd/system/reklamd.service')
    for program in re.findall(r'^Exec\w+=(\S+)', unit, re.M):
        assert program == '/bin/sh' or program[1:] in package.files


def test_the_programs_work(package):
    for name in 'reklamd', 'reklamctl':
        version = run(package.root / 'usr/sbin' / name, '-V').stdout
        assert re.fullmatch(r'\S+ \d+\.\d+\.\d+\n', version), version
        assert 'usage: ' in run(package.root / 'usr/sbin' / name,
                                '-h').stdout.lower()


def test_reklamctl_looks_where_its_sql_is_and_it_is_all_there(package,
                                                              postgres):
    program = package.root / 'usr/sbin/reklamctl'
    assert b'\0/usr/share/reklam/sql\0' in program.read_bytes()
    postgres.create_database('unpacked')
    said = run(program, 'migrate', '-d',
               package.root / 'usr/share/reklam/sql',
               env={'DATABASE_URL': postgres.url('unpacked')}).stdout
    for path in (ROOT / 'sql/migration').iterdir():
        assert f'applied migration/{path.name}' in said
    postgres.drop_database('unpacked')


# --- what its scripts do ---

class Machine:
    """A root directory with the package unpacked, and its scripts."""

    def __init__(self, package, directory):
        self.root = directory / 'root'
        shutil.copytree(package.root, self.root)
        self.etc = self.root / 'etc'
        for name in ('run/systemd/system', 'etc/nginx/sites-available',
                     'etc/nginx/sites-enabled'):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.log = directory / 'log'
        self.log.touch()
        self.bin = directory / 'bin'
        self.bin.mkdir()
        for name in RECORDED:
            self.stand_in(name, f'echo "{name} $*" >> {self.log}')
        # Nobody has enabled it.
        self.stand_in('deb-systemd-helper',
                      f'echo "deb-systemd-helper $*" >> {self.log}\n'
                      'case $* in *was-enabled*|*debian-installed*) exit 1\n'
                      'esac')
        # The user is there once it was added.
        self.stand_in('getent', f'grep -q ^adduser {self.log}')
        # Only root could give it to a group that is not there.
        self.stand_in('install', f'echo "install $*" >> {self.log}\n'
                      'for word; do shift\n'
                      '[ "$word" = -g ] || [ "$word" = reklam ] ||\n'
                      'set -- "$@" "$word"\n'
                      'done\nexec /usr/bin/install "$@"')
        self.scripts = {}
        for name in 'postinst', 'postrm', 'prerm':
            text = (package.control / name).read_text()
            self.scripts[name] = re.sub(r'(?<![\w/])/(etc|usr|run)\b',
                                        rf'{self.root}/\1', text)

    def stand_in(self, name, text):
        path = self.bin / name
        path.write_text(f'#!/bin/sh\n{text}\n')
        path.chmod(0o755)

    def do(self, script, *words):
        """What was called by it, and what it said."""
        before = len(self.log.read_text())
        said = run_here(
            'sh', '-c', self.scripts[script], script, *words, cwd='/',
            env={'PATH': f'{self.bin}:/usr/bin:/bin',
                 'DPKG_MAINTSCRIPT_PACKAGE': 'reklam'})
        return self.log.read_text()[before:], said

    def settings(self):
        """{name: (text, mode)} of what is not dpkg's."""
        return {name: ((self.etc / name).read_text(),
                       (self.etc / name).stat().st_mode & 0o777)
                for name in (*EDITED, 'reklam/jwt-secret')}


@pytest.fixture
def machine(package, tmp_path):
    return Machine(package, tmp_path)


@pytest.mark.parametrize('name', ['postinst', 'postrm', 'prerm'])
def test_its_scripts_are_shell(package, name):
    run_here('sh', '-n', package.control / name)
    assert '#DEBHELPER#' not in (package.control / name).read_text()


def test_postinst_puts_the_settings_into_place(package, machine):
    called, _ = machine.do('postinst', 'configure', '')
    assert re.findall('^adduser .*--system.* reklam$', called, re.M)
    found = machine.settings()
    for name in EDITED:
        assert found[name][0] == package.text(f'usr/share/reklam/etc/{name}')
        assert found[name][1] == (0o640 if 'reklam/' in name else 0o644)
    secret, mode = found['reklam/jwt-secret']
    assert re.fullmatch('[0-9a-f]{64}\n', secret) and mode == 0o640
    assert f'chown root:reklam {machine.etc}/reklam/jwt-secret\n' in called
    assert f'-m 640 -g reklam {machine.root}/usr/share/reklam/etc/reklam/' \
        'reklam.conf' in called
    assert (machine.etc / 'reklam').stat().st_mode & 0o777 == 0o750
    # README.Debian has it enabled when there is a database.
    assert not re.search(r'^\S+ .*\b(start|restart|enable)\b', called, re.M)


def test_an_upgrade_keeps_what_was_changed(machine):
    machine.do('postinst', 'configure', '')
    for name in EDITED:
        with open(machine.etc / name, 'a') as file:
            file.write('# mine\n')
    before = machine.settings()
    called, said = machine.do('postinst', 'configure', '0.9')
    assert machine.settings() == before
    assert all(text.endswith('# mine\n') for name, (text, _)
               in before.items() if name in EDITED)
    assert 'adduser' not in called
    assert 'systemctl daemon-reload\n' in called
    assert not re.search(r'^\S+ .*\b(start|stop|restart)\b', called, re.M)
    assert 'reklam 0.9 runs on' in said


def test_only_a_removal_stops_the_program(machine):
    assert 'reklamd' not in machine.do('prerm', 'upgrade', '1.0.1')[0]
    assert 'deb-systemd-invoke stop reklamd.service\n' \
        in machine.do('prerm', 'remove')[0]


def test_a_removal_keeps_the_settings_and_a_purge_does_not(machine):
    machine.do('postinst', 'configure', '')
    (machine.etc / 'nginx/sites-enabled/reklam').symlink_to(
        '../sites-available/reklam')
    before = machine.settings()
    called = machine.do('postrm', 'remove')[0]
    assert machine.settings() == before
    called += machine.do('postrm', 'purge')[0]
    assert not (machine.etc / 'reklam').exists()
    for name in EDITED:
        assert not (machine.etc / name).exists()
    assert list((machine.etc / 'nginx/sites-enabled').iterdir()) == []
    # Twice does no harm, nor where nginx has gone.
    shutil.rmtree(machine.etc / 'nginx')
    called += machine.do('postrm', 'purge')[0]
    assert not re.search('^(dropdb|dropuser|psql|su|runuser) ', called, re.M)


# --- its nginx ---

MAIN = '''daemon off;
pid {directory}/pid;
error_log {directory}/error.log notice;
events {{ }}
http {{
	include /etc/nginx/mime.types;
	access_log off;
	client_body_temp_path {directory}/body;
	fastcgi_temp_path {directory}/fastcgi;
	proxy_temp_path {directory}/proxy;
	scgi_temp_path {directory}/scgi;
	uwsgi_temp_path {directory}/uwsgi;
	include {etc}/conf.d/*.conf;
	include {etc}/sites-available/*;
}}
'''


@pytest.fixture
def installed(private, package, tmp_path):
    """nginx with what the package leaves in /etc/nginx, both sites enabled,
    but for ports and paths; without a worker."""
    machine = Machine(package, tmp_path)
    machine.do('postinst', 'configure', '')
    directory = process.directory(private / 'packaged')
    pem, key = certificate(directory)
    ports = process.free_port(), process.free_port()
    page = shutil.copytree(package.root / 'usr/share/reklam/web',
                           directory / 'web', dirs_exist_ok=True)
    for path in [page, *page.rglob('*')]:
        process.give(path)
    for path in sorted((machine.etc / 'nginx').rglob('*')):
        to = directory / 'etc' / path.relative_to(machine.etc / 'nginx')
        process.directory(to.parent.parent)
        process.directory(to.parent)
        if path.is_dir():
            continue
        text = path.read_text()
        for theirs, ours in (
                ('/etc/nginx/', f'{directory}/etc/'),
                ('/etc/ssl/certs/ssl-cert-snakeoil.pem', pem),
                ('/etc/ssl/private/ssl-cert-snakeoil.key', key),
                ('/var/log/nginx', directory), ('/run/reklam', directory),
                ('/usr/share/reklam/web', page),
                ('listen 443 ', f'listen 127.0.0.1:{ports[0]} '),
                ('listen 80;', f'listen 127.0.0.1:{ports[1]};')):
            text = text.replace(theirs, str(ours))
        process.write(to, text)
    process.write(directory / 'nginx.conf', MAIN.format(
        directory=directory, etc=directory / 'etc'))
    nginx = process.Process(
        'nginx', [process.program('nginx', 'NGINX'), '-p', directory,
                  '-c', directory / 'nginx.conf',
                  '-e', directory / 'error.log'], directory / 'nginx.log')
    nginx.start()
    nginx.wait_until((directory / 'pid').exists, 10)
    yield f'https://127.0.0.1:{ports[0]}', f'http://127.0.0.1:{ports[1]}', \
        directory / 'error.log'
    assert nginx.stop()


def asked(url, host='any.example.org'):
    head, _, body = run('curl', '-ski', '-H', f'Host: {host}',
                        url).stdout.partition('\n\n')
    return int(head.split()[1]), head, body


def test_the_packaged_site_is_the_one_for_all_names(installed):
    shop, plain, log = installed
    status, _, body = asked(f'{shop}/api/jobs')
    assert (status, body[:10]) == (503, '{"error":"'), body
    assert asked(f'{shop}/web/main.js')[0] == 200
    status, head, _ = asked(f'{plain}/x?y=1')
    assert status == 301
    assert 'location: https://any.example.org/x?y=1' \
        in head.lower().split('\n')
    assert '[warn]' not in log.read_text()


# --- the site with a name, of which the package leaves the first server out

@pytest.fixture(scope='module')
def named(private):
    found = site(private / 'named')
    yield found
    end(found)


def spoken(web, data, name='localhost'):
    """What comes back, over TLS."""
    with socket.create_connection(('127.0.0.1', web.web.https_port),
                                  10) as raw:
        with context().wrap_socket(raw, server_hostname=name) as s:
            return exchange(s, data).decode('latin-1')


def test_another_name_behind_the_handshake_gets_no_answer(named):
    request = 'GET /api/jobs HTTP/1.1\r\nHost: {}\r\n' \
              'Connection: close\r\n\r\n'
    assert ' 200 ' in spoken(named, request.format('localhost').encode())
    for host in 'other.example.org', '127.0.0.1', '192.0.2.1:443':
        assert spoken(named, request.format(host).encode()) == ''
    done = run('curl', '-sk', '--http2', '-H', 'Host: other.example.org',
               f'https://localhost:{named.web.https_port}/', check=False)
    assert (done.returncode != 0, done.stdout) == (True, '')


def test_even_a_malformed_request_for_it_learns_no_version(named):
    for line, more in (('TRACE / HTTP/1.1', ''),
                       ('GET /%zz HTTP/1.1', ''),
                       ('GET / HTTP/1.1', 'X: ' + 'x' * 9000 + '\r\n')):
        said = spoken(named, (f'{line}\r\nHost: other.example.org\r\n{more}'
                              'Connection: close\r\n\r\n').encode())
        assert 'nginx/' not in said and '\r\nServer: nginx\r\n' in said


def test_the_package_leaves_out_that_server_and_no_more(package):
    text = package.text('usr/share/reklam/etc/nginx/sites-available/reklam')
    assert text.count('\nserver {') == 1 and text.count('\n}') == 1
    assert 'listen 443 ssl http2 default_server;\n' in text
    for word in 'Who asks', 'handshake', 'return 444', 'server_tokens':
        assert word not in text
    assert 'include /etc/nginx/reklam-api.conf;\n' in text


# --- what is told ---

def test_what_asks_the_database_is_done_as_its_user():
    """It lets nobody else in without a password."""
    told = 0
    for name in ('debian/README.Debian', 'etc/reklam.cron', 'README.md',
                 'etc/prometheus/reklam.rules.yml', 'man/reklamctl.8',
                 'man/reklam-guide.7'):
        text = (ROOT / name).read_text().replace('\\e\n', '\\\n')
        text = re.sub(r'\\\n[#\s]*', '', text)
        for before, words in re.findall(
                r'(.*)reklamctl -f \S+ ((?:migrate|check|token|user)\b)',
                text):
            told += 1
            assert before.endswith('runuser -u reklam -- '), (name, words)
    assert told >= 10
