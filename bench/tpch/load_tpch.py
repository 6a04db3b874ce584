#!/usr/bin/python3
"""Makes the tables of TPC-H on a server and fills them over the wire with COPY … FROM STDIN.

    load_tpch.py --from DIR [--port 5439] [--style none|key|even|all] [--sort none|date]
                 [--keys integer|random64|string36] [--replace]

--from     directory with the eight <table>.tbl, made without --trailing-pipe
--style    as in schema.py                                                [key]
--replace  drop tables of these names first

Prints seconds and MB/s of text for each table.
"""
import argparse
import sys
from pathlib import Path

import psycopg2

import schema
from wire_client import WireClient, add_connection_options


def load_table(client, table, path, options):
    """Returns the milliseconds of COPY alone."""
    if options.replace:
        client.execute(f"drop table if exists {table}")
    client.execute(schema.create_table(table, options.style, options.sort, options.keys))
    with open(path, "rb") as file:
        return client.copy_in(f"copy {table} from stdin delimiter '|'", file)


def print_rate(name, byte_count, ms):
    print(f"{name:10}{ms / 1000:10.2f} s {byte_count / 1e6:10.1f} MB {byte_count / 1e3 / ms:8.1f} "
          "MB/s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    add_connection_options(parser)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--style", choices=schema.STYLES, default="key")
    parser.add_argument("--sort", choices=("none", "date"), default="none")
    parser.add_argument("--keys", choices=schema.KEYS, default="integer")
    parser.add_argument("--replace", action="store_true")
    options = parser.parse_args()
    if options.sort != "none" and options.style == "none":
        parser.error("--sort needs a --style: plain SQL has no sort keys")
    try:
        client = WireClient(options)
        total_bytes = 0
        total_ms = 0
        for table in schema.TABLES:
            path = options.source / f"{table}.tbl"
            ms = load_table(client, table, path, options)
            byte_count = path.stat().st_size
            print_rate(table, byte_count, ms)
            total_bytes += byte_count
            total_ms += ms
        print_rate("all", total_bytes, total_ms)
        client.close()
    except (psycopg2.Error, OSError) as error:
        return f"load_tpch: {str(error).strip()}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
