#!/usr/bin/env python3
"""Files of dropped rows go as soon as nobody can read them, and no sooner.

A reader that began before TRUNCATE still sees its rows; when it ends, the files go with the next
statements. DROP without readers removes them at once; so does a restart for what a kill left.
"""

import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402

ROWS = 50_000
WAIT_SECONDS = 10

check = checks.Checks()


def file_count(server):
    return sum(1 for _ in pathlib.Path(server.directory).rglob("*.rows"))


def fill(connection):
    rows = b"".join(b"%d|row %d\n" % (i, i) for i in range(ROWS))
    connection.copy_in("copy big from stdin delimiter '|'", rows)


def has_no_files(server, connection):
    deadline = time.monotonic() + WAIT_SECONDS
    while file_count(server) > 0 and time.monotonic() < deadline:
        connection.query_all("select count(*) from big")  # the horizon travels with requests
        time.sleep(0.1)
    return file_count(server) == 0


def run(server):
    writer = server.connect()
    writer.query_all("create table big (a integer, b varchar(40)) diststyle even")
    fill(writer)
    check(file_count(server) > 0, "rows are in files")
    reader = server.connect()
    reader.query_all("begin")
    check(reader.rows("select count(*) from big") == [[str(ROWS)]], "the reader sees the rows")
    writer.query_all("truncate big")
    for _ in range(3):
        check(writer.rows("select count(*) from big") == [["0"]], "truncated for others")
        time.sleep(0.3)
    check(reader.rows("select count(*) from big") == [[str(ROWS)]], "the reader still does")
    reader.query_all("commit")
    check(has_no_files(server, writer), "files of truncated rows go when the reader has ended")
    fill(writer)
    writer.query_all("drop table big")
    time.sleep(0.5)
    check(file_count(server) == 0, f"files of a dropped table go at once: {file_count(server)}")


def main():
    for server in (cluster.Local(2), cluster.Cluster(2)):
        with server:
            run(server)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
