"""Random INSERT … SELECT, UPDATE and DELETE on the tables of a round, with conditions as queries
have them; what they leave is compared, and the queries after them read it.

Values keep the bounds that the schema promises, ids stay unique.
"""

import engines
from expression_maker import Scope
from query_maker import QueryMaker
from tree import Column, Constant, Op, Unsupported, is_too_wide

ID_STEP = 10_000
DIALECTS = ("basalt", "pg", "duck")
ROWS_MAX = 3000  # of a table that INSERT makes larger


class Change:
    """A statement in each dialect; `table`: (name, columns as (name, type, bound, exact), rows)."""

    def __init__(self, table, texts, is_rolled_back):
        self.table, self.texts, self.is_rolled_back = table, texts, is_rolled_back

    @property
    def kinds(self):
        return [c[1].kind for c in self.table.columns]


class ChangeMaker(QueryMaker):
    def __init__(self, random, tables, real_tables, step):
        super().__init__(random, tables)
        self.real_tables, self.step = real_tables, step

    def change(self):
        """A statement that every dialect has words for."""
        while True:
            self.subqueries_left = 2
            table = self.random.choice(self.real_tables)
            forms = [self.delete, self.update, self.update]
            if table.rows <= ROWS_MAX:
                forms += [self.insert]
            try:
                texts = self.random.choice(forms)(table)
            except Unsupported:
                continue
            if texts is not None:
                return Change(table, texts, self.chance(12))

    def where(self, table):
        columns = [Column(table.name, n, *rest) for n, *rest in table.columns]
        scope = Scope(columns, None, max(1, table.rows))
        made = self.condition(scope, 2)
        if self.chance(50):  # not too many at once
            part = Constant(columns[0].type, None)
            ids = next(c for c in columns if c.name == "id")
            part = Op(made.type, [ids], f"({{0}} % {self.random.choice([3, 5, 16])} = 1)")
            made = Op(made.type, [made, part], "({0} and {1})")
        return columns, scope, None if is_too_wide(made) else made

    def delete(self, table):
        _, _, where = self.where(table)
        if where is None or self.chance(40):
            return None
        return {d: f"delete from {table.name} where {where.sql(d)}" for d in DIALECTS}

    def update(self, table):
        columns, scope, where = self.where(table)
        free = [c for c in columns if c.name != "id"]
        if where is None or not free:
            return None
        sets = [(c, self.value(scope, c))
                for c in self.random.sample(free, min(len(free), self.random.choice([1, 1, 2, 3])))]
        return {d: f"update {table.name} set " +
                ", ".join(f"{c.name} = {v.sql(d)}" for c, v in sets) + f" where {where.sql(d)}"
                for d in DIALECTS}

    def value(self, scope, column):
        """Something the column may hold: a value of its own kind, no larger than it may be."""
        alike = [c for c in scope.columns if c.type == column.type and
                 (c.bound is not None or column.bound is None) and
                 (column.bound is None or c.bound <= column.bound)]
        choices = [Constant(column.type, None), self.random.choice(alike)]
        kind = column.type.kind
        if kind in ("bool", "char", "date", "timestamp", "double", "real") and \
                (column.bound is None or column.bound >= 50):
            choices.append(self.constant(kind))
        elif kind in ("int4", "int8"):
            choices.append(Constant(column.type, str(self.random.randrange(-9, 10)), 9))
        first, second = (self.random.choice(choices) for _ in range(2))
        if self.chance(50):
            return first
        left, self.subqueries_left = self.subqueries_left, 0
        condition = self.condition(scope, 1)
        self.subqueries_left = left
        return Op(column.type, [condition, first, second], "case when {0} then {1} else {2} end")

    def insert(self, table):
        columns, _, where = self.where(table)
        if where is None:
            return None
        items = ", ".join(f"id + {self.step * ID_STEP}" if c.name == "id" else c.name
                          for c in columns)
        names = ", ".join(c.name for c in columns)
        return {d: f"insert into {table.name} ({names}) select {items} from {table.name} "
                f"where {table.name}.id < {ID_STEP} and {where.sql(d)}" for d in DIALECTS}


def apply(change, basalts, postgres, others, setting, views):
    """Runs the statement everywhere; a text that says what went wrong, or None. What PostgreSQL or
    Basalt refuses is done by nobody."""
    name = change.table.name
    postgres.connection.query_all("begin")
    theirs = postgres.ask(change.texts["pg"])
    ours = None
    for server in range(len(engines.SERVERS)):
        connection = basalts.connection((server, setting))
        if theirs.is_error or change.is_rolled_back:
            connection.query_all("begin")
        ours = basalts.ask(change.texts["basalt"], (server, setting))
        if theirs.is_error or change.is_rolled_back:
            connection.query_all("rollback")
        if ours.is_error:
            break
    keeps = not (theirs.is_error or ours.is_error or change.is_rolled_back)
    postgres.connection.query_all("commit" if keeps else "rollback")
    if ours.is_error != theirs.is_error and ours.sqlstate not in ("0A000", "53200", "57014"):
        return f"Basalt {ours}; PostgreSQL {theirs}"
    for other in others:
        if keeps and other.ask(change.texts[other.dialect]).is_error:
            other.missing |= {name} | {view for view, _ in views}
    if keeps:
        change.table.rows = int(postgres.ask(f"select count(*) from {name}").rows[0][0])
    return None
