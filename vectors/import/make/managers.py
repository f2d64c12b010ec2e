"""Password managers other than KeePass and Bitwarden, and CSV in general."""

import hashlib
import struct

from . import zips
from .accounts import expect
from .clouds import table
from .crypto import b64, cbc, hmac_sha256, pbkdf2, seeded, uuid
from .shelf import Shelf, words
from .uri import otpauth


def spaced(one):
    return " ".join(one.base32[i : i + 4] for i in range(0, len(one.base32), 4)).lower()


def bare(one):
    """An account that needs no URI: SHA1, six digits, thirty seconds."""
    return (one.type, one.algorithm, one.digits, one.period) == ("totp", "SHA1", 6, 30)


# 1Password


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


# Apple, Proton Pass, Enpass, Keeper, Dashlane, CXF


def apple(accounts):
    ours = [accounts[id] for id in "github sha512 japanese quotes hotp1".split()]
    plain = lambda one: f"otpauth://{one.type}?secret={one.base32}&algorithm={one.algorithm}&digits={one.digits}&" + (
        f"counter={one.counter}" if one.type == "hotp" else f"period={one.period}"
    )
    rows = [["Title", "URL", "Username", "Password", "Notes", "OTPAuth"]]
    rows += [[f"{one.issuer} ({one.name})", "https://example.com/", one.name, "hunter2", one.note, plain(one)] for one in ours]
    rows.append(["example.com (x)", "https://example.com/", "x", "y", "two\nlines, with a comma", ""])
    rows.append(["other title", "https://example.com/", "other user", "y", "", otpauth(accounts["aws"])])
    read = [expect(one) for one in [*ours, accounts["aws"]]]
    with Shelf("apple") as shelf:
        shelf.put("Passwords.csv", table(rows), read)
        shelf.put(
            "safari.zip",
            zips.archive(
                [("パスワード.csv", table(rows)), ("ブックマーク.html", "<!DOCTYPE NETSCAPE-Bookmark-file-1>")], deflate=True
            ),
            read,
            note="Safari names the member in the user's language",
        )


def protonpass(accounts):
    of = accounts.__getitem__
    ours = [of(id) for id in "aws github sha512 ten japanese".split()]
    code = lambda one: one.base32 if one.id == "ten" else otpauth(one)

    def item(one, extra=()):
        fields = [{"fieldName": "second", "type": "totp", "data": {"totpUri": otpauth(more)}} for more in extra]
        content = {
            "itemEmail": "",
            "itemUsername": one.name,
            "password": "hunter2",
            "urls": [],
            "totpUri": code(one),
            "passkeys": [],
        }
        data = {
            "metadata": {"name": one.issuer, "note": "", "itemUuid": one.id},
            "extraFields": fields,
            "type": "login",
            "content": content,
        }
        return {
            "itemId": seeded(one.id, 16).hex(),
            "shareId": "s",
            "data": data,
            "state": 1,
            "aliasEmail": None,
            "contentFormatVersion": 6,
            "createTime": 1700000000,
            "modifyTime": 1700000000,
            "pinned": one.favorite,
        }

    note = {
        "itemId": "n",
        "data": {"metadata": {"name": "a note", "note": "text"}, "extraFields": [], "type": "note", "content": {}},
        "state": 1,
    }
    vaults = {
        "a==": {"name": "Personal", "description": "", "items": [item(ours[0]), item(ours[1], [of("github2")]), note]},
        "b==": {"name": "仕事", "items": [item(one) for one in ours[2:]]},
    }
    read = [expect(one, tags=["Personal"]) for one in (*ours[:2], of("github2"))] + [
        expect(one, tags=["仕事"]) for one in ours[2:]
    ]
    data = words({"encrypted": False, "userId": "u", "vaults": vaults, "version": "1.21.0"})
    header = "type,name,url,email,username,password,note,totp,createTime,modifyTime,vault".split(",")
    rows = [
        ["login", one.issuer, "https://example.com", "", one.name, "hunter2", "", code(one), 1700000000, 1700000000, "Personal"]
        for one in ours
    ]
    with Shelf("protonpass") as shelf:
        shelf.put("export.zip", zips.archive([("Proton Pass/data.json", data)], deflate=True), read)
        shelf.put("data.json", data, read)
        shelf.put(
            "export.csv",
            table([header, *rows, ["note", "a note", "", "", "", "", "text", "", 1, 1, "Personal"]]),
            [expect(one) for one in ours],
        )


def enpass(accounts):
    ours = [accounts[id] for id in "github sha512 japanese odd6".split()]
    code = lambda one: otpauth(one) if not bare(one) else spaced(one)
    field = lambda kind, value: {
        "deleted": 0,
        "label": kind,
        "order": 1,
        "sensitive": 0,
        "type": kind,
        "uid": 1,
        "value": value,
        "value_updated_at": 1700000000,
    }
    items = [
        {
            "archived": 0,
            "auto_submit": 1,
            "category": "login",
            "favorite": 0,
            "fields": [field("username", one.name), field("password", "hunter2"), field("totp", code(one)), field("totp", "")],
            "folders": [],
            "note": "",
            "title": one.issuer,
            "trashed": 0,
            "uuid": uuid("enpass " + one.id),
        }
        for one in ours
    ]
    items.append(
        {"archived": 0, "category": "note", "title": "a note", "note": "text", "trashed": 0, "uuid": uuid("enpass note")}
    )
    with Shelf("enpass") as shelf:
        shelf.put("enpass.json", words({"folders": [], "items": items}, 2), [expect(one) for one in ours])


def keeper(accounts):
    of = accounts.__getitem__
    record = lambda title, user, custom: {
        "title": title,
        "login": user,
        "password": "hunter2",
        "login_url": "https://example.com",
        "notes": "",
        "$type": "login",
        "custom_fields": custom,
    }
    one, two, three, four = of("github"), of("sha512"), of("japanese"), of("aws")
    records = [
        record("GitHub", one.name, {"$oneTimeCode::1": otpauth(one)}),
        record("Two", "x", {"$oneTimeCode": [otpauth(two), otpauth(three)], "$pinCode": "1234"}),
        record("Cloud", "y", {"$oneTimeCode": otpauth(four)}),
        record("None", "z", {}),
    ]
    with Shelf("keeper") as shelf:
        shelf.put(
            "keeper.json",
            words({"shared_folders": [], "records": records}, 2),
            [expect(each) for each in (one, two, three, four)],
        )


def dashlane(accounts):
    ours = [accounts[id] for id in "github sha512 japanese".split()]
    header = "username,username2,username3,title,password,note,url,category,otpUrl".split(",")
    rows = [[one.name, "", "", one.issuer, "hunter2", "", "https://example.com", "", otpauth(one)] for one in ours]
    old = "username,username2,username3,title,password,note,url,category,otpSecret".split(",")
    plain = [accounts[id] for id in ("github", "odd3")]
    read = [expect(one) for one in ours]
    with Shelf("dashlane") as shelf:
        shelf.put("credentials.csv", table([header, *rows, ["x", "", "", "No code", "y", "", "", "", ""]]), read)
        shelf.put(
            "credentials_old.csv",
            table([old, *([one.name, "", "", one.issuer, "hunter2", "", "", "", one.base32] for one in plain)]),
            [expect(one) for one in plain],
        )
        members = [
            ("credentials.csv", table([header, *rows])),
            ("securenotes.csv", "title,note\r\nx,y\r\n"),
            ("ids.csv", "type,number\r\n"),
        ]
        shelf.put("dashlane.zip", zips.archive(members, deflate=True), read)


def cxf(accounts):
    ours = [accounts[id] for id in "aws github sha256 sha512 p15 japanese quotes odd3".split()]

    def item(one, **more):
        code = {
            "type": "totp",
            "secret": one.base32,
            "period": one.period,
            "digits": one.digits,
            "username": one.name,
            "algorithm": one.algorithm.lower(),
            "issuer": one.issuer,
        } | more
        text = lambda kind, value: {"fieldType": kind, "value": value}
        basic = {"type": "basic-auth", "username": text("string", one.name), "password": text("concealed-string", "hunter2")}
        return {
            "id": b64(seeded(one.id, 16)),
            "creationAt": 1700000000,
            "modifiedAt": 1700000000,
            "title": one.issuer,
            "favorite": one.favorite,
            "credentials": [basic, code],
        }

    untitled = item(accounts["ten"])
    del untitled["credentials"][1]["issuer"]
    items = [*map(item, ours), untitled, item(accounts["github2"], algorithm="sha3-256")]
    file = {
        "version": {"major": 1, "minor": 0},
        "exporterRpId": "exporter.example",
        "exporterDisplayName": "Exporter",
        "timestamp": 1700000000,
    }
    account = {"id": b64(seeded("cxf", 16)), "username": "alice", "email": "alice@example.com", "collections": [], "items": items}
    read = [expect(one, "favorite") for one in [*ours, accounts["ten"]]]
    with Shelf("cxf") as shelf:
        errors = [{"error": "bad_algorithm", "label": "GitHub"}]
        shelf.put("export.json", words(file | {"accounts": [account]}, 2), read, errors=errors)
        shelf.put("account.json", words({"accounts": [account | {"items": items[:3]}]}, 2), read[:3], note="without the header")


def csvs(accounts):
    """Any CSV with a column for codes, and those of browsers and managers that have none."""
    of = accounts.__getitem__
    github, sha, japanese, hotp = of("github"), of("sha512"), of("japanese"), of("hotp1").but(algorithm="SHA1", digits=6)
    with Shelf("csv") as shelf:
        rows = [
            ["Name", "Email", "TOTP"],
            [github.issuer, github.name, spaced(github)],
            [japanese.issuer, japanese.name, otpauth(japanese)],
        ]
        shelf.put("name_email_totp.csv", table(rows), [expect(one) for one in (github, japanese)])
        shelf.put("bom.csv", "\ufeff" + table(rows), [expect(one) for one in (github, japanese)])
        shelf.put("utf16.csv", ("\ufeff" + table(rows)).encode("utf-16-le"), [expect(one) for one in (github, japanese)])
        rows = [
            ["title", "account", "2fa", "notes"],
            [github.issuer, github.name, github.base32, 'two\nlines, "quoted"'],
            [sha.issuer, sha.name, otpauth(sha), ""],
        ]
        shelf.put("title_account_2fa.csv", table(rows), [expect(one) for one in (github, sha)])
        rows = [
            ["issuer", "account", "secret"],
            [sha.issuer, sha.name, otpauth(sha)],
            [github.issuer, github.name, otpauth(github)],
        ]
        shelf.put("secret_uris.csv", table(rows), [expect(one) for one in (sha, github)])
        rows = [["name", "url", "username", "password"], ["x", otpauth(sha), "y", "z"], ["x", "https://example.com", "y", "z"]]
        shelf.put("url_uris.csv", table(rows), [expect(sha)])
        rows = [
            ["Title", "Username", "TimeOtp-Secret-Base32", "HmacOtp-Secret-Base32", "HmacOtp-Counter"],
            [github.issuer, github.name, github.base32, "", ""],
            [hotp.issuer, hotp.name, "", hotp.base32, "1"],
        ]
        shelf.put("keepass.csv", table(rows), [expect(github), expect(hotp)])
        rows = [["name", "username", "totp"], ["Broken", "x", "not base32!"], [github.issuer, github.name, github.base32]]
        shelf.put("bad_row.csv", table(rows), [expect(github)], errors=[{"error": "bad_secret", "label": "Broken"}])
    none = {
        "nordpass": "name,url,username,password,note,cardholdername,cardnumber,cvc,expirydate,zipcode,folder,full_name,phone_number,email,address1,address2,city,country,state\nExample,https://example.com,x,hunter2,,,,,,,,,,,,,,,\n",
        "roboform": "Name,Url,Login,Pwd,Note,Folder,Rf_fields\nExample,https://example.com,x,hunter2,,/,\n",
        "chrome": "name,url,username,password,note\nexample.com,https://example.com/,x,hunter2,\n",
        "firefox": '"url","username","password","httpRealm","formActionOrigin","guid","timeCreated","timeLastUsed","timePasswordChanged"\n"https://example.com","x","hunter2",,"","{00000000-0000-4000-8000-000000000000}","1700000000000","1700000000000","1700000000000"\n',
    }
    for app, text in none.items():
        with Shelf(app) as shelf:
            shelf.put("passwords.csv", text, [], note="has no codes: none are read, and that is said")


# Stores of pass and gopass


def passwords(accounts):
    of = accounts.__getitem__
    aws, github, hotp, ten, steam, japanese = (of(id) for id in "aws github hotp1 ten steam japanese".split())
    files = {
        "AWS/alice": (f"hunter2\nlogin: alice\n{otpauth(aws)}\nurl: https://example.com\n", [expect(aws)]),
        "Bank/token": (
            f"otpauth://hotp?secret={hotp.base32}&counter=1&digits=8&algorithm=SHA256\n",
            [expect(hotp, issuer="", name="Bank/token")],
        ),
        "Servers/example.org": (
            f"hunter2\n---\ntotp: {ten.base32}\nuser: bob\n",
            [expect(ten, issuer="", name="Servers/example.org")],
        ),
        "Two/codes": (f"hunter2\n{otpauth(github)}\n{otpauth(steam, 'totp')}&encoder=steam\n", [expect(github), expect(steam)]),
        "nothing": ("hunter2\nuser: x\n", []),
        "日本/サービス": (f"秘密\n{otpauth(japanese)}\n", [expect(japanese)]),
    }
    with Shelf("pass") as shelf:
        for name in ("AWS/alice", "Two/codes"):
            text, read = files[name]
            shelf.put(name.replace("/", "_").lower() + ".txt", text, read)
        for name, (text, _) in files.items():
            shelf.raw(f"store/{name}", text)
        shelf.raw("store/.gpg-id", "ABCDEF0123456789\n")
        shelf.state(
            "store",
            [entry for _, read in files.values() for entry in read],
            note="a directory of decrypted files; the path names what has no label",
        )


MAKERS = [onepassword, apple, protonpass, enpass, keeper, dashlane, cxf, csvs, passwords]
