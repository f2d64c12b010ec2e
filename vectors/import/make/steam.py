"""Steam: maFile, Steam Desktop Authenticator's manifest, steamguard-cli's, Android's own files."""

from .accounts import expect, to_base32
from .crypto import argon2id, b64, cbc, pbkdf2, seeded
from .shelf import Shelf, words

IDENT = 76561190000000001


def ma_file(one, ident):
    out = {
        "shared_secret": b64(one.secret),
        "serial_number": "1234567890123456789",
        "revocation_code": "R12345",
        "uri": f"otpauth://totp/Steam:{one.name}?secret={one.base32}&issuer=Steam",
        "server_time": 1700000000,
        "account_name": one.name,
    }
    out |= {
        "token_gid": "0123456789abcdef",
        "identity_secret": b64(seeded("identity", 20)),
        "secret_1": b64(seeded("secret_1", 20)),
        "status": 1,
        "device_id": "android:00000000-0000-4000-8000-000000000000",
        "fully_enrolled": True,
    }
    return out | {"Session": {"SessionID": None, "SteamLoginSecure": None, "SteamID": ident}}


def steam(accounts):
    one = accounts["steam"]
    secret = seeded("second steam", 20)
    two = one.but(name="alyx", secret=secret, base32=to_base32(secret))
    with Shelf("steam") as shelf:
        shelf.put("plain.maFile", words(ma_file(one, IDENT)), [expect(one)])
        nameless = ma_file(one, IDENT)
        del nameless["account_name"], nameless["Session"]
        shelf.put("no_account_name.maFile", words(nameless), [expect(one)], note="the name stands in the uri")
        android = (
            {"steamid": str(IDENT)}
            | {
                name: value
                for name, value in ma_file(one, IDENT).items()
                if name not in ("Session", "device_id", "fully_enrolled")
            }
            | {"steamguard_scheme": "2"}
        )
        shelf.put(f"Steamguard-{IDENT}", words(android), [expect(one)], note="Android, one object")
        both = {"accounts": {str(IDENT): ma_file(one, IDENT), str(IDENT + 1): ma_file(two, IDENT + 1)}}
        shelf.put("accounts.json", words(both), [expect(one), expect(two)])
        name = f"steamguard-cli-plain/{IDENT}.maFile"
        shelf.put(name, words(ma_file(one, IDENT)), [expect(one)])
        entry = {"filename": f"{IDENT}.maFile", "steam_id": IDENT, "account_name": one.name, "encryption": None}
        shelf.put(
            "steamguard-cli-plain/manifest.json",
            words({"version": 1, "entries": [entry]}),
            [expect(one)],
            note="with the files that it names",
        )
        encrypted(shelf, "sda", [one, two], "蒸気 SDA", sda)
        encrypted(shelf, "steamguard-cli", [one, two], "test 蒸気", argon)
        encrypted(shelf, "steamguard-cli-legacy", [one], "test", legacy)


def encrypted(shelf, folder, ours, password, how):
    """The files lie beside a manifest that says how each was encrypted."""
    entries = []
    for place, one in enumerate(ours):
        ident, label = IDENT + place, f"{folder} {place}"
        iv, salt = seeded(label + " iv", 16), seeded(label + " salt", 16 if how is argon else 8)
        entry, key = how(one, ident, iv, salt, password)
        name = f"{folder}/{ident}.maFile"
        shelf.put(
            name,
            b64(cbc(key, iv, words(ma_file(one, ident)).encode())),
            [expect(one)],
            password,
            note="needs the manifest.json beside it",
        )
        entries.append({"filename": f"{ident}.maFile"} | entry)
    if how is sda:
        manifest = {
            "encrypted": True,
            "first_run": False,
            "entries": entries,
            "periodic_checking": False,
            "periodic_checking_interval": 5,
        }
    else:
        manifest = {"version": 1, "entries": entries}
    shelf.put(
        f"{folder}/manifest.json", words(manifest), [expect(one) for one in ours], password, note="with the files that it names"
    )


def sda(one, ident, iv, salt, password):
    return {"encryption_iv": b64(iv), "encryption_salt": b64(salt), "steamid": ident}, pbkdf2("sha1", password, salt, 50_000)


def legacy(one, ident, iv, salt, password):
    scheme = {"iv": b64(iv), "salt": b64(salt), "scheme": "LegacySdaCompatible"}
    return {"steam_id": ident, "account_name": one.name, "encryption": scheme}, pbkdf2("sha1", password, salt, 50_000)


def argon(one, ident, iv, salt, password):
    scheme = {"iv": b64(iv), "salt": b64(salt), "scheme": "Argon2idAes256"}
    return {"steam_id": ident, "account_name": one.name, "encryption": scheme}, argon2id(password, salt, 3, 12 * 1024, 12)


MAKERS = [steam]
