"""Random queries over a schema: relations and joins, grouping, windows, subqueries, set operations.

Sizes are estimated on the way down, so that no oracle has to compare millions of rows. LIMIT stands
only above a total order, and windows that look at single rows order by a key.
"""

import copy

import sql_types as types
from aggregate_maker import ROWS_MAX, AggregateMaker
from expression_maker import Scope
from sql_types import BOOL, DOUBLE, INT8
from tree import (Column, Comma, Cte, Derived, Item, Join, Op, Select, SetOperation, Table,
                  Values, Window, is_too_wide, widest)

PAIRS_MAX = 400_000     # that a nested loop of an oracle looks at
RESULT_MAX = 1_500      # rows that are fetched
ITEM_KINDS = [k for k in types.KINDS if k != "bool"] + ["bool", "int4", "dec", "varchar"]


class Relation:
    """A node of FROM with the columns it gives; `key` as in Scope; `where`: what must stand in
    WHERE for it."""

    def __init__(self, node, columns, rows, key, where=()):
        self.node, self.columns, self.rows, self.key = node, columns, rows, key
        self.where = list(where)


class QueryMaker(AggregateMaker):
    """`tables`: [(name, columns as (name, type, bound, exact), rows, key names)]."""

    def __init__(self, random, tables):
        super().__init__(random)
        self.tables, self.ctes = tables, []
        self.alias_count = 0
        self.subqueries_left = 3

    def alias(self, stem="t"):
        self.alias_count += 1
        return f"{stem}{self.alias_count}"

    # ---- relations ----

    def table(self, rows_max=None):
        def fits(t):
            return rows_max is None or t[2] <= rows_max

        fitting = [t for t in self.tables + self.ctes * 4 if fits(t)]
        name, columns, rows, key = self.random.choice(fitting or [min(self.tables,
                                                                      key=lambda t: t[2])])
        alias = self.alias()
        made = [Column(alias, n, *rest) for n, *rest in columns]
        keys = None if key is None else [c for c in made if c.name in key]
        return Relation(Table(name, alias), made, rows, keys)

    def derived(self, depth, parent=None, is_lateral=False):
        query = self.query(depth - 1, parent=parent, is_inner=True)
        alias = self.alias("q")
        columns = [Column(alias, name, expr.type, expr.bound, expr.exact)
                   for name, expr in query.columns]
        keys = None if query.key is None else [c for c in columns if c.name in query.key]
        return Relation(Derived(query, alias, is_lateral), columns, query.rows, keys)

    def single(self, depth, rows_max=None):
        if self.chance(3):
            return self.values()
        if depth > 0 and self.chance(22):
            made = self.derived(depth)
            if rows_max is None or made.rows <= rows_max:
                return made
        return self.table(rows_max)

    def relation(self, depth, parent=None):
        count = self.random.choice([1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5] if depth > 0 else [1, 1, 2])
        if count == 2 and self.chance(12):
            made = self.using_join()
            if made is not None:
                return made
        if count in (2, 3) and self.chance(15):
            return self.comma_join(count, depth)
        made = self.single(depth)
        if count == 5 and self.chance(50):
            made = self.join(self.join(made, self.single(depth), parent),
                             self.join(self.single(depth - 1), self.table(), parent), parent)
            count = 2
        for _ in range(count - 1):
            if depth > 0 and self.chance(5):
                made = self.lateral_join(made, depth, parent)
            else:
                made = self.join(made, self.single(depth - 1), parent)
        return made

    def comma_join(self, count, depth):
        made = self.single(depth)
        nodes, where = [made.node], []
        for _ in range(count - 1):
            right = self.single(depth - 1)
            pairs = made.rows * right.rows
            equi = self.equi_condition(made, right, pairs > ROWS_MAX * 6)
            if equi is None:
                continue
            nodes.append(right.node)
            where.append(equi)
            made = Relation(None, made.columns + right.columns,
                            max(made.rows, right.rows, pairs // 8), self.joined_key(made, right))
        return Relation(Comma(nodes), made.columns, made.rows, made.key, where)

    def values(self):
        """A few constant rows."""
        kinds = self.random.sample(["int4", "varchar", "date", "dec", "double", "bool", "int8"],
                                   self.random.choice([1, 2, 3]))
        alias, names = self.alias("v"), [f"c{i + 1}" for i in range(len(kinds))]
        count = self.random.choice([1, 2, 5])
        columns = []
        for name, kind in zip(names, kinds):
            cells = [self.null(kind) if self.chance(15) else self.constant(kind)
                     for _ in range(count)]
            type_ = types.decimal_type(20, 4) if kind == "dec" else types.PLAIN[kind]
            columns.append((Column(alias, name, type_, max(c.bound or 0 for c in cells)
                                   if kind in types.NUMBERS else None, True),
                            [Op(type_, [c], f"cast({{0}} as {type_.sql()})") for c in cells]))
        rows = [[cells[i] for _, cells in columns] for i in range(count)]
        return Relation(Values(rows, alias, names), [c for c, _ in columns], count, None)

    def lateral_join(self, left, depth, parent):
        scope = Scope(left.columns, parent, left.rows)
        if left.rows > 100:
            return left
        right = self.derived(depth, scope, True)
        kind = self.random.choice(["inner", "left"])
        condition = [] if self.chance(50) else [self.join_condition(left, right, parent)]
        return Relation(Join(kind, left.node, right.node, [c for c in condition if c]),
                        left.columns + right.columns, left.rows * max(1, right.rows // 4), None)

    def using_join(self):
        left, right = self.table(), self.table()
        names = {c.name for c in left.columns} & {c.name for c in right.columns} - {"id"}
        shared = sorted(n for n in names if self.type_of(left, n) == self.type_of(right, n))
        if not shared or left.rows * right.rows > 8 * ROWS_MAX:
            return None
        names = self.random.sample(shared, min(len(shared), self.random.choice([1, 1, 2])))
        kind = self.random.choice(["inner", "left", "right", "full"])
        merged = [Column(None, c.name, c.type, c.bound, c.exact)
                  for c in left.columns if c.name in names]
        return Relation(Join(kind, left.node, right.node, using=names),
                        merged + left.columns + right.columns,
                        max(left.rows, right.rows, left.rows * right.rows // 8),
                        self.joined_key(left, right))

    @staticmethod
    def type_of(relation, name):
        return next(c.type for c in relation.columns if c.name == name)

    @staticmethod
    def joined_key(left, right):
        return None if left.key is None or right.key is None else left.key + right.key

    def join(self, left, right, parent):
        pairs = left.rows * right.rows
        kind = self.random.choice(["inner"] * 9 + ["left"] * 6 + ["right"] * 3 + ["full"] * 3 +
                                  ["cross"] * (2 if pairs < 3000 else 0))
        key = self.joined_key(left, right)
        columns = left.columns + right.columns
        if kind == "cross":
            return Relation(Join(kind, left.node, right.node), columns, pairs, key)
        conditions, rows = [], pairs
        is_equi = kind == "full" or pairs > ROWS_MAX or self.chance(75)
        if is_equi:
            equi = self.equi_condition(left, right, pairs > ROWS_MAX * 6)
            if equi is not None:
                conditions.append(equi)
                rows = max(left.rows, right.rows, pairs // 8)
                if equi.args[0].name == "id" or equi.args[1].name == "id":
                    rows = max(left.rows, right.rows)
        if not conditions and pairs > PAIRS_MAX:
            return left
        if kind != "full" and (not conditions or self.chance(20)):
            extra = self.join_condition(left, right, parent)
            if extra is not None:
                conditions.append(extra)
        if kind == "full" and not conditions:
            return left
        return Relation(Join(kind, left.node, right.node, conditions), columns, rows, key)

    def equi_condition(self, left, right, is_unique):
        pairs = [(a, b) for a in left.columns for b in right.columns
                 if a.type.kind == b.type.kind and a.type.kind != "bool"]
        best = [p for p in pairs if "id" in (p[0].name, p[1].name)]
        alike = [p for p in pairs if p[0].name == p[1].name and p[0].name != "id"]
        if is_unique or (best and self.chance(25)):
            keys = [p for p in best if p[0].name == p[1].name]
            pairs = keys if keys and self.chance(70) else best
        elif alike and self.chance(75):
            pairs = alike
        elif self.chance(10):
            pairs = [(a, b) for a in left.columns for b in right.columns
                     if a.type.kind in types.NUMBERS and b.type.kind in types.NUMBERS] or pairs
        if not pairs:
            return None
        args = list(self.random.choice(pairs))
        if self.chance(30):
            args.reverse()
        if self.chance(4):
            return Op(BOOL, args, "({0} is not distinct from {1})")
        return Op(BOOL, args, "({0} = {1})")

    def join_condition(self, left, right, parent):
        scope = Scope(left.columns + right.columns, parent, left.rows * right.rows)
        numbers = [[c for c in r.columns if c.type.kind in types.NUMBERS] for r in (left, right)]
        if all(numbers) and self.chance(50):
            args = [self.random.choice(n) for n in numbers]
            if self.chance(50):
                return Op(BOOL, args, f"({{0}} {self.random.choice(['<', '<=', '>', '<>'])} {{1}})")
            low = self.random.choice([c for c in numbers[1] if c.bound is not None] or [None])
            if low is not None and low.type.kind in ("int4", "int8", "dec", "double"):
                width = self.constant("int4")
                return Op(BOOL, [args[0], low, width], "({0} between {1} and {1} + {2})")
        left_over = self.subqueries_left
        self.subqueries_left = self.subqueries_left if self.chance(15) else 0
        made = self.condition(scope, 1)
        self.subqueries_left = min(left_over, self.subqueries_left or left_over)
        return made

    # ---- subqueries in expressions ----

    def inner_relation(self, scope):
        """Small enough to be looked at once for every row outside; None when nothing is."""
        if self.subqueries_left <= 0 or scope.depth() > 1:
            return None
        outer_rows, walker = max(1, scope.rows), scope.parent
        while walker is not None:
            outer_rows, walker = outer_rows * max(1, walker.rows), walker.parent
        self.subqueries_left -= 1
        made = self.table(PAIRS_MAX // outer_rows)
        if self.chance(10):
            derived = self.derived(1)
            made = derived if derived.rows * outer_rows <= PAIRS_MAX // 20 else made
        if made.rows * outer_rows > PAIRS_MAX:
            return None
        if self.chance(12) and made.rows < 50:
            other = self.table(50)
            if made.rows * other.rows * outer_rows <= PAIRS_MAX:
                made = self.join(made, other, scope)
        return made

    def inner_select(self, relation, scope, exprs):
        select = Select()
        select.source = relation.node
        select.items = [Item(e, f"s{i}") for i, e in enumerate(exprs)]
        inner = Scope(relation.columns, scope, relation.rows)
        if self.chance(65):
            made = self.correlation(relation, scope) if self.chance(75) else None
            select.where.append(made or self.condition(inner, 1))
        if self.chance(20):
            select.where.append(self.condition(inner, 1))
        return select

    def correlation(self, relation, scope):
        pairs = [(a, b) for a in relation.columns for b in scope.columns
                 if a.type.kind == b.type.kind]
        if not pairs:
            return None
        alike = [p for p in pairs if p[0].name == p[1].name]
        pairs = alike if alike and self.chance(75) else pairs
        sign = "=" if self.chance(70) else self.random.choice(["<", "<=", "<>", ">"])
        return Op(BOOL, list(self.random.choice(pairs)), f"({{0}} {sign} {{1}})")

    def scalar_subquery(self, scope, kind, depth):
        relation = self.inner_relation(scope)
        if relation is None:
            return None
        inner = Scope(relation.columns, scope, relation.rows)
        if self.chance(15) and relation.key is not None:
            value = self.expression(inner, kind, 1)
            select = self.inner_select(relation, scope, [value])
            select.order = [self.order(Column(None, "s0", value.type), False)]
            select.limit = 1
        else:
            value = self.aggregate_of(inner, kind, 1)
            if value is None:
                return None
            select = self.inner_select(relation, scope, [value])
        return Op(value.type, [select], "({0})", bound=value.bound, exact=value.exact)

    def subquery_condition(self, scope, depth):
        relation = self.inner_relation(scope)
        if relation is None:
            return None
        inner = Scope(relation.columns, scope, relation.rows)
        form = self.random.choice(["exists", "not exists", "in", "in", "not in", "any", "all"])
        if form in ("exists", "not exists"):
            select = self.inner_select(relation, scope, [self.constant("int4")])
            return Op(BOOL, [select], f"({form} ({{0}}))")
        kind = self.some_kind(scope)
        left = self.expression(scope, kind, 1)
        select = self.quantified_select(relation, inner, scope, kind)
        if form in ("in", "not in"):
            if self.chance(15) and isinstance(select, Select) and not select.group:
                other = self.some_kind(scope)
                select.items.append(Item(self.expression(inner, other, 1), "s1"))
                args = [left, self.expression(scope, other, 1), select]
                return Op(BOOL, args, f"(({{0}}, {{1}}) {form} ({{2}}))",
                          duck=False)  # it takes a NULL inside for the whole
            return Op(BOOL, [left, select], f"({{0}} {form} ({{1}}))")
        sign = self.random.choice(["=", "<>", "<", "<=", ">", ">="])
        return Op(BOOL, [left, select], f"({{0}} {sign} {form} ({{1}}))")

    def quantified_select(self, relation, inner, scope, kind):
        """One column of this kind: plain, distinct, grouped, of several queries, the first rows."""
        value = self.expression(inner, kind, 1)
        form = self.random.random()
        if form < 0.12:
            made = self.aggregate_of(inner, kind, 1)
            select = self.inner_select(relation, scope, [made or value])
            if made is not None:
                select.group = [self.random.choice(relation.columns)]
                if self.chance(40):
                    select.having = [Op(BOOL, [], "(count(*) > 1)")]
            return select
        select = self.inner_select(relation, scope, [value])
        if form < 0.2:
            other = self.inner_relation(scope)
            if other is not None:
                columns = Scope(other.columns, scope, other.rows)
                also = self.inner_select(other, scope, [self.expression(columns, kind, 1)])
                return SetOperation(self.random.choice(["union", "union all", "intersect",
                                                        "except"]), select, also)
        elif form < 0.26:
            select.order = [self.order(Column(None, "s0", value.type))]
            select.limit = self.random.choice([1, 2, 5])
        select.is_distinct = form > 0.9
        return select

    # ---- selects ----

    def select(self, depth, parent=None, kinds=None, is_inner=False):
        relation = self.relation(depth, parent)
        select = Select()
        select.source = relation.node
        scope = Scope(relation.columns, parent, relation.rows, relation.key)
        select.where = relation.where
        if self.chance(70):
            select.where += [self.condition(scope, self.random.choice([0, 1, 1, 2]))
                            for _ in range(self.random.choice([1, 1, 1, 2]))]
        limit = RESULT_MAX if not is_inner else ROWS_MAX
        wants_group = self.chance(40) or relation.rows > limit
        select.rows = relation.rows
        if wants_group:
            self.group(select, scope, kinds)
        else:
            self.plain_items(select, scope, kinds, is_inner)
        if not wants_group and self.chance(12):
            select.is_distinct, select.key = True, [i.name for i in select.items]
        return select

    def plain_items(self, select, scope, kinds, is_inner):
        exprs = []
        if kinds is not None:
            exprs = [self.expression(scope, k, 2) for k in kinds]
        else:
            exprs = [self.expression(scope, self.random.choice(ITEM_KINDS), 2)
                     for _ in range(self.random.choice([1, 2, 3, 4]))]
            exprs += self.random.sample(scope.columns,
                                        min(len(scope.columns), self.random.choice([0, 1, 2, 4])))
            if self.chance(30):
                made = [self.window(scope) for _ in range(self.random.choice([1, 1, 2, 3]))]
                exprs += [m for m in made if m is not None]
            if scope.key is not None and (is_inner or self.chance(40)):
                exprs += [k for k in scope.key if k not in exprs]
        select.items = [Item(e, f"c{i + 1}") for i, e in enumerate(exprs)]
        if scope.key is not None and all(k in exprs for k in scope.key):
            select.key = [f"c{exprs.index(k) + 1}" for k in scope.key]

    def group(self, select, scope, kinds):
        columns = [c for c in scope.columns if c.name != "id"] or scope.columns
        count = min(len(columns), self.random.choice([0, 1, 1, 2, 3]))
        groups = self.random.sample(columns, count)
        if count < 3 and self.chance(30):
            left, self.subqueries_left = self.subqueries_left, 0
            groups.append(self.grouped_expression(scope))
            self.subqueries_left = left
        if groups and all(isinstance(g, Column) for g in groups) and self.chance(12):
            select.grouping = self.random.choice(["rollup", "cube", "sets"])
            self.subqueries_left = 0  # Basalt refuses them there
        aggregates = []
        wanted = kinds or [self.random.choice(ITEM_KINDS + ["int8", "int8", "double"])
                           for _ in range(self.random.choice([1, 2, 3, 4]))]
        for kind in wanted:
            made = self.aggregate_of(scope, kind)
            while made is None:
                made = self.aggregate_of(scope, kind)
            if kinds is None and self.chance(20):
                made = self.above_aggregate(made, groups)
            aggregates.append(made)
        exprs = aggregates if kinds else groups + aggregates
        if not kinds and groups and select.grouping == "plain" and self.chance(15):
            exprs.append(Window(INT8, "rank() {over}", [], [],
                                [self.order(self.random.choice(aggregates))], bound=ROWS_MAX))
        if not kinds and groups and select.grouping == "plain" and self.chance(20):
            exprs += self.windows_above(groups, aggregates)
        select.group = groups
        select.items = [Item(e, f"c{i + 1}") for i, e in enumerate(exprs)]
        if self.chance(18):
            outer = [c for c in (scope.parent.columns if scope.parent else [])]
            inner = Scope([g for g in groups if isinstance(g, Column)] + outer, None, 1)
            made = self.aggregate_of(scope, self.random.choice(["int8", "int4", "double", "dec"]))
            if made is not None:
                sign = self.random.choice(["<", ">", "<>", "<=", "is distinct from"])
                having = Op(BOOL, [made, self.constant(made.type.kind, made)],
                            f"({{0}} {sign} {{1}})")
                select.having = [having]
            if groups and self.chance(30) and inner.columns and select.grouping == "plain":
                select.having.append(self.condition(inner, self.random.choice([0, 1])))
        select.rows = 1 if not groups else min(scope.rows, 10 ** len(groups) * 3)
        if not kinds and select.grouping == "plain":
            select.key = [f"c{i + 1}" for i in range(len(groups))] or ["c1"]

    def windows_above(self, groups, aggregates):
        """Windows over the rows of a grouping: its keys tell them apart."""
        columns = [g for g in groups if isinstance(g, Column)]
        if len(columns) < len(groups):
            return []
        left, self.subqueries_left = self.subqueries_left, 0
        made = self.window(Scope(columns, None, 1000, columns))
        self.subqueries_left = left
        arg = self.random.choice(aggregates)
        name = self.random.choice(["min", "max", "count", "lag", "first_value"])
        if arg.type.kind == "bool" and name in ("min", "max"):
            name = "count"
        type_ = INT8 if name == "count" else arg.type
        partition = self.random.sample(columns, self.random.choice([0, 0, 1]))
        over = Window(type_, f"{name}({{0}}) {{over}}", [arg], partition,
                      [self.order(c) for c in columns], bound=arg.bound)
        return [w for w in (made, over) if w is not None]

    def grouped_expression(self, scope):
        """Not a constant: GROUP BY 1 means a place."""
        kind = self.random.choice(["int4", "varchar", "date", "dec", "bool", "int2"])
        for _ in range(6):
            made = self.expression(scope, kind, 2)
            if any(isinstance(n, Column) for n in made.walk()) and isinstance(made, Op):
                return made
        return self.random.choice(scope.columns)

    def above_aggregate(self, made, groups):
        kind = made.type.kind
        other = self.constant(kind)
        columns = [g for g in groups if g.type.kind == kind]
        if columns and self.chance(50):
            other = self.random.choice(columns)
        type_, bound, _ = widest(made, other)
        form = self.random.choice(["coalesce({0}, {1})", "nullif({0}, {1})",
                                   "case when {0} is null then {1} else {0} end"])
        if "nullif" in form:
            type_ = made.type
        return Op(type_, [made, other], form, bound=bound)

    # ---- queries ----

    def query(self, depth, parent=None, is_inner=False, kinds=None):
        if depth > 0 and parent is None and self.chance(14):
            query = self.set_operation(depth, is_inner)
        else:
            query = self.select(depth, parent, kinds, is_inner)
        if query.columns and self.chance(30 if not is_inner else 12):
            self.total_order(query)
            if is_inner and query.limit is None:
                query.order = []
        return query

    def set_operation(self, depth, is_inner):
        kinds = [self.random.choice(ITEM_KINDS) for _ in range(self.random.choice([1, 2, 2, 3, 4]))]
        word = self.random.choice(["union", "union all", "union all", "intersect", "except"])
        others = [self.narrower(k) if self.chance(15) else k for k in kinds]
        left = self.select(depth - 1, None, kinds, is_inner)
        right = self.select(depth - 1, None, others, is_inner)
        if depth > 1 and self.chance(25):
            other = self.random.choice(["union", "union all", "intersect", "except"])
            right_too = self.select(depth - 1, None, kinds, is_inner)
            left, merged = SetOperation(other, left, right), right_too
            left.rows = left.left.rows + left.right.rows
            right = merged
        made = SetOperation(word, left, right)
        made.rows = left.rows + right.rows
        if word != "union all":
            made.key = [name for name, _ in made.columns]
        return made

    def total_order(self, query):
        """ORDER BY every output column, so the answer's order is known; often LIMIT."""
        columns = [Column(None, name, expr.type) for name, expr in query.columns]
        self.random.shuffle(columns)
        query.order = [self.order(c) for c in columns]
        if self.chance(60):
            query.limit = self.random.choice([1, 3, 10, 100, 1000] + [0] * self.chance(20))
            query.offset = self.random.choice([None, None, None, 0, 1, 5])
            query.rows = min(query.rows, query.limit)

    def top(self):
        """A whole statement."""
        while True:
            made = self.statement()
            if self.chance(3) or not is_too_wide(made):
                return made
            self.ctes, self.subqueries_left = [], 3

    def statement(self):
        ctes = []
        if self.chance(15):
            for _ in range(self.random.choice([1, 1, 2])):
                name, query = self.alias("w"), self.query(1, is_inner=True)
                ctes.append(Cte(name, query))
                self.ctes.append((name, [(n, e.type, e.bound, e.exact) for n, e in query.columns],
                                  query.rows, query.key))
        made = self.query(self.random.choice([1, 2, 2]))
        made.ctes = ctes
        return made


def weaker(query):
    """The query without what takes rows away at its top."""
    made = copy.deepcopy(query)
    made.offset = None
    made.limit = max(made.limit, 100) if made.limit is not None else None
    if isinstance(made, SetOperation):
        made.word = "union all"
        made.left, made.right = weaker(made.left), weaker(made.right)
        return made
    made.having = []
    made.where = made.where[:len(made.source.sources) - 1] if isinstance(made.source, Comma) else []
    node = made.source
    while isinstance(node, Join):
        if node.kind == "inner" and not node.using and not \
                (isinstance(node.right, Derived) and node.right.is_lateral):
            node.kind = "left"
        node = node.left
    return made
