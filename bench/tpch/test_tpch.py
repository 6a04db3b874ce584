#!/usr/bin/python3
"""Tests of the TPC-H tools; needs nothing but Python, and a built tpch_gen for the data.

    TPCH_GEN=build/tpch/tpch_gen bench/tpch/test_tpch.py
"""
import os
import re
import subprocess
import tempfile
import unittest
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import answer_compare
import make_queries
import parameters
import schema
from answer_compare import Answer, compare
from bench_report import Report

GENERATOR = os.environ.get("TPCH_GEN")


class ParametersTest(unittest.TestCase):
    def test_every_template_takes_exactly_its_parameters(self):
        for query in parameters.QUERY_NAMES:
            template = (parameters.HERE / "templates" / f"{query}.sql").read_text()
            asked = set(re.findall(r":([a-z][a-z0-9]*)", template))
            self.assertEqual(asked, set(parameters.validation_values(query)), query)
            self.assertEqual(asked, set(parameters.draw_values(query, 1)), query)

    def test_draws_depend_on_the_seed_and_nothing_else(self):
        for query in parameters.QUERY_NAMES:
            first = [parameters.draw_values(query, seed) for seed in range(50)]
            self.assertEqual(first, [parameters.draw_values(query, seed) for seed in range(50)])
            self.assertGreater(len({str(values) for values in first}), 1, query)

    def test_months_stay_in_their_ranges(self):
        dates = {query: {parameters.draw_values(query, seed)["date"] for seed in range(2000)}
                 for query in ("q04", "q10", "q14", "q15")}
        self.assertEqual((min(dates["q04"]), max(dates["q04"])), ("1993-01-01", "1997-10-01"))
        self.assertEqual((min(dates["q10"]), max(dates["q10"])), ("1993-02-01", "1995-01-01"))
        self.assertEqual((min(dates["q14"]), max(dates["q14"])), ("1993-01-01", "1997-12-01"))
        self.assertEqual(len(dates["q15"]), 58)

    def test_values_that_must_differ_do(self):
        for seed in range(500):
            q07 = parameters.draw_values("q07", seed)
            self.assertNotEqual(q07["nation1"], q07["nation2"])
            q16 = parameters.draw_values("q16", seed)
            self.assertEqual(len({q16[f"size{i}"] for i in range(1, 9)}), 8)

    def test_q08_asks_for_the_region_of_its_nation(self):
        regions = {"BRAZIL": "AMERICA", "JAPAN": "ASIA", "KENYA": "AFRICA", "FRANCE": "EUROPE",
                   "IRAQ": "MIDDLE EAST"}
        for seed in range(300):
            values = parameters.draw_values("q08", seed)
            self.assertEqual(regions.get(values["nation"], values["region"]), values["region"])

    def test_fraction_of_q11_follows_the_scale(self):
        self.assertEqual(parameters.validation_values("q11", 10)["fraction"], "0.0000100000")
        self.assertEqual(parameters.validation_values("q11", 0.01)["fraction"], "0.0100000000")


class WrittenFilesTest(unittest.TestCase):
    def test_queries_are_what_the_templates_make(self):
        for name, text in make_queries.query_texts(scale=1).items():
            self.assertEqual((parameters.HERE / "queries" / name).read_text(), text, name)

    def test_schemas_are_what_the_script_makes(self):
        self.assertEqual((schema.HERE / "schema.sql").read_text(), schema.schema_text("none"))
        self.assertEqual((schema.HERE / "schema_basalt.sql").read_text(),
                         schema.schema_text("key"))


def answer(rows, kinds=None, names=None):
    width = len(rows[0]) if rows else 1
    return Answer(rows, names or [f"c{i}" for i in range(width)], kinds or ["text"] * width)


class CompareTest(unittest.TestCase):
    def assert_agree(self, ours, reference, sql="select c0"):
        self.assertIsNone(compare(sql, ours, reference))

    def assert_differ(self, ours, reference, sql="select c0"):
        self.assertIsNotNone(compare(sql, ours, reference))

    def test_blanks_at_the_end_do_not_count(self):
        self.assert_agree(answer([("MAIL",)]), Answer([("MAIL      ",)]))
        self.assert_differ(answer([(" MAIL",)]), Answer([("MAIL",)]))

    def test_null_is_not_zero(self):
        self.assert_agree(answer([(None,)], ["numeric"]), Answer([("",)]))
        self.assert_differ(answer([(None,)], ["numeric"]), Answer([("0",)]))
        self.assert_differ(answer([("0",)], ["integer"]), Answer([("",)]))

    def test_decimals_are_rounded_to_our_scale(self):
        self.assert_agree(answer([("1.50",)], ["numeric"]), Answer([("1.5",)]))
        self.assert_agree(answer([("0.0345",)], ["numeric"]), Answer([("0.03448551",)]))
        self.assert_differ(answer([("0.0344",)], ["numeric"]), Answer([("0.03448551",)]))
        self.assert_differ(answer([("1.51",)], ["numeric"]), Answer([("1.5",)]))
        self.assert_differ(answer([("1.500",)], ["numeric"]), Answer([("1.501",)]))

    def test_averages_may_be_cut_instead_of_rounded(self):
        sql = "select avg(l_tax) as c0, sum(l_tax) as c1"
        self.assert_agree(answer([("25.50", "1")], ["numeric"] * 2), Answer([("25.509", "1")]),
                          sql)
        self.assert_differ(answer([("25.49", "1")], ["numeric"] * 2), Answer([("25.509", "1")]),
                           sql)
        self.assert_differ(answer([("1.00", "25.50")], ["numeric"] * 2),
                           Answer([("1", "25.509")]), sql)

    def test_floats_are_compared_relatively(self):
        reference = answer([("0.3333333333333333",)], ["float"])
        self.assert_agree(answer([("0.33333333333",)], ["float"]), reference)
        self.assert_differ(answer([("0.3333333",)], ["float"]), reference)
        self.assert_agree(answer([("0.3333",)], ["numeric"]), reference)
        self.assert_differ(answer([("0.3334",)], ["numeric"]), reference)
        self.assert_differ(answer([("NaN",)], ["float"]), reference)

    def test_order_counts_where_the_query_asks_for_it(self):
        rows = [("2", "x"), ("1", "y")]
        self.assert_differ(answer(rows), Answer(rows[::-1]), "select c0, c1 order by c0 desc;")
        self.assert_agree(answer(rows), Answer(rows[::-1]), "select c0, c1;")

    def test_ties_may_stand_in_any_order(self):
        sql = "select c0, c1 order by c0 desc;"
        ours = [("2", "x"), ("2", "y"), ("1", "z")]
        self.assert_agree(answer(ours), Answer([ours[1], ours[0], ours[2]]), sql)
        self.assert_differ(answer(ours), Answer([("2", "y"), ("2", "w"), ("1", "z")]), sql)
        self.assert_differ(answer(ours), Answer([ours[0], ours[2], ours[1]]), sql)

    def test_a_tie_cut_by_limit_may_keep_other_rows(self):
        ours = [("2", "x"), ("1", "y")]
        reference = Answer([("2", "x"), ("1", "z")])
        self.assert_agree(answer(ours), reference, "select c0, c1 order by c0 desc limit 2;")
        self.assert_differ(answer(ours), reference, "select c0, c1 order by c0 desc limit 3;")

    def test_counts_of_rows_and_columns(self):
        self.assert_differ(answer([("1",)]), Answer([]))
        self.assert_differ(answer([("1",)]), Answer([("1", "2")]))
        self.assert_agree(answer([]), Answer([]))

    def test_order_columns_of_the_queries_are_found(self):
        names = {"q03": ["l_orderkey", "revenue", "o_orderdate", "o_shippriority"],
                 "q13": ["c_count", "custdist"],
                 "q22": ["cntrycode", "numcust", "totacctbal"]}
        expected = {"q03": [1, 2], "q13": [1, 0], "q22": [0]}
        for query, columns in names.items():
            sql = parameters.validation_sql(query)
            self.assertEqual(answer_compare.order_columns(sql, columns), expected[query])


class ReportTest(unittest.TestCase):
    def test_medians_ratios_and_means(self):
        report = Report({"scale": 1})
        for wall in (1.0, 2.0, 9.0):
            report.add_run("q01", "ours", wall, None)
            report.add_run("q01", "duckdb", 4.0, 8.0)
        report.add_run("q02", "ours", 8.0, None)
        report.add_run("q02", "duckdb", 4.0, 8.0)
        self.assertEqual(report.medians("q01"), [2.0, None, 4.0, 8.0, 0.5, None])
        summary = report.summary()
        self.assertAlmostEqual(summary["geometric mean"][0], 4.0)
        self.assertAlmostEqual(summary["geometric mean"][4], 1.0)
        self.assertEqual(summary["sum"], [10.0, None, 8.0, 16.0, 1.25, None])
        self.assertNotIn("ours, cpu", report.text())

    def test_the_first_problem_stays(self):
        report = Report({"scale": 1})
        report.add_agreement("q01")
        report.add_problem("q01", "first")
        report.add_problem("q01", "second")
        report.add_agreement("q01")
        self.assertEqual(report.problems(), ["q01: first"])


@unittest.skipIf(GENERATOR is None, "the environment variable TPCH_GEN names no generator")
class GeneratorTest(unittest.TestCase):
    """Scale 0.01, read as rows of texts."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.generate("first")
        cls.rows = {table: cls.read("first", table) for table in schema.TABLES}

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def generate(cls, name, *arguments):
        subprocess.run([GENERATOR, "-s", "0.01", "-o", Path(cls.directory.name) / name,
                        *arguments], check=True)

    @classmethod
    def bytes_of(cls, name, file):
        return (Path(cls.directory.name) / name / file).read_bytes()

    @classmethod
    def read(cls, name, table):
        text = cls.bytes_of(name, f"{table}.tbl").decode()
        return [line.split("|") for line in text.splitlines()]

    def column(self, table, column):
        index = [name for name, _ in schema.TABLES[table]].index(column)
        return [row[index] for row in self.rows[table]]

    def test_row_counts_and_widths(self):
        counts = {table: len(rows) for table, rows in self.rows.items()}
        lines = counts.pop("lineitem")
        self.assertEqual(counts, {"region": 5, "nation": 25, "supplier": 100, "customer": 1500,
                                  "part": 2000, "partsupp": 8000, "orders": 15000})
        self.assertAlmostEqual(lines, 60000, delta=1500)
        for table, rows in self.rows.items():
            self.assertEqual({len(row) for row in rows}, {len(schema.TABLES[table])}, table)

    def test_texts_fit_their_columns(self):
        for table, columns in schema.TABLES.items():
            for index, (name, kind) in enumerate(columns):
                limit = re.search(r"char\((\d+)\)", kind)
                if limit:
                    longest = max(len(row[index]) for row in self.rows[table])
                    self.assertLessEqual(longest, int(limit[1]), name)

    def test_bytes_do_not_depend_on_workers_or_chunks(self):
        self.generate("three", "-j", "3")
        for part in range(1, 5):
            self.generate("parts", "-c", f"{part}/4")
        for table in schema.TABLES:
            whole = self.bytes_of("first", f"{table}.tbl")
            self.assertEqual(whole, self.bytes_of("three", f"{table}.tbl"), table)
            parts = [self.bytes_of("parts", f"{table}.tbl.{part}") for part in range(1, 5)]
            self.assertEqual(whole, b"".join(parts), table)
            alone = subprocess.run([GENERATOR, "-s", "0.01", "-t", table, "--stdout"],
                                   stdout=subprocess.PIPE, check=True)
            self.assertEqual(whole, alone.stdout, table)

    def test_trailing_pipe(self):
        self.generate("piped", "--trailing-pipe")
        for table in schema.TABLES:
            whole = self.bytes_of("first", f"{table}.tbl")
            self.assertEqual(whole.replace(b"\n", b"|\n"), self.bytes_of("piped", f"{table}.tbl"))

    def test_seeds_make_different_data(self):
        self.generate("seeded", "--seed", "1")
        self.assertNotEqual(self.bytes_of("first", "part.tbl"),
                            self.bytes_of("seeded", "part.tbl"))

    def test_orders_follow_from_their_lines(self):
        totals = defaultdict(Decimal)
        statuses = defaultdict(set)
        for line in self.rows["lineitem"]:
            price, discount, tax = (Decimal(line[i]) for i in (5, 6, 7))
            totals[line[0]] += price * (1 - discount) * (1 + tax)
            statuses[line[0]].add(line[9])
        for order in self.rows["orders"]:
            self.assertLessEqual(abs(Decimal(order[3]) - totals[order[0]]), Decimal("0.005"))
            found = statuses[order[0]]
            self.assertEqual(order[2], "P" if len(found) == 2 else next(iter(found)))

    def test_dates_and_flags_of_lines(self):
        order_dates = {order[0]: order[4] for order in self.rows["orders"]}
        for line in self.rows["lineitem"]:
            shipped, received = line[10], line[12]
            self.assertLess(order_dates[line[0]], shipped)
            self.assertLess(shipped, received)
            self.assertLessEqual(received, "1998-12-31")
            self.assertEqual(line[9], "O" if shipped > "1995-06-17" else "F")
            self.assertIn(line[8], "N" if received > "1995-06-17" else "RA")

    def test_prices_of_lines(self):
        prices = {row[0]: Decimal(row[7]) for row in self.rows["part"]}
        for line in self.rows["lineitem"]:
            self.assertEqual(Decimal(line[5]), Decimal(line[4]) * prices[line[1]])

    def test_references(self):
        pairs = {(row[0], row[1]) for row in self.rows["partsupp"]}
        self.assertEqual(len(pairs), 8000)
        self.assertTrue({(row[1], row[2]) for row in self.rows["lineitem"]} <= pairs)
        buyers = {int(key) for key in self.column("orders", "o_custkey")}
        self.assertFalse(any(key % 3 == 0 for key in buyers))
        self.assertTrue(buyers <= set(range(1, 1501)))
        keys = [int(key) for key in self.column("orders", "o_orderkey")]
        self.assertTrue(all(key % 32 < 8 for key in keys))
        self.assertEqual(keys, sorted(set(keys)))

    def test_words_of_names_and_comments(self):
        for name in self.column("part", "p_name"):
            words = name.split(" ")
            self.assertEqual(len(set(words)), 5)
            self.assertTrue(set(words) <= set(parameters.WORDS["colours"]))
        comments = self.column("supplier", "s_comment")
        self.assertEqual(sum(bool(re.search("Customer.*Complaints", text)) for text in comments),
                         1)
        self.assertEqual(sum(bool(re.search("Customer.*Recommends", text)) for text in comments),
                         1)

    def test_mixed_keys_keep_the_joins(self):
        for style, form in (("random64", r"[1-9]\d{0,18}"), ("string36", r"[0-9a-f-]{36}")):
            self.generate(style, "--keys", style)
            for table, columns in schema.TABLES.items():
                mixed = self.read(style, table)
                for index, (name, kind) in enumerate(columns):
                    plain_column = [row[index] for row in self.rows[table]]
                    mixed_column = [row[index] for row in mixed]
                    if kind != "key":
                        self.assertEqual(plain_column, mixed_column, name)
                        continue
                    self.assertTrue(all(re.fullmatch(form, key) for key in mixed_column), name)
                    self.assertEqual(sorted(Counter(plain_column).values()),
                                     sorted(Counter(mixed_column).values()), name)
            customers = {row[0] for row in self.read(style, "customer")}
            self.assertTrue({row[1] for row in self.read(style, "orders")} <= customers)
            pairs = {(row[0], row[1]) for row in self.read(style, "partsupp")}
            self.assertTrue({(row[1], row[2]) for row in self.read(style, "lineitem")} <= pairs)

    def test_mistakes_are_refused(self):
        for arguments in (["-s", "0"], ["-s", "1x"], ["-c", "3/2"], ["-c", "1"], ["-t", "parts"],
                          ["-t", "part,part"], ["--stdout"], ["-j", "0"], ["--keys", "uuid"],
                          ["surplus"], ["--unknown"]):
            done = subprocess.run([GENERATOR, *arguments], capture_output=True, check=False,
                                  cwd=self.directory.name)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(b"tpch_gen", done.stderr)


if __name__ == "__main__":
    unittest.main()
