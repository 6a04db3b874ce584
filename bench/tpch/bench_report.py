"""Medians and geometric means of a run, as a table to read and as data to keep."""
import json
import math
import statistics


def _median(values):
    return statistics.median(values) if values else None


def _geometric_mean(values):
    if not values or any(value is None or value <= 0 for value in values):
        return None
    return math.exp(statistics.fmean(math.log(value) for value in values))


def _ratio(ours, peer):
    return ours / peer if ours is not None and peer else None


def _format(value, is_ratio=False):
    if value is None:
        return "-"
    if is_ratio:
        return f"{value:.2f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


AGREES = "agrees"
NOT_COMPARED = "not compared"

COLUMNS = ("ours, wall", "ours, cpu", "duckdb, wall", "duckdb, cpu", "wall ratio", "cpu ratio")


class Report:
    """Collects the runs of each query. `facts` go into the data as they are."""

    def __init__(self, facts):
        self.facts = facts
        self.queries = {}    # name -> {"rows", "answer", "ours": {...}, "duckdb": {...}}

    def query(self, name):
        return self.queries.setdefault(name, {
            "rows": None, "answer": NOT_COMPARED,
            "ours": {"wall_ms": [], "cpu_ms": []}, "duckdb": {"wall_ms": [], "cpu_ms": []}})

    def add_run(self, name, side, wall_ms, cpu_ms):
        run = self.query(name)[side]
        run["wall_ms"].append(round(wall_ms, 3))
        if cpu_ms is not None:
            run["cpu_ms"].append(round(cpu_ms, 3))

    def add_agreement(self, name):
        entry = self.query(name)
        if entry["answer"] == NOT_COMPARED:
            entry["answer"] = AGREES

    def add_problem(self, name, message):
        """A difference or a failure; the first one of a query is kept."""
        entry = self.query(name)
        if entry["answer"] in (NOT_COMPARED, AGREES):
            entry["answer"] = message

    def problems(self):
        """A line for each query that differed or failed."""
        return [f"{name}: {entry['answer']}" for name, entry in self.queries.items()
                if entry["answer"] not in (NOT_COMPARED, AGREES)]

    def medians(self, name):
        """The six columns of a query; None where nothing was measured."""
        entry = self.queries[name]
        values = [_median(entry[side][measure])
                  for side in ("ours", "duckdb") for measure in ("wall_ms", "cpu_ms")]
        return [*values, _ratio(values[0], values[2]), _ratio(values[1], values[3])]

    def summary(self):
        """{"geometric mean": six columns, "sum": six columns} over the queries that ran."""
        table = [self.medians(name) for name in self.queries]
        table = [row for row in table if row[0] is not None]
        columns = list(zip(*table)) or [()] * len(COLUMNS)
        means = [_geometric_mean(column) for column in columns]
        sums = [None if not column or None in column else sum(column) for column in columns[:4]]
        return {"geometric mean": means,
                "sum": [*sums, _ratio(sums[0], sums[2]), _ratio(sums[1], sums[3])]}

    def lines(self):
        """The table: a list of rows of texts, headings first, without columns nobody measured."""
        rows = [["query", *COLUMNS, "rows", "answer"]]
        for name, entry in self.queries.items():
            answer = {NOT_COMPARED: "-", AGREES: "agrees"}.get(entry["answer"], "**see below**")
            count = "-" if entry["rows"] is None else str(entry["rows"])
            rows.append([name, *self._cells(self.medians(name)), count, answer])
        measured = sum(bool(entry["ours"]["wall_ms"]) for entry in self.queries.values())
        for title, values in self.summary().items():
            rows.append([f"{title} of {measured}", *self._cells(values), "", ""])
        kept = [column for column in range(len(rows[0]))
                if any(row[column] not in ("-", "") for row in rows[1:])]
        return [[row[column] for column in kept] for row in rows]

    def text(self):
        lines = self.lines()
        widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
        rows = ["  ".join([row[0].ljust(widths[0])]
                          + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
                for row in lines]
        return "\n".join(row.rstrip() for row in rows + self.problems()) + "\n"

    def markdown(self):
        lines = self.lines()
        marks = ["---"] + ["---:"] * (len(lines[0]) - 1)
        table = "\n".join(f"| {' | '.join(row)} |" for row in [lines[0], marks, *lines[1:]])
        facts = "\n".join(f"- {name.replace('_', ' ')}: {value}"
                          for name, value in self.facts.items() if value is not None)
        rest = "\n".join(f"- {line}" for line in self.problems())
        return (f"# TPC-H, scale {self.facts['scale']:g}\n\n{facts}\n\n"
                "Milliseconds, medians. A ratio below 1 means that we are faster.\n\n"
                f"{table}\n" + (f"\n{rest}\n" if rest else ""))

    def json(self):
        names = [column.replace(", ", "_").replace(" ", "_") for column in COLUMNS]
        summary = {
            title.replace(" ", "_"): {
                name: None if value is None else round(value, 4)
                for name, value in zip(names, values)}
            for title, values in self.summary().items()}
        return json.dumps({**self.facts, "queries": self.queries, "summary": summary},
                          indent=1) + "\n"

    @staticmethod
    def _cells(values):
        return [_format(value, is_ratio=column >= 4) for column, value in enumerate(values)]
