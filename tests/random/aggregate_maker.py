"""Random aggregate and window calls, with the words of each dialect: averages are cut or rounded as
Redshift does, FILTER and OVER stand behind every call of a template.
"""

import re

import sql_types as types
from expression_maker import ExpressionMaker, Scope
from sql_types import BOOL, DOUBLE, INT8
from tree import (Column, Constant, Op, Order, Window, widest)

ROWS_MAX = 15_000       # of a join, so of what an aggregate sees

AGGREGATE_CALL = re.compile(r"\b(sum|avg|count|min|max|bool_and|bool_or)"
                            r"\((distinct )?(\{0\}|\*|cast\(\{0\} as double precision\))\)"
                            r"( filter \(where \{\d\}\))?")


class AggregateMaker(ExpressionMaker):
    """Mixed into the maker of queries."""

    # ---- aggregates ----

    def summed(self, scope, kind):
        """An argument for sums in any order, or None."""
        for _ in range(4):
            made = self.expression(scope, kind, 1, kind != "int8")
            if kind not in ("real", "double") or made.exact:
                return made
        return None

    def aggregate_of(self, scope, kind, depth=1):
        """An aggregate that gives this kind, or None. One over columns of a query around it alone
        would belong to that query."""
        made = self.any_aggregate_of(scope, kind, depth)
        if made is not None and self.chance(8):
            made = self.filtered(scope, made)
        used = {n for n in made.walk() if isinstance(n, Column)} if made is not None else set()
        if used & set(scope.outer_columns()) and not used & set(scope.columns):
            return self.any_aggregate_of(Scope(scope.columns, None, scope.rows), kind, depth)
        return made

    def filtered(self, scope, made):
        """The aggregate with FILTER behind each call of its words."""
        left, self.subqueries_left = self.subqueries_left, 0
        made.args.append(self.condition(Scope(scope.columns, None, scope.rows), 0))
        self.subqueries_left = left
        behind = rf"\g<0> filter (where {{{len(made.args) - 1}}})"
        made.templates = {d: t and AGGREGATE_CALL.sub(behind, t)
                          for d, t in made.templates.items()}
        return made

    def any_aggregate_of(self, scope, kind, depth):
        form = self.random.random()
        if kind == "bool":
            name = self.random.choice(["bool_and", "bool_or"])
            return Op(BOOL, [self.condition(scope, 1)], f"{name}({{0}})")
        if kind == "int8" and form < 0.75:
            return self.counted(scope)
        if kind in ("dec", "double") and form < 0.6:
            return self.sum_or_average(scope, kind)
        made = self.expression(scope, kind, depth)
        return Op(made.type, [made], self.random.choice(["min({0})", "max({0})"]),
                  bound=made.bound, exact=made.exact)

    def counted(self, scope):
        form = self.random.choice(["count(*)", "count", "count", "distinct", "sum", "sum", "avg"])
        if form == "count(*)":
            return Op(INT8, [], form, bound=ROWS_MAX)
        if form in ("count", "distinct"):
            arg = self.expression(scope, self.some_kind(scope), 1)
            word = "distinct " if form == "distinct" else ""
            return Op(INT8, [arg], f"count({word}{{0}})", bound=ROWS_MAX)
        arg = self.summed(scope, self.random.choice(["int2", "int4"]))
        word = "distinct " if self.chance(20) else ""
        if form == "sum":
            bound = arg.bound * ROWS_MAX
            return Op(INT8, [arg], f"sum({word}{{0}})", bound=bound) if bound < 1 << 62 else None
        return Op(INT8, [arg], f"avg({word}{{0}})", bound=arg.bound,
                  pg=f"cast(trunc(avg({word}{{0}})) as bigint)",
                  duck=f"cast(sum({word}{{0}}) // count({word}{{0}}) as bigint)")

    def sum_or_average(self, scope, kind):
        argument = self.random.choice(["dec", "dec", "int8"] if kind == "dec" else
                                      ["double", "double", "real"])
        arg = self.summed(scope, argument)
        if arg is None:
            return None
        name = self.random.choice(["sum", "avg"])
        word = "distinct " if self.chance(15) else ""
        text = f"{name}({word}{{0}})"
        if kind == "double":
            bound = None if arg.bound is None else arg.bound * ROWS_MAX
            # PostgreSQL adds up REAL in REAL, which rounds
            pg = f"{name}({word}cast({{0}} as double precision))"
            return Op(DOUBLE, [arg], text, pg=pg, bound=bound,
                      exact=name == "sum" and bound is not None and bound < 1 << 44)
        scale = arg.type.scale if argument == "dec" else 0
        type_ = types.decimal_type(types.PRECISION_MAX, scale)
        bound = None if arg.bound is None else arg.bound * ROWS_MAX
        if bound is not None and len(str(bound)) + scale > 36:
            return None
        if name == "sum":
            return Op(type_, [arg], text, bound=bound)
        # PostgreSQL's AVG is rounded to some digits before it could be rounded to ours
        pg = (f"round(cast(sum({word}{{0}}) as numeric(200,{scale + 20})) / "
              f"nullif(count({word}{{0}}), 0), {scale})")
        return Op(type_, [arg], text, pg=pg, duck=False, bound=bound)

    def order(self, expr, is_free=True):
        nulls = self.random.choice([None, None, "first", "last"]) if is_free else None
        return Order(expr, self.chance(40), nulls)

    def window(self, scope):
        """A window call over rows of the scope; those that look at single rows need a key."""
        partition = self.random.sample(scope.columns,
                                       min(len(scope.columns), self.random.choice([0, 1, 1, 2])))
        if self.chance(15):
            partition.append(self.expression(scope, "int4", 1))
        free = [self.expression(scope, self.some_kind(scope), 1)
                for _ in range(self.random.choice([0, 1, 1]))]
        total = [self.order(e) for e in free]
        if scope.key is not None and self.chance(80):
            total += [self.order(k) for k in scope.key]
            return self.row_window(scope, partition, total)
        return self.peer_window(scope, partition, total or [self.order(scope.columns[0])])

    def row_window(self, scope, partition, order):
        name = self.random.choice(["row_number", "lag", "lead", "first_value", "last_value",
                                   "nth_value", "ntile", "aggregate", "aggregate", "aggregate",
                                   "rank"])
        frame = self.random.choice([
            "rows between unbounded preceding and current row", "rows unbounded preceding",
            "rows between 2 preceding and 1 following", "rows between current row and 3 following",
            "rows between unbounded preceding and unbounded following",
            "rows between 3 preceding and 2 preceding", "rows between 1 following and 4 following",
            "rows between current row and unbounded following"])
        if name == "rank":
            return self.peer_window(scope, partition, order)
        if name in ("row_number", "ntile"):
            call = "row_number() {over}" if name == "row_number" else "ntile(3) {over}"
            return Window(INT8, call, [], partition, order, bound=max(3, scope.rows))
        if name == "aggregate":
            return self.aggregate_window(scope, partition, order, frame)
        arg = self.expression(scope, self.some_kind(scope), 1)
        if isinstance(arg, Constant):  # of no type for PostgreSQL, which wants one here
            arg = Op(arg.type, [arg], f"cast({{0}} as {arg.type.sql()})", bound=arg.bound)
        if name in ("lag", "lead"):
            number = self.random.choice(["", "", ", 1", ", 2", ", 5", ", 0"])
            args = [arg]
            if number and self.chance(30):
                args.append(self.constant(arg.type.kind))
                number += ", {1}"
            if number.endswith("{1}"):
                type_, bound, exact = widest(*args)
                call = f"{name}({{0}}{number}) {{over}}"
                if arg.type.kind == "dec":   # PostgreSQL wants one type, which all decimals are
                    call = call.replace("{0}", f"cast({{0}} as {type_.sql()})")
                return Window(type_, call, args, partition, order, bound=bound, exact=exact)
            return Window(arg.type, f"{name}({{0}}{number}) {{over}}", args, partition, order,
                          bound=arg.bound, exact=arg.exact)
        call = f"{name}({{0}}{', 2' if name == 'nth_value' else ''}) {{over}}"
        return Window(arg.type, call, [arg], partition, order, frame, bound=arg.bound,
                      exact=arg.exact)

    def peer_window(self, scope, partition, order):
        name = self.random.choice(["rank", "dense_rank", "rank", "aggregate", "aggregate",
                                   "cume_dist", "percent_rank"])
        if name == "aggregate":
            start = "range between unbounded preceding and"
            frame = self.random.choice(["", "", f"{start} current row",
                                        f"{start} unbounded following"])
            return self.aggregate_window(scope, partition,
                                         order if self.chance(75) or frame else [], frame)
        type_ = DOUBLE if name in ("cume_dist", "percent_rank") else INT8
        return Window(type_, f"{name}() {{over}}", [], partition, order,
                      bound=max(2, scope.rows) if type_ == INT8 else 1)

    def aggregate_window(self, scope, partition, order, frame):
        made = None
        while made is None or "distinct" in made.templates["basalt"]:
            made = self.aggregate_of(scope, self.random.choice(["int8", "int8", "dec", "double",
                                                                self.some_kind(scope)]))
        if made.templates["duck"] is False:
            return None
        return self.over(made, partition, order, frame)

    @staticmethod
    def over(made, partition, order, frame):
        """The aggregate call `made` as a window: OVER goes behind each call of its words."""
        def words(template):
            return AGGREGATE_CALL.sub(r"\g<0> {over}", template)

        return Window(made.type, words(made.templates["basalt"]), made.args, partition, order,
                      frame, words(made.templates["pg"]), words(made.templates["duck"]),
                      bound=made.bound, exact=made.exact)
