"""FreeOTP 1 and 2, and FreeOTP+."""

import struct
from xml.sax.saxutils import escape, quoteattr

from .accounts import Carries, expect
from .crypto import gcm_joined, pbkdf2, seeded, uuid
from .shelf import Shelf, words
from .uri import otpauth


def signed(data):
    return [byte - 256 if byte > 127 else byte for byte in data]


def escaped_slashes(value):
    """Android's JSON writes `/` as `\\/`."""
    return words(value).replace("/", "\\/")


def token(one, full=True):
    """Defaults may be absent. Steam is a TOTP token of the issuer Steam."""
    out = {
        "type": "HOTP" if one.type == "hotp" else "TOTP",
        "algo": one.algorithm,
        "digits": 6 if one.type == "steam" else one.digits,
        "period": one.period,
        "counter": one.counter,
    }
    out |= {"issuerExt": one.issuer, "issuerInt": one.issuer, "label": one.name}
    if not full:
        for name in ("algo", "counter", "issuerInt"):
            out.pop(name)
    return {name: value for name, value in out.items() if value != ""}


# FreeOTP 2: a Java HashMap of texts


def modified_utf8(text):
    """Java's: NUL as two bytes, what lies above U+FFFF as two surrogates of three."""
    units = text.encode("utf-16-be", "surrogatepass")
    out = b""
    for high, low in zip(units[::2], units[1::2]):
        unit = high << 8 | low
        if 0 < unit < 0x80:
            out += bytes([unit])
        elif unit < 0x800:
            out += bytes([0xC0 | unit >> 6, 0x80 | unit & 63])
        else:
            out += bytes([0xE0 | unit >> 12, 0x80 | unit >> 6 & 63, 0x80 | unit & 63])
    return out


def java_map(pairs):
    """A text that was written before is only referred to, as Java does."""
    utf = lambda text: struct.pack(">H", len(modified_utf8(text))) + modified_utf8(text)
    out = b"\xac\xed\0\5\x73\x72" + utf("java.util.HashMap") + bytes.fromhex("0507dac1c31660d1") + b"\x03\0\2"
    out += b"F" + utf("loadFactor") + b"I" + utf("threshold") + b"\x78\x70"
    room = 16
    while room * 3 // 4 < len(pairs):
        room *= 2
    out += struct.pack(">fi", 0.75, room * 3 // 4) + b"\x77\x08" + struct.pack(">ii", room, len(pairs))
    seen = {}
    for text in (text for pair in pairs for text in pair):
        data = modified_utf8(text)
        if text in seen:
            out += b"\x71" + struct.pack(">I", 0x7E0000 + seen[text])
            continue
        seen[text] = len(seen) + 2
        out += (b"\x74" + struct.pack(">H", len(data)) if len(data) < 65536 else b"\x7c" + struct.pack(">Q", len(data))) + data
    return out + b"\x78"


def sealed(key, data, aad, label, der=True):
    """Newer Android gives the nonce in DER with the tag's length, older as a bare octet string."""
    nonce = seeded("freeotp " + label, 12)
    params = b"\x04\x0c" + nonce
    params = b"\x30\x11" + params + b"\x02\x01\x10" if der else params
    return {
        "mCipher": "AES/GCM/NoPadding",
        "mCipherText": signed(gcm_joined(key, nonce, data, aad.encode())),
        "mParameters": signed(params),
        "mToken": aad,
    }


def freeotp2(ours, password, hash_name, rounds, der, label, lean=False):
    master, salt = seeded(label + " master", 32), seeded(label + " salt", 32)
    key = pbkdf2(hash_name, password, salt, rounds)
    head = {
        "mAlgorithm": f"PBKDF2withHmac{hash_name.upper()}",
        "mEncryptedKey": sealed(key, master, "AES", label + " wrap", der),
        "mIterations": rounds,
        "mSalt": signed(salt),
    }
    pairs = []
    for place, one in enumerate(ours):
        name = uuid(f"{label} {one.id}")
        inner = escaped_slashes(sealed(master, one.secret, f"Hmac{one.algorithm}", f"{label} {one.id}", der))
        pairs.append((name, escaped_slashes({"key": inner})))
        pairs.append((name + "-token", escaped_slashes(token(one, not lean))))
        if place == 1:
            pairs.append(("masterKey", escaped_slashes(head)))
    return java_map(pairs)


TOKENS = Carries("totp hotp steam", "SHA1 SHA224 SHA256 SHA384 SHA512", range(6, 10), counter=2**63 - 1)


def freeotp(accounts):
    ours = TOKENS.from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig steam japanese emoji sha384 odd3".split()]
    with Shelf("freeotp") as shelf:
        file = freeotp2(ours, "自由な OTP", "sha512", 100_000, True, "new")
        shelf.put("externalBackup.xml", file, [expect(one) for one in ours], "自由な OTP", note="not XML in spite of its name")
        old = freeotp2(few, "test", "sha1", 100_000, False, "old")
        shelf.put("old_android.xml", old, [expect(one) for one in few], "test")
        old = freeotp2(few[1:3], "test", "sha1", 100_000, False, "old")
        shelf.put("wrong_password.xml", old, passphrase="テスト", file_error="wrong_password")
        shelf.put("no_password.xml", old, file_error="need_password")
        lean = [accounts[id] for id in ("github", "noissuer", "emoji", "sha256")]
        shelf.put(
            "missing_fields.xml",
            freeotp2(lean, "test", "sha512", 1000, True, "lean", True),
            [expect(one) for one in lean],
            "test",
            note="the algorithm only as the key's mToken",
        )
        text, order = "", []
        for one in few:
            name = f"{one.issuer}:{one.name}"
            order.append(name)
            text += f"    <string name={quoteattr(name)}>{escape(words(token(one) | {'secret': signed(one.secret)}), {chr(34): '&quot;'})}</string>\n"
        shelf.put("tokens.xml", preferences(text, order), [expect(one) for one in few], note="FreeOTP 1")


def preferences(text, order):
    head = "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n"
    return f'{head}{text}    <string name="tokenOrder">{escape(words(order), {chr(34): "&quot;"})}</string>\n</map>\n'


def freeotpplus(accounts):
    ours = Carries("totp hotp steam", digits=range(6, 10), counter=2**63 - 1).from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotp0 hotpbig steam japanese quotes".split()]
    row = lambda one: token(one) | {"secret": signed(one.secret)}
    order = lambda list_: [f"{one.issuer}:{one.name}" for one in list_]
    with Shelf("freeotpplus") as shelf:
        shelf.put(
            "freeotp-backup.json",
            words({"tokenOrder": order(ours), "tokens": [row(one) for one in ours]}),
            [expect(one) for one in ours],
        )
        rows = [row(one) for one in few]
        rows[0]["label"] = "{token.label}"
        rows[3]["counter"] = -1
        rows[4] |= {"issuerAlt": "Renamed", "labelAlt": "also renamed"}
        rows[1]["image"] = "https://example.com/icon.png"
        read = [expect(one) for one in few]
        read[1]["image"] = "https://example.com/icon.png"
        read[4] = expect(few[4], issuer="Renamed", name="also renamed")
        shelf.put(
            "oddities.json",
            words({"tokenOrder": order(few), "tokens": rows}),
            read,
            note="a label that wasn't filled in, a counter of -1, names changed by the user",
        )
        text = "".join(
            f"    <string name={quoteattr(f'{one.issuer}:{one.name}')}>{escape(words(row(one)), {chr(34): '&quot;'})}</string>\n"
            for one in few
        )
        shelf.put("tokens.xml", preferences(text, order(few)), [expect(one) for one in few])
        shelf.put(
            "freeotp-backup.txt",
            "\n".join(otpauth(one, "totp" if one.type == "steam" else None) for one in few) + "\n",
            [expect(one) for one in few],
        )


MAKERS = [freeotp, freeotpplus]
