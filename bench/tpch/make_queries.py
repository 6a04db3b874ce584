#!/usr/bin/python3
"""Writes queries/*.sql: the templates with the validation parameters, for people to read and run.

    make_queries.py [--scale N] [--out DIR] [--check]

--scale  the scale of the data (it decides the fraction in q11)      [1]
--out    where to write                                              [queries]
--check  write nothing; fail when a file is not what would be written
"""
import argparse
import sys
from pathlib import Path

import parameters


def query_texts(scale):
    """{file name: text} of all queries, q15 also in its form with a view."""
    texts = {f"{query}.sql": parameters.validation_sql(query, scale)
             for query in parameters.QUERY_NAMES}
    texts["q15_view.sql"] = parameters.render("q15_view", parameters.validation_values("q15"))
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--out", type=Path, default=parameters.HERE / "queries")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    stale = []
    for name, text in query_texts(options.scale).items():
        path = options.out / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            options.out.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"not up to date, run make_queries.py: {' '.join(stale)}")


if __name__ == "__main__":
    main()
