#!/usr/bin/env python3
"""Writes samples.jsonl: migration texts of the kinds seen in the wild, with what is to be read from them.

Everything is made here, secrets included; the message is written from the field numbers alone, so that the reader under test
shares no code with it. Run it again and the file comes out the same:  python3 make.py > samples.jsonl
"""
import base64
import hashlib
import json
from urllib.parse import quote


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def key(text, length=20):
    return hashlib.sha512(text.encode()).digest()[:length]


ALGORITHMS = {"SHA1": 1, "SHA256": 2, "SHA512": 3}


def account(name, issuer="", secret=None, algorithm=1, digits=1, kind=2, counter=None, extra=b""):
    out = chunk(1, key(name) if secret is None else secret) + chunk(2, name)
    out += chunk(3, issuer) if issuer else b""
    out += number(4, algorithm) + number(5, digits) + number(6, kind)
    return out + (number(7, counter) if counter is not None else b"") + extra


def payload(accounts, size=1, index=0, batch=1, version=1):
    out = b"".join(chunk(1, one) for one in accounts)
    out += number(2, version) + number(3, size)
    out += number(4, index) if index else b""
    return out + number(5, batch)


def words(kind, issuer, name, secret, algorithm="SHA1", digits=6, counter=None):
    out = {"type": kind, "issuer": issuer, "name": name, "algorithm": algorithm, "digits": digits, "secret_hex": secret.hex()}
    if counter is not None:
        out["counter"] = counter
    return out


def uri(message, how="percent"):
    text = base64.b64encode(message).decode()
    if how == "percent":
        text = quote(text, safe="")
    elif how == "url-safe":
        text = base64.urlsafe_b64encode(message).decode().rstrip("=")
    elif how == "no padding":
        text = text.rstrip("=")
    return "otpauth-migration://offline?data=" + text


def sample(name, text, accounts=None, part=None, refused=None):
    row = {"case": name, "text": text}
    if refused:
        row["refused"] = refused
    else:
        row["accounts"], row["part"] = accounts, part
    print(json.dumps(row, ensure_ascii=False))


one = [account("Example:alice@example.com", "Example")]
alice = [words("totp", "Example", "alice@example.com", key("Example:alice@example.com"))]
part = {"batch_id": 1, "index": 0, "size": 1}

# Bytes that are + and / in base64, so that a plus taken for a space shows.
plus = bytes.fromhex("fbefbefbeffbffbffbefbefbeffbffbffbefbefb")
for how in ["percent", "raw", "no padding", "url-safe"]:
    sample("plus and slash, " + how, uri(payload([account("x", secret=plus)]), how), [words("totp", "", "x", plus)], part)
sample("one account", uri(payload(one)), alice, part)
sample("space around, upper case", " " + uri(payload(one)).replace("otpauth-migration", "OTPAUTH-Migration") + "\n", alice, part)
sample("other parameters", uri(payload(one)).replace("?data", "?x=1&data") + "&y=2", alice, part)
sample("batch id negative", uri(payload(one, batch=-2115474809)), alice, part | {"batch_id": -2115474809})
sample("batch id zero", uri(payload(one, batch=0)), alice, part | {"batch_id": 0})
sample("version 2", uri(payload(one, version=2)), alice, part)
sample("part 2 of 3", uri(payload(one, size=3, index=1)), alice, part | {"size": 3, "index": 1})
sample("index beyond size", uri(payload(one, size=1, index=4)), alice, part | {"size": 5, "index": 4})
sample("nothing but an account", uri(chunk(1, one[0])), alice, part | {"batch_id": 0})
sample("no accounts", uri(payload([])), [], part)
name = key("Example:alice@example.com")
sample(
    "fields in another order, unknown ones between",
    uri(number(5, 7) + number(9, 5) + chunk(1, number(6, 2) + chunk(8, "unique") + varint(13 << 3 | 5) + b"1234"
        + chunk(3, "Example") + number(5, 1) + chunk(1, name) + varint(14 << 3 | 1) + b"12345678"
        + chunk(2, "alice@example.com")) + number(3, 1)),
    alice, part | {"batch_id": 7})

rows, expected = [], []
for label, kwargs, kind, issuer, account_name, more in [
    ("a:name", dict(issuer="a"), "totp", "a", "name", {}),
    ("a: name", dict(issuer="a"), "totp", "a", "name", {}),
    ("a : name", dict(issuer="a"), "totp", "a", "name", {}),
    ("a:name", dict(), "totp", "a", "name", {}),
    ("b:name", dict(issuer="a"), "totp", "a", "b:name", {}),
    ("a:b:c", dict(issuer="a"), "totp", "a", "b:c", {}),
    ("name", dict(issuer="a"), "totp", "a", "name", {}),
    ("name", dict(), "totp", "", "name", {}),
    ("", dict(), "totp", "", "", {}),
    ("日本", dict(issuer="🏴‍☠️"), "totp", "🏴‍☠️", "日本", {}),
    ("h", dict(kind=1, counter=7), "hotp", "", "h", dict(counter=7)),
    ("h0", dict(kind=1), "hotp", "", "h0", dict(counter=0)),
    ("h63", dict(kind=1, counter=(1 << 63) - 1), "hotp", "", "h63", dict(counter=(1 << 63) - 1)),
    ("256", dict(algorithm=2), "totp", "", "256", dict(algorithm="SHA256")),
    ("512", dict(algorithm=3, digits=2), "totp", "", "512", dict(algorithm="SHA512", digits=8)),
    ("unspecified", dict(algorithm=0, digits=0, kind=0), "totp", "", "unspecified", {}),
    ("\x1b[2Jx\u202e", dict(), "totp", "", "[2Jx", {}),
]:
    rows.append(account(label, **kwargs))
    expected.append(words(kind, issuer, account_name, key(label), **more))
sample("labels and types of every kind", uri(payload(rows)), expected, part)

refusals = [
    (account("md5", algorithm=4), "bad_algorithm"),
    (account("algorithm 9", algorithm=9), "bad_algorithm"),
    (account("digits 3", digits=3), "bad_digits"),
    (account("type 3", kind=3), "bad_type"),
    (account("negative", kind=1, counter=-1), "bad_counter"),
    (chunk(1, b"") + chunk(2, "empty"), "empty_secret"),
    (chunk(2, "no secret"), "missing_secret"),
    (chunk(1, key("cut"))[:-3], "bad_protobuf"),
]
mixed = [row for refusal, _ in refusals for row in (refusal, one[0])]
expected = [word for _, refusal in refusals for word in ({"refused": refusal}, alice[0])]
sample("bad ones among good ones", uri(payload(mixed)), expected, part)
cut = payload(one + [account("second")])
sample("cut off in the second account", uri(chunk(1, one[0]) + chunk(1, account("second"))[:-4]),
       alice + [{"refused": "bad_protobuf"}], part | {"batch_id": 0})

signs = uri(payload([account("x", secret=plus)]), "no padding")
assert "+" in signs
plain = [words("totp", "", "x", plus)]
sample("spaces where pluses were", signs.replace("+", " "), plain, part)
sample("spaces where pluses were, percent", signs.replace("+", "%20"), plain, part)
sample("folded by a mail's program", signs[:60] + "\r\n  " + signs[60:] + "\r\n", plain, part)
sample("tabs and line ends", signs[:50] + "\t" + signs[50:60] + "%0D%0A" + signs[60:], plain, part)
sample("no-break space", signs[:60] + "\u00a0" + signs[60:], refused="bad_base64")
sample("a Key URI after it", signs + "&x=y,otpauth://totp/x?secret=AAAA", refused="two_uris")
sample("another after it", signs + " " + signs, refused="two_uris")
inner = account("x,otpauth://totp/y?secret=JBSWY3DPEHPK3PXP")
sample("a Key URI in a name", uri(payload([inner] + one)), [{"refused": "two_uris"}] + alice, part)
sample("no data", "otpauth-migration://offline", refused="missing_data")
sample("empty data", "otpauth-migration://offline?data=", refused="missing_data")
sample("blank data", "otpauth-migration://offline?data=%20", refused="missing_data")
sample("not base64", "otpauth-migration://offline?data=C!KK", refused="bad_base64")
sample("one letter over", "otpauth-migration://offline?data=AAAAA", refused="bad_base64")
sample("zeros", "otpauth-migration://offline?data=AAAA", refused="bad_protobuf")
sample("noise", "otpauth-migration://offline?data=XXXX", refused="bad_protobuf")
sample("a length beyond the end", uri(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7fabc"), refused="bad_protobuf")
