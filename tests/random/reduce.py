"""Makes a query that shows a difference small: parts go, or are replaced by their own parts or by
constants, as long as the difference stays.
"""

import copy
import time

from tree import Constant, Expr, Join, Query, Select, SetOperation


def smaller(node):
    """What might stand in place of a node."""
    if isinstance(node, SetOperation):
        yield node.left
        yield node.right
    if isinstance(node, Join):
        yield node.left
        yield node.right
    if isinstance(node, Expr):
        if isinstance(node, Constant):
            return
        for child in node.walk():
            if child is not node and isinstance(child, Expr) and \
                    child.type.kind == node.type.kind and \
                    (node.type.kind != "dec" or child.type == node.type):
                yield child  # the scale of decimals decides how templates round
        simple = {"bool": "true", "date": "2020-01-01", "timestamp": "2020-01-01 00:00:00"}
        text = simple.get(node.type.kind, "1" if node.type.kind not in ("char", "varchar") else "a")
        yield Constant(node.type, text, 1)
        yield Constant(node.type, None, 0)


def edits(tree):
    """Functions that each change a copy of `tree`, in the order of promise."""
    nodes = list(tree.walk())
    for index, node in enumerate(nodes):
        for name, items in node.lists():
            is_needed = name in ("args", "cells") or len(items) == 1 and name == "sources" or \
                (name == "items" and len(items) == 1)
            if is_needed or (name == "order" and is_cut(node)):
                continue
            if len(items) > 2:
                yield index, lambda n, name=name: setattr(n, name, getattr(n, name)[:1])
            for i in range(len(items)):
                yield index, lambda n, name=name, i=i: getattr(n, name).pop(i)
        if isinstance(node, Query):
            for name, empty in (("order", []), ("limit", None), ("offset", None)):
                if getattr(node, name) not in (None, []) and not (name == "order" and is_cut(node)):
                    yield index, lambda n, name=name, empty=empty: setattr(n, name, empty)
            if isinstance(node, Select) and node.is_distinct:
                yield index, lambda n: setattr(n, "is_distinct", False)
            if isinstance(node, Select) and node.grouping != "plain":
                yield index, lambda n: setattr(n, "grouping", "plain")
        if isinstance(node, Join) and node.kind != "inner" and node.conditions:
            yield index, lambda n: setattr(n, "kind", "inner")
    for index, node in enumerate(nodes):
        for place, (_, _, child) in enumerate(node.places()):
            for choice in range(len(list(smaller(child)))):
                yield index, lambda n, p=place, c=choice: replace(n, p, c)


def is_cut(node):
    """What LIMIT and OFFSET leave is only known as long as the rows are in that order."""
    return isinstance(node, Query) and (node.limit is not None or node.offset is not None)


def replace(node, place, choice):
    holder, key, child = list(node.places())[place]
    holder[key] = list(smaller(child))[choice]


def size(tree):
    return sum(1 for _ in tree.walk())


def reduced(tree, still_differs, seconds=60):
    """The smallest tree found in the time."""
    deadline = time.monotonic() + seconds
    improved = True
    while improved and time.monotonic() < deadline:
        improved = False
        if isinstance(tree, SetOperation):
            for side in (tree.left, tree.right):
                if still_differs(side):
                    tree, improved = side, True
                    break
            if improved:
                continue
        for index, edit in edits(tree):
            if time.monotonic() > deadline:
                break
            candidate = copy.deepcopy(tree)
            try:
                edit(list(candidate.walk())[index])
            except (IndexError, AttributeError):
                continue
            if size(candidate) <= size(tree) and still_differs(candidate):
                tree, improved = candidate, True
                break
    return tree
