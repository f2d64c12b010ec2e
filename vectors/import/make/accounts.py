"""The canonical accounts, what an importer is to read from them, and their codes."""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
from dataclasses import dataclass, field, replace

HERE = pathlib.Path(__file__).resolve().parent.parent
MOMENT = 1_700_000_000
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Account:
    """One account. `base32` is the text an app would show, which isn't always what encoding the bytes gives."""

    id: str
    type: str
    issuer: str
    name: str
    secret: bytes
    base32: str
    algorithm: str = "SHA1"
    digits: int = 6
    period: int = 30
    counter: int = 0
    pin: str = ""
    tags: list = field(default_factory=list)
    note: str = ""
    favorite: bool = False
    trashed: bool = False

    def but(self, **changes):
        return replace(self, **changes)


def to_base32(secret):
    return base64.b32encode(secret).decode().rstrip("=")


def from_base32(text):
    """Whole bytes only; what is left over at the end is dropped, as every app does."""
    bits = "".join(format(BASE32.index(letter), "05b") for letter in text)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))


def load():
    """The canonical list by id, in its order."""
    accounts = {}
    for row in json.loads((HERE / "canonical.json").read_text(encoding="utf-8")):
        text = row.pop("base32", None)
        secret = from_base32(text) if text else bytes.fromhex(row["secret_hex"])
        row.pop("secret_hex", None)
        kind = row["type"]
        fixed = {
            "steam": {"digits": 5},
            "motp": {"algorithm": "MD5", "period": 10},
            "yandex": {"algorithm": "SHA256", "digits": 8},
        }
        made = {"secret": secret, "base32": text or to_base32(secret), **fixed.get(kind, {}), **row}
        accounts[row["id"]] = Account(**made)
    return accounts


class Carries:
    """What a format can hold; `from_` gives the accounts of a list that fit."""

    def __init__(
        self,
        types="totp hotp",
        algorithms="SHA1 SHA256 SHA512",
        digits=range(1, 11),
        periods=None,
        counter=2**63,
        trash=False,
        without="",
    ):
        self.types, self.algorithms, self.digits = types.split(), algorithms.split(), digits
        self.periods, self.counter, self.trash, self.without = periods, counter, trash, without.split()

    def from_(self, accounts):
        return [one for one in accounts.values() if self.fits(one)]

    def fits(self, one):
        if one.type not in self.types or one.id in self.without or one.trashed and not self.trash:
            return False
        if one.type in ("totp", "hotp") and (one.algorithm not in self.algorithms or one.digits not in self.digits):
            return False
        if one.type == "totp" and self.periods and one.period not in self.periods:
            return False
        return one.type != "hotp" or one.counter <= self.counter


def expect(one, keep="", **changes):
    """What an importer must read. `keep` names the extra fields that the format carries; a change to None removes a field."""
    out = {
        "issuer": one.issuer,
        "name": one.name,
        "type": one.type,
        "secret": to_base32(one.secret),
        "secret_hex": one.secret.hex(),
        "algorithm": one.algorithm,
        "digits": one.digits,
    }
    out["counter" if one.type == "hotp" else "period"] = one.counter if one.type == "hotp" else one.period
    for name in keep.split():
        if getattr(one, name):
            out[name] = getattr(one, name)
    if one.type == "motp":
        out["motp_text"] = one.secret.hex()
    out.update(changes)
    out = {name: value for name, value in out.items() if value is not None}
    code = code_of(one, out.get("pin", ""))
    if code:
        out["code_counter" if one.type == "hotp" else f"code_at_{MOMENT}"] = code
    return out


def code_of(one, pin):
    """The code at MOMENT, of HOTP at the stored counter; none for mOTP and Yandex without their PIN."""
    if one.type == "hotp":
        return decimal(one, one.counter)
    if one.type == "totp":
        return decimal(one, MOMENT // one.period)
    if one.type == "steam":
        return letters(truncated(one.secret, MOMENT // 30, "sha1"), 5, "23456789BCDFGHJKMNPQRTVWXY")
    if not pin:
        return None
    if one.type == "motp":
        return hashlib.md5(f"{MOMENT // 10}{one.secret.hex()}{pin}".encode()).hexdigest()[:6]
    return yandex_code(one.secret, pin)


def decimal(one, counter):
    return str(truncated(one.secret, counter, one.algorithm) % 10**one.digits).zfill(one.digits)


def truncated(secret, counter, algorithm):
    """RFC 4226, 5.3."""
    digest = hmac.new(secret, struct.pack(">Q", counter), algorithm.lower()).digest()
    start = digest[-1] & 15
    return struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF


def letters(value, count, alphabet):
    """Least significant first."""
    out = ""
    for _ in range(count):
        value, letter = divmod(value, 26)
        out += alphabet[letter]
    return out


def yandex_code(secret, pin):
    key = hashlib.sha256(pin.encode() + secret[:16]).digest()
    key = key[1:] if key[0] == 0 else key
    digest = hmac.new(key, struct.pack(">Q", MOMENT // 30), "sha256").digest()
    start = digest[31] & 15
    value = struct.unpack(">Q", digest[start : start + 8])[0] & (2**63 - 1)
    return letters(value, 8, "abcdefghijklmnopqrstuvwxyz")[::-1]
