"""DuckDB's side of a benchmark: bench/peers/duckdb_bench.mjs as a process with which we exchange
lines.
"""
import json
import select
import subprocess
import tempfile
from pathlib import Path

from answer_compare import Answer, kind_of_duckdb_type

PROGRAM = Path(__file__).resolve().parent.parent / "peers" / "duckdb_bench.mjs"


class DuckdbPeer:
    """A context manager. `source` is a database file, or a directory of .tbl files from which one
    is made with the CREATE TABLE statements of `schema_text`: `database`, else a temporary one."""

    def __init__(self, source, schema_text, threads, timeout, database=None):
        self.threads = threads
        self.timeout = timeout
        self.temporary = None
        command = ["node", PROGRAM, "--threads", str(threads)]
        if Path(source).is_dir():
            self.temporary = tempfile.TemporaryDirectory(prefix="tpch_duckdb_")
            schema_file = Path(self.temporary.name) / "schema.sql"
            schema_file.write_text(schema_text, encoding="utf-8")
            command += ["--from", source, "--schema", schema_file]
            database = database or Path(self.temporary.name) / "tpch.duckdb"
        self.process = subprocess.Popen([*command, "--database", database or source],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.unread = b""
        self.ready = self._read_line()    # version, load_ms, database_bytes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            if self.temporary is not None:
                self.temporary.cleanup()

    def execute(self, sql, fetch=False):
        """Runs a query; returns (wall ms, cpu ms, answer or None)."""
        request = {"sql": sql, "threads": self.threads, "fetch": fetch}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        reply = self._read_line()
        if "error" in reply:
            raise RuntimeError(f"duckdb: {reply['error']}")
        answer = None
        if fetch:
            answer = Answer(rows=[tuple(row) for row in reply["result"]], names=reply["names"],
                            kinds=[kind_of_duckdb_type(name) for name in reply["types"]])
        return reply["ms"], reply["cpu_ms"], answer

    def _read_line(self):
        while b"\n" not in self.unread:
            is_readable, _, _ = select.select([self.process.stdout], [], [], self.timeout)
            if not is_readable:
                self.process.kill()
                raise RuntimeError(f"duckdb: no answer within {self.timeout:.0f} s")
            piece = self.process.stdout.read1(1 << 20)
            if not piece:
                raise RuntimeError("duckdb: the process ended (is bench/peers installed?)")
            self.unread += piece
        line, self.unread = self.unread.split(b"\n", 1)
        return json.loads(line)
