#!/usr/bin/env python3
"""Bad input: at least ten cases of each kind, each with its SQLSTATE, its position where there is
one, and proof that the next statement works on the same connection (or, after a message that breaks
the protocol, on another one).
"""

import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import cluster  # noqa: E402
import pgwire  # noqa: E402

SETUP = """
create table t (i integer, s smallint, l bigint, d decimal(8,2), v varchar(5), c char(3), day date,
                ts timestamp, b boolean, f double precision);
insert into t values (1, 1, 1, 1.00, 'a', 'b', '2020-01-01', '2020-01-01 10:00:00', true, 1.5);
create table n (a integer not null, b integer);
create view w as select i, v from t
"""

# (kind, SQL, SQLSTATE, position in characters from 1 or None)
SQL = [
    ("syntax", "selec 1", "42601", 1),
    ("syntax", "select 1 +", "42601", None),
    ("syntax", "select * frm t", "42601", None),
    ("syntax", "select (1", "42601", None),
    ("syntax", "select 'abc", "42601", 8),
    ("syntax", 'select "abc', "42601", 8),
    ("syntax", "select 1 from t where", "42601", None),
    ("syntax", "select from where", "42601", None),
    ("syntax", "insert t values (1)", "42601", 8),
    ("syntax", "create table x (a integer,)", "42601", 27),
    ("syntax", "select /* never closed", "42601", 8),
    ("syntax", "select 1 order 2", "42601", None),
    ("syntax", "select case when 1 then", "42601", None),
    ("name", "select nothing", "42703", 8),
    ("name", "select t.nothing from t", "42703", 8),
    ("name", "select x.i from t", "42P01", 8),
    ("name", "select * from nowhere", "42P01", 15),
    ("name", "select * from no.where_at_all", "42P01", None),
    ("name", "select nofunction(1)", "42883", 8),
    ("name", "select i from t a, t b", "42702", 8),
    ("name", "select 1 from t, t", "42712", None),
    ("name", "insert into t (nothing) values (1)", "42703", 16),
    ("name", "insert into t (i, i) values (1, 2)", "42701", None),
    ("name", "drop table nowhere", "42P01", None),
    ("name", "drop view t", "42809", None),
    ("name", "create table t (a integer)", "42P07", None),
    ("name", "create table x (a integer, a integer)", "42701", None),
    ("name", "create schema public", "42P06", None),
    ("name", "create table no_schema.x (a integer)", "3F000", None),
    ("name", "truncate nowhere", "42P01", None),
    ("name", "select i + $1 from t", "42P02", 12),
    ("name", "insert into t (i) values ($1)", "42P02", 27),
    ("name", "delete from t where i = $1", "42P02", 25),
    ("type", "select 1 + true", "42883", None),
    ("type", "select 'a' + 1", "22P02", 8),
    ("type", "select i + v from t", "42883", None),
    ("type", "select * from t where i", "42804", 23),
    ("type", "select not 5", "42804", None),
    ("type", "select sum(v) from t", "42883", 8),
    ("type", "select i from t where v = day", "42883", None),
    ("type", "select case when true then 1 else date '2020-01-01' end", "42804", None),
    ("type", "select 1 union select date '2020-01-01'", "42804", None),
    ("type", "select upper(day, 1) from t", "42883", 8),
    ("type", "create table x (a nothing)", "42704", 19),
    ("type", "select cast(day as integer) from t", "42846", None),
    ("overflow", "select 2147483647 + i from t", "22003", None),
    ("overflow", "select i * 2147483647 * 2 from t", "22003", None),
    ("overflow", "select -s - 32767::smallint - s from t", "22003", None),
    ("overflow", "select l + 9223372036854775807 from t", "22003", None),
    ("overflow", "select 9223372036854775807 + 1::bigint", "22003", None),
    ("overflow", "select cast(40000 as smallint)", "22003", None),
    ("overflow", "select cast(3000000000 as integer)", "22003", None),
    ("overflow", "select cast(1234567 as decimal(5,2))", "22003", None),
    ("overflow", "select '99999999999'::integer", "22003", None),
    ("overflow", "insert into t (d) values (12345678.9)", "22003", None),
    ("overflow", "insert into t (s) values (70000)", "22003", None),
    ("overflow", "select exp(10000.0::double precision)", "22003", None),
    ("division", "select 1 / 0", "22012", None),
    ("division", "select i / (i - 1) from t", "22012", None),
    ("division", "select l / 0 from t", "22012", None),
    ("division", "select d / 0 from t", "22012", None),
    ("division", "select d / (d - 1) from t", "22012", None),
    ("division", "select f / 0 from t", "22012", None),
    ("division", "select 5 % 0", "22012", None),
    ("division", "select i % (i - i) from t", "22012", None),
    ("division", "select mod(7, 0)", "22012", None),
    ("division", "select sum(i) / (count(*) - 1) from t", "22012", None),
    ("division", "select 1.5 / 0.0", "22012", None),
    ("date", "select date '2024-02-30'", "22008", 13),
    ("date", "select date 'yesterday-ish'", "22007", 13),
    ("date", "select date '2024-13-01'", "22008", 13),
    ("date", "select date ''", "22007", 13),
    ("date", "select '2024-01-32'::date", "22008", None),
    ("date", "select timestamp '2024-01-01 25:00:00'", "22008", 18),
    ("date", "select timestamp '2024-01-01 10:61:00'", "22008", 18),
    ("date", "select timestamp 'nonsense'", "22007", 18),
    ("date", "insert into t (day) values ('31/31/2020')", "22008", None),
    ("date", "select day from t where day > '2020-99-99'", "22008", 31),
    ("date", "select interval 'a while'", "22007", None),
    ("date", "select extract(fortnight from day) from t", "22023", None),
    ("text", "select 'abc'::integer", "22P02", None),
    ("text", "select 'maybe'::boolean", "22P02", None),
    ("text", "select '1.2.3'::decimal(5,2)", "22P02", None),
    ("text", "select '1e'::double precision", "22P02", None),
    ("text", "select ''::integer", "22P02", None),
    ("text", "insert into t (v) values ('too long')", "22001", None),
    ("text", "insert into t (c) values ('abcd')", "22001", None),
    ("text", "insert into t (i) values ('x')", "22P02", None),
    ("text", "select substring('abc' from 1 for -1)", "22011", None),
    ("text", "select chr(-1)", "54000", None),
    ("text", "select v::integer from t", "22P02", None),
    ("text", "select 'abc' like 'a\\' escape '\\'", "22025", None),
    ("group", "select i, sum(l) from t", "42803", 8),
    ("group", "select v, sum(l) from t group by i", "42803", 8),
    ("group", "select i from t where sum(i) > 1", "42803", 23),
    ("group", "select sum(sum(i)) from t", "42803", None),
    ("group", "select i from t group by i having v = 'a'", "42803", None),
    ("group", "select i from t order by sum(l)", "42803", None),
    ("group", "select i from t group by 5", "42P10", None),
    ("group", "select i from t order by 9", "42P10", None),
    ("group", "select distinct i from t order by l", "42P10", None),
    ("group", "select (select i, l from t)", "42601", None),
    ("group", "select i from t where i in (select i, l from t)", "42601", None),
    ("group", "select (select i from (select 1 as i union all select 2 as i) x)", "21000", None),
    ("group", "select 1 union select 1, 2", "42601", None),
    ("group", "insert into t (i) values (1, 2)", "42601", None),
    ("group", "insert into t (i, s) values (1)", "42601", None),
    ("null", "insert into n values (null, 1)", "23502", None),
    ("null", "insert into n (b) values (1)", "23502", None),
    ("null", "insert into n select null, 1", "23502", None),
    ("setting", "set nonsense to 1", "42704", None),
    ("setting", "set batch_rows to 0", "22023", None),
    ("setting", "set batch_rows to 'many'", "22023", None),
    ("setting", "set batch_rows to 5000", "22023", None),
    ("setting", "set port to 1", "55P02", None),
    ("setting", "set statement_timeout to 'soon'", "22023", None),
    ("setting", "set exchange_encode to maybe", "22023", None),
    ("setting", "set client_min_messages to loud", "22023", None),
    ("setting", "show nonsense", "42704", None),
    ("setting", "reset nonsense", "42704", None),
    ("setting", "set query_memory to '12 bananas'", "22023", None),
    ("transaction", "savepoint a", "25P01", None),
    ("transaction", "rollback to a", "25P01", None),
    ("transaction", "declare c cursor for select 1", "25P01", None),
    ("transaction", "fetch 1 from nothing", "34000", None),
    ("transaction", "close nothing", "34000", None),
    ("transaction", "deallocate nothing", "26000", None),
    ("limit", "select 1 limit -1", "2201W", None),
    ("limit", "select 1 offset -1", "2201X", None),
    ("limit", "select 1 limit 'x'", "22P02", None),
    ("copy", "copy nowhere from stdin", "42P01", None),
    ("copy", "copy t (nothing) from stdin", "42703", None),
    ("copy", "copy t from '/etc/passwd'", "42501", None),
    ("copy", "copy t from '../../etc/passwd'", "42501", None),
    ("copy", "copy t from stdin delimiter ''", "22023", None),
    ("copy", "copy t from stdin nonsense", "42601", None),
    ("copy", "copy w from stdin", "42809", None),
    ("copy", "copy t to '/tmp/x'", "0A000", None),
    ("unbuilt", "select array[1, 2]", "0A000", None),
    ("unbuilt", "with recursive x as (select 1 as n union all select n + 1 from x) select * from x", "0A000", None),
    ("unbuilt", "select distinct on (i) i from t", "0A000", None),
    ("unbuilt", "comment on table t is 'x'", "0A000", None),
    ("unbuilt", "grant select on t to public", "0A000", None),
]

# COPY text, SQLSTATE, words the message or its context must hold.
COPY = [
    (b"1|2\n3\n", "22P04", ["line 2"]),
    (b"1|2|3\n", "22P04", ["line 1"]),
    (b"x|2\n", "22P02", ["line 1", "a", "x"]),
    (b"1|2\n99999999999|2\n", "22003", ["line 2", "a"]),
    (b"1|2\n\\N|2\n", "23502", ["line 2", "a"]),
    (b"1|2\n2|1.5\n", "22P02", ["line 2", "b", "1.5"]),
    (b"1|2\n2|\xff\xfe\n", "22021", ["line 2"]),
    (b"1|2\n\n", "22P04", ["line 2"]),
    (b"1|--2\n", "22P02", ["line 1", "b"]),
    (b"1|2\n1|2|\n", "22P04", ["line 2"]),
    (b"1|2 \x00 3\n", None, ["line 1"]),
]
CSV = [
    (b'1,"2\n', "22P04", ["line 1"]),
    (b'"1""",2\n', "22P02", ["line 1", "a"]),
    (b"1\n", "22P04", ["line 1"]),
    (b"1,2,3\n", "22P04", ["line 1"]),
    (b'1,2\n"x",2\n', "22P02", ["line 2", "a", "x"]),
    (b'1,2\n2,"1\n2"\n', "22P02", ["line 2", "b"]),
    (b',2\n', "23502", ["line 1", "a"]),
    (b"2147483648,1\n", "22003", ["line 1", "a", "2147483648"]),
    (b"1,true\n", "22P02", ["line 1", "b", "true"]),
    (b'1,2\n\n"\n', None, []),
]


def message(kind, body, length=None):
    return kind + struct.pack("!i", len(body) + 4 if length is None else length) + body


# Bytes after a login; "08P01" as ErrorResponse or a closed connection, never a hang or a crash.
WIRE = [
    ("unknown type", message(b"@", b"")),
    ("length below four", message(b"Q", b"", 3)),
    ("negative length", message(b"Q", b"", -1)),
    ("length of gigabytes", message(b"Q", b"", 0x7FFFFFFF)),
    ("query without terminator", message(b"Q", b"select 1")),
    ("query with two terminators", message(b"Q", b"select 1\0\0")),
    ("parse cut short", message(b"P", b"name\0")),
    ("parse with many types", message(b"P", b"\0select 1\0" + struct.pack("!h", 30000))),
    ("parse with negative types", message(b"P", b"\0select 1\0" + struct.pack("!h", -5))),
    ("bind cut short", message(b"B", b"\0")),
    ("bind of nothing", message(b"B", b"\0nothing\0\0\0\0\0\0\0")),
    ("bind with huge value", message(b"P", b"\0select $1::integer\0\0\0") +
     message(b"B", b"\0\0\0\0" + struct.pack("!hi", 1, 0x7FFFFFF0) + b"1\0\0")),
    ("bind with negative value", message(b"P", b"\0select $1::integer\0\0\0") +
     message(b"B", b"\0\0\0\0" + struct.pack("!hi", 1, -7) + b"\0\0")),
    ("bind with bad format", message(b"P", b"\0select $1::integer\0\0\0") +
     message(b"B", b"\0\0" + struct.pack("!hh", 1, 9) + struct.pack("!hi", 1, 1) + b"1\0\0")),
    ("describe of neither", message(b"D", b"X\0")),
    ("execute of nothing", message(b"E", b"nothing\0\0\0\0\0")),
    ("execute cut short", message(b"E", b"\0\0")),
    ("close of neither", message(b"C", b"Zx\0")),
    ("function call", message(b"F", b"\0\0\0\1\0\0\0\0\0\0")),
    ("password after login", message(b"p", b"secret\0")),
    ("copy data without copy", message(b"d", b"1,2\n")),
    ("sync with a body", message(b"S", b"x")),
    ("terminate with a body", message(b"X", b"x")),
    ("not UTF-8", message(b"Q", b"select '\xff\xfe'\0")),
]

# Bytes instead of a startup packet.
STARTUP = [
    b"GET / HTTP/1.1\r\n\r\n",
    struct.pack("!i", 0),
    struct.pack("!i", 7) + b"abc",
    struct.pack("!i", 100_000),
    struct.pack("!ii", 8, 196608),
    struct.pack("!ii", 9, 196608) + b"\0",
    struct.pack("!ii", 20, 131072) + b"user\0admin\0\0",
    struct.pack("!ii", 8, 80877103) * 3,
    struct.pack("!ii", 16, 80877102) + b"\0" * 8,
    struct.pack("!ii", 13, 196608) + b"user\0",
    struct.pack("!ii", 30, 196608) + b"user\0admin\0database\0no\0\0",
]


class Test:
    def __init__(self, server):
        self.server = server
        self.passed = self.failed = 0
        self.counts = {}

    def check(self, kind, condition, what):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED ({kind}): {what}", file=sys.stderr, flush=True)

    def next_works(self, connection):
        try:
            return connection.status == "I" and connection.value("select 6 * 7") == "42"
        except (OSError, ConnectionError, pgwire.ServerError):
            return False

    def sql(self, connection, kind, text, sqlstate, position):
        try:
            connection.query_all(text)
            return self.check(kind, False, f"{text}: no error")
        except pgwire.ServerError as error:
            good = error.sqlstate == sqlstate and (position is None or error.position == position)
            seen = f"{error.sqlstate} at {error.position}: {error.message}"
        except (OSError, ConnectionError) as error:
            good, seen = False, repr(error)
        self.check(kind, good and self.next_works(connection),
                   f"{text}: {seen}; expected {sqlstate} at {position}")

    def copy(self, connection, options, text, sqlstate, words):
        sql = f"copy n from stdin {options}"
        try:
            connection.copy_in(sql, text)
            return self.check("copy rows", False, f"{text}: no error")
        except pgwire.ServerError as error:
            told = f"{error.message} {error.fields.get('D', '')} {error.fields.get('W', '')}"
            good = ((sqlstate is None or error.sqlstate == sqlstate)
                    and all(w in told for w in words))
            seen = f"{error.sqlstate}: {told}"
        except (OSError, ConnectionError) as error:
            good, seen = False, repr(error)
        self.check("copy rows", good and self.next_works(connection),
                   f"{text}: {seen}; expected {sqlstate} with {words}")
        self.check("copy rows", connection.value("select count(*) from n") == "0",
                   f"{text}: rows were left behind")

    def wire(self, name, data):
        connection = self.server.connect(timeout=10)
        good = False
        try:
            connection.send_raw(data + message(b"S", b""))
            for _ in range(100):
                kind, body = connection.receive()
                if kind == b"E":
                    fields = pgwire._fields(body)
                    good = fields["C"] in ("08P01", "26000", "34000", "0A000", "22021", "22P03")
                    break
                if name in ("copy data without copy", "terminate with a body") and kind == b"Z":
                    good = True  # passed over, as PostgreSQL does
                    break
        except TimeoutError:
            good = False
        except (OSError, ConnectionError):
            good = True  # closed
        finally:
            connection.socket.close()
        with self.server.connect() as other:
            self.check("wire", good and self.next_works(other), name)

    def startup(self, data):
        import socket
        good = True
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=15) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
            except TimeoutError:
                good = False
            except OSError:
                pass
        with self.server.connect() as other:
            self.check("startup", good and self.next_works(other), f"startup {data[:40]!r}")

    def deep(self, connection):
        cases = [("select " + "(" * n + "1" + ")" * n, n) for n in (100, 10_000, 300_000)]
        cases += [("select " + "- " * n + "1", n) for n in (10_000,)]
        cases += [("select " + "not " * n + "true", n) for n in (10_000, 200_000)]
        cases += [("select 1" + " + 1" * n, n) for n in (10_000, 200_000)]
        cases += [("select " + "case when true then " * n + "1" + " end" * n, n) for n in (5_000,)]
        cases += [("select * from " + "(select * from " * n + "t" + ") x" * n, n)
                  for n in (100, 5_000)]
        cases += [("select " + "abs(" * n + "1" + ")" * n, n) for n in (20_000,)]
        for text, depth in cases:
            try:
                connection.query_all(text)
                good, seen = True, "it went through"
            except pgwire.ServerError as error:
                good, seen = error.sqlstate in ("54001", "22003", "54000"), str(error)
            except (OSError, ConnectionError) as error:
                good, seen = False, repr(error)
                connection = self.server.connect()
            self.check("deep", good and self.next_works(connection),
                       f"{text[:40]}… {depth} deep: {seen}")

    def long(self, connection):
        million = 1_000_000
        cases = [
            "select '" + "x" * million + "'",
            "select " + ",".join(str(i) for i in range(1500)),
            "select 1 where 1 in (" + ",".join(str(i) for i in range(150_000)) + ")",
            "select 1 /* " + "c" * million + " */",
            "select 1 -- " + "c" * million,
            "insert into n values " + ",".join(f"({i}, {i})" for i in range(60_000)),
            "select 1 where " + " or ".join(f"1 = {i}" for i in range(5_000)),
            "select 1 as " + "a" * million,
            "select " + "9" * million,
            "select " + ",".join(str(i) for i in range(5_000)),
        ]
        for text in cases:
            try:
                connection.query_all(text)
                good, seen = True, "it went through"
            except pgwire.ServerError as error:
                good, seen = error.sqlstate[:2] in ("54", "42", "22"), str(error)[:200]
            except (OSError, ConnectionError) as error:
                good, seen = False, repr(error)
                connection = self.server.connect()
            self.check("long", good and self.next_works(connection), f"{text[:40]}…: {seen}")
        connection.query_all("truncate n")

    def run(self):
        connection = self.server.connect()
        connection.query_all(SETUP)
        for case in SQL:
            self.sql(connection, *case)
        for text, sqlstate, words in COPY:
            self.copy(connection, "delimiter '|'", text, sqlstate, words)
        for text, sqlstate, words in CSV:
            self.copy(connection, "csv", text, sqlstate, words)
        self.deep(connection)
        self.long(self.server.connect())
        for name, data in WIRE:
            self.wire(name, data)
        for data in STARTUP:
            self.startup(data)
        print(", ".join(f"{k} {n}" for k, n in sorted(self.counts.items())))
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or self.passed < 150 else 0


def main():
    preset = sys.argv[1] if len(sys.argv) > 1 else None
    with cluster.Local(nodes=2, preset=preset) as server:
        return Test(server).run()


if __name__ == "__main__":
    sys.exit(main())
