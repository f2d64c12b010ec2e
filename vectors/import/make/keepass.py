"""KeePass: KDBX 3.1 and 4 by hand, the XML and KeePassXC's CSV."""

import csv
import gzip
import hashlib
import hmac
import io
import struct
from xml.sax.saxutils import escape

from argon2.low_level import Type
from Crypto.Cipher import Salsa20
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .accounts import expect
from .crypto import argon2id, b64, cbc, chacha20, padded, seeded, sha256
from .shelf import Shelf
from .twofish import Twofish
from .uri import otpauth

AES, CHACHA = "31c1f2e6bf714350be5805216afc5aff", "d6038a2b8b6f4cb5a524339a31dbb59a"
TWOFISH = "ad68f29f576f4bb9a36ad47af965346c"
AES_KDF, ARGON2D, ARGON2ID = (
    "c9d9f39a628a4460bf740d08c18a4fea",
    "ef636ddf8c29444b91f7a9a403e30a0c",
    "9e298b1956db4773b23dfc3ec6f0a1e6",
)


# What stands inside


def styles(accounts):
    """(title, user, fields, what is read): every way in which an entry has been seen to hold a code."""
    of = accounts.__getitem__
    titled = lambda one, **more: expect(one, **more)
    spaced = " ".join(of("p45").base32[i : i + 4] for i in range(0, len(of("p45").base32), 4)).lower()
    utf8 = of("github").but(secret=b"12345678901234567890", issuer="Plain text", name="u8")
    base64_ = of("github2").but(issuer="In base64", name="u10")
    rows = [
        ("Amazon Web Services", "alice", {"otp": otpauth(of("aws"))}, expect(of("aws"))),
        (
            "Valve",
            "gordon",
            {
                "otp": otpauth(of("steam"), "totp", everything=False).replace("&digits=5", "")
                + "&period=30&digits=5&encoder=steam"
            },
            expect(of("steam")),
        ),
        ("Example Bank", "carol", {"otp": f"key={of('sha256').base32}&size=8&otpHashMode=Sha256"}, titled(of("sha256"))),
        ("Sixty", "ivan", {"otp": f"key={of('eight60').base32}&type=Totp&step=60&size=8"}, titled(of("eight60"))),
        ("Counter", "judy", {"otp": f"key={of('hotp0').base32}&type=Hotp&counter=0&size=6"}, titled(of("hotp0"))),
        ("Odd Block", "heidi", {"TOTP Seed": spaced, "TOTP Settings": "45;7"}, titled(of("p45").but(algorithm="SHA1"))),
        ("Steam", "gordon", {"TOTP Seed": of("steam").base32, "TOTP Settings": "30;S"}, titled(of("steam"))),
        ("Only a seed", "u", {"TOTP Seed": of("ten").base32}, titled(of("ten"), issuer="Only a seed", name="u")),
        (
            "Example Cloud",
            "dave",
            {
                "TimeOtp-Secret-Base32": of("sha512").base32,
                "TimeOtp-Length": "8",
                "TimeOtp-Period": "60",
                "TimeOtp-Algorithm": "HMAC-SHA-512",
            },
            titled(of("sha512")),
        ),
        ("Plain text", "u8", {"TimeOtp-Secret": "12345678901234567890"}, titled(utf8)),
        (
            "Ninety",
            "grace",
            {"TimeOtp-Secret-Hex": of("p90").secret.hex().upper(), "TimeOtp-Period": "90", "TimeOtp-Algorithm": "HMAC-SHA-256"},
            titled(of("p90")),
        ),
        ("In base64", "u10", {"TimeOtp-Secret-Base64": b64(base64_.secret)}, titled(base64_)),
        (
            "Counter",
            "mallory",
            {"HmacOtp-Secret-Base32": of("hotp1").base32, "HmacOtp-Counter": "1"},
            titled(of("hotp1").but(algorithm="SHA1", digits=6)),
        ),
        (
            "No label",
            "nobody",
            {"otp": f"otpauth://totp?secret={of('github').base32}&period=30&digits=6&algorithm=SHA1"},
            expect(of("github"), issuer="No label", name="nobody"),
        ),
        (
            "",
            "",
            {"otp": f"otpauth://totp/KeePassXC:none?secret={of('ten').base32}&period=30&digits=6&issuer=KeePassXC"},
            expect(of("ten"), issuer="KeePassXC", name=""),
        ),
        (
            "Named later",
            "me",
            {"otp": f"otpauth://totp/KeePassXC:none?secret={of('odd1').base32}&period=30&digits=6&issuer=KeePassXC"},
            expect(of("odd1"), issuer="Named later", name="me"),
        ),
        ("日本語サービス", "山田太郎", {"otp": otpauth(of("japanese"))}, expect(of("japanese"))),
        ("No code here", "x", {}, None),
    ]
    return rows


def ident(label):
    return b64(seeded("keepass " + label, 16))


class Document:
    """KeePass's XML. `hide` encrypts what is protected, in the order in which it is written; None leaves it readable."""

    def __init__(self, hide, moment):
        self.hide, self.moment = hide, moment

    def times(self):
        names = ("CreationTime", "LastModificationTime", "LastAccessTime", "ExpiryTime", "LocationChanged")
        return (
            "<Times>"
            + "".join(f"<{name}>{self.moment}</{name}>" for name in names)
            + "<Expires>False</Expires><UsageCount>0</UsageCount></Times>"
        )

    def string(self, key, value, secret):
        if secret and self.hide:
            return f'<String><Key>{escape(key)}</Key><Value Protected="True">{b64(self.hide(value.encode()))}</Value></String>'
        return f"<String><Key>{escape(key)}</Key><Value>{escape(value)}</Value></String>"

    def entry(self, label, title, user, fields, history=""):
        texts = [
            ("Title", title, False),
            ("UserName", user, False),
            ("Password", "hunter2", True),
            ("URL", "https://example.com", False),
            ("Notes", "", False),
        ]
        texts += [(key, value, True) for key, value in fields.items()]
        body = "".join(self.string(*text) for text in texts)
        old = f"<History>{history()}</History>" if history else "<History/>"
        return f"<Entry><UUID>{ident(label)}</UUID><IconID>0</IconID><Tags></Tags>{self.times()}{body}{old}</Entry>"

    def group(self, name, body, label=None):
        return f"<Group><UUID>{ident(label or name)}</UUID><Name>{escape(name)}</Name><Notes></Notes><IconID>48</IconID>{self.times()}<IsExpanded>True</IsExpanded>{body}</Group>"

    def whole(self, groups, header_hash=""):
        """`groups` are (name, rows); the first stands directly in the root. In the bin lies one more, and one entry has a past."""
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        inside = ""
        for name, rows in groups:
            entries = ""
            for place, (title, user, fields, _) in enumerate(rows):
                past = lambda: self.entry(f"{name} {place}", title, user, {"otp": f"otpauth://totp/Past:x?secret={secret}"})
                entries += self.entry(f"{name} {place}", title, user, fields, past if title == "Ninety" else "")
            inside += self.group(name, entries) if name else entries
        thrown = self.entry("thrown", "Thrown away", "x", {"otp": f"otpauth://totp/Thrown:x?secret={secret}"})
        inside += self.group(
            "Recycle Bin", thrown + self.group("Deeper", self.entry("deeper", "Deeper", "x", {"TOTP Seed": secret})), "bin"
        )
        meta = f"<Meta><Generator>vectors</Generator>{header_hash}<DatabaseName>codes</DatabaseName><MemoryProtection><ProtectTitle>False</ProtectTitle><ProtectPassword>True</ProtectPassword></MemoryProtection>"
        meta += f"<RecycleBinEnabled>True</RecycleBinEnabled><RecycleBinUUID>{ident('bin')}</RecycleBinUUID></Meta>"
        return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<KeePassFile>{meta}<Root>{self.group("Root", inside)}<DeletedObjects/></Root></KeePassFile>'.encode()


# The file around it


def field(number, data, wide):
    return struct.pack("<BI" if wide else "<BH", number, len(data)) + data


def variants(values):
    """KDBX 4's dictionary of the key derivation."""
    out = struct.pack("<H", 0x100)
    for name, kind, data in values:
        out += struct.pack("<Bi", kind, len(name)) + name.encode() + struct.pack("<i", len(data)) + data
    return out + b"\0"


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def aes_kdf(key, seed, rounds):
    for _ in range(rounds):
        key = Cipher(algorithms.AES(seed), modes.ECB()).encryptor().update(key)
    return sha256(key)


def kdbx4(
    document,
    password,
    cipher=AES,
    kdf=ARGON2D,
    packed=True,
    block=1 << 20,
    label="kdbx4",
    minor=0,
    kib=1024,
    rounds=2,
    lanes=2,
    stated=None,
):
    """`stated` overrules the parameters written, for the hostile files."""
    draw = lambda what, length: seeded(f"{label} {what}", length)
    seed, salt, iv = draw("seed", 32), draw("salt", 32), draw("iv", 12 if cipher == CHACHA else 16)
    composite = sha256(sha256(password))
    if kdf == AES_KDF:
        parameters = [("$UUID", 0x42, bytes.fromhex(kdf)), ("R", 5, u64((stated or {}).get("rounds", rounds))), ("S", 0x42, salt)]
        transformed = aes_kdf(composite, salt, rounds)
    else:
        told = {"kib": kib, "rounds": rounds, "lanes": lanes} | (stated or {})
        parameters = [
            ("$UUID", 0x42, bytes.fromhex(kdf)),
            ("S", 0x42, salt),
            ("P", 4, u32(told["lanes"])),
            ("M", 5, u64(told["kib"] * 1024)),
            ("I", 5, u64(told["rounds"])),
            ("V", 4, u32(0x13)),
        ]
        transformed = argon2id(composite, salt, rounds, kib, lanes, kind=Type.D if kdf == ARGON2D else Type.ID)
    header = bytes.fromhex("03d9a29a67fb4bb5") + struct.pack("<HH", minor, 4)
    for number, data in (
        (2, bytes.fromhex(cipher)),
        (3, u32(1 if packed else 0)),
        (4, seed),
        (7, iv),
        (11, variants(parameters)),
        (0, b"\r\n\r\n"),
    ):
        header += field(number, data, True)
    inner_key = draw("inner", 64)
    stream = hashlib.sha512(inner_key).digest()
    hide = chacha_stream(stream[:32], stream[32:44])
    moment = b64(u64(63_839_664_000))
    body = field(1, u32(3), True) + field(2, inner_key, True) + field(0, b"", True) + document(Document(hide, moment))
    body = gzip.compress(body, 9, mtime=0) if packed else body
    key = sha256(seed + transformed)
    body = encrypted(cipher, key, iv, body)
    mac_key = hashlib.sha512(seed + transformed + b"\1").digest()
    mac = lambda index, data: hmac.new(hashlib.sha512(u64(index) + mac_key).digest(), data, "sha256").digest()
    out = header + sha256(header) + mac(2**64 - 1, header)
    parts = [body[i : i + block] for i in range(0, len(body), block)] + [b""]
    for index, part in enumerate(parts):
        out += mac(index, u64(index) + u32(len(part)) + part) + u32(len(part)) + part
    return out


def encrypted(cipher, key, iv, body):
    if cipher == CHACHA:
        return chacha20(key, iv, body)
    return cbc(key, iv, body) if cipher == AES else Twofish(key).cbc(iv, padded(body))


def chacha_stream(key, nonce):
    done = 0

    def hide(data):
        nonlocal done
        out = chacha20(key, nonce, bytes(done) + data)[done:]
        done += len(data)
        return out

    return hide


def kdbx3(document, password, rounds=6000, packed=True, label="kdbx3"):
    draw = lambda what, length: seeded(f"{label} {what}", length)
    seed, salt, iv, inner, start = draw("seed", 32), draw("salt", 32), draw("iv", 16), draw("inner", 32), draw("start", 32)
    header = bytes.fromhex("03d9a29a67fb4bb5") + struct.pack("<HH", 1, 3)
    fields = (
        (2, bytes.fromhex(AES)),
        (3, u32(1 if packed else 0)),
        (4, seed),
        (5, salt),
        (6, u64(rounds)),
        (7, iv),
        (8, inner),
        (9, start),
        (10, u32(2)),
        (0, b"\r\n\r\n"),
    )
    for number, data in fields:
        header += field(number, data, False)
    stream = Salsa20.new(sha256(inner), bytes.fromhex("e830094b97205d2a"))
    body = document(Document(stream.encrypt, "2024-01-01T00:00:00Z"), f"<HeaderHash>{b64(sha256(header))}</HeaderHash>")
    body = gzip.compress(body, 9, mtime=0) if packed else body
    blocks = u32(0) + sha256(body) + u32(len(body)) + body + u32(1) + bytes(32) + u32(0)
    key = sha256(seed + aes_kdf(sha256(sha256(password)), salt, rounds))
    return header + cbc(key, iv, start + blocks)


# The shelf


def keepass(accounts):
    rows = styles(accounts)
    groups = [("", rows[:3]), ("Web", rows[3:12]), ("仕事", rows[12:])]
    read = [expected | ({"tags": [name]} if name else {}) for name, part in groups for *_, expected in part if expected]
    facts = {"skipped": 2, "note": "what lies in the recycle bin is skipped, and so is an entry's past"}
    document = lambda made, extra="": made.whole(groups, extra)
    with Shelf("keepass") as shelf:
        shelf.put("kdbx4_aes_argon2d.kdbx", kdbx4(document, "test"), read, "test", **facts)
        shelf.put(
            "kdbx4_chacha20_argon2id.kdbx",
            kdbx4(document, "鍵 KeePass 🔑", CHACHA, ARGON2ID, minor=1, label="chacha"),
            read,
            "鍵 KeePass 🔑",
            **facts,
        )
        least = lambda made, extra="": made.whole(groups[:1], extra)
        shelf.put(
            "kdbx4_aes_kdf_blocks.kdbx",
            kdbx4(least, "test", kdf=AES_KDF, rounds=6000, packed=False, block=1024, label="blocks"),
            read[:3],
            "test",
            **facts,
        )
        shelf.put("kdbx4_twofish.kdbx", kdbx4(least, "test", TWOFISH, label="twofish"), read[:3], "test", **facts)
        shelf.put(
            "kdbx4_app_cost.kdbx",
            kdbx4(least, "test", kdf=ARGON2D, kib=65_536, rounds=10, label="cost"),
            read[:3],
            "test",
            **facts,
        )
        shelf.put("kdbx3.kdbx", kdbx3(document, "パスワード"), read, "パスワード", **facts)
        shelf.put("kdbx3_unpacked.kdbx", kdbx3(least, "test", packed=False, label="unpacked"), read[:3], "test", **facts)
        shelf.put("wrong_password.kdbx", kdbx4(least, "test"), passphrase="テスト", file_error="wrong_password")
        shelf.put("kdbx3_wrong_password.kdbx", kdbx3(least, "test"), passphrase="テスト", file_error="wrong_password")
        shelf.put("no_password.kdbx", kdbx4(least, "test"), file_error="need_password")
        shelf.put("export.xml", Document(None, "2024-01-01T00:00:00Z").whole(groups), read, **facts)
        several, both = several_kinds(accounts)
        shelf.put(
            "several_kinds.kdbx",
            kdbx4(lambda made: made.whole([("", several)]), "test", label="several"),
            both,
            "test",
            skipped=2,
            note="two codes in an entry are two accounts; the same code in two styles is one",
        )
        out = io.StringIO()
        shown = [accounts[id] for id in "aws github sha512 japanese quotes".split()]
        lines = [["Group", "Title", "Username", "Password", "URL", "Notes", "TOTP", "Icon", "Last Modified", "Created"]]
        lines += [
            [
                "Root/Web",
                one.issuer,
                one.name,
                "hunter2",
                "https://example.com",
                "",
                otpauth(one),
                "0",
                "2024-01-01T00:00:00Z",
                "2024-01-01T00:00:00Z",
            ]
            for one in shown
        ]
        lines.append(["Root/Web", "No code", "x", "hunter2", "", "", "", "0", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"])
        csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
        shelf.put("keepassxc.csv", out.getvalue(), [expect(one) for one in shown])
        old = '"Account","Login Name","Password","Web Site","Comments"\n"Example","x","hunter2","https://example.com",""\n'
        shelf.put("keepass1.csv", old, [], note="no column for codes")


def several_kinds(accounts):
    github, hotp, ten = (
        accounts["github"],
        accounts["hotp1"].but(issuer="Two codes", name="me", algorithm="SHA1", digits=6),
        accounts["ten"],
    )
    rows = [
        ("Two codes", "me", {"otp": otpauth(github), "HmacOtp-Secret-Base32": hotp.base32, "HmacOtp-Counter": "1"}, None),
        (
            "Example Corp",
            "bob",
            {"otp": otpauth(ten), "TOTP Seed": ten.base32, "TOTP Settings": "30;6", "TimeOtp-Secret-Base32": ten.base32},
            None,
        ),
    ]
    return rows, [expect(github), expect(hotp), expect(ten)]


MAKERS = [keepass]
