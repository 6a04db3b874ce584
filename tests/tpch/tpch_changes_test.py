#!/usr/bin/env python3
"""TPC-H while its tables are vacuumed, laid out anew and written: every answer stays PostgreSQL's.

    tpch_changes_test.py [--seconds 40] [--scale 0.01] [--nodes 2] [--seed N]

On a leader and two nodes in processes of their own, two sessions ask the 22 queries, one of them
several in a transaction (one snapshot). Beside them: every form of VACUUM; ANALYZE; ALTER DISTKEY,
DISTSTYLE, SORTKEY, ADD and DROP COLUMN of the queried tables; COPY, INSERT and CREATE TABLE AS of other
tables, which are counted; and transactions on the queried tables that change no answer: rows that
come and are rolled back, rows that come and go, rows deleted and put back, values set to themselves.
Queries, VACUUM and ANALYZE end without any error. Changes may end with 40001, when another one came
first, and are tried again. At the end every table holds what was loaded.
"""

import argparse
import collections
import pathlib
import random
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tpch_test  # noqa: E402 (sets the path of the others)
import cluster  # noqa: E402
import pgwire  # noqa: E402
import schema  # noqa: E402

CONFLICT, UNSUPPORTED = "40001", "0A000"
NEW_KEY = 900_000_000  # no row has it, or one above
SNAPSHOT_QUERIES = 4
FIRST_COLUMNS = {table: columns[0][0] for table, columns in schema.TABLES.items()}
NAMES = {table: ", ".join(name for name, _ in columns)  # the Alterer may have added one
         for table, columns in schema.TABLES.items()}
SORT_KEYS = {table: [name for name, _ in columns if not name.endswith("comment")]
             for table, columns in schema.TABLES.items()}


class Session(threading.Thread):
    """Repeats `step` until told to stop."""

    errors = (CONFLICT,)  # with which it may end

    def __init__(self, test, number=0):
        super().__init__(daemon=True)
        self.test = test
        self.random = random.Random(f"{test.options.seed}/{type(self).__name__}/{number}")
        self.done, self.conflicts = collections.Counter(), collections.Counter()
        self.failure, self.doing = None, "a change"

    def run(self):
        try:
            with self.test.server.connect(timeout=120) as connection:
                while not self.test.stop.is_set():
                    self.turn(connection)
        except (OSError, AssertionError) as error:
            self.failure = f"{type(self).__name__}: {error}"

    def turn(self, connection):
        try:
            self.done[self.step(connection)] += 1
        except pgwire.ServerError as error:
            if error.sqlstate not in self.errors:
                self.failure = f"{type(self).__name__}, {self.doing}: {error}"
                self.test.stop.set()
                return
            self.conflicts[f"{self.doing}: {error.message}"] += 1
            if connection.status != "I":
                connection.query_all("rollback")

    def table(self):
        return self.random.choice(list(schema.TABLES))

    def step(self, connection):
        """Does something; the word by which it is counted."""
        raise NotImplementedError


class Answerer(Session):
    errors = ()

    def step(self, connection):
        number = self.random.choice(tpch_test.QUERIES)
        self.test.answer(connection, number, "by itself")
        return f"q{number:02}"


class SnapshotAnswerer(Answerer):
    def step(self, connection):
        connection.query_all("begin")
        for number in self.random.sample(tpch_test.QUERIES, SNAPSHOT_QUERIES):
            self.test.answer(connection, number, "in a transaction")
            self.done[f"q{number:02}"] += 1
        connection.query_all("commit")
        return "snapshot"


class Vacuumer(Session):
    errors = ()
    FORMS = ("vacuum {}", "vacuum full {}", "vacuum full {} to 100 percent", "vacuum sort only {}",
             "vacuum delete only {}", "vacuum delete only {} to 75 percent", "vacuum reindex {}",
             "vacuum recluster {}", "vacuum {} boost", "vacuum", "vacuum full", "analyze {}", "analyze")

    def step(self, connection):
        form = self.random.choice(self.FORMS)
        self.doing = form.format(self.table())
        try:
            connection.query_all(self.doing)
        except pgwire.ServerError as error:
            # Documented: not of a table with DISTSTYLE ALL.
            if error.sqlstate != UNSUPPORTED or "recluster" not in form:
                raise
        return form


class Alterer(Session):
    def step(self, connection):
        table, form = self.table(), self.random.randrange(7)
        columns = [name for name, _ in schema.TABLES[table]]
        key = self.random.choice(columns)
        keys = ", ".join(self.random.sample(SORT_KEYS[table], 2))
        if form == 6:
            self.doing = "add column"
            connection.query_all(f"alter table {table} add column extra integer default 7")
            self.drop(connection, table)
            return "add and drop column"
        what = [f"distkey {key}", f"distkey {FIRST_COLUMNS[table]}", "diststyle even",
                "diststyle all", f"sortkey ({keys})", f"diststyle key distkey {key}"][form]
        self.doing = f"alter table {table} alter {what}"
        connection.query_all(self.doing)
        return " ".join(what.split()[:2]) if form in (2, 3) else what.split()[0]

    def drop(self, connection, table):
        while True:
            try:
                connection.query_all(f"alter table {table} drop column extra")
                return
            except pgwire.ServerError as error:
                if error.sqlstate != CONFLICT:
                    raise
                self.conflicts[f"{self.doing}: {error.message}"] += 1


class Loader(Session):
    """Other tables, of its own: their rows are known."""

    def step(self, connection):
        source = self.test.data / "customer.tbl"
        text = source.read_bytes()
        rows = text.count(b"\n")
        connection.query_all("drop table if exists other, other_orders")
        connection.query_all(schema.create_table("customer", "key").replace("customer", "other", 1))
        for _ in range(2):
            tag = connection.copy_in("copy other from stdin delimiter '|'", text)
            assert tag == f"COPY {rows}", tag
        connection.query_all(f"insert into other select {NAMES['customer']} from customer")
        count = connection.value("select count(*) from other")
        assert count == str(3 * rows), f"other has {count} rows, not {3 * rows}"
        connection.query_all("create table other_orders distkey (o_custkey) as select * from orders")
        count = connection.value("select count(*) from other_orders")
        assert count == self.test.counts["orders"], f"other_orders has {count} rows"
        return "loads"


class Writer(Session):
    """Transactions on the queried tables after which every answer is the same."""

    def step(self, connection):
        table = self.table()
        form = self.random.choice([self.rolled_back, self.come_and_go, self.deleted_rolled_back,
                                   self.put_back, self.set_to_itself, self.savepoint])
        self.doing = form.__name__
        form(connection, table, FIRST_COLUMNS[table])
        return form.__name__

    def some(self, key):
        return f"{key} % 97 = {self.random.randrange(97)}"

    def insert(self, connection, table, key):
        """Rows that exist, under keys that do not."""
        others = ", ".join(name for name, _ in schema.TABLES[table][1:])
        connection.query_all(f"insert into {table} ({NAMES[table]}) select {key} + {NEW_KEY}, "
                             f"{others} from {table} where {self.some(key)}")

    def copy(self, connection, table):
        text = (self.test.data / f"{table}.tbl").read_bytes()
        connection.copy_in(f"copy {table} ({NAMES[table]}) from stdin delimiter '|'", text)

    def rolled_back(self, connection, table, key):
        connection.query_all("begin")
        if self.random.random() < 0.5:
            self.copy(connection, table)
        else:
            self.insert(connection, table, key)
        connection.query_all("rollback")

    def come_and_go(self, connection, table, key):
        connection.query_all("begin")
        self.insert(connection, table, key)
        connection.query_all(f"delete from {table} where {key} >= {NEW_KEY}; commit")

    def deleted_rolled_back(self, connection, table, key):
        connection.query_all(f"begin; delete from {table} where {self.some(key)}; rollback")

    def put_back(self, connection, table, key):
        some = self.some(key)
        names = NAMES[table]
        connection.query_all(f"begin; create temp table kept as select {names} from {table} "
                             f"where {some}")
        connection.query_all(f"delete from {table} where {some}; "
                             f"insert into {table} ({names}) select {names} from kept; "
                             "drop table kept; commit")

    def set_to_itself(self, connection, table, key):
        name = schema.TABLES[table][1][0]
        connection.query_all(f"update {table} set {name} = {name} where {self.some(key)}")

    def savepoint(self, connection, table, key):
        connection.query_all("begin; savepoint s")
        self.insert(connection, table, key)
        connection.query_all("rollback to s")
        connection.query_all(f"delete from {table} where {key} >= {NEW_KEY}; commit")


class Test(tpch_test.Test):
    def __init__(self, options):
        super().__init__(options)
        self.stop, self.mutex = threading.Event(), threading.Lock()
        self.server = self.data = self.folder = None
        self.counts = {}

    def check(self, condition, what):
        with self.mutex:
            super().check(condition, what)
        if not condition:
            self.stop.set()

    def answer(self, connection, number, where):
        problem = self.answer_problem(connection, number, self.folder)
        self.check(problem is None, f"{where} q{number:02}: {problem}")

    def facts(self, connection):
        """Of every table: rows, and sums of its first column and of its texts' lengths."""
        return {table: connection.rows(
            f"select count(*), sum({columns[0][0]}), sum(len({columns[-1][0]})) from {table}")[0]
            for table, columns in schema.TABLES.items()}

    def run_all(self, data, answers):
        self.data, self.folder = data, answers
        settings = {"auto_merge_interval": "1s"}
        self.server = cluster.Cluster(self.options.nodes, settings, preset=self.options.preset)
        with self.server as server:
            with server.connect(timeout=120) as connection:
                self.load(connection, "key", data)
                facts = self.facts(connection)
                self.counts = {table: rows[0] for table, rows in facts.items()}
            waits = server.watch_waits()
            sessions = [Answerer(self), SnapshotAnswerer(self), Vacuumer(self), Alterer(self),
                        Loader(self), Writer(self, 1), Writer(self, 2)]
            for session in sessions:
                session.start()
            self.stop.wait(self.options.seconds)
            self.stop.set()
            for session in sessions:
                session.join(120)
                self.tell(session)
            print(waits)
            with server.connect(timeout=120) as connection:
                self.answers(connection, "afterwards", answers)
                self.check(self.facts(connection) == facts, f"afterwards {self.facts(connection)},"
                                                            f" not {facts}")

    def tell(self, session):
        name = type(session).__name__
        self.check(not session.is_alive() and session.failure is None,
                   session.failure or f"{name} hangs")
        self.check(session.done, f"{name} did nothing: {session.conflicts}")
        words = ", ".join(f"{n} {word}" for word, n in sorted(session.done.items()))
        print(f"{name}: {sum(session.done.values())}, {sum(session.conflicts.values())} conflicts: "
              f"{words}", flush=True)
        for message, count in session.conflicts.most_common(self.options.told):
            print(f"    {count} times {CONFLICT}: {message}")

    def occurred(self):
        """Which plans occur is chance here."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--told", type=int, default=3, help="conflicts that are told of a session")
    parser.add_argument("--preset")
    options = parser.parse_args()
    options.only = None
    print(f"seed {options.seed}", flush=True)
    return Test(options).run()


if __name__ == "__main__":
    sys.exit(main())
