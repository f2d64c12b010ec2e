"""WinAuth: its text, the text in a ZIP, and winauth.xml."""

import hashlib
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from . import zips
from .accounts import expect
from .crypto import b64, pbkdf2, seeded, uuid
from .shelf import Shelf, words


def text_line(one):
    """.NET's encoding: a space in the path is %20, in a parameter a plus."""
    label = quote(f"{one.issuer}:{one.name}", safe="!$'()*,;:@") if one.issuer else quote(one.name, safe="")
    out = f"otpauth://{'hotp' if one.type == 'hotp' else 'totp'}/{label}?secret={one.base32}&digits={one.digits}"
    out += f"&counter={one.counter}" if one.type == "hotp" else ""
    out += f"&algorithm={one.algorithm}" if one.algorithm != "SHA1" else ""
    out += f"&period={one.period}" if one.type == "totp" and one.period != 30 else ""
    out += f"&issuer={quote_plus(one.issuer)}" if one.issuer else ""
    if one.type == "steam":
        data = words({"shared_secret": b64(one.secret), "account_name": one.name, "serial_number": "1"})
        out += f"&deviceid=android%3A{uuid('winauth')}&data={quote_plus(data)}"
    return out + "&icon=WinAuth"


# winauth.xml


def secret_data(one):
    out = f"{one.secret.hex().upper()}\t{one.digits}\t{one.algorithm}\t{one.period}"
    if one.type == "hotp":
        return f"{out}|{one.counter}"
    if one.type == "steam":
        tail = ["1", f"android:{uuid('winauth')}", words({"shared_secret": b64(one.secret), "account_name": one.name})]
        return "|".join([out, *(part.encode().hex().upper() for part in tail)])
    return out


def element(one):
    kind = {"totp": "Google", "hotp": "HOTP", "steam": "Steam"}[one.type]
    name = f"{one.issuer}:{one.name}" if one.issuer else one.name
    return f"""  <WinAuthAuthenticator id="{uuid('winauth ' + one.id)}" type="WinAuth.{kind}Authenticator">
    <name>{escape(name)}</name>
    <created>1700000000000</created>
    <autorefresh>false</autorefresh>
    <allowcopy>false</allowcopy>
    <copyoncode>false</copyoncode>
    <hideserial>true</hideserial>
    <skin />
    <authenticatordata>
      <servertimediff>0</servertimediff>
      <lastservertime>0</lastservertime>
      <secretdata>{secret_data(one)}</secretdata>
    </authenticatordata>
  </WinAuthAuthenticator>
"""


def document(inside):
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<WinAuth version="3.6">\n  <alwaysontop>false</alwaysontop>\n  <usetrayicon>false</usetrayicon>\n{inside}</WinAuth>\n'


def sealed(data, password):
    """Hex all through: WINAUTH3, a salt, SHA-256 of salt and plain data, then what was encrypted with its own salt before it."""
    salt, inner = seeded("winauth salt", 8), seeded("winauth inner", 8)
    count = 8 - len(data) % 8
    padded = data + seeded("winauth pad", count - 1) + bytes([count])
    cipher = Blowfish(pbkdf2("sha1", password, inner, 2000, 256)).encrypt(padded)
    return (b"WINAUTH3" + salt + hashlib.sha256(salt + data).digest() + inner + cipher).hex().upper()


class Blowfish:
    """By hand: WinAuth's keys have 256 bytes, more than libraries take. Only the first 72 have an effect."""

    def __init__(self, key):
        words_of_pi = pi_words(18 + 4 * 256)
        self.p = words_of_pi[:18]
        self.s = [words_of_pi[18 + 256 * i : 274 + 256 * i] for i in range(4)]
        cycle = (key * (72 // len(key) + 1))[:72]
        for i in range(18):
            self.p[i] ^= int.from_bytes(cycle[4 * i : 4 * i + 4], "big")
        left = right = 0
        for row in [self.p, *self.s]:
            for i in range(0, len(row), 2):
                left, right = self.block(left, right)
                row[i], row[i + 1] = left, right

    def block(self, left, right):
        s = self.s
        for i in range(16):
            left ^= self.p[i]
            mixed = s[0][left >> 24] + s[1][left >> 16 & 255]
            right ^= (mixed ^ s[2][left >> 8 & 255]) + s[3][left & 255] & 0xFFFFFFFF
            left, right = right, left
        return right ^ self.p[17], left ^ self.p[16]

    def encrypt(self, data):
        out = b""
        for i in range(0, len(data), 8):
            left, right = self.block(int.from_bytes(data[i : i + 4], "big"), int.from_bytes(data[i + 4 : i + 8], "big"))
            out += left.to_bytes(4, "big") + right.to_bytes(4, "big")
        return out


def pi_words(count):
    """The fraction of pi in words of 32 bits, by Machin's formula."""
    bits = 32 * count + 64
    one = 1 << bits

    def arctan_of_inverse(x):
        total = term = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    fraction = (4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) - 3 * one) >> 64
    return [fraction >> 32 * (count - 1 - i) & 0xFFFFFFFF for i in range(count)]


def winauth(accounts):
    few = [accounts[id] for id in "aws github sha512 hotp1 steam japanese quotes".split()]
    few_text = "\r\n".join(map(text_line, few)) + "\r\n"
    read = lambda list_: [expect(one) for one in list_]
    with Shelf("winauth") as shelf:
        more = few + [accounts[id] for id in "hash query plus percent p45 noissuer".split()]
        shelf.put("export.txt", "\r\n".join(map(text_line, more)) + "\r\n", read(more))
        shelf.put("plain.zip", zips.archive([("winauth-2024-01-01.txt", few_text)], deflate=True), read(few))
        old = zips.archive([("winauth-2024-01-01.txt", few_text)], "zip pass", "crypto", True)
        shelf.put("zipcrypto.zip", old, read(few), "zip pass")
        little = lambda how, password: zips.archive([("winauth-2024-01-01.txt", text_line(few[1]) + "\r\n")], password, how, True)
        aes = zips.archive([("winauth-2024-01-01.txt", few_text)], "合言葉 zip", "aes", True)
        shelf.put("aes.zip", aes, read(few), "合言葉 zip")
        shelf.put("wrong_password.zip", little("aes", "合言葉 zip"), passphrase="合言葉", file_error="wrong_password")
        shelf.put("zipcrypto_wrong_password.zip", little("crypto", "zip pass"), passphrase="zip", file_error="wrong_password")
        elements = "".join(map(element, few))
        shelf.put(
            "winauth.xml",
            document(elements),
            read(few),
            note="the name is the user's own: issuer and name before and after its colon",
        )
        config = lambda inside: ("\ufeff" + f'<?xml version="1.0" encoding="utf-8"?>\n<config>\n{inside}</config>').encode()
        hidden = sealed(config(elements), "ブローフィッシュ")
        told = lambda kind, hex_: document(
            f'  <data encrypted="{kind}" sha1="{hashlib.sha1(bytes.fromhex(hex_)).hexdigest().upper()}">{hex_}</data>\n'
        )
        shelf.put("winauth_password.xml", told("y", hidden), read(few), "ブローフィッシュ")
        hidden = sealed(config(element(few[1])), "ブローフィッシュ")
        shelf.put("winauth_wrong_password.xml", told("y", hidden), passphrase="ブロー", file_error="wrong_password")
        shelf.put(
            "winauth_windows_user.xml",
            told("u", hidden),
            file_error="account_restricted",
            note="Windows keeps the key: export as text from WinAuth",
        )


MAKERS = [winauth]
