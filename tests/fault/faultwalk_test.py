#!/usr/bin/env python3
"""Every fault point of the program × every action, under every kind of statement.

The points are those that the program lists itself. A first pass runs the script undisturbed and
counts which step reaches which point in which process; a point that no step reaches fails the test.
The walk then arms each point in each role that reaches it with each action, runs a step that
reaches it and holds the cluster against a model: what was acknowledged is there, what was refused is
not, what is unknown is there wholly or not at all; whoever died comes back into the same data, and
the next statement works.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402

ACTIONS = ["error", "nospace", "nomem", "crash", "hang", "sleep"]
NODES = 2
END_MAX = 20.0  # seconds until a statement has ended
BUILDUP = 600  # rows of a COPY; long enough for a file on each slice
NOTE = bytes(97 + i * i % 23 for i in range(4000))
FAILURES_MAX = 20
ATTEMPTS_MAX = 16
# What a client may be told; the outcome is unknown after 08 and 57P.
REFUSED = {"58030", "53100", "53200", "40001", "57014", "58000"}
UNKNOWN = {"08006", "08007", "08000", "57P01", "57P03"}
ASKS_FOR_RESTART = "restart the leader"


class Failure(Exception):
    pass


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
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.next_id = 1
        self.model = Model()
        self.failures = []
        self.is_crash = False
        self.counts = {"runs": 0, "reached": 0, "refused": 0, "acknowledged": 0, "unknown": 0,
                       "died": 0, "restarts asked for": 0}
        self.server = self.make_cluster()

    def make_cluster(self):
        environment = {"BASALT_BREAK": self.options.break_name} if self.options.break_name else {}
        server = cluster.Cluster(NODES, preset=self.options.preset, environment=environment,
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

    def compare(self, when, before, after, outcome):
        """`outcome`: acknowledged, refused, unknown."""
        deadline = time.monotonic() + END_MAX
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
        may_be = {"acknowledged": [after], "refused": [before], "unknown": [before, after]}[outcome]
        if seen not in may_be:
            raise Failure(f"{when}, {outcome}: {self.difference(seen, may_be[-1])}")
        self.model = seen

    def probe(self, when):
        """The next statements work: a write of every node and a read."""
        ids = self.ids(8)
        deadline = time.monotonic() + END_MAX
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

    def restart(self, process, when):
        """A clean stop: in a build with LeakSanitizer it also finds leaks of error paths."""
        if process.is_running():
            code = process.stop()
            if code != 0:
                raise Failure(f"{when}: exit code {code} of a clean stop:\n"
                              f"{process.log()[-4000:]}")
        process.start()
        self.server.wait_ready(timeout=END_MAX)

    def revive(self, when):
        """Starts what the crash killed, be it now or later; anything else that ended is a failure."""
        died = False
        for process in self.server.processes():
            if not process.is_running():
                died = True
                if process.process.returncode != -9 or not self.is_crash:
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

    # ---- which step reaches what ----

    def survey(self):
        """reach[point, role] = {step: hits}: of the steps undisturbed, and of starts."""
        reach = {}
        self.fill()
        for name in list(self.steps()):
            for round in range(2):  # CREATE, then DROP
                self.fill()
                step = self.steps().get(name if round == 0 or name != "CREATE" else "DROP")
                before = {p: p.fault_hits() for p in self.server.processes()}
                after = self.model.copy()
                step.effect(after)
                with self.server.connect() as c:
                    step.run(c)
                for process in self.server.processes():
                    for point, hits in process.fault_hits().items():
                        if hits > before[process][point]:
                            steps = reach.setdefault((point, self.role(process)), {})
                            steps[step.name] = min(steps.get(step.name, 1 << 30),
                                                   hits - before[process][point])
                self.compare(f"{step.name}, undisturbed", self.model, after, "acknowledged")
        for process in self.server.processes():
            self.restart(process, "restart")
            self.note_start(reach, process, "restart")
        return reach

    def note_start(self, reach, process, name):
        for point, hits in process.fault_hits().items():
            if hits > 0:
                steps = reach.setdefault((point, self.role(process)), {})
                steps[name] = min(steps.get(name, 1 << 30), hits)

    def survey_first_start(self, reach):
        """Some points are only reached while a cluster is made."""
        server = self.make_cluster()
        with server:
            for process in server.processes():
                role = "leader" if process is server.leader else "node"
                for point, hits in process.fault_hits().items():
                    if hits > 0 and (point, role) not in reach:
                        reach.setdefault((point, role), {})["first start"] = 1

    # ---- runs ----

    def run_statement(self, step, log, connection=None):
        """acknowledged, refused or unknown; the error's text."""
        try:
            with connection or self.server.connect(timeout=END_MAX) as c:
                step.run(c)
            log.append(("acknowledged", ""))
        except pgwire.ServerError as error:
            if error.sqlstate not in REFUSED | UNKNOWN:
                log.append(("wrong", f"{error}"))
            else:
                outcome = "refused" if error.sqlstate in REFUSED else "unknown"
                log.append((outcome, f"{error}"))
        except TimeoutError:
            log.append(("wrong", "the statement never ended"))
        except OSError as error:
            log.append(("unknown", f"{error!r}"))
        except Failure as error:
            log.append(("wrong", f"{error}"))

    def during_hang(self, process, point, hit, thread, when):
        """The rest of the cluster answers while one thread hangs."""
        deadline = time.monotonic() + 2
        while thread.is_alive() and time.monotonic() < deadline:
            if process.fault_hits()[point] >= hit:
                with self.server.connect(timeout=5) as c:
                    if c.value("select 1") != "1":
                        raise Failure(f"{when}: wrong answer beside a thread that hangs")
                break
            time.sleep(0.01)
        process.control("disarm")

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

    def armed_statement(self, process, point, action, name, hit):
        self.fill()
        step = self.ready_step(name)
        when = f"{step.name}: {point}={action}:{hit} in the {self.role(process)}"
        before, after = self.model, self.model.copy()
        step.effect(after)
        log = []
        process.arm(f"{point}={action}:{hit}")
        thread = threading.Thread(target=self.run_statement, args=(step, log))
        thread.start()
        if action == "hang":
            self.during_hang(process, point, hit, thread, when)
        thread.join(END_MAX)
        if thread.is_alive():
            raise Failure(f"{when}: the statement never ended\n{process.stacks()}")
        outcome, text = log[0]
        is_reached = True
        try:
            is_reached = process.fault_hits()[point] >= hit
            process.control("disarm")
        except OSError:
            self.revive(when)
        if self.options.verbose:
            print(f"{when}: {outcome} {text}", flush=True)
        if outcome == "wrong":
            raise Failure(f"{when}: {text}")
        if action in ("hang", "sleep") and outcome != "acknowledged":
            raise Failure(f"{when}: a short delay ended the statement: {text}")
        self.counts[outcome] += 1
        self.finish(when, before, after, outcome, action, text)
        return is_reached

    def finish(self, when, before, after, outcome, action, text):
        self.revive(when)
        if "08007" in text and action != "crash":  # the leader's log decides when it is read again
            self.counts["restarts asked for"] += 1
            self.restart(self.server.leader, when)
        self.compare(when, before, after, outcome)
        self.probe(when)

    def armed_start(self, process, point, action, hit, when):
        """Stops the process and starts it armed; false when it got up without reaching the point."""
        code = process.stop()
        if code != 0:
            raise Failure(f"{when}: exit code {code} of a clean stop:\n{process.log()[-4000:]}")
        process.environment["BASALT_FAULT"] = f"{point}={action}:{hit}"
        process.start()
        del process.environment["BASALT_FAULT"]
        return self.watch_start(self.server, process, point, action, hit, when)

    def watch_start(self, server, process, point, action, hit, when):
        """Waits until the cluster serves or the process gave up; starts it once more then."""
        deadline = time.monotonic() + END_MAX
        is_reached = False
        while time.monotonic() < deadline and process.is_running():
            try:
                is_reached = is_reached or process.fault_hits()[point] >= hit
                if is_reached and action == "hang":
                    process.control("disarm")
                with server.connect(timeout=2) as c:
                    states = [r[0] for r in c.rows("select state from svv_cluster_nodes")]
                if all(s == "ready" for s in states) and len(states) == NODES:
                    break
            except (OSError, ConnectionError, pgwire.ServerError):
                pass
            time.sleep(0.03)
        if not process.is_running():
            is_reached = True
            self.counts["died"] += 1
            code = process.process.returncode
            if code != (-9 if action == "crash" else 1):
                raise Failure(f"{when}: exit code {code}:\n{process.log()[-4000:]}")
            process.start()
        elif is_reached:
            process.control("disarm")
        server.wait_ready(timeout=END_MAX)
        return is_reached

    def first_start(self, role, point, action):
        """A cluster made while the point is armed; after another start it works."""
        when = f"first start: {point}={action} in the {role}"
        server = self.make_cluster()
        processes = server.processes()
        victim = server.leader if role == "leader" else self.random.choice(server.nodes)
        try:
            for process in processes:
                if process is victim:
                    process.environment["BASALT_FAULT"] = f"{point}={action}:1"
                process.start()
                process.environment.pop("BASALT_FAULT", None)
            is_reached = self.watch_start(server, victim, point, action, 1, when)
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
        return is_reached

    def armed_run(self, role, point, action, steps):
        """One run of the walk, repeated when chance kept the point from being reached."""
        names = sorted(steps)
        self.is_crash = action == "crash"
        for attempt in range(ATTEMPTS_MAX):
            name = self.random.choice(names)
            hit = 1 if attempt > 0 else self.random.randint(1, min(steps[name], 40))
            process = self.random.choice(self.processes_of(role))
            self.counts["runs"] += 1
            if name == "first start":
                is_reached = self.first_start(role, point, action)
            elif name == "restart":
                when = f"restart: {point}={action}:{hit} in the {role}"
                if self.options.verbose:
                    print(when, flush=True)
                is_reached = self.armed_start(process, point, action, hit, when)
                self.compare(when, self.model, self.model, "acknowledged")
                self.probe(when)
            else:
                is_reached = self.armed_statement(process, point, action, name, hit)
            if is_reached:
                self.counts["reached"] += 1
                return
        raise Failure(f"{point}={action} was not reached in the {role} by {names}")

    def linked_points(self):
        out = subprocess.run([cluster.program(self.options.preset), "inspect", "--fault-points"],
                             capture_output=True, text=True, check=True).stdout
        return sorted(set(out.split()))

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

    def run(self):
        print(f"seed {self.options.seed}", flush=True)
        points = self.linked_points()
        with self.server:
            self.create()
            reach = self.survey()
            self.survey_first_start(reach)
            unreached = [p for p in points if (p, "leader") not in reach and
                         (p, "node") not in reach]
            if unreached:
                raise Failure(f"no step reaches {', '.join(unreached)}")
            if self.options.verbose:
                for (point, role), steps in sorted(reach.items()):
                    print(f"{point} in the {role}: {steps}", flush=True)
            work = [(point, role, action) for point, role in sorted(reach) for action in ACTIONS
                    if not self.options.points or point in self.options.points]
            for number, (point, role, action) in enumerate(work, 1):
                try:
                    self.armed_run(role, point, action, reach[point, role])
                    if number % len(ACTIONS) == 0:  # leaks of this point's error paths
                        victim = self.random.choice(self.processes_of(role))
                        self.restart(victim, f"after {point} in the {role}")
                except (Failure, RuntimeError, OSError) as failure:
                    self.failures.append(f"{point}={action} in the {role}: {failure}")
                    print(f"FAILED: {self.failures[-1]}", file=sys.stderr, flush=True)
                    self.start_anew()
        reached = self.counts.pop("reached")
        print(f"{len(points)} points × {len(ACTIONS)} actions, {len(reach)} pairs of point and "
              f"role: {len(work)} to walk, {reached} reached, "
              f"{len(work) - len(self.failures)} survived; " +
              ", ".join(f"{v} {k}" for k, v in self.counts.items()))
        print(f"{len(work) - len(self.failures)} passed, {len(self.failures)} failed")
        if self.failures:
            raise Failure(f"{len(self.failures)} runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--preset", default="asan", help="a build with fault points")
    parser.add_argument("--points", nargs="*", help="only these")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--break-name", help="negative control: what the program shall do wrong")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        Walk(options).run()
    except Failure as failure:
        print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
