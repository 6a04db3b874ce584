#!/usr/bin/python3
"""Random queries: Basalt's answers beside those of PostgreSQL 15 and DuckDB, on 1, 2 and 4 nodes
under many settings; TLP and NoREC checks of Basalt against itself.

    random_queries.py [--seed N] [--queries N]       a fresh seed, 1,000 queries
    random_queries.py --seed N --only ROUND/INDEX    one query of a run
    random_queries.py --replay FILE                  runs of a list of seeds
    random_queries.py --break data|query|parts       negative controls: a difference must be found
    random_queries.py --self-test                    afterwards all of these

Queries come in rounds with tables of their own. A difference is printed with its seed, reduced, and
the exit status is 1.
"""

import argparse
import collections
import contextlib
import io
import pathlib
import random as randoms
import signal
import sys
import time

import changes
import compare
import engines
import partitions
import query_maker
import reduce
import schema_maker
from tree import Table, Unsupported

ROUND_QUERIES = 250
CHANGE_QUERIES = 12  # after so many, a statement changes a table
DIFFERENCES_MAX = 8
BREAKS = ("data", "query", "parts")


class Run:
    def __init__(self, options, basalts, oracles):
        self.options, self.basalts, self.oracles = options, basalts, oracles
        self.counts, self.kinds = collections.Counter(), collections.Counter()
        self.differences = 0
        self.schema = None

    # ---- words of a query ----

    def text(self, query, dialect):
        text = query.sql(dialect)
        if dialect == "basalt" and self.options.broken == "query":
            text = text.replace(" >= ", " > ").replace("not in", "in").replace("left join", "join")
        return text

    def oracle_text(self, query, oracle):
        """None where the oracle's dialect has no words."""
        if oracle.dialect == "duck":
            names = {n.name for n in query.walk() if isinstance(n, Table)}
            if names & oracle.missing:
                return None
        try:
            return query.sql(oracle.dialect)
        except Unsupported:
            return None

    # ---- rounds ----

    def start_round(self, seed, number):
        if number % 4 == 0 and number:
            print(f"round {number}: {self.counts['queries']} queries, "
                  f"{self.differences} differences", flush=True)
        self.schema = schema_maker.Schema(f"{seed}/{number}")
        broken = None
        if self.options.broken == "data":
            broken = [f"update {t.name} set k = coalesce(k, 0) + 1 where id < 20"
                      for t in self.schema.tables if t.size]
        try:
            self.basalts.load(self.schema, broken)
            for oracle in self.oracles:
                oracle.load(self.schema)
        except Exception as error:
            raise RuntimeError(f"seed {seed}, round {number}: {error}") from error
        self.schema.forget_views(self.rows_of_views())

    def rows_of_views(self):
        """Counted by the first oracle, for a run shall not depend on what Basalt does wrong."""
        judge = self.oracles[0].ask if self.oracles else \
            lambda text: self.basalts.ask(text, engines.CONFIGURATIONS[0])
        found = {}
        for name, _ in self.schema.views:
            answer = judge(f"select count(*) from {name}")
            found[name] = 0 if answer.is_error else int(answer.rows[0][0])
        return found

    def query_of(self, seed, number, index):
        random = randoms.Random(f"query {seed}/{number}/{index}")
        configuration = random.choice(engines.CONFIGURATIONS)
        return query_maker.QueryMaker(random, list(self.schema.described)).top(), configuration

    def run_queries(self, seed, queries):
        for index in range(queries):
            number, place = divmod(index, self.options.round)
            wanted = self.options.only
            if wanted is not None and wanted.split("/")[0] != str(number):
                continue
            if place == 0 or self.schema is None:
                self.start_round(seed, number)
            if place % CHANGE_QUERIES == CHANGE_QUERIES - 1:
                self.change_one(seed, number, place)
            if wanted is not None and wanted != f"{number}/{place}":
                continue
            self.compare_one(seed, number, place)
            if place % 5 == 0:
                self.check_one(seed, number, place)
            if self.differences >= self.options.differences:
                return

    # ---- against the oracles ----

    def compare_one(self, seed, number, place):
        """A query that gives nothing says little: it is followed by one that lets more through."""
        query, configuration = self.query_of(seed, number, place)
        if self.compare_query(seed, number, place, query, configuration) == 0:
            self.counts["without rows"] += 1
            weaker = query_maker.weaker(query)
            if self.compare_query(seed, number, place, weaker, configuration) == 0:
                self.counts["without rows"] += 1

    def compare_query(self, seed, number, place, query, configuration):
        """The number of rows; None for an error."""
        kinds = [expr.type.kind for _, expr in query.columns]
        if self.options.verbose:
            print(f"{number}/{place}: {self.text(query, 'basalt')}", flush=True)
        ours = self.basalts.ask(self.text(query, "basalt"), configuration)
        self.counts["queries"] += 1
        if ours.is_error:
            self.counts[f"Basalt {ours.sqlstate}"] += 1
            if ours.sqlstate == compare.REFUSED:
                self.kinds[f"refused: {ours.message}"] += 1
        for oracle in self.oracles:
            text = self.oracle_text(query, oracle)
            if text is None:
                self.counts[f"no {oracle.dialect} words"] += 1
                continue
            theirs = oracle.ask(text)
            self.counts[f"{oracle.dialect} {'errors' if theirs.is_error else 'answers'}"] += 1
            if theirs.is_error and oracle.dialect == "duck":
                self.kinds[f"duck: {theirs.message[:60]}"] += 1
                continue
            if theirs.is_error:
                self.kinds[f"{oracle.dialect} {theirs.sqlstate}: {theirs.message[:60]} "
                           f"({number}/{place})"] += 1
            kind = compare.difference(ours, theirs, kinds, bool(query.order))
            if kind is None:
                continue
            if compare.is_allowed(kind) and not (self.options.strict and ours.is_error):
                self.kinds[f"allowed: {kind} ({oracle.dialect}) {number}/{place}"] += 1
                continue
            self.report(f"{seed} {number}/{place}", query, configuration, oracle, kind)
            break
        return None if ours.is_error else len(ours.rows)

    def report(self, where, query, configuration, oracle, kind):
        self.differences += 1
        servers, setting = configuration
        print(f"\nDIFFERENCE from {oracle.dialect}: {kind}; seed {where}\n"
              f"  on {engines.SERVERS[servers][0]} nodes, {engines.SETTINGS[setting]}", flush=True)
        if self.options.reduce:
            query = reduce.reduced(query, lambda q: self.shows(q, configuration, oracle) == kind,
                                   self.options.reduce)
        kinds = [expr.type.kind for _, expr in query.columns]
        texts = self.text(query, "basalt"), query.sql(oracle.dialect)
        ours, theirs = self.basalts.ask(texts[0], configuration), oracle.ask(texts[1])
        print(f"  Basalt: {texts[0]}")
        if texts[1] != texts[0]:
            print(f"  {oracle.dialect}: {texts[1]}")
        print(compare.describe(ours, theirs, kinds), flush=True)
        if kind == "rows":
            self.elsewhere(texts[0], ours, kinds)

    def elsewhere(self, text, ours, kinds):
        """Which other configurations give the same wrong answer: a hint at the cause."""
        same = []
        for configuration in engines.CONFIGURATIONS:
            other = self.basalts.ask(text, configuration)
            if compare.difference(ours, other, kinds, False) is None:
                same.append(f"{engines.SERVERS[configuration[0]][0]}/{configuration[1]}")
        print(f"  the same on (nodes/setting): {' '.join(same)}", flush=True)

    def shows(self, query, configuration, oracle):
        try:
            kinds = [expr.type.kind for _, expr in query.columns]
            ours = self.basalts.ask(self.text(query, "basalt"), configuration)
            theirs = oracle.ask(query.sql(oracle.dialect))
            return compare.difference(ours, theirs, kinds, bool(query.order))
        except (Unsupported, ValueError, AttributeError, IndexError):
            return None

    # ---- changes ----

    def change_one(self, seed, number, place):
        """A statement that changes a table, and what the table holds then, everywhere."""
        random = randoms.Random(f"change {seed}/{number}/{place}")
        maker = changes.ChangeMaker(random, list(self.schema.described), self.schema.tables,
                                    place // CHANGE_QUERIES + 1)
        change, setting = maker.change(), random.randrange(len(engines.SETTINGS))
        problem = changes.apply(change, self.basalts, self.oracles[0], self.oracles[1:], setting,
                                self.schema.views)
        self.counts["changes"] += 1
        name = change.table.name
        self.schema.forget_views({name: change.table.rows, **self.rows_of_views()})
        for server in range(len(engines.SERVERS)):
            if problem is not None:
                break
            sql = f"select * from {name}"
            configuration = server, random.randrange(len(engines.SETTINGS))
            ours, theirs = self.basalts.ask(sql, configuration), self.oracles[0].ask(sql)
            if compare.difference(ours, theirs, change.kinds, False) is not None:
                problem = f"on {engines.SERVERS[server][0]} nodes:\n" + \
                    compare.describe(ours, theirs, change.kinds)
        if problem is not None:
            self.differences += 1
            print(f"\nDIFFERENCE of a change, seed {seed} {number}/{place}: "
                  f"{change.texts['basalt']}\n  {problem}", flush=True)

    # ---- against itself ----

    def check_one(self, seed, number, place):
        random = randoms.Random(f"check {seed}/{number}/{place}")
        configuration = random.choice(engines.CONFIGURATIONS)
        maker = query_maker.QueryMaker(random, list(self.schema.described))
        check = partitions.random_check(maker, self.options.broken == "parts")
        whole, parts = (self.basalts.ask(t, configuration) for t in check.texts())
        self.counts[f"{check.name} checks"] += 1
        kind = compare.difference(whole, parts, check.kinds, False)
        if kind is None or compare.is_allowed(kind):
            return
        self.differences += 1
        servers, setting = configuration
        print(f"\nDIFFERENCE of {check.name}: {kind}; seed {seed} {number}/{place}\n"
              f"  on {engines.SERVERS[servers][0]} nodes, {engines.SETTINGS[setting]}\n"
              f"  whole: {check.whole}\n  parts: {check.parts}\n"
              f"{compare.describe(whole, parts, check.kinds)}", flush=True)

    def summary(self):
        for name, count in sorted(self.kinds.items()):
            print(f"  {count:6} {name}")
        print("; ".join(f"{name} {count}" for name, count in sorted(self.counts.items())))
        print(f"{self.counts['queries']} queries, {self.differences} differences", flush=True)


def replay_list(path):
    """(seed, round/index) of each line."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return [line.split()[:2] for line in lines if line.strip() and not line.startswith("#")]


def run(options, basalts, oracles):
    made = Run(options, basalts, oracles)
    if options.replay:
        for seed, only in replay_list(options.replay):
            made.schema, options.only = None, only
            made.run_queries(int(seed), 10**9 if only is None else
                             (int(only.split("/")[0]) + 1) * options.round)
        options.only = None
        print(f"replayed {options.replay}: {made.differences} differences")
    if options.queries:
        made.schema = None
        made.run_queries(options.seed, options.queries)
    made.summary()
    return made.differences


def self_test(options, basalts, oracles):
    """Every negative control must find a difference; the number of those that do not."""
    missed = 0
    for name in BREAKS:
        options.broken, options.reduce, options.differences = name, 0, 1
        control = Run(options, basalts, oracles)
        with contextlib.redirect_stdout(io.StringIO()):
            control.run_queries(options.seed, ROUND_QUERIES)
        found = control.differences > 0
        print(f"--break {name}: {'a difference was found' if found else 'NOTHING WAS FOUND'}")
        missed += not found
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=randoms.SystemRandom().randrange(1 << 31))
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--round", type=int, default=ROUND_QUERIES, help="queries of one schema")
    parser.add_argument("--only", help="ROUND/INDEX of one query")
    parser.add_argument("--replay", help="a file of lines: seed round/index")
    parser.add_argument("--reduce", type=int, default=30, help="seconds for each difference")
    parser.add_argument("--differences", type=int, default=DIFFERENCES_MAX, help="end after these")
    parser.add_argument("--break", dest="broken", choices=BREAKS, help="negative control")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--no-duck", action="store_true", help="PostgreSQL is the only oracle")
    parser.add_argument("--strict", action="store_true",
                        help="tell of errors that only Basalt gives, allowed ones too")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--preset")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leave through the with
    print(f"seed {options.seed}", flush=True)
    if options.only:
        options.queries = (int(options.only.split("/")[0]) + 1) * options.round
    start = time.monotonic()
    with engines.Basalts(options.preset) as basalts, engines.Postgres() as postgres, \
            engines.Duck() as duck:
        oracles = [postgres] if options.no_duck else [postgres, duck]
        found = run(options, basalts, oracles)
        found += self_test(options, basalts, oracles) if options.self_test else 0
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
