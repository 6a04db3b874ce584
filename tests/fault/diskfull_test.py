#!/usr/bin/env python3
"""Full disks: every kind of statement with a node's or the leader's disk full, on a small tmpfs.

Full: nothing is kept back. A statement that finds no space ends with 53100 and a message, its space
is free again within ten seconds, reads go on all the while, and the same statement works once there
is space, without a restart.
Reserve: below disk_reserve_bytes writers are told 53100 with the free and the required bytes, while
SELECT (spilling, too), DELETE, TRUNCATE and DROP work and processes start.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402

DISK_BYTES = 96 << 20
RESERVE_BYTES = 24 << 20
SLACK_BYTES = 5 << 20  # logs of the databases, allocated ahead in steps; batches of small INSERTs
RETURN_MAX = 10.0      # seconds until a failed statement's space is back
ROWS = 4000
NOTE = os.urandom(1500).hex()  # of a row: 3,000 bytes; rows differ, so that they do not compress


class Failure(Exception):
    pass


class DiskFull:
    def __init__(self, options, reserve):
        self.server = cluster.Cluster(2, preset=options.preset, settings={
            "disk_reserve_bytes": reserve, "metadata_log_bytes": "1MB", "auto_merge": "off",
            "row_group_rows": 1000})
        self.places = {"node": self.server.directory / "node1",
                       "leader": self.server.directory / "leader"}
        self.rows = {}  # of facts: v by id
        self.next_id = 1
        self.refused = self.acknowledged = 0

    # ---- disks ----

    def __enter__(self):
        for place in self.places.values():
            place.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place],
                           check=True)
        self.server.__enter__()
        return self

    def __exit__(self, *reason):
        try:
            for place in self.places.values():
                self.empty(place)
            self.server.own_directory = False
            self.server.__exit__(*reason)
        finally:
            for place in self.places.values():
                subprocess.run(["umount", "-l", place], check=False)
            self.server.own_directory = True
            self.server.remove()

    @staticmethod
    def free(place):
        state = os.statvfs(place)
        return state.f_bavail * state.f_frsize

    def fill(self, place, left):
        """Until `left` bytes are free."""
        with open(place / "ballast", "ab") as file:
            for step in (1 << 20, 1 << 16, 4096):  # allocation in one piece may lose to a writer
                while (bytes_free := self.free(place)) >= left + step:
                    try:
                        end = os.fstat(file.fileno()).st_size
                        os.posix_fallocate(file.fileno(), end, min(step, bytes_free - left))
                    except OSError:
                        break

    @staticmethod
    def empty(place):
        (place / "ballast").unlink(missing_ok=True)

    # ---- statements ----

    def ids(self, count):
        first = self.next_id
        self.next_id += count
        return range(first, first + count)

    def text(self, ids):
        return b"".join(b"%d|%d|%d%s\n" % (i, i, i, self.note(i)) for i in ids)

    @staticmethod
    def note(i):
        turn = i * 7919 % len(NOTE)
        return (NOTE[turn:] + NOTE[:turn])[:2000 + i % 900].encode()

    def statements(self):
        """(name, run, effect on the rows): each writes, and some more than the other."""
        keys = sorted(self.rows)
        copied, inserted, merged = self.ids(ROWS), self.ids(200), self.ids(300)

        def copy(c):
            c.copy_in("copy facts from stdin delimiter '|'", self.text(copied))

        def insert(c):
            c.query_all("insert into facts values " + ",".join(
                f"({i},{i},'{self.note(i).decode()}')" for i in inserted))

        def commit(c):
            try:
                c.query_all("begin")
                c.query_all("insert into ledger select id, v, note from facts")
                c.query_all(f"delete from facts where id % 10 = {keys[0] % 10}")
                c.query_all("commit")
            except pgwire.ServerError:
                if c.status in "ET":
                    c.query_all("rollback")
                raise
            finally:
                self.after_commit(c)

        def merge(c):
            c.query_all("merge into facts using source on facts.id = source.id "
                        "when matched then update set v = source.v "
                        "when not matched then insert values (source.id, source.v, source.note)")

        def prepare_merge():
            with self.server.connect() as c:
                c.query_all("drop table if exists source")
                c.query_all("create table source (id bigint, v bigint, note varchar(4000)) "
                            "distkey (id)")
                c.copy_in("copy source from stdin delimiter '|'",
                          b"".join(b"%d|%d|%s\n" % (i, -i, self.note(i))
                                   for i in [*merged, *keys[:300]]))
        return [
            ("COPY", None, copy, lambda rows: rows.update({i: i for i in copied})),
            ("INSERT", None, insert, lambda rows: rows.update({i: i for i in inserted})),
            ("COMMIT", None, commit,
             lambda rows: [rows.pop(i) for i in keys if i % 10 == keys[0] % 10]),
            ("UPDATE", None, lambda c: c.query_all("update facts set v = v + 1 where id % 2 = 0"),
             lambda rows: rows.update({i: rows[i] + 1 for i in keys if i % 2 == 0})),
            ("MERGE", prepare_merge, merge,
             lambda rows: rows.update({i: -i for i in [*merged, *keys[:300]]})),
            ("VACUUM", None, lambda c: c.query_all("vacuum full facts to 100 percent"), None),
            ("CREATE TABLE AS", None,
             lambda c: c.query_all("create table made distkey (id) as select * from facts"), None),
        ]

    def after_commit(self, c):
        try:
            c.query_all("truncate ledger")
        except (pgwire.ServerError, OSError):
            pass  # tried again with the next one

    def spill(self, c):
        c.query_all("set force_spill = on")
        return c.rows("select count(*), sum(a.v) from facts a, facts b "
                      "where a.id = b.id and a.note = b.note")

    def verify(self, when):
        with self.server.connect(timeout=30) as c:
            rows = c.rows("select id, v from facts")
        seen = {int(i): int(v) for i, v in rows}
        if len(seen) != len(rows) or seen != self.rows:
            raise Failure(f"{when}: {len(rows)} rows, {len(self.rows)} expected")

    def create(self):
        with self.server.connect() as c:
            c.query_all("create table facts (id bigint, v bigint, note varchar(4000)) "
                        "distkey (id) sortkey (v)")
            c.query_all("create table ledger (id bigint, v bigint, note varchar(4000)) "
                        "diststyle even")
            for _ in range(3):
                ids = self.ids(700)
                c.copy_in("copy facts from stdin delimiter '|'", self.text(ids))
                self.rows.update({i: i for i in ids})

    def shrink(self):
        """Undisturbed: few rows, no leftovers."""
        with self.server.connect() as c:
            c.query_all("drop table if exists made")
            c.query_all("truncate ledger")
            if len(self.rows) > 3000:
                keys = sorted(self.rows)
                c.query_all(f"delete from facts where id < {keys[-2000]}")
                for i in keys[:-2000]:
                    del self.rows[i]
            c.query_all("vacuum full facts to 100 percent")
            c.query_all("select count(*) from facts")

    def attempt(self, run):
        """The error, or None; anything but 53100 fails the test."""
        try:
            with self.server.connect(timeout=60) as c:
                run(c)
            return None
        except pgwire.ServerError as error:
            if error.sqlstate != "53100":
                raise Failure(f"{error} {error.fields.get('D', '')}") from error
            if len(error.message) < 10:
                raise Failure(f"no message: {error}") from error
            return error

    def wait_for_space(self, when, place, wanted):
        deadline = time.monotonic() + RETURN_MAX
        while (found := self.free(place)) < wanted:
            if time.monotonic() > deadline:
                raise Failure(f"{when}: {found} bytes are free after {RETURN_MAX:.0f} s, "
                              f"{wanted} expected")
            time.sleep(0.1)
            with self.server.connect() as c:  # the horizon travels with requests
                c.query_all("select count(*) from facts")

    # ---- full ----

    def full(self, role, left):
        place = self.places[role]
        refused_here = 0
        for index in range(len(self.statements())):
            self.shrink()
            name, prepare, run, effect = self.statements()[index]
            if prepare:
                prepare()
            when = f"{name} with {left} bytes left on the disk of the {role}"
            self.fill(place, left)
            before = self.free(place)
            error = self.attempt(run)
            if error is None:
                self.acknowledged += 1
            else:
                self.refused += 1
                refused_here += 1
                print(f"{when}: {error}", flush=True)
            if error is None and effect:
                effect(self.rows)
            self.verify(when)
            if error is not None:
                self.wait_for_space(when, place, before - SLACK_BYTES if left > 0 else 0)
                self.empty(place)
                again = self.attempt(run)
                if again is not None:
                    raise Failure(f"{when}: with space again it fails: {again}")
                if effect:
                    effect(self.rows)
                self.verify(f"{when}, again")
            self.empty(place)
        self.shrink()
        self.fill(place, left)
        if role == "node":
            error = self.attempt(self.spill)
            if error is None:
                raise Failure(f"a query spilled to a disk with {left} bytes left")
            print(f"spilling SELECT with {left} bytes left: {error}", flush=True)
            refused_here += 1
            self.verify("after a spill without space")
        self.empty(place)
        self.attempt_spill("with space again")
        if left == 0 and refused_here == 0:
            raise Failure(f"no statement met the full disk of the {role}")

    def attempt_spill(self, when):
        with self.server.connect() as c:
            found = self.spill(c)
        if found != [[str(len(self.rows)), str(sum(self.rows.values()))]]:
            raise Failure(f"{when}: a spilling SELECT found {found}")

    # ---- reserve ----

    def reserve(self, role):
        place = self.places[role]
        for index in range(len(self.statements())):
            self.shrink()
            name, prepare, run, _ = self.statements()[index]
            if name == "VACUUM" and role == "leader":
                continue  # rows come and go on nodes only
            if prepare:
                prepare()
            self.fill(place, RESERVE_BYTES // 2)
            when = f"{name} with half of the {role}'s reserve left"
            error = self.attempt(run)
            if error is None:
                raise Failure(f"{when}: it was written")
            words = [int(w) for w in error.message.replace(",", "").split() if w.isdigit()]
            if len(words) != 2 or not words[0] < words[1] or words[1] < RESERVE_BYTES:
                raise Failure(f"{when}: free and required bytes are not in \"{error.message}\"")
            self.refused += 1
            self.verify(when)
            self.attempt_spill(when)
            self.empty(place)
        self.fill(place, RESERVE_BYTES // 2)
        with self.server.connect() as c:
            key = min(self.rows)
            c.query_all(f"delete from facts where id = {key}")
            del self.rows[key]
            c.query_all("truncate ledger")
            c.query_all("drop table if exists source")
        process = self.server.leader if role == "leader" else self.server.nodes[0]
        process.kill()
        process.start()
        self.server.wait_ready()
        self.verify(f"after a start with half of the {role}'s reserve left")
        self.empty(place)
        name, _, run, effect = self.statements()[0]
        if (error := self.attempt(run)) is not None:
            raise Failure(f"{name} with space again: {error}")
        effect(self.rows)
        self.verify("with space again")


def run(options):
    refused = acknowledged = 0
    with DiskFull(options, 0) as test:
        test.create()
        for role in test.places:
            for left in (0, 300_000, 3_000_000):
                if role == "node" or left == 0:
                    test.full(role, left)
        refused, acknowledged = test.refused, test.acknowledged
    with DiskFull(options, 0 if options.no_reserve else RESERVE_BYTES) as test:
        test.create()
        for role in test.places:
            test.reserve(role)
        kept_back = test.refused
    print(f"{refused} statements refused by full disks, {acknowledged} had room enough, "
          f"{kept_back} stopped by the reserve")
    print(f"{refused + acknowledged + kept_back} passed, 0 failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset")
    parser.add_argument("--no-reserve", action="store_true",
                        help="negative control: the reserve is off, the test must fail")
    options = parser.parse_args()
    if os.geteuid() != 0:  # a mount namespace of one's own, with its own root
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount",
                              sys.executable, *sys.argv])
    try:
        run(options)
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
