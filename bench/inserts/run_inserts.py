#!/usr/bin/python3
"""Single-row INSERTs, each a transaction of its own, from several clients: Basalt beside PostgreSQL.

    run_inserts.py [--clients 8] [--seconds 20] [--rounds 3] [--nodes 2] [--protocols simple,prepared]
                   [--markdown FILE]

pgbench sends the same statement to both sides in turn; both sync each commit to the same disk before
they answer. Before each round the disk itself is asked: how long one write of 8 KiB with fdatasync
takes. Reported are medians of the rounds: acknowledged rows a second, the server's processor time a
row, and the rows that are there afterwards against those that were acknowledged. The exit status is
1 when a row is missing or there twice.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "bench" / "tpch"))
import cluster  # noqa: E402
from oracle_postgres import PrivateServer  # noqa: E402

TABLE = "create table events (id bigint, kind varchar(20), amount decimal(10,2), at timestamp)"
STATEMENT = """\\set id random(1, 1000000000)
insert into events values (:id, 'click', 12.50, '2026-01-01 10:00:00');
"""
SYNCED = ("alter system set fsync = on", "alter system set synchronous_commit = on",
          "select pg_reload_conf()")
PROBES = 200


def sync_ms(directory):
    """Median milliseconds of a write of 8 KiB with fdatasync."""
    times = []
    with tempfile.NamedTemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(PROBES):
            start = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def used_ms(process):
    """Processor time of a process and of its children that have ended (PostgreSQL's sessions)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:15]) * 1000 / os.sysconf("SC_CLK_TCK")


class Side:
    def __init__(self, name, port, user, database, process, count, environment):
        self.name, self.port, self.user, self.database = name, port, user, database
        self.process = process
        self.count, self.environment = count, environment
        self.rows_per_s, self.cpu_us = {}, {}
        self.acknowledged = 0

    def run(self, options, protocol, script):
        before = used_ms(self.process)
        done = subprocess.run(
            [Path(options.bin) / "pgbench", "-n", "-h", "127.0.0.1", "-p", str(self.port),
             "-U", self.user, "-M", protocol, "-f", script, "-c", str(options.clients), "-j", "1",
             "-T", str(options.seconds), self.database],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=False)
        time.sleep(0.3)  # until the sessions' processes have ended
        cpu_ms = used_ms(self.process) - before
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: pgbench: {done.stderr.strip()}")
        rows = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
        failed = int(re.search(r"failed transactions: (\d+)", done.stdout)[1])
        if failed:
            raise SystemExit(f"{self.name}: {failed} statements failed")
        self.acknowledged += rows
        self.rows_per_s.setdefault(protocol, []).append(
            float(re.search(r"tps = ([\d.]+)", done.stdout)[1]))
        self.cpu_us.setdefault(protocol, []).append(cpu_ms * 1000 / rows)


def measure(sides, options, protocols):
    probes = []
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(STATEMENT)
        script.flush()
        for round_number in range(options.rounds):
            for protocol in protocols:
                probes.append(sync_ms(tempfile.gettempdir()))
                for side in sides if round_number % 2 == 0 else sides[::-1]:
                    side.run(options, protocol, script.name)
            print(f"round {round_number + 1} of {options.rounds} done", file=sys.stderr, flush=True)
    return statistics.median(probes)


def report(sides, options, protocols, probe_ms):
    lines = [f"# Single-row INSERTs from {options.clients} clients", "",
             f"`bench/inserts/run_inserts.py --clients {options.clients} --seconds"
             f" {options.seconds} --rounds {options.rounds} --nodes {options.nodes}` remakes this."
             f" Medians of {options.rounds} rounds of {options.seconds} s; pgbench on the same"
             f" machine. One write of 8 KiB with fdatasync took {probe_ms:.2f} ms.", "",
             "| protocol | side | rows a second | server's CPU, µs a row |",
             "| --- | --- | ---: | ---: |"]
    for protocol in protocols:
        for side in sides:
            lines.append(f"| {protocol} | {side.name} |"
                         f" {statistics.median(side.rows_per_s[protocol]):.0f} |"
                         f" {statistics.median(side.cpu_us[protocol]):.0f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--protocols", default="simple,prepared")
    parser.add_argument("--bin", default="/usr/lib/postgresql/15/bin")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    protocols = options.protocols.split(",")
    with cluster.Local(options.nodes, preset="release") as ours, \
            PrivateServer(options.bin) as theirs:
        theirs.psql(*(part for sql in SYNCED + (TABLE,) for part in ("-c", sql)))
        with ours.connect() as connection:
            connection.query_all(f"{TABLE} distkey(id)")
        sides = [
            Side(f"Basalt, {options.nodes} nodes", ours.port, "admin", "dev", ours.pids()[0],
                 lambda: int(ours.connect().value("select count(*) from events")),
                 {"PGPASSWORD": cluster.PASSWORD}),
            Side("PostgreSQL 15", theirs.port, "postgres", "postgres", theirs.process_id,
                 lambda: int(theirs.psql("-At", "-c", "select count(*) from events")), {})]
        probe_ms = measure(sides, options, protocols)
        text = report(sides, options, protocols, probe_ms)
        print(text)
        if options.markdown:
            options.markdown.write_text(text, encoding="utf-8")
        wrong = 0
        for side in sides:
            count = side.count()
            if count != side.acknowledged:
                print(f"{side.name}: {count} rows, {side.acknowledged} were acknowledged")
                wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
