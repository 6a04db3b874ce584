#!/usr/bin/env python3
"""Numbers of IDENTITY columns and defaults under COPY, many sessions at once, and restarts."""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
from checks import check, fails  # noqa: E402

STYLES = ("distkey (id)", "diststyle even", "diststyle all")


def make(connection, style):
    connection.query_all("drop table if exists t")
    connection.query_all("create table t (id bigint identity(1, 1), v integer, "
                         f"w varchar(20) default 'none', d decimal(6,2) default 1 + 0.5) {style}")


def counts(connection):
    return connection.rows("select count(*), count(distinct id), min(id), max(id) from t")[0]


def copy_numbers_its_rows(server, style):
    with server.connect() as c:
        make(c, style)
        c.copy_in("copy t (v) from stdin", b"".join(b"%d\n" % i for i in range(3000)))
        check(counts(c) == ["3000", "3000", "1", "3000"], str(counts(c)))
        check(c.rows("select distinct w, d from t") == [["none", "1.50"]], "defaults under COPY")
        check(c.copy_in("copy t from stdin delimiter '|'", b"1|x|2\n2|y|3\n") == "COPY 2", "all columns")
        check(c.rows("select v, w, d from t where id > 3000 order by v") == [["1", "x", "2.00"], ["2", "y", "3.00"]],
              "fields go to the columns that are not numbered")
        check(c.copy_in("copy t (w, v) from stdin delimiter '|'", b"") == "COPY 0", "no rows")
        fails(lambda: c.copy_in("copy t (id, v) from stdin delimiter '|'", b"1|1\n"), "428C9")
        fails(lambda: c.copy_in("copy t (v) from stdin", b"1\nx\n"), "22P02")
        c.query_all("insert into t (v) values (7)")
        count, distinct, _, _ = counts(c)
        check(count == distinct == "3003", f"{count} {distinct}")


def sessions_get_different_numbers(server, style):
    failures = []
    with server.connect() as c:
        make(c, style)

    def work(number):
        try:
            with server.connect() as own:
                for i in range(6):
                    if (i + number) % 3 == 0:
                        own.query_all("insert into t (v) select a.v from (select 1 as v union all select 2) a")
                    elif (i + number) % 3 == 1:
                        own.query_all("insert into t (v) values (1), (2)")
                    else:
                        own.copy_in("copy t (v) from stdin", b"1\n2\n")
        except Exception as error:  # noqa: BLE001
            failures.append(repr(error))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(not failures, str(failures))
    with server.connect() as c:
        count, distinct, first, last = counts(c)
        check((count, distinct, first, last) == ("96", "96", "1", "96"), str(counts(c)))


def explain_analyze_takes_numbers(server, style):
    with server.connect() as c:
        make(c, style)
        try:
            c.query_all("explain analyze insert into t (v) select 1 union all select 2")
        except pgwire.ServerError as error:
            check(error.sqlstate == "0A000", str(error))
        c.query_all("explain insert into t (v) select 1")
        c.query_all("insert into t (v) values (5)")
        c.execute("insert into t (v) values ($1)", (6,))
        count, distinct, _, _ = counts(c)
        check(count == distinct, f"{count} rows, {distinct} numbers")


def numbers_survive_a_restart(server, style):
    with server.connect() as c:
        make(c, style)
        c.query_all("insert into t (v) values (1), (2)")
        c.query_all("insert into t (v) select 3 union all select 4")
    server.stop()
    server.start()
    server.wait_ready()
    with server.connect() as c:
        c.query_all("insert into t (v) values (5)")
        c.query_all("insert into t (v) select 6")
        check(counts(c) == ["6", "6", "1", "6"], str(counts(c)))


def main():
    for nodes in (1, 3):
        with cluster.Local(nodes=nodes) as server:
            for style in STYLES:
                for test in (copy_numbers_its_rows, sessions_get_different_numbers,
                             explain_analyze_takes_numbers, numbers_survive_a_restart):
                    test(server, style)
                    print(f"{test.__name__} ({style}, {nodes} nodes): ok", flush=True)


if __name__ == "__main__":
    main()
