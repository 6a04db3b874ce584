#!/usr/bin/env python3
"""Temporary tables belong to one session and go with it, also when the leader was killed; ANALYZE."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
from checks import check, fails  # noqa: E402

SCHEMAS = "select count(*) from pg_namespace where nspname like 'pg_temp%'"


def wait_for(server, sql, wanted):
    with server.connect() as c:
        for _ in range(100):
            seen = c.value(sql)
            if seen == wanted:
                return
            time.sleep(0.05)
        check(False, f"{sql}: {seen}, expected {wanted}")


def tables_are_the_sessions_own(server):
    a, b = server.connect(), server.connect()
    a.query_all("create temp table t (x integer)")
    fails(lambda: b.rows("select * from t"), "42P01")
    b.query_all("create temp table t (y varchar(5)) diststyle all")
    a.query_all("insert into t values (1), (2)")
    b.query_all("insert into t values ('b')")
    check(a.rows("select sum(x) from t") == [["3"]], "the first session's")
    check(b.rows("select y from t") == [["b"]], "the second session's")
    schema = b.value("select table_schema from information_schema.tables where table_name = 't' "
                     "order by table_schema limit 1")
    fails(lambda: b.rows(f'select * from "{schema}".t where false union all select 1, 2'), "42P01")
    a.close()
    wait_for(server, SCHEMAS, "1")
    check(b.rows("select y from t") == [["b"]], "it stays")
    b.query_all("begin")
    b.query_all("create temp table u (y integer)")
    b.close()  # inside a transaction
    wait_for(server, SCHEMAS, "0")


def tables_go_with_discard(server):
    with server.connect() as c:
        c.query_all("create temp table t (x integer)")
        c.query_all("discard all")
        fails(lambda: c.rows("select * from t"), "42P01")
        c.query_all("create temp table t (y integer)")
        check(c.value("select count(y) from t") == "0", "made again")


def a_killed_server_leaves_none(server):
    c = server.connect()
    c.query_all("create temp table t (x integer); insert into t values (1)")
    server.server.kill()
    server.start()
    server.wait_ready()
    with server.connect() as c:
        fails(lambda: c.rows("select * from t"), "42P01")
    wait_for(server, SCHEMAS, "0")


def plans_follow_the_table(server):
    with server.connect() as c:
        c.query_all("create table p (a integer); insert into p values (1)")
        c.query_all("prepare s as select * from p")
        check(c.rows("execute s") == [["1"]], "one column")
        c.query_all("alter table p add column b integer default 2")
        fails(lambda: c.rows("execute s"), "0A000")
        c.query_all("deallocate s; prepare s as select * from p")
        check(c.rows("execute s") == [["1", "2"]], "two columns")


def sessions_alter_in_turn(server):
    with server.connect() as a, server.connect() as b:
        a.query_all("create table q (a integer) distkey (a); insert into q values (1), (2)")
        a.query_all("begin")
        b.query_all("begin")
        a.query_all("alter table q add column b integer default 5")
        b.query_all("alter table q add column c integer default 6")
        a.query_all("commit")
        fails(lambda: b.query_all("commit"), "40001")
        b.query_all("rollback")
        a.query_all("begin")
        a.query_all("insert into q values (3, 7)")
        b.query_all("alter table q add column c integer default 8")
        b.query_all("alter table q drop column b")
        a.query_all("commit")
        check(b.rows("select * from q order by a") == [["1", "8"], ["2", "8"], ["3", "8"]], "columns")
        check(b.value("select tbl_rows from svv_table_info where \"table\" = 'q'") == "3", "its rows")


def analyze_counts_anew(server):
    with server.connect() as c:
        for style in ("distkey (a)", "diststyle even", "diststyle all"):
            c.query_all("drop table if exists r")
            c.query_all(f"create table r (a integer, b varchar(20)) {style}")
            c.copy_in("copy r from stdin delimiter '|'", b"".join(b"%d|x%d\n" % (i, i) for i in range(5000)))
            c.query_all("delete from r where a >= 100")
            before = c.value("select count(*) from r")
            c.query_all("analyze r")
            told = c.value("select tbl_rows from svv_table_info where \"table\" = 'r'")
            check(told == before == "100", f"{style}: {told}")
            plan = "\n".join(row[0] for row in c.rows("explain select * from r where a < 50"))
            check(any(f"rows={n} " in plan for n in range(40, 61)), plan)
            c.query_all("begin; delete from r where a < 10; analyze r; rollback")
            check(c.value("select tbl_rows from svv_table_info where \"table\" = 'r'") == "100", "rolled back")
        check(c.query("analyze").tag == "ANALYZE", "all tables")
        check(c.query("analyze r (a)").tag == "ANALYZE", "columns")


def main():
    for nodes in (1, 3):
        with cluster.Local(nodes=nodes) as server:
            for test in (tables_are_the_sessions_own, tables_go_with_discard, plans_follow_the_table,
                         a_killed_server_leaves_none, sessions_alter_in_turn, analyze_counts_anew):
                test(server)
                print(f"{test.__name__} ({nodes} nodes): ok", flush=True)


if __name__ == "__main__":
    main()
