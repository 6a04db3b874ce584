"""Checks of Basalt against itself.

TLP (ternary logic partitioning): the rows of a query are those where p holds, those where it does
not and those where it is unknown; so are its counts, sums and bounds. NoREC: WHERE p keeps as many
rows as CASE WHEN p counts without it.
"""

import copy

from expression_maker import Scope
from sql_types import BOOL, INT8
from tree import Constant, Item, Op, Select

PARTS = ["{0}", "(not {0})", "({0} is null)"]


class Check:
    """Two texts of SQL for the same rows; `kinds` of their columns."""

    def __init__(self, name, whole, parts, kinds):
        self.name, self.whole, self.parts, self.kinds = name, whole, parts, kinds

    def texts(self):
        return self.whole, self.parts


def base(maker):
    """A relation with a WHERE, its scope, and a condition over it."""
    relation = maker.relation(1)
    select = Select()
    select.source, select.where = relation.node, list(relation.where)
    scope = Scope(relation.columns, None, relation.rows, relation.key)
    if maker.chance(40):
        select.where.append(maker.condition(scope, 1))
    return select, scope, maker.condition(scope, 2)


def with_part(select, condition, part):
    made = copy.deepcopy(select)
    made.where = made.where + [Op(BOOL, [condition], part)]
    return made


def rows_check(maker, parts):
    select, scope, condition = base(maker)
    exprs = [maker.expression(scope, maker.some_kind(scope), 1) for _ in range(3)]
    select.items = [Item(e, f"c{i + 1}") for i, e in enumerate(exprs)]
    text = " union all ".join(with_part(select, condition, p).sql("basalt") for p in parts)
    return Check("TLP rows", select.sql("basalt"), text, [e.type.kind for e in exprs])


def aggregates_check(maker, parts):
    """count, sum, min and max of the parts are put together."""
    select, scope, condition = base(maker)
    exprs, merges = [Op(INT8, [], "count(*)")], ["sum"]
    for name in maker.random.choice([["sum"], ["min", "max"], ["sum", "min", "count"]]):
        argument = None
        while argument is None:
            kind = maker.random.choice(["int4", "dec", "double"]) if name == "sum" else \
                maker.some_kind(scope)
            argument = maker.summed(scope, kind) if name == "sum" else \
                maker.expression(scope, kind, 1)
        exprs.append(Op(INT8 if name == "count" else argument.type, [argument], f"{name}({{0}})"))
        merges.append("sum" if name in ("sum", "count") else name)
    select.items = [Item(e, f"c{i + 1}") for i, e in enumerate(exprs)]
    inner = " union all ".join(with_part(select, condition, p).sql("basalt") for p in parts)
    outer = ", ".join(f"{m}(c{i + 1})" for i, m in enumerate(merges))
    return Check("TLP aggregates", select.sql("basalt"), f"select {outer} from ({inner}) parts",
                 ["dec" if e.type.kind in ("int2", "int4", "int8") else e.type.kind
                  for e in exprs])


def groups_check(maker, parts):
    """Distinct rows are those of the parts' union."""
    select, scope, condition = base(maker)
    column = maker.random.choice(scope.columns)
    select.items, select.is_distinct = [Item(column, "c1")], True
    text = " union ".join(with_part(select, condition, p).sql("basalt") for p in parts)
    return Check("TLP distinct", select.sql("basalt"), text, [column.type.kind])


def norec_check(maker, _parts):
    select, _, condition = base(maker)
    select.items = [Item(Op(INT8, [], "count(*)"), "c1")]
    whole = with_part(select, condition, "{0}").sql("basalt")
    one, none = Constant(INT8, "1"), Constant(INT8, "0")
    case = Op(INT8, [condition, one, none],
              "coalesce(sum(case when {0} then {1} else {2} end), 0)")
    select.items = [Item(case, "c1")]
    return Check("NoREC", whole, select.sql("basalt"), ["dec"])


def random_check(maker, broken=False):
    """`broken`: the negative control, which forgets where the condition is unknown."""
    parts = PARTS[:2] if broken else PARTS
    form = maker.random.choice([rows_check, aggregates_check, groups_check, norec_check,
                                norec_check])
    return form(maker, parts)
