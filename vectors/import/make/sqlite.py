"""SQLite files that come out the same each time, with a log beside them, and SQLCipher 3's encryption."""

import hashlib
import hmac
import os
import sqlite3
import struct
import tempfile

from .crypto import cbc, pbkdf2, seeded

VERSION = 3_040_001


def settled(data):
    """The library writes its own version into the header; a fixed one stands for every library's."""
    return data[:96] + struct.pack(">I", VERSION) + data[100:]


def database(schema, insert=None, rows=(), page=4096, reserve=0):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "db")
        if reserve:
            hollow(path, page, reserve)
        base = sqlite3.connect(path)
        if not reserve:
            base.execute(f"PRAGMA page_size={page}")
        for text in schema:
            base.execute(text)
        if insert:
            base.executemany(insert, rows)
        base.commit()
        base.close()
        with open(path, "rb") as file:
            return settled(file.read())


def hollow(path, page, reserve):
    """An empty file whose pages leave room at their end, as encryption needs: Python has no call for it."""
    base = sqlite3.connect(path)
    base.execute(f"PRAGMA page_size={page}")
    base.execute("PRAGMA user_version=1")
    base.execute("PRAGMA user_version=0")
    base.commit()
    base.close()
    with open(path, "r+b") as file:
        file.seek(20)
        file.write(bytes([reserve]))
        file.seek(105)
        file.write(struct.pack(">H", page - reserve))


def with_log(schema, before, after, page=4096):
    """(file, log): what `after` does stands only in the log, as when the app is stopped."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "db")
        base = sqlite3.connect(path)
        base.execute(f"PRAGMA page_size={page}")
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA wal_autocheckpoint=0")
        for text in schema:
            base.execute(text)
        base.executemany(*before)
        base.commit()
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.executemany(*after)
        base.commit()
        with open(path, "rb") as file, open(path + "-wal", "rb") as log:
            out = settled(file.read()), log.read()
        base.close()
    return out[0], resalted(out[1])


def resalted(log):
    """SQLite draws the log's salts; with fixed ones every checksum is computed anew (sqlite.org/fileformat2.html, 4.2)."""
    page = struct.unpack(">I", log[8:12])[0]
    order = ">" if struct.unpack(">I", log[:4])[0] & 1 else "<"
    salts = seeded("wal", 8)
    out = log[:16] + salts
    sums = checksum(out, (0, 0), order)
    out += struct.pack(">II", *sums)
    for at in range(32, len(log), 24 + page):
        head, body = log[at : at + 8], log[at + 24 : at + 24 + page]
        if struct.unpack(">I", head[:4])[0] == 1:
            body = settled(body)
        sums = checksum(head + body, sums, order)
        out += head + salts + struct.pack(">II", *sums) + body
    return out


def checksum(data, sums, order):
    first, second = sums
    values = struct.unpack(f"{order}{len(data) // 4}I", data)
    for a, b in zip(values[::2], values[1::2]):
        first = (first + a + second) & 0xFFFFFFFF
        second = (second + b + first) & 0xFFFFFFFF
    return first, second


def sqlcipher3(clear, password, page=1024, reserve=48):
    """Each page by itself: its IV and HMAC lie in the room at its end; the salt stands where the magic was."""
    salt = seeded("sqlcipher", 16)
    key = pbkdf2("sha1", password, salt, 64_000)
    mac_key = hashlib.pbkdf2_hmac("sha1", key, bytes(byte ^ 0x3A for byte in salt), 2, 32)
    out = b""
    for number in range(1, len(clear) // page + 1):
        body = clear[(number - 1) * page : number * page - reserve]
        iv = seeded(f"sqlcipher {number}", 16)
        body = cbc(key, iv, body[16:] if number == 1 else body, False) + iv
        tag = hmac.new(mac_key, body + struct.pack("<I", number), "sha1").digest()
        out += (salt if number == 1 else b"") + body + tag + bytes(reserve - 36)
    return out
