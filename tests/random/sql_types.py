"""The SQL types of random queries: names, ranges, result rules of decimals, canonical text.

Rules of decimals are Redshift's ("Computations with numeric values"), as the README of the binder
names them; PostgreSQL's side of a query is written so that it gives the same.
"""

import collections
import decimal

PRECISION_MAX = 38
INTEGERS = ("int2", "int4", "int8")
NUMBERS = INTEGERS + ("dec", "real", "double")
TEXTS = ("char", "varchar")
MOMENTS = ("date", "timestamp")
KINDS = ("bool",) + NUMBERS + TEXTS + MOMENTS
LIMITS = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
NAMES = {"bool": "boolean", "int2": "smallint", "int4": "integer", "int8": "bigint",
         "real": "real", "double": "double precision", "date": "date", "timestamp": "timestamp"}
CHAR_LENGTH = 4
CONTEXT = decimal.Context(prec=100)


class Type(collections.namedtuple("Type", "kind precision scale", defaults=(0, 0))):
    """`precision` is the length of texts, 0: no limit."""

    def sql(self):
        if self.kind == "dec":
            return f"decimal({self.precision},{self.scale})"
        if self.kind in TEXTS:
            return self.kind + (f"({self.precision})" if self.precision else "")
        return NAMES[self.kind]


BOOL, INT2, INT4, INT8 = Type("bool"), Type("int2"), Type("int4"), Type("int8")
REAL, DOUBLE, DATE, TIMESTAMP = Type("real"), Type("double"), Type("date"), Type("timestamp")
VARCHAR, CHAR = Type("varchar"), Type("char", CHAR_LENGTH)
PLAIN = {t.kind: t for t in (BOOL, INT2, INT4, INT8, REAL, DOUBLE, DATE, TIMESTAMP, VARCHAR, CHAR)}


def decimal_type(precision, scale):
    return Type("dec", max(1, min(precision, PRECISION_MAX)), scale)


def add_type(left, right):
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    return decimal_type(whole + 1 + scale, scale)


def multiply_type(left, right):
    return decimal_type(left.precision + right.precision + 1, left.scale + right.scale)


def divide_type(left, right):
    scale = max(4, left.scale + right.precision - right.scale + 1)
    precision = left.precision - left.scale + right.scale + scale
    if precision > PRECISION_MAX:
        scale = max(4, scale - (precision - PRECISION_MAX))
    return decimal_type(precision, scale)


def common_decimal(left, right):
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale)
    return decimal_type(scale + whole, scale)


def decimal_of(type_):
    """An integer as the decimal it becomes beside one."""
    digits = {"int2": 5, "int4": 10, "int8": 19}
    return decimal_type(digits[type_.kind], 0) if type_.kind in digits else type_


def common_type(left, right):
    """The type of CASE, COALESCE, UNION … over two of one kind, or of numbers or moments."""
    if left.kind == right.kind != "dec":
        return left
    if left.kind in NUMBERS and right.kind in NUMBERS:
        if "double" in (left.kind, right.kind) or "real" in (left.kind, right.kind):
            return DOUBLE
        if "dec" in (left.kind, right.kind):
            return common_decimal(decimal_of(left), decimal_of(right))
        return max(left, right, key=lambda t: INTEGERS.index(t.kind))
    return TIMESTAMP if left.kind in MOMENTS else left


def is_too_wide(kinds):
    """Do these types have no common decimal of 38 digits? DuckDB loses digits then."""
    if all(t.kind != "dec" for t in kinds):
        return False
    whole = {"int2": 5, "int4": 10, "int8": 19}
    numbers = [(whole.get(t.kind, t.precision - t.scale), t.scale) for t in kinds
               if t.kind in INTEGERS or t.kind == "dec"]
    return len(set(numbers)) > 1 and \
        max(w for w, _ in numbers) + max(s for _, s in numbers) >= PRECISION_MAX


def canonical(text, kind):
    """One text for what counts as one value: floats at 12 digits (REAL 6), decimals without
    trailing zeros, texts without trailing blanks."""
    if text is None:
        return None
    if kind == "bool":
        return {"true": "t", "false": "f"}.get(text, text)
    if kind in INTEGERS or kind == "dec":
        try:
            number = CONTEXT.create_decimal(text)
        except decimal.InvalidOperation:
            return text
        return format(number.normalize(CONTEXT) if number else decimal.Decimal(0), "f")
    if kind in ("real", "double"):
        number = float(text)
        return format(number + 0.0 if number else 0.0, ".6g" if kind == "real" else ".12g")
    if kind in TEXTS:
        return text.rstrip(" ")
    if kind == "timestamp" and "." in text:
        return text.rstrip("0").rstrip(".")
    return text
