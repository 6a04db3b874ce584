#!/usr/bin/env python3
"""A table with SORTKEY AUTO gets the order that its statements ask for, by itself: after a few
questions, another order when others are asked. No statement fails for it, a writer least of all;
a kill -9 in the middle leaves the table as it was.
"""

import argparse
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402
import explained  # noqa: E402

ROWS = 60_000
WAIT_SECONDS = 40
QUESTIONS = 10  # leader/vacuum/sort_advice.h
WRITERS = 3

check = checks.Checks()


def load(connection, name):
    connection.query_all(f"create table {name} (a bigint, b bigint, c varchar(20)) distkey (a) "
                         "sortkey auto")
    numbers = list(range(ROWS))
    random.Random(7).shuffle(numbers)
    connection.copy_in(f"copy {name} from stdin delimiter '|'",
                       [b"".join(b"%d|%d|row %d\n" % (n, n * 7919 % ROWS, n) for n in numbers)])


def sort_key(server, name):
    with server.connect() as c:
        return c.value(f"select sortkey1 from svv_table_info where \"table\" = '{name}'")


def wait_for_key(server, name, key):
    deadline = time.monotonic() + WAIT_SECONDS
    while sort_key(server, name) != key and time.monotonic() < deadline:
        time.sleep(0.1)
    check(sort_key(server, name) == key, f"{name} is sorted: {sort_key(server, name)}, not {key}")


def ask(connection, name, column, times):
    for i in range(times):
        connection.rows(f"select count(*) from {name} where {column} between {i * 10} and "
                        f"{i * 10 + 50}")


def blocks_read(connection, name, column):
    return explained.blocks(connection, f"select count(*) from {name} "
                                        f"where {column} between 100 and 150")


def follows_questions(server):
    facts = "select count(*), sum(a), sum(b), min(c), max(c) from t"
    with server.connect() as c:
        load(c, "t")
        before = c.rows(facts)
        check(sort_key(server, "t") == "AUTO(SORTKEY)", "no key yet")
        ask(c, "t", "b", QUESTIONS - 1)
        time.sleep(1)
        check(sort_key(server, "t") == "AUTO(SORTKEY)", "still no key")
        read, total = blocks_read(c, "t", "b")  # one question more
        check(read > total / 2, f"unsorted: {read} of {total} blocks")
    wait_for_key(server, "t", "AUTO(SORTKEY(b))")
    with server.connect() as c:
        read, total = blocks_read(c, "t", "b")
        check(read < total / 4, f"sorted: {read} of {total} blocks")
        check(c.rows(facts) == before, "the rows are the same")
        ask(c, "t", "a", 2 * QUESTIONS)
    wait_for_key(server, "t", "AUTO(SORTKEY(a))")
    with server.connect() as c:
        check(c.rows(facts) == before, "the rows are still the same")
        check("SORTKEY AUTO" in c.value("show table t"), "SHOW TABLE says what was asked for")
        c.query_all("alter table t alter sortkey (b)")
        ask(c, "t", "a", 3 * QUESTIONS)
        time.sleep(1)
    check(sort_key(server, "t") == "b", "a key that was given stays")


class Writer(threading.Thread):
    """Single rows, and transactions of a read and two writes, until told to stop."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number
        self.is_stopping, self.rows, self.failures = False, 0, []

    def run(self):
        with self.server.connect() as c:
            while not self.is_stopping:
                first = ROWS + self.number + WRITERS * self.rows
                row = f"values ({first}, {first}, 'w')"
                script = ([f"insert into busy {row}"] if self.rows % 3 else
                          ["begin", f"select count(*) from busy where b = {first}",
                           f"insert into busy {row}",
                           f"update busy set c = 'x' where a = {first}", "commit"])
                try:
                    for statement in script:
                        c.query_all(statement)
                    self.rows += 1
                except Exception as error:
                    self.failures.append(f"{statement}: {error}")
                    return
                time.sleep(0.02 * (self.rows % 5))


def disturbs_nobody(server):
    with server.connect() as c:
        load(c, "busy")
        writers = [Writer(server, i) for i in range(WRITERS)]
        for writer in writers:
            writer.start()
        end = time.monotonic() + 6
        while time.monotonic() < end:
            ask(c, "busy", "b", 3)
            time.sleep(0.3)  # now and then nobody is in a transaction
        for writer in writers:
            writer.is_stopping = True
        for writer in writers:
            writer.join()
            check(not writer.failures, f"a writer failed: {writer.failures}")
        written = sum(w.rows for w in writers)
        check(written > 20, f"{written} rows were written")
    wait_for_key(server, "busy", "AUTO(SORTKEY(b))")
    with server.connect() as c:
        check(c.value("select count(*) from busy") == str(ROWS + written), "all rows are there")


def survives_kills(server):
    for kill in range(4):
        name = f"k{kill}"
        with server.connect() as c:
            load(c, name)
            ask(c, name, "b", QUESTIONS)
        time.sleep(0.2 + 0.1 * kill)  # it begins within that, or has ended
        victim = [server.leader, *server.nodes][kill % 3]
        victim.kill()
        victim.start()
        server.wait_ready()
        with server.connect() as c:
            check(c.rows(f"select count(*), sum(b) from {name}") ==
                  [[str(ROWS), str(ROWS * (ROWS - 1) // 2)]], f"{name} is whole")
            ask(c, name, "b", QUESTIONS)  # a leader that was killed has forgotten
        wait_for_key(server, name, "AUTO(SORTKEY(b))")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset")
    options = parser.parse_args()
    settings = {"row_group_rows": 1000, "auto_merge_interval": "200ms"}
    with cluster.Local(2, settings=settings, preset=options.preset) as server:
        follows_questions(server)
    with cluster.Cluster(2, settings=settings, preset=options.preset) as server:
        disturbs_nobody(server)
        survives_kills(server)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
