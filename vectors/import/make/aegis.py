"""Aegis."""

import base64
import hashlib

from .accounts import Carries, expect
from .crypto import b64, gcm, seeded, sha256, uuid
from .shelf import Shelf, words

EVERY = Carries("totp hotp steam motp yandex")
ICON = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI4IiBoZWlnaHQ9IjgiPjxwYXRoIGZpbGw9InJlZCIgZD0iTTAgMGg4djhIMHoiLz48L3N2Zz4="


def aegis_entry(one, version):
    info = {"secret": one.base32, "algo": one.algorithm, "digits": one.digits}
    info.update({"counter": one.counter} if one.type == "hotp" else {"period": one.period})
    if one.pin:
        info["pin"] = one.pin
    out = {"type": one.type, "uuid": uuid(one.id), "name": one.name, "issuer": one.issuer}
    if version == 1:
        out |= {"group": one.tags[0] if one.tags else None, "icon": None}
    else:
        shown = one.id == "github"
        out |= {"note": one.note, "favorite": one.favorite, "icon": ICON if shown else None}
        out |= {"icon_mime": "image/svg+xml", "icon_hash": sha256(base64.b64decode(ICON)).hex()} if shown else {}
    if version == 2:
        out["group"] = one.tags[0] if one.tags else None
    if version == 3:
        out["groups"] = [uuid("group " + tag) for tag in one.tags]
    return out | {"info": info}


def aegis_database(ours, version):
    out = {"version": version, "entries": [aegis_entry(one, version) for one in ours]}
    if version == 3:
        tags = sorted({tag for one in ours for tag in one.tags})
        out |= {"groups": [{"uuid": uuid("group " + tag), "name": tag} for tag in tags], "icons_optimized": True}
    return out


def aegis_expect(one, version):
    if version == 3:
        return expect(one, "tags note favorite pin")
    first = {"tags": one.tags[:1]} if one.tags else {}
    return expect(one, "pin" if version == 1 else "note favorite pin", **first)


def aegis_slot(label, master, password, n):
    salt, nonce = seeded(label + " salt", 32), seeded(label + " nonce", 12)
    key = hashlib.scrypt(password.encode(), salt=salt, n=n, r=8, p=1, dklen=32, maxmem=2**27)
    text, tag = gcm(key, nonce, master)
    return {
        "type": 1,
        "uuid": uuid(label),
        "key": text.hex(),
        "key_params": {"nonce": nonce.hex(), "tag": tag.hex()},
        "n": n,
        "r": 8,
        "p": 1,
        "salt": salt.hex(),
        "repaired": True,
        "is_backup": False,
    }


def aegis_sealed(database, passwords, label, n=32768, others=True):
    """Locked by a raw key and a fingerprint besides, as the app writes it."""
    master, nonce = seeded(label + " master", 32), seeded(label + " nonce", 12)
    odd = lambda kind: {
        "type": kind,
        "uuid": uuid(f"{label} {kind}"),
        "key": seeded(f"{label} {kind}", 32).hex(),
        "key_params": {"nonce": "00" * 12, "tag": "00" * 16},
    }
    slots = [odd(2), odd(0)] if others else []
    slots += [aegis_slot(f"{label} slot {i}", master, password, n) for i, password in enumerate(passwords)]
    text, tag = gcm(master, nonce, words(database, 4).encode())
    return words(
        {"version": 1, "header": {"slots": slots, "params": {"nonce": nonce.hex(), "tag": tag.hex()}}, "db": b64(text)}, 4
    )


def aegis_plain(database):
    return words({"version": 1, "header": {"slots": None, "params": None}, "db": database}, 4)


def aegis(accounts):
    ours = EVERY.from_(accounts)
    few = [accounts[id] for id in "aws github sha512 hotpbig steam motp yandex japanese".split()]
    with Shelf("aegis") as shelf:
        for version, shown in ((1, few), (2, few), (3, ours)):
            shelf.put(
                f"plain_v{version}.json",
                aegis_plain(aegis_database(shown, version)),
                [aegis_expect(one, version) for one in shown],
            )
        entries = [aegis_expect(one, 3) for one in few]
        sealed = aegis_sealed(aegis_database(few, 3), ["first slot", "二番目の合言葉"], "aegis", 1024)
        shelf.put("encrypted_first_slot.json", sealed, entries, "first slot")
        shelf.put("encrypted_second_slot.json", sealed, entries, "二番目の合言葉")
        shelf.put(
            "encrypted_app_cost.json",
            aegis_sealed(aegis_database(few[:3], 2), ["test"], "aegis cost", others=False),
            [aegis_expect(one, 2) for one in few[:3]],
            "test",
            note="scrypt with the app's n=32768",
        )
        sealed = aegis_sealed(aegis_database(few[1:2], 3), ["first slot", "二番目の合言葉"], "aegis", 1024)
        shelf.put("encrypted_wrong_password.json", sealed, passphrase="neither", file_error="wrong_password")
        shelf.put("encrypted_no_password.json", sealed, file_error="need_password")
        lean = [accounts["github"], accounts["hotp1"]]
        database = aegis_database(lean, 3)
        for entry in database["entries"]:
            for name in ("note", "favorite", "icon", "icon_mime", "icon_hash", "groups", "uuid"):
                entry.pop(name, None)
        shelf.put("missing_fields.json", aegis_plain(database), [expect(one) for one in lean])
        database = aegis_database([accounts["github"]] * 6 + [accounts["ten"]], 3)
        spoil = database["entries"]
        spoil[0]["info"]["algo"] = "MD5"
        spoil[1]["type"] = "push"
        spoil[2]["info"]["secret"] = "not base32!"
        spoil[3]["info"]["secret"] = ""
        spoil[4]["info"]["digits"] = 12
        spoil[5]["info"]["period"] = -30
        errors = ["bad_type", "bad_secret", "empty_secret", "bad_digits", "bad_period"]
        label = "GitHub:alice@example.com"
        read = [aegis_expect(accounts["github"], 3), aegis_expect(accounts["ten"], 3)]
        shelf.put(
            "bad_entries.json",
            aegis_plain(database),
            read,
            errors=[{"error": error, "label": label} for error in errors],
            note="the first is MD5, which old versions wrote for SHA1",
        )
        future = aegis_database([accounts["aws"]], 3) | {"version": 4, "sparkles": [1]}
        shelf.put(
            "future_database.json",
            aegis_plain(future),
            [aegis_expect(accounts["aws"], 3)],
            note="unknown version of the database: read with a warning",
        )


MAKERS = [aegis]
