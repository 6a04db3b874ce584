#!/usr/bin/env python3
"""One flipped bit anywhere in a database: reported by `inspect`, and never a wrong row.

A database of two nodes is made, with tables of many types and encodings, sealed rowsets and small
INSERT batches, and stopped twice: cleanly, and by kill -9 (so that write-ahead logs hold commits).
Then bits flip in every one of its files. `basalt inspect` must name the file and the place; a server
that starts on the damaged copy must give exactly the right rows or an error that names the place;
one that does not start must say why. A lost or emptied file counts as damage, too.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402

ROWS = 900
DAMAGE = {"XX001", "58030", "58P01"}
PLACE = re.compile(r'table \S+.*column \S+.*row group \d+|(header|footer|trailer|insert batch|'
                   r'length|page|frame|log|checksum).*|rowset \d+|"\S+\.rows"')
INSPECTED = re.compile(r"table \d+, column \d+.*row group \d+|header|footer|trailer|page \d+|"
                       r"frame|log|mark|identity|rowset \d+")
TABLES = {
    "numbers": ("id integer, small smallint, wide bigint, d decimal(38,4), f float8, r real, "
                "one integer, gap integer", "distkey (id) sortkey (id)",
                lambda i: (i, i % 7, i * 10 ** 12, f"{i * i}.{i % 10000:04}", f"{i / 7!r}",
                           i / 4, 5, None if i % 3 else i)),
    "texts": ("id integer, few varchar(12), many varchar(80), note varchar(400), c char(6)",
              "diststyle even",
              lambda i: (i, f"kind {i % 4}", f"https://example.org/item/{i * 7919 % 10007}/page",
                         None if i % 11 == 0 else f"row {i} " * (i % 20), f"c{i % 50}")),
    "times": ("id integer, day date, at timestamp, yes boolean", "diststyle all sortkey (day)",
              lambda i: (i, f"20{i % 90 + 10}-0{i % 9 + 1}-1{i % 10}",
                         f"2024-01-01 {i % 24:02}:{i % 60:02}:11.{i:06}", "tf"[i % 2])),
    "tiny": ("id integer, a varchar(9)", "diststyle all", lambda i: (i, f"{i}")),
}
TINY_ROWS = 12  # files that can be damaged in every byte


class Failure(Exception):
    pass


def line_of(row):
    return "|".join("\\N" if v is None else str(v) for v in row).encode() + b"\n"


def settings_of(options):
    return {"row_group_rows": 150, "log_level": "warn"}


class Database:
    """The healthy copies and what their tables hold."""

    def __init__(self, options, root):
        self.options, self.root = options, root
        self.clean, self.killed = root / "clean", root / "killed"
        self.answers = {}

    def server(self, directory):
        return cluster.Local(nodes=2, directory=directory, preset=self.options.preset,
                             settings={"row_group_rows": 150})

    def make(self):
        server = self.server(self.clean)
        with server, server.connect() as c:
            for name, (columns, style, row) in TABLES.items():
                c.query_all(f"create table {name} ({columns}) {style}")
                c.copy_in(f"copy {name} from stdin delimiter '|'",
                          b"".join(line_of(row(i)) for i in
                                   range(TINY_ROWS if name == "tiny" else ROWS)))
            c.query_all("create table gone (a integer); insert into gone values (1); drop table gone")
            self.insert(c, 5000)
        shutil.copytree(self.clean, self.killed)
        server = self.server(self.killed)
        server.start()
        with server.connect() as c:
            self.insert(c, 6000)
            c.query_all("create table late (id integer, a varchar(10))")
            c.query_all("insert into late values (1, 'one'), (2, 'two')")
            TABLES_SEEN = [*TABLES, "late"]
            self.answers["killed"] = {t: self.read(c, t) for t in TABLES_SEEN}
        server.server.kill()
        server = self.server(self.clean)
        with server, server.connect() as c:
            self.answers["clean"] = {t: self.read(c, t) for t in TABLES}
        for directory in (self.clean, self.killed):
            (directory / "log").unlink()

    @staticmethod
    def insert(c, first):
        c.query_all(f"insert into numbers values ({first}, 1, 2, 3.5, 4.5, 5.5, 6, 7)")
        c.query_all(f"insert into texts values ({first}, 'a', 'b', 'c', 'd'), "
                    f"({first + 1}, null, null, null, null)")
        c.query_all(f"insert into times values ({first}, '2024-02-29', '2024-02-29 01:02:03', true)")

    @staticmethod
    def read(c, table):
        """Each column by itself, so that damage of one does not hide the others: {column: rows}."""
        columns = [r[0] for r in c.rows(f"select column_name from information_schema.columns "
                                        f"where table_name = '{table}' order by ordinal_position")]
        return {column: c.rows(f"select id, {column} from {table} order by 1, 2")
                for column in columns}

    def files(self, which):
        base = getattr(self, which)
        return sorted(p for p in base.rglob("*") if p.is_file() and p.stat().st_size > 0 and
                      p.name not in ("basalt.lock", "admin.pgpass", "log"))


def flip(path, position, bit):
    with open(path, "r+b") as f:
        f.seek(position)
        byte = f.read(1)[0]
        f.seek(position)
        f.write(bytes([byte ^ 1 << bit]))


def inspect(database, *paths):
    return subprocess.run([str(cluster.program(database.options.preset)), "inspect",
                           *map(str, paths)], capture_output=True, text=True, timeout=600)


# ---- inspect ----

def positions(rng, size, count):
    """Both ends, and places between them."""
    edges = [0, 8, 63, 64, 65, size // 2, size - 64, size - 9, size - 1]
    return sorted({p for p in edges if 0 <= p < size} | {rng.randrange(size) for _ in range(count)})


def some(rng, size, count):
    places = positions(rng, size, count)
    return rng.sample(places, min(len(places), count))


def inspect_every_file(database, rng):
    """Rowsets: many damaged copies beside each other, one run of the program."""
    healthy = inspect(database, database.clean)
    if healthy.returncode != 0:
        raise Failure(f"inspect finds fault with a healthy database: {healthy.stdout}")
    checked = 0
    smallest = min((p for p in database.files("clean") if p.suffix == ".rows"),
                   key=lambda p: p.stat().st_size)
    for which in ("clean", "killed"):
        for path in database.files(which):
            if path.suffix == ".rows" and which == "clean":
                checked += inspect_rowset(database, rng, path, path == smallest)
            elif path.suffix != ".rows":
                checked += inspect_metadata(database, rng, which, path)
    return checked


def inspect_rowset(database, rng, path, is_whole):
    size = path.stat().st_size
    places = list(range(size)) if is_whole else positions(rng, size, database.options.flips)
    copies = database.root / "copies"
    data, checked = path.read_bytes(), 0
    for start in range(0, len(places), 1000):
        part = places[start : start + 1000]
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir()
        for p in part:
            damaged = bytearray(data)
            damaged[p] ^= 1 << rng.randrange(8)
            (copies / f"copy{p}.rows").write_bytes(damaged)
        result = inspect(database, copies)
        told = {int(m[1]): m[2] for m in re.finditer(r"copy(\d+)\.rows: (.*)", result.stdout)}
        if result.returncode != 1:
            raise Failure(f"inspect ended with {result.returncode}: {result.stdout[-500:]}"
                          f"{result.stderr[-2000:]}")
        for p in part:
            if p not in told or not INSPECTED.search(told[p]):
                raise Failure(f"{path}: byte {p} of {size}: inspect said {told.get(p)!r}")
        checked += len(part)
    shutil.rmtree(copies, ignore_errors=True)
    return checked


def inspect_metadata(database, rng, which, path):
    """The whole database beside it, since a log belongs to its database."""
    checked = 0
    size = path.stat().st_size
    if which == "killed" and path.suffix == ".db":
        return 0  # pages that stand in the log, too, mean nothing
    for p in some(rng, size, 8):
        copy = database.root / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path.parent, copy)
        bit = rng.randrange(8)
        flip(copy / path.name, p, bit)
        result = inspect(database, copy)
        if result.returncode != 1 or not INSPECTED.search(result.stdout):
            raise Failure(f"{which} {path}: byte {p} of {size}, bit {bit}: inspect ended with "
                          f"{result.returncode}: {result.stdout}{result.stderr}")
        checked += 1
    shutil.rmtree(database.root / "copy", ignore_errors=True)
    return checked


# ---- the server ----

class Reading:
    def __init__(self, database, which):
        self.database, self.which = database, which
        self.right = self.wrong = self.refused = 0
        self.last_message = ""

    def damaged(self, damage):
        """Starts on a copy after `damage(copy)`, reads everything."""
        copy = self.database.root / "served"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(getattr(self.database, self.which), copy)
        told = damage(copy)
        server = self.database.server(copy)
        server.server.start()
        try:
            self.wait(server, told)
            if server.server.is_running():
                self.read_all(server, told)
        finally:
            if server.server.is_running():
                server.server.kill()
            shutil.rmtree(copy, ignore_errors=True)

    def wait(self, server, told):
        for _ in range(4000):
            if not server.server.is_running():
                code, log = server.server.process.returncode, server.server.log()
                message = [x for x in log.splitlines() if x.startswith("basalt: ")]
                if code != 1 or not message or "(XX000)" in message[0]:
                    raise Failure(f"{told}: the start ended with {code}:\n{log[-3000:]}")
                self.refused += 1
                self.last_message = message[0]
                return
            if "Basalt is ready" in server.server.log():
                return
            time.sleep(0.01)
        raise Failure(f"{told}: neither started nor ended:\n{server.logs()[-3000:]}")

    def read_all(self, server, told):
        for table, columns in self.database.answers[self.which].items():
            for column, rows in columns.items():
                try:
                    with server.connect(timeout=30) as c:
                        found = c.rows(f"select id, {column} from {table} order by 1, 2")
                except pgwire.ServerError as error:
                    context = error.fields.get("W", "")
                    is_named = f'"public.{table}"' in context or "reading" not in context
                    if (error.sqlstate not in DAMAGE or not PLACE.search(error.message) or
                            not is_named):
                        raise Failure(f"{told}: {table}.{column}: {error}") from error
                    self.wrong += 1
                    self.last_message = str(error)
                    continue
                except (OSError, ConnectionError) as error:
                    raise Failure(f"{told}: {table}.{column}: {error!r}\n"
                                  f"{server.logs()[-3000:]}") from error
                if found != rows:
                    raise Failure(f"{told}: {table}.{column}: wrong rows: {len(found)} of "
                                  f"{len(rows)}, {[r for r in found if r not in rows][:5]}")
                self.right += 1


def relative(database, which, path):
    return path.relative_to(getattr(database, which))


def serve_rowsets(database, rng):
    """A few flips at once, each in a file of its own; every file several times."""
    reading = Reading(database, "clean")
    files = [relative(database, "clean", p) for p in database.files("clean")
             if p.suffix == ".rows"]
    for _ in range(database.options.rounds):
        rng.shuffle(files)
        for start in range(0, len(files), 4):
            chosen = files[start : start + 4]

            def damage(copy):
                told = []
                for name in chosen:
                    size = (copy / name).stat().st_size
                    place = rng.choice(positions(rng, size, 20))
                    flip(copy / name, place, rng.randrange(8))
                    told.append(f"{name} byte {place}")
                return "; ".join(told)
            reading.damaged(damage)
    return reading


def serve_metadata(database, rng, which):
    """One flip at a time, in the catalog, the manifests, their logs and marks, the identities."""
    reading = Reading(database, which)
    for path in database.files(which):
        name = relative(database, which, path)
        if path.suffix == ".rows":
            continue
        size = path.stat().st_size
        for place in some(rng, size, database.options.rounds * 2):
            bit = rng.randrange(8)

            def damage(copy):
                flip(copy / name, place, bit)
                return f"{which} {name} byte {place} bit {bit}"
            reading.damaged(damage)
    return reading


def serve_losses(database, rng, which):
    """A file that is gone or empty."""
    reading = Reading(database, which)
    for path in database.files(which):
        name = relative(database, which, path)
        for kind in ("gone", "empty"):
            def damage(copy):
                if kind == "gone":
                    (copy / name).unlink()
                else:
                    os.truncate(copy / name, 0)
                return f"{which} {name} {kind}"
            if path.suffix != ".rows" or rng.random() < 0.3:
                reading.damaged(damage)
    return reading


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--flips", type=int, default=60, help="per rowset file, for inspect")
    parser.add_argument("--rounds", type=int, default=4, help="of each file, for the server")
    parser.add_argument("--preset")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # thousands of copies
    root = pathlib.Path(tempfile.mkdtemp(prefix="basalt-damage-", dir=memory))
    database = Database(options, root)
    try:
        database.make()
        start = time.monotonic()
        print(f"inspect: {inspect_every_file(database, rng)} flips found in "
              f"{time.monotonic() - start:.0f} s", flush=True)
        for what, make in (
                ("rowsets", lambda: serve_rowsets(database, rng)),
                ("metadata", lambda: serve_metadata(database, rng, "clean")),
                ("metadata after kill -9", lambda: serve_metadata(database, rng, "killed")),
                ("lost files", lambda: serve_losses(database, rng, "clean")),
                ("lost files after kill -9", lambda: serve_losses(database, rng, "killed"))):
            start = time.monotonic()
            r = make()
            print(f"{what}: {r.right} columns right, {r.wrong} refused, {r.refused} starts refused, "
                  f"{time.monotonic() - start:.0f} s; such as {r.last_message}", flush=True)
    except Failure as failure:
        print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
