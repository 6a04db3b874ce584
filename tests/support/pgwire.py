"""A small PostgreSQL v3 client for tests: text results as the server sent them, raw messages too.

Everything has a deadline. Errors become ServerError with the fields of ErrorResponse.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import struct


class ServerError(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")
        self.fields = fields

    @property
    def sqlstate(self):
        return self.fields.get("C")

    @property
    def message(self):
        return self.fields.get("M")

    @property
    def position(self):
        return int(self.fields["P"]) if "P" in self.fields else None


class Result:
    def __init__(self):
        self.columns = []  # (name, oid, typmod)
        self.rows = []  # lists of str or None
        self.tag = None
        self.notices = []


def _fields(body):
    fields = {}
    for part in body.split(b"\0"):
        if part:
            fields[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return fields


class Connection:
    def __init__(self, host="127.0.0.1", port=5439, user="admin", password="", database="dev",
                 timeout=60, options=None, waits=None):
        self.waits = waits  # waits.Waits, or None: told of every statement
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.host, self.port = host, port
        self.parameters, self.key = {}, None
        self.status = None
        pairs = {"user": user, "database": database, **(options or {})}
        body = struct.pack("!i", 196608)
        for name, value in pairs.items():
            body += name.encode() + b"\0" + value.encode() + b"\0"
        self.send_raw(struct.pack("!i", len(body) + 5) + body + b"\0")
        self._login(password)

    # ---- bytes ----

    def send_raw(self, data):
        self.socket.sendall(data)

    @staticmethod
    def frame(kind, body=b""):
        return kind + struct.pack("!i", len(body) + 4) + body

    def send(self, kind, body=b""):
        self.send_raw(self.frame(kind, body))

    def _need(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the server closed the connection")
            self.buffer += data

    def receive(self):
        self._need(5)
        length = struct.unpack("!i", self.buffer[1:5])[0]
        self._need(length + 1)
        kind, body = self.buffer[:1], self.buffer[5 : length + 1]
        self.buffer = self.buffer[length + 1 :]
        return kind, body

    def close(self):
        try:
            self.send(b"X")
        except OSError:
            pass
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def waiting(self, what):
        return self.waits.of(what) if self.waits is not None else contextlib.nullcontext()

    # ---- login ----

    def _login(self, password):
        nonce = base64.b64encode(os.urandom(18)).decode()
        first_bare = f"n=,r={nonce}"
        signature = None
        while True:
            kind, body = self.receive()
            if kind == b"E":
                raise ServerError(_fields(body))
            if kind == b"R":
                code = struct.unpack("!i", body[:4])[0]
                if code == 10:
                    text = ("n,," + first_bare).encode()
                    self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(text)) + text)
                elif code == 11:
                    server_first = body[4:].decode()
                    parts = dict(p.split("=", 1) for p in server_first.split(","))
                    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                                 base64.b64decode(parts["s"]), int(parts["i"]))
                    client_key = hmac.digest(salted, b"Client Key", "sha256")
                    stored = hashlib.sha256(client_key).digest()
                    final_bare = f"c=biws,r={parts['r']}"
                    message = f"{first_bare},{server_first},{final_bare}".encode()
                    proof = bytes(a ^ b for a, b in
                                  zip(client_key, hmac.digest(stored, message, "sha256")))
                    server_key = hmac.digest(salted, b"Server Key", "sha256")
                    signature = hmac.digest(server_key, message, "sha256")
                    self.send(b"p", f"{final_bare},p={base64.b64encode(proof).decode()}".encode())
                elif code == 12:
                    if base64.b64decode(body[4:].decode().split("v=", 1)[1]) != signature:
                        raise ConnectionError("the server's signature is wrong")
            elif kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            elif kind == b"K":
                self.key = body
            elif kind == b"Z":
                self.status = body.decode()
                return

    # ---- simple protocol ----

    def query_all(self, sql):
        """Runs a text of statements; a list of Results. Raises the first error after its end."""
        with self.waiting(sql):
            self.send(b"Q", sql.encode() + b"\0")
            return self.collect()

    def query(self, sql):
        results = self.query_all(sql)
        return results[-1] if results else Result()

    def rows(self, sql):
        return self.query(sql).rows

    def value(self, sql):
        return self.query(sql).rows[0][0]

    def collect(self):
        results, current, error = [], Result(), None
        while True:
            kind, body = self.receive()
            if kind == b"T":
                current.columns = self._columns(body)
            elif kind == b"D":
                current.rows.append(self._row(body))
            elif kind in b"CI":
                current.tag = body[:-1].decode() if kind == b"C" else ""
                results.append(current)
                current = Result()
            elif kind == b"E":
                error = error or ServerError(_fields(body))
            elif kind == b"N":
                current.notices.append(_fields(body))
            elif kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            elif kind == b"Z":
                self.status = body.decode()
                if error:
                    raise error
                return results
            elif kind == b"G" or kind == b"H" or kind == b"W":
                raise ConnectionError("COPY must be run with copy_in or copy_out")

    @staticmethod
    def _columns(body):
        count, columns, at = struct.unpack("!h", body[:2])[0], [], 2
        for _ in range(count):
            end = body.index(b"\0", at)
            name = body[at:end].decode()
            _, _, oid, _, typmod, _ = struct.unpack("!ihihih", body[end + 1 : end + 19])
            columns.append((name, oid, typmod))
            at = end + 19
        return columns

    @staticmethod
    def _row(body):
        count, row, at = struct.unpack("!h", body[:2])[0], [], 2
        for _ in range(count):
            length = struct.unpack("!i", body[at : at + 4])[0]
            at += 4
            if length < 0:
                row.append(None)
            else:
                row.append(body[at : at + length].decode("utf-8", "surrogateescape"))
                at += length
        return row

    # ---- extended protocol ----

    def execute(self, sql, values=(), oids=()):
        """Parse, Bind, Describe, Execute and Sync of one statement, in one piece as drivers send them;
        values as text, None is NULL."""
        parse = b"\0" + sql.encode() + b"\0" + struct.pack(f"!h{len(oids)}i", len(oids), *oids)
        bind = b"\0\0" + struct.pack("!hh", 0, len(values))
        for value in values:
            data = None if value is None else str(value).encode()
            bind += struct.pack("!i", -1 if data is None else len(data)) + (data or b"")
        messages = ((b"P", parse), (b"B", bind + struct.pack("!h", 0)), (b"D", b"P\0"),
                    (b"E", b"\0" + struct.pack("!i", 0)), (b"S", b""))
        with self.waiting(sql):
            self.send_raw(b"".join(self.frame(kind, body) for kind, body in messages))
            return self.collect()[-1]

    # ---- COPY ----

    def copy_in(self, sql, data, chunk=1 << 16, fail=None):
        """Sends `data` (bytes, or an iterable of bytes); returns the command tag."""
        with self.waiting(sql):
            return self._copy_in(sql, data, chunk, fail)

    def _copy_in(self, sql, data, chunk, fail):
        self.send(b"Q", sql.encode() + b"\0")
        while True:
            kind, body = self.receive()
            if kind == b"G":
                break
            if kind == b"E":
                error = ServerError(_fields(body))
                self._until_ready()
                raise error
        pieces = [data] if isinstance(data, bytes) else data
        for piece in pieces:
            for i in range(0, len(piece), chunk):
                self.send(b"d", piece[i : i + chunk])
        if fail is None:
            self.send(b"c")
        else:
            self.send(b"f", fail.encode() + b"\0")
        return self.collect()[-1].tag

    def _until_ready(self):
        while True:
            kind, body = self.receive()
            if kind == b"Z":
                self.status = body.decode()
                return

    def copy_out(self, sql):
        self.send(b"Q", sql.encode() + b"\0")
        data, error = [], None
        while True:
            kind, body = self.receive()
            if kind == b"d":
                data.append(body)
            elif kind == b"E":
                error = ServerError(_fields(body))
            elif kind == b"Z":
                self.status = body.decode()
                if error:
                    raise error
                return b"".join(data)

    def cancel(self):
        """Sends a CancelRequest over a connection of its own."""
        with socket.create_connection((self.host, self.port), timeout=10) as other:
            other.sendall(struct.pack("!ii", 12 + len(self.key) - 4, 80877102) + self.key)
            other.recv(1)
