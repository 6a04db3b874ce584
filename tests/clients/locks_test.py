#!/usr/bin/env python3
"""Who waits for whom: LOCK, deadlocks, waits that end in time, sessions idle in a transaction."""

import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
from checks import check, fails  # noqa: E402

THREADS = 4
WAITING = "select count(*) from svv_transactions where granted = false"


class Statement(threading.Thread):
    """A statement that may have to wait."""

    def __init__(self, connection, sql):
        super().__init__(daemon=True)
        self.connection, self.sql = connection, sql
        self.result = self.error = None
        self.start_s = time.monotonic()
        self.start()

    def run(self):
        try:
            self.result = self.connection.query(self.sql)
        except (pgwire.ServerError, OSError) as error:
            self.error = error
        self.seconds = time.monotonic() - self.start_s

    def end(self, seconds=20):
        self.join(seconds)
        check(not self.is_alive(), f"{self.sql} still waits")
        return self


def wait_until(connection, sql, wanted):
    deadline = time.monotonic() + 10
    while connection.value(sql) != wanted:
        check(time.monotonic() < deadline, f"{sql} is not {wanted}")
        time.sleep(0.01)


def make(connection):
    connection.query_all("drop table if exists a; drop table if exists b")
    connection.query_all("create table a (id integer, v integer) distkey (id)")
    connection.query_all("create table b (id integer, v integer) diststyle all")
    connection.query_all("insert into a values (1, 0), (2, 0)")
    connection.query_all("insert into b values (1, 0), (2, 0)")


def others_wait_for_a_lock(server):
    with server.connect() as one, server.connect() as two, server.connect() as three:
        make(one)
        fails(lambda: one.query_all("lock a"), "25P01")
        fails(lambda: one.query_all("begin; lock table nothing"), "42P01")
        one.query_all("rollback")
        one.query_all("begin")
        check(one.query("lock table a, b").tag == "LOCK TABLE", "its tag")
        for sql in ("select count(*) from a", "update a set v = v + 1 where id = 1",
                    "insert into b values (3, 0)", "drop table b", "truncate a"):
            two.query_all("set statement_timeout to 100")
            fails(lambda: two.query_all(sql), "57014", "statement timeout")
        two.query_all("set statement_timeout to 0")
        waits = Statement(two, "update a set v = v + 10 where id = 1")
        wait_until(three, WAITING, "1")
        check(three.rows("select lock_owner, lock_status from stv_locks where table_id = "
                         "(select table_id from svv_table_info where \"table\" = 'b')")
              == [["admin", "Holding exclusive lock"]], "stv_locks")
        three.cancel()  # nothing runs there: nothing happens
        one.query_all("update a set v = v + 1 where id = 1")
        one.query_all("commit")
        check(waits.end().error is None, f"a statement that waited: {waits.error}")
        check(one.value("select v from a where id = 1") == "11", "it saw what was committed")
        check(one.value(WAITING) == "0", "nobody waits")


def a_lock_waits_for_those_who_read(server):
    with server.connect() as one, server.connect() as two, server.connect() as three:
        make(one)
        two.query_all("begin")
        two.query_all("select * from a")
        one.query_all("begin")
        waits = Statement(one, "lock a")
        wait_until(two, WAITING, "1")
        check(two.value("select count(*) from a") == "2", "who has the table goes on")
        late = Statement(three, "select sum(v) from a")  # does not overtake
        wait_until(two, WAITING, "2")
        two.query_all("insert into a values (3, 5)")
        two.query_all("commit")
        check(waits.end().error is None, str(waits.error))
        check(one.value("select count(*) from a") == "3", "LOCK first: the snapshot comes after it")
        one.query_all("update a set v = 7 where id = 3; commit")
        check(late.end().result.rows == [["7"]], str(late.result))
        one.query_all("begin; lock a")
        canceled = Statement(two, "select * from a")
        wait_until(one, WAITING, "1")
        two.cancel()
        check(getattr(canceled.end().error, "sqlstate", "") == "57014", str(canceled.error))
        one.query_all("rollback")
        check(two.value("select count(*) from a") == "3", "the session goes on")


def deadlocks_are_broken(server):
    with server.connect() as one, server.connect() as two:
        make(one)
        pids = [c.value("select pg_backend_pid()") for c in (one, two)]
        for sql in ("lock %s", "insert into %s values (9, 9)", "select * from %s",
                    "alter table %s add column w integer"):
            one.query_all("begin; lock a")
            two.query_all("begin; lock b")
            waits = Statement(one, sql % "b")
            wait_until(two, WAITING, "1")
            start = time.monotonic()
            error = fails(lambda: two.query_all(sql % "a"), "40P01", "deadlock detected")
            check(time.monotonic() - start < 1, f"broken after {time.monotonic() - start} s")
            detail = error.fields.get("D", "")
            check(all(f"rocess {pid} waits" in detail for pid in pids), detail)
            check(waits.end().error is None, str(waits.error))  # while the victim is still failed
            check(two.status == "E", "the victim's block has failed")
            one.query_all("rollback")
            two.query_all("rollback")
            check(one.value("select count(*) from b where id = 9") == "0", "rolled back")


def savepoints_give_locks_back(server):
    with server.connect() as one, server.connect() as two:
        make(one)
        two.query_all("set statement_timeout to 200")
        one.query_all("begin; lock a; savepoint s; lock b")
        fails(lambda: two.query_all("select * from b"), "57014")
        one.query_all("rollback to s")
        check(two.value("select count(*) from b") == "2", "free after ROLLBACK TO")
        fails(lambda: two.query_all("select * from a"), "57014")
        fails(lambda: one.query_all("select 1 / 0"), "22012")
        fails(lambda: two.query_all("select * from a"), "57014")
        one.query_all("rollback to s; commit")
        check(two.value("select count(*) from a") == "2", "free after COMMIT")


def waits_leave_threads_for_others(server):
    with server.connect() as holder:
        make(holder)
        connections = [server.connect() for _ in range(4 * THREADS)]
        holder.query_all("begin; lock a")
        waits = [Statement(c, "update b set v = v where id = 0; select count(*) from a")
                 for c in connections]
        wait_until(holder, WAITING, str(len(waits)))
        with server.connect() as other:
            check(other.value("select 1") == "1", "others are served")
        holder.query_all("commit")
        for wait in waits:
            check(wait.end().error is None, str(wait.error))
        for c in connections:
            check(c.value("select 2") == "2", "each session goes on")
            c.close()


def idle_in_transaction(server):
    with server.connect() as other:
        make(other)
        c = server.connect()
        c.query_all("set idle_in_transaction_session_timeout to 300")
        time.sleep(0.6)
        check(c.value("select 1") == "1", "idle outside a transaction")
        c.query_all("begin; lock a")
        time.sleep(0.15)
        c.query_all("insert into a values (7, 7)")
        waits = Statement(other, "select count(*) from a where id = 7")
        check(waits.end().result.rows == [["0"]], "its locks and rows are gone")
        check(0.2 < waits.seconds < 2, f"ended after {waits.seconds} s")
        try:
            c.query_all("commit")
            check(False, "the connection has ended")
        except pgwire.ServerError as error:
            check(error.sqlstate == "25P03", str(error))
        except OSError:
            pass  # the message may be lost with the connection
        c = server.connect()
        c.query_all("begin")
        fails(lambda: c.query_all("select 1 / 0"), "22012")
        c.query_all("rollback; set idle_in_transaction_session_timeout to 200; begin")
        fails(lambda: c.query_all("select 1 / 0"), "22012")
        time.sleep(0.1)
        try:
            kind, body = c.receive()
            check(kind == b"E" and b"25P03" in body and b"FATAL" in body, f"{kind} {body}")
        except OSError:
            check(False, "a failed block ends with a message, too")


def main():
    with cluster.Local(nodes=2, settings={"session_threads": THREADS}) as server:
        for test in (others_wait_for_a_lock, a_lock_waits_for_those_who_read, deadlocks_are_broken,
                     savepoints_give_locks_back, waits_leave_threads_for_others,
                     idle_in_transaction):
            test(server)
            print(f"{test.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
