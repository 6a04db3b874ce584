"""A script of statements of every kind, and the model that tells what they leave.

A walk runs one statement after the other on a small cluster, each while something goes wrong in one
of its processes, and holds the cluster against the model: what was acknowledged is there, what was
refused is not, what is unknown is there wholly or not at all; whoever died comes back into the same
data, and the next statement works.
"""

import random
import sys
import threading
import time

import cluster
import pgwire
from seeded import Failure, breaks, outcome

NODES = 2
END_MAX = 20.0  # seconds until a statement has ended
BUILDUP = 600  # rows of a COPY; long enough for a file on each slice
NOTE = bytes(97 + i * i % 23 for i in range(4000))
FAILURES_MAX = 20
# What a client may be told; the outcome is unknown after 08 and 57P.
REFUSED = {"58030", "53100", "53200", "40001", "57014", "58000"}
UNKNOWN = {"08006", "08007", "08000", "57P01", "57P03"}
ASKS_FOR_RESTART = "restart the leader"


class Step:
    """One entry of the script: SQL text, an effect on the model, what prepares it."""

    def __init__(self, name, run, effect=None):
        self.name, self.run, self.effect = name, run, effect or (lambda model: None)


class Model:
    """Rows by table; None: the table does not exist."""

    def __init__(self):
        self.tables = {"facts": {}, "ledger": {}, "made": None}
        self.columns = 0  # added to ledger

    def copy(self):
        other = Model()
        other.tables = {n: None if t is None else dict(t) for n, t in self.tables.items()}
        other.columns = self.columns
        return other

    def __eq__(self, other):
        return self.tables == other.tables and self.columns == other.columns


class Walk:
    refused, unknown, end_max = REFUSED, UNKNOWN, END_MAX
    needs_restart = True  # after an unknown outcome in a leader that goes on

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.next_id = 1
        self.model = Model()
        self.failures = []
        self.counts = {"runs": 0, "reached": 0, "refused": 0, "acknowledged": 0, "unknown": 0,
                       "died": 0, "restarts asked for": 0}
        self.server = self.make_cluster()

    def make_cluster(self):
        server = cluster.Cluster(NODES, preset=self.options.preset,
                                 environment=breaks(self.options),
                                 settings={"auto_merge": "off", "workers": 2,
                                           "metadata_log_bytes": "64kB",
                                           "cache_bytes": "64kB", "memory_limit": "256MB"})
        for process in server.processes():
            process.open_control()
        return server

    # ---- the script ----

    def ids(self, count):
        first = self.next_id
        self.next_id += count
        return range(first, first + count)

    def fill(self):
        """Undisturbed: rows that steps can change, few enough to compare whole."""
        with self.server.connect() as c:
            if len(self.model.tables["facts"]) > 6000:
                c.query_all("truncate facts")
                self.model.tables["facts"] = {}
            if len(self.model.tables["facts"]) < 2000:
                ids = self.ids(2 * BUILDUP)
                c.copy_in("copy facts from stdin delimiter '|'", self.text(ids))
                self.model.tables["facts"].update({i: i * 7 for i in ids})
            if len(self.model.tables["ledger"]) < 20:
                ids = self.ids(30)
                c.query_all("insert into ledger (id, v) values " +
                            ",".join(f"({i},{i})" for i in ids))
                self.model.tables["ledger"].update({i: i for i in ids})

    @staticmethod
    def text(ids):
        return b"".join(b"%d|%d|%d%s\n" % (i, i * 7, i, NOTE) for i in ids)

    def steps(self):
        """The script anew, with ids of its own, for the model as it is."""
        facts, ledger = self.model.tables["facts"], self.model.tables["ledger"]
        keys = sorted(facts)
        some = self.random.randrange(7)
        copied, inserted, merged = self.ids(BUILDUP), self.ids(3), self.ids(50)
        low = keys[0]
        column = self.model.columns

        def sql(text):
            return lambda c: c.query_all(text)

        def copy(c):
            c.copy_in("copy facts from stdin delimiter '|'", self.text(copied))

        def several(c):
            try:
                c.query_all("begin")
                c.query_all(f"insert into facts values ({inserted[0]}, 5, 'a')")
                c.query_all(f"insert into ledger (id, v) select id, v from facts where id % 7 = {some}")
                c.query_all(f"delete from facts where id % 7 = {some}")
                c.query_all("commit")
            except pgwire.ServerError:
                if c.status in ("E", "T"):
                    c.query_all("rollback")
                raise

        def merge(c):
            c.query_all("create temp table src (id bigint, v bigint)")
            try:
                c.query_all("insert into src values " +
                            ",".join(f"({i},{-i})" for i in [*merged, *keys[:50]]))
                c.query_all("merge into facts using src on facts.id = src.id "
                            "when matched then update set v = src.v "
                            "when not matched then insert values (src.id, src.v, 'm')")
            finally:
                c.close()

        def select(c):
            c.query_all("set force_spill = on")
            rows = c.rows("select a.v % 3, count(*), sum(b.id) from facts a, facts b "
                          "where a.v = b.id * 7 group by 1 order by 1")
            wanted = {}
            for v in facts.values():
                if v % 7 == 0 and v // 7 in facts:
                    n, s = wanted.get(v % 3, (0, 0))
                    wanted[v % 3] = (n + 1, s + v // 7)
            # The dialect's remainder has the sign of its dividend; merged rows are negative.
            if all(v >= 0 for v in facts.values()):
                found = {int(r[0]): (int(r[1]), int(r[2])) for r in rows}
                if found != wanted:
                    raise Failure(f"SELECT found {found}, not {wanted}")

        def several_effect(m):
            f, l = m.tables["facts"], m.tables["ledger"]
            f[inserted[0]] = 5
            gone = [i for i in f if i % 7 == some]
            l.update({i: f[i] for i in gone})
            for i in gone:
                del f[i]

        def set_table(name, rows):
            def effect(m):
                m.tables[name] = rows
            return effect

        def update_effect(m):
            f = m.tables["facts"]
            f.update({i: v + 1 for i, v in f.items() if i % 5 == some % 5})

        def delete_effect(m):
            m.tables["facts"] = {i: v for i, v in facts.items() if i >= low + 40}

        def alter_effect(m):
            m.columns += 1
        steps = [
            Step("COPY", copy, lambda m: m.tables["facts"].update({i: i * 7 for i in copied})),
            Step("INSERT", sql(f"insert into facts values ({inserted[1]}, 1, 'x')"),
                 lambda m: m.tables["facts"].update({inserted[1]: 1})),
            Step("COMMIT", several, several_effect),
            Step("UPDATE", sql(f"update facts set v = v + 1 where id % 5 = {some % 5}"),
                 update_effect),
            Step("DELETE", sql(f"delete from facts where id < {low + 40}"), delete_effect),
            Step("MERGE", merge, lambda m: m.tables["facts"].update(
                {i: -i for i in [*merged, *keys[:50]]})),
            Step("ALTER TABLE", sql(f"alter table ledger add column c{column} integer"),
                 alter_effect),
            Step("TRUNCATE", sql("truncate ledger"), set_table("ledger", {})),
            Step("VACUUM", sql("vacuum full facts to 100 percent")),
            Step("SELECT", select),
            Step("ANALYZE", sql("analyze facts")),
        ]
        if self.model.tables["made"] is None:
            steps.append(Step("CREATE", sql("create table made distkey (id) as select id, v "
                                            f"from facts where id % 7 = {some}"),
                              set_table("made", {i: v for i, v in facts.items()
                                                 if i % 7 == some})))
        else:
            steps.append(Step("DROP", sql("drop table made"), set_table("made", None)))
        return {s.name: s for s in steps}

    # ---- the model against the cluster ----

    def seen(self, c):
        model = Model()
        for name in model.tables:
            try:
                rows = c.rows(f"select id, v from {name}")
            except pgwire.ServerError as error:
                if name == "made" and error.sqlstate == "42P01":
                    model.tables[name] = None
                    continue
                raise
            model.tables[name] = {int(i): int(v) for i, v in rows}
            if len(model.tables[name]) != len(rows):
                raise Failure(f"{name} has rows twice")
        model.columns = len(c.query("select * from ledger where 1 = 0").columns) - 2
        return model

    def difference(self, seen, wanted):
        parts = []
        for name in wanted.tables:
            s, w = seen.tables[name], wanted.tables[name]
            if s is None or w is None:
                parts.append(f"{name}: {'gone' if s is None else 'there'}") if s != w else None
            elif s != w:
                lost, more = w.keys() - s.keys(), s.keys() - w.keys()
                other = [i for i in w.keys() & s.keys() if s[i] != w[i]]
                parts.append(f"{name}: {len(lost)} rows lost, {len(more)} too many, "
                             f"{len(other)} with other values")
        if seen.columns != wanted.columns:
            parts.append(f"columns {seen.columns}, not {wanted.columns}")
        return "; ".join(parts)

    def compare(self, when, before, after, how):
        """`how` the statement ended: acknowledged, refused, unknown."""
        deadline = time.monotonic() + self.end_max
        while True:
            try:
                with self.server.connect(timeout=15) as c:
                    seen = self.seen(c)
                break
            except (pgwire.ServerError, OSError, ConnectionError) as error:
                self.revive(when)
                if time.monotonic() > deadline:
                    raise Failure(f"{when}: cannot read any more: {error}") from error
                time.sleep(0.05)
        may_be = {"acknowledged": [after], "refused": [before], "unknown": [before, after]}[how]
        if seen not in may_be:
            raise Failure(f"{when}, {how}: {self.difference(seen, may_be[-1])}")
        self.model = seen

    def probe(self, when):
        """The next statements work: a write of every node and a read."""
        ids = self.ids(8)
        deadline = time.monotonic() + self.end_max
        before, after = self.model.copy(), self.model.copy()
        after.tables["facts"].update({i: 0 for i in ids})
        is_restarted = False
        while True:
            try:
                with self.server.connect(timeout=15) as c:
                    c.query_all("insert into facts select id, 0, 'p' from (" + " union all ".join(
                        f"select {i} as id" for i in ids) + ") s")
                break
            except (pgwire.ServerError, OSError, ConnectionError) as error:
                self.revive(when)
                hint = error.fields.get("H", "") if isinstance(error, pgwire.ServerError) else ""
                if ASKS_FOR_RESTART in hint and not is_restarted:
                    is_restarted = True
                    self.counts["restarts asked for"] += 1
                    self.restart(self.server.leader, when)
                elif time.monotonic() > deadline:
                    raise Failure(f"{when}: the next statement fails: {error} {hint}") from error
                else:
                    time.sleep(0.05)
                self.compare(f"{when}, next statement", before, after, "unknown")
                if self.model == after:
                    return
        self.model = after

    # ---- processes ----

    def stop(self, process, when):
        """A clean stop: in a build with LeakSanitizer it also finds leaks of error paths."""
        code = process.stop()
        if code != 0:
            raise Failure(f"{when}: exit code {code} of a clean stop:\n{process.log()[-4000:]}")

    def restart(self, process, when):
        if process.is_running():
            self.stop(process, when)
        process.start()
        self.server.wait_ready(timeout=END_MAX)

    def may_have_ended(self, process):
        """Whether what went wrong explains that this process is gone."""
        return False

    def revive(self, when):
        """Starts what has ended, be it now or later."""
        died = False
        for process in self.server.processes():
            if not process.is_running():
                died = True
                if not self.may_have_ended(process):
                    raise Failure(f"{when}: {process.arguments[1]} ended by itself "
                                  f"({process.process.returncode}):\n{process.log()[-4000:]}")
                process.start()
        if died:
            self.counts["died"] += 1
            self.server.wait_ready(timeout=END_MAX)
        return died

    def role(self, process):
        return "leader" if process is self.server.leader else "node"

    def processes_of(self, role):
        return [self.server.leader] if role == "leader" else self.server.nodes

    # ---- runs ----

    def begin(self, step, when, connection=None):
        """Runs a step on a thread of its own; the list gets its outcome and its error."""
        ends = []

        def run():
            try:
                with connection or self.server.connect(timeout=self.end_max) as c:
                    ends.append(outcome(lambda: step.run(c), when, self.refused, self.unknown))
            except OSError as error:  # of the connection itself
                ends.append(("unknown", error))
            except Exception as error:  # reported by `end`
                ends.append((None, error))
        thread = threading.Thread(target=run)
        thread.start()
        return thread, ends

    def end(self, thread, ends, when, process):
        """How the step ended, and its error."""
        thread.join(self.end_max)
        if thread.is_alive():
            raise Failure(f"{when}: the statement never ended\n{process.stacks()}")
        how, error = ends[0]
        if self.options.verbose:
            print(f"{when}: {how} {error or ''}", flush=True)
        if how is None:
            raise error if isinstance(error, Failure) else Failure(f"{when}: {error!r}")
        self.counts[how] += 1
        return how, error

    def ready_step(self, name):
        step = self.steps().get(name)
        if step is None:  # CREATE and DROP take turns
            other = self.steps()["DROP" if name == "CREATE" else "CREATE"]
            after = self.model.copy()
            other.effect(after)
            with self.server.connect() as c:
                other.run(c)
            self.model = after
            step = self.steps()[name]
        return step

    def disturb(self, name, what, process, disturbance):
        """Runs one step while something goes wrong in `process`; compares; the step's outcome.

        `disturbance(step, when, process)` makes it go wrong, runs the step by `begin` and `end`,
        and returns its outcome and error."""
        self.fill()
        step = self.ready_step(name)
        when = f"{step.name}: {what} in the {self.role(process)}"
        before, after = self.model, self.model.copy()
        step.effect(after)
        how, error = disturbance(step, when, process)
        self.revive(when)
        if "08007" in f"{error}" and self.needs_restart:
            self.counts["restarts asked for"] += 1  # the leader's log decides when it is read again
            self.restart(self.server.leader, when)
        self.compare(when, before, after, how)
        self.probe(when)
        return when

    def settle_start(self, server, process, codes, when, is_over):
        """Waits until the cluster serves or the process gave up, with one of `codes`; starts it
        once more then. `is_over` is asked again and again, and lets the process go on. True when
        the process gave up."""
        deadline = time.monotonic() + END_MAX
        while time.monotonic() < deadline and process.is_running():
            try:
                is_over()
                with server.connect(timeout=2) as c:
                    states = [r[0] for r in c.rows("select state from svv_cluster_nodes")]
                if all(s == "ready" for s in states) and len(states) == NODES:
                    break
            except (OSError, ConnectionError, pgwire.ServerError):
                pass
            time.sleep(0.03)
        gave_up = not process.is_running()
        if gave_up:
            self.counts["died"] += 1
            if process.process.returncode not in codes:
                raise Failure(f"{when}: exit code {process.process.returncode}:\n"
                              f"{process.log()[-4000:]}")
            process.start()
        else:
            process.control("disarm")
        server.wait_ready(timeout=END_MAX)
        return gave_up

    def first_start(self, role, when, start):
        """A cluster made while something goes wrong; after another start it works.

        `start(server, victim)` starts the victim, waits by `settle_start`, and has the result."""
        server = self.make_cluster()
        processes = server.processes()
        victim = server.leader if role == "leader" else self.random.choice(server.nodes)
        try:
            for process in processes:
                if process is not victim:
                    process.start()
            result = start(server, victim)
            with server.connect() as c:
                c.query_all("create table t (id bigint) distkey (id)")
                c.query_all("insert into t values (1), (2), (3)")
                if c.value("select sum(id) from t") != "6":
                    raise Failure(f"{when}: wrong sum")
            codes = server.stop()
            if any(codes):
                raise Failure(f"{when}: exit codes {codes}\n{server.logs()[-4000:]}")
        finally:
            for process in processes:
                process.kill()
            server.remove()
        return result

    def try_run(self, what, run):
        """A failure is counted; the rest of the walk goes on."""
        try:
            run()
        except (Failure, RuntimeError, OSError, pgwire.ServerError) as failure:
            self.failures.append(f"{what}: {failure}")
            print(f"FAILED: {self.failures[-1]}", file=sys.stderr, flush=True)
            self.start_anew()

    def start_anew(self):
        """After a failure the rest of the walk has a new cluster."""
        for process in self.server.processes():
            process.kill()
        if len(self.failures) >= FAILURES_MAX:
            raise Failure(f"{len(self.failures)} runs")
        fresh = self.make_cluster()
        # The cluster whose exit is awaited stays the same object.
        self.server.remove()
        self.server.__dict__.update(fresh.__dict__)
        self.server.start()
        self.model = Model()
        self.create()

    def create(self):
        with self.server.connect() as c:
            c.query_all("create table facts (id bigint, v bigint, note varchar(5000)) distkey (id) "
                        "sortkey (v)")
            c.query_all("create table ledger (id bigint, v bigint) diststyle even")

    def tell(self, runs):
        """The last lines of the walk."""
        print(", ".join(f"{v} {k}" for k, v in self.counts.items()))
        print(f"{runs - len(self.failures)} passed, {len(self.failures)} failed")
        if self.failures:
            raise Failure(f"{len(self.failures)} runs")
