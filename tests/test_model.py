"""R11: every interleaving of fills, joins, writes, clears and crashes.

The model has what the exactness rests on (src/fetch.c, src/versions.c,
src/connection.c): a row whose value counts the commits, its version, an
answer in memory with the version it carries, flights, and actors that each
take one step at a time.  All orders of all steps are tried, with a crash of
each writer at each place; two things must never be seen:

  stale after ack    an answer from before a write that had been acknowledged
                     when the request came
  stale for ever     an answer in memory that would still be given when all
                     is done, and is not what the database says

Each rule is then broken on purpose, and the model must find it.
"""

from collections import namedtuple

import pytest

from process import FULL

pytestmark = pytest.mark.once

# What the program does; a test breaks one of them.
RULES = {
    'version_before_query': True,   # read before the statement is sent
    'bump_before_ack': True,
    'join_only_current': True,      # a flight whose version is current
    'master_bumps': True,           # all, when a writer died during a write
    'notify': True,                 # others' writes, and late ones, bump
    'marks_after_bump': True,       # who finds a mark may count on the bump
    'bump_when_lost': True,         # a write given up bumps, unmarked
}

World = namedtuple('World', '''row version kept acked flight marked heard
                               actors''')
# row: commits so far.  kept: (version, row) in memory, or None.
# acked: the row that acknowledged writes have made.
# flight: (version, row, who) in the air, or None.
# marked: writes that need no bump any more.  heard: NOTIFYs under way.
# actors: their states, each (kind, place, what it remembers).


class Stale(Exception):
    pass


def put(items, i, item):
    return items[:i] + (item,) + items[i + 1:]


class Model:
    """`steps(world, i)` gives the worlds that a step of actor i leads to."""

    def __init__(self, rules):
        self.rules = {**RULES, **rules}

    def go(self, w, i, place, *memory, **more):
        kind = w.actors[i][0]
        return w._replace(actors=put(w.actors, i, (kind, place, memory)),
                          **more)

    def steps(self, w, i):
        kind, place, memory = w.actors[i]
        return getattr(self, kind)(w, i, place, memory)

    # --- who reads: memory, a flight to join, or one of his own ---

    def reader(self, w, i, place, m):
        rule = self.rules
        if place == 'start':    # he may count on what is acknowledged now
            yield self.go(w, i, 'look', w.acked)
        elif place == 'look':
            if w.kept and w.kept[0] == w.version:
                yield self.answer(w, i, m[0], w.kept[1])
            elif w.flight and (w.flight[0] == w.version or
                               not rule['join_only_current']):
                yield self.go(w, i, 'wait', m[0], w.flight[2])
            elif rule['version_before_query']:
                own = w.flight or (w.version, None, i)
                yield self.go(w, i, 'query', m[0], w.version, flight=own)
            else:
                own = w.flight or (w.version, None, i)
                yield self.go(w, i, 'query', m[0], None, flight=own)
        elif place == 'query':  # the snapshot
            yield self.go(w, i, 'store', m[0], m[1], w.row)
        elif place == 'store':
            version = w.version if m[1] is None else m[1]
            more = {'kept': (version, m[2])}
            if w.flight and w.flight[2] == i:
                more['flight'] = None
            yield self.answer(self.go(w, i, 'told', m[2], **more), i, m[0],
                              m[2])
        elif place == 'wait':   # until the one he joined has landed
            kind, other, memory = w.actors[m[1]]
            if other == 'end':
                yield self.answer(w, i, m[0], memory[0])

    def answer(self, w, i, least, row):
        if row < least:
            raise Stale(f'after ack: {row} where {least} was acknowledged')
        return self.go(w, i, 'end', row)

    # --- who writes through the program ---

    def writer(self, w, i, place, m):
        rule = self.rules
        if place == 'start':
            yield self.go(w, i, 'commit')
        elif place == 'commit':
            after = 'look' if rule['bump_before_ack'] else 'ack'
            heard = w.heard | {i} if rule['notify'] else w.heard
            yield self.go(w, i, after, w.row + 1, row=w.row + 1, heard=heard)
            yield from self.crash(w, i)
            yield self.go(w, i, 'orphan')       # the server goes on alone
        elif place == 'look':   # the listener may have been first
            after = 'ack' if rule['bump_before_ack'] else 'end'
            yield self.go(w, i, after if i in w.marked else 'bump', m[0])
            yield from self.crash(w, i)
        elif place == 'bump':
            if rule['marks_after_bump']:
                yield self.go(w, i, 'mark', m[0], version=w.version + 1)
            else:
                yield self.go(w, i, 'after mark', m[0],
                              marked=w.marked | {i})
        elif place == 'mark':
            after = 'ack' if rule['bump_before_ack'] else 'end'
            yield self.go(w, i, after, m[0], marked=w.marked | {i})
            yield from self.crash(w, i)
        elif place == 'after mark':
            yield self.go(w, i, 'ack', m[0], version=w.version + 1)
            yield from self.crash(w, i)
        elif place == 'ack':
            after = 'end' if rule['bump_before_ack'] else 'look'
            yield self.go(w, i, after, m[0], acked=max(w.acked, m[0]))
        elif place in ('orphan', 'dead'):
            version = w.version + bool(rule['master_bumps'])
            after = 'end' if place == 'dead' else 'alone'
            yield self.go(w, i, after, version=version)
        if place in ('orphan', 'alone'):
            heard = w.heard | {i} if rule['notify'] else w.heard
            after = 'end' if place == 'alone' else 'dead'
            yield self.go(w, i, after, row=w.row + 1, heard=heard)

    def crash(self, w, i):
        """Between any two steps until it has bumped; nobody is told."""
        yield self.go(w, i, 'dead')

    # --- who is given up by his worker, and is committed all the same ---

    def late(self, w, i, place, m):
        rule = self.rules
        if place == 'start':
            yield self.go(w, i, 'given up')
        elif place == 'given up':
            more = {}
            if rule['bump_when_lost']:
                more['version'] = w.version + 1
            if not rule['marks_after_bump']:
                more['marked'] = w.marked | {i}
            yield self.go(w, i, 'commit', **more)
        elif place == 'commit':
            heard = w.heard | {i} if rule['notify'] else w.heard
            yield self.go(w, i, 'end', row=w.row + 1, heard=heard)

    # --- psql, the listener, who clears ---

    def psql(self, w, i, place, m):
        heard = w.heard | {i} if self.rules['notify'] else w.heard
        yield self.go(w, i, 'end', row=w.row + 1, heard=heard)

    def listener(self, w, i, place, m):
        first, second = 'bump', 'mark'
        if not self.rules['marks_after_bump']:
            first, second = second, first
        if place == 'start':
            for who in w.heard:
                after = self.go(w, i, 'start', heard=w.heard - {who})
                yield after if who in w.marked else self.listens(
                    after, i, second, who, first)
        else:
            yield self.listens(w, i, 'start', m[0], place)

    def listens(self, w, i, place, who, does):
        memory = (who,) if place != 'start' else ()
        if does == 'bump':
            return self.go(w, i, place, *memory, version=w.version + 1)
        return self.go(w, i, place, *memory, marked=w.marked | {who})

    def clearer(self, w, i, place, m):
        yield self.go(w, i, 'end', version=w.version + 1)


def explore(rules, *kinds):
    """The number of states; raises Stale with what is wrong in one."""
    model = Model(rules)
    start = World(0, 0, None, 0, None, frozenset(), frozenset(), tuple(
        (kind, 'start', ()) for kind in kinds + ('listener',)))
    seen, open_ = {start}, [start]
    while open_:
        w = open_.pop()
        moved = False
        for i, (_, place, _) in enumerate(w.actors):
            if place == 'end':
                continue
            for after in model.steps(w, i):
                moved = True
                if after not in seen:
                    seen.add(after)
                    open_.append(after)
        if not moved:
            at_rest(w)
    return len(seen)


def at_rest(w):
    """Nobody can do anything any more."""
    stuck = [a for a in w.actors if a[1] != 'end' and a[0] != 'listener']
    assert not stuck, f'waits for ever: {w}'
    if w.kept and w.kept[0] == w.version and w.kept[1] != w.row:
        raise Stale(f'for ever: {w.kept[1]} where the row is {w.row}')


SHOPS = [
    ('reader', 'reader', 'writer'),
    ('reader', 'reader', 'reader', 'writer'),
    ('reader', 'writer', 'writer'),
    ('reader', 'reader', 'writer', 'psql'),
    ('reader', 'reader', 'late', 'clearer'),
    ('reader', 'reader', 'late', 'writer'),
    ('reader', 'reader', 'psql', 'psql', 'clearer'),
]
if FULL:
    SHOPS.append(('reader', 'reader', 'writer', 'writer'))
SMALL = [kinds for kinds in SHOPS if kinds.count('writer') < 2]


def test_r11_no_order_of_steps_leaves_anything_stale(capsys):
    states = sum(explore({}, *kinds) for kinds in SHOPS)
    with capsys.disabled():
        print(f'\nR11: {states} states, none stale')
    assert states > 10_000


@pytest.mark.parametrize('rule, words', [
    ('version_before_query', 'after ack|for ever'),
    ('bump_before_ack', 'after ack'),
    ('join_only_current', 'after ack'),
    ('notify', 'for ever'),
    ('marks_after_bump', 'after ack|for ever'),
])
def test_a_broken_rule_is_found(rule, words):
    with pytest.raises(Stale, match=words):
        for kinds in SMALL:
            explore({rule: False}, *kinds)


def test_the_notify_is_the_second_net():
    """What the master or the worker did not bump, the listener does."""
    for rule in ('master_bumps', 'bump_when_lost'):
        for kinds in SMALL:
            explore({rule: False}, *kinds)
