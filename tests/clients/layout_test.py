#!/usr/bin/env python3
"""ALTER DISTSTYLE and SORTKEY beside readers, writers and kills: nobody waits, nothing is half."""

import argparse
import pathlib
import random
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
from checks import check, fails  # noqa: E402

ROWS = 40_000
GROUP_ROWS = 1000
STYLES = ("alter distkey k", "alter diststyle all", "alter sortkey (v)", "alter diststyle even",
          "alter distkey v", "alter sortkey (k, v)")
FACTS = "select count(*), sum(k), sum(v), count(distinct k) from t"


def make(connection, rows=ROWS):
    connection.query_all("drop table if exists t")
    connection.query_all("create table t (k integer, v integer) diststyle even")
    connection.copy_in("copy t from stdin delimiter '|'",
                       b"".join(b"%d|%d\n" % (i, i * 7 % 1000) for i in range(rows)))


def layout(connection):
    return connection.rows("select diststyle, sortkey1 from svv_table_info where \"table\" = 't'")[0]


def older_snapshots_see_what_was(server):
    with server.connect() as old, server.connect() as c:
        make(c)
        facts = c.rows(FACTS)
        old.query_all("begin")
        check(old.rows(FACTS) == facts, "the reader begins")
        for style in STYLES:
            c.query_all(f"alter table t {style}")
            c.query_all("delete from t where k % 1000 = 1; insert into t values (1, 1)")
            check(old.rows(FACTS) == facts, f"an older snapshot after {style}")
            check(old.value("select count(*) from t a join t b on a.k = b.k") == str(ROWS), style)
        fails(lambda: old.query_all("insert into t values (5, 5); commit"), "40001")
        old.query_all("rollback")
        check(old.rows(FACTS) == c.rows(FACTS), "a new one")


def writers_conflict(server):
    with server.connect() as alters, server.connect() as writes:
        make(writes, 1000)
        for change in ("insert into t values (1, 1)", "delete from t where k in (select max(k) from t)",
                       "update t set v = 3 where k = 6", "truncate t; insert into t values (1, 1)"):
            make(writes, 1000)
            alters.query_all("begin; alter table t alter distkey k")
            writes.query_all(change)
            fails(lambda: alters.query_all("commit"), "40001")  # who wrote came first
            facts = writes.rows(FACTS)
            check(layout(writes) == ["EVEN", None], str(layout(writes)))
            writes.query_all("begin; " + change)
            alters.query_all("alter table t alter distkey k")
            fails(lambda: writes.query_all("commit"), "40001")  # and now the other
            check(alters.rows(FACTS) == facts, change)
            check(layout(writes) == ["KEY(k)", None], str(layout(writes)))
        alters.query_all("begin; alter table t alter diststyle all")
        writes.query_all("vacuum t")  # the same rows
        writes.query_all("begin; alter table t add column w integer")
        alters.query_all("commit")
        fails(lambda: writes.query_all("commit"), "40001")


def readers_and_writers_go_on(server):
    """Rows move while others read and write all the time; no row is lost or doubled."""
    stop = threading.Event()
    wrong, counts = [], [0, 0, 0]
    with server.connect() as c:
        make(c)

    def read():
        with server.connect() as own:
            while not stop.is_set():
                try:
                    got = own.rows("select count(*) - count(distinct k), min(k) from t")[0]
                    if got != ["0", "0"]:
                        wrong.append(f"seen {got}")
                    counts[0] += 1
                except pgwire.ServerError as error:
                    wrong.append(str(error))

    def write():
        with server.connect() as own:
            key = ROWS
            while not stop.is_set():
                try:
                    own.query_all(f"insert into t values ({key}, 0)")
                    key += 1
                    counts[1] += 1
                except pgwire.ServerError as error:
                    if error.sqlstate != "40001":
                        wrong.append(str(error))
                time.sleep(0.2)

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for t in threads:
        t.start()
    with server.connect() as c:
        for style in STYLES * 2:
            try:
                c.query_all(f"alter table t {style}")
                counts[2] += 1
            except pgwire.ServerError as error:
                if error.sqlstate != "40001":
                    wrong.append(str(error))
    stop.set()
    for t in threads:
        t.join()
    check(not wrong, str(wrong[:3]))
    with server.connect() as c:
        check(c.value("select count(*) from t") == str(ROWS + counts[1]), "rows written")
    print(f"{counts[0]} reads, {counts[1]} inserts, {counts[2]} of {2 * len(STYLES)} alterations")


def analyze_forgets_tables_that_went(server):
    """Statistics of rows that another transaction dropped, or wrote anew, are of no use: no error."""
    with server.connect() as analyzes, server.connect() as c:
        for what in ("analyze", "analyze t"):
            for change in ("alter table t alter distkey k", "drop table t", "alter table t rename to u",
                           "alter table t add column w integer"):
                c.query_all("drop table if exists u")
                make(c, 1000)
                analyzes.query_all(f"begin; {what}")
                c.query_all(change)
                check(analyzes.value("select 1") == "1", f"{what} and {change}")
                analyzes.query_all("commit")
        c.query_all("drop table if exists u")
        make(c, 1000)
        analyzes.query_all("begin; alter table t alter distkey v")
        c.query_all("analyze t")  # no row changes
        analyzes.query_all("commit")
        c.query_all("analyze; insert into t values (1, 1)")
        check(c.value("select tbl_rows from svv_table_info where \"table\" = 't'") == "1001", "rows")


def skipped(connection, condition):
    """The share of row groups in which a filter on one column needs no block."""
    groups = int(connection.value("select count(*) from z")) / GROUP_ROWS
    plan = "\n".join(r[0] for r in connection.rows(
        f"explain analyze select count(*) from z where {condition}"))
    return int(re.search(r"blocks_skipped=(\d+)", plan)[1]) / groups


def interleaved_keys_prune_by_every_column(server):
    rows = 128 * GROUP_ROWS
    draws = {column: random.Random(column).sample(range(rows), rows) for column in "abs"}
    with server.connect() as c:
        c.query_all(f"set row_group_rows to {GROUP_ROWS}")
        for keys, least in (("a, b", 0.7), ("b, a", 0.7), ("a, b, s", 0.5), ("a", 0.9)):
            c.query_all("drop table if exists z")
            c.query_all("create table z (a integer, b bigint, s varchar(20)) diststyle all "
                        f"interleaved sortkey ({keys})")
            c.copy_in("copy z from stdin delimiter '|'", b"".join(
                b"%d|%d|key %05d\n" % (draws["a"][i], draws["b"][i] ** 3, draws["s"][i])
                for i in range(rows)))
            for state in ("loaded", "deleted and vacuumed"):
                shares = {"a": skipped(c, f"a between {rows // 3} and {rows // 3 + 99}"),
                          "b": skipped(c, f"b between {(rows // 3) ** 3} and {(rows // 3 + 99) ** 3}"),
                          "s": skipped(c, "s = 'key 04711'")}
                for key in keys.split(", "):
                    check(shares[key] > least, f"{keys}, {state}: {shares}")
                print(f"interleaved ({keys}), {state}: skipped "
                      + ", ".join(f"{k} {100 * v:.0f} %" for k, v in shares.items()))
                c.query_all("delete from z where a % 2 = 1")
                c.query_all("vacuum full z to 100 percent")
            check(c.value("select count(*) from z") == str(rows // 2), "rows that are left")


def blocks(connection, query):
    """Of a query: blocks read, all blocks of its columns, and what of the first came from disk."""
    plan = "\n".join(r[0] for r in connection.rows(f"explain analyze {query}"))
    read, skipped, disk = (sum(int(n) for n in re.findall(rf"{name}=(\d+)", plan))
                           for name in ("blocks_read", "blocks_skipped", "blocks_from_disk"))
    return read, read + skipped, disk


def sorted_keys_read_what_is_asked(server):
    """A range of 1 row in 1,000 of a sorted table needs at most 1 block in 100."""
    rows, group_rows = 400_000, 100
    with server.connect() as c:
        c.query_all(f"set row_group_rows to {group_rows}")
        c.query_all("create table r (day integer, price decimal(12,2)) diststyle even sortkey (day)")
        days = random.Random(1).choices(range(2500), k=rows)
        c.copy_in("copy r from stdin delimiter '|'",
                  b"".join(b"%d|%d.25\n" % (days[i], i) for i in range(rows)))
        c.query_all("vacuum r")
        query = "select count(*), sum(price) from r where day between 1200 and 1201"
        read, total, _ = blocks(c, query)
        check(total >= 2 * rows / group_rows, f"{total} blocks of two columns")
        check(0 < read <= total / 100, f"{read} of {total} blocks read")
        print(f"{c.value(query)} of {rows} rows need {read} of {total} blocks")
        again, _, disk = blocks(c, query)
        check((again, disk) == (read, 0), f"once more: {again} blocks, {disk} from disk")
        c.query_all("drop table r")


def kills(options):
    draw = random.Random(options.seed)
    with cluster.Cluster(2) as server:
        with server.connect() as c:
            make(c, 4 * ROWS)
            facts = c.rows(FACTS)
        for i in range(options.kills):
            style = STYLES[i % len(STYLES)]

            def alter():
                try:
                    with server.connect() as own:
                        own.query_all(f"alter table t {style}")
                except (pgwire.ServerError, OSError, EOFError, ConnectionError):
                    pass
            thread = threading.Thread(target=alter)
            thread.start()
            time.sleep(draw.random() * 0.5)
            victim = draw.choice([server.leader] + server.nodes)
            victim.kill()
            victim.start()
            thread.join()
            server.wait_ready()
            with server.connect() as c:
                check(c.rows(FACTS) == facts, f"rows after kill {i} in {style}")
                check(c.value("select count(*) from t a join t b on a.k = b.k") == facts[0][0],
                      "rows lie where they are looked for")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with cluster.Local(nodes=2) as server:
        for test in (older_snapshots_see_what_was, writers_conflict, readers_and_writers_go_on,
                     analyze_forgets_tables_that_went,
                     interleaved_keys_prune_by_every_column, sorted_keys_read_what_is_asked):
            test(server)
            print(f"{test.__name__}: ok", flush=True)
    kills(options)
    print("kills: ok")


if __name__ == "__main__":
    main()
