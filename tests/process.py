"""Programs that tests and the demo start, and where they are found."""

import ctypes
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FULL = bool(os.environ.get('REKLAM_FULL'))

# PostgreSQL refuses to be root.  Where root starts a shop, all of it runs as
# the user postgres; else as whoever asks.
USER = 'postgres' if os.geteuid() == 0 else None

SANITIZERS = {
    # faketime is loaded before the sanitizer's own library.
    'ASAN_OPTIONS': 'abort_on_error=0:detect_leaks=1:'
                    'verify_asan_link_order=0',
    'UBSAN_OPTIONS': 'print_stacktrace=1',
    'TSAN_OPTIONS': 'halt_on_error=0',
}
FINDINGS = re.compile(r'ERROR: (Address|Leak)Sanitizer|runtime error:|'
                      r'WARNING: ThreadSanitizer|Assertion .* failed')


class Trouble(Exception):
    """A sentence for whoever started it."""


def build():
    """The directory that make worked in."""
    asked = os.environ.get('REKLAM_BUILD')
    for place in [Path(asked)] if asked else [ROOT / 'build', ROOT]:
        if (place / 'src/reklamd').exists():
            return place.resolve()
    raise Trouble(f'there is no src/reklamd in {asked or ROOT}; '
                  'build it first, or say where with REKLAM_BUILD')


def sanitized():
    """Whether the build has sanitizers, which keep what was freed."""
    return b'libasan' in (build() / 'src/reklamd').read_bytes()


def program(name, variable, *patterns):
    """The path of a program that is not ours."""
    asked = os.environ.get(variable)
    if asked:
        return asked
    path = os.environ.get('PATH', '') + ':/usr/local/sbin:/usr/sbin:/sbin'
    found = shutil.which(name, path=path)
    for pattern in patterns:
        for match in sorted(glob.glob(pattern), key=len):
            found = found or match
    if not found:
        raise Trouble(f'{name} is not installed')
    return found


def give(path):
    """Makes a file or directory the property of who runs the shop."""
    if USER:
        shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)
    return path


def directory(path, mode=0o700):
    path = Path(path)
    path.mkdir(mode=mode, exist_ok=True)
    return give(path)


def write(path, text, mode=0o600):
    path = Path(path)
    path.touch(mode)
    path.write_text(text)
    return give(path)


def user_words(user=USER):
    """What subprocess is told to run something as that user."""
    if not user:
        return {}
    who = pwd.getpwnam(user)
    return {'user': who.pw_uid, 'group': who.pw_gid, 'extra_groups': []}


def environment(more):
    """A plain one: nothing of the caller's settings reaches the shop."""
    found = {'PATH': '/usr/local/bin:/usr/bin:/bin', 'LC_ALL': 'C.UTF-8',
             'TZ': 'UTC', **SANITIZERS}
    return {**found, **{k: str(v) for k, v in more.items()}}


def die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_until(true, seconds=10, what='it', every=0.02):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f'{what}: not within {seconds} s')
        time.sleep(every)


def at_most(seconds):
    """The longest that may take what should take so many seconds.  What is
    wrong waits for a deadline, and those are longer; a busy machine is slow
    without being wrong.  How fast it is, bench/ tells."""
    return 3 * seconds + 1


def run(*argv, env=None, input=None, check=True, cwd='/', timeout=300,
        user=USER):
    """Runs a program to its end, as the shop's user.  None is whoever asks,
    which is quicker."""
    done = subprocess.run([str(a) for a in argv], input=input, text=True,
                          cwd=cwd, env=environment(env or {}),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **user_words(user))
    if check and done.returncode != 0:
        raise Trouble(f'{Path(str(argv[0])).name} failed:\n'
                      f'{(done.stderr or done.stdout).strip()[-3000:]}')
    return done


class Process:
    """A program in the background, with all that it starts."""

    def __init__(self, name, argv, log, env=None, stop=signal.SIGTERM,
                 lasting=False):
        self.name, self.argv = name, [str(a) for a in argv]
        self.log, self.env = Path(log), env or {}
        self.stop_signal, self.lasting = stop, lasting
        self.popen = None

    @property
    def pid(self):
        return self.popen.pid

    def start(self):
        give(self.log.parent)
        self.log.touch()
        give(self.log)
        with open(self.log, 'ab') as log:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd='/', env=environment(self.env), start_new_session=True,
                preexec_fn=None if self.lasting else die_with_parent,
                **user_words())
        return self

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_until(self, true, seconds=10, what=None):
        """As above, but not longer than the program lives."""
        def look():
            if not self.is_running():
                raise Trouble(f'{self.name} ended with status '
                              f'{self.popen.returncode}:\n{self.tail()}')
            return true()
        return wait_until(look, seconds, what or f'{self.name} is not ready')

    def children(self):
        """The pids of its own processes, without itself."""
        path = f'/proc/{self.pid}/task/{self.pid}/children'
        try:
            return [int(p) for p in Path(path).read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def group_is_gone(self):
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        # Of one that was waited for, the number may be another's by now: the
        # leader of a group that is not ours.
        return self.popen.returncode is not None and \
            Path(f'/proc/{self.pid}').exists()

    def stop(self, seconds=20):
        """Ends it; whether it went by itself and left nothing behind."""
        if self.popen is None:
            return True
        well = True
        if self.is_running():
            self.signal(self.stop_signal)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                well = False
        try:
            wait_until(self.group_is_gone, 1)
        except Trouble:
            well = False
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.popen.wait()
        return well

    def tail(self, size=6000):
        try:
            return self.log.read_text(errors='replace')[-size:]
        except FileNotFoundError:
            return ''

    def findings(self):
        """What a sanitizer said, or ''."""
        if not self.log.exists():
            return ''
        text = self.log.read_text(errors='replace')
        found = FINDINGS.search(text)
        return text[found.start():found.start() + 6000] if found else ''
