#!/usr/bin/env python3
"""Reads vaults of format VMFA1 with none of vmfa's code: an oracle for vectors/vault/v1.

Written from the format's description alone, on PyPI's `cryptography` and `argon2-cffi`. Without arguments it opens every
good vector with every credential, compares the content, and then checks that no fault opens. With a path and a credential
as JSON it prints what is in that vault:

    read_vault.py vault.vmfa '{"passphrase": "..."}'
"""

import hashlib
import hmac
import json
import struct
import sys
import unicodedata
from pathlib import Path

from argon2.low_level import Type, core, ffi, lib
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAGIC = b"\x89VMFA\r\n\x1a"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SCHEMES = {1: "totp", 2: "hotp", 3: "steam", 4: "motp", 5: "yandex"}
HASHES = {1: "SHA1", 2: "SHA224", 3: "SHA256", 4: "SHA384", 5: "SHA512"}
FIXED = {"steam": ("SHA1", 5, 30), "motp": ("MD5", 6, 10), "yandex": ("SHA256", 8, 30)}
TEXTS = {1: "issuer", 2: "name", 3: "label_issuer", 7: "note", 9: "serial_number", 10: "image"}


class Refused(Exception):
    """The bytes are no vault, or the credential doesn't open it."""


def demand(condition, what):
    if not condition:
        raise Refused(what)


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, length=32):
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([n]))
        out, n = out + block, n + 1
    return out[:length]


def hkdf(ikm, salt, info, length=32):
    return expand(mac(salt, ikm), info, length)


def decrypt(key, sealed, associated):
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), sealed, associated)
    except InvalidTag:
        raise Refused("a tag is wrong") from None


def unseal(dek, salt, label, name, sealed):
    return decrypt(hkdf(dek, salt, label + name), sealed, name)


def argon2id(password, salt, m, t, p, secret):
    """argon2-cffi's plain function takes no secret K: fill the C library's context."""
    out = ffi.new("uint8_t[]", 32)
    held = [ffi.new("uint8_t[]", part) for part in (password, salt, secret)]
    context = ffi.new("argon2_context *", dict(
        version=0x13, out=out, outlen=32, pwd=held[0], pwdlen=len(password), salt=held[1], saltlen=len(salt),
        secret=held[2] if secret else ffi.NULL, secretlen=len(secret), ad=ffi.NULL, adlen=0, t_cost=t, m_cost=m,
        lanes=p, threads=p, allocate_cbk=ffi.NULL, free_cbk=ffi.NULL, flags=lib.ARGON2_DEFAULT_FLAGS))
    demand(core(context, Type.ID.value) == 0, "Argon2id failed")
    return bytes(ffi.buffer(out))


def recovery(text):
    chars = [CROCKFORD.index(c) for c in text.replace("-", "").upper()]
    bits = "".join(f"{c:05b}" for n, c in enumerate(chars) if n % 5 < 4)
    code = int(bits[:128], 2).to_bytes(16, "big")
    check = int.from_bytes(hashlib.sha256(b"vmfa/v1 recovery-code" + code).digest()[:2], "big") >> 4
    demand(len(chars) == 35 and int(bits[128:], 2) == check, "the recovery code is mistyped")
    return code


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        demand(self.at + n <= len(self.data), "the bytes end too early")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, kind):
        return struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0]

    def done(self):
        return self.at == len(self.data)


def ikm_for(kind, flags, params, credential):
    password = unicodedata.normalize("NFC", credential.get("passphrase", "")).encode()
    file = credential.get("key_file")
    if kind == 1 and password and flags == (1 if file else 0):
        m, t, p = struct.unpack("<IIB", params[16:])
        demand(19456 <= m <= 262144 and 1 <= t <= 64 and 1 <= p <= 16, "Argon2id out of bounds")
        return argon2id(password, params[:16], m, t, p, hashlib.sha256(file).digest() if file else b"")
    if kind == 2 and file and not password:
        return hashlib.sha256(file).digest()
    if kind == 3 and "recovery_code" in credential:
        return recovery(credential["recovery_code"])
    return None


def read_vault(data, credential):
    demand(data[:8] == MAGIC, "no vault")
    reader = Reader(data)
    reader.take(8)
    major, _minor, header_len = reader.number("H"), reader.number("H"), reader.number("I")
    demand(major == 1 and header_len <= 65536, "an unknown version, or a header too long")
    head = Reader(reader.take(header_len))
    header_mac, payload = reader.take(32), data[reader.at + 0:]
    vault_id, generation = head.take(16), head.number("Q")
    demand(head.number("H") == 1 and head.number("H") == 0, "an unknown suite or flag")
    payload_salt, payload_len, count = head.take(32), head.number("Q"), head.number("B")
    demand(payload_len == len(payload) >= 20 and 1 <= count <= 16, "a length is wrong")
    dek, ids = None, set()
    for _ in range(count):
        begin = head.at
        kind, flags, body_len = head.number("B"), head.number("B"), head.number("H")
        params_len = body_len - 104
        demand(params_len == {1: 25, 2: 0, 3: 0}.get(kind, params_len) >= 0, "a slot's length is wrong")
        demand(kind not in (1, 2, 3) or flags in ((0, 1) if kind == 1 else (0,)), "a slot's flags are unknown")
        slot_id, wrap_salt, params = head.take(8), head.take(16), head.take(params_len)
        demand(slot_id not in ids, "two slots have one id")
        ids.add(slot_id)
        before = head.data[begin:head.at]
        wrapped, commit = head.take(48), head.take(32)
        ikm = None if dek else ikm_for(kind, flags, params, credential)
        if ikm is not None:
            keys = hkdf(ikm, wrap_salt, b"vmfa/v1 slot-wrap" + bytes([kind]) + vault_id, 64)
            if hmac.compare_digest(mac(keys[32:], before + wrapped), commit):
                dek = decrypt(keys[:32], wrapped, before)
    demand(head.number("H") == len(head.data) - head.at, "the extensions' length is wrong")
    while not head.done():
        kind, _value = head.number("H"), head.take(head.number("H"))
        demand(kind < 0x8000, "an unknown critical extension")
    demand(dek is not None, "no slot takes the credential")
    prk = mac(vault_id, dek)
    right = mac(expand(prk, b"vmfa/v1 header-mac"), data[:16 + header_len])
    demand(hmac.compare_digest(right, header_mac), "the header's MAC is wrong")
    plain = decrypt(hkdf(dek, payload_salt, b"vmfa/v1 payload"), payload, header_mac)
    return {"vault_id": vault_id.hex(), "generation": generation, **read_body(plain, dek, vault_id)}


def read_body(plain, dek, vault_id):
    outer = Reader(plain)
    body = Reader(outer.take(outer.number("I")))
    demand(not any(plain[outer.at:]), "the padding is not zero")
    accounts, keys, unknown, tombstones, seen = [], [], [], 0, set()
    for _ in range(body.number("I")):
        record = Reader(body.take(body.number("I")))
        record_id, hlc, device = record.take(16), record.number("Q"), record.number("H")
        flags, kind = record.number("B"), record.number("B")
        fields = Reader(record.take(record.number("I")))
        rest = record.data[record.at:]
        if flags & 1:
            demand(not rest, "a tombstone has a seal")
            tombstones += 1
            continue
        demand(len(rest) >= 96 and len(rest) % 64 == 32, "a seal's length is wrong")
        secret, pin = read_secret(unseal(dek, rest[:16], b"vmfa/v1 record", record_id, rest[16:]))
        found = []
        while not fields.done():
            found.append((fields.number("H"), fields.take(fields.number("I"))))
        shown = record_id
        if record_id in seen:
            shown = hashlib.sha256(b"vmfa/v1 conflict" + record_id + dict(found)[13]).digest()[:16]
        seen.add(record_id)
        account = read_fields(found) if kind == 1 and not flags & ~3 else None
        if kind == 2 and not flags & ~3:
            keys.append(((hlc, device, record_id), read_access_key(found, secret)))
        elif account is None:
            unknown.append({"id": shown.hex(), "type": kind})
        else:
            accounts.append({**account, "id": shown.hex(), "conflict": bool(flags & 2), "secret": secret, "pin": pin})
    for _ in range(body.number("H")):
        body.take(18)
    for _ in range(body.number("B")):
        slot_id, salt = body.take(8), body.take(16)
        unseal(dek, salt, b"vmfa/v1 slot-ikm", slot_id, body.take(body.number("H")))
    for _ in range(body.number("B")):
        salt = body.take(16)
        demand(len(unseal(dek, salt, b"vmfa/v1 previous-dek", vault_id, body.take(48))) == 32, "a previous key is odd")
    demand(body.done(), "bytes follow the last key")
    # By profile; of several for one, that which was put in last comes first.
    keys.sort(key=lambda key: key[0], reverse=True)
    keys = sorted((key for _, key in keys), key=lambda key: key["profile"].encode())
    return {"accounts": accounts, "unknown_records": unknown, "tombstones": tombstones, **({"access_keys": keys} if keys else {})}


def read_secret(plain):
    parts, reader = {}, Reader(plain)
    while not reader.done():
        kind = reader.number("B")
        if kind == 0:
            demand(not any(plain[reader.at:]), "a secret's padding is not zero")
            break
        parts[kind] = reader.take(reader.number("H"))
    return parts[1].hex(), parts[2].decode() if 2 in parts else None


def read_fields(found):
    account = {"issuer": "", "name": "", "label_issuer": None, "counter": None, "tags": [], "note": "", "favorite": False,
               "serial_number": None, "image": None, "trashed": None}
    for kind, value in found:
        if kind in TEXTS:
            account[TEXTS[kind]] = value.decode()
        elif kind == 4:
            scheme = SCHEMES.get(value[0])
            if scheme is None:
                return None
            algorithm, digits, period = FIXED.get(scheme, (None, None, None))
            t0 = 0
            if scheme in ("totp", "hotp"):
                algorithm, digits = HASHES[value[1]], value[2]
            if scheme == "totp":
                period, t0 = struct.unpack("<IQ", value[3:])
            account.update(type=scheme, algorithm=algorithm, digits=digits, period=period, t0=t0)
        elif kind == 6:
            account["tags"].append(value.decode())
        elif kind == 8:
            account["favorite"] = True
        elif kind == 15:
            account["confirm"] = True
        elif kind in (5, 11, 12):
            account[{5: "counter", 11: "added", 12: "trashed"}[kind]] = struct.unpack("<Q", value)[0]
    return account


def read_access_key(found, secret):
    found = dict(found)
    return {"profile": found[1].decode(), "access_key_id": found[2].decode(), "added": struct.unpack("<Q", found[11])[0],
            "secret": bytes.fromhex(secret).decode()}


def patched(base, patch):
    data = bytearray(base[:patch["len"]].ljust(patch["len"], b"\0"))
    for edit in patch["edits"].split():
        at, run = edit.split(":")
        data[int(at):int(at) + len(run) // 2] = bytes.fromhex(run)
    return bytes(data)


def main():
    folder = Path(__file__).resolve().parents[2] / "vectors/vault/v1"

    def resolved(credential):
        return {**credential, **({"key_file": (folder / "key_file.bin").read_bytes()} if "key_file" in credential else {})}

    if len(sys.argv) == 3:
        print(json.dumps(read_vault(Path(sys.argv[1]).read_bytes(), json.loads(sys.argv[2])), indent=2))
        return
    opened = refused = 0
    for path in sorted(folder.glob("*.vmfa")):
        about = json.loads(path.with_suffix(".json").read_text())
        for credential in about["opens_with"]:
            found = read_vault(path.read_bytes(), resolved(credential))
            assert found == about["content"], f"{path.name}: {found} is not {about['content']}"
            opened += 1
    for line in (folder / "faults.jsonl").read_text().splitlines():
        fault = json.loads(line)
        try:
            read_vault(patched((folder / fault["base"]).read_bytes(), fault["patch"]), resolved(fault["credential"]))
        except Refused:
            refused += 1
        else:
            raise AssertionError(f"{fault['name']} opens")
    assert opened and refused, "no vectors"
    print(f"{opened} good vaults read, {refused} faults refused")


if __name__ == "__main__":
    main()
