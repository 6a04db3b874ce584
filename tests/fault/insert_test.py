#!/usr/bin/env python3
"""Small INSERTs of many sessions, which share commits: each client hears of its own rows.

    insert_test.py [--seconds 4] [--seed N]

Eight clients insert one row at a time, a tenth of them bad ones (NULL where none may be, a text too
long, a number out of range). Good ones answer INSERT 0 1 and are there, once, in every table kind;
bad ones get their own SQLSTATE and leave nothing, and nobody else hears of them. Every other client
sends its good ones as Parse, Bind, Execute and Sync. One client's
statements are canceled at random moments: what ended with 57014 is not there. In the middle the
node, then the leader are killed with -9: what was answered stays, what was not is there once or
not at all.
"""

import argparse
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import checks  # noqa: E402
import cluster  # noqa: E402
import pgwire  # noqa: E402

CLIENTS = 8
HASTY = 8  # the client whose statements are canceled
BAD = (("null, 'x'", "23502"), ("%d, 'much too long for it'", "22001"), ("30000000000, 'x'", "22003"))

check = checks.Checks()


class Client(threading.Thread):
    """Inserts until told to stop; `known` rows were answered, `open` may be there or not."""

    def __init__(self, server, number, seed, stop):
        super().__init__()
        self.server, self.number, self.stop = server, number, stop
        self.random = random.Random(f"{seed}/{number}")
        self.known, self.open, self.refused, self.wrong = [], [], [], []
        self.connection = None

    def insert(self, connection, key):
        if self.random.random() < 0.1:
            values, sqlstate = self.random.choice(BAD)
            values = values % key if "%" in values else values
            try:
                connection.query_all(f"insert into items values ({values})")
                self.wrong.append(f"{values} was taken")
            except pgwire.ServerError as error:
                if error.sqlstate != sqlstate and not self.is_loss(error):
                    self.wrong.append(f"{values}: {error.sqlstate} {error.message}")
            return
        self.open.append(key)
        try:
            if self.number % 2 == 0:
                tag = connection.execute("insert into items values ($1, $2)", (key, "row")).tag
            else:
                tag = connection.query_all(f"insert into items values ({key}, 'row')")[0].tag
        except pgwire.ServerError as error:
            if error.sqlstate == "57014":
                self.refused.append(self.open.pop())
                return
            raise
        if tag != "INSERT 0 1":
            self.wrong.append(f"tag {tag}")
        self.open.pop()
        self.known.append(key)

    @staticmethod
    def is_loss(error):
        return error.sqlstate[:2] in ("08", "57")

    def run(self):
        key = self.number * 1_000_000
        while not self.stop.is_set():
            try:
                self.connection = self.connection or self.server.connect()
                key += 1
                self.insert(self.connection, key)
            except pgwire.ServerError as error:
                if not self.is_loss(error):
                    self.wrong.append(f"{error.sqlstate} {error.message}")
            except (OSError, EOFError):
                self.connection = None
                time.sleep(0.2)


def cancel_often(client):
    while client.is_alive():
        time.sleep(client.random.random() / 100)
        connection = client.connection
        try:
            if connection is not None:
                connection.cancel()
        except OSError:
            time.sleep(0.2)  # the leader is down


def run(server, style, seconds, seed, kills):
    with server.connect() as connection:
        connection.query_all(f"create table items (k integer not null, t varchar(8)) {style}")
    stop = threading.Event()
    clients = [Client(server, i + 1, seed, stop) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    canceller = threading.Thread(target=cancel_often, args=(clients[HASTY - 1],))
    canceller.start()
    for kill in kills:
        time.sleep(seconds / (len(kills) + 1))
        kill(server)
        server.wait_ready()
    time.sleep(seconds / (len(kills) + 1))
    stop.set()
    for client in clients:
        client.join(60)
        check(not client.is_alive(), "a client ends")
        for wrong in client.wrong[:5]:
            check(False, f"client {client.number}: {wrong}")
    canceller.join(60)
    with server.connect() as connection:
        counts = dict((int(k), int(n)) for k, n in connection.rows(
            "select k, count(*) from items group by k"))
        bad = connection.value("select count(*) from items where k is null or t <> 'row'")
    known = {key for client in clients for key in client.known}
    maybe = {key for client in clients for key in client.open}
    refused = {key for client in clients for key in client.refused}
    check(not refused & set(counts), f"{len(refused & set(counts))} canceled rows are there")
    check(refused, "no statement was canceled")
    check(len(known) > 50, f"{len(known)} rows were inserted")
    check(bad == "0", f"{bad} bad rows")
    check(not known - set(counts), f"{len(known - set(counts))} answered rows are lost")
    check(not set(counts) - known - maybe, "rows that nobody inserted")
    check(all(n == 1 for n in counts.values()), "a row is there twice")
    print(f"{style or 'auto'}: {len(known)} rows in {seconds} s, {len(maybe)} unanswered")


def restart(process):
    process.kill()
    process.start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    for style in ("distkey(k)", "diststyle even", "diststyle all"):
        with cluster.Local(2) as server:
            run(server, style, options.seconds, options.seed, [])
    kills = [lambda server: restart(server.nodes[0]), lambda server: restart(server.leader)]
    with cluster.Cluster(2) as server:
        run(server, "distkey(k)", options.seconds * 3, options.seed, kills)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
