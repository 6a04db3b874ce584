#!/usr/bin/env python3
"""Every allocation may be refused: the n-th of a statement, once or from then on.

The script and the model are those of faultwalk_test.py. A first run of each statement counts the
allocations it makes in the leader and in a node; then the statement runs with the n-th of them
refused, for n spread evenly over all of them (--samples of each kind, 0: every n). It ends with
53200, or works all the same; a process that had to stop (base/arena.h) is started again. Afterwards
the data is what the model says, the next statement works, and a clean stop finds no leak.
"""

import argparse
import random
import sys
import threading
import time

import faultwalk_test as faultwalk
from faultwalk_test import Failure

SIGABRT = -6
FENCED = "out of memory, and the arena's reserve is empty"


class OomWalk(faultwalk.Walk):
    def __init__(self, options):
        super().__init__(options)
        self.counts["fenced"] = 0
        self.states = {}

    def count_allocations(self, name):
        """Of the statement undisturbed, in the leader and in the first node."""
        self.fill()
        step = self.ready_step(name)
        processes = {"leader": self.server.leader, "node": self.server.nodes[0]}
        after = self.model.copy()
        step.effect(after)
        for process in processes.values():
            process.control(f"heap {1 << 60} once")
        with self.server.connect() as c:
            step.run(c)
        calls = {role: int(p.control("heap").split()[0]) for role, p in processes.items()}
        for process in processes.values():
            process.control("disarm")
        self.compare(f"{name}, undisturbed", self.model, after, "acknowledged")
        return calls

    def revive(self, when):
        """A process that has no memory left for what it must do stops: it is fenced."""
        died = False
        for process in self.server.processes():
            if not process.is_running():
                died = True
                if process.process.returncode != SIGABRT or FENCED not in process.log()[-1000:]:
                    raise Failure(f"{when}: {process.arguments[1]} ended by itself "
                                  f"({process.process.returncode}):\n{process.log()[-4000:]}")
                process.start()
        if died:
            self.counts["fenced"] += 1
            self.server.wait_ready(timeout=faultwalk.END_MAX)
        return died

    def refuse(self, role, name, call, mode):
        self.fill()
        step = self.ready_step(name)
        process = self.server.leader if role == "leader" else self.server.nodes[0]
        when = f"{name}: allocation {call} refused {mode} in the {role}"
        before, after = self.model, self.model.copy()
        step.effect(after)
        log = []
        connection = self.server.connect(timeout=faultwalk.END_MAX)
        process.control(f"heap {call} {mode}")
        thread = threading.Thread(target=self.run_on, args=(connection, step, log))
        thread.start()
        thread.join(0.5 if mode == "on" else faultwalk.END_MAX)
        try:
            refusals = int(process.control("heap").split()[1])
            process.control("disarm")  # memory is there again: whoever waits for it goes on
        except OSError:
            refusals = 1
        thread.join(faultwalk.END_MAX)
        if thread.is_alive():
            raise Failure(f"{when}: the statement never ended\n{process.stacks()}")
        outcome, text = log[0]
        self.states[text[:5]] = self.states.get(text[:5], 0) + 1
        if self.options.verbose:
            print(f"{when}: {outcome} {text}", flush=True)
        if outcome == "wrong":
            raise Failure(f"{when}: {text}")
        self.counts["runs"] += 1
        self.counts["reached"] += refusals > 0
        self.counts[outcome] += 1
        self.finish(when, before, after, outcome, "nomem", text)

    def run_on(self, connection, step, log):
        with connection:
            self.run_statement(step, log, connection)

    def walk_step(self, name):
        calls = self.count_allocations(name)
        for role, count in calls.items():
            samples = min(count, self.options.samples or count)
            for mode in ("once", "on"):
                offset = self.random.random()
                for i in range(samples):
                    call = 1 + int((i + offset) * count / samples)
                    try:
                        self.refuse(role, name, call, mode)
                    except (Failure, RuntimeError, OSError) as failure:
                        self.failures.append(f"{failure}")
                        print(f"FAILED: {failure}", file=sys.stderr, flush=True)
                        self.start_anew()
            self.restart(self.server.leader if role == "leader" else self.server.nodes[0],
                         f"after {name}")
        return calls

    def run(self):
        print(f"seed {self.options.seed}", flush=True)
        allocations = 0
        with self.server:
            self.create()
            self.fill()
            names = sorted(self.steps())
            for name in names + ["DROP" if "CREATE" in names else "CREATE"]:
                if not self.options.steps or name in self.options.steps:
                    allocations += sum(self.walk_step(name).values())
        runs = self.counts["runs"]
        print(f"{allocations} allocations of {len(names) + 1} statements; " +
              ", ".join(f"{v} {k}" for k, v in self.counts.items()) + "; SQLSTATEs: " +
              ", ".join(f"{v} × {k or 'success'}" for k, v in sorted(self.states.items())))
        print(f"{runs - len(self.failures)} passed, {len(self.failures)} failed")
        if self.failures:
            raise Failure(f"{len(self.failures)} runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--preset", default="asan", help="a build with fault points")
    parser.add_argument("--samples", type=int, default=6,
                        help="refused allocations of each statement, role and mode; 0: every one")
    parser.add_argument("--steps", nargs="*", help="only these")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--break-name", help="negative control: what the program shall do wrong")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        OomWalk(options).run()
    except Failure as failure:
        print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
