"""Files of apps that have no export, as they lie on a phone whose owner can read everything."""

from xml.sax.saxutils import escape

from . import sqlite
from .accounts import Carries, expect
from .crypto import b64, cbc, pbkdf2, seeded, uuid
from .shelf import Shelf, words

HEAD = "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n"


def text(name, value):
    return f'    <string name="{name}">{escape(value, {chr(34): "&quot;"})}</string>\n'


def google_database(accounts):
    ours = Carries("totp hotp", "SHA1", (6,), (30,)).from_(accounts)
    schema = "CREATE TABLE accounts (_id INTEGER PRIMARY KEY, email TEXT NOT NULL, secret TEXT NOT NULL, counter INTEGER DEFAULT 0, type INTEGER, provider INTEGER DEFAULT 0, issuer TEXT DEFAULT NULL, original_name TEXT DEFAULT NULL)"
    rows = []
    for place, one in enumerate(ours):
        name = f"{one.issuer}:{one.name}" if place % 2 == 0 and one.issuer else one.name
        rows.append((name, one.base32, one.counter, 1 if one.type == "hotp" else 0, one.issuer or None, name))
    insert = "INSERT INTO accounts (email, secret, counter, type, issuer, original_name) VALUES (?, ?, ?, ?, ?, ?)"
    with Shelf("google-database") as shelf:
        data = sqlite.database([schema], insert, rows, 1024)
        shelf.put("databases", data, [expect(one) for one in ours])


def microsoft(accounts):
    ours = [accounts[id] for id in "github japanese quotes odd1".split()]
    later = [accounts["ten"], accounts["plus"]]
    work = accounts["github2"].but(issuer="Contoso", name="bob@contoso.example", digits=8)
    schema = "CREATE TABLE accounts (_id INTEGER PRIMARY KEY AUTOINCREMENT, group_key TEXT, username TEXT, name TEXT, account_type INTEGER, oath_secret_key TEXT, oath_enabled INTEGER DEFAULT 1, cid TEXT, phone_app_detail_id TEXT)"
    insert = "INSERT INTO accounts (name, username, account_type, oath_secret_key, oath_enabled) VALUES (?, ?, ?, ?, 1)"
    row = lambda one: (one.issuer, one.name, 0, one.base32.lower() if one.id == "github" else one.base32)
    before = [*map(row, ours), (work.issuer, work.name, 1, b64(work.secret)), ("Push only", "x", 2, "")]
    with Shelf("microsoft") as shelf:
        read = [expect(one) for one in (*ours, work)]
        shelf.put("PhoneFactor", sqlite.database([schema], insert, before, 1024), read)
        data, log = sqlite.with_log([schema], (insert, before), (insert, list(map(row, later))), 1024)
        shelf.put(
            "with-log/PhoneFactor",
            data,
            read + [expect(one) for one in later],
            note="the last two stand only in PhoneFactor-wal beside it",
        )
        shelf.raw("with-log/PhoneFactor-wal", log)


def authy(accounts):
    plain = [accounts[id] for id in "github japanese seven odd3 aws".split()]
    plain = [one.but(period=30) for one in plain]
    native = accounts["seven"].but(issuer="Twitch", name="", secret=seeded("authy native", 16), digits=7, period=10)

    def rows(list_, password=None):
        out = []
        for place, one in enumerate(list_):
            salt = seeded(f"authy {place}", 24).hex()[:32]
            hidden = cbc(pbkdf2("sha1", password or "forgotten", salt.encode(), 1000), bytes(16), one.base32.encode())
            row = {
                "accountType": "authenticator",
                "digits": one.digits,
                "encryptedSecret": b64(hidden),
                "logo": one.issuer,
                "originalIssuer": one.issuer,
                "originalName": f"{one.issuer}:{one.name}",
                "timestamp": 1700000000,
                "salt": salt,
                "upload_state": "uploaded",
                "hidden": False,
                "id": str(place),
                "isNew": False,
                "name": f"{one.issuer}: {one.name}",
            }
            out.append(row if password else row | {"decryptedSecret": one.base32})
        return words(out).replace("=", "\\u003d")

    key = "com.authy.storage.tokens.authenticator.key"
    version = '    <int name="key_version" value="121" />\n'
    with Shelf("authy") as shelf:
        hidden = HEAD + version + text(key, rows(plain, "予備 authy")) + "</map>\n"
        shelf.put(key + ".xml", hidden, [expect(one) for one in plain], "予備 authy")
        shelf.put("wrong_password.xml", hidden, passphrase="予備", file_error="wrong_password")
        shelf.put("no_password.xml", hidden, file_error="need_password")
        shelf.put("decrypted.xml", HEAD + version + text(key, rows(plain)) + "</map>\n", [expect(one) for one in plain])
        seeds = words(
            [
                {
                    "name": native.issuer,
                    "secretSeed": native.secret.hex(),
                    "digits": 7,
                    "accountType": "twitch",
                    "id": 1,
                    "timestamp": 1700000000,
                }
            ]
        )
        shelf.put(
            "com.authy.storage.tokens.authy.key.xml",
            HEAD + text("com.authy.storage.tokens.authy.key", seeds) + "</map>\n",
            [expect(native)],
        )


def duo(accounts):
    ours = [accounts[id] for id in "github hotp1 japanese odd6".split()]
    ours = [one.but(algorithm="SHA1", digits=6) for one in ours]

    def row(one):
        code = {"otpSecret": one.base32} | ({"counter": one.counter} if one.type == "hotp" else {})
        return {
            "version": 1.0,
            "accountType": "OtpAccount",
            "name": one.name,
            "otpGenerator": code,
            "logoUri": "file:///none.png",
            "pkey": uuid("duo " + one.id),
            "serviceTypeLabelIsCustom": True,
        }

    push = {"version": 1.0, "accountType": "DuoAccount", "name": "push only", "otpGenerator": {}, "pkey": uuid("duo push")}
    with Shelf("duo") as shelf:
        shelf.put("accounts.json", words([*map(row, ours), push], 2), [expect(one, issuer="") for one in ours])


# What Battle.net's app lays over its texts; the same in every phone.
MASK = bytes.fromhex(
    "398e27fc50276a656065b0e525f4c06c04c61075286b8e7aeda59da9813b5dd6c80d2fb38068773fa59ba47c17ca6c6479015c1d5b8b8f6b9a"
)


def battlenet(accounts):
    one = accounts["github"].but(issuer="Battle.net", name="EU123456789012", digits=8)
    masked = lambda value: bytes(a ^ b for a, b in zip(value.encode(), MASK)).hex()
    key = "com.blizzard.messenger.AUTHENTICATOR_"
    file = HEAD + text(key + "CREDENTIALS_ENCRYPTION_TYPE", "MASK") + text(key + "DEVICE_SECRET", masked(one.secret.hex()))
    file += text(key + "SERIAL", masked(one.name)) + f'    <long name="{key}SERVER_TIME_DIFF" value="15" />\n</map>\n'
    with Shelf("battlenet") as shelf:
        shelf.put("com.blizzard.messenger_preferences.xml", file, [expect(one)])


MAKERS = [google_database, microsoft, authy, duo, battlenet]
