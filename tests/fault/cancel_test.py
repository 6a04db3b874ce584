#!/usr/bin/env python3
"""Cancels at random moments of long queries. (Of a client that does not read: clients/session_test.)

Each query is joins, sorts, groups, windows or texts of a million rows, some of them forced to
spill, on a leader and two nodes. A cancelled statement ends with 57014 within --bound seconds, as
its client sees it; it prints the median, the 99th of 100 and the longest. Afterwards every spill
file is gone, memory is what it was before, and the same session goes on. --rounds 500 is the whole
test.
"""

import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402
import seeded  # noqa: E402
from seeded import Failure  # noqa: E402

ROWS = 1_000_000
DELAY_MAX = 0.8  # seconds until the cancel
GONE_MAX = 1.0   # seconds until the spill files are
GROWTH_MAX = 300 << 20  # of a process's memory: caches and what the heap keeps

QUERIES = (
    "select count(*) from a x, a y where x.k + y.k = 7",
    "select count(*) from a x join a y on x.g = y.g where x.v < y.v",
    "select sum(v) from (select v, row_number() over (partition by g order by v, k) r from a) s "
    "where r % 3 = 0",
    "select k from (select k, rank() over (order by t, v desc, k) r from a) s where r = 77777",
    "select t, count(*), sum(v), min(k) from a group by t order by 2 desc, 1 limit 10",
    "select count(distinct t), count(distinct v % 100003) from a",
    "select count(*) from a where t like '%7%1%3%' or upper(t) like '%99%88%77%'",
    "select x.k from a x left join a y on x.v = y.v and y.k % 2 = 1 order by x.k limit 5",
    "select md5(t) from a where k % 2 = 0 union select md5(t) from a where k % 3 = 0 limit 3",
    "select count(*) from a x where exists (select 1 from a y where y.g = x.g and y.v > x.v + k)",
    "create table scratch as select x.k, y.v from a x join a y on x.g = y.g",
    "update a set v = v + 1 where k >= 0",
)


class Cancels:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = cluster.Cluster(2, preset=options.preset,
                                      settings={"query_memory": "512MB", "memory_limit": "4GB"})
        self.times, self.missed = [], 0

    def load(self, c):
        rows = self.options.rows
        c.query_all("create table a (k integer, g integer, v bigint, t varchar(40)) distkey (k)")
        for first in range(0, rows, 100_000):
            c.copy_in("copy a from stdin delimiter '|'", [b"".join(
                b"%d|%d|%d|text number %d\n" % (k, k * 31 % 997, k * 7919 % rows, k * 104729 % rows)
                for k in range(first, min(first + 100_000, rows)))])

    def round(self, c, number):
        sql = QUERIES[number % len(QUERIES)]
        spills = self.random.random() < 0.4
        c.query_all(f"drop table if exists scratch; set force_spill to {'on' if spills else 'off'}")
        delay = DELAY_MAX * self.random.random() ** 2
        sent, ended = [], []

        def cancel():
            sent.append(time.monotonic())
            c.cancel()
        timer = threading.Timer(delay, cancel)
        timer.start()
        what = f"{sql}, {'spilling, ' if spills else ''}cancelled after {delay * 1000:.0f} ms"
        try:
            c.query_all(sql)
        except pgwire.ServerError as error:
            ended.append(time.monotonic())
            if error.sqlstate != "57014":
                raise Failure(f"{what}: {error}") from error
        timer.join()
        if not ended:
            self.missed += 1  # it was over before
            # A cancel that comes late hits nothing: the next statement is sent after it arrived.
            time.sleep(0.02)
            return
        took = ended[0] - sent[0]
        if took > self.options.bound:
            raise Failure(f"{what}: it took {took * 1000:.0f} ms")
        self.times.append((took, what))
        if c.value("select count(*) from a where k < 10") != "10":
            raise Failure(f"{what}: the next statement is wrong")

    def spill_files(self):
        return [path for path in self.server.directory.rglob("*.spill")]

    def check_released(self):
        end = time.monotonic() + GONE_MAX
        while self.spill_files() and time.monotonic() < end:
            time.sleep(0.02)
        if self.spill_files():
            raise Failure(f"spill files stay: {self.spill_files()[:5]}")

    def memory(self):
        sizes = []
        for pid in self.server.pids():
            fields = dict(line.split(":", 1) for line in
                          pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
            sizes.append(int(fields["VmRSS"].split()[0]) * 1024)
        return sizes

    def run(self):
        with self.server, self.server.connect() as c:
            self.load(c)
            warm = len(QUERIES)
            for number in range(self.options.rounds):
                if number == warm:
                    before = self.memory()
                self.round(c, number)
                if number % 10 == 9:
                    self.check_released()
            self.check_released()
            grown = [now - then for now, then in zip(self.memory(), before)]
            if max(grown) > GROWTH_MAX:
                raise Failure(f"memory has grown by {[g >> 20 for g in grown]} MiB")
            if c.value("select count(*) from a") != str(self.options.rows):
                raise Failure("rows are missing")
        self.times.sort()
        if len(self.times) < self.options.rounds / 3:
            raise Failure(f"only {len(self.times)} cancels met a query")
        at = [self.times[int(len(self.times) * share)][0] * 1000 for share in (0.5, 0.99)]
        print(f"{len(self.times)} cancelled, {self.missed} were over before; median {at[0]:.1f} ms, "
              f"99 of 100 {at[1]:.1f} ms, longest {self.times[-1][0] * 1000:.1f} ms: "
              f"{self.times[-1][1]}; memory grew by {[g >> 20 for g in grown]} MiB")
        print(f"{self.options.rounds} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(seeded.main(__doc__, lambda options: Cancels(options).run(), rounds=60, rows=ROWS,
                         bound=2.0))
