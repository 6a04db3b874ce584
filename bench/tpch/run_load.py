#!/usr/bin/python3
"""Loading lineitem: COPY from a file, \\copy through psql, and DuckDB's COPY, in turn.

    run_load.py --from DIR [--rounds 5] [--json FILE] [--markdown FILE]

Starts `basalt local --nodes 1` from build/release on both cores and DuckDB with as many threads.
Each round loads DIR/lineitem.tbl once with each of them, and once from a file into a table sorted by
date; every load goes into a new table and is durable when it counts as done (we commit, DuckDB
checkpoints). The peak of our resident memory over the whole run is the kernel's VmHWM.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
import cluster  # noqa: E402

import schema  # noqa: E402
from duckdb_peer import DuckdbPeer  # noqa: E402
from wire_client import ProcessorClock, WireClient  # noqa: E402


class Loads:
    def __init__(self, options, server, peer):
        self.file = (options.source / "lineitem.tbl").resolve()
        self.server, self.peer = server, peer
        self.clock = ProcessorClock(server.pids())
        self.client = WireClient(argparse.Namespace(
            host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD,
            dbname="dev", timeout=600))
        self.seconds, self.cpu_seconds = {}, {}

    def add(self, name, wall_seconds, cpu_seconds):
        self.seconds.setdefault(name, []).append(wall_seconds)
        self.cpu_seconds.setdefault(name, []).append(cpu_seconds)

    def ours(self, name, sort, load):
        self.client.execute("drop table if exists lineitem")
        self.client.execute(schema.create_table("lineitem", "key", sort, "integer"))
        before, start = self.clock.read(), time.perf_counter()
        load()
        wall = time.perf_counter() - start
        self.add(name, wall, self.clock.used_ms(before, self.clock.read()) / 1e3)

    def from_file(self):
        self.client.execute(f"copy lineitem from '{self.file}' delimiter '|'")

    def through_psql(self):
        subprocess.run(
            ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "admin", "dev",
             "-c", f"\\copy lineitem from '{self.file}' delimiter '|'"],
            env={**os.environ, "PGPASSWORD": cluster.PASSWORD}, check=True)

    def duckdb(self):
        self.peer.execute("drop table if exists lineitem")
        self.peer.execute("checkpoint")
        self.peer.execute(schema.create_table("lineitem", "none", "none", "integer"))
        costs = [self.peer.execute(f"copy lineitem from '{self.file}' (format csv, header false, "
                                   "delimiter '|', quote '', escape '', nullstr '\\N')"),
                 self.peer.execute("checkpoint")]
        self.add("DuckDB, COPY from a file", sum(cost[0] for cost in costs) / 1e3,
                 sum(cost[1] for cost in costs) / 1e3)

    def one_round(self):
        self.ours("COPY from a file", "none", self.from_file)
        self.duckdb()
        self.ours("\\copy through psql", "none", self.through_psql)
        self.ours("COPY from a file, sorted by date", "date", self.from_file)

    def peak_bytes(self):
        text = Path(f"/proc/{self.server.pids()[0]}/status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) * 1024

    def report(self, options):
        megabytes = self.file.stat().st_size / 1e6
        peer = statistics.median(self.seconds["DuckDB, COPY from a file"])
        lines = ["| load | seconds | CPU seconds | MB/s | times DuckDB's rate |",
                 "| --- | ---: | ---: | ---: | ---: |"]
        for name, seconds in self.seconds.items():
            wall, cpu = statistics.median(seconds), statistics.median(self.cpu_seconds[name])
            lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {megabytes / wall:.0f} | "
                         f"{peer / wall:.2f} |")
        text = (f"# Loading lineitem ({megabytes:.0f} MB of text)\n\nMedians of {options.rounds} "
                f"rounds, {os.cpu_count()} cores, DuckDB {self.peer.ready['version']} with as many "
                "threads. CPU: of our server; of DuckDB's process.\n"
                "`bench/tpch/run_load.py --from DIR` remakes this.\n\n" + "\n".join(lines)
                + f"\n\nPeak of our resident memory: {self.peak_bytes() / 1e6:.0f} MB.\n")
        print(text)
        if options.markdown is not None:
            options.markdown.write_text(text, encoding="utf-8")
        if options.json is not None:
            options.json.write_text(json.dumps({
                "bytes": self.file.stat().st_size, "seconds": self.seconds,
                "cpu_seconds": self.cpu_seconds, "peak_bytes": self.peak_bytes()}, indent=1) + "\n",
                encoding="utf-8")


def small_source(directory, source):
    """What DuckDB starts with: a database of the smallest table."""
    (Path(directory) / "region.tbl").symlink_to((source / "region.tbl").resolve())
    return directory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    settings = {"workers": os.cpu_count(), "copy_roots": options.source.resolve()}
    with cluster.Local(nodes=1, settings=settings) as server, \
            tempfile.TemporaryDirectory(prefix="load_duckdb_") as directory, \
            DuckdbPeer(small_source(directory, options.source), schema.schema_text(),
                       os.cpu_count(), 600) as peer:
        loads = Loads(options, server, peer)
        for round_number in range(options.rounds):
            loads.one_round()
            print(f"round {round_number + 1} of {options.rounds} done", file=sys.stderr)
        loads.report(options)
        loads.client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
