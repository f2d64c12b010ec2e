"""authenticator.cc, cotp, OTPClient, 2FAuth and TOTP Authenticator."""

import hashlib
import struct
from xml.sax.saxutils import escape

from .accounts import Carries, expect
from .crypto import argon2id, b64, cbc, gcm_joined, pbkdf2, seeded, sha256, uuid, xchacha20poly1305
from .shelf import Shelf, words
from .uri import motp, otpauth

PLAIN = Carries("totp hotp steam")


# authenticator.cc, the browser extension


def cryptojs(text, password, label):
    """CryptoJS's AES with a passphrase: OpenSSL's container, key and IV from MD5."""
    salt = seeded("cryptojs " + label, 8)
    made = part = b""
    while len(made) < 48:
        part = hashlib.md5(part + password.encode() + salt).digest()
        made += part
    return b64(b"Salted__" + salt + cbc(made[:32], made[32:48], text.encode()))


def extension_rows(ours):
    rows = {}
    for place, one in enumerate(ours):
        key = hashlib.md5(one.id.encode()).hexdigest()
        row = {
            "account": one.name,
            "encrypted": False,
            "hash": key,
            "index": place,
            "issuer": one.issuer,
            "secret": one.base32,
            "type": one.type,
            "counter": one.counter,
            "period": one.period,
            "digits": one.digits,
            "algorithm": one.algorithm,
            "pinned": one.favorite,
            "dataType": "OTPStorage",
        }
        if one.type == "hotp":
            del row["period"]
        if one.issuer == "Example Corp":
            row |= {"type": "hex", "secret": one.secret.hex(), "issuer": "Example Corp::example.com"}
        if one.id == "hotp0":
            row |= {"type": "hhex", "secret": one.secret.hex()}
        rows[key] = row
    return rows


def extension(accounts):
    ours = PLAIN.from_(accounts)
    few = [accounts[id] for id in "aws github ten sha512 hotp0 hotp1 steam japanese".split()]
    full = lambda list_: [expect(one, "favorite") for one in list_]
    some = lambda rows: dict(list(rows.items())[:3])
    battle = accounts["github2"].but(issuer="Battle.net", name="blizzard", digits=8)
    with Shelf("authenticator-cc") as shelf:
        shown = extension_rows(ours) | {
            "b" * 32: next(iter(extension_rows([battle]).values()))
            | {"hash": "b" * 32, "index": 99, "type": "battle", "secret": "blz-" + battle.base32}
        }
        shelf.put("plain.json", words(shown), full(ours) + [expect(battle)])
        shelf.put(
            "plain.txt",
            "\n".join(otpauth(one, "totp" if one.type == "steam" else None) for one in few) + "\n",
            [expect(one) for one in few],
        )
        password = "拡張 v1"
        rows = extension_rows(few)
        for key, row in rows.items():
            row |= {"encrypted": True, "secret": cryptojs(row["secret"], password, "v1 " + key)}
            del row["dataType"]
        shelf.put("v1.json", words(rows), full(few), password)
        shelf.put("v1_wrong_password.json", words(some(rows)), passphrase="拡張", file_error="wrong_password")
        inner = seeded("extension key", 60).hex()
        rows = extension_rows(few)
        for key, row in rows.items():
            row |= {"encrypted": True, "secret": cryptojs(row["secret"], inner, "v2 " + key)}
        lock = {"enc": cryptojs(inner, "拡張 v2", "v2"), "hash": "$argon2id$v=19$m=1024,t=2,p=1$AAAA$AAAA"}
        shelf.put("v2.json", words(rows | {"key": lock}), full(few), "拡張 v2")
        shelf.put("v2_top_level.json", words(rows | lock), full(few), "拡張 v2", note="enc and hash stand among the entries")
        shelf.put("v2_wrong_password.json", words(some(rows) | {"key": lock}), passphrase="拡張 v1", file_error="wrong_password")
        ident, salt = uuid("extension"), seeded("extension salt", 16).hex()
        derived = b64(argon2id("拡張 v3", salt.encode(), 2, 19_456, 1)).rstrip("=")
        rows = {
            ident: {
                "dataType": "Key",
                "id": ident,
                "salt": salt,
                "hash": "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA",
                "version": 3,
            }
        }
        for key, row in extension_rows(few).items():
            inside = words(row | {"encrypted": True, "keyId": ident})
            rows[key] = {
                "dataType": "EncOTPStorage",
                "keyId": ident,
                "data": cryptojs(inside, derived, "v3 " + key),
                "index": row["index"],
            }
        shelf.put("v3.json", words(rows), full(few), "拡張 v3")
        shelf.put("v3_wrong_password.json", words(some(rows)), passphrase="拡張", file_error="wrong_password")
        bad = extension_rows([accounts["github"], accounts["ten"].but(issuer="Gost", algorithm="GOST3411_2012_256")])
        shelf.put("gost.json", words(bad), full([accounts["github"]]), errors=[{"error": "bad_algorithm", "label": "Gost"}])


# cotp


def cotp_elements(ours):
    rows = [
        {
            "secret": one.secret.hex() if one.type == "motp" else one.base32,
            "issuer": one.issuer,
            "label": one.name,
            "digits": one.digits,
            "type": one.type.upper(),
            "algorithm": "SHA1" if one.type in ("motp", "steam") else one.algorithm,
            "thumbnail": "",
            "last_used": 0,
            "used_frequency": 0,
            "counter": one.counter if one.type == "hotp" else None,
            "tags": [],
            "period": one.period,
            "pin": one.pin or None,
        }
        for one in ours
    ]
    return words({"version": 2, "elements": rows})


def cotp(accounts):
    ours = Carries("totp hotp steam motp yandex").from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotp1 steam motp yandex japanese".split()]
    password, salt, nonce = "端末 cotp", seeded("cotp salt", 16), seeded("cotp nonce", 24)
    key = argon2id(password, salt, 4, 32_768, 4)
    cipher = lambda list_: b64(xchacha20poly1305(key, nonce, cotp_elements(list_).encode()))
    sealed = lambda list_: words({"version": 1, "nonce": b64(nonce), "salt": b64(salt), "cipher": cipher(list_)})
    with Shelf("cotp") as shelf:
        shelf.put("db.cotp", sealed(few), [expect(one, "pin") for one in few], password)
        shelf.put("wrong_password.cotp", sealed(few[1:2]), passphrase="端末", file_error="wrong_password")
        shelf.put("exported.json", cotp_elements(ours), [expect(one, "pin") for one in ours])
        uris = [motp(one) if one.type == "motp" else otpauth(one) for one in few]
        shelf.put("uris.json", words({"items": uris}), [expect(one) for one in few])


# OTPClient


def otpclient(accounts):
    few = [accounts[id] for id in "aws github sha512 hotp1 steam japanese".split()]

    def array(list_):
        rows = []
        for one in list_:
            row = {
                "type": "TOTP" if one.type == "steam" else one.type.upper(),
                "label": one.name,
                "issuer": one.issuer,
                "secret": one.base32,
                "digits": one.digits,
                "algo": one.algorithm,
            }
            row |= {"counter": one.counter} if one.type == "hotp" else {"period": one.period}
            rows.append(row | {"group": one.tags[0] if one.tags else ""})
        return words(rows).encode()

    read = lambda list_: [expect(one, **({"tags": one.tags[:1]} if one.tags else {})) for one in list_]
    iv, salt, text = seeded("otpclient iv", 16), seeded("otpclient salt", 32), array(few)
    rounds, kib, lanes = 3, 4096, 2
    v3 = b"OTPClient" + struct.pack(">I", 3) + iv + salt + struct.pack(">III", rounds, kib, lanes)
    v2 = b"OTPClient\0\0\0" + struct.pack("<i", 2) + iv + salt + struct.pack("<iii", rounds, kib, lanes)
    seal = lambda head, key: head + gcm_joined(key, iv, text, head)
    by_argon = lambda password: argon2id(password, salt, rounds, kib, lanes)
    with Shelf("otpclient") as shelf:
        shelf.put("plain.json", array(few), read(few))
        sealed = seal(v3, by_argon("クライアント 3"))
        shelf.put("v3.enc", sealed, read(few), "クライアント 3")
        shelf.put("v3_wrong_password.enc", sealed, passphrase="クライアント", file_error="wrong_password")
        shelf.put("v2.enc", seal(v2, by_argon("test")), read(few), "test")
        password = "pässwörd 2"
        short = password.encode()[: len(password)]
        shelf.put(
            "v2_legacy_length.enc",
            seal(v2, by_argon(short)),
            read(few),
            password,
            note="old builds took as many bytes of the password as it has characters",
        )
        first = seal(iv + salt, pbkdf2("sha512", "クライアント 1", salt, 100_000))
        shelf.put("v1.enc", first, read(few), "クライアント 1")
        shelf.put("v1_wrong_password.enc", first, passphrase="test", file_error="wrong_password")


# 2FAuth


def twofauth(accounts):
    ours = PLAIN.from_(accounts)

    def row(one):
        hotp = one.type == "hotp"
        return {
            "otp_type": "steamtotp" if one.type == "steam" else one.type,
            "account": one.name,
            "service": one.issuer,
            "icon": None,
            "icon_mime": None,
            "icon_file": None,
            "secret": one.base32,
            "digits": one.digits,
            "algorithm": one.algorithm.lower(),
            "period": None if hotp else one.period,
            "counter": one.counter if hotp else None,
            "legacy_uri": otpauth(one, "totp" if one.type == "steam" else None),
        }

    def decoded(one):
        tail = f"counter={one.counter}" if one.type == "hotp" else f"period={one.period}"
        return f"otpauth://{one.type}/{one.issuer}:{one.name}?issuer={one.issuer}&secret={one.base32}&algorithm={one.algorithm.lower()}&digits={one.digits}&{tail}"

    # What must be encoded in a URI is lost in the one that 2FAuth decodes.
    plain = [accounts[id] for id in "aws github sha512 hotp1 japanese hash plus colon".split()]
    head = {"app": "2fauth_v5.6.0", "datetime": "2024-01-01T00:00:00.000000Z"}
    with Shelf("2fauth") as shelf:
        shelf.put(
            "export.json", words(head | {"schema": 1, "data": [row(one) for one in ours]}, 4), [expect(one) for one in ours]
        )
        shelf.put(
            "otpauth.json", words(head | {"data": [{"uri": decoded(one)} for one in plain]}), [expect(one) for one in plain]
        )
        bad = [row(accounts["github"]), row(accounts["ten"]) | {"otp_type": "push"}, row(accounts["ten"]) | {"secret": None}]
        errors = [{"error": error, "label": "Example Corp"} for error in ("bad_type", "missing_secret")]
        shelf.put("bad_entries.json", words(head | {"schema": 1, "data": bad}), [expect(accounts["github"])], errors=errors)


# TOTP Authenticator (BinaryBoot)


def totp_authenticator(accounts):
    ours = Carries("totp", "SHA1").from_(accounts)
    few = [accounts[id] for id in "aws github seven eight60 japanese noissuer odd3".split()]

    def rows(list_):
        out = []
        for place, one in enumerate(list_):
            base = (16, 32, 64)[place % 3]
            key = {16: one.secret.hex().upper(), 32: one.base32, 64: b64(one.secret)}[base]
            out.append(
                {
                    "accountHeaderLabel": "",
                    "base": base,
                    "digits": str(one.digits),
                    "issuer": one.issuer or "Unknown",
                    "key": key,
                    "name": one.name,
                    "period": str(one.period),
                    "isFavorite": False,
                    "timeRemaining": 0,
                    "totpCode": "",
                }
            )
        return words(out)

    def sealed(list_, password):
        return b64(cbc(sha256(password), bytes(16), words({rows(list_): ""}).encode()))

    read = lambda list_: [expect(one) for one in list_]
    with Shelf("totpauthenticator") as shelf:
        shelf.put("backup.encrypt", sealed(few, "時計 TOTP"), read(few), "時計 TOTP")
        shelf.put("wrong_password.encrypt", sealed(few, "時計 TOTP"), passphrase="時計", file_error="wrong_password")
        shelf.put(
            "default_password.encrypt",
            sealed(ours, "TotpAuthenticator"),
            read(ours),
            note="the app's own password: none is asked for",
        )
        text = escape(rows(few), {'"': "&quot;"})
        head = "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n"
        shelf.put(
            "preferences.xml",
            f'{head}    <int name="RATE_US_COUNTER" value="3" />\n    <string name="STATIC_TOTP_CODES_LIST">{text}</string>\n</map>\n',
            read(few),
        )


MAKERS = [extension, cotp, otpclient, twofauth, totp_authenticator]
