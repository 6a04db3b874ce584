"""Our side of a benchmark: a server that speaks the PostgreSQL protocol, and what its processes
cost.
"""
import os
import socket
import threading
import time
from pathlib import Path

import psycopg2
import psycopg2.extensions

from answer_compare import KINDS_BY_OID, Answer

CANCEL_GRACE_SECONDS = 30

# Dates and times, too, stay the texts that the server sent.
_RAW_OIDS = (*KINDS_BY_OID, 16, 1042, 1043, 1082, 1083, 1114, 1184, 1186)


def add_connection_options(parser):
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5439)
    parser.add_argument("--user", default=os.environ.get("PGUSER", "basalt"))
    parser.add_argument("--password", help="better: the environment variable PGPASSWORD")
    parser.add_argument("--dbname", default=os.environ.get("PGDATABASE", "basalt"))
    parser.add_argument("--timeout", type=float, default=600,
                        help="seconds after which a statement is cancelled [600]")


class WireClient:
    """One connection; statements are sent as simple queries and commit by themselves."""

    def __init__(self, options):
        self.timeout = options.timeout
        self.connection = psycopg2.connect(
            host=options.host, port=options.port, user=options.user, password=options.password,
            dbname=options.dbname, connect_timeout=10)
        self.connection.autocommit = True
        raw = psycopg2.extensions.new_type(_RAW_OIDS, "RAW", lambda value, cursor: value)
        psycopg2.extensions.register_type(raw, self.connection)
        self.cursor = self.connection.cursor()

    def close(self):
        self.connection.close()

    def execute(self, sql):
        """Runs a statement; returns the milliseconds until its last row was in our memory.

        psycopg2 asks libpq for the whole result before it returns; making Python objects of it
        comes later, in `answer`, and is not timed.
        """
        return self._timed(lambda: self.cursor.execute(sql))

    def copy_in(self, sql, file):
        """Runs COPY … FROM STDIN with the bytes of a file; returns milliseconds."""
        return self._timed(lambda: self.cursor.copy_expert(sql, file, 1 << 20))

    def answer(self):
        """The rows of the last statement."""
        columns = self.cursor.description
        return Answer(rows=self.cursor.fetchall(),
                      names=[column.name for column in columns],
                      kinds=[KINDS_BY_OID.get(column.type_code, "text") for column in columns])

    def version(self):
        """What the server says it is, or None."""
        try:
            self.execute("select version()")
            return self.answer().rows[0][0]
        except psycopg2.Error:
            return None

    def _timed(self, action):
        alarms = [threading.Timer(self.timeout, self.connection.cancel),
                  threading.Timer(self.timeout + CANCEL_GRACE_SECONDS, self._hang_up)]
        for alarm in alarms:
            alarm.daemon = True
            alarm.start()
        try:
            start = time.perf_counter_ns()
            action()
            return (time.perf_counter_ns() - start) / 1e6
        finally:
            for alarm in alarms:
                alarm.cancel()

    def _hang_up(self):
        """Ends a wait that the server does not end: the statement then fails."""
        with socket.socket(fileno=os.dup(self.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


class ProcessorClock:
    """The processor time that processes and their descendants have used.

    It asks the kernel for each process's clock, which counts nanoseconds over all threads, ended
    ones included; /proc/PID/stat counts only hundredths of a second. Descendants are looked up anew
    at each reading; what one of them used that ended between two readings is lost.
    """

    def __init__(self, process_ids):
        self.roots = list(process_ids)

    def read(self):
        """{process id: nanoseconds}; the difference of two readings is `used_ms`."""
        times = {}
        waiting = list(self.roots)
        while waiting:
            process = waiting.pop()
            try:
                times[process] = time.clock_gettime_ns(_clock_id(process))
                waiting += _children(process)
            except OSError:
                continue    # ended meanwhile
        return times

    @staticmethod
    def used_ms(before, after):
        return sum(after[process] - before.get(process, 0) for process in after) / 1e6


def _clock_id(process):
    """The clock of a process, as clock_getcpuclockid(3) makes it."""
    return (~process << 3) | 2


def _children(process):
    children = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        children += [int(child) for child in (thread / "children").read_text().split()]
    return children
