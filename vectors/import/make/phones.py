"""OTP Auth for iOS, Authenticator Plus, and the smaller apps: Authme, GNOME Authenticator, a Firefox add-on."""

import hashlib
import plistlib
from plistlib import UID

from . import sqlite, zips
from .accounts import Carries, expect
from .crypto import b64, cbc, hmac_sha256, pbkdf2, seeded, sha256
from .shelf import Shelf, words
from .uri import enc, otpauth

PLAIN = Carries("totp hotp")


# OTP Auth


class Archive:
    """Apple's NSKeyedArchiver: objects by number, each class listed once."""

    def __init__(self):
        self.objects, self.seen = ["$null"], {}

    def once(self, mark, make):
        if mark not in self.seen:
            self.seen[mark] = len(self.objects)
            self.objects.append(None)
            self.objects[self.seen[mark]] = make()
        return UID(self.seen[mark])

    def kind(self, *names):
        return self.once(("class", names[0]), lambda: {"$classname": names[0], "$classes": [*names, "NSObject"]})

    def add(self, value):
        place = len(self.objects)
        self.objects.append(None)
        self.objects[place] = value
        return UID(place)

    def put(self, value):
        if value is None:
            return UID(0)
        if isinstance(value, bytes):
            return self.add({"NS.data": value, "$class": self.kind("NSMutableData", "NSData")})
        if isinstance(value, (str, int, float)):
            return self.once((type(value), value), lambda: value)
        if isinstance(value, list):
            place = self.add(None)
            self.objects[place.data] = {
                "NS.objects": [self.put(one) for one in value],
                "$class": self.kind("NSMutableArray", "NSArray"),
            }
            return place
        place = self.add(None)
        if "$of" in value:
            names = value["$of"]
            inline = lambda part: part if isinstance(part, (int, float)) else self.put(part)
            body = {key: inline(part) for key, part in value.items() if key != "$of"}
            self.objects[place.data] = body | {"$class": self.kind(names)}
        else:
            keys, parts = [self.put(key) for key in value], [self.put(part) for part in value.values()]
            self.objects[place.data] = {"NS.keys": keys, "NS.objects": parts, "$class": self.kind("NSDictionary")}
        return place

    @classmethod
    def of(cls, value):
        archive = cls()
        root = archive.put(value)
        return plistlib.dumps(
            {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": root}, "$objects": archive.objects},
            fmt=plistlib.FMT_BINARY,
            sort_keys=False,
        )


def ios_account(one, place=None):
    """Zero stands for six digits and thirty seconds."""
    out = {
        "secret": one.secret,
        "label": one.name,
        "issuer": one.issuer,
        "type": 1 if one.type == "hotp" else 2,
        "algorithm": {"SHA1": 0, "SHA256": 2, "SHA512": 3}[one.algorithm],
    }
    out |= {
        "digits": 0 if one.digits == 6 else one.digits,
        "period": 0 if one.period == 30 else one.period,
        "counter": one.counter,
    }
    return (
        out
        if place is None
        else {"$of": "ACOTPAccount", "ID": str(place + 1), "hideInWidget": False, "widgetIndex": place, "icon": None} | out
    )


def rncryptor(data, password, label):
    encryption, authentication, iv = seeded(label + " e", 8), seeded(label + " h", 8), seeded(label + " iv", 16)
    body = b"\3\1" + encryption + authentication + iv + cbc(pbkdf2("sha1", password, encryption, 10_000), iv, data)
    return body + hmac_sha256(pbkdf2("sha1", password, authentication, 10_000), body)


def ios_wrap(outer, root):
    return cbc(sha256(outer), bytes(16), Archive.of(root))


def ios_old(data, password, iv, salt):
    return cbc(sha256(f"{salt}-{password}"), hashlib.sha1(iv if isinstance(iv, bytes) else iv.encode()).digest()[:16], data)


def otp_auth(accounts):
    ours = PLAIN.from_(accounts)
    aws, hotp, japanese = (accounts[id] for id in ("aws", "hotp1", "japanese"))

    def database(folders):
        place = iter(range(1000))
        rows = [
            {"$of": "ACOTPFolder", "ID": str(n + 1), "name": name, "accounts": [ios_account(one, next(place)) for one in part]}
            for n, (name, part) in enumerate(folders)
        ]
        return Archive.of({"Folders": rows, "DeletedAccountIDs": [], "DeletedFolderIDs": []})

    two = [("Accounts", ours[:3]), ("仕事 🗂", [japanese, hotp])]
    tagged = [expect(one, tags=[name]) for name, part in two for one in part]
    salt, iv = "Sält§7-of-thirty-two-characters!", "ÏV-of-some-more-characters-as-is"
    with Shelf("otpauth-ios") as shelf:
        old = ios_wrap(
            "Authenticator",
            {
                "Version": 1.0,
                "WrappedData": ios_old(database([("Accounts", ours)]), "アイフォン", iv, salt),
                "Salt": salt,
                "IV": iv,
            },
        )
        shelf.put("backup-1.0.otpauthdb", old, [expect(one) for one in ours], "アイフォン")
        new = ios_wrap("Authenticator", {"Version": 1.1, "WrappedData": rncryptor(database(two), "アイフォン 1.1", "ios db")})
        shelf.put("backup-1.1.otpauthdb", new, tagged, "アイフォン 1.1")
        for version, one, password in ((1.1, aws, "test"), (1.2, japanese, "電話"), (1.2, hotp, "test")):
            data = Archive.of(ios_account(one))
            if version == 1.1:
                root = {"Data": ios_old(data, password, iv.encode(), salt), "Version": version, "Salt": salt, "IV": iv.encode()}
            else:
                root = {"Data": rncryptor(data, password, "ios " + one.id), "Version": version}
            shelf.put(f"{one.id}-{version}.otpauth", ios_wrap("OTPAuth", root), [expect(one)], password)
        old = ios_wrap(
            "Authenticator",
            {
                "Version": 1.0,
                "WrappedData": ios_old(database([("Accounts", ours[1:2])]), "アイフォン", iv, salt),
                "Salt": salt,
                "IV": iv,
            },
        )
        shelf.put("wrong_password-1.0.otpauthdb", old, passphrase="アイ", file_error="wrong_password")
        new = ios_wrap(
            "Authenticator",
            {"Version": 1.1, "WrappedData": rncryptor(database([("Accounts", ours[1:2])]), "アイフォン 1.1", "ios db")},
        )
        shelf.put("wrong_password-1.1.otpauthdb", new, passphrase="アイ", file_error="wrong_password")
        shelf.put("no_password.otpauthdb", new, file_error="need_password")


# Authenticator Plus


def authenticator_plus(accounts):
    ours = [one for one in Carries("totp hotp").from_(accounts)]
    few = [accounts[id] for id in "aws github sha512 hotp1 japanese quotes".split()]
    text = "\n".join(map(otpauth, few)) + "\n"
    # The database holds neither algorithm nor period; digits only as the kind.
    plain = [one for one in ours if (one.algorithm, one.digits, one.period) == ("SHA1", 6, 30)]
    battle = accounts["eight60"].but(issuer="Battle.net", name="blizzard", period=30)
    rows = [
        (
            one.name,
            one.base32,
            one.counter,
            1 if one.type == "hotp" else 0,
            one.issuer,
            None,
            one.tags[0] if one.tags else "All Accounts",
        )
        for one in plain
    ]
    rows.append(("blizzard", battle.secret.hex(), 0, 2, "Battle.net", None, "Games"))
    schema = "CREATE TABLE accounts (_id INTEGER PRIMARY KEY, email TEXT NOT NULL, secret TEXT NOT NULL, counter INTEGER DEFAULT 0, type INTEGER, provider INTEGER DEFAULT 0, issuer TEXT DEFAULT NULL, original_name TEXT DEFAULT NULL, category TEXT)"
    insert = "INSERT INTO accounts (email, secret, counter, type, issuer, original_name, category) VALUES (?, ?, ?, ?, ?, ?, ?)"
    read = [expect(one, **({"tags": one.tags[:1]} if one.tags else {})) for one in plain] + [expect(battle, tags=["Games"])]
    with Shelf("authenticatorplus") as shelf:
        sealed = zips.archive([("Accounts.txt", text)], "プラス zip", "aes", True)
        shelf.put("Accounts.zip", sealed, [expect(one) for one in few], "プラス zip")
        shelf.put("wrong_password.zip", sealed, passphrase="プラス", file_error="wrong_password")
        clear = sqlite.database([schema], insert, rows, page=1024, reserve=48)
        hidden = sqlite.sqlcipher3(clear, "プラス db")
        shelf.put("authplus.db", hidden, read, "プラス db")
        shelf.put("wrong_password.db", hidden, passphrase="プラス", file_error="wrong_password")


# Authme, GNOME Authenticator, the Firefox add-on


def small(accounts):
    plain = [one for one in Carries("totp", "SHA1", (6,), (30,)).from_(accounts)]
    named = [one for one in plain if one.name and one.issuer]
    text = "\n".join(f"\nName:   {one.name} \nSecret: {one.base32} \nIssuer: {one.issuer} \nType:   OTP_TOTP\n" for one in named)
    with Shelf("authme") as shelf:
        file = {"role": "export", "encrypted": False, "codes": b64(text.encode()), "date": "2024-01-01T00:00:00Z", "version": 3}
        shelf.put("export.authme", words(file), [expect(one) for one in named])
    ours = [accounts[id] for id in "aws github sha512 p45 hotp1 hotpbig steam japanese quotes".split()]
    with Shelf("gnomeauth") as shelf:
        rows = [
            {
                "secret": one.base32,
                "label": one.name,
                "digits": one.digits,
                "type": one.type.upper(),
                "algorithm": one.algorithm,
                "thumbnail": "Default",
                "last_used": 1700000000000,
                "tags": one.tags,
            }
            | ({"counter": one.counter} if one.type == "hotp" else {"period": one.period})
            for one in ours
        ]
        shelf.put("backup.json", words(rows, 2), [expect(one, "tags", issuer="") for one in ours])
    with Shelf("misc") as shelf:
        rows = [{"name": one.name, "key": one.base32.lower() if n % 2 else one.base32} for n, one in enumerate(named)]
        shelf.put("firefox_two_factor.json", words({"otp_list": rows}), [expect(one, issuer="") for one in named])
        seven = accounts["seven"]
        script = [
            {
                "name": f"{one.issuer}:{one.name}",
                "secret": one.base32,
                "uri": f"otpauth://totp/{enc(one.issuer)}%3A{enc(one.name)}?secret={one.base32}&issuer={enc(one.issuer)}",
            }
            for one in named
        ]
        script.append(
            {"name": "Twitch", "secret": seven.base32, "uri": f"otpauth://totp/Twitch?secret={seven.base32}&digits=7&period=10"}
        )
        read = [expect(one, title=f"{one.issuer}:{one.name}") for one in named] + [
            expect(seven, issuer="", name="Twitch", title="Twitch")
        ]
        shelf.put("authy_script.json", words(script, 2), read)


MAKERS = [otp_auth, authenticator_plus, small]
