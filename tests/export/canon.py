"""The canonical list of accounts, in a vault and as it should come out again."""

import base64
import json
import os
import urllib.parse
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("VMFA_VECTORS") or ROOT / "vectors/import")
EXPORT_PASSPHRASE = "Ein Schloß für den Export 🔑"
ARN = "arn:aws:iam::123456789012:mfa/alice"


@dataclass(frozen=True, order=True)
class Entry:
    """An account in plain words. What a format has no place for is left at its default."""

    issuer: str
    name: str
    kind: str
    secret: bytes
    algorithm: str = "SHA1"
    digits: int = 6
    period: int = 30
    counter: int | None = None
    pin: str | None = None
    tags: tuple = ()
    note: str = ""
    favorite: bool = False
    trashed: bool = False
    serial_number: str = ""


def unbase32(text):
    """Bytes of base32 of any length: what is left over at the end holds nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    bits = "".join(f"{alphabet.index(c):05b}" for c in text.rstrip("=").upper())
    return bytes(int(bits[n : n + 8], 2) for n in range(0, len(bits) // 8 * 8, 8))


FIXED = {"steam": ("SHA1", 5, 30), "motp": ("MD5", 6, 10), "yandex": ("SHA256", 8, 30)}


def canonical():
    """The list, as the vault holds it: a note is one line."""
    entries = []
    for row in json.loads((VECTORS / "canonical.json").read_text()):
        secret = bytes.fromhex(row["secret_hex"]) if "secret_hex" in row else unbase32(row["base32"])
        algorithm, digits, period = FIXED.get(row["type"]) or (
            row.get("algorithm", "SHA1"),
            row.get("digits", 6),
            0 if row["type"] == "hotp" else row.get("period", 30),
        )
        entries.append(
            Entry(
                issuer=row["issuer"],
                name=row["name"],
                kind=row["type"],
                secret=secret,
                algorithm=algorithm,
                digits=digits,
                period=period,
                counter=row.get("counter"),
                pin=row.get("pin"),
                tags=tuple(row.get("tags", ())),
                note=row.get("note", "").replace("\n", " "),
                favorite=row.get("favorite", False),
                trashed=bool(row.get("trashed")),
                serial_number=ARN if row["id"] == "aws" else "",
            )
        )
    return entries


def uri(entry):
    """A Key URI, written here by itself."""
    quoted = lambda text: urllib.parse.quote(text, safe="")
    label = (quoted(entry.issuer) + ":" if entry.issuer or ":" in entry.name else "") + quoted(entry.name)
    host = {"yandex": "yaotp"}.get(entry.kind, entry.kind)
    words = {"secret": base64.b32encode(entry.secret).decode().rstrip("="), "issuer": entry.issuer}
    if entry.kind in ("totp", "hotp"):
        words |= {"algorithm": entry.algorithm, "digits": entry.digits}
        words |= {"period": entry.period} if entry.kind == "totp" else {"counter": entry.counter}
    if entry.kind == "yandex":
        words["pin"] = base64.b32encode(entry.pin.encode()).decode().rstrip("=")
    return f"otpauth://{host}/{label}?" + "&".join(f"{key}={quoted(str(value))}" for key, value in words.items())


class Exporter:
    """A person with the canonical list, who exports."""

    def __init__(self, person):
        self.person = person
        self.entries = canonical()
        self.passphrase_file = person.home / "export-passphrase"
        self.passphrase_file.write_text(EXPORT_PASSPHRASE + "\n")
        self.passphrase_file.chmod(0o600)
        by_uri = [entry for entry in self.entries if entry.kind != "motp"]
        person.ok("add", "--uri", "-", stdin="\n".join(map(uri, by_uri)))
        for entry in self.entries:
            if entry.kind == "motp":
                label = f"{entry.issuer}:{entry.name}"
                typed = f"{entry.secret.hex()}\n{entry.pin}\n"
                person.ok("add", label, "--type", "motp", "--secret", "-", "--pin", "-", stdin=typed)
        known = json.loads(person.ok("list", "--json"))
        for entry in self.entries:
            self.dress(entry, known)

    def dress(self, entry, known):
        """Tags and other words that a Key URI has no place for. Of namesakes, the secret tells which."""
        alike = [row["id"] for row in known if (row["issuer"], row["account"]) == (entry.issuer, entry.name)]
        if len(alike) > 1:
            secret = lambda row_id: unbase32(self.person.ok("show", "--secret", row_id).strip())
            alike = [row_id for row_id in alike if secret(row_id) == entry.secret]
        (row_id,) = alike
        words = [word for tag in entry.tags for word in ("--tag", tag)]
        words += ["--note", entry.note] if entry.note else []
        words += ["--serial-number", entry.serial_number] if entry.serial_number else []
        words += ["--favorite"] if entry.favorite else []
        if words:
            self.person.ok("edit", row_id, *words)
        if entry.trashed:
            self.person.ok("remove", row_id)

    def run(self, target, path, *more, sealed=False, **options):
        """An export to a path."""
        how = ["--export-passphrase-file", self.passphrase_file] if sealed else ["--plaintext"]
        return self.person.run("export", "--to", target, "--out", path, *how, *more, **options)

    def export(self, target, path, *more, sealed=False):
        """An export that works, whole or in part; what was said about it."""
        done = self.run(target, path, *more, sealed=sealed)
        assert done.returncode in (0, 7), done.stderr.decode()
        return done.stderr.decode()


def expected(entries, kinds, algorithms, digits, periods=None, tags="none", keeps=(), trash=False, counter_max=2**64 - 1):
    """The entries that a format can hold, and what it holds of them: the format's description, said here once more."""
    out = []
    for entry in entries:
        counts = entry.kind in ("totp", "hotp")
        if entry.kind not in kinds:
            continue
        if counts and (entry.algorithm not in algorithms or entry.digits not in digits):
            continue
        if entry.kind == "totp" and periods is not None and entry.period not in periods:
            continue
        if entry.kind == "hotp" and entry.counter > counter_max:
            continue
        if entry.trashed and not trash:
            continue
        note = entry.note
        if "note" in keeps and entry.serial_number not in note:
            note = f"{note} {entry.serial_number}".strip()
        held = replace(
            entry,
            tags={"none": (), "first": entry.tags[:1], "all": entry.tags}[tags],
            note=note if "note" in keeps else "",
            favorite=entry.favorite and "favorite" in keeps,
            trashed=entry.trashed and "trash" in keeps,
            pin=entry.pin if "pin" in keeps else None,
            serial_number="",
        )
        out.append(held)
    return sorted(out, key=repr)


def agree(found, wanted):
    """Two lists, entry by entry, in any order."""
    found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    missing = [entry for entry in wanted if entry not in found]
    extra = [entry for entry in found if entry not in wanted]
    assert not missing and not extra, f"missing: {missing}\nextra: {extra}"
    assert len(found) == len(wanted)
