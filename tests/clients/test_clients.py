#!/usr/bin/python3
"""Clients people use: psql 15, psycopg2, pgjdbc and node-pg against one server.

Each connects with SCRAM, runs parameterised statements, reads every type in text and binary, pages
through a million rows by a thousand, copies both ways, cancels, and gets proper errors. A client that hangs loses its server after
CLIENT_SECONDS_MAX: its test fails, nothing waits for ever.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402
import psycopg2  # noqa: E402
import psycopg2.extras  # noqa: E402

MILLION = 1_000_000
CLIENT_SECONDS_MAX = 240
JDBC_JAR = "/usr/share/java/postgresql.jar"
SLOW = ("select count(*) from numbers a, numbers b, numbers c "
        "where a.n * 3 + b.n * 7 + c.n * 11 = -1")


def fill(server):
    with server.connect() as c:
        c.query_all("""create table types (b boolean, s smallint, i integer, l bigint,
            d decimal(12,2), w decimal(38,10), r real, f double precision, c char(5),
            v varchar(20), day date, t timestamp)""")
        c.query_all("""insert into types values
            (true, -32768, 2147483647, -9223372036854775808, 1234567890.12,
             -1234567890123456789012345678.0123456789, 1.5, -2.25e100, 'ab', 'h''ello',
             '1999-12-31', '2000-01-01 12:34:56.789'),
            (null, null, null, null, null, null, null, null, null, null, null, null)""")
        c.query_all("create table numbers (n integer, name varchar(20))")
        rows = b"".join(b"%d|name %d\n" % (i, i) for i in range(MILLION))
        c.copy_in("copy numbers from stdin delimiter '|'", rows)


def psql(server, *arguments, stdin=None, expect=0):
    done = subprocess.run(
        ["psql", "-X", "-h", "127.0.0.1", "-p", str(server.port), "-U", "admin", "dev", *arguments],
        input=stdin, capture_output=True, text=True, timeout=120,
        env={"PGPASSWORD": cluster.PASSWORD, "PATH": "/usr/bin:/bin"})
    return done


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def test_psql(server, check):
    out = psql(server, "-At", "-c", "select 1 + 1, 'a' || 'b'")
    check(out.stdout == "2|ab\n" and out.returncode == 0, f"psql select: {out}")
    out = psql(server, "-At", "-c", "select * from types where i is not null")
    check(out.stdout == "t|-32768|2147483647|-9223372036854775808|1234567890.12|"
          "-1234567890123456789012345678.0123456789|1.5|-2.25e+100|ab   |h'ello|1999-12-31|"
          "2000-01-01 12:34:56.789\n", f"psql types: {out.stdout!r}")
    out = psql(server, "-c", "select nonsense from types")
    check('column "nonsense" does not exist' in out.stderr and "LINE 1" in out.stderr,
          f"psql error: {out.stderr}")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
        f.write("1,one\n2,\"two, or so\"\n")
        f.flush()
        script = (f"create table copied (a integer, b varchar(20));\n"
                  f"\\copy copied from '{f.name}' csv\n"
                  "\\copy (select * from copied order by a) to stdout csv\n")
        out = psql(server, "-q", "-v", "ON_ERROR_STOP=1", stdin=script)
        check(out.stdout == '1,one\n2,"two, or so"\n', f"psql copy: {out}")
    out = psql(server, "-q", stdin="begin; insert into copied values (3, 'x'); rollback;\n"
                                   "\\t\nselect count(*) from copied;\n")
    check(out.stdout.strip().endswith("2"), f"psql rollback: {out}")
    test_psql_backslash(server, check)
    out = psql(server, "-At", "-v", "FETCH_COUNT=1000", "-c", "select n from numbers where n < 5000")
    check(len(out.stdout.splitlines()) == 5000, f"psql FETCH_COUNT: {out.stderr[:500]}")
    bad = subprocess.run(["psql", "-X", "-h", "127.0.0.1", "-p", str(server.port), "-U", "admin",
                          "dev", "-c", "select 1"], capture_output=True, text=True, timeout=30,
                         env={"PGPASSWORD": "wrong", "PATH": "/usr/bin:/bin"})
    check(bad.returncode == 2 and "password authentication failed" in bad.stderr,
          f"psql wrong password: {bad.stderr}")


def test_psql_backslash(server, check):
    for command, part in (("\\d", "public|numbers|table|admin"), ("\\dt", "public|types|table"),
                          ("\\d types", "w|numeric(38,10)"), ("\\d+ numbers", "name|character var"),
                          ("\\l", "dev|admin|UTF8"), ("\\du", "admin|Superuser"),
                          ("\\dn", "public|admin"), ("\\dv", ""), ("\\df", ""), ("\\dT", ""),
                          ("\\dp", "public|types|table"), ("\\di", ""), ("\\ds", ""), ("\\dx", ""),
                          ("\\dt pg_catalog.*", "pg_class"), ("\\d pg_class", "relname")):
        out = psql(server, "-At", "-c", command)
        check(out.returncode == 0 and "ERROR" not in out.stderr and part in out.stdout,
              f"psql {command}: {out.stdout[:300]} {out.stderr}")


def test_psycopg2(server, check):
    options = dict(host="127.0.0.1", port=server.port, user="admin", password=cluster.PASSWORD,
                   dbname="dev")
    connection = psycopg2.connect(**options)
    cursor = connection.cursor()
    cursor.execute("select %s + 1, %s || 'x', %s::date + 1", (41, "it's", "2024-02-28"))
    row = cursor.fetchone()
    check(row[0] == 42 and row[1] == "it'sx" and str(row[2]) == "2024-02-29", f"psycopg2: {row}")
    cursor.execute("select * from types where i is not null")
    row = cursor.fetchone()
    check(row[0] is True and row[3] == -2**63 and str(row[4]) == "1234567890.12" and
          row[7] == -2.25e100 and row[8] == "ab   ", f"psycopg2 types: {row}")
    connection.commit()

    before = resident_bytes(server.server.pid)
    peak, pages, total = before, 0, 0
    with connection.cursor(name="pages") as named:
        named.itersize = 1000
        named.execute("select n, name from numbers")
        while True:
            rows = named.fetchmany(1000)
            if not rows:
                break
            pages += 1
            total += sum(r[0] for r in rows)
            if pages % 100 == 0:
                peak = max(peak, resident_bytes(server.server.pid))
    connection.commit()
    check(total == MILLION * (MILLION - 1) // 2 and pages == 1000, f"pages {pages} sum {total}")
    check(peak - before <= 64 << 20, f"paging grew the server by {(peak - before) >> 20} MiB")

    try:
        cursor.execute("select 1 / (n - n) from numbers")
        cursor.fetchall()
        check(False, "division by zero went through")
    except psycopg2.errors.DivisionByZero as error:
        check(error.pgcode == "22012", f"pgcode {error.pgcode}")
    connection.rollback()
    timer = threading.Timer(0.3, connection.cancel)
    start = time.monotonic()
    timer.start()
    try:
        cursor.execute(SLOW)
        check(False, "the slow query ended by itself")
    except psycopg2.errors.QueryCanceled:
        check(time.monotonic() - start < 5, f"cancel took {time.monotonic() - start:.1f} s")
    timer.join()
    connection.rollback()
    cursor.execute("select 7")
    check(cursor.fetchone() == (7,), "the connection works after a cancel")
    cursor.execute("create table people (id integer, name varchar(30))")
    psycopg2.extras.execute_values(cursor, "insert into people values %s",
                                   [(i, f"p{i}") for i in range(500)])
    connection.commit()
    cursor.execute("select count(*), min(name) from people")
    check(cursor.fetchone() == (500, "p0"), "execute_values")
    connection.close()


def run_program(arguments, server, check, name, cwd=None):
    done = subprocess.run(arguments + [str(server.port), cluster.PASSWORD], capture_output=True,
                          text=True, timeout=300, cwd=cwd)
    lines = [l for l in done.stdout.splitlines() if l.startswith(("ok ", "FAILED "))]
    for line in lines:
        check(line.startswith("ok "), f"{name}: {line}")
    check(done.returncode == 0 and lines, f"{name} ended with {done.returncode}:\n"
          f"{done.stdout[-2000:]}{done.stderr[-3000:]}")


def test_jdbc(server, check):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["javac", "-cp", JDBC_JAR, "-d", folder, str(HERE / "JdbcTest.java")], check=True,
                       timeout=120)
        run_program(["java", "-cp", f"{folder}:{JDBC_JAR}", "JdbcTest"], server, check, "pgjdbc")


def test_node(server, check):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="basalt-node-"))
    try:
        for name in ("package.json", "node_test.mjs"):
            shutil.copy(HERE / name, folder)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder,
                       check=True, timeout=200)
        run_program(["node", "node_test.mjs"], server, check, "node-pg", cwd=folder)
    finally:
        shutil.rmtree(folder)


def main():
    check = checks.Checks()
    with cluster.Local(nodes=2) as server:
        fill(server)
        for test in (test_psql, test_psycopg2, test_jdbc, test_node):
            print(test.__name__, flush=True)
            watchdog = threading.Timer(CLIENT_SECONDS_MAX, server.server.kill)
            watchdog.start()
            try:
                test(server, check)
            except Exception as error:  # the other clients still have their turn
                check(False, f"{test.__name__}: {error!r}")
            finally:
                watchdog.cancel()
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
