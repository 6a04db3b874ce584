"""Walks in which the n-th call of a name fails, in the leader or in a node.

The calls and their errors are those of deploy/failing_calls.def. A first run of each statement
counts the calls it makes; then it runs with the n-th of them failing, alone or with all after it,
for n spread evenly over all of them (--samples of each name, error and mode, 0: every n). With
--paths it is the calls of one path that are counted, one chain of callers within the program: its
first one fails, and another one by chance; a path that a former statement had is not walked again.
"""

import time

import seeded
from seeded import Failure
from statement_walk import Walk

ROLES = ("leader", "node")
COUNT_ONLY = "none"
ON_SECONDS = 0.5  # so long every call fails


class CallWalk(Walk):
    errors = []  # in which calls may fail

    def __init__(self, options):
        super().__init__(options)
        self.states, self.firsts = {}, {}  # SQLSTATE, first call that failed: how often
        self.walked = set()  # (role, place, error, mode)

    def victim(self, role):
        return self.server.leader if role == "leader" else self.server.nodes[0]

    def calls_of(self, process):
        """{(place, error): how often} since the last `fail`; a place is a call, or one of a path."""
        lines = [line.split() for line in process.control("calls").splitlines()]
        calls = {(call, error): int(count) for call, error, count in lines
                 if int(count) > 0 and error in self.errors}
        if not self.options.paths:
            return calls
        paths = [line.split() for line in process.control("paths").splitlines()]
        if any(len(path) != 2 for path in paths):
            raise Failure("a process has more paths than it keeps")
        return {(place, error): int(count) for place, count in paths
                for call, error in calls if place.startswith(call + "@")}

    def count_calls(self, name):
        """{role: calls} of the statement undisturbed."""
        self.fill()
        step = self.ready_step(name)
        after = self.model.copy()
        step.effect(after)
        for role in ROLES:
            self.victim(role).control(f"fail {COUNT_ONLY}")
        with self.server.connect() as c:
            step.run(c)
        calls = {role: self.calls_of(self.victim(role)) for role in ROLES}
        self.compare(f"{name}, undisturbed", self.model, after, "acknowledged")
        return calls

    def fail_call(self, role, name, plan, mode):
        """One run; what it was. `plan`: as the fault control takes it."""
        def failing(step, when, process):
            connection = self.server.connect(timeout=self.end_max)
            process.control(f"fail {plan}")
            thread, ends = self.begin(step, when, connection)
            thread.join(ON_SECONDS if mode == "on" else self.end_max)
            try:
                failures = process.control("failures").split()
                process.control("disarm")  # whoever waits for it goes on
            except OSError:
                failures = ["1", "unknown"]
            how, error = self.end(thread, ends, when, process)
            self.note(failures, error)
            return how, error
        self.counts["runs"] += 1
        return self.disturb(name, plan, self.victim(role), failing)

    def note(self, failures, error):
        state = getattr(error, "sqlstate", None) or (type(error).__name__ if error else "success")
        self.states[state] = self.states.get(state, 0) + 1
        self.firsts[failures[1]] = self.firsts.get(failures[1], 0) + 1
        self.counts["reached"] += int(failures[0]) > 0

    def after_step(self, role, name):
        self.restart(self.victim(role), f"after {name}")

    def numbers(self, count):
        """Which of `count` calls fail, one in each run."""
        if self.options.paths:
            return [1] + ([self.random.randint(2, count)] if count > 1 else [])
        samples = min(count, self.options.samples or count)
        offset = self.random.random()
        return [1 + int((i + offset) * count / samples) for i in range(samples)]

    def plans(self, calls):
        """What may fail: (role, place, number, mode, error), at most --runs of them."""
        plans = [(role, place, number, mode, error) for role in ROLES
                 for (place, error), count in calls[role].items() for mode in self.options.modes
                 if (role, place, error, mode) not in self.walked
                 for number in self.numbers(count)]
        if 0 < self.options.runs < len(plans):
            chosen = set(self.random.sample(range(len(plans)), self.options.runs))
            plans = [p for i, p in enumerate(plans) if i in chosen]
        return plans

    def walk_plan(self, fail, role, place, number, mode, error):
        reached = self.counts["reached"]
        self.try_run(f"seed {self.options.seed}",
                     lambda: fail(role, f"{place} {number} {mode} {error}", mode))
        if self.options.paths and self.counts["reached"] > reached:
            self.walked.add((role, place, error, mode))

    def walk_calls(self, what, calls, fail):
        plans = self.plans(calls)
        if self.options.paths:
            print(f"{what}: {len(plans)} runs to come", flush=True)
        for role in ROLES:
            for plan in plans:
                if plan[0] == role:
                    self.walk_plan(fail, *plan)
            self.try_run(f"after {what}", lambda: self.after_step(role, what))
        return sum(count for role in ROLES for count in
                   {call: n for (call, _), n in calls[role].items()}.values())

    def walk_step(self, name):
        calls = self.count_calls(name)
        if self.options.verbose:
            print(f"{name}: {calls}", flush=True)
        return self.walk_calls(name, calls, lambda role, plan, mode:
                               self.fail_call(role, name, plan, mode))

    def more(self):
        """Walks of more than statements: how many calls they have."""
        return 0

    def run(self):
        total, start = 0, time.monotonic()
        with self.server:
            self.create()
            self.fill()
            names = sorted(self.steps())
            names.append("DROP" if "CREATE" in names else "CREATE")
            for name in names:
                if not self.options.steps or name in self.options.steps:
                    total += self.walk_step(name)
                    if self.options.verbose or self.options.paths or not self.options.samples:
                        print(f"{name}: {self.counts['runs']} runs, "
                              f"{time.monotonic() - start:.0f} s", flush=True)
            total += self.more()
        print(f"{total} calls of {len(names)} statements; " +
              "; ".join(f"{what} " + ", ".join(f"{v} × {k}" for k, v in sorted(found.items()))
                        for what, found in (("ended with", self.states),
                                            ("failed first:", self.firsts))))
        self.tell(self.counts["runs"])
        if self.counts["reached"] == 0:
            raise Failure("no call failed")


def main(description, walk, **options):
    return seeded.main(
        description, lambda options: walk(options).run(), preset="asan", can_break=True,
        samples={"default": 6, "help": "of each statement, role, call, error and mode; 0: all"},
        modes={"nargs": "+", "type": str, "default": ["once", "on"],
               "help": "once, or from then on"},
        paths={"action": "store_true", "help": "every path instead of samples"},
        runs={"default": 0, "help": "at most so many of each statement; 0: all"},
        steps={"nargs": "*", "help": "only these"}, verbose={"action": "store_true"}, **options)
