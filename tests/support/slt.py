#!/usr/bin/env python3
"""Runs sqllogictest files (.slt) through the wire on 1, 2 and 4 nodes; the same answers everywhere.

    statement ok
    statement error 22012 [at 8] [message part]
    query [types] [nosort|rowsort] [label]
    <sql>
    ----
    <one row per line, columns separated by |, NULL as NULL>

`hash-threshold`, `skipif`, `onlyif` of other dialects are not used. `set NAME VALUE` at the top of a
file gives a session setting. A line that starts with # is a comment; the first line says what the
file proves. With --write the results seen are put into the file (read them before committing).
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cluster  # noqa: E402
import pgwire  # noqa: E402


class Record:
    def __init__(self, line, kind, words, sql, expected):
        self.line, self.kind, self.words, self.sql, self.expected = line, kind, words, sql, expected


def read(path):
    lines = path.read_text().split("\n")
    if not lines[0].startswith("#"):
        raise SystemExit(f"{path}: the first line must say what is proven")
    records, i = [], 0
    while i < len(lines):
        line = lines[i].strip()
        if not line or line.startswith("#"):
            i += 1
            continue
        words, start = line.split(), i + 1
        i += 1
        if words[0] in ("set", "halt"):
            records.append(Record(start, words[0], words[1:], "", None))
            continue
        if words[0] not in ("statement", "query"):
            raise SystemExit(f"{path}:{start}: unknown record {words[0]}")
        sql = []
        while i < len(lines) and lines[i].strip() != "" and lines[i].strip() != "----":
            sql.append(lines[i])
            i += 1
        expected = None
        if i < len(lines) and lines[i].strip() == "----":
            i += 1
            expected = []
            while i < len(lines) and lines[i].strip() != "":
                expected.append(lines[i])
                i += 1
        records.append(Record(start, words[0], words[1:], "\n".join(sql), expected))
    return records


def cell(value):
    return "NULL" if value is None else value.replace("\n", "\\n") if value != "" else "(empty)"


def run_statement(connection, record):
    wants_error = record.words[0] == "error"
    try:
        connection.query_all(record.sql)
    except pgwire.ServerError as error:
        if not wants_error:
            return f"failed: {error}"
        words = record.words[1:]
        if words and error.sqlstate != words[0]:
            return f"SQLSTATE {error.sqlstate} ({error.message}), expected {words[0]}"
        words = words[1:]
        if words[:1] == ["at"]:
            if error.position != int(words[1]):
                return f"position {error.position}, expected {words[1]}"
            words = words[2:]
        if " ".join(words) not in error.message:
            return f"message {error.message!r} lacks {' '.join(words)!r}"
        return None
    return "succeeded, an error was expected" if wants_error else None


def run_query(connection, record):
    try:
        rows = connection.rows(record.sql)
    except pgwire.ServerError as error:
        return f"failed: {error}", None
    seen = ["|".join(cell(v) for v in row) for row in rows]
    expected = list(record.expected or [])
    if "rowsort" in record.words:
        seen.sort()
        expected.sort()
    if seen == expected:
        return None, seen
    return "expected:\n  " + "\n  ".join(expected) + "\nseen:\n  " + "\n  ".join(seen), seen


def rewrite(path, results):
    lines = path.read_text().split("\n")
    for line, rows in sorted(results.items(), reverse=True):
        at = line
        while lines[at].strip() != "----" and lines[at].strip() != "":
            at += 1
        end = at
        while end < len(lines) and lines[end].strip() != "":
            end += 1
        lines[at:end] = ["----"] + rows
    path.write_text("\n".join(lines))


def run_file(server, path, nodes, write=False):
    failures, count, results = [], 0, {}
    schema = f"slt_{path.stem}"[:60].replace("-", "_")
    with server.connect() as connection:
        connection.query_all(f"drop schema if exists {schema} cascade")
        connection.query_all(f"create schema {schema}")
        connection.query_all(f"set search_path to {schema}")
        for record in read(path):
            if record.kind == "halt":
                break
            if record.kind == "set":
                connection.query_all(f"set {record.words[0]} to '{' '.join(record.words[1:])}'")
                continue
            count += 1
            record.sql = server.words(record.sql) if isinstance(server, Oracle) else record.sql
            try:
                if record.kind == "statement":
                    problem = run_statement(connection, record)
                else:
                    problem, rows = run_query(connection, record)
                    if write and rows is not None:
                        results[record.line] = rows
                        problem = None
            except (OSError, ConnectionError) as error:
                failures.append(f"{path}:{record.line} ({nodes} nodes): {error!r}\n{record.sql}")
                break
            if problem:
                failures.append(f"{path}:{record.line} ({nodes} nodes): {problem}\n{record.sql}")
        if not failures:
            connection.query_all(f"drop schema if exists {schema} cascade")
    if write:
        rewrite(path, results)
    return count, failures


class Oracle:
    """A running PostgreSQL, such as oracle_postgres.py --serve starts."""

    @staticmethod
    def words(sql):
        """The statement without Redshift's table attributes."""
        if not sql.lower().startswith("create"):
            return sql
        return re.sub(r"\b(diststyle\s+\w+|distkey(\s*\(.*?\))?|(compound\s+)?sortkey\s*\(.*?\))", "",
                      sql, flags=re.IGNORECASE)

    def __init__(self, port):
        self.port = port

    def connect(self):
        return pgwire.Connection(port=self.port, user="postgres", database="postgres")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", help="files or folders (default: tests/sql)")
    parser.add_argument("--nodes", default="1,2,4", help="node counts, separated by commas")
    parser.add_argument("--preset", help="build to run")
    parser.add_argument("--setting", action="append", default=[], help="name=value of the server")
    parser.add_argument("--write", action="store_true", help="put the results seen into the files")
    parser.add_argument("--oracle", type=int, metavar="PORT",
                        help="run against a PostgreSQL on this port (user and database postgres)")
    arguments = parser.parse_args()
    paths = [pathlib.Path(p) for p in arguments.paths or [cluster.ROOT / "tests" / "sql"]]
    files = sorted(f for p in paths for f in ([p] if p.is_file() else p.rglob("*.slt")))
    settings = dict(s.split("=", 1) for s in arguments.setting)
    failures, count = [], 0
    if arguments.oracle:
        arguments.nodes = ""
        oracle = Oracle(arguments.oracle)
        for path in files:
            done, failed = run_file(oracle, path, "PostgreSQL", arguments.write)
            count += done
            failures += failed
    for nodes in [int(n) for n in arguments.nodes.split(",") if n]:
        with cluster.Local(nodes=nodes, settings=settings, preset=arguments.preset) as server:
            for path in files:
                done, failed = run_file(server, path, nodes, arguments.write)
                count += done
                failures += failed
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(files)} files, {count} records, {len(failures)} failures")
    print(f"{count - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
