#!/usr/bin/env python3
"""UPDATE, DELETE and MERGE as clients see them: command tags, parameters, sessions that meet."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
from checks import check, fails  # noqa: E402

ROWS = 1000
STYLES = ("distkey (id)", "diststyle even", "diststyle all")


def make(connection, style):
    connection.query_all("drop table if exists t")
    connection.query_all(f"create table t (id integer not null, v integer, w varchar(20)) {style}")
    connection.copy_in("copy t from stdin delimiter '|'",
                       b"".join(b"%d|%d|row\n" % (i, i % 10) for i in range(ROWS)))


def tags_tell_the_rows(server, style):
    with server.connect() as c:
        make(c, style)
        for sql, tag in (
                ("update t set v = v + 1 where id < 25", "UPDATE 25"),
                ("update t set v = 0 where id < 0", "UPDATE 0"),
                ("update t set v = 0 from (select 7 as i union all select 7) s where id = s.i", "UPDATE 1"),
                ("delete from t where id >= 990", "DELETE 10"),
                ("delete from t where id >= 990", "DELETE 0"),
                ("merge into t using (select 1 as i union all select 5000) s on t.id = s.i "
                 "when matched then update set v = 5 when not matched then insert values (s.i, 0, 'new')",
                 "MERGE 2"),
                ("merge into t using (select 2 as i union all select 5001) s on t.id = s.i "
                 "when matched then delete when not matched then insert values (s.i, 0, 'new')",
                 "MERGE 2")):
            check(c.query(sql).tag == tag, f"{sql}: {c.query(sql).tag}, expected {tag}")
        check(c.value("select count(*) from t") == "991", "the rows that are left")


def parameters_have_the_columns_types(server, style):
    with server.connect() as c:
        make(c, style)
        result = c.execute("update t set v = $1, w = $2 where id = $3", (77, "O'Hara", 12))
        check(result.tag == "UPDATE 1", result.tag)
        check(c.rows("select v, w from t where id = 12") == [["77", "O'Hara"]], "what was set")
        result = c.execute("update t set v = v + $1, w = $2 where id between $3 and $4", (1, None, 10, 19))
        check(result.tag == "UPDATE 10", result.tag)
        check(c.rows("select count(*), count(w), sum(v) from t where id between 10 and 19")
              == [["10", "0", str(sum(i % 10 for i in range(10)) - 2 + 77 + 10)]], "a range")
        result = c.execute("update t set v = s.x from (select $1::integer as k, $2::integer as x) s "
                           "where t.id = s.k", (3, 33))
        check(result.tag == "UPDATE 1", result.tag)
        result = c.execute("merge into t using (select $1::integer as k, $2::varchar as x) s on t.id = s.k "
                           "when matched then update set w = s.x when not matched then insert values "
                           "(s.k, $3, s.x)", (20000, "made", 9))
        check(result.tag == "MERGE 1", result.tag)
        check(c.rows("select v, w from t where id = 20000") == [["9", "made"]], "what was merged")
        fails(lambda: c.execute("update t set id = $1 where id = $2", (None, 4)), "23502")
        check(c.value("select v from t where id = 4") == "4", "the session goes on")


def first_committer_wins(server, style):
    with server.connect() as a, server.connect() as b:
        make(a, style)
        for change in ("update t set v = -1 where id = 5", "delete from t where id = 5",
                       "merge into t using (select 5 as i) s on t.id = s.i when matched then update "
                       "set v = -2 when not matched then insert values (s.i, 0, '')"):
            a.query_all("begin")
            b.query_all("begin")
            a.query_all("update t set v = v + 1 where id = 5")
            check(b.value("select v from t where id = 5") == a.value("select v - 1 from t where id = 5"),
                  "what the other has not committed")

            def both():
                b.query_all(change)
                a.query_all("commit")
                b.query_all("commit")
            fails(both, "40001", "1023")
            if a.status == "T":
                a.query_all("commit")
            b.query_all("rollback")
        check(a.value("select v from t where id = 5") == "8", "three commits of the first session")
        check(a.value("select count(*) from t") == str(ROWS), "rows")


def disjoint_rows_meet(server, style):
    with server.connect() as a, server.connect() as b:
        make(a, style)
        a.query_all("begin")
        b.query_all("begin")
        a.query_all("update t set v = 100 where id % 2 = 0")
        b.query_all("update t set v = 200 where id % 2 = 1")
        a.query_all("insert into t values (7000, 0, 'a')")
        b.query_all("delete from t where id = 1")
        b.query_all("commit")
        a.query_all("commit")
        check(a.rows("select count(*), sum(v) from t") == [[str(ROWS), str(500 * 100 + 499 * 200)]],
              str(a.rows("select count(*), sum(v) from t")))


def row_counts_follow(server, style):
    with server.connect() as c:
        make(c, style)

        def told():
            return c.value("select tbl_rows from svv_table_info where \"table\" = 't'")
        check(told() == str(ROWS), f"after COPY: {told()}")
        c.query_all("delete from t where id < 100")
        check(told() == str(ROWS - 100), f"after DELETE: {told()}")
        c.query_all("update t set v = 1")
        check(told() == str(ROWS - 100), f"after UPDATE: {told()}")
        c.query_all("begin")
        c.query_all("delete from t")
        c.query_all("rollback")
        check(told() == str(ROWS - 100), f"after ROLLBACK: {told()}")
        c.query_all("merge into t using (select 100 as i union all select 1) s on t.id = s.i when matched "
                    "then delete when not matched then insert values (s.i, 0, '')")
        check(told() == str(ROWS - 100), f"after MERGE: {told()}")
        c.query_all("begin")
        c.query_all("delete from t where id < 500")
        c.query_all("savepoint s")
        c.query_all("delete from t")
        c.query_all("rollback to savepoint s")
        c.query_all("commit")
        check(told() == c.value("select count(*) from t"), f"after a savepoint: {told()}")
        plan = "\n".join(r[0] for r in c.rows("explain select * from t"))
        check("rows=500" in plan, plan)
        c.query_all("delete from t")
        check(told() == "0", f"after DELETE of all: {told()}")


def main():
    for nodes in (1, 3):
        with cluster.Local(nodes=nodes) as server:
            for style in STYLES:
                for test in (tags_tell_the_rows, parameters_have_the_columns_types,
                             first_committer_wins, disjoint_rows_meet, row_counts_follow):
                    test(server, style)
                    print(f"{test.__name__} ({style}, {nodes} nodes): ok", flush=True)


if __name__ == "__main__":
    main()
