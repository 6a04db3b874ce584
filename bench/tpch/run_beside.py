#!/usr/bin/python3
"""Loads Basalt and DuckDB alike and runs the 22 queries on both: run_tpch.py with nothing to set up.

    run_beside.py --from DIR --scale N [--keys integer|random64|string36] [--sort none|date]
        [--keep DIR] [--nodes 1] [--setting NAME=VALUE …] [every option of run_tpch.py]

Starts `basalt local` of build/release and loads the .tbl files of --from into it and into DuckDB.
With `--sort date` lineitem and orders have sort keys here, and are rewritten in that order there.
With --keep both databases stay in DIR, and are taken from it when they are there.
"""
import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "support"))
import cluster  # noqa: E402

import schema  # noqa: E402
from duckdb_peer import DuckdbPeer  # noqa: E402
from wire_client import WireClient  # noqa: E402


def load_ours(server, options):
    client = WireClient(argparse.Namespace(
        host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD, dbname="dev",
        timeout=3600))
    client.execute("select count(*) from svv_table_info")
    if client.answer().rows[0][0] == "0":
        for table in schema.TABLES:
            client.execute(schema.create_table(table, "key", options.sort, options.keys))
            with open(options.source / f"{table}.tbl", "rb") as file:
                ms = client.copy_in(f"copy {table} from stdin delimiter '|'", file)
            print(f"{table}: {ms / 1000:.1f} s", file=sys.stderr)
        client.execute("analyze")
    client.close()


def load_theirs(directory, options):
    """The database file."""
    path = directory / "tpch.duckdb"
    if not path.exists():
        text = schema.schema_text(keys=options.keys)
        with DuckdbPeer(options.source, text, 2, 3600, database=path) as peer:
            for table, column in schema.SORT_DATES.items() if options.sort == "date" else ():
                for sql in (f"create table sorted as from {table} order by {column}",
                            f"drop table {table}", f"alter table sorted rename to {table}"):
                    peer.execute(sql)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--keys", choices=schema.KEYS, default="integer")
    parser.add_argument("--sort", choices=("none", "date"), default="none")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    options, rest = parser.parse_known_args()
    settings = dict(pair.split("=", 1) for pair in options.setting)
    with cluster.Local(nodes=options.nodes, settings=settings, directory=options.keep) as server:
        load_ours(server, options)
        database = load_theirs(server.directory, options)
        return subprocess.run(
            [HERE / "run_tpch.py", "--port", str(server.port), "--user", "admin", "--password",
             cluster.PASSWORD, "--dbname", "dev", "--pids", str(server.server.pid), "--duckdb",
             database, "--scale", options.scale, "--keys", options.keys, *rest],
            check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
