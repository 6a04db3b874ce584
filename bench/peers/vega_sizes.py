#!/usr/bin/env python3
"""Bytes on disk of the open data of npm vega-datasets, ours beside DuckDB's.

    bench/peers/vega_sizes.py --vega DIR/node_modules/vega-datasets/data [--preset release]

Each table is loaded by COPY into one node with default settings, and into a DuckDB file of its own.
Ours are the bytes of the table's rowset files; DuckDB's those of the file after CHECKPOINT, less
those of an empty one. Prints a Markdown table.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import cluster  # noqa: E402

TABLES = {
    "flights-200k": ("delay integer, distance integer, time double precision",
                     "insert into t select delay, distance, time from '{vega}/flights-200k.json'"),
    "flights-3m": ("date varchar(8), delay integer, distance integer, origin varchar(3), "
                   "destination varchar(3)",
                   "insert into t select * from '{vega}/flights-3m.parquet'"),
    "zipcodes": ("zip_code varchar(5), latitude double precision, longitude double precision, "
                 "city varchar(64), state varchar(2), county varchar(64)",
                 "insert into t select * from read_csv('{vega}/zipcodes.csv', all_varchar=true)"),
    "birdstrikes": ("airport varchar(128), aircraft varchar(64), damage varchar(32), "
                    "flight_date date, operator varchar(64), origin_state varchar(64), "
                    "phase varchar(32), wildlife_size varchar(16), wildlife varchar(64), "
                    "time_of_day varchar(16), cost_other integer, cost_repair integer, "
                    "cost_total integer, speed_knots integer",
                    "insert into t select * from read_csv('{vega}/birdstrikes.csv')"),
}


def duckdb(folder, create, load):
    """Bytes of a file with the table, and its version; the CSV beside it."""
    out = subprocess.run(["node", str(ROOT / "bench/peers/duckdb_size.mjs"),
                          str(folder / "peer.duckdb"), create, load, str(folder / "t.csv")],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def ours(folder, columns, preset):
    """Bytes of the rowsets of the table, and its rows."""
    server = cluster.Local(nodes=1, directory=folder / "ours", preset=preset)
    with server, server.connect() as c:
        c.query_all(f"create table t ({columns}) diststyle even")
        c.copy_in("copy t from stdin csv delimiter '|'", (folder / "t.csv").read_bytes())
        rows = int(c.rows("select count(*) from t")[0][0])
        c.query_all("vacuum full t")
    return sum(p.stat().st_size for p in (folder / "ours").rglob("*.rows")), rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vega", required=True, help="the folder of data files")
    parser.add_argument("--preset", default="release")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        empty = duckdb(pathlib.Path(name), "create table t (a integer)", "select 1")
    print(f"| table | rows | Basalt, KB | DuckDB {empty['version']}, KB | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for table, (columns, load) in TABLES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            peer = duckdb(folder, f"create table t ({columns})", load.format(vega=options.vega))
            size, rows = ours(folder, columns, options.preset)
        theirs = peer["bytes"] - empty["bytes"]
        print(f"| {table} | {rows} | {size / 1000:.0f} | {theirs / 1000:.0f} "
              f"| {size / theirs:.2f} |", flush=True)


main()
