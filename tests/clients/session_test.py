#!/usr/bin/env python3
"""Sessions as a pool of clients uses them: idle ones cost no thread, late cancels hit nothing."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
from checks import check  # noqa: E402

THREADS = 4


def idle_sessions_cost_no_thread(server):
    connections = [server.connect(timeout=10) for _ in range(5 * THREADS)]
    for _ in range(3):
        for c in connections:
            check(c.value("select 1") == "1", "an answer")
    for c in connections:
        c.close()


def late_cancels_hit_nothing(server):
    with server.connect() as c:
        for _ in range(20):
            c.rows("select 1")
            c.cancel()
            time.sleep(0.01)
            check(c.value("select 2") == "2", "a cancel met an idle session")
        c.send_raw(b"Q\0\0\0")  # a message that has begun
        time.sleep(0.1)
        c.cancel()
        time.sleep(0.1)
        c.send_raw(b"\x0dselect 3\0")
        check(c.collect()[0].rows == [["3"]], "a cancel met a message that was arriving")


def cancels_meet_a_client_that_does_not_read(server):
    with server.connect() as c:
        c.query_all("create table wide (a varchar(1000))")
        c.copy_in("copy wide from stdin", b"".join(b"x" * 1000 + b"\n" for _ in range(20_000)))
        c.send(b"Q", b"select a from wide\0")
        time.sleep(0.5)  # the answer fills every buffer on the way
        c.cancel()
        try:
            c.collect()
            check(False, "20 MB fitted into the buffers")
        except pgwire.ServerError as error:
            check(error.sqlstate == "57014", f"the cancelled statement ended with {error}")
        check(c.value("select 4") == "4", "the session goes on")


def main():
    with cluster.Local(nodes=1, settings={"session_threads": THREADS}) as server:
        for test in (idle_sessions_cost_no_thread, late_cancels_hit_nothing,
                     cancels_meet_a_client_that_does_not_read):
            test(server)
            print(f"{test.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
