"""1Password: 1PUX, CSV and OPVault."""

import hashlib
import struct

from . import zips
from .accounts import expect
from .crypto import b64, cbc, hmac_sha256, pbkdf2, seeded
from .shelf import Shelf, table, words
from .uri import otpauth


def spaced(one):
    return " ".join(one.base32[i : i + 4] for i in range(0, len(one.base32), 4)).lower()


def bare(one):
    """An account that needs no URI: SHA1, six digits, thirty seconds."""
    return (one.type, one.algorithm, one.digits, one.period) == ("totp", "SHA1", 6, 30)


def onepux_item(label, title, user, codes, **more):
    fields = [{"title": "one-time password", "id": f"TOTP_{n}", "value": {"totp": code}} for n, code in enumerate(codes)]
    fields.append({"title": "pin", "id": "pin", "value": {"concealed": "1234"}})
    details = {
        "loginFields": [
            {"value": user, "id": "", "name": "user", "fieldType": "T", "designation": "username"},
            {"value": "hunter2", "id": "", "name": "pass", "fieldType": "P", "designation": "password"},
        ],
        "notesPlain": "",
        "sections": [{"title": "", "name": "add more", "fields": fields}],
        "passwordHistory": [],
    }
    return {
        "uuid": seeded(label, 13).hex(),
        "favIndex": 0,
        "createdAt": 1700000000,
        "updatedAt": 1700000000,
        "state": "active",
        "categoryUuid": "001",
        "details": details,
        "overview": {"subtitle": user, "title": title, "url": "https://example.com", "tags": []},
    } | more


def onepassword(accounts):
    of = accounts.__getitem__
    code = lambda one, n: otpauth(one) if not bare(one) or n % 3 == 0 else one.base32 if n % 3 == 1 else spaced(one)
    ours = [of(id) for id in "aws github ten sha512 p15 japanese emoji quotes odd1".split()]
    items = [onepux_item(one.id, one.issuer, one.name, [code(one, n)]) for n, one in enumerate(ours)]
    two = [of("github2"), of("sha256")]
    items.append(onepux_item("two", "Two codes", "someone", [otpauth(one) for one in two]))
    items.append(onepux_item("none", "No code", "x", []))
    read = [expect(one, tags=["Private"]) for one in ours + two]
    vault = lambda name, items: {
        "attrs": {"uuid": seeded(name, 13).hex(), "desc": "", "avatar": "", "name": name, "type": "P"},
        "items": items,
    }
    steam = onepux_item("steam", "Steam", "gordon", [otpauth(of("steam"), "totp")])
    account = {
        "attrs": {
            "accountName": "Example",
            "name": "Example",
            "email": "a@example.com",
            "uuid": "X",
            "domain": "https://my.1password.com/",
        },
        "vaults": [vault("Private", items), vault("共有", [{"item": steam}])],
    }
    read.append(expect(of("steam"), tags=["共有"]))
    header = ["Title", "Url", "Username", "Password", "OTPAuth", "Favorite", "Archived", "Tags", "Notes"]
    shown = [of(id) for id in "aws github sha512 quotes".split()]
    rows = [
        [one.issuer, "https://example.com", one.name, "hunter2", code(one, n), "false", "false", ";".join(one.tags), one.note]
        for n, one in enumerate(shown)
    ]
    with Shelf("1password") as shelf:
        members = [
            ("export.attributes", words({"version": 3, "description": "1Password Unencrypted Export", "createdAt": 1700000000})),
            ("export.data", words({"accounts": [account]})),
            ("files/", ""),
        ]
        shelf.put("export.1pux", zips.archive(members, deflate=True), read)
        shelf.put(
            "export.csv",
            table([header, *rows, ["No code", "", "x", "y", "", "false", "false", "", ""]]),
            [expect(one) for one in shown],
        )
        opvault(shelf, shown + [of("steam")], of("trashed"))


def opdata(data, keys, label):
    """1Password's opdata01: padded in front, so that the length is a multiple of 16."""
    iv = seeded(label + " iv", 16)
    body = seeded(label + " pad", 16 - len(data) % 16) + data
    out = b"opdata01" + struct.pack("<Q", len(data)) + iv + cbc(keys[0], iv, body, False)
    return out + hmac_sha256(keys[1], out)


def opvault(shelf, ours, thrown_away):
    """Profile and bands, as 1Password's documentation of the format describes them."""
    password, rounds, salt = "金庫 vault", 1000, seeded("opvault salt", 16)
    derived = pbkdf2("sha512", password, salt, rounds, 64)
    halves = lambda data: (hashlib.sha512(data).digest()[:32], hashlib.sha512(data).digest()[32:])
    master, overview = seeded("opvault master", 256), seeded("opvault overview", 64)
    outer = (derived[:32], derived[32:])
    profile = {
        "uuid": seeded("profile", 16).hex().upper(),
        "updatedAt": 1700000000,
        "createdAt": 1700000000,
        "tx": 1700000000,
        "passwordHint": "",
        "lastUpdatedBy": "vectors",
        "profileName": "default",
        "iterations": rounds,
        "salt": b64(salt),
    }
    profile |= {"masterKey": b64(opdata(master, outer, "opvault mk")), "overviewKey": b64(opdata(overview, outer, "opvault ok"))}
    bands = {}
    for place, one in enumerate([*ours, None]):
        label = f"opvault {place}"
        ident = seeded(label, 16).hex().upper()
        keys, iv = (seeded(label + " key", 32), seeded(label + " mac", 32)), seeded(label + " kiv", 16)
        wrapped = iv + cbc(halves(master)[0], iv, keys[0] + keys[1], False)
        thrown = one is None
        one = one or thrown_away
        fields = [
            {
                "k": "concealed",
                "n": f"TOTP_{ident}",
                "t": "one-time password",
                "v": otpauth(one, "totp") if one.type == "steam" else otpauth(one),
            }
        ]
        details = {
            "fields": [
                {"designation": "username", "name": "user", "type": "T", "value": one.name},
                {"designation": "password", "name": "pass", "type": "P", "value": "hunter2"},
            ],
            "sections": [{"name": "s", "title": "", "fields": fields}],
        }
        item = {
            "category": "001",
            "created": 1700000000,
            "d": b64(opdata(words(details).encode(), keys, label + " d")),
            "k": b64(wrapped + hmac_sha256(halves(master)[1], wrapped)),
        }
        item |= {
            "o": b64(opdata(words({"title": one.issuer, "ainfo": one.name}).encode(), halves(overview), label + " o")),
            "tx": 1700000000,
            "updated": 1700000000,
            "uuid": ident,
        }
        item |= {"trashed": True} if thrown else {}
        text = "".join(
            key + (str(int(value)) if isinstance(value, (bool, int)) else value) for key, value in sorted(item.items())
        )
        item["hmac"] = b64(hmac_sha256(halves(overview)[1], text.encode()))
        bands.setdefault(ident[0], {})[ident] = item
    name = "codes.opvault"
    shelf.raw(f"{name}/default/profile.js", f"var profile={words(profile)};")
    shelf.raw(f"{name}/default/folders.js", "loadFolders({});")
    for band, items in bands.items():
        shelf.raw(f"{name}/default/band_{band}.js", f"ld({words(items)});")
    order = [item["uuid"] for band in sorted(bands) for item in bands[band].values()]
    by_ident = {seeded(f"opvault {place}", 16).hex().upper(): one for place, one in enumerate(ours)}
    read = [expect(by_ident[ident]) for ident in order if ident in by_ident]
    shelf.state(name, read, password, skipped=1, note="a directory; in the order of the bands; one more item is in the trash")


MAKERS = [onepassword]
