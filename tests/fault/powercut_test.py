#!/usr/bin/env python3
"""Power cuts of a leader and two nodes: what was acknowledged is there, nothing is there in part.

    powercut_test.py [--seconds 45] [--images N] [--seed N] [--preset fault] [--keep FOLDER]

Rounds: every process notes what it writes (base/io/file_journal.h) while clients insert single rows,
COPY, change two tables at once, UPDATE, DELETE, MERGE, VACUUM and change tables. Then all are killed,
and of some moments of the round, a quarter of them while the cluster starts from the last image,
images of all three disks are made (support/power_cut.py). From each the cluster must start by itself
and hold what was acknowledged before that moment, of the rest all or nothing of each change;
`inspect` must find no fault. The next round goes on from the last image. Before all that, the same
while the cluster is made.

Negative controls: --break-name file.sync, file.sync_directory (syncs that do not last),
storage.vote_unwritten.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import client_work  # noqa: E402
import cluster  # noqa: E402
import pgwire  # noqa: E402
import power_cut  # noqa: E402
from seeded import Failure  # noqa: E402

NODES = 2
INSERTERS = 3
ROUND_IMAGES = 4
WORK_SECONDS = (0.3, 1.5)
REFUSED = {"40001", "55000", "55006"}
UNKNOWN = {"08006", "08007", "57P03"}  # of a node that did not run for seconds


class Client(threading.Thread):
    """Changes what it owns until the cluster ends; `history`: (start, end or None, before, after)."""

    def __init__(self, server, work):
        super().__init__(daemon=True)
        self.server, self.work = server, work
        self.stop, self.failure, self.history = threading.Event(), None, []

    def run(self):
        try:
            with self.server.connect() as connection:
                while not self.stop.is_set():
                    self.change(connection)
        except (OSError, pgwire.ServerError) as error:
            if not self.stop.is_set():
                self.failure = f"{self.work.name()}: {error}"
        except Exception as error:  # pylint: disable=broad-except
            self.failure = f"{self.work.name()}: {error!r}"

    def change(self, connection):
        run, after, what = self.work.next_change()
        self.history.append((time.monotonic(), None, self.work.state, after, what))
        try:
            run(connection)
        except pgwire.ServerError as error:
            if error.sqlstate in UNKNOWN:
                self.stop.set()  # for this round: it cannot tell what comes next
            if error.sqlstate not in REFUSED or self.stop.is_set():
                raise
            after = self.work.state
            if connection.status != "I":
                connection.query_all("rollback")
        self.history[-1] = (self.history[-1][0], time.monotonic(), self.work.state, after, what)
        self.work.state = after

    def may_be(self, moment, state):
        """What may be there when power was lost at that moment; the states and a word."""
        states, doing = [state], "nothing"
        for start, end, before, after, what in self.history:
            if start >= moment:
                break
            states, doing = ([before, after], what) if end is None or end >= moment else \
                ([after], f"after {what}")
        return states, doing


class Test:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        environment = {"BASALT_BREAK": options.break_name} if options.break_name else {}
        self.server = cluster.Cluster(NODES, preset=options.preset, environment=environment, settings={
            "auto_merge_interval": "1s", "metadata_log_bytes": "256kB"})
        self.folder = self.server.directory
        for process, name in zip(self.server.processes(), self.disks()):
            process.environment["BASALT_FILE_JOURNAL"] = str(self.folder / f"{name}.journal")
        kinds = [client_work.Copier, client_work.Pairs, client_work.Changer, client_work.Vacuumer,
                 client_work.Builder]
        self.works = [kind(options.seed * 1000 + i) for i, kind in enumerate(kinds)]
        self.works += [client_work.Inserter(options.seed * 1000 + 100 + i, i)
                       for i in range(INSERTERS)]
        self.images = self.changes = self.starting = self.unsynced = self.round = 0

    @staticmethod
    def disks():
        return ["leader"] + [f"node{i}" for i in range(1, NODES + 1)]

    # ---- images ----

    def read_journals(self):
        self.cuts = [power_cut.Disk(self.folder / name, self.folder / "base" / name,
                                    self.folder / f"{name}.journal") for name in self.disks()]

    def make_image(self, moment):
        """The disks as the power cut leaves them, where the processes look for them."""
        for name, cut in zip(self.disks(), self.cuts):
            cut.advance(int(moment * 1e6))
            shutil.rmtree(self.folder / name, ignore_errors=True)
            cut.image(self.random, self.folder / name)
            self.unsynced += cut.unsynced
        self.images += 1

    def copy_disks(self, name):
        shutil.rmtree(self.folder / name, ignore_errors=True)
        for disk in self.disks():
            if (self.folder / disk).exists():
                shutil.copytree(self.folder / disk, self.folder / name / disk)

    def inspect(self, when):
        found = subprocess.run([str(cluster.program(self.options.preset)), "inspect"]
                               + [str(self.folder / name) for name in self.disks()],
                               capture_output=True, text=True, timeout=120)
        if found.returncode != 0:
            raise Failure(f"{when}: inspect: {found.stdout[-1500:]}{found.stderr[-500:]}")

    # ---- the cluster ----

    def start(self):
        for process in self.server.processes():
            process.start()

    def kill(self):
        for process in self.server.processes():
            process.process.kill()
        for process in self.server.processes():
            process.kill()

    def check_running(self, when):
        for process in self.server.processes():
            if not process.is_running():
                raise Failure(f"{when}: a process ended by itself: {process.log()[-1500:]}")

    def wait_ready(self, when):
        try:
            self.server.wait_ready()
        except RuntimeError as error:
            raise Failure(f"{when}: {error}") from error

    def compare(self, may_be, when):
        """Every state is one that may be; it is the state from then on."""
        with self.server.connect() as c:
            for work, (states, doing) in zip(self.works, may_be):
                try:
                    seen = work.seen(c)
                except pgwire.ServerError as error:
                    raise Failure(f"{when}: {work.name()} cannot read: {error}") from error
                if seen not in states:
                    raise Failure(f"{when}: {work.name()}, {doing}: "
                                  f"{work.difference(seen, states[-1])}")
                work.state = seen

    # ---- rounds ----

    def make(self):
        """A cluster, made while power is lost again and again; then its tables."""
        began = time.monotonic()
        self.server.start()
        ended = time.monotonic()
        self.kill()
        self.read_journals()  # upon empty disks
        for moment in sorted(self.random.uniform(began, ended) for _ in range(ROUND_IMAGES)):
            when = f"{moment - began:.3f} s after a new cluster's start"
            self.make_image(moment)
            self.start()
            self.wait_ready(when)
            self.kill()
            self.starting += 1
        self.start()
        self.wait_ready("after these")
        with self.server.connect() as c:
            for work in self.works:
                work.make(c)
        self.server.stop()

    def run_round(self):
        self.round += 1
        self.copy_disks("base")
        before = [work.state for work in self.works]
        began = time.monotonic()
        self.start()
        self.wait_ready(f"round {self.round}")
        self.compare([([state], "at rest") for state in before], f"round {self.round}")
        ready = time.monotonic()
        clients = [Client(self.server, work) for work in self.works]
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(*WORK_SECONDS))
        ended = time.monotonic()
        for client in clients:
            client.stop.set()
        self.check_running(f"round {self.round}")
        self.kill()
        for client in clients:
            client.join(60)
            if client.is_alive() or client.failure:
                raise Failure(f"round {self.round}: {client.failure or 'a client hangs'}")
        self.changes += sum(len(client.history) for client in clients)
        self.read_journals()
        moments = [self.random.uniform(began, ready) for _ in range(ROUND_IMAGES // 4)]
        moments += [self.random.uniform(ready, ended) for _ in range(ROUND_IMAGES - len(moments))]
        self.starting += ROUND_IMAGES // 4
        for moment in sorted(moments):
            when = f"round {self.round}, cut {moment - ready:.3f} s after it was ready"
            self.make_image(moment)
            self.start()
            self.wait_ready(when)
            self.compare([client.may_be(moment, state)
                          for client, state in zip(clients, before)], when)
            self.check_running(when)
            self.kill()
            self.inspect(when)

    def run(self):
        start = time.monotonic()
        try:
            self.make()
            while (self.images < self.options.images if self.options.images else
                   time.monotonic() - start < self.options.seconds):
                self.run_round()
                if self.round % 10 == 0:
                    print(f"{self.images} images, {time.monotonic() - start:.0f} s", flush=True)
        except (Failure, RuntimeError) as failure:
            if self.options.keep:
                shutil.copytree(self.folder, self.options.keep, dirs_exist_ok=True)
            print(self.server.logs()[-3000:], file=sys.stderr)
            print(f"FAILED with seed {self.options.seed}: {failure}", file=sys.stderr)
            return 1
        finally:
            for process in self.server.processes():
                if process.process is not None:
                    process.kill()
            self.server.remove()
        print(f"{self.images} images of three disks ({self.starting} of them while they start) with "
              f"{self.unsynced / 1024 / self.images:.0f} KiB not synced, {self.changes} changes, "
              f"{time.monotonic() - start:.0f} s; 0 lost, 0 partial, 0 resurrected")
        print(f"{self.images} passed, 0 failed")
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--images", type=int, help="at least that many, however long it takes")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--preset", default="fault", help="a build with fault points")
    parser.add_argument("--break-name", help="negative control: file.sync, file.sync_directory")
    parser.add_argument("--keep", help="where the folders of a failure are left")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    return Test(options).run()


if __name__ == "__main__":
    sys.exit(main())
