#!/usr/bin/env python3
"""A neglected table heals by itself: small inserts are joined, rowsets with many deleted rows are
written anew, their files go; texts that are looked up get filters. Not while a transaction is open, not while a statement runs for long,
and not at all when the setting is off.
"""

import argparse
import hashlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402
import explained  # noqa: E402

ROWS = 60_000
INSERTS = 40
WAIT_SECONDS = 30

check = checks.Checks()


def file_count(server):
    return sum(1 for _ in pathlib.Path(server.directory).rglob("*.rows"))


def file_bytes(server):
    total = 0
    for path in pathlib.Path(server.directory).rglob("*.rows"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            pass  # it went while we looked
    return total


def wait_for(condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def load(connection):
    connection.query_all("create table t (a integer, b varchar(40)) distkey (a) sortkey (b)")
    for part in range(6):
        connection.copy_in("copy t from stdin delimiter '|'",
                           [b"".join(b"%d|row %d\n" % (i, i * 7919 % ROWS)
                                     for i in range(part, ROWS, 6))])


def heals(server):
    query = "select count(*), sum(a), count(distinct b) from t"
    with server.connect() as writer, server.connect() as reader:
        reader.query_all("begin")
        reader.query_all("select 1")
        load(writer)
        writer.query_all("delete from t where a % 2 = 0")
        for i in range(INSERTS):
            writer.query_all(f"insert into t values ({ROWS + i}, 'late')")
        before, files, size = writer.rows(query), file_count(server), file_bytes(server)
        time.sleep(1.5)
        check(file_count(server) == files, "nothing happens while a transaction is open")
        reader.query_all("commit")
        check(wait_for(lambda: file_bytes(server) < 0.75 * size),
              f"space returns: {file_bytes(server)} of {size} bytes")
        check(wait_for(lambda: file_count(server) < files),
              f"files become fewer: {file_count(server)} of {files}")
        check(writer.rows(query) == before, "the rows are the same")
        writer.query_all("delete from t")
        check(wait_for(lambda: file_count(server) == 0),
              f"{file_count(server)} files of deleted rows stay")
        check(writer.rows("select count(*) from t") == [["0"]], "all rows are deleted")


def key_of(number):
    return hashlib.md5(str(number).encode()).hexdigest()


def blocks_read(connection, number):
    return explained.blocks(connection, f"select v from u where k = '{key_of(number)}'")


def learns_lookups(server):
    with server.connect() as c:
        c.query_all("create table u (k varchar(40), v integer) diststyle even")
        c.copy_in("copy u from stdin delimiter '|'",
                  [b"".join(b"%s|%d\n" % (key_of(i).encode(), i) for i in range(ROWS))])
        read, total = blocks_read(c, 1)
        check(read > total / 2, f"without filters {read} of {total} blocks")
        for i in range(8):
            check(c.rows(f"select v from u where k = '{key_of(i)}'") == [[str(i)]], "found")
    with server.connect() as c:  # their column is read all the same
        check(wait_for(lambda: blocks_read(c, 2)[0] < 0.6 * total),
              f"with filters {blocks_read(c, 2)[0]} of {total} blocks")
        for i in range(0, ROWS, 997):
            check(c.rows(f"select v from u where k = '{key_of(i)} '") == [[str(i)]], "still found")
        check(c.rows(f"select v from u where k in ('{key_of(-1)}', '{key_of(5)}')") == [["5"]],
              "one of two")
        check(c.rows("select count(*), sum(v) from u") ==
              [[str(ROWS), str(ROWS * (ROWS - 1) // 2)]], "all rows are there")


def is_off(server):
    with server.connect() as writer:
        load(writer)
        writer.query_all("delete from t where a % 2 = 0")
        files = file_count(server)
        time.sleep(1.5)
        check(file_count(server) == files, "the setting switches it off")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset")
    options = parser.parse_args()
    settings = {"row_group_rows": 1000, "auto_merge_interval": "200ms"}
    for server in (cluster.Local(2, settings=settings, preset=options.preset),
                   cluster.Cluster(2, settings=settings, preset=options.preset)):
        with server:
            heals(server)
            learns_lookups(server)
    with cluster.Local(2, settings={**settings, "auto_merge": "off"},
                       preset=options.preset) as server:
        is_off(server)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
