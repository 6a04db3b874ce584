#!/usr/bin/env python3
"""Many sessions at once against servers built with a race detector (ThreadSanitizer).

Loads, transactions, selects, cancels, DDL, system tables and clients that vanish run side by side:
first on `local` (streams by pointer), then on a cluster over tcp whose node is killed and comes back.
A report of the detector fails the test, and so does a wrong answer or an unclear error.
"""

import argparse
import os
import pathlib
import random
import socket
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402

BATCH_ROWS = 3000
CANCELED = "57014"
# What a session may meet while a node is away, or when another one changes the same thing first.
LOST = {"08006", "57P01", "57P03", "08000", "40001"}


class Failure(Exception):
    pass


class Race:
    def __init__(self, server, options, may_lose):
        self.server, self.may_lose = server, may_lose
        self.options = options
        self.stop_at = time.monotonic() + options.seconds
        self.mutex = threading.Lock()
        self.next_batch = 1
        self.acknowledged, self.sent = set(), set()
        self.problems = []
        self.counts = {}

    def connect(self):
        return self.server.connect(timeout=120)

    def take_batch(self):
        with self.mutex:
            batch = self.next_batch
            self.next_batch += 1
            self.sent.add(batch)
        return batch

    # ---- what sessions do; each is called again and again on a connection of its own ----

    def load(self, c, rng):
        batch = self.take_batch()
        text = b"".join(b"%d|%d|note %d\n" % (batch, i, i % 97) for i in range(BATCH_ROWS))
        c.copy_in("copy facts from stdin delimiter '|'", [text[:9000], text[9000:]])
        with self.mutex:
            self.acknowledged.add(batch)

    def transact(self, c, rng):
        batch = self.take_batch()
        c.query_all("begin")
        text = b"".join(b"%d|%d|\n" % (batch, i) for i in range(BATCH_ROWS))
        c.copy_in("copy facts from stdin delimiter '|'", [text])
        c.query_all("savepoint s; insert into ledger values (-1, 1, 1.5); rollback to s")
        c.query_all(f"insert into ledger select batch, id, 0.25 from facts where batch = {batch}")
        if rng.random() < 0.3:
            c.query_all("rollback")
            with self.mutex:
                self.sent.discard(batch)
            return
        c.query_all("commit")
        with self.mutex:
            self.acknowledged.add(batch)

    def select(self, c, rng):
        c.query_all(f"set exchange_encode = {rng.choice(['on', 'off'])}; "
                    f"set force_spill = {rng.choice(['on', 'off', 'off'])}; "
                    f"set batch_rows = {rng.choice([7, 1024])}")
        for batch, count, total in c.rows(
                "select batch, count(*), sum(id) from facts group by batch order by batch"):
            if int(count) != BATCH_ROWS or int(total) != BATCH_ROWS * (BATCH_ROWS - 1) // 2:
                raise Failure(f"batch {batch} is visible in part: {count} rows, sum {total}")
        rows = c.rows("select f.batch, count(*) from facts f, ledger l where f.id = l.id "
                      "and f.batch = l.batch group by f.batch having count(*) <> " +
                      str(BATCH_ROWS))
        if rows:
            raise Failure(f"a join saw part of a transaction: {rows}")
        c.rows("select id, note, row_number() over (partition by note order by id) from facts "
               "order by note, id limit 50")
        c.rows("select count(distinct note) from facts where id < 100")

    def cancel(self, c, rng):
        delay = rng.uniform(0.0, 0.4)
        timer = threading.Timer(delay, c.cancel)
        timer.start()
        try:
            c.rows("select count(*) from facts a, facts b where a.id + b.id = -1")
        except pgwire.ServerError as error:
            if error.sqlstate != CANCELED:
                raise
        finally:
            timer.join()
        c.socket.settimeout(120)
        try:
            c.rows("select 1")  # a cancel that came late may meet the next statement
        except pgwire.ServerError as error:
            if error.sqlstate != CANCELED:
                raise

    def define(self, c, rng):
        name = f"made_{threading.get_ident() % 1000}_{rng.randrange(10 ** 9)}"
        c.query_all(f"create table {name} (a integer, b varchar(20)) distkey (a)")
        c.query_all(f"insert into {name} values (1, 'one'), (2, 'two')")
        if c.rows(f"select a, b from {name} order by a") != [["1", "one"], ["2", "two"]]:
            raise Failure(f"{name} lost its rows")
        c.query_all(f"truncate {name}")
        c.query_all(f"drop table {name}")

    def look(self, c, rng):
        for view in ("svv_cluster_nodes", "svv_table_info", "pg_stat_activity", "pg_tables"):
            c.rows(f"select * from {view}")
        c.rows("explain analyze select note, count(*) from facts group by note")

    def vanish(self, c, rng):
        c.send(b"Q", b"copy facts from stdin delimiter '|'\0")
        c.receive()
        c.send(b"d", b"999999|1|gone\n" * rng.randrange(1, 2000))
        c.socket.shutdown(socket.SHUT_RDWR)
        c.socket.close()

    # ---- threads ----

    def session(self, work, seed):
        rng, c = random.Random(seed), None
        while time.monotonic() < self.stop_at and not self.problems:
            try:
                if c is None:
                    c = self.connect()
                work(c, rng)
                with self.mutex:
                    self.counts[work.__name__] = self.counts.get(work.__name__, 0) + 1
                if work == self.vanish or rng.random() < 0.1:
                    c.close()
                    c = None
            except (pgwire.ServerError, OSError, ConnectionError) as error:
                is_lost = not isinstance(error, pgwire.ServerError) or error.sqlstate in LOST
                if not (self.may_lose and is_lost):
                    self.problems.append(Failure(
                        f"{work.__name__}: {error!r}\n{traceback.format_exc()}"))
                if c is not None:
                    c.close()
                    c = None
                time.sleep(0.05)
            except Failure as failure:
                self.problems.append(failure)

    def run(self):
        with self.connect() as c:
            c.query_all("create table facts (batch integer, id integer, note varchar(40)) "
                        "distkey (id) sortkey (id)")
            c.query_all("create table ledger (batch integer, id integer, amount decimal(12,2)) "
                        "diststyle even")
        works = [self.load, self.load, self.transact, self.select, self.select, self.cancel,
                 self.define, self.look, self.vanish]
        threads = [threading.Thread(target=self.session, args=(work, self.options.seed * 100 + i))
                   for i, work in enumerate(works)]
        for t in threads:
            t.start()
        if self.may_lose:
            time.sleep(self.options.seconds / 3)
            self.server.nodes[0].kill()
            self.server.nodes[0].start()
        for t in threads:
            t.join(timeout=self.options.seconds + 240)
            if t.is_alive():
                raise Failure("a session never ended")
        if self.problems:
            raise self.problems[0]
        self.server.wait_ready(timeout=60)
        self.verify()

    def verify(self):
        with self.connect() as c:
            seen = {int(r[0]): int(r[1]) for r in
                    c.rows("select batch, count(*) from facts group by batch")}
        partial = {b: n for b, n in seen.items() if n != BATCH_ROWS}
        if partial or not self.acknowledged <= seen.keys() <= self.sent:
            raise Failure(f"in part {partial}, lost {self.acknowledged - seen.keys()}, "
                          f"never committed {seen.keys() - self.sent}")


def run_server(name, server, options, may_lose):
    """Runs the sessions; then the server stops cleanly, and the detector has written nothing."""
    reports = pathlib.Path(server.directory)
    race = Race(server, options, may_lose)
    try:
        with server:
            race.stop_at = time.monotonic() + options.seconds
            race.run()
    except RuntimeError as error:
        race.problems.append(error)
    finally:
        texts = [p.read_text(errors="replace") for p in sorted(reports.glob("tsan.*"))]
        for text in texts:
            print(text[:6000], file=sys.stderr)
        server.own_directory = True
        server.remove()
    if texts:
        raise Failure(f"{name}: {len(texts)} processes with reports of the race detector")
    if race.problems:
        raise Failure(f"{name}: {race.problems[0]}")
    print(f"{name}: {', '.join(f'{n} {w}' for w, n in sorted(race.counts.items()))}; no race",
          flush=True)


def make(kind, options):
    directory = tempfile.mkdtemp(prefix="basalt-race-")
    suppressions = cluster.ROOT / "tests" / "support" / "tsan.supp"
    environment = {"TSAN_OPTIONS": f"exitcode=66 suppressions={suppressions} "
                                   f"second_deadlock_stack=1 log_path={directory}/tsan"}
    settings = {"row_group_rows": 700, "workers": 3}
    return kind(nodes=2, settings=settings, environment=environment, directory=directory,
                preset=options.preset)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="of each server")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--preset", default=os.environ.get("BASALT_PRESET", "tsan"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    try:
        run_server("local", make(cluster.Local, options), options, False)
        run_server("cluster", make(cluster.Cluster, options), options, True)
    except Failure as failure:
        print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
