"""Random typed expressions over the columns of a scope.

Arithmetic is made only where its largest value is known to fit, so overflow and the order of
evaluation decide nothing. What differs between dialects by design is written differently for each:
integer division, rounding of decimals, names of functions.
"""

import sql_types as types
from sql_types import (BOOL, CHAR, DATE, DOUBLE, INT2, INT4, INT8, LIMITS, REAL, TIMESTAMP,
                       VARCHAR)
from tree import Column, Constant, Op

WORDS = ["", "a", "b", "ab", "abc", "A", "Abc", "x y", "zz", "a%b", "a_b", "10", "-3", "€5", "中文",
         "the quick brown fox", "ab", "a", "it's"]
CHARS = ["a", "ab", "abcd", "A", "x y", "zz", "10"]
DATES = ["2019-12-31", "2020-01-01", "2020-02-29", "2020-03-01", "2021-06-15", "1999-12-31",
         "2000-01-01", "2024-02-29", "1969-12-31", "2020-01-31"]
TIMES = ["00:00:00", "12:30:00", "23:59:59", "23:59:59.999999", "06:00:00.5"]
PATTERNS = ["a%", "%b", "%b%", "_", "a_", "%", "", "ab%c", "A%", "%x y%", "a\\%b", "a\\_%", "%中%",
            "_b%", "abc"]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">=", "<>", "<", "<=", ">", ">="]


class Scope:
    """Columns that names of a query may mean; `key`: columns that no two rows share, or None."""

    def __init__(self, columns, parent=None, rows=1, key=None):
        self.columns, self.parent, self.rows, self.key = columns, parent, rows, key

    def outer_columns(self):
        scope, columns = self.parent, []
        while scope is not None:
            columns += scope.columns
            scope = scope.parent
        return columns

    def depth(self):
        return 0 if self.parent is None else 1 + self.parent.depth()


def small_decimal(random):
    type_ = types.decimal_type(*random.choice([(5, 2), (10, 2), (12, 4), (20, 3), (8, 0)]))
    units = random.choice([0, 1, 5, 10, 50, 99, 100, 125, 250, 1000, random.randrange(100000)])
    return type_, random.choice([1, -1]) * min(units, 10 ** type_.precision - 1)


def decimal_text(units, scale):
    digits = str(abs(units)).rjust(scale + 1, "0")
    text = digits[:-scale] + "." + digits[-scale:] if scale else digits
    return ("-" if units < 0 else "") + text


class ExpressionMaker:
    """Mixed into the maker of queries, which adds subqueries."""

    def __init__(self, random):
        self.random = random

    def chance(self, percent):
        return self.random.random() * 100 < percent

    # ---- leaves ----

    def constant(self, kind, beside=None):
        """`beside`: a value it will be compared with, so that it may be of that size."""
        choice = self.random.choice
        if kind in types.INTEGERS and beside is not None and beside.bound and self.chance(60):
            number = int(beside.bound * self.random.uniform(-0.6, 1))
            number = max(-LIMITS[kind], min(LIMITS[kind], number))
            return Constant(types.PLAIN["int4" if abs(number) <= LIMITS["int4"] else "int8"],
                            str(number), abs(number))
        if kind in types.INTEGERS:
            number = choice([0, 1, 2, 3, 5, 7, 10, -1, -2, 50, self.random.randrange(-20, 101)])
            return Constant(types.PLAIN[kind], str(number), abs(number))
        if kind == "dec":
            type_, units = small_decimal(self.random)
            return Constant(type_, decimal_text(units, type_.scale),
                            abs(units) // 10 ** type_.scale + 1)
        if kind in ("real", "double"):
            number = self.random.randrange(-40, 200) / 4
            return Constant(types.PLAIN[kind], repr(number), abs(int(number)) + 1)
        if kind == "bool":
            return Constant(BOOL, choice(["true", "true", "true", "false"]))
        if kind == "varchar":
            return Constant(VARCHAR, choice(WORDS))
        if kind == "char":
            return Constant(CHAR, choice(CHARS))
        day = choice(DATES)
        return Constant(types.PLAIN[kind], day if kind == "date" else f"{day} {choice(TIMES)}")

    def null(self, kind):
        type_ = types.decimal_type(10, 2) if kind == "dec" else types.PLAIN[kind]
        return Constant(type_, None, 0)

    def column(self, scope, kind, is_small=False):
        """A column of the scope, sometimes of one around it; None when there is none."""
        def fitting(columns):
            return [c for c in columns if c.type.kind == kind and
                    (not is_small or c.bound is not None)]

        own, outer = fitting(scope.columns), fitting(scope.outer_columns())
        if outer and (not own or self.chance(12)):
            return self.random.choice(outer)
        return self.random.choice(own) if own else None

    def leaf(self, scope, kind, is_small=False):
        column = None if self.chance(15) else self.column(scope, kind, is_small)
        if column is not None:
            return column
        return self.null(kind) if self.chance(3) else self.constant(kind)

    # ---- any kind ----

    def expression(self, scope, kind, depth, is_small=False):
        """`is_small`: arithmetic will be done with it, so its bound must be known."""
        if depth <= 0 or self.chance(25):
            return self.leaf(scope, kind, is_small)
        for _ in range(8):
            made = self.try_expression(scope, kind, depth)
            if made is not None and not (is_small and made.bound is None):
                return made
        return self.leaf(scope, kind, is_small)

    def try_expression(self, scope, kind, depth):
        if kind == "bool":
            return self.condition(scope, depth)
        roll = self.random.random()
        if roll < 0.22:
            return self.conditional(scope, kind, depth)
        if roll < 0.29:
            return self.scalar_subquery(scope, kind, depth)
        if kind in types.INTEGERS:
            return self.integer(scope, kind, depth)
        return getattr(self, f"of_{kind}")(scope, depth)

    def scalar_subquery(self, _scope, _kind, _depth):
        return None

    def conditional(self, scope, kind, depth):
        def sub(count):
            return [self.expression(scope, self.narrower(kind) if i and self.chance(12) else kind,
                                    depth - 1) for i in range(count)]

        def made(values, args, template):
            type_ = values[0].type
            for v in values[1:]:
                type_ = types.common_type(type_, v.type)
            bounds = [v.bound for v in values]
            bound = None if None in bounds else max(bounds)
            return Op(type_, args, template, bound=bound, exact=all(v.exact for v in values))

        form = self.random.choice(["case", "case", "coalesce", "nullif", "greatest", "least",
                                   "switch"])
        if form == "case":
            count = self.random.choice([1, 1, 2])
            values, args, text = sub(count + 1), [], "case"
            for i in range(count):
                args += [self.condition(scope, depth - 1), values[i]]
                text += f" when {{{2 * i}}} then {{{2 * i + 1}}}"
            if self.chance(25):
                return made(values[:count], args, text + " end")
            return made(values, args + [values[count]], text + f" else {{{2 * count}}} end")
        if form == "switch":
            values, by = sub(2), self.random.choice(["int4", "varchar", "date", "int2"])
            args = [self.expression(scope, by, depth - 1), self.constant(by), values[0], values[1]]
            return made(values, args, "case {0} when {1} then {2} else {3} end")
        if form == "nullif":
            values = [self.expression(scope, kind, depth - 1) for _ in range(2)]
            return Op(values[0].type, values, "nullif({0}, {1})", bound=values[0].bound,
                      exact=values[0].exact)
        values = sub(self.random.choice([2, 2, 3]))
        return made(values, values, f"{form}({', '.join(f'{{{i}}}' for i in range(len(values)))})")

    def narrower(self, kind):
        """A kind whose values become this one where both meet."""
        return self.random.choice({"int4": ["int2"], "int8": ["int4", "int2"],
                                   "dec": ["int4", "int2"], "double": ["int4", "int2"],
                                   "timestamp": ["date"]}.get(kind, [kind]))

    # ---- numbers ----

    def integer(self, scope, kind, depth):
        type_, limit = types.PLAIN[kind], LIMITS[kind]
        forms = ["+", "-", "*", "/", "%", "+", "-", "abs", "neg"]
        forms += {"int4": ["length", "strpos", "extract", "days", "cast"],
                  "int8": ["datediff", "cast", "cast"], "int2": []}[kind]
        form = self.random.choice(forms)
        if form in "+-*/%":
            return self.integer_arithmetic(scope, kind, depth, form, limit)
        if form in ("abs", "neg"):
            arg = self.expression(scope, kind, depth - 1, True)
            return Op(type_, [arg], "abs({0})" if form == "abs" else "(- {0})", bound=arg.bound)
        if form == "cast":
            arg = self.expression(scope, self.random.choice(["int2", "dec", "int4"]), depth - 1,
                                  True)
            fits = arg.bound is not None and arg.bound + 1 < limit
            return Op(type_, [arg], f"cast({{0}} as {type_.sql()})", bound=arg.bound + 1) \
                if fits else None
        if form == "length":
            return Op(INT4, [self.text(scope, depth - 1)], "length({0})",
                      duck="cast(length({0}) as integer)", bound=200)
        if form == "strpos":
            args = [self.text(scope, depth - 1), Constant(VARCHAR, self.random.choice(WORDS))]
            return Op(INT4, args, self.random.choice(["strpos({0}, {1})",
                                                      "position({1} in {0})"]),
                      duck="cast(strpos({0}, {1}) as integer)", bound=200)
        if form == "extract":
            field = self.random.choice(["year", "month", "day", "quarter", "dow", "doy"])
            arg = self.expression(scope, self.random.choice(types.MOMENTS), depth - 1)
            text = f"extract({field} from {{0}})"
            return Op(INT4, [arg], text, pg=f"cast({text} as integer)", bound=10000)
        if form == "days":
            args = [self.expression(scope, "date", depth - 1) for _ in range(2)]
            return Op(INT4, args, "({0} - {1})", duck="cast({0} - {1} as integer)", bound=100000)
        return self.datediff(scope, depth)

    def integer_arithmetic(self, scope, kind, depth, form, limit):
        kinds = types.INTEGERS[:types.INTEGERS.index(kind) + 1]
        args = [self.expression(scope, kind, depth - 1, True),
                self.expression(scope, self.random.choice(kinds), depth - 1, True)]
        if self.chance(50):
            args.reverse()
        left, right = (a.bound for a in args)
        if form in "/%":
            text = f"({{0}} {form} nullif({{1}}, 0))"
            if self.chance(2):
                text = f"({{0}} {form} {{1}})"
            duck = text.replace(" / ", " // ") if "nullif" in text else False
            return Op(types.PLAIN[kind], args, text, duck=duck, bound=left)
        bound = left * right if form == "*" else left + right
        return Op(types.PLAIN[kind], args, f"({{0}} {form} {{1}})", bound=bound) \
            if bound <= limit else None

    def datediff(self, scope, depth):
        args = [self.expression(scope, "date", depth - 1) for _ in range(2)]
        unit = self.random.choice(["day", "month", "year"])
        duck = f"datediff('{unit}', {{0}}, {{1}})"
        months = "(extract(year from {0}) * 12 + extract(month from {0}))"
        pg = {"day": "({1} - {0})", "year": "(extract(year from {1}) - extract(year from {0}))",
              "month": f"({months.replace('{0}', '{1}')} - {months})"}[unit]
        return Op(INT8, args, f"datediff({unit}, {{0}}, {{1}})", pg=f"cast({pg} as bigint)",
                  duck=duck, bound=100000)

    def of_dec(self, scope, depth):
        form = self.random.choice(["+", "-", "*", "/", "+", "-", "*", "round", "trunc", "abs",
                                   "ceil", "floor", "neg", "cast", "avg"])
        if form in ("+", "-", "*", "/"):
            return self.decimal_arithmetic(scope, depth, form)
        if form == "cast":
            kind = self.random.choice(["int2", "int4", "dec", "int8"])
            arg = self.expression(scope, kind, depth - 1, True)
            whole = len(str(arg.bound + 1)) if arg.bound is not None else 99
            scale = self.random.choice([0, 1, 2, 5])
            if whole + scale > types.PRECISION_MAX:
                return None
            type_ = types.decimal_type(whole + scale + self.random.choice([0, 3]), scale)
            return Op(type_, [arg], f"cast({{0}} as {type_.sql()})", bound=arg.bound + 1)
        arg = self.expression(scope, "dec", depth - 1, True)
        if form in ("round", "trunc"):
            digits = self.random.choice([0, 1, 2, 3])
            scale = min(digits, arg.type.scale)
            type_ = types.decimal_type(arg.type.precision - arg.type.scale + 1 + scale, scale)
            return Op(type_, [arg], f"{form}({{0}}, {digits})", bound=arg.bound + 1,
                      duck=False if form == "trunc" else None)
        if form in ("ceil", "floor"):
            type_ = types.decimal_type(arg.type.precision - arg.type.scale + 1, 0)
            return Op(type_, [arg], f"{form}({{0}})", bound=arg.bound + 1)
        text = {"abs": "abs({0})", "neg": "(- {0})"}.get(form)
        return Op(arg.type, [arg], text, bound=arg.bound) if text else None

    def decimal_arithmetic(self, scope, depth, form):
        kinds = ["dec", self.random.choice(["dec", "int4", "int2"])]
        args = [self.expression(scope, k, depth - 1, True) for k in kinds]
        if self.chance(50):
            args.reverse()
        digits = {"int2": (5, 0), "int4": (10, 0)}
        left, right = (types.decimal_type(*digits[a.type.kind]) if a.type.kind != "dec" else a.type
                       for a in args)
        bounds = [a.bound for a in args]
        if form == "/":
            type_ = types.divide_type(left, right)
            bound = (bounds[0] + 1) * 10 ** right.scale
            text = "({0} / nullif({1}, 0))"
            pg, duck = f"round({text}, {type_.scale})", False
            # PostgreSQL must divide to more digits than are kept
            pg = pg.replace("({0}", f"(cast({{0}} as numeric(200,{type_.scale + 20}))")
        else:
            type_ = (types.multiply_type if form == "*" else types.add_type)(left, right)
            bound = bounds[0] * bounds[1] if form == "*" else sum(bounds)
            text, pg, duck = f"({{0}} {form} {{1}})", None, None
        if type_.scale + len(str(bound)) > type_.precision - 1 or type_.scale > 30:
            return None
        return Op(type_, args, text, pg=pg, duck=duck, bound=bound)

    def of_real(self, scope, depth):
        form = self.random.choice(["+", "-", "abs", "cast", "neg"])
        if form in "+-":
            args = [self.expression(scope, "real", depth - 1, True) for _ in range(2)]
            bound = sum(a.bound for a in args)
            return Op(REAL, args, f"({{0}} {form} {{1}})", bound=bound,
                      exact=all(a.exact for a in args)) if bound < 1 << 18 else None
        if form == "cast":
            arg = self.expression(scope, "int2", depth - 1, True)
            return Op(REAL, [arg], "cast({0} as real)", bound=arg.bound, exact=True)
        arg = self.expression(scope, "real", depth - 1, True)
        return Op(REAL, [arg], "abs({0})" if form == "abs" else "(- {0})", bound=arg.bound,
                  exact=arg.exact)

    def of_double(self, scope, depth):
        form = self.random.choice(["+", "-", "*", "/", "abs", "cast", "floor", "ceil", "sqrt",
                                   "mixed"])
        if form in "+-*/" or form == "mixed":
            other = self.random.choice(["int4", "real", "int2"]) if form == "mixed" else "double"
            sign = self.random.choice("+-*") if form == "mixed" else form
            args = [self.expression(scope, "double", depth - 1, True),
                    self.expression(scope, other, depth - 1, True)]
            left, right = (a.bound for a in args)
            if form == "/":
                return Op(DOUBLE, args, "({0} / nullif({1}, 0))", bound=None)
            bound = left * right if sign == "*" else left + right
            return Op(DOUBLE, args, f"({{0}} {sign} {{1}})", bound=bound,
                      exact=all(a.exact or a.type.kind in types.INTEGERS for a in args)) \
                if bound < 1 << 30 else None
        if form == "cast":
            arg = self.expression(scope, self.random.choice(["int4", "real", "int2"]), depth - 1,
                                  True)
            return Op(DOUBLE, [arg], "cast({0} as double precision)", bound=arg.bound,
                      exact=arg.exact or arg.type.kind in types.INTEGERS)
        arg = self.expression(scope, "double", depth - 1, True)
        if form == "sqrt":
            return Op(DOUBLE, [arg], "sqrt(abs({0}))", bound=arg.bound + 1)
        return Op(DOUBLE, [arg], f"{form}({{0}})", bound=arg.bound + 1, exact=arg.exact)

    # ---- texts and moments ----

    def text(self, scope, depth):
        """A VARCHAR, or a CHAR as text: PostgreSQL keeps the blanks of CHAR in some functions."""
        if self.chance(20):
            return self.char_text(self.expression(scope, "char", depth))
        return self.expression(scope, "varchar", depth)

    @staticmethod
    def char_text(arg):
        return Op(VARCHAR, [arg], "{0}", pg="rtrim({0})", duck="{0}")

    def of_char(self, scope, depth):
        return self.conditional(scope, "char", depth)

    def of_varchar(self, scope, depth):
        number = self.random.choice([0, 1, 2, 3, 5])
        arg = self.text(scope, depth - 1)
        # trailing blanks count in PostgreSQL and not here: what may end in one is trimmed
        templates = [
            ("upper({0})", None), ("lower({0})", None), ("initcap({0})", False),
            (f"rtrim(substring({{0}}, {number + 1}, {number}))", None),
            (f"rtrim(substring({{0}}, {number + 1}))", None),
            (f"rtrim(left({{0}}, {number}))", None), (f"rtrim(right({{0}}, {number}))", None),
            ("rtrim(reverse({0}))", None), ("replace({0}, 'a', 'bb')", None),
            ("replace({0}, 'b', '')", None), ("trim({0})", None), ("btrim({0}, 'ab')", False),
            ("ltrim({0})", None), (f"lpad({{0}}, {number}, '*')", None),
            (f"rpad({{0}}, {number + 3}, '-')", None), ("repeat(left({0}, 3), 2) || '.'", None),
            ("md5({0})", None), (f"rtrim(split_part({{0}}, ' ', {number // 2 + 1}))", None),
            ("translate({0}, 'abx', 'xy')", None),
        ]
        form = self.random.random()
        if form < 0.2:
            args = [arg, self.text(scope, depth - 1)]
            return Op(VARCHAR, args, "({0} || {1})")
        if form < 0.3:
            kind = self.random.choice(["int2", "int4", "int8", "date"])
            return Op(VARCHAR, [self.expression(scope, kind, depth - 1)],
                      "cast({0} as varchar(30))")
        if form < 0.33:
            return Op(VARCHAR, [self.expression(scope, "date", depth - 1)],
                      "to_char({0}, 'YYYY-MM-DD')", duck=False)
        text, duck = self.random.choice(templates)
        if "lpad" in text and number < 4:
            text = f"rtrim({text})"
        return Op(VARCHAR, [arg], text, duck=duck)

    def of_date(self, scope, depth):
        form = self.random.choice(["add", "subtract", "cast", "last"])
        if form == "cast":
            return Op(DATE, [self.expression(scope, "timestamp", depth - 1)],
                      "cast({0} as date)")
        arg = self.expression(scope, "date", depth - 1)
        if form == "last":
            return Op(DATE, [arg], "last_day({0})", pg="cast(date_trunc('month', {0}) + "
                      "interval '1 month' - interval '1 day' as date)", duck="last_day({0})")
        days = Constant(INT4, str(self.random.choice([0, 1, 7, 30, 365])), 365)
        return Op(DATE, [arg, days], "({0} + {1})" if form == "add" else "({0} - {1})")

    def of_timestamp(self, scope, depth):
        form = self.random.choice(["trunc", "interval", "cast", "dateadd"])
        if form == "cast":
            return Op(TIMESTAMP, [self.expression(scope, "date", depth - 1)],
                      "cast({0} as timestamp)")
        kind = self.random.choice(types.MOMENTS)
        arg = self.expression(scope, kind, depth - 1)
        unit = self.random.choice(["day", "month", "year"])
        if form == "trunc":
            unit = self.random.choice([unit, "quarter", "week"] +
                                      (["hour", "minute"] if kind == "timestamp" else []))
            plain = f"date_trunc('{unit}', {{0}})"
            return Op(TIMESTAMP, [arg], plain, pg=f"date_trunc('{unit}', cast({{0}} as timestamp))")
        number = self.random.choice([-13, -1, 0, 1, 2, 11, 100])
        if form == "dateadd":
            pg = f"({{0}} + {number} * interval '1 {unit}')"
            return Op(TIMESTAMP, [arg], f"dateadd({unit}, {number}, {{0}})", pg=pg)
        return Op(TIMESTAMP, [arg], f"({{0}} + interval '{abs(number)} {unit}')")

    # ---- conditions ----

    def condition(self, scope, depth):
        forms = [self.comparison] * 8 + [self.null_test] * 2 + [self.in_list, self.between,
                                                               self.like, self.bool_leaf]
        if depth > 0:
            forms += [self.connective] * 6 + [self.subquery_condition] * 3 + [self.bool_case]
        made = None
        while made is None:
            made = self.random.choice(forms)(scope, depth)
        return made

    def subquery_condition(self, _scope, _depth):
        return None

    def bool_leaf(self, scope, _):
        leaf = self.leaf(scope, "bool")
        return leaf if self.chance(70) else Op(BOOL, [leaf], self.random.choice(
            ["({0} is true)", "({0} is not true)", "({0} is not false)", "({0} is null)"]))

    def bool_case(self, scope, depth):
        return self.conditional(scope, "bool", depth) if self.chance(50) else None

    def connective(self, scope, depth):
        form = self.random.choice(["and", "or", "or", "not"])
        if form == "not":
            return Op(BOOL, [self.condition(scope, depth - 1)], "(not {0})")
        args = [self.condition(scope, depth - 1) for _ in range(self.random.choice([2, 2, 3]))]
        return Op(BOOL, args, "(" + f" {form} ".join(f"{{{i}}}" for i in range(len(args))) + ")")

    def some_kind(self, scope):
        kinds = [c.type.kind for c in scope.columns if c.type.kind != "bool"]
        return self.random.choice(kinds) if kinds and self.chance(85) else \
            self.random.choice([k for k in types.KINDS if k != "bool"])

    def beside(self, kind):
        """A kind that may be compared with this one."""
        if kind in types.INTEGERS and self.chance(30):
            return self.random.choice(types.INTEGERS + ("dec", "double"))
        if kind == "dec" and self.chance(20):
            return self.random.choice(types.INTEGERS)
        if kind == "varchar" and self.chance(15):
            return "char"
        if kind in types.MOMENTS and self.chance(20):
            return self.random.choice(types.MOMENTS)
        return kind

    def telling(self, scope, kind, depth):
        """An expression that mostly depends on a row of the scope."""
        for _ in range(4):
            made = self.expression(scope, kind, depth)
            if any(isinstance(n, Column) for n in made.walk()):
                break
        return made

    def comparison(self, scope, depth):
        kind = self.some_kind(scope)
        left = self.telling(scope, kind, depth - 1)
        right = self.constant(kind, left) if self.chance(35) else \
            self.expression(scope, self.beside(kind), depth - 1)
        if right is left:
            return None
        if self.chance(8):
            return Op(BOOL, [left, right], self.random.choice(
                ["({0} is distinct from {1})", "({0} is not distinct from {1})"]))
        return Op(BOOL, [left, right], f"({{0}} {self.random.choice(COMPARISONS)} {{1}})")

    def null_test(self, scope, depth):
        kind = self.some_kind(scope)
        return Op(BOOL, [self.telling(scope, kind, depth - 1)],
                  self.random.choice(["({0} is null)", "({0} is not null)",
                                      "({0} is not null)"]))

    def in_list(self, scope, depth):
        kind = self.some_kind(scope)
        args = [self.telling(scope, kind, depth - 1)]
        for _ in range(self.random.choice([1, 2, 3, 5, 12])):
            args.append(self.null(kind) if self.chance(2) else self.constant(kind, args[0]))
        if self.chance(15):
            args.append(self.leaf(scope, kind))
        word = self.random.choice(["in", "in", "not in"])
        return Op(BOOL, args, f"({{0}} {word} "
                  f"({', '.join(f'{{{i}}}' for i in range(1, len(args)))}))")

    def between(self, scope, depth):
        kind = self.some_kind(scope)
        left = self.telling(scope, kind, depth - 1)
        args = [left] + [self.leaf(scope, kind) if self.chance(40) else self.constant(kind, left)
                         for _ in range(2)]
        if self.chance(85) and all(isinstance(a, Constant) and a.text for a in args[1:]):
            args[1:] = sorted(args[1:], key=order_of)
        return Op(BOOL, args, self.random.choice(["({0} between {1} and {2})",
                                                  "({0} not between {1} and {2})"]))

    def like(self, scope, depth):
        pattern = Constant(VARCHAR, self.random.choice(PATTERNS))
        word = self.random.choice(["like", "like", "not like", "ilike"])
        arg = self.text(scope, depth - 1)
        duck = f"({{0}} {word} {{1}} escape '\\')"
        return Op(BOOL, [arg, pattern], f"({{0}} {word} {{1}})", duck=duck)


def order_of(constant):
    """So that BETWEEN often has its bounds the right way round."""
    is_number = constant.type.kind in types.NUMBERS
    return (float(constant.text), "") if is_number else (0.0, constant.text)
