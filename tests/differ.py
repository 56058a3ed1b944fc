"""Is an answer the recorded one, but for what a run makes anew?"""

import re
from datetime import datetime

# Random ids; the data's are made of md5 and are the same everywhere.
FRESH_ID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-'
                      r'[89ab][0-9a-f]{3}-[0-9a-f]{12}')
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?')
HTTP_DATE = re.compile(r'\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT')
# Nothing in the data is as young as the day of the recording.
DAY = '2026-11-23T'
TOKEN = re.compile(r'[\w-]+\.[\w-]+\.[\w-]+')
UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')

WORDS = {
    '<any>': lambda v: True,
    '<uuid>': lambda v: isinstance(v, str) and UUID.fullmatch(v),
    '<text>': lambda v: isinstance(v, str) and v,
    '<number>': lambda v: is_number(v),
    '<time>': lambda v: is_time(v) and v > DAY,
    '<token>': lambda v: isinstance(v, str) and TOKEN.fullmatch(v),
}


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_time(value):
    return isinstance(value, str) and TIME.fullmatch(value)


def kind(value):
    return 'number' if is_number(value) else type(value).__name__


class Match:
    """Holds what of ours stands for which recorded value."""

    def __init__(self, variables):
        self.names = variables
        self.ours = {}          # recorded value -> ours
        self.captured = ()      # values that the line at hand brings

    def fill(self, text):
        """{{name}} replaced by our value."""
        def value(found):
            recorded = self.names[found.group(1)]
            return self.ours.get(recorded, recorded)
        return re.sub(r'\{\{(\w+)\}\}', value, text)

    def differences(self, wanted, got, unordered=False, shape=False):
        """Sentences; none when they are the same."""
        self.unordered, self.shape = unordered, shape
        return list(self.walk(wanted, got, ''))[:12]

    def is_same(self, wanted, got):
        """Learns what stands for what only if so."""
        before = dict(self.ours)
        if next(self.walk(wanted, got, ''), None) is None:
            return True
        self.ours = before
        return False

    def walk(self, wanted, got, path):
        if isinstance(wanted, str) and wanted in WORDS:
            if not WORDS[wanted](got):
                yield f'{path}: {got!r} is not a {wanted}'
        elif kind(wanted) != kind(got):
            yield f'{path}: {short(got)}, not {short(wanted)}'
        elif isinstance(wanted, dict):
            for key in sorted(wanted.keys() | got.keys()):
                if key not in got:
                    yield f'{path}/{key} is missing'
                elif key not in wanted:
                    yield f'{path}/{key} is one too many: {short(got[key])}'
                else:
                    yield from self.walk(wanted[key], got[key],
                                         f'{path}/{key}')
        elif isinstance(wanted, list):
            yield from self.walk_list(wanted, got, path)
        elif not self.shape and not self.same(wanted, got):
            yield f'{path}: {short(got)}, not {short(wanted)}'

    def walk_list(self, wanted, got, path):
        if self.shape:
            pairs = zip(wanted, got)
        elif len(wanted) != len(got):
            yield f'{path}: {len(got)} items, not {len(wanted)}'
            pairs = zip(wanted, got)
        elif self.unordered:
            pairs = self.paired(wanted, list(got))
        else:
            pairs = zip(wanted, got)
        for number, (a, b) in enumerate(pairs):
            yield from self.walk(a, b, f'{path}/{number}')

    def paired(self, wanted, left):
        """Each wanted item with one of ours that is the same, if any."""
        found, alone = [], []
        for item in wanted:
            for number, other in enumerate(left):
                if self.is_same(item, other):
                    found.append((item, left.pop(number)))
                    break
            else:
                alone.append(item)
        return found + list(zip(alone, left))

    def same(self, wanted, got):
        if not isinstance(wanted, str):
            return wanted == got
        wanted = self.fill(wanted)
        if wanted in self.captured \
                or FRESH_ID.fullmatch(wanted) and FRESH_ID.fullmatch(got):
            return self.stands_for(wanted, got)
        if is_time(wanted) and is_time(got):
            if wanted > DAY:
                return got > DAY and self.ours.setdefault(wanted, got) == got
            return datetime.fromisoformat(wanted) \
                == datetime.fromisoformat(got)
        if HTTP_DATE.fullmatch(wanted):
            return bool(HTTP_DATE.fullmatch(got))
        for recorded, ours in self.ours.items():
            wanted = wanted.replace(recorded, ours)
        return wanted == got

    def stands_for(self, wanted, got):
        """One recorded id is one of ours, and never two of them one."""
        if wanted in self.ours.values():
            return wanted == got            # filled in, ours already
        if wanted not in self.ours and got in self.ours.values():
            return False
        return self.ours.setdefault(wanted, got) == got


def short(value):
    text = repr(value)
    return text if len(text) < 160 else text[:157] + '…'
