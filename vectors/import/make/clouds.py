"""Ente, Proton, LastPass and Raivo: authenticators that came with an account or a cloud."""

import html
import json
from urllib.parse import quote_plus

from . import zips
from .accounts import Carries, expect
from .crypto import argon2id, b64, gcm_joined, secretstream, seeded, uuid
from .lists import picture
from .shelf import Shelf, table, words
from .uri import enc, otpauth

# Ente


def ente_line(one, display=True, encoded=False):
    """Ente writes labels as they are, and a period for HOTP too."""
    issuer, name = (enc(one.issuer), enc(one.name)) if encoded else (one.issuer, one.name)
    out = f"otpauth://{one.type}/{issuer}:{name}?secret={one.base32}&issuer={quote_plus(one.issuer)}"
    out += f"&algorithm={one.algorithm.lower()}&digits={one.digits}&period={one.period}"
    out += f"&counter={one.counter}" if one.type == "hotp" else ""
    shown = {
        "pinned": one.favorite,
        "trashed": one.trashed,
        "lastUsedAt": 0,
        "tapCount": 2,
        "tags": one.tags,
        "note": one.note,
        "position": 0,
        "iconSrc": "",
        "iconID": "",
    }
    return out + ("&codeDisplay=" + quote_plus(words(shown)) if display else "")


def ente_sealed(text, password, kib, rounds, tag):
    salt, header = seeded("ente salt", 16), seeded("ente header", 24)
    key = argon2id(password, salt, rounds, kib, 1)
    params = {"memLimit": kib * 1024, "opsLimit": rounds, "salt": b64(salt)}
    return words(
        {
            "version": 1,
            "kdfParams": params,
            "encryptedData": b64(secretstream(key, header, text.encode(), tag)),
            "encryptionNonce": b64(header),
        }
    )


def ente(accounts):
    # A label that isn't encoded can't hold these.
    ours = Carries("totp hotp steam", trash=True, without="query percent noissuer").from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig steam japanese plus trashed".split()]
    full = lambda list_: [expect(one, "tags note favorite trashed") for one in list_]
    text = "\n".join(map(ente_line, few))
    with Shelf("ente") as shelf:
        shelf.put("plain.txt", "\n".join(map(ente_line, ours)) + "\n", full(ours))
        encoded = few + [accounts[id] for id in ("query", "percent")]
        shelf.put("plain_encoded.txt", "\n".join(ente_line(one, encoded=True) for one in encoded) + "\n", full(encoded))
        bare = [accounts[id] for id in ("github", "hash", "colon")]
        odd = [
            ente_line(bare[0], False).replace("sha1", "null"),
            ente_line(bare[1], False).replace("sha1", "Algorithm.sha1"),
            ente_line(bare[2], False).replace("&issuer=Ops", "&issuer"),
        ]
        shelf.put(
            "oddities.txt",
            "\n".join(odd),
            [expect(one) for one in bare],
            note="algorithm null and Algorithm.sha1; issuer without a value",
        )
        shelf.put("encrypted_final.txt", ente_sealed(text, "ひみつ ente", 8192, 3, 3), full(few), "ひみつ ente")
        shelf.put(
            "encrypted_message.txt", ente_sealed(text, "test", 8192, 3, 0), full(few), "test", note="the stream's tag is MESSAGE"
        )
        shelf.put(
            "encrypted_app_cost.txt",
            ente_sealed(ente_line(few[0]), "test", 262_144, 16, 3),
            full(few[:1]),
            "test",
            note="256 MiB and 16 rounds, as the app",
        )
        shelf.put(
            "wrong_password.txt",
            ente_sealed(ente_line(few[1]), "ひみつ ente", 8192, 3, 3),
            passphrase="ひみつ",
            file_error="wrong_password",
        )
        rows = [
            {"rawData": ente_line(one, False), "display": {"pinned": False, "trashed": False}} for one in few if not one.trashed
        ]
        shelf.put("items.json", words({"items": rows}), [expect(one) for one in few if not one.trashed])
        shown = [accounts[id] for id in "aws github japanese quotes".split()]
        cells = ""
        for one in shown:
            uri = otpauth(one)
            cells += f'<div class="otp-entry"><p class="group">{html.escape(one.issuer)}</p><p>{html.escape(one.name)}</p><code>{html.escape(uri)}</code><img src="data:image/png;base64,{b64(picture(uri, 1))}"></div>\n'
        images = "".join(
            f'<p>{html.escape(one.issuer)}</p><img src="data:image/png;base64,{b64(picture(otpauth(one), 3))}">\n'
            for one in shown[:2]
        )
        shelf.put(
            "images_only.html",
            f"<!DOCTYPE html>\n<html><body>\n{images}</body></html>\n",
            [expect(one) for one in shown[:2]],
            note="the URIs stand only in the QR codes",
        )
        shelf.put(
            "export.html",
            f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>OTP</title></head><body>\n{cells}</body></html>\n",
            [expect(one) for one in shown],
        )


# Proton Authenticator


def proton_file(ours):
    rows = []
    for one in ours:
        uri = "steam://" + one.base32 if one.type == "steam" else otpauth(one)
        content = {"uri": uri, "entry_type": "Steam" if one.type == "steam" else "Totp", "name": one.name}
        rows.append({"id": uuid("proton " + one.id), "content": content, "note": one.note or None})
    return words({"version": 1, "entries": rows}, 2)


def proton_sealed(text, password):
    salt, nonce = seeded("proton salt", 16), seeded("proton nonce", 12)
    key = argon2id(password, salt, 2, 19_456, 1)
    return words(
        {
            "version": 1,
            "salt": b64(salt),
            "content": b64(nonce + gcm_joined(key, nonce, text.encode(), b"proton.authenticator.export.v1")),
        }
    )


def proton(accounts):
    ours = Carries("totp steam", digits=range(1, 10)).from_(accounts)
    few = [accounts[id] for id in "aws github sha512 steam japanese".split()]
    with Shelf("proton") as shelf:
        shelf.put("plain.json", proton_file(ours), [expect(one, "note") for one in ours])
        shelf.put("encrypted.json", proton_sealed(proton_file(few), "プロトン"), [expect(one, "note") for one in few], "プロトン")
        shelf.put(
            "wrong_password.json",
            proton_sealed(proton_file(few[1:2]), "プロトン"),
            passphrase="プロトン。",
            file_error="wrong_password",
        )
        file = json.loads(proton_file([accounts["github"], accounts["steam"]]))
        file["entries"][0]["content"]["name"] = "another name"
        file["entries"][1]["content"]["uri"] = "steam://" + b64(accounts["steam"].secret)
        read = [expect(accounts["github"], "note", name="another name"), expect(accounts["steam"], "note")]
        shelf.put("oddities.json", words(file), read, note="the name isn't the label's; a Steam secret in base64")


# LastPass Authenticator and vault


def lastpass(accounts):
    ours = Carries("totp").from_(accounts)
    folders = sorted({one.tags[0] for one in ours if one.tags})
    first = lambda one: {"tags": one.tags[:1]} if one.tags else {}

    def row(one, place):
        folder = folders.index(one.tags[0]) + 1 if one.tags else 0
        out = {
            "accountID": uuid("lastpass " + one.id),
            "lmiUserId": "",
            "issuerName": one.issuer,
            "originalIssuerName": one.issuer,
            "userName": one.name,
            "originalUserName": one.name,
            "pushNotification": False,
        }
        out |= {
            "secret": one.base32,
            "timeStep": one.period,
            "digits": one.digits,
            "algorithm": one.algorithm,
            "creationTimestamp": 1700000000000,
            "isFavorite": one.favorite,
        }
        return out | {"folderData": {"folderId": folder, "position": place}}

    def file(version, rows):
        listed = [{"id": 0, "name": "Other accounts", "isOpened": True}] + [
            {"id": n + 1, "name": name, "isOpened": True} for n, name in enumerate(folders)
        ]
        return {
            "deviceId": "",
            "deviceSecret": "",
            "localDeviceId": uuid("device"),
            "deviceName": "Example",
            "version": version,
            "accounts": rows,
            "folders": listed,
        }

    with Shelf("lastpass") as shelf:
        shelf.put(
            "android_v3.json",
            words(file(3, [row(one, n) for n, one in enumerate(ours)])),
            [expect(one, "favorite", **first(one)) for one in ours],
        )
        plain = [accounts[id] for id in ("github", "japanese", "odd6")]
        lean = [
            {name: value for name, value in row(one, 0).items() if name in ("accountID", "issuerName", "userName", "secret")}
            for one in plain
        ]
        shelf.put(
            "ios_v1.json", words({"version": 1, "accounts": lean}), [expect(one) for one in plain], note="fields are missing"
        )
        vault = [accounts[id] for id in ("github", "sha512", "japanese", "quotes", "steam")]
        texts = [
            " ".join(vault[0].base32[i : i + 4] for i in range(0, 32, 4)),
            otpauth(vault[1]),
            vault[2].base32,
            vault[3].base32.lower(),
            "steam://" + vault[4].base32,
        ]
        header = "url,username,password,totp,extra,name,grouping,fav".split(",")
        rows = [
            [
                "https://example.com",
                one.name,
                "hunter2",
                text,
                one.note,
                one.issuer,
                "\\".join(one.tags),
                "1" if one.favorite else "0",
            ]
            for one, text in zip(vault, texts)
        ]
        rows.append(["https://example.com", "nobody", "hunter2", "", "", "No TOTP", "", "0"])
        shelf.put("vault.csv", table([header, *rows]), [expect(one) for one in vault])
        old = "url,username,password,extra,name,grouping,fav".split(",")
        shelf.put(
            "vault_old.csv",
            table([old, ["https://example.com", "x", "hunter2", "", "Example", "", "0"]]),
            [],
            note="older exports have no column for codes",
        )


# Raivo


def raivo(accounts):
    ours = Carries("totp hotp").from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig japanese quotes".split()]

    def rows(list_):
        yes = lambda value: "true" if value else "false"
        return [
            {
                "algorithm": one.algorithm,
                "account": one.name,
                "issuer": one.issuer,
                "counter": str(one.counter),
                "timer": "0" if one.type == "hotp" else str(one.period),
                "secret": one.base32,
                "kind": one.type.upper(),
                "digits": str(one.digits),
                "pinned": yes(one.favorite),
                "iconType": "",
                "iconValue": "",
            }
            for one in list_
        ]

    full = lambda list_: [expect(one, "favorite") for one in list_]
    with Shelf("raivo") as shelf:
        shelf.put("raivo-otp-export.json", words(rows(ours)), full(ours))
        sealed = lambda list_: zips.archive(
            [("raivo-otp-export.json", words(rows(list_), 2)), ("raivo-otp-export.html", "<html><body>printed</body></html>")],
            "パスワード Raivo",
            "aes",
        )
        shelf.put("raivo-otp-export.zip", sealed(few), full(few), "パスワード Raivo")
        shelf.put("wrong_password.zip", sealed(few[1:2]), passphrase="パスワード", file_error="wrong_password")
        shelf.put("no_password.zip", sealed(few[1:2]), file_error="need_password")
        shelf.put("empty.zip", zips.archive([]), file_error="no_file_in_zip")


MAKERS = [ente, proton, lastpass, raivo]
