"""What a history of transactions must not show under snapshot isolation.

A history is a list of Operation; each checker returns its anomalies as sentences, none when all is
well. Outcomes: "ok" (acknowledged), "fail" (reported as failed: nothing of it may ever be seen),
"unknown" (the answer was lost: seen as a whole or not at all).

Run as a script it plants one anomaly of every class and must find each: the checkers' own test.
Classes after Adya, "Weak Consistency" (1999), and Elle (Kingsbury and Alvaro, VLDB 2020).
"""
import collections
import sys
from dataclasses import dataclass, field


@dataclass
class Operation:
    start: float
    end: float
    outcome: str
    # bank, set, fork, batch: what was read or written; append: [("append", key, value) or
    # ("read", key, [values])] in order
    kind: str = ""
    value: object = None
    steps: list = field(default_factory=list)


# ---- bank: the sum never changes ----

def bank_anomalies(history, accounts, total):
    return [f"a read at {op.start:.3f} saw {op.value[0]} accounts with {op.value[1]} in all"
            for op in history if op.kind == "read" and op.outcome == "ok"
            and op.value != (accounts, total)]


# ---- set: rows that were acknowledged are there, once ----

def set_anomalies(history):
    found = []
    adds = {op.value: op for op in history if op.kind == "add"}
    acknowledged = sorted((op.end, op.value) for op in adds.values() if op.outcome == "ok")
    reads = sorted((op for op in history if op.kind == "read" and op.outcome == "ok"),
                   key=lambda op: op.start)
    due, position = set(), 0
    for read in reads:
        while position < len(acknowledged) and acknowledged[position][0] < read.start:
            due.add(acknowledged[position][1])
            position += 1
        seen = collections.Counter(read.value)
        found += [f"{value} is there {n} times" for value, n in seen.items() if n > 1]
        found += [f"{value} was acknowledged and is lost" for value in due - set(seen)]
        found += [f"{value} was never written, or reported as failed" for value in seen
                  if value not in adds or adds[value].outcome == "fail"]
    return found


# ---- fork: two writes are seen in one order by everybody ----

def fork_anomalies(history):
    found = []
    groups = collections.defaultdict(set)
    for op in history:
        if op.kind == "read" and op.outcome == "ok":
            groups[op.value[0]].add(frozenset(op.value[1]))
    for group, reads in groups.items():
        chain = sorted(reads, key=len)
        found += [f"group {group} was seen as {sorted(small)} and as {sorted(large)}"
                  for small, large in zip(chain, chain[1:]) if not small <= large]
    return found


# ---- batch: all rows of a load or none, in every table it went to ----

def batch_anomalies(history, rows):
    found = []
    loads = {op.value: op for op in history if op.kind == "load"}
    for read in (op for op in history if op.kind == "read" and op.outcome == "ok"):
        for batch, count in read.value.items():
            if count != rows:
                found.append(f"batch {batch} had {count} of {rows} rows")
            if batch not in loads or loads[batch].outcome == "fail":
                found.append(f"batch {batch} failed and is there")
        found += [f"batch {batch} was acknowledged and is lost" for batch, op in loads.items()
                  if op.outcome == "ok" and op.end < read.start and batch not in read.value]
    return found


# ---- append: the order of each list is the order of its writers ----

class _Appends:
    def __init__(self, history):
        self.history = [op for op in history if op.steps]
        self.found = []
        self.writer = {}  # (key, value) -> index of its operation
        self.orders = {}  # key -> longest list that was read
        for i, op in enumerate(self.history):
            for step in op.steps:
                if step[0] == "append":
                    self.writer[step[1], step[2]] = i

    def reads(self):
        """(operation, key, what others had written) of each acknowledged read."""
        for i, op in enumerate(self.history):
            own = collections.defaultdict(list)
            for kind, key, value in op.steps:
                if kind == "append":
                    own[key].append(value)
                elif op.outcome == "ok":
                    mine = own[key]
                    if mine and value[len(value) - len(mine):] != mine:
                        self.found.append(f"a transaction does not see its own {mine} in {key}")
                    yield i, key, value[:len(value) - len(mine)] if mine else value

    def check_reads(self):
        for i, key, values in self.reads():
            if len(set(values)) != len(values):
                self.found.append(f"list {key} has a value twice: {values}")
            for value in values:
                writer = self.writer.get((key, value))
                if writer is None or self.history[writer].outcome == "fail":
                    self.found.append(f"{value} in {key} was never committed (G1a)")
            longest = self.orders.get(key, [])
            short, long = sorted((values, longest), key=len)
            if long[:len(short)] != short:
                self.found.append(f"list {key} was read as {short} and as {long}")
            self.orders[key] = long
            self.check_whole(i, key, values)
            self.check_fresh(i, key, values)

    def check_whole(self, i, key, values):
        """All values of the last writer, not some (G1b)."""
        if not values or (key, values[-1]) not in self.writer:
            return
        writer = self.writer[key, values[-1]]
        theirs = [v for kind, k, v in self.history[writer].steps if kind == "append" and k == key]
        if writer != i and theirs[-1] != values[-1]:
            self.found.append(f"{key} was read between two writes of one transaction (G1b)")

    def check_fresh(self, i, key, values):
        seen = set(values)
        start = self.history[i].start
        for ended, value in self.acknowledged[key]:
            if ended >= start:
                break
            if value not in seen:
                self.found.append(f"{value} in {key} was acknowledged before a read without it")

    def note_acknowledged(self):
        self.acknowledged = collections.defaultdict(list)
        for (key, value), i in self.writer.items():
            if self.history[i].outcome == "ok":
                self.acknowledged[key].append((self.history[i].end, value))
        for times in self.acknowledged.values():
            times.sort()

    def edges(self):
        follows, overtaken = collections.defaultdict(set), set()  # ww and wr; rw
        for key, order in self.orders.items():
            writers = [self.writer[key, value] for value in order if (key, value) in self.writer]
            for before, after in zip(writers, writers[1:]):
                if before != after:
                    follows[before].add(after)
        for i, key, values in self.reads():
            order = self.orders[key]
            if values and (key, values[-1]) in self.writer:
                writer = self.writer[key, values[-1]]
                if writer != i:
                    follows[writer].add(i)
            if len(values) < len(order) and (key, order[len(values)]) in self.writer:
                after = self.writer[key, order[len(values)]]
                if after != i:
                    overtaken.add((i, after))
        return follows, overtaken

    def check_cycles(self):
        follows, overtaken = self.edges()
        rank = _topological(follows, len(self.history))
        if rank is None:
            self.found.append("transactions follow each other in a circle (G0, G1c)")
            return
        for reader, writer in overtaken:
            if _reaches(follows, rank, writer, reader):
                self.found.append("a transaction has seen what followed a write it has missed"
                                  " (G-single)")


def _topological(follows, count):
    """Rank of each node in an order of the graph; None when it has a circle."""
    incoming = collections.Counter(after for afters in follows.values() for after in afters)
    ready = collections.deque(i for i in range(count) if incoming[i] == 0)
    rank = {}
    while ready:
        node = ready.popleft()
        rank[node] = len(rank)
        for after in follows.get(node, ()):
            incoming[after] -= 1
            if incoming[after] == 0:
                ready.append(after)
    return rank if len(rank) == count else None


def _reaches(follows, rank, start, end):
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        fresh = {after for after in follows.get(node, ()) if rank[after] <= rank[end]} - seen
        seen |= fresh
        waiting += fresh
    return False


def append_anomalies(history):
    appends = _Appends(history)
    appends.note_acknowledged()
    appends.check_reads()
    appends.check_cycles()
    return appends.found


# ---- the checkers' own test ----

def _op(start, outcome, kind="", value=None, steps=()):
    return Operation(start, start + 0.5, outcome, kind, value, list(steps))


def _append(start, outcome, *steps):
    return _op(start, outcome, steps=steps)


GOOD = (
    (bank_anomalies, [_op(0, "ok", "read", (2, 10)), _op(1, "fail", "read", (2, 9))], (2, 10)),
    (set_anomalies, [_op(0, "ok", "add", 1), _op(1, "unknown", "add", 2), _op(2, "fail", "add", 3),
                     _op(3, "ok", "read", [1, 2]), _op(3, "ok", "read", [1])], ()),
    (fork_anomalies, [_op(0, "ok", "read", (1, [])), _op(0, "ok", "read", (1, [0])),
                      _op(0, "ok", "read", (1, [0, 1]))], ()),
    (batch_anomalies, [_op(0, "ok", "load", 1), _op(1, "ok", "read", {1: 5})], (5,)),
    (append_anomalies, [_append(0, "ok", ("append", 1, 1)), _append(1, "unknown", ("append", 1, 2)),
                        _append(2, "ok", ("read", 1, [1]), ("append", 1, 3), ("read", 1, [1, 3])),
                        _append(3, "ok", ("read", 1, [1, 3]))], ()),
    # write skew: snapshot isolation allows it
    (append_anomalies, [_append(0, "ok", ("read", 1, []), ("append", 2, 1)),
                        _append(0, "ok", ("read", 2, []), ("append", 1, 2)),
                        _append(1, "ok", ("read", 1, [2]), ("read", 2, [1]))], ()),
)
BAD = (
    ("bank", bank_anomalies, [_op(0, "ok", "read", (2, 9))], (2, 10)),
    ("lost row", set_anomalies, [_op(0, "ok", "add", 1), _op(1, "ok", "read", [])], ()),
    ("row of a failure", set_anomalies, [_op(0, "fail", "add", 1), _op(1, "ok", "read", [1])], ()),
    ("row twice", set_anomalies, [_op(0, "ok", "add", 1), _op(1, "ok", "read", [1, 1])], ()),
    ("long fork", fork_anomalies, [_op(0, "ok", "read", (1, [0])), _op(0, "ok", "read", (1, [1]))],
     ()),
    ("partial load", batch_anomalies, [_op(0, "ok", "load", 1), _op(1, "ok", "read", {1: 4})], (5,)),
    ("lost load", batch_anomalies, [_op(0, "ok", "load", 1), _op(1, "ok", "read", {})], (5,)),
    ("load of a failure", batch_anomalies, [_op(0, "fail", "load", 1), _op(1, "ok", "read", {1: 5})],
     (5,)),
    ("G1a", append_anomalies, [_append(0, "fail", ("append", 1, 1)),
                               _append(1, "ok", ("read", 1, [1]))], ()),
    ("G1b", append_anomalies, [_append(0, "ok", ("append", 1, 1), ("append", 1, 2)),
                               _append(0, "ok", ("read", 1, [1]))], ()),
    ("lost append", append_anomalies, [_append(0, "ok", ("append", 1, 1)),
                                       _append(1, "ok", ("read", 1, []))], ()),
    ("two orders", append_anomalies, [_append(0, "ok", ("append", 1, 1)),
                                      _append(0, "ok", ("append", 1, 2)),
                                      _append(0, "ok", ("read", 1, [1, 2])),
                                      _append(0, "ok", ("read", 1, [2, 1]))], ()),
    ("own write unseen", append_anomalies, [_append(0, "ok", ("append", 1, 1), ("read", 1, []))], ()),
    ("G0", append_anomalies, [_append(0, "ok", ("append", 1, 1), ("append", 2, 1)),
                              _append(0, "ok", ("append", 1, 2), ("append", 2, 2)),
                              _append(0, "ok", ("read", 1, [1, 2]), ("read", 2, [2, 1]))], ()),
    ("G1c", append_anomalies, [_append(0, "ok", ("append", 1, 1), ("read", 2, [2])),
                               _append(0, "ok", ("append", 2, 2), ("read", 1, [1]))], ()),
    ("G-single", append_anomalies, [_append(0, "ok", ("append", 1, 1), ("append", 2, 1)),
                                    _append(0, "ok", ("read", 1, []), ("read", 2, [1])),
                                    _append(0, "ok", ("read", 1, [1]))], ()),
)


def self_test():
    wrong = 0
    for check, history, arguments in GOOD:
        anomalies = check(history, *arguments)
        if anomalies:
            print(f"FAILED: {check.__name__} finds {anomalies} in a good history")
            wrong += 1
    for name, check, history, arguments in BAD:
        if not check(history, *arguments):
            print(f"FAILED: {check.__name__} does not find: {name}")
            wrong += 1
    print(f"{len(GOOD) + len(BAD) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(self_test())
