"""The engines a random query is put to: Basalt on 1, 2 and 4 nodes under many settings, PostgreSQL
15 and DuckDB. Each answers with rows of texts, or with an Answer that holds its error.
"""

import contextlib
import json
import os
import pathlib
import select
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "bench" / "tpch")]
import cluster  # noqa: E402
import oracle_postgres  # noqa: E402
import pgwire  # noqa: E402

TIMEOUT = 8  # seconds of one query
SERVERS = [(1, {"workers": 1}), (2, {"workers": 2}), (4, {"workers": 3})]
SETTINGS = [
    {},
    {"batch_rows": "3", "exchange_encode": "on"},
    {"force_spill": "on", "batch_rows": "64"},
    {"force_spill": "on", "exchange_encode": "on", "batch_rows": "7"},
    {"zone_map_answers": "off", "batch_rows": "17", "query_memory": "16MB"},
]
CONFIGURATIONS = [(server, setting) for server in range(len(SERVERS))
                  for setting in range(len(SETTINGS))]


class Answer:
    """Rows, or the error: its SQLSTATE (DuckDB: "duck") and text."""

    def __init__(self, rows=None, sqlstate=None, message=""):
        self.rows, self.sqlstate, self.message = rows, sqlstate, message

    @property
    def is_error(self):
        return self.rows is None

    def __str__(self):
        return f"{self.sqlstate}: {self.message}" if self.is_error else f"{len(self.rows)} rows"


def ask(connection, sql):
    try:
        return Answer(connection.rows(sql))
    except pgwire.ServerError as error:
        return Answer(None, error.sqlstate, error.message)


class Basalts:
    """The servers, with a connection for each configuration."""

    def __init__(self, preset=None):
        self.servers = [cluster.Local(nodes, settings, preset=preset)
                        for nodes, settings in SERVERS]
        self.connections, self.schema, self.crashes = {}, None, 0

    def __enter__(self):
        for server in self.servers:
            server.__enter__()
        return self

    def __exit__(self, *error):
        for connection in self.connections.values():
            connection.close()
        for server in reversed(self.servers):
            server.__exit__(*error)

    def connection(self, configuration):
        if configuration not in self.connections:
            server, setting = configuration
            made = self.servers[server].connect(timeout=TIMEOUT * 3)
            for name, value in SETTINGS[setting].items():
                made.query_all(f"set {name} to '{value}'")
            made.query_all(f"set statement_timeout to {TIMEOUT * 1000}")
            made.query_all(f"set search_path to {self.schema}")
            self.connections[configuration] = made
        return self.connections[configuration]

    def load(self, schema, broken=None):
        """Makes the schema's tables and views everywhere. `broken`: a statement more, which the
        oracles do not get."""
        for connection in self.connections.values():
            connection.close()
        self.connections = {}
        for server in self.servers:
            with server.connect(timeout=120) as connection:
                if self.schema is not None:
                    connection.query_all(f"drop schema {self.schema} cascade")
                connection.query_all(f"create schema {schema.name}")
                connection.query_all(f"set search_path to {schema.name}")
                run_script(connection, [s for s, _ in schema.script])
                for name, query in schema.views:
                    connection.query_all(f"create view {name} as {query.sql('basalt')}")
                for statement in broken or []:
                    connection.query_all(statement)
        self.schema = schema.name

    def ask(self, sql, configuration):
        try:
            return ask(self.connection(configuration), sql)
        except (OSError, ConnectionError) as error:
            return Answer(None, "lost", self.restart(configuration, error))

    def restart(self, configuration, error):
        """After a lost connection: what the server said last, and the server again."""
        basalt = self.servers[configuration[0]]
        for key in [k for k in self.connections if k[0] == configuration[0]]:
            self.connections.pop(key).socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            basalt.server.process.wait(timeout=10)
        if basalt.server.is_running():
            return f"{error!r}, the server runs on"
        self.crashes += 1
        text = basalt.server.log().strip().splitlines()[-12:]
        basalt.start()
        return f"the server ended with {basalt.server.process.returncode}: " + "\n".join(text)


def run_script(connection, statements):
    for statement in statements:
        try:
            connection.query_all(statement)
        except pgwire.ServerError as error:
            raise RuntimeError(f"{error} in {statement[:2000]}") from error


class Postgres:
    dialect = "pg"

    def __init__(self, programs="/usr/lib/postgresql/15/bin"):
        self.server = oracle_postgres.PrivateServer(programs)
        self.connection = None

    def __enter__(self):
        self.server.__enter__()
        self.connection = pgwire.Connection(port=self.server.port, user="postgres",
                                            database="postgres", timeout=TIMEOUT * 6)
        self.connection.query_all(f"set statement_timeout to {TIMEOUT * 1000}")
        return self

    def __exit__(self, *error):
        self.connection.close()
        self.server.__exit__(*error)

    def load(self, schema):
        self.connection.query_all("drop schema public cascade; create schema public")
        run_script(self.connection, [s for _, s in schema.script if s is not None])
        for name, query in schema.views:
            self.connection.query_all(f"create view {name} as {query.sql('pg')}")
        self.connection.query_all("analyze")

    def ask(self, sql):
        return ask(self.connection, sql)


class Duck:
    dialect = "duck"
    tables, is_again = None, False

    def __enter__(self):
        if not (ROOT / "bench" / "peers" / "node_modules" / "@duckdb").is_dir():
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], check=True,
                           cwd=ROOT / "bench" / "peers", timeout=300)
        self._start()
        return self

    def _start(self):
        program = pathlib.Path(__file__).resolve().parent / "duckdb_server.mjs"
        self.process = subprocess.Popen(["node", program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=dict(os.environ))
        self.unread, self.schema, self.missing = b"", None, set()

    def _begin_again(self):
        """A query that takes too long, or kills the process, says nothing about ours."""
        tables, self.is_again = self.tables, not self.is_again
        if not self.is_again:
            raise RuntimeError("DuckDB does not answer, started anew either")
        self._start()
        self.load(tables)
        self.is_again = False
        return Answer(None, "duck", "no answer in time")

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def load(self, schema):
        """`missing`: views that DuckDB has no words for."""
        if self.schema is not None:
            self.ask(f"drop schema {self.schema} cascade")
        self.tables = schema
        script = [f"create schema {schema.name}", f"set schema = '{schema.name}'"]
        self.schema = schema.name
        for statement in script + [s for _, s in schema.script if s is not None]:
            answer = self.ask(statement)
            if answer.is_error:
                raise RuntimeError(f"DuckDB: {answer.message} in {statement[:2000]}")
        self.missing = set()
        for name, query in schema.views:
            try:
                text = query.sql("duck")
            except Exception:  # noqa: BLE001  a view without words, in whatever part
                self.missing.add(name)
                continue
            if self.ask(f"create view {name} as {text}").is_error:
                self.missing.add(name)

    def ask(self, sql):
        self.process.stdin.write(json.dumps(sql).encode() + b"\n")
        self.process.stdin.flush()
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT * 2)
            piece = self.process.stdout.read1(1 << 20) if ready else b""
            if not piece:
                self.process.kill()
                self.process.wait()
                return self._begin_again()
            self.unread += piece
        line, self.unread = self.unread.split(b"\n", 1)
        reply = json.loads(line)
        return Answer(None, "duck", reply["error"]) if "error" in reply else Answer(reply["rows"])
