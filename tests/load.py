"""Clients that ask without pause while something happens, and are counted."""

import http.client
import threading
import time
from collections import Counter

from process import wait_until

FAULTS = (OSError, http.client.HTTPException)


class Load:
    """
    `ask(browser, number)` is called in a loop by each client, with a number
    of its own; what it returns is counted in `seen`.  They leave some of the
    processors to what is tested: `pause`, in seconds.  With `fresh` every
    request has a connection of its own: what was sent on it is sent once.

        with Load(shop, ask) as load:
            ...
        assert set(load.seen) == {200}
    """

    def __init__(self, shop, ask, clients=8, fresh=False, pause=0.005):
        self.shop, self.ask, self.fresh = shop, ask, fresh
        self.pause = pause
        self.seen, self.slowest = Counter(), 0
        self.running = set()
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.number = 0
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(clients)]

    def next(self):
        with self.lock:
            self.number += 1
            self.running.add(self.number)
            return self.number

    def run(self):
        browser = self.shop.browser()
        while not self.ending.wait(self.pause):
            began = time.monotonic()
            number = self.next()
            try:
                found = self.ask(browser, number)
            except FAULTS as fault:
                found = type(fault).__name__
                browser.close()
            took = time.monotonic() - began
            if self.fresh:
                browser.close()
            with self.lock:
                self.running.discard(number)
                self.seen[found] += 1
                self.slowest = max(self.slowest, took)
        browser.close()

    def count(self):
        with self.lock:
            return sum(self.seen.values())

    def wait_for_those_that_run(self):
        with self.lock:
            those = set(self.running)
        wait_until(lambda: not those & self.running, 30, 'their answers')

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(t.is_alive() for t in self.threads)
