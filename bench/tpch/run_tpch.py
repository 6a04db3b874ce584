#!/usr/bin/python3
"""Runs the 22 queries of TPC-H against a loaded server, side by side with DuckDB, and compares the
answers.

    run_tpch.py [--port 5439] [--pids PID,...] [--duckdb DIR_OR_FILE] [--answers DIR]
                [--rounds 7] [--scale 1] [--vary-parameters] [--json FILE] [--markdown FILE]

A round runs each query once on either side, one right after the other, the first side changing from
round to round; a round before the first warms up and is not counted. Wall time is the client's for
us (through the wire, last row received) and the process's own for DuckDB; CPU time is that of the
server's processes and of DuckDB's.

Answers are compared in the first round: with those of PostgreSQL (--answers, written by
oracle_postgres.py) and with DuckDB's. With --vary-parameters every round draws new parameters, and
the answers of every round are compared with DuckDB's. The exit status is 1 when a query fails or an
answer differs.
"""
import argparse
import os
import signal
import sys
from pathlib import Path

import psycopg2

import answer_compare
import parameters
import schema
from bench_report import Report
from duckdb_peer import DuckdbPeer
from wire_client import ProcessorClock, WireClient, add_connection_options


class Run:
    """One run over all rounds."""

    def __init__(self, options, client, peer):
        self.options = options
        self.client = client
        self.peer = peer
        self.clock = ProcessorClock(options.pids) if options.pids else None
        self.failed = set()    # queries that are not asked again
        self.report = Report({
            "benchmark": "tpch",
            "scale": options.scale,
            "rounds": options.rounds,
            "parameters": f"drawn from seed {options.seed}" if options.vary_parameters
                          else "validation",
            "cores": os.cpu_count(),
            "load_average_before": round(os.getloadavg()[0], 2),
            "server": client.version(),
            "duckdb_version": peer.ready["version"] if peer else None,
            "duckdb_threads": peer.threads if peer else None,
            "duckdb_load_ms": peer.ready.get("load_ms") if peer else None,
            "duckdb_database_bytes": peer.ready["database_bytes"] if peer else None,
        })

    def all_rounds(self):
        for round_number in range(self.options.rounds + 1):
            for query in self.options.queries:
                if query not in self.failed and not self._one_query(query, round_number):
                    return
            print(f"round {round_number} of {self.options.rounds} done", file=sys.stderr)

    def _one_query(self, query, round_number):
        """False when the server is gone: what has been measured until then is still reported."""
        sql = self._sql(query, round_number)
        is_warm_up = round_number == 0
        is_compared = is_warm_up or self.options.vary_parameters
        sides = [side for side in ("ours", "duckdb") if side == "ours" or self.peer is not None]
        answers = {}
        try:
            for side in sides[::-1] if round_number % 2 else sides:
                run = self._ours if side == "ours" else self._duckdb
                wall_ms, cpu_ms, answers[side] = run(sql, is_compared)
                if not is_warm_up:
                    self.report.add_run(query, side, wall_ms, cpu_ms)
        except (psycopg2.Error, RuntimeError) as error:
            self.report.add_problem(query, f"failed in round {round_number}: {str(error).strip()}")
            self.failed.add(query)
            return self._is_connected()
        if is_compared:
            self.report.query(query)["rows"] = len(answers["ours"].rows)
            self._compare(query, sql, answers, round_number)
        return True

    def _is_connected(self):
        """Connects anew when the connection broke; false when that fails, too."""
        if not self.client.connection.closed:
            return True
        try:
            self.client = WireClient(self.options)
            return True
        except psycopg2.Error as error:
            print(f"the server is gone: {str(error).strip()}", file=sys.stderr)
            return False

    def _sql(self, query, round_number):
        if self.options.vary_parameters:
            seed = f"{self.options.seed}/{round_number}"
            values = parameters.draw_values(query, seed, self.options.scale)
            return parameters.render(query, values)
        return parameters.validation_sql(query, self.options.scale)

    def _ours(self, sql, has_answer):
        before = self.clock.read() if self.clock else None
        wall_ms = self.client.execute(sql)
        cpu_ms = self.clock.used_ms(before, self.clock.read()) if self.clock else None
        return wall_ms, cpu_ms, self.client.answer() if has_answer else None

    def _duckdb(self, sql, has_answer):
        return self.peer.execute(sql, fetch=has_answer)

    def _compare(self, query, sql, answers, round_number):
        references = {}
        if self.options.answers is not None:
            references["postgres"] = answer_compare.read_psql(
                self.options.answers / f"{query}.tsv")
        if "duckdb" in answers:
            references["duckdb"] = answers["duckdb"]
        for name, reference in references.items():
            message = answer_compare.compare(sql, answers["ours"], reference)
            if message is None:
                self.report.add_agreement(query)
            else:
                self.report.add_problem(
                    query, f"differs from {name} in round {round_number}: {message}")


def _query_names(text):
    names = [f"q{int(number):02}" for number in text.split(",")]
    unknown = [name for name in names if name not in parameters.QUERY_NAMES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]}")
    return names


def _process_ids(text):
    return [int(process) for process in text.split(",")]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    add_connection_options(parser)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1,
                        help="of the data; it decides the fraction in q11 [1]")
    parser.add_argument("--queries", type=_query_names, default=list(parameters.QUERY_NAMES),
                        metavar="1,3,6", help="only these [all]")
    parser.add_argument("--answers", type=Path, metavar="DIR",
                        help="answers of PostgreSQL to compare with")
    parser.add_argument("--vary-parameters", action="store_true",
                        help="draw new parameters every round")
    parser.add_argument("--seed", default="1", help="for --vary-parameters [1]")
    parser.add_argument("--pids", type=_process_ids, default=[], metavar="PID,...",
                        help="the server's processes, for CPU time; descendants count too")
    parser.add_argument("--pid-file", type=Path, action="append", default=[], metavar="FILE",
                        help="a file whose first line is such a process; can be repeated")
    parser.add_argument("--duckdb", type=Path, metavar="DIR_OR_FILE",
                        help="a directory of .tbl files or a DuckDB database")
    parser.add_argument("--keys", choices=schema.KEYS, default="integer",
                        help="of the .tbl files for DuckDB, as in tpch_gen --keys [integer]")
    parser.add_argument("--duckdb-threads", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds takes 1 or more")
    if options.vary_parameters and options.answers is not None:
        parser.error("--answers are those of the validation parameters: not with "
                     "--vary-parameters")
    for path in options.pid_file:
        options.pids.append(int(path.read_text(encoding="utf-8").split("\n", 1)[0]))
    return options


def measure(options, peer):
    run = Run(options, WireClient(options), peer)
    run.all_rounds()
    run.client.close()
    report = run.report
    report.facts["load_average_after"] = round(os.getloadavg()[0], 2)
    print(report.text(), end="")
    if options.json is not None:
        options.json.write_text(report.json(), encoding="utf-8")
    if options.markdown is not None:
        options.markdown.write_text(report.markdown(), encoding="utf-8")
    return 1 if report.problems() else 0


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))    # leave through the with
    try:
        if options.duckdb is None:
            return measure(options, None)
        with DuckdbPeer(options.duckdb, schema.schema_text(keys=options.keys),
                        options.duckdb_threads, options.timeout) as peer:
            return measure(options, peer)
    except (psycopg2.Error, RuntimeError, OSError) as error:
        return f"run_tpch: {str(error).strip()}"


if __name__ == "__main__":
    sys.exit(main())
