"""Bitwarden: the vault and the authenticator."""

from .accounts import Carries, expect
from .crypto import argon2id, b64, cbc, hmac_sha256, pbkdf2, seeded, sha256, uuid
from .shelf import Shelf, table, words
from .uri import enc, otpauth

BITWARDEN = Carries("totp steam", trash=True)
STEAM_TITLE = "Steam"


def bitwarden_totp(one, place):
    """Bare, by words with spaces, or the whole URI: all three are seen."""
    if one.type == "steam":
        return "steam://" + one.base32
    plain = (one.algorithm, one.digits, one.period) == ("SHA1", 6, 30)
    if plain and place % 3 == 0:
        return one.base32
    if plain and place % 3 == 1:
        return " ".join(one.base32[i : i + 4] for i in range(0, len(one.base32), 4)).lower()
    return otpauth(one)


def bitwarden_vault(ours):
    tags = sorted({one.tags[0] for one in ours if one.tags})
    items = []
    for place, one in enumerate(ours):
        folder = uuid("bitwarden " + one.tags[0]) if one.tags else None
        item = {
            "passwordHistory": None,
            "id": uuid("bitwarden " + one.id),
            "organizationId": None,
            "folderId": folder,
            "type": 1,
            "reprompt": 0,
        }
        item |= {"name": one.issuer or one.name, "notes": one.note or None, "favorite": one.favorite, "collectionIds": None}
        item["login"] = {
            "uris": [{"match": None, "uri": "https://example.com/"}],
            "username": one.name or None,
            "password": "hunter2",
            "totp": bitwarden_totp(one, place),
        }
        if one.trashed:
            item["deletedDate"] = "2024-01-01T00:00:00.000Z"
        items.append(item)
    items.append({"id": uuid("note"), "type": 2, "name": "a note", "notes": "text", "favorite": False, "secureNote": {"type": 0}})
    items.append(
        {
            "id": uuid("plain"),
            "type": 1,
            "name": "no totp",
            "favorite": False,
            "login": {"username": "x", "password": "y", "totp": None},
        }
    )
    return {"encrypted": False, "folders": [{"id": uuid("bitwarden " + tag), "name": tag} for tag in tags], "items": items}


def bitwarden_sealed(vault, password, kind, rounds, mib=None, lanes=None):
    salt = b64(seeded(f"bitwarden {kind}", 16))
    if kind == 0:
        key = pbkdf2("sha256", password, salt.encode(), rounds)
    else:
        key = argon2id(password, sha256(salt), rounds, mib * 1024, lanes)
    enc_key, mac_key = hmac_sha256(key, b"enc\1"), hmac_sha256(key, b"mac\1")

    def string(text, label):
        iv = seeded(f"bitwarden {kind} {label}", 16)
        data = cbc(enc_key, iv, text.encode())
        return f"2.{b64(iv)}|{b64(data)}|{b64(hmac_sha256(mac_key, iv + data))}"

    out = {
        "encrypted": True,
        "passwordProtected": True,
        "salt": salt,
        "kdfType": kind,
        "kdfIterations": rounds,
        "kdfMemory": mib,
        "kdfParallelism": lanes,
    }
    return words(
        out | {"encKeyValidation_DO_NOT_EDIT": string(uuid("validation"), "check"), "data": string(words(vault, 2), "data")}, 2
    )


def bitwarden_expect(ours, keep="favorite"):
    """A trashed item isn't read. A Steam link has no issuer of its own: the item's name."""
    return [expect(one, keep, **({"tags": one.tags[:1]} if one.tags else {})) for one in ours if not one.trashed]


def bitwarden(accounts):
    # Without an issuer the item's name would become one.
    ours = [one for one in BITWARDEN.from_(accounts) if one.id not in ("noissuer", "noname")]
    few = [accounts[id] for id in "aws github sha512 steam japanese quotes odd3".split()]
    with Shelf("bitwarden") as shelf:
        shelf.put(
            "vault.json", words(bitwarden_vault(ours), 2), bitwarden_expect(ours), skipped=1, note="the deleted item is skipped"
        )
        old = {name: value for name, value in bitwarden_vault(few).items() if name != "encrypted"}
        shelf.put("vault_old.json", words(old), bitwarden_expect(few), note="old exports don't say whether they are encrypted")
        shelf.put(
            "protected_pbkdf2.json",
            bitwarden_sealed(bitwarden_vault(few), "合い言葉 bw", 0, 5000),
            bitwarden_expect(few),
            "合い言葉 bw",
        )
        shelf.put(
            "protected_argon2id.json", bitwarden_sealed(bitwarden_vault(few), "test", 1, 3, 16, 4), bitwarden_expect(few), "test"
        )
        shelf.put(
            "protected_app_cost.json",
            bitwarden_sealed(bitwarden_vault(few[:2]), "test", 0, 600_000),
            bitwarden_expect(few[:2]),
            "test",
            note="600000 rounds, as the app",
        )
        shelf.put(
            "wrong_password.json",
            bitwarden_sealed(bitwarden_vault(few[1:2]), "合い言葉 bw", 0, 5000),
            passphrase="合い言葉",
            file_error="wrong_password",
        )
        string = "2.AAAAAAAAAAAAAAAAAAAAAA==|AAAAAAAAAAAAAAAAAAAAAA==|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        locked = {
            "encrypted": True,
            "encKeyValidation_DO_NOT_EDIT": string,
            "folders": [],
            "items": [{"id": uuid("locked"), "type": 1, "name": string, "login": {"totp": string}}],
        }
        shelf.put("account_restricted.json", words(locked), file_error="account_restricted")
        header = "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp".split(",")
        rows = [
            [
                (one.tags or [""])[0],
                "1" if one.favorite else "",
                "login",
                one.issuer,
                one.note,
                "",
                "0",
                "https://example.com/",
                one.name,
                "hunter2",
                bitwarden_totp(one, n),
            ]
            for n, one in enumerate(few)
        ]
        shelf.put("vault.csv", table([header, *rows]), bitwarden_expect(few, ""))
        app = [one for one in few if one.type == "totp"] + [accounts["hash"], accounts["percent"]]
        items = [
            {
                "id": uuid("bwa " + one.id),
                "name": one.issuer,
                "folderId": None,
                "organizationId": None,
                "collectionIds": None,
                "notes": None,
                "type": 1,
                "login": {"totp": otpauth(one, label=enc(f"{one.issuer}:{one.name}"))},
                "favorite": one.favorite,
            }
            for one in app
        ]
        shelf.put("authenticator.json", words({"encrypted": False, "items": items}, 2), [expect(one, "favorite") for one in app])
        wide = [["folder", "favorite", "type", "name", "login_uri", "login_totp"]]
        wide += [
            ["", "1" if one.favorite else "", "1", one.issuer, "", otpauth(one), one.issuer, one.period, one.digits]
            for one in app
        ]
        shelf.put("authenticator.csv", table(wide), [expect(one) for one in app], note="rows are longer than the header")
        bad = bitwarden_vault([accounts["github"]] * 3 + [accounts["ten"]])
        for item, text in zip(bad["items"], ("8", "otpauth://hotp/x", "otpauth://totp/x?secret=A1")):
            item["login"]["totp"] = text
        errors = [{"error": error, "label": "GitHub"} for error in ("bad_secret", "missing_secret", "bad_secret")]
        shelf.put("bad_items.json", words(bad), bitwarden_expect([accounts["ten"]]), errors=errors)


MAKERS = [bitwarden]
