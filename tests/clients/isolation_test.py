#!/usr/bin/env python3
"""Isolation levels over two sessions: what SNAPSHOT allows, SERIALIZABLE refuses with 40001."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402
import pgwire  # noqa: E402

check = checks.Checks()


def outcome(connection, sql):
    """The command tag, or the SQLSTATE of the error."""
    try:
        return connection.query(sql).tag
    except pgwire.ServerError as error:
        return f"{error.sqlstate} {error.message}"


def begin(level, *connections):
    for connection in connections:
        connection.query_all(f"begin isolation level {level}")


def write_skew(first, second, level, second_ends):
    """Each empties one account while the other one pays for both."""
    first.query_all("delete from accounts; insert into accounts values (1, 50), (2, 50)")
    first.query_all("delete from log")
    begin(level, first, second)
    for connection, mine in ((first, 1), (second, 2)):
        check(connection.value("select sum(balance) from accounts") == "100", "both see 100")
        connection.query_all(f"update accounts set balance = balance - 90 where id = {mine}")
    check(outcome(first, "commit") == "COMMIT", f"{level}: the first commits")
    got = outcome(second, "commit")
    check(got == second_ends, f"{level}: the second ends with {got}")
    expected = "-80" if second_ends == "COMMIT" else "10"
    got = first.value("select sum(balance) from accounts")
    check(got == expected, f"{level}: {got} are left, not {expected}")


def reader_anomaly(first, second, third, level, last_ends):
    """A report between a deposit and a withdrawal that has not seen the deposit."""
    first.query_all("truncate x; truncate y; insert into x values (0); insert into y values (0)")
    begin(level, first, second, third)
    check(second.value("select v from x") == "0", "the withdrawal begins")
    second.value("select v from y")
    first.value("select v from y")
    first.query_all("update y set v = 20")
    check(outcome(first, "commit") == "COMMIT", "the deposit")
    seen = third.value("select v from x"), third.value("select v from y")
    check(seen == ("0", "20"), f"the report sees {seen}")
    check(outcome(third, "commit") == "COMMIT", "the report")
    second.query_all("update x set v = -11")
    got = outcome(second, "commit")
    check(got == last_ends, f"{level}: the withdrawal ends with {got}")


def modes(first, second):
    check(first.value("show transaction_isolation") == "snapshot", "the default level")
    begin("serializable", first)
    check(first.value("show transaction isolation level") == "serializable", "a block's level")
    first.query_all("select count(*) from accounts")
    got = outcome(first, "set transaction isolation level snapshot")
    check(got.startswith("25001"), f"too late to change: {got}")
    first.query_all("rollback")
    for asked in ("read committed", "repeatable read", "read uncommitted", "snapshot"):
        begin(asked, first)
        check(first.value("show transaction_isolation") == "snapshot", asked)
        first.query_all("rollback")
    second.query_all("set session characteristics as transaction isolation level serializable, "
                     "read only")
    check(second.value("show default_transaction_isolation") == "serializable", "session default")
    check(second.value("show transaction_read_only") == "on", "session default of access")
    got = outcome(second, "insert into accounts values (3, 3)")
    check(got.startswith("25006"), f"read only: {got}")
    second.query_all("begin read write; insert into accounts values (3, 3); rollback")
    second.query_all("set session characteristics as transaction read write")
    check(outcome(second, "insert into accounts values (3, 3)") == "INSERT 0 1", "writes again")


def main():
    refused = "40001 1023"
    with cluster.Local(2) as server:
        connections = [server.connect() for _ in range(3)]
        first, second, third = connections
        first.query_all("create table accounts (id integer, balance integer) distkey(id)")
        first.query_all("create table log (id integer)")
        first.query_all("create table x (v integer); create table y (v integer)")
        write_skew(first, second, "snapshot", "COMMIT")
        write_skew(first, second, "serializable", refused)
        reader_anomaly(first, second, third, "snapshot", "COMMIT")
        reader_anomaly(first, second, third, "serializable", refused)
        modes(first, second)
        for connection in connections:
            connection.close()
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
