"""The agent's protocol, written from its description alone (src/agent/protocol.rs): none of vmfa's code speaks here."""

import socket
import struct
import time
from dataclasses import dataclass

VERSION = 1
STATUS, UNLOCK, LOCK, LIST, FIND, CODE, PAIR, HOTP_NEXT, SESSION_GET, SESSION_PUT, SESSION_FORGET, STOP, MAY, \
    ACCESS_KEY, ACCESS_KEYS = range(1, 16)
MAX = 64 << 10
ANSWERS = ["done", "status", "part", "end", "found", "code", "pair", "session", "locked", "not one", "other vault", "ask first",
           "asking", "denied", "busy", "malformed", "failed", "access key", "access keys"]
GUARDS = ["memfd_secret", "mlock", "plain"]
# Far more than any answer takes on a busy machine; the agent's own deadline for a frame is a second.
PATIENCE = 30


def tag_of(vault):
    """FNV-1a, 128 bits."""
    value = 0x6C62272E07BB014262B821756295C58D
    for byte in str(vault).encode():
        value = (value ^ byte) * ((1 << 88) + 0x13B) % (1 << 128)
    return value.to_bytes(16, "big")


def frame(verb, tag, body=b"", version=VERSION):
    return struct.pack("<IHBB", 20 + len(body), version, verb, 0) + tag + body


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(data)) + data


def moment(seconds):
    return struct.pack("<QH", int(seconds), int(seconds * 1000) % 1000)


def unlock(key, whole=8 * 3600, idle=600):
    return text(key) + struct.pack("<QQ", whole, idle)


def code(whom, at=None, step=None):
    """`whom` is an id in bytes or a query."""
    whom = b"\0" + whom if isinstance(whom, bytes) else b"\1" + text(whom)
    when = b"\1" + struct.pack("<Q", step) if step is not None else b"\0" + moment(at if at is not None else time.time())
    return whom + when


def pair(account, at=None, following=0):
    return account + moment(at if at is not None else time.time()) + bytes([following])


def hotp_next(account):
    return account + moment(time.time())


def may(account, asked=0):
    return account + bytes([asked])


def session_get(name, now):
    return text(name) + moment(now)


def session_put(name, blob, until):
    return text(name) + text(blob) + moment(until)


class Parts:
    """What follows the head of an answer."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "the answer ends too early"
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, kind):
        return struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0]

    def text(self):
        return self.take(self.number("I")).decode()

    def code(self):
        digits = self.text()
        if self.number("B") == 0:
            return {"code": digits, "counter": self.number("Q")}
        step, begin, end = self.number("Q"), self.number("Q"), self.number("Q")
        return {"code": digits, "step": step, "from": begin, "until": end}

    def access_key(self):
        return {"profile": self.text(), "access_key_id": self.text(), "added": self.number("Q")}

    def summary(self):
        """The id, and the fields by their types."""
        account, _conflict = self.take(16), self.number("B")
        fields, inner = {}, Parts(self.take(self.number("I")))
        while inner.at < len(inner.data):
            kind = inner.number("H")
            fields[kind] = inner.take(inner.number("I"))
        return {"id": account, "issuer": fields.get(1, b"").decode(), "name": fields.get(2, b"").decode(), "fields": fields}

    def status(self):
        found = {"pid": self.number("I"), "program": self.text(), "vault": self.text(), "held": None}
        if self.number("B"):
            found["held"] = {"accounts": self.number("I"), "generation": self.number("Q"), "guard": GUARDS[self.number("B")],
                             "left": self.number("Q"), "idle_left": self.number("Q")}
        return found


@dataclass
class Answer:
    version: int
    kind: str
    body: Parts


class Closed(Exception):
    """The agent closed the connection."""


class Line:
    """A connection to an agent."""

    def __init__(self, path, tag, patience=PATIENCE):
        self.tag = tag
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience)
        try:
            self.socket.connect(str(path))
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except ConnectionResetError as error:
                raise Closed from error
            if not more:
                raise Closed(f"after {len(data)} bytes")
            data += more
        return data

    def hear(self):
        length = struct.unpack("<I", self._exactly(4))[0]
        assert 4 <= length <= MAX, f"an answer of {length} bytes"
        version, status, reserved = struct.unpack("<HBB", self._exactly(4))
        assert reserved == 0
        body = Parts(self._exactly(length - 4))
        return Answer(version, "other version" if status == 255 else ANSWERS[status], body)

    def ask(self, verb, body=b"", **more):
        self.send(frame(verb, self.tag, body, **more))
        return self.hear()

    def ends(self):
        """Waits until the agent closes, and gives what it said until then."""
        said = b""
        try:
            while more := self.socket.recv(65536):
                said += more
        except ConnectionResetError:
            pass
        return said

    # What most tests ask for.

    def status(self):
        answer = self.ask(STATUS)
        assert answer.kind == "status", answer.kind
        return answer.body.status()

    def code(self, whom, **when):
        answer = self.ask(CODE, code(whom, **when))
        assert answer.kind == "code", answer.kind
        answer.body.summary()
        return answer.body.code()

    def list(self, which=0):
        answer, found = self.ask(LIST, bytes([which])), []
        while answer.kind == "part":
            found += [answer.body.summary() for _ in range(answer.body.number("I"))]
            answer = self.hear()
        assert answer.kind == "end", answer.kind
        return found

    def access_key(self, profile):
        """The key of a profile and its secret, or None."""
        answer = self.ask(ACCESS_KEY, text(profile))
        assert answer.kind == "access key", answer.kind
        found = {**answer.body.access_key(), "secret": answer.body.text()} if answer.body.number("B") else None
        assert answer.body.at == len(answer.body.data)
        return found

    def access_keys(self):
        answer, found = self.ask(ACCESS_KEYS), []
        while True:
            assert answer.kind == "access keys", answer.kind
            more = answer.body.number("B")
            found += [answer.body.access_key() for _ in range(answer.body.number("I"))]
            assert answer.body.at == len(answer.body.data)
            if not more:
                return found
            answer = self.hear()
