"""Are two answers to the same query the same? Exact where types are exact, and no stricter.

- Integers, dates and texts are equal as text, blanks at the end aside (char(n) is padded or not).
- A decimal of ours with s digits after the point equals the reference rounded to s digits: Redshift
  gives AVG and division fewer digits than PostgreSQL. Results of avg(…) may be off by one in the
  last digit, since Redshift cuts where PostgreSQL rounds.
- Floats are equal within 1e-9, relatively. A decimal of ours against a float of the reference is
  equal within half a unit of its last digit and that 1e-9.
- NULL and the empty text are one: psql prints both as nothing.
- Rows stand in the order of the query's ORDER BY; rows it leaves in a tie may stand in any order,
  and when LIMIT cuts a tie any of its rows will do.
"""
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

FLOAT_TOLERANCE = 1e-9

# The kinds of columns by the type oids of the wire protocol; what is not here is text.
KINDS_BY_OID = {20: "integer", 21: "integer", 23: "integer", 26: "integer",
                1700: "numeric", 700: "float", 701: "float"}


@dataclass
class Answer:
    """Rows of texts (None is NULL); names and kinds of the columns when they are known."""
    rows: list
    names: list = None
    kinds: list = None


def read_psql(path):
    """An answer written by `psql -At -F '|'`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return Answer([tuple(line.split("|")) for line in lines])


def kind_of_duckdb_type(name):
    if name in ("DOUBLE", "FLOAT"):
        return "float"
    if name.startswith("DECIMAL"):
        return "numeric"
    return "integer" if name.endswith("INT") or name == "INTEGER" else "text"


def _cell_differs(ours, reference, kind, is_float_reference, is_average):
    ours = (ours or "").rstrip(" ")
    reference = (reference or "").rstrip(" ")
    if ours == reference:
        return False
    if ours == "" or reference == "" or kind == "text":
        return True
    try:
        left, right = Decimal(ours), Decimal(reference)
    except InvalidOperation:
        return True
    if not (left.is_finite() and right.is_finite()):
        return True
    if kind == "integer":
        return left != right
    if kind == "float":
        return abs(left - right) > Decimal(FLOAT_TOLERANCE) * max(abs(left), abs(right))
    unit = Decimal(1).scaleb(left.as_tuple().exponent)
    if is_float_reference:
        slack = unit / 2 + Decimal(FLOAT_TOLERANCE) * abs(right)
        return abs(left - right) > slack + (unit if is_average else 0)
    if right.as_tuple().exponent < left.as_tuple().exponent:
        right = right.quantize(unit, rounding=ROUND_HALF_UP)
    return abs(left - right) > (unit if is_average else 0)


class _Comparer:
    def __init__(self, sql, ours, reference):
        self.kinds = ours.kinds
        self.names = ours.names
        self.float_references = [kind == "float" for kind in reference.kinds
                                 or ["text"] * len(ours.kinds)]
        averages = set(re.findall(r"\bavg\([^()]*\) as (\w+)", sql))
        self.averages = [name in averages for name in ours.names]

    def cell_differs(self, ours, reference, column):
        return _cell_differs(ours, reference, self.kinds[column], self.float_references[column],
                             self.averages[column])

    def row_difference(self, ours, reference):
        """The index of the first column that differs, or None."""
        for column, (left, right) in enumerate(zip(ours, reference)):
            if self.cell_differs(left, right, column):
                return column
        return None

    def first_difference(self, ours, reference, first_row=0):
        """A message about the first pair of rows that differ, or None."""
        for index, (left, right) in enumerate(zip(ours, reference)):
            column = self.row_difference(left, right)
            if column is not None:
                return (f"row {first_row + index + 1}, {self.names[column]}: "
                        f"{left[column]!r} instead of {right[column]!r}")
        return None

    def sort_key(self, row):
        """Puts the rows of a tie into one order on both sides."""
        key = []
        for cell, kind in zip(row, self.kinds):
            if cell is None or cell == "" or kind == "text":
                key.append((0, 0.0, (cell or "").rstrip(" ")))
            else:
                key.append((1, float(cell), ""))
        return key


def order_columns(sql, names):
    """The columns of the outermost ORDER BY, which all our queries name by their output names."""
    match = re.search(r"order by([^()]*?)(?:limit\s+\d+\s*)?;?\s*$", sql)
    items = match[1].split(",") if match else []
    return [names.index(item.split()[0]) for item in items]


def _compare_ties(comparer, sql, ours, reference):
    """Compares as multisets the rows that ORDER BY leaves in a tie."""
    order = order_columns(sql, ours.names)
    limit = re.search(r"limit\s+(\d+)\s*;?\s*$", sql)
    is_cut = limit is not None and len(ours.rows) == int(limit[1])
    first = 0
    while first < len(ours.rows):
        key = [reference.rows[first][column] for column in order]
        last = first
        while last < len(ours.rows) and [reference.rows[last][column] for column in order] == key:
            if any(comparer.cell_differs(ours.rows[last][column], reference.rows[last][column],
                                         column) for column in order):
                return comparer.first_difference([ours.rows[last]], [reference.rows[last]], last)
            last += 1
        if not (is_cut and last == len(ours.rows)):
            message = comparer.first_difference(
                sorted(ours.rows[first:last], key=comparer.sort_key),
                sorted(reference.rows[first:last], key=comparer.sort_key), first)
            if message is not None:
                return message
        first = last
    return None


def compare(sql, ours, reference):
    """None when the answers agree, else a sentence about the first difference."""
    if len(ours.rows) != len(reference.rows):
        return f"{len(ours.rows)} rows instead of {len(reference.rows)}"
    if not ours.rows:
        return None
    if len(ours.rows[0]) != len(reference.rows[0]):
        return f"{len(ours.rows[0])} columns instead of {len(reference.rows[0])}"
    comparer = _Comparer(sql, ours, reference)
    message = comparer.first_difference(ours.rows, reference.rows)
    if message is None:
        return None
    return _compare_ties(comparer, sql, ours, reference)
