"""Starts and stops Basalt for tests: `local`, or a cluster of processes over tcp on loopback.

Data lies in a temporary folder; ports are free ones. Only processes started here are signalled.
"""

import contextlib
import fcntl
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import pgwire  # noqa: E402
import waits  # noqa: E402

PASSWORD = "test-password"


def program(preset=None):
    preset = preset or os.environ.get("BASALT_PRESET", "release")
    return ROOT / "build" / preset / "basalt"


class Ports:
    """Ports nobody else has: blocks of them below those the system gives to outgoing connections
    (one of which could sit on a port while its process restarts). A block belongs to one test
    process until it ends, by a lock on a file, and no port of it is given twice."""

    BLOCK = 32
    FIRST, END = 10_000, 32_000

    def __init__(self):
        self.locks = []  # files, locked as long as they are open
        self.next = self.end = 0

    def take(self, count):
        """The first of `count` (at most BLOCK) ports in a row that nothing listens on."""
        assert count <= self.BLOCK
        while True:
            if self.next + count > self.end:
                self._take_block()
            first = self.next
            self.next += count
            if all(self._is_free(port) for port in range(first, first + count)):
                return first

    def _take_block(self):
        folder = pathlib.Path(tempfile.gettempdir()) / f"basalt-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        blocks = list(range(self.FIRST, self.END, self.BLOCK))
        random.SystemRandom().shuffle(blocks)
        for first in blocks:
            lock = open(folder / str(first), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            self.locks.append(lock)
            self.next, self.end = first, min(first + self.BLOCK, self.END)
            return
        raise RuntimeError("no free ports")

    @staticmethod
    def _is_free(port):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return False
        return True


PORTS = Ports()


class Process:
    def __init__(self, arguments, log_path, environment=None, preset=None, core=None):
        """`core`: the only processor core it may use; None: any."""
        pin = [] if core is None else ["taskset", "-c", str(core)]
        self.arguments = pin + [str(program(preset))] + [str(a) for a in arguments]
        self.log_path, self.environment = log_path, dict(environment or {})
        self.process = None
        self.is_stopped = False  # by `signal`

    def open_control(self):
        """From its next start on the process has a door for tests (deploy/fault_control.h)."""
        self.environment["BASALT_FAULT_CONTROL"] = str(self.log_path) + ".control"

    def control(self, line, timeout=10):
        """Sends one line through that door; the answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(self.environment["BASALT_FAULT_CONTROL"])
            s.sendall(line.encode() + b"\n")
            answer = b""
            while data := s.recv(1 << 16):
                answer += data
        return answer.decode().strip()

    def arm(self, specification):
        answer = self.control(f"arm {specification}")
        if answer != "ok":
            raise RuntimeError(f"{specification}: {answer}")

    def fault_hits(self):
        """Hits of each fault point since the process started, or since it was armed."""
        hits = {}
        for line in self.control("hits").splitlines():
            name, count = line.split()
            hits[name] = hits.get(name, 0) + int(count)
        return hits

    def start(self):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, "BASALT_ADMIN_PASSWORD": PASSWORD,
                 "LSAN_OPTIONS": f"suppressions={ROOT}/tests/support/lsan.supp",
                 **self.environment})
        log.close()
        return self

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait(timeout=20)

    def stop(self):
        """Clean stop; the exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            stacks = self.stacks()
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"did not stop: {self.arguments}\n{stacks}")

    def stacks(self):
        """What every thread of a process that hangs is doing, when a debugger is installed."""
        if shutil.which("gdb") is None:
            return "(no gdb for its stacks)"
        return subprocess.run(
            ["gdb", "-batch", "-p", str(self.pid), "-ex", "thread apply all bt 16"],
            capture_output=True, text=True, timeout=60).stdout

    def signal(self, number):
        self.is_stopped = number == signal.SIGSTOP
        self.process.send_signal(number)

    def is_paused(self):
        """Stopped, and not by `signal`."""
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except (OSError, AttributeError):
            return False  # not running
        return not self.is_stopped and stat.rpartition(")")[2].split()[0] in "Tt"

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")


class Basalt:
    """Common part: connections and readiness."""

    def __init__(self, directory=None, preset=None):
        self.own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="basalt-test-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.preset = preset
        self.port = PORTS.take(1)
        self.waits = None

    def watch_waits(self, bound=10.0):
        """From here on every statement and login is timed."""
        self.waits = waits.Waits(self.processes, bound)
        return self.waits

    def connect(self, timeout=60, **options):
        with self.waits.of("login") if self.waits else contextlib.nullcontext():
            return pgwire.Connection(port=self.port, password=options.pop("password", PASSWORD),
                                     timeout=timeout, waits=self.waits, **options)

    def wait_ready(self, timeout=40):
        deadline = time.monotonic() + timeout
        last = None
        while time.monotonic() < deadline:
            for p in self.processes():
                if p.process is not None and not p.is_running():
                    raise RuntimeError(f"{p.arguments} ended:\n{p.log()[-4000:]}")
            try:
                with self.connect(timeout=10) as c:
                    states = [r[0] for r in c.rows("select state from svv_cluster_nodes")]
                    if states and all(s == "ready" for s in states):
                        return self
                    last = states
            except (OSError, ConnectionError, pgwire.ServerError) as error:
                last = error
            time.sleep(0.02)
        raise RuntimeError(f"not ready in {timeout} s: {last}\n{self.logs()[-6000:]}")

    def logs(self):
        return "".join(f"--- {p.log_path}\n{p.log()}" for p in self.processes())

    def remove(self):
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            for p in self.processes():
                if p.process is not None:
                    p.kill()
            raise

    def __exit__(self, kind, *_):
        codes = self.stop()
        if kind is not None:
            print(self.logs()[-6000:], file=sys.stderr)
        self.remove()
        if kind is None and any(code != 0 for code in codes):
            raise RuntimeError(f"exit codes {codes}")


class Local(Basalt):
    def __init__(self, nodes=1, settings=None, environment=None, **options):
        super().__init__(**options)
        arguments = ["local", "--nodes", nodes, "--data", self.directory / "data",
                     "--port", self.port]
        for name, value in (settings or {}).items():
            arguments += [f"--{name.replace('_', '-')}={value}"]
        self.server = Process(arguments, self.directory / "log", environment, self.preset)

    def processes(self):
        return [self.server]

    def start(self):
        self.server.start()
        return self.wait_ready()

    def stop(self):
        return [self.server.stop()]

    def pids(self):
        return [self.server.pid]


class Cluster(Basalt):
    """One leader and `nodes` compute processes; `pins`: the core of each node, None: any."""

    def __init__(self, nodes=3, settings=None, environment=None, pins=None, **options):
        super().__init__(**options)
        base = PORTS.take(3 * (nodes + 1))
        address = [f"tcp://127.0.0.1:{base + 3 * i}" for i in range(nodes + 1)]
        extra = [f"--{n.replace('_', '-')}={v}" for n, v in (settings or {}).items()]
        self.leader = Process(
            ["leader", "--nodes", nodes, "--data", self.directory / "leader", "--port", self.port,
             "--cluster-listen", address[0]] + extra,
            self.directory / "leader.log", environment, self.preset)
        self.nodes = [
            Process(["compute", "--data", self.directory / f"node{i}",
                     "--cluster-listen", address[i], "--cluster-leader", address[0]] + extra,
                    self.directory / f"node{i}.log", environment, self.preset,
                    pins[i - 1] if pins else None)
            for i in range(1, nodes + 1)]

    def processes(self):
        return [self.leader] + self.nodes

    def start(self):
        for p in self.processes():
            p.start()
            time.sleep(0.05)
        return self.wait_ready()

    def stop(self):
        codes, failure = [], None
        for p in self.processes():  # all of them, whatever one does
            try:
                codes.append(p.stop())
            except RuntimeError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return codes

    def pids(self):
        return [p.pid for p in self.processes()]
