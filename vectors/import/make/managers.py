"""Password managers other than KeePass, Bitwarden and 1Password, and CSV in general."""

from . import zips
from .accounts import expect
from .crypto import b64, seeded, uuid
from .onepassword import bare, spaced
from .shelf import Shelf, table, words
from .uri import otpauth

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


MAKERS = [apple, protonpass, enpass, keeper, dashlane, cxf, csvs, passwords]
