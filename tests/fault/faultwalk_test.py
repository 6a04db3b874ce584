#!/usr/bin/env python3
"""Every fault point of the program × every action, under every kind of statement.

The points are those that the program lists itself. A first pass runs the script undisturbed and
counts which step reaches which point in which process; a point that no step reaches fails the test.
The walk then arms each point in each role that reaches it with each action, and runs a step that
reaches it (tests/support/statement_walk.py).
"""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import seeded  # noqa: E402
from seeded import Failure  # noqa: E402
from statement_walk import Walk  # noqa: E402

ACTIONS = ["error", "nospace", "nomem", "crash", "hang", "sleep"]
ATTEMPTS_MAX = 16


class FaultWalk(Walk):
    is_crash = False

    def may_have_ended(self, process):
        return process.process.returncode == -9 and self.is_crash

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

    def armed_statement(self, process, point, action, name, hit):
        is_reached = True

        def armed(step, when, process):
            nonlocal is_reached
            process.arm(f"{point}={action}:{hit}")
            thread, ends = self.begin(step, when)
            if action == "hang":
                self.during_hang(process, point, hit, thread, when)
            how, error = self.end(thread, ends, when, process)
            try:
                is_reached = process.fault_hits()[point] >= hit
                process.control("disarm")
            except OSError:
                self.revive(when)
            if action in ("hang", "sleep") and how != "acknowledged":
                raise Failure(f"{when}: a short delay ended the statement: {error}")
            return how, error
        self.disturb(name, f"{point}={action}:{hit}", process, armed)
        return is_reached

    def armed_start(self, server, process, point, action, hit, when):
        """Starts the process armed; false when it got up without reaching the point."""
        is_reached = False

        def look():
            nonlocal is_reached
            is_reached = is_reached or process.fault_hits()[point] >= hit
            if is_reached and action == "hang":
                process.control("disarm")
        process.environment["BASALT_FAULT"] = f"{point}={action}:{hit}"
        process.start()
        del process.environment["BASALT_FAULT"]
        codes = [-9 if action == "crash" else 1]
        return self.settle_start(server, process, codes, when, look) or is_reached

    def armed_restart(self, process, point, action, hit):
        when = f"restart: {point}={action}:{hit} in the {self.role(process)}"
        if self.options.verbose:
            print(when, flush=True)
        self.stop(process, when)
        is_reached = self.armed_start(self.server, process, point, action, hit, when)
        self.compare(when, self.model, self.model, "acknowledged")
        self.probe(when)
        return is_reached

    def armed_run(self, role, point, action, steps):
        """One run of the walk, repeated when chance kept the point from being reached."""
        names = sorted(steps)
        self.is_crash = action == "crash"
        # The leader's log decides about an unknown outcome when it is read again.
        self.needs_restart = not self.is_crash
        for attempt in range(ATTEMPTS_MAX):
            name = self.random.choice(names)
            hit = 1 if attempt > 0 else self.random.randint(1, min(steps[name], 40))
            process = self.random.choice(self.processes_of(role))
            self.counts["runs"] += 1
            if name == "first start":
                when = f"first start: {point}={action} in the {role}"
                is_reached = self.first_start(role, when, lambda server, victim: self.armed_start(
                    server, victim, point, action, 1, when))
            elif name == "restart":
                is_reached = self.armed_restart(process, point, action, hit)
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

    def run(self):
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
                def run_and_leak():
                    self.armed_run(role, point, action, reach[point, role])
                    if number % len(ACTIONS) == 0:  # leaks of this point's error paths
                        victim = self.random.choice(self.processes_of(role))
                        self.restart(victim, f"after {point} in the {role}")
                self.try_run(f"{point}={action} in the {role}", run_and_leak)
        print(f"{len(points)} points × {len(ACTIONS)} actions, {len(reach)} pairs of point and "
              f"role: {len(work)} to walk")
        self.tell(len(work))


if __name__ == "__main__":
    sys.exit(seeded.main(
        __doc__, lambda options: FaultWalk(options).run(), preset="asan", can_break=True,
        points={"nargs": "*", "help": "only these"}, verbose={"action": "store_true"}))
