"""What clients of fault tests change: each owns its tables or keys, and knows what they must hold."""

import random
import time

from seeded import Failure

KEYS = 400
BATCH_ROWS = 1200


class Work:
    """Changes one after the other, of what nobody else changes; `state` is what must be there."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.state = None  # of any type that compares

    def name(self):
        return type(self).__name__

    def make(self, c):
        """Makes the tables; the first state."""
        raise NotImplementedError

    def next_change(self):
        """What to call with a connection, the state after it, and a word for it."""
        raise NotImplementedError

    def seen(self, c):
        """The state that is there."""
        raise NotImplementedError

    def difference(self, seen, wanted):
        if isinstance(seen, dict) and isinstance(wanted, dict):
            keys = [k for k in seen.keys() | wanted.keys() if seen.get(k) != wanted.get(k)]
            return "; ".join(f"{k}: {seen.get(k)}, not {wanted.get(k)}" for k in sorted(keys)[:5])
        return f"{seen}, not {wanted}"


class Copier(Work):
    """COPY of batches, and TRUNCATE."""

    def make(self, c):
        c.query_all("create table copied (batch bigint, id bigint, note varchar(40)) distkey (id) "
                    "sortkey (id)")
        self.state, self.next_batch = {}, 1

    def next_change(self):
        if len(self.state) >= 12:
            return lambda c: c.query_all("truncate copied"), {}, "TRUNCATE"
        batch = self.next_batch
        self.next_batch += 1
        text = b"".join(b"%d|%d|row %d of %d\n" % (batch, i, i, batch) for i in range(BATCH_ROWS))
        return (lambda c: c.copy_in("copy copied from stdin delimiter '|'", text),
                {**self.state, batch: (BATCH_ROWS, BATCH_ROWS * (BATCH_ROWS - 1) // 2)}, "COPY")

    def seen(self, c):
        return {int(b): (int(n), int(s)) for b, n, s in
                c.rows("select batch, count(*), sum(id) from copied group by batch")}


class Pairs(Work):
    """Transactions of several statements that write two tables."""

    def make(self, c):
        c.query_all("create table lefts (batch bigint, id bigint) distkey (id)")
        c.query_all("create table rights (batch bigint, id bigint) diststyle even")
        self.state, self.next_batch = {}, 1

    def next_change(self):
        batch = self.next_batch
        self.next_batch += 1
        ids = [self.random.randrange(1 << 20) for _ in range(self.random.randrange(1, 30))]
        old = min(self.state) if len(self.state) > 20 else 0
        after = {b: v for b, v in self.state.items() if b != old}
        after[batch] = (len(ids), sum(ids), len(ids), sum(ids))

        def run(c):
            c.query_all("begin")
            c.query_all("insert into lefts values " + ",".join(f"({batch},{i})" for i in ids))
            c.query_all(f"insert into rights select batch, id from lefts where batch = {batch}")
            if old:
                c.query_all(f"delete from lefts where batch = {old}")
                c.query_all(f"delete from rights where batch = {old}")
            c.query_all("commit")
        return run, after, "transaction"

    def seen(self, c):
        return {int(r[0]): tuple(int(v) for v in r[1:]) for r in c.rows(
            "select l.batch, l.n, l.s, r.n, r.s from "
            "(select batch, count(*) as n, sum(id) as s from lefts group by batch) l full join "
            "(select batch, count(*) as n, sum(id) as s from rights group by batch) r "
            "on l.batch = r.batch")}


class Changer(Work):
    """UPDATE, DELETE, MERGE and INSERT of single rows and of ranges."""

    def make(self, c):
        c.query_all("create table counters (id bigint, v bigint) distkey (id) sortkey (v)")
        c.query_all("create table news (id bigint, v bigint) diststyle all")
        c.query_all("insert into counters values " + ",".join(f"({i},{i})" for i in range(KEYS)))
        c.query_all("insert into news values " + ",".join(f"({i},{-i})" for i in
                                                         range(0, 2 * KEYS, 9)))
        self.state = {i: i for i in range(KEYS)}

    def next_change(self):
        kind = self.random.randrange(5)
        low = self.random.randrange(2 * KEYS)
        high = low + self.random.choice([1, 20, 200])
        state = self.state
        if kind == 0:
            return (lambda c: c.query_all("merge into counters using news on counters.id = news.id "
                                          "when matched then update set v = news.v "
                                          "when not matched then insert values (news.id, news.v)"),
                    {**state, **{i: -i for i in range(0, 2 * KEYS, 9)}}, "MERGE")
        if kind == 1:
            return (lambda c: c.query_all(f"delete from counters where id >= {low} and "
                                          f"id < {high}"),
                    {i: v for i, v in state.items() if not low <= i < high}, "DELETE")
        if kind == 2:
            new = [i for i in range(low, low + 30) if i not in state]
            if new:
                return (lambda c: c.query_all("insert into counters values " +
                                              ",".join(f"({i},0)" for i in new)),
                        {**state, **{i: 0 for i in new}}, "INSERT")
        return (lambda c: c.query_all(f"update counters set v = v + 1 where id >= {low} and "
                                      f"id < {high}"),
                {i: v + 1 if low <= i < high else v for i, v in state.items()}, "UPDATE")

    def seen(self, c):
        rows = c.rows("select id, v from counters")
        seen = {int(i): int(v) for i, v in rows}
        if len(seen) != len(rows):
            raise Failure("counters has rows twice")
        return seen


class Vacuumer(Work):
    """VACUUM and ANALYZE of what the others change: no row comes or goes."""

    def make(self, c):
        self.state = ()

    def next_change(self):
        table = self.random.choice(["copied", "lefts", "counters"])
        text = self.random.choice([f"vacuum full {table} to 100 percent", f"vacuum {table}",
                                   f"analyze {table}"])
        time.sleep(self.random.uniform(0, 0.05))
        return lambda c: c.query_all(text), (), text

    def seen(self, c):
        c.query_all("select count(*) from copied")
        return ()


class Builder(Work):
    """CREATE TABLE, ALTER TABLE, CREATE TABLE AS and DROP; some in transactions."""

    def make(self, c):
        self.state, self.next_table = {}, 1

    def next_change(self):
        state = self.state
        if len(state) > 4:
            name = self.random.choice(sorted(state))
            return (lambda c: c.query_all(f"drop table {name}"),
                    {n: v for n, v in state.items() if n != name}, "DROP")
        kind = self.random.randrange(3)
        name = f"built{self.next_table}"
        if kind == 0 and state:
            name = self.random.choice(sorted(state))
            columns, rows = state[name]
            return (lambda c: c.query_all(f"alter table {name} add column c{columns} integer"),
                    {**state, name: (columns + 1, rows)}, "ALTER TABLE")
        self.next_table += 1
        if kind == 1 and state:
            source = self.random.choice(sorted(state))
            return (lambda c: c.query_all(f"create table {name} as select * from {source}"),
                    {**state, name: state[source]}, "CREATE TABLE AS")

        def both(c):
            c.query_all("begin")
            c.query_all(f"create table {name} (id bigint) distkey (id)")
            c.query_all(f"insert into {name} values (1), (2), (3), (4), (5)")
            c.query_all("commit")
        return both, {**state, name: (1, 5)}, "CREATE TABLE"

    def seen(self, c):
        names = [r[0] for r in c.rows("select tablename from pg_tables where tablename like 'built%'")]
        seen = {}
        for name in names:
            columns = c.query(f"select * from {name} where 1 = 0").columns
            seen[name] = (len(columns), int(c.value(f"select count(*) from {name}")))
        return seen


class Inserter(Work):
    """INSERTs of single rows into a table that several clients share; now and then its oldest go."""

    def __init__(self, seed, number=0):
        super().__init__(seed)
        self.number = number

    def name(self):
        return f"Inserter {self.number}"

    def make(self, c):
        if self.number == 0:
            c.query_all("create table singles (client integer, id bigint, note varchar(200)) "
                        "distkey (id)")
        self.state = (0, 0)  # from the first id to before the second

    def next_change(self):
        first, end = self.state
        if end - first > 400 and self.random.random() < 0.02:
            middle = (first + end) // 2
            return (lambda c: c.query_all(f"delete from singles where client = {self.number} "
                                          f"and id < {middle}"), (middle, end), "DELETE")
        return (lambda c: c.query_all(f"insert into singles values ({self.number}, {end}, "
                                      f"'{'n' * self.random.randrange(200)}')"),
                (first, end + 1), "INSERT")

    def seen(self, c):
        count, first, last = c.rows("select count(*), min(id), max(id) from singles "
                                    f"where client = {self.number}")[0]
        if count == "0":
            return self.state if self.state[0] == self.state[1] else (0, 0)
        first, end = int(first), int(last) + 1
        return (first, end) if int(count) == end - first else (first, end, int(count))
