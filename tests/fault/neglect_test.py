#!/usr/bin/env python3
"""A neglected table heals: thousands of small loads in random order of the sort key become what one
sorted load would have been, within a minute of idleness and with no command given.

    neglect_test.py [--loads 2000] [--rows 500] [--seed N] [--preset NAME]

One table is filled by one sorted COPY, another by --loads COPYs of --rows rows each, whose keys are
dealt at random. Then nobody does anything, for a minute at most. The second must take at most 1.2 times the
bytes and blocks of the first, and of its rows less than 5 in 100 may be unsorted: in rowsets that
overlap larger ones of their slice (`basalt inspect --verbose` shows the ranges).
"""

import argparse
import pathlib
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402

NODES = 2
IDLE_SECONDS = 60
GROWTH_MAX = 1.2
UNSORTED_MAX = 0.05

HEAD = re.compile(r"^(.*): rowset \d+ of table \d+, slice (\d+), .*, (\d+) rows in ")
GROUP = re.compile(r"^  column 1 row group \d+: .* (\d+) bytes, (-?\d+) \.\. (-?\d+)$")
BLOCK = re.compile(r"^  column \d+ row group \d+: ")

check = checks.Checks()


def line_of(key):
    return b"%d|%d|item %d of %d\n" % (key, key * 7919 % 1000, key % 97, key * 31 % 100_003)


class Shape:
    """What `inspect` says of all rowsets of a server; rows in its databases are unsorted."""

    def __init__(self, server, preset, row_count):
        self.row_count = row_count
        self.bytes = sum(path.stat().st_size
                         for node in pathlib.Path(server.directory).rglob("node[0-9]*")
                         for path in node.rglob("*") if path.is_file())
        shown = subprocess.run([cluster.program(preset), "inspect", "--verbose", server.directory],
                               check=True, capture_output=True, text=True).stdout
        self.rows = self.blocks = 0
        self.slices = {}  # (node, slice): [rows, first key, last key] of each rowset
        for line in shown.splitlines():
            head, group = HEAD.match(line), GROUP.match(line)
            if head:
                node = re.search(r"node\d+", head[1])[0]
                self.rows += int(head[3])
                rowset = [int(head[3]), None, None]
                self.slices.setdefault((node, head[2]), []).append(rowset)
            self.blocks += BLOCK.match(line) is not None
            if group:
                first, last = int(group[2]), int(group[3])
                rowset[1] = first if rowset[1] is None else min(rowset[1], first)
                rowset[2] = last if rowset[2] is None else max(rowset[2], last)

    def unsorted_share(self):
        unsorted = self.row_count - self.rows
        for rowsets in self.slices.values():
            kept = []
            for rows, first, last in sorted(rowsets, reverse=True):
                if any(first <= other[1] and last >= other[0] for other in kept):
                    unsorted += rows
                else:
                    kept.append((first, last))
        return unsorted / self.row_count

    def is_like(self, other):
        return (0 < self.bytes <= GROWTH_MAX * other.bytes
                and 0 < self.blocks <= GROWTH_MAX * other.blocks
                and self.unsorted_share() < UNSORTED_MAX)

    def __str__(self):
        return (f"{self.bytes} bytes, {self.blocks} blocks, "
                f"{sum(len(rowsets) for rowsets in self.slices.values())} rowsets, "
                f"{100 * self.unsorted_share():.1f} % unsorted")


def make(connection):
    connection.query_all("create table t (k bigint, v integer, w varchar(40)) diststyle even "
                         "sortkey (k)")


def copy(connection, keys):
    connection.copy_in("copy t from stdin delimiter '|'", [b"".join(map(line_of, keys))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--loads", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--preset")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    keys = list(range(options.loads * options.rows))
    with cluster.Local(NODES, preset=options.preset) as server:
        with server.connect() as c:
            make(c)
            copy(c, keys)
            answer = c.rows("select count(*), sum(k), sum(v), count(distinct w) from t")
        sorted_shape = Shape(server, options.preset, len(keys))
    random.Random(options.seed).shuffle(keys)
    with cluster.Local(NODES, preset=options.preset) as server:
        with server.connect() as c:
            make(c)
            start = time.monotonic()
            for load in range(options.loads):
                copy(c, keys[load * options.rows:(load + 1) * options.rows])
            seconds = time.monotonic() - start
        start = time.monotonic()
        healed = None
        while (time.monotonic() < start + IDLE_SECONDS
               and not (healed and healed.is_like(sorted_shape))):
            time.sleep(3)
            try:
                healed = Shape(server, options.preset, len(keys))
            except (subprocess.CalledProcessError, FileNotFoundError):
                continue  # files came and went while we looked
        idle_seconds = time.monotonic() - start
        with server.connect() as c:
            check(c.rows("select count(*), sum(k), sum(v), count(distinct w) from t") == answer,
                  "the rows are the same")
    print(f"one sorted load: {sorted_shape}\n{options.loads} loads in {seconds:.0f} s, "
          f"after {idle_seconds:.0f} s: {healed}", flush=True)
    check(healed is not None and healed.is_like(sorted_shape), "the table has healed")
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
