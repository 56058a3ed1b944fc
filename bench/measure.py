"""Load, and what it cost: requests, times, CPU of the processes asked for."""

import http.client
import json
import os
import re
import statistics
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf('SC_CLK_TCK')

WRK_SCRIPT = '''
done = function(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests,
	    summary.duration, latency:percentile(50), latency:percentile(99),
	    e.connect + e.read + e.write + e.timeout, e.status))
end
'''

# Made once, so that choosing among them costs the client next to nothing.
WRK_CHOICE = '''
local wanted, ready = { %s }, {}
init = function()
	for i, r in ipairs(wanted) do
		ready[i] = wrk.format(r.body and "POST" or "GET", r.path, {
			["Authorization"] = "Bearer " .. r.token,
			["Content-Type"] = r.body and "application/json" },
		    r.body)
	end
end
request = function()
	return ready[math.random(#ready)]
end
'''


def cpu_seconds(pids):
    """Of these processes and all their descendants, dead ones included."""
    total = 0
    for pid in pids:
        try:
            words = Path(f'/proc/{pid}/stat').read_text().rsplit(')')[1]
            children = Path(f'/proc/{pid}/task/{pid}/children').read_text()
        except FileNotFoundError:
            continue
        fields = words.split()
        total += sum(int(x) for x in fields[11:15]) / TICKS
        total += cpu_seconds(children.split())
    return total


def rss_kb(pids, what=r'Private_\w+'):
    """Private memory, in KiB, of these and their descendants; or as much of
    another kind that the kernel tells, as Pss."""
    total = 0
    for pid in pids:
        try:
            text = Path(f'/proc/{pid}/smaps_rollup').read_text()
            children = Path(f'/proc/{pid}/task/{pid}/children').read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(n) for n in
                     re.findall(rf'^{what}: +(\d+)', text, re.M))
        total += rss_kb(children.split(), what)
    return total


@dataclass
class Round:
    rate: float             # good answers a second
    p50: float              # ms
    p99: float
    errors: int
    cpu: dict               # name: microseconds a request


def choose_among(requests):
    """For wrk: each request is one of these by chance, the same sequence for
    everybody; a dict of path, token and, for a POST, body."""
    return WRK_CHOICE % ',\n'.join(
        '{ %s }' % ', '.join(f'{k} = {json.dumps(v)}' for k, v in r.items())
        for r in requests)


def load(argv, url, headers, pids):
    """What a program said that sent requests to the url, and a function that
    divides the CPU of `pids` (name -> processes) by their number."""
    for name, value in (headers or {}).items():
        argv += ['-H', f'{name}: {value}']
    before = {n: cpu_seconds(p) for n, p in (pids or {}).items()}
    out = subprocess.run(argv + [url], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    spent = {n: cpu_seconds(pids[n]) - was for n, was in before.items()}
    return out, lambda count: {n: s * 1e6 / max(count, 1)
                               for n, s in spent.items()}


def wrk(url, seconds, clients, headers=None, pids=None, directory='/tmp',
        more='', refused=False):
    """`refused`: a 4xx is the right answer."""
    script = Path(directory) / 'wrk.lua'
    script.write_text(WRK_SCRIPT + more)
    out, cpu = load(['wrk', '-t1', f'-c{clients}', f'-d{seconds}s', '-s',
                     str(script)], url, headers, pids)
    count, us, p50, p99, errors, refusals = map(int, re.search(
        r'RESULT (.*)', out).group(1).split())
    good = refusals if refused else count - refusals
    errors += count - good
    return Round(good * 1e6 / us, p50 / 1000, p99 / 1000, errors, cpu(count))


def warm(url, requests, clients, each=10):
    """So many clients at once, which wait for all their answers.  wrk leaves
    at its end with some outstanding; who sees that drops the statement and
    its connection, and begins the next round with new ones."""
    place = urllib.parse.urlsplit(url)

    def ask(first):
        connection = http.client.HTTPConnection(place.netloc)
        for n in range(each):
            r = requests[(first * each + n) % len(requests)]
            body = r.get('body')
            connection.request('POST' if body else 'GET', r['path'], body, {
                'Authorization': f'Bearer {r["token"]}',
                'Content-Type': 'application/json'})
            connection.getresponse().read()
        connection.close()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(ask, range(clients)))


def h2load(url, seconds, clients, headers=None, pids=None):
    """The same by h2load: HTTP/2 over TLS, one stream a client at a time."""
    out, cpu = load(['h2load', '-t1', f'-c{clients}', '-m1', f'-D{seconds}'],
                    url, headers, pids)
    rate = float(re.search(r', ([\d.]+) req/s', out).group(1))
    good, bad = (int(re.search(rf'(\d+) {w}', out).group(1))
                 for w in ('2xx', '5xx'))
    # min, max, mean, deviation: it knows no quantiles.
    words = re.search(r'time for request: +(\S+) +(\S+) +(\S+)', out)
    return Round(rate, milliseconds(words.group(3)),
                 milliseconds(words.group(2)), bad, cpu(good))


def milliseconds(text):
    number, unit = re.fullmatch(r'([\d.]+)(us|ms|s)', text).groups()
    return float(number) * {'us': 0.001, 'ms': 1, 's': 1000}[unit]


class Contest:
    """Several things measured in turns, so that a machine that grows slower
    grows slower for all of them."""

    def __init__(self):
        self.entries = {}

    def add(self, name, run):
        self.entries[name] = (run, [])

    def go(self, rounds):
        for _ in range(rounds):
            for run, found in self.entries.values():
                found.append(run())
        return self

    def median(self, name):
        found = self.entries[name][1]
        return Round(
            statistics.median(r.rate for r in found),
            statistics.median(r.p50 for r in found),
            statistics.median(r.p99 for r in found),
            sum(r.errors for r in found),
            {n: statistics.median(r.cpu[n] for r in found)
             for n in found[0].cpu})

    def spread(self, name):
        rates = [r.rate for r in self.entries[name][1]]
        return (max(rates) - min(rates)) / statistics.median(rates)


def machine():
    """A line about where this was measured."""
    model = 'unknown processor'
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            model = line.split(':', 1)[1].strip()
            break
    memory = int(re.search(r'MemTotal: +(\d+)',
                           Path('/proc/meminfo').read_text()).group(1))
    return (f'{os.cpu_count()} cores of {model}, '
            f'{memory / 2**20:.0f} GiB, Linux {os.uname().release}')


def table(rows, words=()):
    """Markdown; the first row is the head.  `words`: the columns that are not
    figures, besides the first."""
    left = {0, *words}
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    lines = []
    for n, row in enumerate(rows):
        cells = [str(c).ljust(w) if i in left else str(c).rjust(w)
                 for i, (c, w) in enumerate(zip(row, widths))]
        lines.append('| ' + ' | '.join(cells) + ' |')
        if n == 0:
            lines.append('|' + '|'.join(
                '-' * (w + 1) + ('-' if i in left else ':')
                for i, w in enumerate(widths)) + '|')
    return '\n'.join(lines)
