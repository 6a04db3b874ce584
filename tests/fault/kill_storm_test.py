#!/usr/bin/env python3
"""Hundreds of kill -9 while five clients write: COPY, commits of two tables, UPDATE, DELETE and
MERGE, VACUUM, DDL.

Each client owns its tables or keys and knows what they must hold: what was acknowledged is there,
what was refused is not, what is unknown (the connection ended, a process was lost) is there wholly
or not at all. Each kill hits a random process at a random moment; it is started again at once. After
each restart every client compares all that it owns before the next kill.
"""

import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import client_work  # noqa: E402
import cluster  # noqa: E402
import pgwire  # noqa: E402
import seeded  # noqa: E402
import waits  # noqa: E402
from seeded import Failure  # noqa: E402

ROUND_MAX = 60.0  # seconds from a kill until every client has compared
REFUSED = {"40001", "57014", "58030", "53100", "53200", "55000", "55006"}
UNKNOWN = {"08006", "08007", "08000", "57P01", "57P03"}
READY_MAX = 45.0  # then it hangs; what takes longer than `Waits` allows fails in the end, too


class Client:
    """A thread that changes what it owns, statement by statement, and compares it when asked."""

    def __init__(self, storm, work):
        self.storm, self.work = storm, work
        self.connection = None
        self.checked = 0   # the round after whose restart this client compared last
        self.counts = {"acknowledged": 0, "refused": 0, "unknown": 0}

    def connect(self):
        if self.connection is None:
            self.connection = self.storm.server.connect(timeout=45)
        return self.connection

    def drop_connection(self):
        if self.connection is not None:
            self.connection.socket.close()
            self.connection = None

    def look(self):
        """What is there, as often as it takes."""
        deadline = time.monotonic() + ROUND_MAX
        while True:
            try:
                return self.work.seen(self.connect())
            except pgwire.ServerError as error:
                if error.sqlstate not in UNKNOWN | {"53200"}:
                    raise Failure(f"{self.work.name()}: reading ended with {error}") from error
                last = error
            except OSError as error:
                last = error
                if isinstance(error, TimeoutError):
                    raise Failure(f"{self.work.name()} cannot read: no answer") from error
            self.drop_connection()
            if time.monotonic() > deadline:
                raise Failure(f"{self.work.name()} cannot read: {last}")
            time.sleep(0.01)

    def compare(self, may_be, what):
        seen = self.look()
        if seen not in may_be:
            raise Failure(f"{self.work.name()}, {what}: "
                          f"{self.work.difference(seen, may_be[-1])}")
        self.work.state = seen

    def change(self):
        run, after, what = self.work.next_change()
        how, _ = seeded.outcome(lambda: run(self.connect()), what, REFUSED, UNKNOWN)
        self.counts[how] += 1
        if how == "acknowledged":
            self.work.state = after
            return
        self.drop_connection()
        before = self.work.state
        self.compare([before] if how == "refused" else [before, after], f"{what} was {how}")

    def run(self):
        try:
            while not self.storm.is_over:
                wanted = self.storm.round
                if self.checked < wanted:
                    self.compare([self.work.state], f"round {wanted}")
                    self.checked = wanted
                    self.storm.note_checked()
                elif self.storm.is_comparing:
                    time.sleep(0.002)  # a VACUUM comes to its end when nobody changes its table
                else:
                    self.change()
        except Exception as error:  # reported by the storm
            self.storm.note_failure(error)
        finally:
            self.drop_connection()


class Storm:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = cluster.Cluster(
            3, preset=options.preset, environment=seeded.breaks(options),
            settings={"auto_merge_interval": "1s", "metadata_log_bytes": "256kB"})
        self.waits = self.server.watch_waits()
        self.restarts = waits.Waits(self.server.processes)
        self.clients = [Client(self, kind(options.seed * 1000 + i)) for i, kind in
                        enumerate([client_work.Copier, client_work.Pairs, client_work.Changer,
                                   client_work.Vacuumer, client_work.Builder])]
        self.round, self.is_comparing, self.is_over = 0, False, False
        self.failures = []
        self.news = threading.Condition()

    def note_checked(self):
        with self.news:
            self.news.notify_all()

    def note_failure(self, error):
        with self.news:
            self.failures.append(error)
            self.is_over = True
            self.news.notify_all()

    def wait_checked(self):
        deadline = time.monotonic() + ROUND_MAX
        with self.news:
            while not self.failures and any(c.checked < self.round for c in self.clients):
                if not self.news.wait(deadline - time.monotonic()):
                    late = [c.work.name() for c in self.clients if c.checked < self.round]
                    raise Failure(f"round {self.round}: {', '.join(late)} did not come back in "
                                  f"{ROUND_MAX:.0f} s")
        if self.failures:
            raise self.failures[0]

    def kill(self):
        victim = self.random.choice(self.server.processes())
        time.sleep(self.random.uniform(0.0, 0.3) ** 2 * 3)
        if self.failures:
            raise self.failures[0]
        victim.kill()
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0.0, 0.2))
        victim.start()
        try:
            with self.restarts.of(f"after kill {self.round + 1}, of {victim.log_path.name}"):
                self.server.wait_ready(timeout=READY_MAX)
        except RuntimeError as error:
            raise Failure(f"after kill {self.round + 1}, of {victim.log_path.name}: {error}\n"
                          f"{victim.stacks()}") from error
        return "leader" if victim is self.server.leader else "node"

    def describe(self):
        """What every process does: a wait without end is told by its stacks."""
        for process in self.server.processes():
            print(f"--- {process.log_path.name}: exit code {process.process.poll()}\n"
                  f"{process.log()[-1500:]}\n{process.stacks() if process.is_running() else ''}",
                  file=sys.stderr)

    def run(self):
        victims = {"leader": 0, "node": 0}
        start = time.monotonic()
        with self.server:
            with self.server.connect() as c:
                for client in self.clients:
                    client.work.make(c)
            threads = [threading.Thread(target=c.run, daemon=True) for c in self.clients]
            for thread in threads:
                thread.start()
            try:
                for number in range(1, self.options.kills + 1):
                    victims[self.kill()] += 1
                    self.is_comparing, self.round = True, number
                    self.wait_checked()
                    self.is_comparing = False
                    if number % 50 == 0:
                        print(f"{number} kills, {time.monotonic() - start:.0f} s, {self.waits}",
                              flush=True)
            except Failure as failure:
                if "cannot read" in str(failure) or "did not come back" in str(failure):
                    self.describe()
                raise
            finally:
                self.is_over = True
                for thread in threads:
                    thread.join(ROUND_MAX)
            if self.failures:
                raise self.failures[0]
        counts = {k: sum(c.counts[k] for c in self.clients) for k in self.clients[0].counts}
        print(f"{self.options.kills} kills ({victims['leader']} of the leader) in "
              f"{time.monotonic() - start:.0f} s, changes: "
              f"{', '.join(f'{v} {k}' for k, v in counts.items())}; "
              "0 lost, 0 partial, 0 resurrected")
        print(f"statements: {self.waits}\nready again: {self.restarts}")
        for timed in (self.waits, self.restarts):
            if timed.problem():
                raise Failure(timed.problem())
        print(f"{self.options.kills} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(seeded.main(__doc__, lambda options: Storm(options).run(), can_break=True, kills=300))
