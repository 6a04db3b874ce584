#!/usr/bin/python3
"""The reference answers: a private PostgreSQL is started, filled, asked the 22 queries and removed.

    oracle_postgres.py --from DIR --answers DIR [--scale N] [--keys STYLE] [--serve]

--from     directory with the eight <table>.tbl, made without --trailing-pipe
--answers  where q01.tsv … go: the bytes of `psql -At -F '|'`, fields between pipes
--scale    the scale of the data (it decides the fraction in q11)        [1]
--keys     as in tpch_gen --keys                                         [integer]
--serve    afterwards, keep the server running until stdin ends; its port and process id are
           printed, user and database are "postgres", no password
--bin      directory of PostgreSQL's programs       [/usr/lib/postgresql/15/bin]
--work     directory for the data and the socket    [a temporary one, removed at the end]

The server listens on loopback only and does not sync: its data are worth nothing after a crash.
PostgreSQL refuses to run as root, so root hands the server over to the user postgres or nobody.
"""
import argparse
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import parameters
import schema

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "logging_collector": "off",
}

# Enough that no query, correlated subqueries included, reads a large table more than a few times.
INDEXES = """
alter table region add primary key (r_regionkey);
alter table nation add primary key (n_nationkey);
alter table supplier add primary key (s_suppkey);
alter table customer add primary key (c_custkey);
alter table part add primary key (p_partkey);
alter table partsupp add primary key (ps_partkey, ps_suppkey);
alter table orders add primary key (o_orderkey);
alter table lineitem add primary key (l_orderkey, l_linenumber);
create index on lineitem (l_partkey, l_suppkey);
create index on orders (o_custkey);
create index on partsupp (ps_suppkey);
analyze;
"""


class PrivateServer:
    """A PostgreSQL server of our own; a context manager that leaves nothing behind."""

    def __init__(self, programs, directory=None):
        self.programs = Path(programs)
        self.is_temporary = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="tpch_oracle_")).resolve()
        self.data = self.directory / "data"
        self.sockets = self.directory / "sockets"
        self.port = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_):
        try:
            self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        finally:
            self._remove()

    @property
    def process_id(self):
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])

    def psql(self, *arguments, **options):
        """Runs psql as a subprocess; raises with its message when it fails."""
        command = [self.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
                   "-h", self.sockets, "-p", str(self.port), "-U", "postgres", "-d", "postgres",
                   *arguments]
        done = subprocess.run(command, capture_output=True, check=False, **options)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def _start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir()
        self._give_away(self.directory)
        self._give_away(self.sockets)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")
        self.port = _free_port()
        settings = {**SETTINGS, "port": self.port, "unix_socket_directories": self.sockets}
        with open(self.data / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._run("pg_ctl", "-D", self.data, "-l", self.directory / "log", "-t", "60", "-w",
                  "start")

    def _give_away(self, path):
        if os.geteuid() == 0:
            os.chown(path, _server_user().pw_uid, _server_user().pw_gid)

    def _run(self, program, *arguments):
        command = [self.programs / program, *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", _server_user().pw_name, "--", *command]
        # The server inherits what it is given, so its output goes to no pipe that we wait for.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  cwd=self.directory, check=False)
            if done.returncode != 0:
                output.seek(0)
                message = output.read().decode(errors="replace").strip()
                with contextlib.suppress(OSError):
                    message += "\n" + (self.directory / "log").read_text(errors="replace")
                raise RuntimeError(f"{program} failed: {message}")

    def _remove(self):
        if self.is_temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(self.sockets, ignore_errors=True)


def _server_user():
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("there is neither a user postgres nor a user nobody to run the server")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def load(server, directory, keys):
    """Makes, fills and indexes the tables."""
    for table in schema.TABLES:
        path = (directory / f"{table}.tbl").resolve()
        if "'" in str(path):
            raise RuntimeError("the path of the data must not hold an apostrophe")
        # Made and filled in one transaction, so that no row passes through the log.
        script = (f"begin;\n{schema.create_table(table, keys=keys)}"
                  f"\\copy {table} from '{path}' with (delimiter '|')\ncommit;\n")
        server.psql("-f", "-", input=script.encode())
    server.psql("-f", "-", input=INDEXES.encode())


def write_answers(server, directory, scale):
    directory.mkdir(parents=True, exist_ok=True)
    for query in parameters.QUERY_NAMES:
        start = time.monotonic()
        answer = server.psql("-At", "-F", "|", "-f", "-",
                             input=parameters.validation_sql(query, scale).encode())
        (directory / f"{query}.tsv").write_bytes(answer)
        rows = answer.count(b"\n")
        print(f"{query} {rows:6} rows {time.monotonic() - start:8.2f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--keys", choices=schema.KEYS, default="integer")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--bin", default="/usr/lib/postgresql/15/bin")
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    if options.answers is None and not options.serve:
        parser.error("give --answers or --serve")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))    # leave through the with

    with PrivateServer(options.bin, options.work) as server:
        start = time.monotonic()
        load(server, options.source, options.keys)
        print(f"loaded and indexed in {time.monotonic() - start:.1f} s", flush=True)
        if options.answers is not None:
            write_answers(server, options.answers, options.scale)
        if options.serve:
            print(f"serving host=127.0.0.1 port={server.port} pid={server.process_id}",
                  flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError) as error:
        sys.exit(f"oracle_postgres: {error}")
