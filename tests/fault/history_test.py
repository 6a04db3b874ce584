#!/usr/bin/env python3
"""Histories under faults: what clients were told and saw is compared with what may be.

    history_test.py [--seconds 60] [--seed N] [--workloads bank,append,set,fork,batch] [--no-faults]

All workloads run at once on a leader and two nodes in processes of their own, while a node or the
leader is killed with -9 or stopped for up to four seconds every few seconds. bank: transfers between
accounts on both nodes, the sum of all is constant. append: transactions that read lists and append
to them. set: single rows from several clients. fork: two rows of two clients, seen in one order by
everybody. batch: two COPYs into two tables in one transaction, whole or not there. The checkers and
their own test are tests/support/history_check.py.
"""

import argparse
import collections
import pathlib
import random
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import cluster  # noqa: E402
import history_check  # noqa: E402
import pgwire  # noqa: E402

ACCOUNTS, BALANCE = 8, 1000
LISTS, LIST_SECONDS = 6, 5
BATCH_ROWS = 40
UNKNOWN = "08007"  # the leader cannot tell whether the commit happened


class Worker(threading.Thread):
    """Repeats `step`, which returns the kind, value and steps of what it did."""

    def __init__(self, server, seed, number, shared):
        super().__init__(daemon=True)
        self.server, self.shared, self.number = server, shared, number
        self.random = random.Random(f"{seed}/{type(self).__name__}/{number}")
        self.stop, self.failure = threading.Event(), None
        self.history, self.errors = [], collections.Counter()
        self.connection = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.turn()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = f"{type(self).__name__}: {error!r}"

    def turn(self):
        operation = history_check.Operation(time.monotonic(), 0, "ok")
        try:
            if self.connection is None:
                self.connection = self.server.connect(timeout=30)
            self.is_deciding = False
            self.step(self.connection, operation)
        except pgwire.ServerError as error:
            # What the leader calls failed is failed, unless it says that it does not know.
            operation.outcome = "unknown" if error.sqlstate == UNKNOWN else "fail"
            self.errors[error.sqlstate] += 1
            self.recover(error)
        except (OSError, EOFError):
            operation.outcome = "unknown" if self.is_deciding else "fail"
            self.errors["connection"] += 1
            self.connection = None
            time.sleep(0.1)
        operation.end = time.monotonic()
        if operation.kind or operation.steps:
            self.history.append(operation)

    def recover(self, error):
        if error.sqlstate[:2] == "57" or error.sqlstate == "08006":
            time.sleep(0.05)
        try:
            self.connection.query_all("rollback")
        except (OSError, EOFError, pgwire.ServerError):
            self.connection = None

    def deciding(self, connection, sql):
        """A statement that commits: if its answer is lost, so is the outcome."""
        self.is_deciding = True
        return connection.query_all(sql)

    def step(self, connection, operation):
        raise NotImplementedError


class Transfer(Worker):
    def step(self, connection, operation):
        operation.kind = "transfer"
        source, target = self.random.sample(range(ACCOUNTS), 2)
        amount = self.random.randrange(1, 50)
        connection.query_all("begin")
        balance = int(connection.value(f"select balance from accounts where id = {source}"))
        if balance >= amount:
            connection.query_all(f"update accounts set balance = {balance - amount} where id = {source}")
            connection.query_all(f"update accounts set balance = balance + {amount} where id = {target}")
        self.deciding(connection, "commit")


class Auditor(Worker):
    def step(self, connection, operation):
        operation.kind = "read"
        row = connection.rows("select count(*), sum(balance) from accounts")[0]
        operation.value = (int(row[0]), int(row[1]))


class Appender(Worker):
    def step(self, connection, operation):
        epoch = int((time.monotonic() - self.shared["start"]) / LIST_SECONDS)
        planned = [(self.random.random() < 0.5, epoch * LISTS + self.random.randrange(LISTS))
                   for _ in range(self.random.randrange(1, 4))]
        steps = []
        connection.query_all("begin")
        for is_append, key in planned:
            if is_append:
                self.shared["next"] += 1
                value = self.shared["next"] * 10 + self.number
                operation.steps.append(("append", key, value))  # tried, whatever comes of it
                connection.query_all(f"update lists set items = items || ',{value}' where k = {key}")
                steps.append(("append", key, value))
            else:
                items = connection.value(f"select items from lists where k = {key}")
                steps.append(("read", key, [int(i) for i in items.split(",") if i]))
        self.deciding(connection, "commit")
        operation.steps = steps


class Adder(Worker):
    def step(self, connection, operation):
        self.shared["member"] += 1
        operation.kind, operation.value = "add", self.shared["member"] * 10 + self.number
        self.deciding(connection, f"insert into members values ({operation.value})")
        self.stop.wait(0.005)


class SetReader(Worker):
    def step(self, connection, operation):
        operation.kind = "read"
        operation.value = [int(row[0]) for row in connection.rows("select n from members")]
        self.stop.wait(0.4)


class Forker(Worker):
    def step(self, connection, operation):
        group = int(time.monotonic() * 25)
        if group == getattr(self, "group", None):
            self.stop.wait(0.005)
            return
        self.group = group
        operation.kind = "write"
        self.deciding(connection, f"insert into forks values ({group}, {self.number})")


class ForkReader(Worker):
    def step(self, connection, operation):
        group = int(time.monotonic() * 25) - self.random.randrange(2)
        operation.kind = "read"
        rows = connection.rows(f"select k from forks where g = {group}")
        operation.value = (group, [int(row[0]) for row in rows])


class Loader(Worker):
    def step(self, connection, operation):
        self.shared["batch"] += 1
        batch = self.shared["batch"] * 10 + self.number
        operation.kind, operation.value = "load", batch
        data = "".join(f"{batch}|{i}\n" for i in range(BATCH_ROWS)).encode()
        connection.query_all("begin")
        connection.copy_in("copy parts_a from stdin delimiter '|'", data)
        connection.copy_in("copy parts_b from stdin delimiter '|'", data)
        self.deciding(connection, "commit")
        self.stop.wait(0.05)


class LoadReader(Worker):
    def step(self, connection, operation):
        operation.kind = "read"
        rows = connection.rows("select batch, count(*) from (select batch from parts_a union all"
                               " select batch from parts_b) p group by batch")
        operation.value = {int(batch): int(count) for batch, count in rows}
        self.stop.wait(0.2)


WORKLOADS = {
    "bank": ([Transfer, Transfer, Auditor],
             lambda h: history_check.bank_anomalies(h, ACCOUNTS, ACCOUNTS * BALANCE)),
    "append": ([Appender, Appender, Appender], history_check.append_anomalies),
    "set": ([Adder, Adder, SetReader], history_check.set_anomalies),
    "fork": ([Forker, Forker, ForkReader, ForkReader], history_check.fork_anomalies),
    "batch": ([Loader, Loader, LoadReader],
              lambda h: history_check.batch_anomalies(h, 2 * BATCH_ROWS)),
}


def create_tables(server, seconds):
    keys = LISTS * (int(seconds / LIST_SECONDS) + 10)
    with server.connect() as connection:
        for sql in (
                "create table accounts (id integer, balance integer) distkey(id)",
                "create table lists (k integer, items varchar(60000)) distkey(k)",
                "create table members (n bigint) diststyle even",
                "create table forks (g bigint, k integer) distkey(k)",
                "create table parts_a (batch bigint, n integer) distkey(n)",
                "create table parts_b (batch bigint, n integer) diststyle all",
                "insert into accounts values " + ", ".join(f"({i}, {BALANCE})" for i in range(ACCOUNTS)),
                "insert into lists values " + ", ".join(f"({k}, '')" for k in range(keys))):
            connection.query_all(sql)


class Nemesis(threading.Thread):
    """Kills or stops a process every few seconds."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.random = server, random.Random(f"{seed}/nemesis")
        self.stop, self.failure, self.kills, self.stops = threading.Event(), None, 0, 0

    def run(self):
        try:
            while not self.stop.wait(self.random.uniform(1, 4)):
                self.strike(self.random.choice(self.server.processes()))
                self.server.wait_ready()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = repr(error)

    def strike(self, process):
        if self.random.random() < 0.75:
            process.kill()
            time.sleep(self.random.choice((0, 0.2, 1)))
            process.start()
            self.kills += 1
        else:
            process.signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.2, 4))
            process.signal(signal.SIGCONT)
            self.stops += 1


def final_reads(server, workers):
    """One read more of each kind, when all is quiet: what was acknowledged must be there."""
    for worker in workers:
        if isinstance(worker, (Auditor, SetReader, LoadReader)):
            worker.connection = None
            worker.turn()
    operation = history_check.Operation(time.monotonic(), 0, "ok")
    with server.connect() as connection:
        operation.steps = [("read", int(k), [int(i) for i in items.split(",") if i])
                           for k, items in connection.rows("select k, items from lists")]
    operation.end = time.monotonic()
    return operation


def run(options):
    failed = 0
    with cluster.Cluster(2) as server:
        waits = server.watch_waits()
        create_tables(server, options.seconds)
        shared = {"start": time.monotonic(), "next": 0, "member": 0, "batch": 0}
        chosen = {name: WORKLOADS[name] for name in options.workloads.split(",")}
        workers = {name: [kind(server, options.seed, i, shared) for i, kind in enumerate(kinds)]
                   for name, (kinds, _) in chosen.items()}
        everyone = [worker for group in workers.values() for worker in group]
        nemesis = Nemesis(server, options.seed)
        for thread in everyone + ([] if options.no_faults else [nemesis]):
            thread.start()
        time.sleep(options.seconds)
        nemesis.stop.set()
        if nemesis.ident is not None:
            nemesis.join(60)
        for worker in everyone:
            worker.stop.set()
        for worker in everyone:
            worker.join(60)
            if worker.is_alive() or worker.failure:
                print(f"FAILED: {worker.failure or f'{type(worker).__name__} hangs'}")
                failed += 1
        if nemesis.failure:
            raise SystemExit(f"FAILED: {nemesis.failure}")
        server.wait_ready()
        last = final_reads(server, everyone)
        for name, (_, check) in chosen.items():
            history = [op for worker in workers[name] for op in worker.history]
            history += [last] if name == "append" else []
            outcomes = collections.Counter(op.outcome for op in history)
            anomalies = check(history)
            print(f"{name}: {outcomes['ok']} ok, {outcomes['fail']} failed, {outcomes['unknown']}"
                  f" unknown, {len(anomalies)} anomalies", flush=True)
            for anomaly in anomalies[:10]:
                print(f"FAILED: {name}: {anomaly}")
            failed += len(anomalies)
            if outcomes["ok"] < options.seconds:
                print(f"FAILED: {name}: only {outcomes['ok']} operations succeeded")
                failed += 1
        errors = sum((worker.errors for worker in everyone), collections.Counter())
        print(f"{nemesis.kills} kills, {nemesis.stops} stops; errors told: {dict(errors)}")
        print(waits)
        if waits.problem():
            print(f"FAILED: {waits.problem()}")
            failed += 1
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--no-faults", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    if history_check.self_test() != 0:
        return 1
    failed = run(options)
    print(f"{len(options.workloads.split(',')) if not failed else 0} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
