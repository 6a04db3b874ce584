#!/usr/bin/env python3
"""kill -9 in the middle of VACUUM: the data is whole afterwards, and nothing is half done.

Rounds: a table is loaded in overlapping parts and loses rows; VACUUM runs while another session
deletes; a random process is killed at a random moment and started again. Every row is there once,
acknowledged deletes stay deleted, those that failed happened wholly or not at all, and a VACUUM
after it leaves a few files.

Points (builds with fault points): the same with the process killed at every step of a merge and of
its commit.
"""

import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import seeded  # noqa: E402
from seeded import Failure  # noqa: E402

NODES = 2
PARTS = 6
KEYS = 100  # rows are deleted by id % KEYS
CLEAR = {"08006", "57P01", "57P03", "57014", "08000", "58030", "40001", "08007"}
NODE_POINTS = ["storage.before_rowset", "storage.merge_step", "storage.merge_drop",
               "storage.after_sync", "storage.before_prepared", "storage.before_applied",
               "storage.after_applied"]
LEADER_POINTS = ["txn.after_prepare", "commit_log.before_commit", "txn.after_record"]


class Vacuum:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = cluster.Cluster(NODES, preset=options.preset,
                                      settings={"row_group_rows": 1000})
        self.rows = options.rows

    # ---- the table ----

    def make(self):
        """Parts that overlap by the sort key, and an INSERT; a tenth of the rows is deleted."""
        with self.server.connect() as c:
            c.query_all("drop table if exists facts")
            c.query_all("create table facts (id integer, day integer, note varchar(40)) "
                        "distkey (id) sortkey (day, id)")
            for part in range(PARTS):
                c.copy_in("copy facts from stdin delimiter '|'",
                          [b"".join(b"%d|%d|row %d\n" % (i, i * 7919 % 1000, i)
                                    for i in range(part, self.rows, PARTS))])
            c.query_all(f"insert into facts values ({self.rows}, 5, 'late')")
        self.deleted, self.unknown = set(), set()
        self.delete(0)

    def delete(self, key):
        """One statement; what the client does not know of may have happened."""
        self.unknown.add(key)  # until more is known
        how = self.run_one(f"delete from facts where id % {KEYS} = {key}", timeout=30)
        if how == "done":
            self.unknown.discard(key)
            self.deleted.add(key)
        return how

    def vacuum(self):
        return self.run_one("vacuum full facts to 100 percent", timeout=60)

    def run_one(self, text, timeout):
        """How it ended: done, an SQLSTATE, or lost."""
        def run():
            with self.server.connect(timeout=timeout) as c:
                c.query_all(text)
        how, error = seeded.outcome(run, text, set(), CLEAR)
        return "done" if how == "acknowledged" else getattr(error, "sqlstate", "lost")

    def verify(self, when):
        with self.server.connect() as c:
            rows = c.rows(f"select id % {KEYS}, count(*), count(distinct id), sum(id), sum(day) "
                          "from facts group by 1")
        seen = {int(r[0]): tuple(int(v) for v in r[1:]) for r in rows}
        for key in range(KEYS):
            ids = range(key, self.rows + 1, KEYS)
            days = sum(5 if i == self.rows else i * 7919 % 1000 for i in ids)
            whole = (len(ids), len(ids), sum(ids), days)
            found = seen.get(key)
            if key in self.deleted and found is not None:
                raise Failure(f"{when}: deleted rows {key} are back: {found}")
            if key not in self.deleted and found != whole and \
                    not (key in self.unknown and found is None):
                raise Failure(f"{when}: rows {key}: {found}, not {whole}")

    def file_count(self):
        return sum(1 for _ in pathlib.Path(self.server.directory).rglob("*.rows"))

    def finish(self, when):
        """Everything works on: a whole VACUUM, after which a few files are left."""
        before = self.file_count()
        deadline = time.monotonic() + 30
        while self.vacuum() != "done":
            if time.monotonic() > deadline:
                raise Failure(f"{when}: VACUUM does not come to an end")
            time.sleep(0.2)
        self.verify(f"{when}, vacuumed again")
        while self.file_count() > 2 * NODES * 2:  # two slices on each
            if time.monotonic() > deadline:
                raise Failure(f"{when}: {self.file_count()} files are left of {before}")
            time.sleep(0.1)
            with self.server.connect() as c:
                c.query_all("select count(*) from facts")  # the horizon travels with requests

    # ---- rounds ----

    def round(self, number):
        self.make()
        victim = self.random.choice(self.server.processes())
        name = victim.log_path.name[:-4]
        delay = self.random.uniform(0.0, 0.25)
        log, problems = [], []

        def work(function, *arguments):
            try:
                log.append(f"{function.__name__} {function(*arguments)}")
            except Exception as error:  # reported by the round
                problems.append(error)

        def deletes():
            for key in self.random.sample(range(1, KEYS), 4):
                work(self.delete, key)
        threads = [threading.Thread(target=work, args=(self.vacuum,)),
                   threading.Thread(target=deletes)]
        for thread in threads:
            thread.start()
        time.sleep(delay)
        victim.kill()
        victim.start()
        for thread in threads:
            thread.join(timeout=60)
            if thread.is_alive():
                raise Failure(f"round {number}: a statement never ended")
        if problems:
            raise problems[0]
        self.server.wait_ready(timeout=20)
        self.verify(f"round {number}")
        self.finish(f"round {number}")
        print(f"round {number}: {name} killed after {delay:.2f} s: {', '.join(log)}", flush=True)

    def undisturbed(self):
        """Without a kill: an older reader keeps its rows, deletes during VACUUM are not lost."""
        self.make()
        reader = self.server.connect()
        reader.query_all("begin")
        query = "select count(*), sum(id), sum(day) from facts"
        seen = reader.rows(query)
        thread = threading.Thread(target=self.vacuum)
        thread.start()
        for key in range(1, 6):
            while self.delete(key) == "40001":
                self.unknown.discard(key)
        thread.join(timeout=60)
        if reader.rows(query) != seen:
            raise Failure("a reader that began before VACUUM sees other rows after it")
        reader.query_all("commit")
        self.verify("undisturbed")
        self.finish("undisturbed")

    def point(self, process, point):
        """The process dies at its first step of that name; VACUUM is the first that writes."""
        self.make()
        with self.server.connect() as c:  # nodes hear of a commit with their next request
            c.query_all("select count(*) from facts")
        process.stop()
        process.environment["BASALT_FAULT"] = f"{point}=crash:1"
        process.start()
        self.server.wait_ready(timeout=40)
        outcome = self.vacuum()
        deadline = time.monotonic() + 20
        while process.is_running():
            if time.monotonic() > deadline:
                raise Failure(f"{point}: nobody died; VACUUM: {outcome}")
            time.sleep(0.05)
        del process.environment["BASALT_FAULT"]
        process.start()
        self.server.wait_ready(timeout=40)
        self.verify(point)
        self.finish(point)
        print(f"{point}: VACUUM {outcome}", flush=True)

    def run(self):
        with self.server:
            self.undisturbed()
            for number in range(1, self.options.rounds + 1):
                self.round(number)
            count = 1 + self.options.rounds
            if self.options.points:
                for point in NODE_POINTS:
                    self.point(self.random.choice(self.server.nodes), point)
                for point in LEADER_POINTS:
                    self.point(self.server.leader, point)
                count += len(NODE_POINTS) + len(LEADER_POINTS)
        print(f"{count} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(seeded.main(__doc__, lambda options: Vacuum(options).run(), rounds=10, rows=60_000,
                         points={"action": "store_true", "help": "the build has fault points"}))
