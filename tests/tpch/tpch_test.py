#!/usr/bin/env python3
"""TPC-H at a small scale: all 22 answers equal PostgreSQL's, on every kind of cluster.

Runs `local` on 1, 2 and 4 nodes and a cluster of four processes, with all tables KEY, EVEN and ALL;
once more with tiny batches, row groups and grants; over exchanges by pointer and encoded. Asserts
besides that every DS_* label, a zone-map skip and each kind of exchange occurred, that no fact rows
reach the leader, and that lineitem and orders join in place.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "bench" / "tpch")]
import answer_compare  # noqa: E402
import cluster  # noqa: E402
import parameters  # noqa: E402
import pgwire  # noqa: E402
import schema  # noqa: E402

QUERIES = range(1, 23)
LABELS = ["DS_DIST_NONE", "DS_DIST_ALL_NONE", "DS_BCAST_INNER", "DS_DIST_INNER", "DS_DIST_OUTER",
          "DS_DIST_BOTH"]
LEADER_ROWS_EXTRA = 10_000


class Test:
    def __init__(self, options):
        self.options = options
        self.passed = self.failed = 0
        self.explained = ""
        self.plans = []  # (where, query, text of EXPLAIN ANALYZE)

    def check(self, condition, what):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", file=sys.stderr, flush=True)

    def sql(self, number):
        return parameters.validation_sql(f"q{number:02}", self.options.scale)

    def load(self, connection, style, data):
        for table in schema.TABLES:
            connection.query_all(f"drop table if exists {table}")
            connection.query_all(schema.create_table(table, style, "none", "integer"))
            text = (data / f"{table}.tbl").read_bytes()
            tag = connection.copy_in(f"copy {table} from stdin delimiter '|'", text)
            rows = text.count(b"\n")
            self.check(tag == f"COPY {rows}", f"COPY {table}: {tag}, {rows} rows sent")

    def answers(self, connection, where, answers):
        for number in QUERIES:
            try:
                problem = self.answer_problem(connection, number, answers)
            except (pgwire.ServerError, OSError, ConnectionError) as error:
                self.check(False, f"{where} q{number:02}: {error}")
                if not isinstance(error, pgwire.ServerError):
                    return
                continue
            self.check(problem is None, f"{where} q{number:02}: {problem}")

    def answer_problem(self, connection, number, answers):
        """How an answer differs from the reference's; None when it does not."""
        sql = self.sql(number)
        result = connection.query(sql)
        ours = answer_compare.Answer(
            [tuple(row) for row in result.rows], [c[0] for c in result.columns],
            [answer_compare.KINDS_BY_OID.get(c[1], "text") for c in result.columns])
        reference = answer_compare.read_psql(answers / f"q{number:02}.tsv")
        return answer_compare.compare(sql, ours, reference)

    def explain(self, connection, where):
        """Plans and what they did: bounds on what reaches the leader, labels seen."""
        for number in QUERIES:
            try:
                lines = connection.rows("explain analyze " + self.sql(number))
            except pgwire.ServerError as error:
                self.check(False, f"{where} explain analyze q{number:02}: {error}")
                continue
            text = "\n".join(row[0] for row in lines)
            self.explained += text
            found = re.search(r"Leader received (\d+) rows; result (\d+) rows", text)
            received, result = int(found[1]), int(found[2])
            self.check(received <= 10 * result + LEADER_ROWS_EXTRA,
                       f"{where} q{number:02}: the leader received {received} rows for {result}")

    def run_server(self, server, where, styles, data, answers, explains=True):
        with server, server.connect(timeout=120) as connection:
            for style in styles:
                self.load(connection, style, data)
                self.answers(connection, f"{where} {style}", answers)
                if explains:
                    self.explain(connection, f"{where} {style}")
            if "key" in styles:
                self.collocation(connection, data, answers)

    def collocation(self, connection, data, answers):
        """lineitem and orders join in place by their key; another key changes the plan alone."""
        sql = ("select count(*), sum(l_quantity) from lineitem, orders "
               "where l_orderkey = o_orderkey and o_totalprice > 100000")
        self.load(connection, "key", data)
        plan = "\n".join(r[0] for r in connection.rows("explain " + sql))
        self.check("DS_DIST_NONE" in plan, f"collocated join has no DS_DIST_NONE:\n{plan}")
        before = connection.rows(sql)
        definition = schema.create_table("orders", "key", "none", "integer")
        connection.query_all("drop table orders")
        connection.query_all(definition.replace("distkey (o_orderkey)", "distkey (o_custkey)"))
        connection.copy_in("copy orders from stdin delimiter '|'",
                           (data / "orders.tbl").read_bytes())
        other = "\n".join(r[0] for r in connection.rows("explain " + sql))
        nodes = int(connection.value("select count(*) from svv_cluster_nodes"))
        self.check(nodes == 1 or "DS_DIST_NONE" not in other, f"other key, same plan:\n{other}")
        self.check(connection.rows(sql) == before, "another distribution key, another answer")
        self.explained += plan + other

    def run(self):
        with tempfile.TemporaryDirectory(prefix="basalt-tpch-") as folder:
            data, answers = pathlib.Path(folder) / "data", pathlib.Path(folder) / "answers"
            generator = cluster.program(self.options.preset).parent / "bench/tpch/tpch_gen"
            subprocess.run([generator, "--scale", str(self.options.scale), "--out", data],
                           check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["/usr/bin/python3", ROOT / "bench/tpch/oracle_postgres.py", "--from",
                            data, "--answers", answers, "--scale", str(self.options.scale)],
                           check=True, stdout=subprocess.DEVNULL)
            self.run_all(data, answers)
        self.occurred()
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0

    def run_all(self, data, answers):
        preset = self.options.preset
        wanted = self.options.only.split(",") if self.options.only else None

        def run(name, server, styles, explains=True):
            if wanted is None or name in wanted:
                print(name, flush=True)
                self.run_server(server, name, styles, data, answers, explains)

        every = ["key", "even", "all"]
        run("local-1", cluster.Local(1, preset=preset), every)
        run("local-2", cluster.Local(2, preset=preset), every)
        run("local-4", cluster.Local(4, preset=preset), every)
        run("encoded", cluster.Local(2, {"exchange_encode": "on"}, preset=preset), ["even"], False)
        run("tiny", cluster.Local(2, {"batch_rows": 7, "row_group_rows": 100,
                                      "query_memory": "8MB"}, preset=preset), ["key"], False)
        run("spill", cluster.Local(2, {"force_spill": "on", "exchange_encode": "on"},
                                   preset=preset), ["even"], False)
        run("processes", cluster.Cluster(3, preset=preset), every)

    def occurred(self):
        if self.options.only:
            return
        for label in LABELS:
            self.check(label in self.explained, f"{label} never occurred")
        skipped = [int(n) for n in re.findall(r"skipped[= ](\d+)", self.explained)]
        self.check(any(n > 0 for n in skipped), "no zone map ever skipped a block")
        for kind in ("Send to leader", "Distribute by hash", "Broadcast"):
            self.check(kind in self.explained, f"no exchange \"{kind}\" ever ran")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--preset")
    parser.add_argument("--only", help="some of local-1,local-2,local-4,encoded,tiny,spill,processes")
    return Test(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
