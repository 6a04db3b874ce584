#!/usr/bin/env python3
"""Every file call may fail: the n-th of a statement or of a start, once or from then on.

EIO of any call, ENOSPC of those that need space, and EIO of a change that was made all the same; a
write that fails may have been done in part. The failures end by themselves, by a marker, or with a
kill -9. A statement ends with a clear SQLSTATE, or works all the same; afterwards, and after
starts without failures, the data is what the model says, `basalt inspect` finds every file whole,
and the next statement works (tests/support/call_walk.py).
"""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import cluster  # noqa: E402
import call_walk  # noqa: E402
from call_walk import COUNT_ONLY, ON_SECONDS, ROLES  # noqa: E402
from seeded import Failure  # noqa: E402


class IoWalk(call_walk.CallWalk):
    errors = ["eio", "late", "full"]
    unknown = {"08006", "08007", "57P01", "57P03"}
    end_max = 10.0

    def __init__(self, options):
        super().__init__(options)
        self.counts["killed"] = 0

    def inspect(self, process, when):
        data = process.arguments[process.arguments.index("--data") + 1]
        found = subprocess.run([str(cluster.program(self.options.preset)), "inspect", data],
                               capture_output=True, text=True)
        if found.returncode != 0:
            raise Failure(f"{when}: inspect ended with {found.returncode}:\n{found.stdout[-2000:]}"
                          f"{found.stderr[-2000:]}")

    def start_again(self, process, when, is_clean):
        """What was acknowledged is there after another start; what a clean stop leaves is whole."""
        if is_clean:
            self.stop(process, when)
            self.inspect(process, when)
        else:
            process.kill()
        process.start()
        self.server.wait_ready(timeout=self.end_max)
        self.compare(f"{when}, another start", self.model, self.model, "acknowledged")

    def fail_call(self, role, name, plan, mode):
        # 40001: a node that cannot note the outcome of a former change takes it for an open one.
        self.refused = {"53100" if plan.endswith("full") else "58030", "40001"}
        when = super().fail_call(role, name, plan, mode)
        if self.random.random() < self.options.restarts:
            self.counts["killed"] += 1
            self.start_again(self.victim(role), when, is_clean=False)
        return when

    def after_step(self, role, name):
        self.start_again(self.victim(role), f"after {name}", is_clean=True)

    # ---- starts ----

    def start_with(self, process, plan):
        process.environment["BASALT_FAULT_CALLS"] = plan
        process.start()
        del process.environment["BASALT_FAULT_CALLS"]

    def settle(self, server, process, plan, mode, when):
        """The process starts while its calls fail; it serves in the end, or after another start."""
        if self.options.verbose:
            print(when, flush=True)
        failures = ["0", "none"]
        end = time.monotonic() + ON_SECONDS
        self.start_with(process, plan)

        def look():
            failures[:] = process.control("failures").split()
            if mode == "on" and time.monotonic() > end:
                process.control("disarm")
        self.counts["runs"] += 1
        if self.settle_start(server, process, [1], when, look):
            failures = ["1", "unknown"]
        self.note(failures, None)

    def fail_start(self, role, plan, mode):
        process = self.victim(role)
        when = f"start: {plan} in the {role}"
        if self.random.random() < 0.5:
            self.stop(process, when)
        else:
            process.kill()  # the start has a log to read
        self.settle(self.server, process, plan, mode, when)
        self.compare(when, self.model, self.model, "acknowledged")
        self.probe(when)

    def fail_first_start(self, role, plan, mode):
        when = f"first start: {plan} in the {role}"
        self.first_start(role, when, lambda server, victim:
                         self.settle(server, victim, plan, mode, when))

    def count_first_start(self, role):
        def start(server, victim):
            self.start_with(victim, COUNT_ONLY)
            server.wait_ready()
            return self.calls_of(victim)
        return self.first_start(role, "first start", start)

    def count_start(self, role):
        process = self.victim(role)
        process.kill()
        self.start_with(process, COUNT_ONLY)
        self.server.wait_ready()
        return self.calls_of(process)

    def more(self):
        total = 0
        for name, count, fail in (("start", self.count_start, self.fail_start),
                                  ("first start", self.count_first_start, self.fail_first_start)):
            if not self.options.steps or name in self.options.steps:
                calls = {role: count(role) for role in ROLES}
                total += self.walk_calls(name, calls, fail)
        return total


if __name__ == "__main__":
    sys.exit(call_walk.main(
        __doc__, IoWalk,
        restarts={"default": 0.25, "help": "share of runs with a kill -9 after them"}))
