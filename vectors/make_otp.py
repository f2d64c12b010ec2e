#!/usr/bin/env python3
"""Writes rfc4226.tsv, rfc6238.tsv and otp.tsv beside itself.

The rows of the two RFCs are typed from their appendices and recomputed here with Python's own hmac and hashlib; a row that
doesn't agree stops the script. otp.tsv has what the RFCs leave out, computed here, and the published values of other schemes.
"""
import hashlib
import hmac
from base64 import b32decode
from pathlib import Path

HERE = Path(__file__).parent


def truncate(mac):
    at = mac[-1] & 15
    return int.from_bytes(mac[at:at + 4], "big") & 0x7FFFFFFF


def mac_of(key, counter, algorithm):
    return hmac.new(key, counter.to_bytes(8, "big"), algorithm.lower()).digest()


def hotp(key, counter, algorithm="SHA1", digits=6):
    return str(truncate(mac_of(key, counter, algorithm)) % 10**digits).zfill(digits)


def steam(key, step):
    value, out = truncate(mac_of(key, step, "sha1")), ""
    for _ in range(5):
        value, index = divmod(value, 26)
        out += "23456789BCDFGHJKMNPQRTVWXY"[index]
    return out


def motp(key, step, pin):
    return hashlib.md5((str(step) + key.hex() + pin).encode()).hexdigest()[:6]


def yandex_key(key, pin):
    return hashlib.sha256(pin.encode() + key[:16]).digest()


def yandex(key, step, pin):
    made = yandex_key(key, pin)
    mac = mac_of(made[1:] if made[0] == 0 else made, step, "sha256")
    at, out = mac[-1] & 15, ""
    value = int.from_bytes(mac[at:at + 8], "big") & (2**63 - 1)
    for _ in range(8):
        value, index = divmod(value, 26)
        out = chr(97 + index) + out
    return out


def write(name, title, rows):
    lines = ["# " + line for line in title] + ["\t".join(map(str, row)) for row in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


# RFC 4226, appendix D: counter, HMAC, truncated in hexadecimal and decimal, code.
KEY = b"12345678901234567890"
rfc4226 = """\
0 cc93cf18508d94934c64b65d8ba7667fb7cde4b0 4c93cf18 1284755224 755224
1 75a48a19d4cbe100644e8ac1397eea747a2d33ab 41397eea 1094287082 287082
2 0bacb7fa082fef30782211938bc1c5e70416ff44 82fef30 137359152 359152
3 66c28227d03a2d5529262ff016a1e6ef76557ece 66ef7655 1726969429 969429
4 a904c900a64b35909874b33e61c5938a8e15ed1c 61c5938a 1640338314 338314
5 a37e783d7b7233c083d4f62926c7a25f238d0316 33c083d4 868254676 254676
6 bc9cd28561042c83f219324d3c607256c03272ae 7256c032 1918287922 287922
7 a4fb960c0bc06e1eabb804e5b397cdc4b45596fa 4e5b397 82162583 162583
8 1b3c89f65e6c9e883012052823443f048b4332db 2823443f 673399871 399871
9 1637409809a679dc698207310c8c7fc07290d9e5 2679dc69 645520489 520489"""
rows = [row.split() for row in rfc4226.splitlines()]
for counter, mac, cut, decimal, code in rows:
    assert mac_of(KEY, int(counter), "SHA1").hex() == mac, counter
    assert truncate(bytes.fromhex(mac)) == int(cut, 16) == int(decimal), counter
    assert hotp(KEY, int(counter)) == code, counter
write("rfc4226.tsv", ["RFC 4226, appendix D. The secret is the ASCII text 12345678901234567890.",
                      "counter, HMAC-SHA-1, truncated (hexadecimal), truncated (decimal), code"], rows)

# RFC 6238, appendix B: time, T in hexadecimal, code, mode. The secrets repeat the digits to 20, 32 and 64 bytes, as the
# reference implementation of the RFC has them (its text forgets to say so).
rfc6238 = """\
59 1 94287082 46119246 90693936
1111111109 23523EC 07081804 68084774 25091201
1111111111 23523ED 14050471 67062674 99943326
1234567890 273EF07 89005924 91819424 93441116
2000000000 3F940AA 69279037 90698825 38618901
20000000000 27BC86AA 65353130 77737706 47863826"""
rows = []
for row in rfc6238.splitlines():
    time, step, *codes = row.split()
    for algorithm, length, code in zip(["SHA1", "SHA256", "SHA512"], [20, 32, 64], codes):
        secret = (b"1234567890" * 7)[:length]
        assert int(time) // 30 == int(step, 16)
        assert hotp(secret, int(time) // 30, algorithm, 8) == code, (time, algorithm)
        rows.append([time, step.zfill(16), code, algorithm, secret.decode()])
write("rfc6238.tsv", ["RFC 6238, appendix B: X = 30 s, T0 = 0, 8 digits.", "time, T (hexadecimal), code, mode, secret (ASCII)"], rows)

# Everything else: scheme, algorithm, digits, period, T0, secret in hexadecimal, PIN, time (or counter for hotp), code.
rows = []


def row(scheme, algorithm, digits, period, t0, secret, pin, time, published=None):
    step = time if scheme == "hotp" else (time - t0) // period
    code = {"totp": lambda: hotp(secret, step, algorithm, digits), "hotp": lambda: hotp(secret, step, algorithm, digits),
            "steam": lambda: steam(secret, step), "motp": lambda: motp(secret, step, pin),
            "yandex": lambda: yandex(secret, step, pin)}[scheme]()
    assert published in (None, code), (scheme, time, code, published)
    rows.append([scheme, algorithm, digits, period, t0, secret.hex(), pin or "-", time, code])


HELLO = b"Hello!\xde\xad\xbe\xef"
for algorithm, length in [("SHA224", 28), ("SHA384", 48)]:
    for time in [59, 1111111109, 20000000000]:
        row("totp", algorithm, 8, 30, 0, (b"1234567890" * 7)[:length], None, time)
row("totp", "SHA224", 6, 30, 0, HELLO, None, 1741011292, "469059")
for digits in range(1, 11):
    row("totp", "SHA1", digits, 30, 0, KEY, None, 1111111109)
    row("totp", "SHA512", digits, 30, 0, KEY, None, 1111111109)
for period in [1, 7, 10, 20, 50, 60, 300, 3600, 2**31, 2**32 - 1]:
    row("totp", "SHA1", 6, period, 0, KEY, None, 20000000000)
for t0, time in [(1, 1), (1, 30), (1, 31), (1000000000, 1000000029), (1000000000, 2000000000), (2**40, 2**40 + 61), (2**64 - 1, 2**64 - 1)]:
    row("totp", "SHA256", 7, 30, t0, KEY, None, time)
for time in [0, 29, 30, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**53 + 1, 2**63, 2**64 - 1]:
    row("totp", "SHA1", 6, 30, 0, KEY, None, time)
for counter in [10, 2**31, 2**32, 2**63, 2**64 - 1]:
    row("hotp", "SHA1", 6, "-", 0, KEY, None, counter)
    row("hotp", "SHA512", 10, "-", 0, KEY, None, counter)
# Keys around the block of the hash, where HMAC pads or hashes them (RFC 2104): 64 bytes for SHA-1, 128 for SHA-512.
for length in [1, 16, 63, 64, 65, 127, 128, 129, 1000]:
    for algorithm in ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]:
        row("totp", algorithm, 8, 30, 0, bytes(i % 251 for i in range(length)), None, 1234567890)
# Steam: published by Aegis's and cotp's tests.
for secret, time, code in [("63BEDWCQZKTQWPESARIERL5DTTQFCJTK", 1511200518, "FR8RV"), ("63BEDWCQZKTQWPESARIERL5DTTQFCJTK", 1511200714, "9P3VP"),
                           ("STEAMKEY", 1742298317, "VKFDN"), ("JRZCL47CMXVOQMNPZR2F7J4RGI======", 1741011292, "56RVY")]:
    row("steam", "SHA1", 5, 30, 0, b32decode(secret), None, time, code)
# mOTP: published by Aegis's tests.
for time, code in [(165892298, "e7d8b6"), (123456789, "4ebfb2")]:
    row("motp", "MD5", 6, 10, 0, bytes.fromhex("e3152afee62599c8"), "1234", time, code)
row("motp", "MD5", 6, 10, 0, bytes.fromhex("00ff00ff00ff00ff"), "päss", 1700000000)
# Yandex: published by Aegis's tests. The rows after them have a key that begins with a zero byte, which is dropped.
LONG = b32decode("LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI======")
for time, code in [(1581064020, "oactmacq"), (1581090810, "wemdwrix")]:
    row("yandex", "SHA256", 8, 30, 0, LONG, "7586", time, code)
zero_led = [pin for pin in map("{:04}".format, range(10000)) if yandex_key(LONG, pin)[0] == 0][:3]
assert len(zero_led) == 3
for pin in zero_led:
    row("yandex", "SHA256", 8, 30, 0, LONG[:16], pin, 1581064020)
write("otp.tsv", ["What the RFCs' tables leave out; made by make_otp.py.",
                  "scheme, algorithm, digits, period, T0, secret (hexadecimal), PIN, time (hotp: counter), code"], rows)
