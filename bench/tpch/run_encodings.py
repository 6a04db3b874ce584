#!/usr/bin/python3
"""What small encodings cost: bytes on disk, and the 22 queries with and without differences.

    run_encodings.py --from DIR --plain PROGRAM [--rounds 9] [--workers 2] [--markdown FILE]

Starts `basalt local --nodes 1` from build/release with default settings, loads the tables of DIR,
and asks `du` for their size when the server is idle. A second server is loaded by PROGRAM: ours,
built without `&difference_ops` in storage/encoding/choose_encoding.c; then it starts again
with the same program as the first one, so that only the blocks differ. Each query runs on both in
turns. What counts is processor time of the server; ratios are medians of the rounds' own.
"""
import argparse
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
import cluster  # noqa: E402

import schema  # noqa: E402
from wire_client import ProcessorClock, WireClient  # noqa: E402

QUERIES = Path(__file__).resolve().parent / "queries"


def load(client, source):
    for table in schema.TABLES:
        client.execute(schema.create_table(table, "key", "none", "integer"))
        with open(source / f"{table}.tbl", "rb") as file:
            client.copy_in(f"copy {table} from stdin delimiter '|'", file)


def disk_bytes(directory):
    return int(subprocess.run(["du", "-sB1", str(directory)], check=True, capture_output=True,
                              text=True).stdout.split()[0])


def idle_disk_bytes(directory):
    """When it has not changed for half a minute."""
    size, since = disk_bytes(directory), time.monotonic()
    while time.monotonic() - since < 30:
        time.sleep(2)
        now = disk_bytes(directory)
        if now != size:
            size, since = now, time.monotonic()
    return size


def connect(server):
    return WireClient(argparse.Namespace(
        host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD, dbname="dev",
        timeout=600))


def run(client, clock, statements):
    before = clock.read()
    for statement in statements:
        client.execute(statement)
    return clock.used_ms(before, clock.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--plain", type=Path, required=True, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    lines = ["| query | ms of CPU without differences | with | ratio |",
             "| --- | ---: | ---: | ---: |"]
    ratios = []
    settings = {"workers": options.workers}
    with cluster.Local(nodes=1, settings=settings) as server, \
            cluster.Local(nodes=1, settings=settings) as plain:
        plain.stop()
        ours, plain.server.arguments[0] = plain.server.arguments[0], str(options.plain)
        plain.start()
        client = connect(plain)
        load(client, options.source)
        client.close()
        plain.stop()
        plain.server.arguments[0] = ours
        plain.start()
        client = connect(server)
        load(client, options.source)
        client.close()
        sizes = [idle_disk_bytes(one.directory / "data") for one in (plain, server)]
        print(*sizes, file=sys.stderr, flush=True)
        sessions = [connect(plain), connect(server)]
        clocks = [ProcessorClock(plain.pids()), ProcessorClock(server.pids())]
        for path in sorted(QUERIES.glob("q*.sql")):
            statements = [part for part in path.read_text().split(";") if part.strip()]
            times = [[], []]
            for round_number in range(options.rounds + 1):
                pair = {}
                for side in ((0, 1), (1, 0))[round_number % 2]:
                    pair[side] = run(sessions[side], clocks[side], statements)
                if round_number > 0:  # the first one fills the cache
                    times[0].append(pair[0])
                    times[1].append(pair[1])
            ratios.append(statistics.median(b / a for a, b in zip(*times)))
            lines.append(f"| {path.stem} | {statistics.median(times[0]):.2f} | "
                         f"{statistics.median(times[1]):.2f} | {ratios[-1]:.3f} |")
            print(lines[-1], file=sys.stderr, flush=True)
        for session in sessions:
            session.close()
    mean = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
    lines.append(f"| geometric mean | | | {mean:.3f} |")
    text = (f"# What small encodings cost, TPC-H\n\nThe eight tables take {sizes[1] / 1e6:.1f} MB "
            f"on disk (`du`, default settings, idle), {sizes[0] / 1e6:.1f} MB "
            f"without differences between columns. No block is compressed by zstd: texts are "
            f"phrases, smaller and faster to read.\nMedians of {options.rounds} "
            f"rounds in turns, {options.workers} workers. `bench/tpch/run_encodings.py --from DIR "
            "--plain PROGRAM` remakes this.\n\n" + "\n".join(lines) + "\n")
    print(text)
    if options.markdown is not None:
        options.markdown.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
