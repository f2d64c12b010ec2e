#!/usr/bin/env python3
"""The control: accounts kept as a simple program would keep them. Every test of the fault suite must catch it.

    naive.py HOW --vault PATH init|add|list|code|check …      HOW: truncate | rename | once | lock

`truncate` opens the file for writing and writes; `rename` writes a second file and renames it, without a word to the disk;
`once` does, too, and doesn't look how much of it was written; `lock` renames as well, and lets nobody in meanwhile who wants the
same lock, where it gets one. None of them encrypts, or checks what it reads, and only `lock` takes a lock. The arguments are those of vmfa that the suite uses.
"""

import fcntl
import hashlib
import hmac
import json
import os
import sys


def save(how, path, accounts):
    text = json.dumps(accounts)
    # What a key derivation takes, between reading and writing.
    hashlib.pbkdf2_hmac("sha256", b"naive", b"naive", 20000)
    if how == "truncate":
        with open(path, "w") as file:
            file.write(text)
    elif how in ("rename", "lock"):
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
    elif how == "once":
        file = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, text.encode())
        os.close(file)
        os.rename(path + ".new", path)
    else:
        sys.exit(2)


def lock(path):
    file = open(path + ".lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass  # What can't be had is gone without: that is the mistake.
    return file


def load(path):
    with open(path) as file:
        return json.loads(file.read())


def code(secret, at):
    import base64

    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, (at // 30).to_bytes(8, "big"), "sha1").digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def main(how, arguments):
    path, command, rest = arguments[1], arguments[2], arguments[3:]
    if command == "init":
        save(how, path, [])
    elif command == "add":
        secret = sys.stdin.readline().strip()
        held = lock(path) if how == "lock" else None  # noqa: F841
        accounts = load(path)
        accounts.append({"issuer": "", "account": rest[0], "secret": secret})
        save(how, path, accounts)
    elif command == "list":
        print(json.dumps(load(path)))
    elif command == "code":
        (found,) = [account for account in load(path) if account["account"] == rest[0]]
        print(code(found["secret"], int(rest[2])))
    elif command == "check":
        load(path)
    else:
        sys.exit(2)


try:
    main(sys.argv[1], sys.argv[2:])
except (OSError, ValueError) as error:
    sys.exit(f"naive: {error}")
