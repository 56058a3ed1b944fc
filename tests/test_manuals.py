"""What is told in man/ and etc/ is what the program does."""

import re
import subprocess

import pytest

import process
from process import ROOT, build, program, run
from shop import installed

MANUALS = sorted((ROOT / 'man').glob('*.[1-8]'))
NAMES = '|'.join(m.stem for m in MANUALS) + '|reklam-api'


def settings():
    """{name: (default, words that say what it may be)} in the table's order.
    """
    rows = re.findall(
        r'\{ "([A-Z_]+)", (TEXT|NUMBER|SWITCH|CHOICE)\([\w.]+\),\s*(.*?),'
        r'\s*(\d+), (\d+),\s*(NULL|"[^"]*"), [RS0| ]+,',
        (ROOT / 'src/conf_table.c').read_text(), re.S)
    found = {}
    for name, kind, default, least, most, choices in rows:
        text = ''.join(re.findall(r'"([^"]*)"', default))
        if 'NGINX_DIRECTORY' in default:
            text = '/etc/nginx' + text
        words = [least, most] if kind == 'NUMBER' else \
            re.findall(r'\w+', choices) if choices != 'NULL' else []
        found[name] = text, words
    return found


SETTINGS = settings()


def documented():
    """{name: the line under it} of reklam.conf(5), in its order."""
    text = (ROOT / 'man/reklam.conf.5').read_text()
    return dict(re.findall(r'^\.It Ev ([A-Z_]+)\n\.Pq (.*)\n(?!\.It)', text,
                           re.M))


@pytest.mark.once
def test_every_setting_is_in_the_manual():
    assert len(SETTINGS) > 30
    told = documented()
    assert list(told) == list(SETTINGS)
    for name, (default, words) in SETTINGS.items():
        expected = f'default: {default}' if default else 'no default'
        assert expected in told[name].split('; '), name
        if words:
            assert re.findall(r'\w+', told[name].split(';')[0].replace(
                ' to ', ' ').replace(' or ', ' ')) == words, name


@pytest.mark.once
def test_every_setting_is_in_the_example():
    text = (ROOT / 'etc/reklam.conf.example').read_text()
    told = re.findall(r'^#([A-Z_]+)=(.*)$', text, re.M)
    assert dict(told) == {n: d for n, (d, _) in SETTINGS.items()}
    assert [n for n, _ in told] == list(SETTINGS)


def test_the_example_is_read(private):
    """With each of its lines set to the default that it tells."""
    text = (ROOT / 'etc/reklam.conf.example').read_text()
    text = re.sub(r'^#([A-Z_]+[a-z_]*=)', r'\1', text, flags=re.M)
    path = process.write(private / 'example.conf', text)
    said = run(installed(private, 'reklamd'), '-f', path, '-T',
               env={'REKLAM_DEMO': 'on'}).stdout
    assert 'CACHE_TTL_get_dashboard=60\n' in said
    for name, (default, _) in SETTINGS.items():
        if name != 'REKLAM_DEMO' and default:
            assert f'{name}={default}\n' in said


@pytest.mark.parametrize('path', [
    *MANUALS, pytest.param('reklam-api.7', id='reklam-api.7')],
    ids=lambda p: getattr(p, 'name', p))
def test_mandoc_has_nothing_to_say(path):
    if isinstance(path, str):
        path = build() / 'man' / path
    done = subprocess.run([program('mandoc', 'MANDOC'), '-Tlint', path],
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    # Ours are not installed here, and others may not be.
    said = [line for line in done.stdout.splitlines()
            if 'referenced manual not found' not in line
            and 'outdated mandoc.db' not in line]
    assert said == []


@pytest.mark.once
def test_manuals_refer_to_manuals_of_ours_that_exist():
    for path in MANUALS:
        for name, section in re.findall(r'^\.Xr (reklam\S*) (\d)',
                                        path.read_text(), re.M):
            assert (ROOT / f'man/{name}.{section}').exists() \
                or name == 'reklam-api', f'{path.name}: {name}({section})'


def helped(private, name):
    return run(installed(private, name), '-h').stdout


def test_every_option_and_command_is_in_the_manual(private):
    for name in 'reklamd', 'reklamctl':
        manual = (ROOT / f'man/{name}.8').read_text()
        for option in re.findall(r'^  (-\w)\b', helped(private, name), re.M):
            assert re.search(r'^\.It Fl ' + option[1:], manual, re.M) \
                or f', {option}' in helped(private, name), (name, option)
        for flags in re.findall(r'^  (-\w, -\w)', helped(private, name),
                                re.M):
            for letter in re.findall(r'\w', flags):
                assert f'.It Fl {letter}\n' in manual
    manual = (ROOT / 'man/reklamctl.8').read_text()
    commands = re.findall(r'^  ([a-z]+)(?: (add|passwd|deactivate|list)\b)?',
                          helped(private, 'reklamctl'), re.M)
    assert len(commands) > 10
    for words in commands:
        assert f'.It Cm {" ".join(w for w in words if w)}' in manual


def completed(line):
    """What bash offers after `line`."""
    words = line.split(' ')
    script = f'''source {ROOT}/etc/reklamctl.bash-completion
        COMP_WORDS=({" ".join(w or "''" for w in words)})
        COMP_CWORD={len(words) - 1}
        compopt() {{ echo "$@"; }}
        _reklamctl; printf '%s\\n' "${{COMPREPLY[@]}}"'''
    return subprocess.run(['bash', '-c', script], text=True,
                          stdout=subprocess.PIPE).stdout.split()


def test_bash_completes_what_there_is(private):
    commands = set(re.findall(r'^  ([a-z]+)', helped(private, 'reklamctl'),
                              re.M))
    assert {w for w in completed('reklamctl ') if w[0] != '-'} == commands
    assert completed('reklamctl st') == ['status']
    assert completed('reklamctl -f x ca') == ['cache']
    assert completed('reklamctl cache ') == ['clear']
    assert completed('reklamctl -j user ') \
        == ['add', 'passwd', 'deactivate', 'list']
    assert completed('reklamctl token --s') == ['--service']
    assert completed('reklamctl -f ') == ['-o', 'default']
    assert completed('reklamctl cache clear ') == []


def unit(tmp_path):
    """The unit, with programs that are there."""
    text = (build() / 'etc/reklamd.service').read_text()
    path = tmp_path / 'reklamd.service'
    path.write_text(re.sub(r'=\S*/reklam(d|ctl) ', '=/bin/true ', text))
    return path


def systemd(*words):
    try:
        return subprocess.run(['systemd-analyze', *words], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    except FileNotFoundError:
        pytest.skip('systemd-analyze is not installed')


def test_the_unit_exposes_little(tmp_path):
    said = systemd('security', '--offline=true', '--no-pager',
                   unit(tmp_path)).stdout
    level = re.search(r'exposure level for \S+: ([\d.]+)', said)
    assert level and float(level[1]) <= 2.0, said


def test_systemd_understands_the_unit(tmp_path):
    done = systemd('verify', '--man=no', unit(tmp_path))
    said = [line for line in done.stdout.splitlines()
            if 'reklamd.service:' in line]
    assert said == [], done.stdout


@pytest.mark.once
def test_the_cron_file_is_a_comment_until_somebody_wants_it():
    lines = (ROOT / 'etc/reklam.cron').read_text().splitlines()
    assert all(not line or line.startswith('#') for line in lines)
    job = lines[-1][1:].split(None, 6)
    assert job[:6] == ['0', '4', '*', '*', '*', 'root']
    assert job[6].startswith('curl ') and '%' not in job[6]
