"""Syntax trees of random queries: typed expressions, relations, queries; each prints itself for
every dialect (`basalt`, `pg`, `duck`).

Children are found by looking through attributes, so the reducer needs to know no class. A node that
stands in two places (a grouped expression) is one object: changed once, changed everywhere.
"""

import sql_types as types

DIALECTS = ("basalt", "pg", "duck")


class Unsupported(Exception):
    """The dialect has no words for this."""


class Node:
    def places(self):
        """(holder, key, child) of every child: an attribute or an item of a list."""
        for name, value in self.__dict__.items():
            if isinstance(value, Node):
                yield self.__dict__, name, value
            elif isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, Node):
                        yield value, i, item

    def lists(self):
        """Every list of nodes, with its name."""
        for name, value in self.__dict__.items():
            if isinstance(value, list) and value and isinstance(value[0], Node):
                yield name, value

    def walk(self):
        yield self
        for _, _, child in self.places():
            yield from child.walk()


class Expr(Node):
    """`bound`: no value is larger, None: may be anything, so no arithmetic on it. `exact`: floats
    whose sums do not depend on the order."""

    type = None
    bound = None
    exact = False
    is_too_wide = False


class Column(Expr):
    def __init__(self, table, name, type_, bound=None, exact=False):
        self.table, self.name, self.type = table, name, type_
        self.bound, self.exact = bound, exact

    def sql(self, _):
        return f"{self.table}.{self.name}" if self.table else self.name


class Constant(Expr):
    """`text` None is NULL. `is_plain`: written without its type where the dialect allows it."""

    def __init__(self, type_, text, bound=None, is_plain=False):
        self.type, self.text, self.bound, self.is_plain = type_, text, bound, is_plain
        self.exact = True

    def sql(self, dialect):
        kind = self.type.kind
        if self.text is None:
            return f"cast(null as {self.type.sql()})"
        quoted = self.text.replace("'", "''")
        if kind in types.MOMENTS:
            return f"{kind} '{quoted}'"
        if kind == "bool":
            return self.text
        is_plain = kind == "int4" or self.is_plain
        if dialect == "duck" and kind in types.INTEGERS:
            is_plain = False
        if kind in types.TEXTS:
            is_plain, quoted = kind == "varchar", f"'{quoted}'"
        elif quoted.startswith("-"):
            quoted = f"({quoted})"
        return quoted if is_plain else f"cast({quoted} as {self.type.sql()})"


class Op(Expr):
    """An operator, function or predicate as templates with {0}, {1} … for its arguments. `pg` and
    `duck` default to the one before; False: there is none."""

    def __init__(self, type_, args, basalt, pg=None, duck=None, bound=None, exact=False):
        self.type, self.args = type_, list(args)
        pg = basalt if pg is None else pg
        self.is_too_wide = types.is_too_wide([t for a in self.args for t in types_of(a)])
        duck = False if self.is_too_wide else duck
        self.templates = {"basalt": basalt, "pg": pg, "duck": pg if duck is None else duck}
        self.bound, self.exact = bound, exact

    def sql(self, dialect):
        template = self.templates[dialect]
        if template is False:
            raise Unsupported(self.templates["basalt"])
        return template.format(*[a.sql(dialect) for a in self.args])


class Order(Node):
    """`nulls`: first, last or None for the default, which is last for ascending."""

    def __init__(self, expr, is_descending, nulls):
        self.expr, self.is_descending, self.nulls = expr, is_descending, nulls

    def sql(self, dialect):
        nulls = self.nulls
        if dialect == "duck" and nulls is None:
            nulls = "first" if self.is_descending else "last"
        return (self.expr.sql(dialect) + (" desc" if self.is_descending else "") +
                (f" nulls {nulls}" if nulls else ""))


class Window(Expr):
    """call(args) over (partition by … order by … frame). Averages are written by their dialect."""

    def __init__(self, type_, call, args, partition, order, frame="", pg_call=None, duck_call=None,
                 bound=None, exact=False):
        self.type, self.args, self.partition, self.order = type_, args, partition, order
        self.frame = frame
        pg_call = pg_call or call
        self.calls = {"basalt": call, "pg": pg_call, "duck": duck_call or pg_call}
        self.bound, self.exact = bound, exact

    def sql(self, dialect):
        parts = []
        if self.partition:
            parts.append("partition by " + ", ".join(p.sql(dialect) for p in self.partition))
        if self.order:
            parts.append("order by " + ", ".join(o.sql(dialect) for o in self.order))
        if self.frame:
            parts.append(self.frame)
        over = f"over ({' '.join(parts)})"
        return self.calls[dialect].format(*[a.sql(dialect) for a in self.args], over=over)


# ---- relations ----


class Table(Node):
    """A table, a view or a name of WITH."""

    def __init__(self, name, alias):
        self.name, self.alias = name, alias

    def sql(self, _):
        return f"{self.name} {self.alias}"


class Derived(Node):
    def __init__(self, query, alias, is_lateral=False):
        self.query, self.alias, self.is_lateral = query, alias, is_lateral

    def sql(self, dialect):
        word = "lateral " if self.is_lateral else ""
        return f"{word}({self.query.sql(dialect)}) {self.alias}"


class Values(Node):
    """`rows`: lists of constants, all of them in one list as children."""

    def __init__(self, rows, alias, names):
        self.cells, self.width = [cell for row in rows for cell in row], len(names)
        self.alias, self.names = alias, names

    def sql(self, dialect):
        cells = [cell.sql(dialect) for cell in self.cells]
        rows = [f"({', '.join(cells[i:i + self.width])})"
                for i in range(0, len(cells), self.width)]
        return f"(values {', '.join(rows)}) {self.alias} ({', '.join(self.names)})"


class Comma(Node):
    """FROM a, b, …: what joins them stands in WHERE."""

    def __init__(self, sources):
        self.sources = list(sources)

    def sql(self, dialect):
        return ", ".join(s.sql(dialect) for s in self.sources)


class Join(Node):
    def __init__(self, kind, left, right, conditions=(), using=()):
        self.kind, self.left, self.right = kind, left, right
        self.conditions, self.using = list(conditions), list(using)

    def sql(self, dialect):
        right = self.right.sql(dialect)
        right = f"({right})" if isinstance(self.right, Join) else right
        text = f"{self.left.sql(dialect)} {self.kind} join {right}"
        if self.using:
            return f"{text} using ({', '.join(self.using)})"
        if self.kind == "cross":
            return text
        conditions = " and ".join(c.sql(dialect) for c in self.conditions)
        return f"{text} on {conditions or 'true'}"


# ---- queries ----


class Item(Node):
    def __init__(self, expr, name):
        self.expr, self.name = expr, name

    def sql(self, dialect):
        return f"{self.expr.sql(dialect)} as {self.name}"


class Cte(Node):
    def __init__(self, name, query):
        self.name, self.query = name, query

    def sql(self, dialect):
        return f"{self.name} as ({self.query.sql(dialect)})"


def is_too_wide(tree):
    """Do decimals meet somewhere that have no common type of 38 digits? Basalt, like Redshift, may
    then end with 22003, and DuckDB rounds."""
    return any(getattr(node, "is_too_wide", False) for node in tree.walk())


class Query(Node):
    """`rows`: an estimate; `key`: names of output columns that no two rows share, or None."""

    def __init__(self):
        self.ctes, self.order, self.limit, self.offset = [], [], None, None
        self.rows, self.key = 1, None

    def sql(self, dialect):
        text = self.body(dialect)
        if self.ctes:
            text = f"with {', '.join(c.sql(dialect) for c in self.ctes)} {text}"
        if self.order:
            text += " order by " + ", ".join(o.sql(dialect) for o in self.order)
        if self.limit is not None:
            text += f" limit {self.limit}"
        return text if self.offset is None else text + f" offset {self.offset}"


class Select(Query):
    """`grouping`: plain, rollup, cube or sets."""

    def __init__(self):
        super().__init__()
        self.is_distinct, self.items, self.source = False, [], None
        self.where, self.group, self.having, self.grouping = [], [], [], "plain"

    @property
    def columns(self):
        return [(i.name, i.expr) for i in self.items]

    def body(self, dialect):
        def joined(nodes, between):
            return between.join(n.sql(dialect) for n in nodes)

        text = "select " + ("distinct " if self.is_distinct else "") + joined(self.items, ", ")
        if self.source is not None:
            text += " from " + self.source.sql(dialect)
        if self.where:
            text += " where " + joined(self.where, " and ")
        if self.group:
            text += " group by " + self.group_text(joined(self.group, ", "), dialect)
        return text + (" having " + joined(self.having, " and ") if self.having else "")

    def group_text(self, plain, dialect):
        if self.grouping in ("rollup", "cube"):
            return f"{self.grouping} ({plain})"
        if self.grouping == "sets":
            each = ", ".join(f"({g.sql(dialect)})" for g in self.group)
            return f"grouping sets (({plain}), {each}, ())"
        return plain


class SetOperation(Query):
    def __init__(self, word, left, right):
        super().__init__()
        self.word, self.left, self.right = word, left, right

    @property
    def columns(self):
        return [(name, Column(None, name, *widest(expr, other)))
                for (name, expr), (_, other) in zip(self.left.columns, self.right.columns)]

    @property
    def is_too_wide(self):
        return any(types.is_too_wide([left.type, right.type]) for (_, left), (_, right)
                   in zip(self.left.columns, self.right.columns))

    def body(self, dialect):
        if dialect == "duck" and self.is_too_wide:
            raise Unsupported(self.word)
        return f"({self.left.sql(dialect)}) {self.word} ({self.right.sql(dialect)})"


def types_of(node):
    """Those an operator meets of this argument."""
    return [node.type] if isinstance(node, Expr) else [e.type for _, e in node.columns]


def widest(left, right):
    """Type, bound and exactness of what may be either."""
    bound = None if left.bound is None or right.bound is None else max(left.bound, right.bound)
    return types.common_type(left.type, right.type), bound, left.exact and right.exact
