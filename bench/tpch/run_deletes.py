#!/usr/bin/python3
"""What deleted rows cost scans: lineitem before and after it lost 1 row in 100 at random.

    run_deletes.py --from DIR [--rounds 15] [--repeats 3] [--settings NAME=VALUE,…]
                   [--markdown FILE]

Starts `basalt local --nodes 1` from build/release with one worker, no merging and no answers from
zone maps (they need no rows), and loads DIR/lineitem.tbl. One session opens a transaction, whose
snapshot keeps all rows; another deletes, and each query runs in both in turns: the same blocks, in
the same memory. What counts is processor time of the server; a figure is the median of the rounds,
a cost that of the rounds' own ratios.
"""
import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
import cluster  # noqa: E402

import schema  # noqa: E402
from wire_client import ProcessorClock, WireClient  # noqa: E402

QUERIES = (
    ("count", "select count(*) from lineitem"),
    ("sum of a packed column", "select sum(l_extendedprice) from lineitem"),
    ("three aggregates", "select sum(l_quantity), min(l_shipdate), max(l_partkey) from lineitem"),
    ("count, one filter", "select count(*) from lineitem where l_quantity < 24"),
    ("sum, one filter",
     "select sum(l_extendedprice) from lineitem where l_shipdate < '1995-06-17'"),
    ("query 6", "select sum(l_extendedprice * l_discount) from lineitem "
                "where l_shipdate >= '1994-01-01' and l_shipdate < '1995-01-01' "
                "and l_discount between 0.05 and 0.07 and l_quantity < 24"),
    ("query 1", "select l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), "
                "sum(l_extendedprice * (1 - l_discount)), "
                "sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_discount), count(*) "
                "from lineitem where l_shipdate <= '1998-09-02' group by 1, 2"),
    ("7 groups", "select l_shipmode, count(*), sum(l_quantity) from lineitem group by 1"),
    ("10,000 groups",
     "select l_suppkey, sum(l_quantity) from lineitem group by 1 order by 2 limit 1"),
    ("text", "select count(*) from lineitem where l_comment like '%special%'"),
    ("longest text", "select max(l_comment) from lineitem"),
)


def load(sessions, path):
    """Rows before and after."""
    sessions[0].execute(schema.create_table("lineitem", "key", "none", "integer"))
    with open(path, "rb") as file:
        sessions[0].copy_in("copy lineitem from stdin delimiter '|'", file)
    sessions[0].execute("begin")
    sessions[0].execute("select count(*) from lineitem")
    sessions[1].execute("delete from lineitem where random() < 0.01")
    sessions[1].execute("begin")  # neither side pays for transactions
    rows = []
    for session in sessions:
        session.execute("select count(*) from lineitem")
        rows.append(int(session.answer().rows[0][0]))
    return rows


def measure(client, clock, sql, repeats):
    before = clock.read()
    for _ in range(repeats):
        client.execute(sql)
    return clock.used_ms(before, clock.read()) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=3, help="runs timed as one [3]")
    parser.add_argument("--settings", default="", help="more settings of the server")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    settings = {"workers": 1, "auto_merge": "off", "zone_map_answers": "off"}
    settings.update(pair.split("=") for pair in options.settings.split(",") if pair)
    lines = ["| query | ms of CPU | with deletes | cost |", "| --- | ---: | ---: | ---: |"]
    with cluster.Local(nodes=1, settings=settings) as server:
        sessions = [WireClient(argparse.Namespace(
            host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD,
            dbname="dev", timeout=600)) for _ in range(2)]
        clock = ProcessorClock(server.pids())
        rows = load(sessions, options.source / "lineitem.tbl")
        for name, text in QUERIES:
            times = [[], []]
            for round_number in range(options.rounds + 1):
                pair = [measure(session, clock, text, options.repeats)
                        for session in sessions]
                if round_number > 0:  # the first one fills the cache
                    times[0].append(pair[0])
                    times[1].append(pair[1])
            cost = statistics.median(after / before for before, after in zip(*times))
            lines.append(f"| {name} | {statistics.median(times[0]):.2f} | "
                         f"{statistics.median(times[1]):.2f} | {100 * cost - 100:+.1f} % |")
            print(lines[-1], file=sys.stderr, flush=True)
        for session in sessions:
            session.close()
    more = f" (`--settings {options.settings}`)" if options.settings else ""
    text = (f"# Scans after deletes\n\n{rows[0]} rows, {rows[0] - rows[1]} of them deleted at "
            f"random and not merged away; one worker, blocks in the cache, medians of "
            f"{options.rounds} rounds.\n`bench/tpch/run_deletes.py --from DIR` remakes this{more}."
            "\n\n" + "\n".join(lines) + "\n")
    print(text)
    if options.markdown is not None:
        options.markdown.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
