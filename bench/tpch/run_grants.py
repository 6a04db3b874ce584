#!/usr/bin/python3
"""The 22 queries with little memory: each with a small grant, and all of them at once.

    run_grants.py --from DIR --scale N [--keep DIR] [--grant 128MB] [--rounds 3] [--markdown FILE]
    run_grants.py … --together 8 --memory-limit 1GB

Without --together: each query with a grant of `query_memory`, and without one, in turns on one
server of one node; the answers are compared, the ratio is of medians.
With it: so many sessions run the 22 queries at once, each from another one on, on a server that may
use --memory-limit in all; answers are compared with those of one session without limit. The
server lives in a control group (cgroup v1 or v2) that kills it when it takes 5 % more, and the most
memory it held is printed.
The exit status is 1 when a query fails or an answer differs.
"""
import argparse
import math
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
import psycopg2  # noqa: E402

import cluster  # noqa: E402

import answer_compare  # noqa: E402
import parameters  # noqa: E402
import run_beside  # noqa: E402
from wire_client import WireClient  # noqa: E402


def connect(server):
    return WireClient(argparse.Namespace(
        host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD, dbname="dev",
        timeout=1200))


class ControlGroup:
    """Memory of one process and its children, held to a limit by the kernel."""

    def __init__(self, limit_bytes):
        root = Path("/sys/fs/cgroup/memory")
        is_old = root.is_dir()
        self.path = (root if is_old else Path("/sys/fs/cgroup")) / "basalt-bench"
        self.path.mkdir(exist_ok=True)
        (self.path / ("memory.limit_in_bytes" if is_old else "memory.max")).write_text(
            str(limit_bytes), encoding="ascii")

    def add(self, process):
        (self.path / "cgroup.procs").write_text(str(process), encoding="ascii")

    def remove(self):
        self.path.rmdir()


def status_bytes(process, name):
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def sql_of(name, options):
    return parameters.validation_sql(name, options.scale)


def in_turns(server, options):
    """(lines of the table, number of failures)"""
    lines = ["| query | ms without a grant | with | ratio |", "| --- | ---: | ---: | ---: |"]
    ratios, failures = [], 0
    free, small = connect(server), connect(server)
    small.execute(f"set query_memory = '{options.grant}'")
    for name in parameters.QUERY_NAMES:
        sql = sql_of(name, options)
        times, message = ([], []), None
        for round_number in range(options.rounds + 1):
            answers = []
            try:
                for side, client in enumerate((free, small)):
                    ms = client.execute(sql)
                    answers.append(client.answer())
                    if round_number > 0:
                        times[side].append(ms)
                message = answer_compare.compare(sql, *answers)
            except psycopg2.Error as error:
                message = str(error).strip()
            if message is not None:
                break
        if message is not None:
            failures += 1
            lines.append(f"| {name} | | | {message.splitlines()[0]} |")
            print(lines[-1], file=sys.stderr, flush=True)
            continue
        medians = [statistics.median(side) for side in times]
        ratios.append(medians[1] / medians[0])
        lines.append(f"| {name} | {medians[0]:.0f} | {medians[1]:.0f} | {ratios[-1]:.2f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
    lines.append(f"| geometric mean, worst | | | {mean:.2f}, {max(ratios):.2f} |")
    return lines, failures


def right_answers(options, directory):
    with cluster.Local(nodes=1, directory=directory) as server:
        run_beside.load_ours(server, options)
        client = connect(server)
        answers = {}
        start = time.monotonic()
        for name in parameters.QUERY_NAMES:
            client.execute(sql_of(name, options))
            answers[name] = client.answer()
        print(f"one session without limit: {time.monotonic() - start:.1f} s", file=sys.stderr)
        return answers


def session(server, first, options, answers, problems):
    names = list(parameters.QUERY_NAMES)
    client = connect(server)
    for name in names[first:] + names[:first]:
        sql = sql_of(name, options)
        try:
            client.execute(sql)
            message = answer_compare.compare(sql, client.answer(), answers[name])
        except Exception as error:  # whatever it is, it is a failed query
            message = str(error).strip()
        if message is not None:
            problems.append(f"session {first}, {name}: {message}")


def together(options, directory):
    answers = right_answers(options, directory)
    settings = {"memory_limit": options.memory_limit}
    limit = int(options.memory_limit.removesuffix("GB")) << 30
    group = ControlGroup(limit + limit // 20)
    problems = []
    server = cluster.Local(nodes=1, directory=directory, settings=settings)
    server.server.start()
    group.add(server.server.pid)
    server.wait_ready()
    try:
        start = time.monotonic()
        sessions = [threading.Thread(target=session, args=(
            server, i * 22 // options.together, options, answers, problems))
            for i in range(options.together)]
        for thread in sessions:
            thread.start()
        for thread in sessions:
            thread.join()
        seconds = time.monotonic() - start
        peak = status_bytes(server.server.pid, "VmHWM")
    finally:
        server.stop()
        group.remove()
    lines = [f"{options.together} sessions at once, all 22 queries each, memory_limit "
             f"{options.memory_limit}: {seconds:.1f} s, {len(problems)} failed; the process held at "
             f"most {peak / 1e6:.0f} MB, {100 * peak / limit:.1f} % of its limit."]
    return lines + [f"- {problem}" for problem in problems], len(problems) + (
        peak > limit + limit // 20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--grant", default="128MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--together", type=int, default=0, metavar="SESSIONS")
    parser.add_argument("--memory-limit", default="1GB", metavar="nGB")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    options.keys, options.sort = "integer", "none"
    if options.together > 0:
        lines, failures = together(options, options.keep)
    else:
        with cluster.Local(nodes=1, directory=options.keep) as server:
            run_beside.load_ours(server, options)
            lines, failures = in_turns(server, options)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown is not None:
        with options.markdown.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
