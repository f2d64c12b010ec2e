"""2FAS, Stratum and andOTP."""

import base64
import html
import struct

from . import sqlite
from .accounts import Carries, expect
from .aegis import ICON
from .crypto import argon2id, b64, cbc, gcm_joined, pbkdf2, seeded, sha256, uuid
from .lists import picture
from .shelf import Shelf, words
from .uri import enc, motp, otpauth

EVERY = Carries("totp hotp steam motp yandex")


# 2FAS

TWOFAS = Carries("totp hotp steam", "SHA1 SHA224 SHA256 SHA384 SHA512", range(5, 9), (10, 30, 60, 90), without="noissuer")
REFERENCE = "The same text for everyone, encrypted like the services: who opens it has the right password. " * 3


def twofas_service(one, schema, place):
    out = {"name": one.issuer, "secret": one.base32, "updatedAt": 1700000000000 + place, "order": {"position": place}}
    otp = {"account": one.name, "issuer": one.issuer, "label": f"{one.issuer}:{one.name}" if one.name else None}
    if schema > 1:
        otp |= {"digits": one.digits, "algorithm": one.algorithm, "tokenType": one.type.upper(), "source": "Link"}
        otp |= {"counter": one.counter} if one.type == "hotp" else {"period": one.period}
    if schema > 2:
        host = "totp" if one.type == "steam" else one.type
        otp["link"] = otpauth(one, host, secret="[hidden]")
        out["icon"] = {
            "selected": "Label",
            "label": {"text": one.issuer[:2], "backgroundColor": "Orange"},
            "iconCollection": {"id": uuid("icons")},
        }
        out["badge"] = {"color": "Default"}
    if schema < 3:
        out["type"] = "Unknown"
    if schema > 1 and one.tags:
        out["groupId"] = uuid("2fas " + one.tags[0])
    return out | {"otp": otp}


def twofas_file(ours, schema, origin, **more):
    tags = sorted({one.tags[0] for one in ours if one.tags})
    case = str.upper if origin == "ios" else str
    groups = [{"id": case(uuid("2fas " + tag)), "name": tag, "isExpanded": True} for tag in tags]
    out = {
        "schemaVersion": schema,
        "appVersionCode": 5000012,
        "appVersionName": "5.0.12",
        "appOrigin": origin,
        "services": [twofas_service(one, schema, n) for n, one in enumerate(ours)],
    }
    if schema > 1:
        out |= {"groups": groups, "updatedAt": 1700000000000}
    return out | more


def twofas_sealed(ours, origin, password):
    salt, iv = seeded("2fas " + origin, 256 if origin == "android" else 32), seeded("2fas iv " + origin, 12)
    key = pbkdf2("sha256", password, salt, 10_000)
    file = twofas_file(ours, 4 if origin == "android" else 3, origin)
    seal = lambda text, nonce: ":".join(map(b64, (gcm_joined(key, nonce, text.encode()), salt, nonce)))
    services = seal(words(file["services"]), iv)
    return words(
        file | {"services": [], "servicesEncrypted": services, "reference": seal(REFERENCE, seeded("2fas ref " + origin, 12))}
    )


def twofas_expect(one, schema):
    if schema == 1:
        one = one.but(type="totp", algorithm="SHA1", digits=6, period=30)
    return expect(one, **({"tags": one.tags[:1]} if one.tags and schema > 1 else {}))


def twofas(accounts):
    ours = TWOFAS.from_(accounts)
    plain = [one for one in ours if one.type == "totp" and (one.algorithm, one.digits, one.period) == ("SHA1", 6, 30)]
    with Shelf("2fas") as shelf:
        shelf.put("schema1.json", words(twofas_file(plain, 1, "android"), 2), [twofas_expect(one, 1) for one in plain])
        few = [accounts[id] for id in "aws github sha512 hotpbig steam japanese".split()]
        for schema, origin, shown in ((2, "ios", few), (3, "android", few), (4, "android", ours)):
            shelf.put(
                f"schema{schema}_{origin}.2fas",
                words(twofas_file(shown, schema, origin)),
                [twofas_expect(one, schema) for one in shown],
            )
        entries = [twofas_expect(one, 4) for one in few]
        shelf.put("encrypted_android.2fas", twofas_sealed(few, "android", "パスワード2"), entries, "パスワード2")
        shelf.put("encrypted_ios.2fas", twofas_sealed(few, "ios", "test"), entries, "test")
        shelf.put(
            "encrypted_wrong_password.2fas",
            twofas_sealed(few[1:2], "android", "パスワード2"),
            passphrase="パスワード3",
            file_error="wrong_password",
        )
        github, hotp, ten = accounts["github"], accounts["hotp0"], accounts["ten"]
        file = twofas_file([github, hotp, ten, ten, ten], 4, "android")
        odd = file["services"]
        odd[0]["secret"] = " ".join(github.base32[i : i + 4] for i in range(0, 32, 4)).lower()
        odd[0]["otp"] |= {"digits": None, "period": 0, "algorithm": None}
        del odd[1]["otp"]["counter"]
        odd[2] |= {"name": "My own title"}
        odd[3]["otp"]["algorithm"] = "MD5"
        odd[4]["secret"] = "1890"
        read = [twofas_expect(github, 4), expect(hotp), expect(ten, title="My own title")]
        errors = [{"error": error, "label": "Example Corp"} for error in ("bad_algorithm", "bad_secret")]
        shelf.put("oddities.2fas", words(file), read, errors=errors)
        shelf.put(
            "schema9.2fas",
            words(twofas_file([github], 9, "android")),
            [twofas_expect(github, 4)],
            note="unknown schema: read with a warning",
        )


# Stratum, once Authenticator Pro

KINDS = {"hotp": 1, "totp": 2, "motp": 3, "steam": 4, "yandex": 5}
ALGORITHMS = {"SHA1": 0, "SHA256": 1, "SHA512": 2, "MD5": 0}


def stratum_plain(ours):
    tags = sorted({tag for one in ours for tag in one.tags})
    ident = lambda tag: sha256(tag).hex()[:8]
    secret = lambda one: one.secret.hex() if one.type == "motp" else one.base32
    rows = []
    for place, one in enumerate(ours):
        algorithm = 0 if one.type == "yandex" else ALGORITHMS[one.algorithm]
        row = {
            "Type": KINDS[one.type],
            "Icon": "@0badc0de" if one.id == "github" else None,
            "Issuer": one.issuer,
            "Username": one.name,
            "Secret": secret(one),
            "Pin": one.pin or None,
        }
        rows.append(
            row
            | {
                "Algorithm": algorithm,
                "Digits": one.digits,
                "Period": one.period,
                "Counter": one.counter,
                "CopyCount": 3,
                "Ranking": place,
            }
        )
    links = [{"CategoryId": ident(tag), "AuthenticatorSecret": secret(one), "Ranking": 0} for one in ours for tag in one.tags]
    categories = [{"Id": ident(tag), "Name": tag, "Ranking": n} for n, tag in enumerate(tags)]
    return words(
        {
            "Authenticators": rows,
            "Categories": categories,
            "AuthenticatorCategories": links,
            "CustomIcons": [{"Id": "0badc0de", "Data": ICON}],
        }
    )


def stratum_strong(text, password):
    salt, iv = seeded("stratum salt", 16), seeded("stratum iv", 12)
    return b"AUTHENTICATORPRO" + salt + iv + gcm_joined(argon2id(password, salt, 3, 65536, 4), iv, text.encode())


def stratum_legacy(text, password):
    salt, iv = seeded("stratum old salt", 20), seeded("stratum old iv", 16)
    return b"AuthenticatorPro" + salt + iv + cbc(pbkdf2("sha1", password, salt, 64_000), iv, text.encode())


def stratum_uri(one):
    if one.type == "motp":
        return motp(one)
    label = enc(f"{one.issuer}:{one.name}" if one.issuer else one.name)
    if one.type == "steam":
        return otpauth(one, "totp", label, everything=False).replace("&digits=5", "") + "&steam"
    if one.type == "yandex":
        return f"otpauth://yaotp/{label}?secret={one.base32}&issuer={enc(one.issuer)}&pin_length=4"
    return otpauth(one, label=label, everything=False)


def stratum_html(ours):
    rows = ""
    for one in ours:
        uri = stratum_uri(one)
        image = f'<img src="data:image/png;base64,{b64(picture(uri, 1))}">' if one.id in ("aws", "japanese") else ""
        rows += f"<tr>\n<td>{html.escape(one.issuer)}</td>\n<td>{html.escape(one.name)}</td>\n<td><code>{html.escape(uri)}</code></td>\n<td>{image}</td>\n</tr>"
    return f'<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>Backup</title>\n</head>\n<body>\n<table>\n{rows}\n</table>\n</body>\n</html>\n'


def stratum(accounts):
    ours = EVERY.from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig steam motp yandex japanese quotes".split()]
    full = lambda list_: [expect(one, "tags pin") for one in list_]
    with Shelf("stratum") as shelf:
        shelf.put("plain.json", stratum_plain(ours), full(ours))
        shelf.put("strong.authpro", stratum_strong(stratum_plain(few), "山と川 passphrase"), full(few), "山と川 passphrase")
        shelf.put(
            "strong_wrong_password.authpro",
            stratum_strong(stratum_plain(few[1:2]), "山と川 passphrase"),
            passphrase="海と川",
            file_error="wrong_password",
        )
        shelf.put("legacy.authpro", stratum_legacy(stratum_plain(few), "test"), full(few), "test")
        shelf.put("backup.html", stratum_html(few), [expect(one) for one in few])
        plain = [one for one in few if one.type != "motp"]
        columns = "type INTEGER, icon TEXT, issuer TEXT, username TEXT, secret TEXT PRIMARY KEY, pin TEXT, algorithm INTEGER, digits INTEGER, period INTEGER, counter INTEGER, copyCount INTEGER, ranking INTEGER"
        rows = [
            (
                KINDS[one.type],
                one.issuer,
                one.name,
                one.base32,
                one.pin or None,
                0 if one.type == "yandex" else ALGORITHMS[one.algorithm],
                one.digits,
                one.period,
                one.counter,
            )
            for one in plain
        ]
        insert = "INSERT INTO authenticator (type, issuer, username, secret, pin, algorithm, digits, period, counter) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        data = sqlite.database(
            [f"CREATE TABLE authenticator ({columns})", "CREATE TABLE category (id TEXT, name TEXT)"], insert, rows, 1024
        )
        shelf.put("authenticator.db3", data, [expect(one, "pin") for one in plain], note="the app's own database")
        shelf.put("uris.txt", "\n".join(map(stratum_uri, ours)) + "\n", [expect(one) for one in ours])


# andOTP


def andotp_rows(ours, old=False):
    rows = []
    for one in ours:
        text = (
            base64.b32encode(one.secret.hex().encode()).decode()
            if one.type == "motp"
            else one.base32 + "=" * (-len(one.base32) % 8)
        )
        row = {"secret": text}
        row |= (
            {"label": f"{one.issuer}:{one.name}" if one.issuer else one.name}
            if old
            else {"issuer": one.issuer, "label": one.name}
        )
        row |= {
            "digits": one.digits,
            "type": one.type.upper(),
            "algorithm": "SHA1" if one.type == "motp" else one.algorithm,
            "thumbnail": "Default",
            "last_used": 1700000000000,
            "used_frequency": 0,
        }
        row |= {"counter": one.counter} if one.type == "hotp" else {"period": one.period}
        rows.append(row | {"tags": one.tags})
    return rows


def andotp_sealed(text, password, rounds=None):
    nonce = seeded("andotp nonce", 12)
    if rounds is None:
        return nonce + gcm_joined(sha256(password), nonce, text.encode())
    salt = seeded("andotp salt", 12)
    return struct.pack(">I", rounds) + salt + nonce + gcm_joined(pbkdf2("sha1", password, salt, rounds), nonce, text.encode())


def andotp(accounts):
    ours = Carries("totp hotp steam motp").from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig steam motp japanese".split()]
    full = lambda list_: [expect(one, "tags") for one in list_]
    with Shelf("andotp") as shelf:
        shelf.put("plain.json", words(andotp_rows(ours)), full(ours))
        old = [one for one in ours if one.id != "noname"]
        shelf.put("plain_old.json", words(andotp_rows(old, True)), full(old), note="issuer and name in the label")
        new = lambda list_: andotp_sealed(words(andotp_rows(list_)), "秘密の言葉", 143_210)
        shelf.put("encrypted_new.json.aes", new(few), full(few), "秘密の言葉")
        shelf.put("encrypted_old.json.aes", andotp_sealed(words(andotp_rows(few, True)), "test"), full(few), "test")
        shelf.put("wrong_password.json.aes", new(few[1:2]), passphrase="言葉", file_error="wrong_password")
        odd = [accounts["github"], accounts["colon"], accounts["sha256"]]
        rows = andotp_rows(odd)
        rows[0]["label"] = "GitHub:alice@example.com"
        rows[1]["label"] = ":db:root:1"
        rows[2] = andotp_rows([odd[2]], True)[0] | {"label": "Example Bank - carol"}
        shelf.put(
            "labels.json",
            words(rows),
            full(odd),
            note="issuer again in the label; a colon before it; 'issuer - name' without an issuer",
        )


MAKERS = [twofas, stratum, andotp]
