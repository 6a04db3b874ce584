#!/usr/bin/env python3
"""Seeded rounds of kill -9 and SIGSTOP against a cluster of four processes.

Each round picks a victim (the leader or a node), a moment (at rest, during COPY, SELECT, or any step
of a transaction of two tables), a signal, and whether a killed process is back at once. After it:
the statement in flight has ended with an error that is clear, committed data is whole, no part of an
unacknowledged transaction is visible unless all of it is, the process comes back into the same data without help, and nothing waited longer than ten seconds.
"""

import pathlib
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
import seeded  # noqa: E402
from seeded import Failure  # noqa: E402

WAIT_MAX = 10.0
BATCH_ROWS = 20_000
CLEAR = {"08006", "57P01", "57P03", "57014", "08000", "58030", "40001"}


class Rounds:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = cluster.Cluster(3, preset=options.preset)
        self.acknowledged = []  # ids of COPY batches the client knows to be committed
        self.unknown = []  # batches whose COPY failed: all or nothing
        self.paired = set()  # batches that wrote both tables: in both or in neither
        self.next_batch = 1

    def connect(self):
        return self.server.connect(timeout=60)

    def batch_text(self, batch):
        return b"".join(b"%d|%d|row %d of batch %d\n" % (batch, i, i, batch)
                        for i in range(BATCH_ROWS))

    # ---- what runs while the victim dies ----

    def write_batch(self, run, what, log):
        """Notes what the client knows of a new batch."""
        batch = self.next_batch
        self.next_batch += 1
        self.unknown.append(batch)  # until more is known
        how, error = seeded.outcome(lambda: run(batch), what, set(), CLEAR)
        log.append(f"{what} {how}: {error}" if error else f"{what} {how}")
        if how == "acknowledged":
            self.unknown.remove(batch)
            self.acknowledged.append(batch)

    def copy(self, log):
        def run(batch):
            with self.connect() as c:
                text = self.batch_text(batch)

                def slowly():
                    for i in range(0, len(text), len(text) // 8 + 1):
                        yield text[i : i + len(text) // 8 + 1]
                        time.sleep(0.02)
                tag = c.copy_in("copy facts from stdin delimiter '|'", slowly())
            if tag != f"COPY {BATCH_ROWS}":
                raise Failure(f"tag {tag}")
        self.write_batch(run, "COPY", log)

    def transaction(self, log):
        """Two statements, two tables, pauses in between: the signal may fall before any step."""
        def run(batch):
            self.paired.add(batch)
            with self.connect() as c:
                log.append("BEGIN")
                c.query_all("begin")
                log.append("COPY")
                c.copy_in("copy facts from stdin delimiter '|'", [self.batch_text(batch)])
                time.sleep(self.pause)
                log.append("INSERT")
                c.query_all(f"insert into ledger select batch, id from facts where batch = {batch}")
                time.sleep(self.pause)
                log.append("COMMIT")
                c.query_all("commit")
        self.write_batch(run, "transaction", log)

    def select(self, log):
        def run():
            with self.connect() as c:
                for _ in range(5):
                    rows = c.rows("select a.batch, count(*), sum(b.id) from facts a, facts b "
                                  "where a.batch = b.batch and a.id = b.id group by a.batch")
                    for _, count, _ in rows:
                        if int(count) != BATCH_ROWS:
                            raise Failure(f"a SELECT saw part of a batch: {rows}")
        log.append("SELECT {}: {}".format(*seeded.outcome(run, "SELECT", set(), CLEAR)))

    def rest(self, log):
        log.append("at rest")

    # ---- one round ----

    def timed(self, function, log, problems):
        start = time.monotonic()
        try:
            function(log)
        except Exception as error:  # reported by the round
            problems.append(error)
        return time.monotonic() - start

    def round(self, number):
        victim = self.random.choice(self.server.processes())
        work = self.random.choice(
            [self.copy, self.copy, self.transaction, self.transaction, self.select, self.rest])
        kind = self.random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
        delay = self.random.uniform(0.0, 0.35)
        self.pause = self.random.choice([0.0, 0.1, 0.6])
        is_back_at_once = self.random.random() < 0.5  # or only when the statement has ended
        name = "leader" if victim is self.server.leader else victim.log_path.name[:-4]
        log, problems, ends = [], [], []
        thread = threading.Thread(
            target=lambda: (self.timed(work, log, problems), ends.append(time.monotonic())))
        thread.start()
        time.sleep(delay)
        hit = time.monotonic()
        if kind == signal.SIGKILL:
            victim.kill()
            if is_back_at_once:
                victim.start()
        else:
            victim.signal(signal.SIGSTOP)
            time.sleep(3.2)
        # A stopped leader answers nobody: its clients wait until it goes on.
        if kind == signal.SIGSTOP:
            victim.signal(signal.SIGCONT)
        thread.join(timeout=2 * WAIT_MAX)
        if thread.is_alive():
            raise Failure(f"round {number}: the statement never ended")
        waited = ends[0] - hit
        if waited > WAIT_MAX:
            raise Failure(f"round {number}: the statement ended {waited:.1f} s after the signal")
        if problems:
            raise problems[0]
        if kind == signal.SIGKILL and not is_back_at_once:
            victim.start()
        started = time.monotonic()
        self.server.wait_ready(timeout=20)
        back = time.monotonic() - started
        if back > WAIT_MAX:
            raise Failure(f"round {number}: {back:.1f} s until the cluster served again")
        self.all_alive(number)
        try:
            self.verify()
        finally:
            self.all_alive(number)
        print(f"round {number}: {kind.name} {name} during {work.__name__}: {'; '.join(log)}; "
              f"back in {back:.2f} s", flush=True)

    def all_alive(self, number):
        for p in self.server.processes():
            if not p.is_running():
                raise Failure(f"round {number}: {p.arguments[1]} {p.log_path.name} ended by itself "
                              f"({p.process.returncode}):\n{p.log()[-2000:]}")

    def verify(self):
        with self.connect() as c:
            rows = c.rows("select batch, count(*), count(distinct id), sum(id) from facts "
                          "group by batch order by batch")
            paired = c.rows("select batch, count(*), sum(id) from ledger group by batch")
        seen = {int(r[0]): (int(r[1]), int(r[2]), int(r[3])) for r in rows}
        whole = (BATCH_ROWS, BATCH_ROWS, BATCH_ROWS * (BATCH_ROWS - 1) // 2)
        for batch in self.acknowledged:
            if seen.get(batch) != whole:
                raise Failure(f"batch {batch} was acknowledged, seen {seen.get(batch)}")
        for batch, found in seen.items():
            if found != whole:
                raise Failure(f"batch {batch} is visible in part: {found}")
            if batch not in self.acknowledged and batch not in self.unknown:
                raise Failure(f"batch {batch} was never sent")

        in_ledger = {int(r[0]): (int(r[1]), int(r[2])) for r in paired}
        for batch in seen.keys() & self.paired | in_ledger.keys():
            if batch not in seen or in_ledger.get(batch) != (whole[0], whole[2]):
                raise Failure(f"transaction {batch} is visible in part: facts {seen.get(batch)}, "
                              f"ledger {in_ledger.get(batch)}")

    def restart_in_transaction(self):
        """A node that restarts forgets what was not prepared: the COMMIT must not succeed."""
        batch = self.next_batch
        self.next_batch += 1
        with self.connect() as c:
            c.query_all("begin")
            c.copy_in("copy facts from stdin delimiter '|'", [self.batch_text(batch)])
            self.server.nodes[0].kill()
            self.server.nodes[0].start()
            self.server.wait_ready(timeout=20)
            try:
                c.query_all("commit")
                raise Failure("a transaction was committed after a node had forgotten its rows")
            except pgwire.ServerError as error:
                if error.sqlstate not in CLEAR:
                    raise Failure(f"COMMIT ended with {error}") from error
        self.verify()

    def client_gone(self):
        """A client that vanishes in mid-COPY leaves no row."""
        with self.connect() as c:
            before = c.value("select count(*) from facts")
        gone = self.connect()
        gone.send(b"Q", b"copy facts from stdin delimiter '|'\0")
        gone.receive()
        gone.send(b"d", self.batch_text(999_999)[:200_000])
        gone.socket.shutdown(socket.SHUT_RDWR)
        gone.socket.close()
        time.sleep(1)
        with self.connect() as c:
            after = c.value("select count(*) from facts")
        if before != after:
            raise Failure(f"a client gone in mid-COPY left {after} rows, {before} before")

    def run(self):
        with self.server:
            with self.connect() as c:
                c.query_all("create table facts (batch integer, id integer, note varchar(40)) "
                            "distkey (id)")
                c.query_all("create table ledger (batch integer, id integer) diststyle even")
            self.copy([])
            self.client_gone()
            self.restart_in_transaction()
            for number in range(1, self.options.rounds + 1):
                self.round(number)
        print(f"{self.options.rounds} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(seeded.main(__doc__, lambda options: Rounds(options).run(), rounds=30))
