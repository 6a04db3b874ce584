#!/usr/bin/python3
"""Two single-core nodes against one: the 22 queries of TPC-H on both clusters, one right after the
other.

    run_scaling.py --from DIR [--sort none|date] [--rounds 7] [--rest 0.2] [--json FILE]
        [--markdown FILE]

Starts two clusters of separate processes over tcp on loopback, from build/release: one with a node
on core 0, one with a node on core 0 and a node on core 1. Leaders and this client may use any core.
The single node runs on either core in turns: on a shared machine one of them may be the slower one.
Both are loaded with the same .tbl files; each round runs each query once on either side with the
same new parameters, the first side changing from round to round; a round before the first warms up.
Each query is timed after a rest: a host that grants processors by the period takes back from two
busy cores what it lets one have, and gives it again after a pause.
The answers of both sides are compared in every round. The ratio is one node's wall time divided by
that of two: 2 is perfect. It is given of medians, and of the best rounds: two nodes wait for the
slower core, so a neighbour that slows either of them down falls on them twice as often as on one.
The exit status is 1 when an answer differs.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
import cluster  # noqa: E402

import answer_compare  # noqa: E402
import parameters  # noqa: E402
import schema  # noqa: E402
from wire_client import WireClient  # noqa: E402


class Side:
    """One cluster with the data in it."""

    def __init__(self, cores, settings, rest):
        self.rest = rest
        self.cluster = cluster.Cluster(nodes=len(cores), pins=cores,
                                       settings={"workers": 1, **settings})
        self.wall_ms = {}

    def load(self, source, sort):
        self.client = WireClient(argparse.Namespace(
            host="127.0.0.1", port=self.cluster.port, user="admin", password=cluster.PASSWORD,
            dbname="dev", timeout=600))
        for table in schema.TABLES:
            self.client.execute(schema.create_table(table, "key", sort, "integer"))
            with open(source / f"{table}.tbl", "rb") as file:
                self.client.copy_in(f"copy {table} from stdin delimiter '|'", file)

    def run(self, name, sql, is_counted):
        time.sleep(self.rest)
        wall_ms = self.client.execute(sql)
        if is_counted:
            self.wall_ms.setdefault(name, []).append(wall_ms)
        return self.client.answer()

    def move(self, core):
        """The only node's threads, to another core."""
        for task in Path(f"/proc/{self.cluster.nodes[0].process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})

    def median(self, name):
        return statistics.median(self.wall_ms[name])

    def best(self, name):
        return min(self.wall_ms[name])


def measure(one, two, options):
    """The number of answers that differ."""
    differences = 0
    for round_number in range(options.rounds + 1):
        one.move(round_number // 2 % 2)
        for name in parameters.QUERY_NAMES:
            values = parameters.draw_values(name, f"{options.seed}/{round_number}", options.scale)
            sql = parameters.render(name, values)
            sides = (one, two) if round_number % 2 else (two, one)
            answers = [side.run(name, sql, round_number > 0) for side in sides]
            message = answer_compare.compare(sql, answers[0], answers[1])
            if message is not None:
                differences += 1
                print(f"{name} differs in round {round_number}: {message}")
        print(f"round {round_number} of {options.rounds} done", file=sys.stderr)
    return differences


def geometric_mean(ratios):
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))


def report(one, two, options):
    names = parameters.QUERY_NAMES
    lines = ["| query | one node | two nodes | ratio | best: one | two | ratio |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name in names:
        lines.append(
            f"| {name} | {one.median(name):.1f} | {two.median(name):.1f} "
            f"| {one.median(name) / two.median(name):.2f} | {one.best(name):.1f} "
            f"| {two.best(name):.1f} | {one.best(name) / two.best(name):.2f} |")
    mean = geometric_mean(one.median(name) / two.median(name) for name in names)
    best = geometric_mean(one.best(name) / two.best(name) for name in names)
    lines.append(f"| geometric mean of {len(names)} | | | {mean:.2f} | | | {best:.2f} |")
    text = (f"# TPC-H, scale {options.scale:g}: two single-core nodes against one\n\n"
            f"Wall milliseconds at the client, medians and bests of {options.rounds} rounds, new "
            f"parameters each round, {options.rest:g} s of rest before each query, all answers "
            "compared.\n"
            f"`bench/tpch/run_scaling.py --from DIR --scale {options.scale:g} --sort {options.sort}"
            f" --rounds {options.rounds} --rest {options.rest:g}` remakes this.\n\n" + "\n".join(lines) + "\n")
    print(text)
    if options.markdown is not None:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json is not None:
        options.json.write_text(json.dumps({
            "scale": options.scale, "rounds": options.rounds, "one_node_ms": one.wall_ms,
            "two_nodes_ms": two.wall_ms, "geometric_mean": round(mean, 4),
            "geometric_mean_of_bests": round(best, 4)}, indent=1) + "\n",
            encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sort", choices=("none", "date"), default="none")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rest", type=float, default=0.2, metavar="SECONDS",
                        help="before each timed query (default 0.2)")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting of all processes")
    options = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in options.setting)
    one, two = (Side(cores, settings, options.rest) for cores in ([0], [0, 1]))
    with one.cluster, two.cluster:
        for side in (one, two):
            side.load(options.source, options.sort)
        differences = measure(one, two, options)
    report(one, two, options)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
