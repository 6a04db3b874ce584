"""Random tables and their rows: every type, every distribution, NULLs, duplicates, skew, rows that
come in several statements and rows that go again; views above them.

Floats are multiples of 1/4, so sums are exact. The same statements go to every engine, without
Redshift's words for the oracles.
"""

import random as randoms

import sql_types as types
from expression_maker import CHARS, DATES, TIMES, WORDS, decimal_text
from query_maker import QueryMaker
from sql_types import CHAR, DATE, DOUBLE, INT2, INT4, INT8, REAL, TIMESTAMP, Type
from tree import Unsupported, is_too_wide

SIZES = [7, 25, 40, 90, 150, 400, 1200]
ODD_SIZES = [0, 1, 12, 60, 300, 2500]
COLUMNS = [  # name, type, largest value of arithmetic, exact
    ("k", INT4, 40, True), ("g", INT2, 12, True), ("b", INT8, 1000, True),
    ("big", INT8, None, True), ("m", INT4, 2_000_000, True),
    ("d1", types.decimal_type(10, 2), 10**6, True), ("d2", types.decimal_type(20, 4), 10**9, True),
    ("d3", types.decimal_type(38, 6), None, True), ("d4", types.decimal_type(18, 0), 10**5, True),
    ("r", REAL, 250, True), ("f", DOUBLE, 1000, True), ("f2", DOUBLE, 50, True),
    ("c", CHAR, None, False), ("v", Type("varchar", 30), None, False),
    ("w", Type("varchar", 10), None, False), ("dt", DATE, None, False),
    ("dt2", DATE, None, False), ("ts", TIMESTAMP, None, False), ("flag", types.BOOL, None, False)]
VIEW_ROWS_MAX = 1000
STYLES = ["diststyle even", "diststyle all", "", "distkey (k)", "distkey (id)", "diststyle key"]


class RandomTable:
    def __init__(self, random, name, size):
        self.random, self.name = random, name
        count = random.randrange(4, len(COLUMNS) + 1)
        chosen = random.sample(COLUMNS, count)
        if all(c[0] != "k" for c in chosen):
            chosen.append(COLUMNS[0])
        self.columns = [("id", INT4, 200_000, True)] + chosen
        random.shuffle(self.columns)
        self.null_share = random.choice([0, 0.1, 0.1, 0.3, 0.6])
        self.skew = {c[0]: random.choice(["uniform", "skewed", "constant", "few", "runs"])
                     for c in chosen}
        self.nulls = {c[0]: random.choice([0, self.null_share, self.null_share, 1.0 if
                                           random.random() < 0.05 else 0.1]) for c in chosen}
        self.size, self.rows = size, size

    def create(self, is_basalt):
        columns = ", ".join(f"{n} {t.sql()}" for n, t, *_ in self.columns)
        text = f"create table {self.name} ({columns})"
        if not is_basalt:
            return text
        names = [c[0] for c in self.columns]
        style = self.random.choice(STYLES)
        if style == "diststyle key":
            style = f"distkey ({self.random.choice(names)})"
        sort = self.random.choice(["", "", f"sortkey ({self.random.choice(names)})",
                                   f"compound sortkey ({', '.join(self.random.sample(names, 2))})"])
        return f"{text} {style} {sort}"

    def value(self, name, type_, row):
        if name == "id":
            return str(row)
        if self.random.random() < self.nulls[name]:
            return None
        skew = self.skew[name]
        number = {"constant": 3, "few": self.random.randrange(3), "runs": row // 16 % 37,
                  "skewed": int(40 * self.random.random() ** 4)}.get(skew)
        if number is None:
            number = self.random.randrange(41)
        return self.literal(name, type_, number)

    def literal(self, name, type_, number):
        kind, random = type_.kind, self.random
        if name == "k":
            return str(number)
        if name == "g":
            return str(number % 25 - 12)
        if name == "b":
            return str(number * 25 - 500)
        if name == "m":
            return str((number - 20) * 99_999)
        if name == "big":
            return str([2**63 - 1, -(2**63), 0, 10**15, -(10**15), 2**31, 2**53 + 1][number % 7]
                       if number % 3 else number)
        if kind == "dec":
            return decimal_text(self.units(name, number), type_.scale)
        if kind in ("real", "double"):
            return repr((number - 15) / 4 * {"r": 16, "f": 32, "f2": 1}[name])
        if kind in types.TEXTS:
            words = CHARS if kind == "char" else [w for w in WORDS if len(w.encode()) <=
                                                  type_.precision]
            return words[number % len(words)]
        if kind == "bool":
            return "true" if number % 2 else "false"
        day = DATES[number % len(DATES)]
        return day if kind == "date" else f"{day} {random.choice(TIMES)}"

    def units(self, name, number):
        if name == "d1":
            return (number - 20) * 4999 + number
        if name == "d2":
            return (number - 20) * 123_456_789_01 + number % 3
        if name == "d4":
            return (number - 20) * 4999
        return (number - 20) * 10**35 + number if number % 4 else number * 10**6

    def batches(self):
        """The rows in several INSERTs, some of one row, some of many."""
        rows = [[self.value(n, t, i) for n, t, *_ in self.columns] for i in range(self.size)]
        while rows:
            count = self.random.choice([1, 5, 33, 200, 2000])
            yield rows[:count]
            rows = rows[count:]

    def insert(self, rows):
        def literal(value, type_):
            if value is None:
                return "null"
            if type_.kind in types.NUMBERS or type_.kind == "bool":
                return value
            return "'" + value.replace("'", "''") + "'"

        lines = ", ".join("(" + ", ".join(literal(v, c[1]) for v, c in zip(row, self.columns)) +
                          ")" for row in rows)
        return f"insert into {self.name} values {lines}"

    def changes(self):
        """Statements that take rows away or write them anew."""
        made = []
        if self.size > 5 and self.random.random() < 0.6:
            part = self.random.choice([2, 3, 7, 11])
            made.append(f"delete from {self.name} where id % {part} = 1")
        if self.size > 5 and self.random.random() < 0.4:
            made.append(f"update {self.name} set k = k + 1 where id % 5 = 2 and k < 39")
        if self.size > 5 and self.random.random() < 0.01:
            made.append(f"delete from {self.name}")
        return made

    def described(self):
        return (self.name, self.columns, self.rows, ["id"])


class Schema:
    """The statements that make one round's tables, for each side, and what queries know of them."""

    def __init__(self, seed):
        self.random = randoms.Random(f"schema {seed}")
        self.name = f"random_{abs(hash_of(seed)) % 10**8}"
        sizes = self.random.sample(SIZES, 5) + [self.random.choice(ODD_SIZES)]
        self.tables = [RandomTable(self.random, f"{'abcdefgh'[i]}_{size}", size)
                       for i, size in enumerate(sizes)]
        self.script = []  # (basalt's statement, the oracles', or None for none)
        for table in self.tables:
            self.fill(table)
        self.described = [t.described() for t in self.tables]
        self.views = []   # (name, query)
        for i in range(3):
            self.views.append((f"view_{i}", self.view()))
        self.described += [(name, [(n, e.type, e.bound, e.exact) for n, e in query.columns],
                            query.rows, query.key) for name, query in self.views]

    def forget_views(self, rows):
        """Queries use views that give some rows, and know how many."""
        self.described = [(name, columns, rows.get(name, count), key)
                          for name, columns, count, key in self.described
                          if name not in rows or 0 < rows[name] <= VIEW_ROWS_MAX]

    def view(self):
        """A query that every dialect has words for."""
        while True:
            query = QueryMaker(self.random, self.described[:6]).query(1, is_inner=True)
            try:
                query.sql("duck")
            except Unsupported:
                continue
            if not is_too_wide(query):
                return query

    def fill(self, table):
        group_rows = self.random.choice([8, 16, 64, 65536])
        self.script.append((f"set row_group_rows to {group_rows}", None))
        self.script.append((table.create(True), table.create(False)))
        statements = [table.insert(rows) for rows in table.batches()]
        statements += table.changes()
        self.script += [(s, s) for s in statements]
        after = self.random.choice([None, None, f"analyze {table.name}", f"vacuum {table.name}"])
        if after is not None and table.size:
            self.script.append((after, None))


def hash_of(seed):
    return int.from_bytes(str(seed).encode()[-7:], "big")
