"""How long statements wait: the longest one of a run, less the time in which this machine ran
neither the test nor, by nobody's order here, the server."""

import contextlib
import threading
import time

TICK = 0.1  # seconds
PAUSE_MIN = 0.5  # a tick that is late by more: the test itself did not run


class Waits:
    """`processes` lists the server's (cluster.Process); `bound` in seconds is what `problem` asks."""

    def __init__(self, processes=lambda: (), bound=10.0):
        self.processes, self.bound = processes, bound
        self.paused, self.count, self.longest, self.what = 0.0, 0, 0.0, "nothing"
        self.mutex = threading.Lock()
        self.ticker = threading.Thread(target=self._tick, daemon=True)
        self.ticker.start()

    def _tick(self):
        last = time.monotonic()
        while True:
            time.sleep(TICK)
            now = time.monotonic()
            if now - last > TICK + PAUSE_MIN or any(p.is_paused() for p in self.processes()):
                self.paused += now - last
            last = now

    @contextlib.contextmanager
    def of(self, what):
        """Counts what runs inside as one wait, however it ends."""
        start, paused = time.monotonic(), self.paused
        try:
            yield
        finally:
            wait = time.monotonic() - start - (self.paused - paused)
            with self.mutex:
                self.count += 1
                if wait > self.longest:
                    self.longest, self.what = wait, what

    def problem(self):
        """Why the longest wait is too long; None when it is not."""
        if self.longest <= self.bound:
            return None
        return f"a wait of {self.longest:.1f} s, more than {self.bound:.0f}: {self.what[:200]}"

    def __str__(self):
        return (f"longest of {self.count} waits: {self.longest:.2f} s ({self.what[:60]}); "
                f"{self.paused:.1f} s paused from outside")
