"""When two answers to one query count as equal, and what counts as neither."""

import collections

import sql_types as types

REFUSED = "0A000"
LIMITS = ("57014", "53200")  # too long; more memory than the grant of a small one
# Errors that depend on which rows and parts an engine evaluates at all: PostgreSQL's manual,
# "Expression Evaluation Rules", promises no order, and a column nobody needs is computed by none.
EVALUATION = ("22012", "22003", "21000")


def canonical_rows(rows, kinds):
    return [tuple(types.canonical(v, k) for v, k in zip(row, kinds)) for row in rows]


def difference(ours, theirs, kinds, is_ordered):
    """None, or a word for the kind of difference (the reducer keeps it)."""
    if ours.is_error and theirs.is_error:
        return None if ours.sqlstate not in ("lost", "XX000", "XX001") else f"error {ours.sqlstate}"
    if ours.is_error:
        return f"error {ours.sqlstate}"
    if theirs.is_error:
        return f"no error {theirs.sqlstate}"
    left, right = (canonical_rows(a.rows, kinds) for a in (ours, theirs))
    if is_ordered:
        return "rows" if left != right else None
    return "rows" if collections.Counter(left) != collections.Counter(right) else None


def is_allowed(kind):
    """Kinds of difference that are none of Basalt's faults."""
    return kind.split()[-1] in EVALUATION + LIMITS + (REFUSED, "duck")


def describe(ours, theirs, kinds):
    """The rows that only one side has."""
    if ours.is_error or theirs.is_error:
        return f"  Basalt: {ours}\n  oracle: {theirs}"
    left, right = (collections.Counter(canonical_rows(a.rows, kinds)) for a in (ours, theirs))
    lines = [f"  Basalt {len(ours.rows)} rows, oracle {len(theirs.rows)} rows"]
    for title, rows in (("only Basalt", left - right), ("only oracle", right - left)):
        for row, count in list(rows.items())[:5]:
            lines.append(f"  {title}: {count} × {row}")
    return "\n".join(lines)
