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
import cluster  # noqa: E402
import pgwire  # noqa: E402
import seeded  # noqa: E402
from seeded import Failure  # noqa: E402

ROUND_MAX = 60.0  # seconds from a kill until every client has compared
REFUSED = {"40001", "57014", "58030", "53100", "53200", "55000", "55006"}
UNKNOWN = {"08006", "08007", "08000", "57P01", "57P03"}
READY_MAX = 45.0  # a connection between nodes that cannot be closed is given up after 20 s
KEYS = 400
BATCH_ROWS = 1200


class Client:
    """A thread that changes what it owns, statement by statement, and compares it when asked."""

    def __init__(self, storm, number):
        self.storm = storm
        self.random = random.Random(storm.options.seed * 1000 + number)
        self.connection = None
        self.state = None  # what must be there; of any type that compares
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
                return self.seen(self.connect())
            except pgwire.ServerError as error:
                if error.sqlstate not in UNKNOWN | {"53200"}:
                    raise Failure(f"{type(self).__name__}: reading ended with {error}") from error
                last = error
            except OSError as error:
                last = error
                if isinstance(error, TimeoutError):
                    raise Failure(f"{type(self).__name__} cannot read: no answer") from error
            self.drop_connection()
            if time.monotonic() > deadline:
                raise Failure(f"{type(self).__name__} cannot read: {last}")
            time.sleep(0.01)

    def compare(self, may_be, what):
        seen = self.look()
        if seen not in may_be:
            raise Failure(f"{type(self).__name__}, {what}: {self.difference(seen, may_be[-1])}")
        self.state = seen

    def difference(self, seen, wanted):
        if isinstance(seen, dict) and isinstance(wanted, dict):
            keys = [k for k in seen.keys() | wanted.keys() if seen.get(k) != wanted.get(k)]
            return "; ".join(f"{k}: {seen.get(k)}, not {wanted.get(k)}" for k in sorted(keys)[:5])
        return f"{seen}, not {wanted}"

    def change(self):
        run, after, what = self.next_change()
        how, _ = seeded.outcome(lambda: run(self.connect()), what, REFUSED, UNKNOWN)
        self.counts[how] += 1
        if how == "acknowledged":
            self.state = after
            return
        self.drop_connection()
        self.compare([self.state] if how == "refused" else [self.state, after],
                     f"{what} was {how}")

    def run(self):
        try:
            while not self.storm.is_over:
                wanted = self.storm.round
                if self.checked < wanted:
                    self.compare([self.state], f"round {wanted}")
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


class Copier(Client):
    """COPY of batches, and TRUNCATE."""

    def make(self, c):
        c.query_all("create table copied (batch bigint, id bigint, note varchar(40)) distkey (id) "
                    "sortkey (id)")
        self.state, self.next_batch = {}, 1

    def next_change(self):
        if len(self.state) >= 12:
            return lambda c: c.query_all("truncate copied"), {}, "TRUNCATE"
        batch = self.next_batch
        self.next_batch += 1
        text = b"".join(b"%d|%d|row %d of %d\n" % (batch, i, i, batch) for i in range(BATCH_ROWS))
        return (lambda c: c.copy_in("copy copied from stdin delimiter '|'", text),
                {**self.state, batch: (BATCH_ROWS, BATCH_ROWS * (BATCH_ROWS - 1) // 2)}, "COPY")

    def seen(self, c):
        return {int(b): (int(n), int(s)) for b, n, s in
                c.rows("select batch, count(*), sum(id) from copied group by batch")}


class Pairs(Client):
    """Transactions of several statements that write two tables."""

    def make(self, c):
        c.query_all("create table lefts (batch bigint, id bigint) distkey (id)")
        c.query_all("create table rights (batch bigint, id bigint) diststyle even")
        self.state, self.next_batch = {}, 1

    def next_change(self):
        batch = self.next_batch
        self.next_batch += 1
        ids = [self.random.randrange(1 << 20) for _ in range(self.random.randrange(1, 30))]
        old = min(self.state) if len(self.state) > 20 else 0
        after = {b: v for b, v in self.state.items() if b != old}
        after[batch] = (len(ids), sum(ids), len(ids), sum(ids))

        def run(c):
            c.query_all("begin")
            c.query_all("insert into lefts values " + ",".join(f"({batch},{i})" for i in ids))
            c.query_all(f"insert into rights select batch, id from lefts where batch = {batch}")
            if old:
                c.query_all(f"delete from lefts where batch = {old}")
                c.query_all(f"delete from rights where batch = {old}")
            c.query_all("commit")
        return run, after, "transaction"

    def seen(self, c):
        return {int(r[0]): tuple(int(v) for v in r[1:]) for r in c.rows(
            "select l.batch, l.n, l.s, r.n, r.s from "
            "(select batch, count(*) as n, sum(id) as s from lefts group by batch) l full join "
            "(select batch, count(*) as n, sum(id) as s from rights group by batch) r "
            "on l.batch = r.batch")}


class Changer(Client):
    """UPDATE, DELETE, MERGE and INSERT of single rows and of ranges."""

    def make(self, c):
        c.query_all("create table counters (id bigint, v bigint) distkey (id) sortkey (v)")
        c.query_all("create table news (id bigint, v bigint) diststyle all")
        c.query_all("insert into counters values " + ",".join(f"({i},{i})" for i in range(KEYS)))
        c.query_all("insert into news values " + ",".join(f"({i},{-i})" for i in
                                                         range(0, 2 * KEYS, 9)))
        self.state = {i: i for i in range(KEYS)}

    def next_change(self):
        kind = self.random.randrange(5)
        low = self.random.randrange(2 * KEYS)
        high = low + self.random.choice([1, 20, 200])
        state = self.state
        if kind == 0:
            return (lambda c: c.query_all("merge into counters using news on counters.id = news.id "
                                          "when matched then update set v = news.v "
                                          "when not matched then insert values (news.id, news.v)"),
                    {**state, **{i: -i for i in range(0, 2 * KEYS, 9)}}, "MERGE")
        if kind == 1:
            return (lambda c: c.query_all(f"delete from counters where id >= {low} and "
                                          f"id < {high}"),
                    {i: v for i, v in state.items() if not low <= i < high}, "DELETE")
        if kind == 2:
            new = [i for i in range(low, low + 30) if i not in state]
            if new:
                return (lambda c: c.query_all("insert into counters values " +
                                              ",".join(f"({i},0)" for i in new)),
                        {**state, **{i: 0 for i in new}}, "INSERT")
        return (lambda c: c.query_all(f"update counters set v = v + 1 where id >= {low} and "
                                      f"id < {high}"),
                {i: v + 1 if low <= i < high else v for i, v in state.items()}, "UPDATE")

    def seen(self, c):
        rows = c.rows("select id, v from counters")
        seen = {int(i): int(v) for i, v in rows}
        if len(seen) != len(rows):
            raise Failure("counters has rows twice")
        return seen


class Vacuumer(Client):
    """VACUUM and ANALYZE of what the others change: no row comes or goes."""

    def make(self, c):
        self.state = ()

    def next_change(self):
        table = self.random.choice(["copied", "lefts", "counters"])
        text = self.random.choice([f"vacuum full {table} to 100 percent", f"vacuum {table}",
                                   f"analyze {table}"])
        time.sleep(self.random.uniform(0, 0.05))
        return lambda c: c.query_all(text), (), text

    def seen(self, c):
        c.query_all("select count(*) from copied")
        return ()


class Builder(Client):
    """CREATE TABLE, ALTER TABLE, CREATE TABLE AS and DROP; some in transactions."""

    def make(self, c):
        self.state, self.next_table = {}, 1

    def next_change(self):
        state = self.state
        if len(state) > 4:
            name = self.random.choice(sorted(state))
            return (lambda c: c.query_all(f"drop table {name}"),
                    {n: v for n, v in state.items() if n != name}, "DROP")
        kind = self.random.randrange(3)
        name = f"built{self.next_table}"
        if kind == 0 and state:
            name = self.random.choice(sorted(state))
            columns, rows = state[name]
            return (lambda c: c.query_all(f"alter table {name} add column c{columns} integer"),
                    {**state, name: (columns + 1, rows)}, "ALTER TABLE")
        self.next_table += 1
        if kind == 1 and state:
            source = self.random.choice(sorted(state))
            return (lambda c: c.query_all(f"create table {name} as select * from {source}"),
                    {**state, name: state[source]}, "CREATE TABLE AS")

        def both(c):
            c.query_all("begin")
            c.query_all(f"create table {name} (id bigint) distkey (id)")
            c.query_all(f"insert into {name} values (1), (2), (3), (4), (5)")
            c.query_all("commit")
        return both, {**state, name: (1, 5)}, "CREATE TABLE"

    def seen(self, c):
        names = [r[0] for r in c.rows("select tablename from pg_tables where tablename like 'built%'")]
        seen = {}
        for name in names:
            columns = c.query(f"select * from {name} where 1 = 0").columns
            seen[name] = (len(columns), int(c.value(f"select count(*) from {name}")))
        return seen


class Storm:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = cluster.Cluster(
            3, preset=options.preset, environment=seeded.breaks(options),
            settings={"auto_merge_interval": "1s", "metadata_log_bytes": "256kB"})
        self.clients = [kind(self, i) for i, kind in
                        enumerate([Copier, Pairs, Changer, Vacuumer, Builder])]
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
                    late = [type(c).__name__ for c in self.clients if c.checked < self.round]
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
                    client.make(c)
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
                        print(f"{number} kills, {time.monotonic() - start:.0f} s", flush=True)
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
        print(f"{self.options.kills} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(seeded.main(__doc__, lambda options: Storm(options).run(), can_break=True, kills=300))
