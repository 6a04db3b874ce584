#!/usr/bin/python3
"""The tables of TPC-H and their CREATE TABLE statements, plain or with Redshift's attributes.

    schema.py [--style none|key|even|all] [--sort none|date] [--keys integer|random64|string36]
    schema.py --write | --check

--style  none: plain SQL; key: lineitem and orders distributed by order, part and partsupp by part,
         customer and supplier by their own key, nation and region on every node;
         even: all tables in turn; all: every table on every node                   [none]
--sort   date: lineitem by l_shipdate, orders by o_orderdate (needs a style)        [none]
--keys   as in tpch_gen --keys                                                      [integer]
--write  writes schema.sql (none) and schema_basalt.sql (key)
--check  fails when these two files are not what would be written
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STYLES = ("none", "key", "even", "all")
KEYS = ("integer", "random64", "string36")
KEY_TYPES = {"integer": "integer", "random64": "bigint", "string36": "char(36)"}

# In the order of loading: a table stands behind those it refers to. "key" is a key column.
TABLES = {
    "region": [
        ("r_regionkey", "key"),
        ("r_name", "char(25)"),
        ("r_comment", "varchar(152)"),
    ],
    "nation": [
        ("n_nationkey", "key"),
        ("n_name", "char(25)"),
        ("n_regionkey", "key"),
        ("n_comment", "varchar(152)"),
    ],
    "supplier": [
        ("s_suppkey", "key"),
        ("s_name", "char(25)"),
        ("s_address", "varchar(40)"),
        ("s_nationkey", "key"),
        ("s_phone", "char(15)"),
        ("s_acctbal", "decimal(15,2)"),
        ("s_comment", "varchar(101)"),
    ],
    "customer": [
        ("c_custkey", "key"),
        ("c_name", "varchar(25)"),
        ("c_address", "varchar(40)"),
        ("c_nationkey", "key"),
        ("c_phone", "char(15)"),
        ("c_acctbal", "decimal(15,2)"),
        ("c_mktsegment", "char(10)"),
        ("c_comment", "varchar(117)"),
    ],
    "part": [
        ("p_partkey", "key"),
        ("p_name", "varchar(55)"),
        ("p_mfgr", "char(25)"),
        ("p_brand", "char(10)"),
        ("p_type", "varchar(25)"),
        ("p_size", "integer"),
        ("p_container", "char(10)"),
        ("p_retailprice", "decimal(15,2)"),
        ("p_comment", "varchar(23)"),
    ],
    "partsupp": [
        ("ps_partkey", "key"),
        ("ps_suppkey", "key"),
        ("ps_availqty", "integer"),
        ("ps_supplycost", "decimal(15,2)"),
        ("ps_comment", "varchar(199)"),
    ],
    "orders": [
        ("o_orderkey", "key"),
        ("o_custkey", "key"),
        ("o_orderstatus", "char(1)"),
        ("o_totalprice", "decimal(15,2)"),
        ("o_orderdate", "date"),
        ("o_orderpriority", "char(15)"),
        ("o_clerk", "char(15)"),
        ("o_shippriority", "integer"),
        ("o_comment", "varchar(79)"),
    ],
    "lineitem": [
        ("l_orderkey", "key"),
        ("l_partkey", "key"),
        ("l_suppkey", "key"),
        ("l_linenumber", "integer"),
        ("l_quantity", "decimal(15,2)"),
        ("l_extendedprice", "decimal(15,2)"),
        ("l_discount", "decimal(15,2)"),
        ("l_tax", "decimal(15,2)"),
        ("l_returnflag", "char(1)"),
        ("l_linestatus", "char(1)"),
        ("l_shipdate", "date"),
        ("l_commitdate", "date"),
        ("l_receiptdate", "date"),
        ("l_shipinstruct", "char(25)"),
        ("l_shipmode", "char(10)"),
        ("l_comment", "varchar(44)"),
    ],
}

DISTRIBUTION_KEYS = {
    "supplier": "s_suppkey",
    "customer": "c_custkey",
    "part": "p_partkey",
    "partsupp": "ps_partkey",
    "orders": "o_orderkey",
    "lineitem": "l_orderkey",
}

SORT_DATES = {"orders": "o_orderdate", "lineitem": "l_shipdate"}

HEADS = {
    "none": "-- The eight tables of TPC-H in plain SQL, without constraints.",
    "key": "-- The eight tables of TPC-H, each distributed by the key it is joined by most.",
    "even": "-- The eight tables of TPC-H, all rows dealt out in turn.",
    "all": "-- The eight tables of TPC-H, all of them on every node.",
}


def _attributes(table, style, sort):
    """The lines behind the column list."""
    lines = []
    if style == "key" and table in DISTRIBUTION_KEYS:
        lines = ["diststyle key", f"distkey ({DISTRIBUTION_KEYS[table]})"]
    elif style in ("key", "all"):
        lines = ["diststyle all"]
    elif style == "even":
        lines = ["diststyle even"]
    if sort == "date" and table in SORT_DATES:
        lines.append(f"sortkey ({SORT_DATES[table]})")
    return lines


def create_table(table, style="none", sort="none", keys="integer"):
    """The CREATE TABLE statement of one table, with its semicolon."""
    columns = [f"    {name} {KEY_TYPES[keys] if kind == 'key' else kind}"
               for name, kind in TABLES[table]]
    lines = [f"create table {table} (", ",\n".join(columns), ")"]
    return "\n".join(lines + _attributes(table, style, sort)) + ";\n"


def schema_text(style="none", sort="none", keys="integer"):
    """All tables as one script."""
    statements = [create_table(table, style, sort, keys) for table in TABLES]
    return f"{HEADS[style]}\n-- Made by schema.py.\n\n" + "\n".join(statements)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--style", choices=STYLES, default="none")
    parser.add_argument("--sort", choices=("none", "date"), default="none")
    parser.add_argument("--keys", choices=KEYS, default="integer")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.sort != "none" and options.style == "none":
        parser.error("--sort needs a --style: plain SQL has no sort keys")

    files = {HERE / "schema.sql": schema_text("none"),
             HERE / "schema_basalt.sql": schema_text("key")}
    if options.write:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    elif options.check:
        stale = [path.name for path, text in files.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        if stale:
            sys.exit(f"not up to date, run schema.py --write: {' '.join(stale)}")
    else:
        sys.stdout.write(schema_text(options.style, options.sort, options.keys))


if __name__ == "__main__":
    main()
