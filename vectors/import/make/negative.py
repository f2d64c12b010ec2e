"""Broken and hostile files. Each must be refused, or read in part, quickly and with little memory, and say what is wrong."""

import json
import plistlib
import struct
import zlib
from urllib.parse import quote

from . import sqlite, zips
from .accounts import HERE, expect
from .crypto import b64, cbc, seeded, sha256
from .freeotp import modified_utf8
from .keepass import AES_KDF, ARGON2ID, kdbx3, kdbx4
from .lists import chunk, number, varint
from .phones import Archive
from .shelf import Shelf, words

RIGHT = {
    "aegis/encrypted_wrong_password.json": "first slot",
    "2fas/encrypted_wrong_password.2fas": "パスワード2",
    "bitwarden/wrong_password.json": "合い言葉 bw",
    "ente/wrong_password.txt": "ひみつ ente",
    "freeotp/wrong_password.xml": "test",
    "otpauth-ios/wrong_password-1.1.otpauthdb": "アイフォン 1.1",
    "keepass/wrong_password.kdbx": "test",
}


def made(name):
    """A good file of another folder, and its passphrase; the small ones are those that are there for a wrong one."""
    if name in RIGHT:
        return (HERE / name).read_bytes(), RIGHT[name]
    folder, _, file = name.partition("/")
    expected = json.loads((HERE / folder / "expected.json").read_text(encoding="utf-8"))
    return (HERE / name).read_bytes(), expected[file].get("passphrase")


def flip(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def in_base64(text, at):
    """Another letter, so that the base64 stays good and what it holds doesn't."""
    at %= len(text)
    return text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :]


def changed(name, change):
    data, passphrase = made(name)
    value = json.loads(data)
    change(value)
    return words(value).encode(), passphrase


def negative(accounts):
    with Shelf("negative") as shelf:
        refuse = lambda name, data, error, passphrase=None, **facts: shelf.put(
            name, data, None, passphrase, file_error=error, **facts
        )
        nothing(refuse)
        truncated(refuse)
        damaged(refuse)
        expensive(refuse)
        versions(refuse)
        futures(shelf)
        archives(shelf, refuse, accounts)
        structures(refuse)
        labels(shelf, accounts)


def nothing(refuse):
    refuse("empty.bin", b"", "bad_file")
    refuse("blank.txt", "\ufeff \r\n\t\n", "bad_file")
    refuse("random.bin", seeded("random", 1021), "bad_file", note="could be one of the formats without a mark: say so")
    refuse("login_page.html", "<!doctype html><html><title>Sign in</title></html>\n", "bad_file")
    refuse("prose.txt", "Dear diary,\ntoday nothing happened.\n", "bad_file", **{"or": ["not_a_uri"]})
    refuse(
        "message.asc",
        "-----BEGIN PGP MESSAGE-----\n\nAAAA\n=AAAA\n-----END PGP MESSAGE-----\n",
        "bad_file",
        **{"or": ["need_password"]},
        note="to be decrypted with gpg first",
    )
    refuse("null.json", "null", "bad_file")
    refuse("other.json", '{"hello":"world"}', "bad_file")
    refuse("deep.json", "[" * 10_000, "bad_file", note="no stack overflow")
    refuse(
        "deep_aegis.json",
        '{"version":1,"header":{"slots":null,"params":null},"db":' + '{"entries":[' * 600 + "]}" * 600 + "}",
        "bad_file",
    )


def truncated(refuse):
    """Cut in the middle. Where a tag covers all, a cut can't be told from a wrong password."""
    sealed = [
        "andotp/encrypted_new.json.aes",
        "stratum/strong.authpro",
        "stratum/legacy.authpro",
        "otpclient/v3.enc",
        "totpauthenticator/backup.encrypt",
    ]
    framed = [
        "aegis/encrypted_wrong_password.json",
        "2fas/encrypted_wrong_password.2fas",
        "bitwarden/wrong_password.json",
        "proton/encrypted.json",
        "ente/wrong_password.txt",
        "cotp/db.cotp",
        "raivo/raivo-otp-export.zip",
        "freeotp/wrong_password.xml",
        "keepass/wrong_password.kdbx",
        "keepass/kdbx3.kdbx",
        "1password/export.1pux",
        "otpauth-ios/wrong_password-1.1.otpauthdb",
    ]
    for name in sealed + framed:
        data, passphrase = made(name)
        facts = {"or": ["bad_file"]} if name in sealed else {"or": ["wrong_password"]} if "kdbx3" in name else {}
        error = "wrong_password" if name in sealed else "bad_file"
        refuse(
            "truncated_" + name.replace("/", "_").replace("wrong_password", "file"),
            data[: len(data) // 2],
            error,
            passphrase,
            **facts,
        )
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("truncated_header.kdbx", data[:100], "bad_file", passphrase)
    refuse("truncated_plain_aegis.json", made("aegis/plain_v2.json")[0][:3000], "bad_file")
    refuse(
        "truncated_migration.txt",
        made("googleauthenticator/one_raw.txt")[0].strip()[:-60] + b"\n",
        "bad_protobuf",
        **{"or": ["bad_base64"]},
    )
    refuse("truncated.png", made("googleauthenticator/one.png")[0][:600], "bad_file")


def damaged(refuse):
    """The password is right and the content isn't: not a wrong password."""

    def database(value):
        value["db"] = in_base64(value["db"], 100)

    def slot(value):
        for one in value["header"]["slots"]:
            one["key"] = ("1" if one["key"][0] != "1" else "2") + one["key"][1:]

    def services(value):
        value["servicesEncrypted"] = in_base64(value["servicesEncrypted"], 40)

    def vault(value):
        value["data"] = in_base64(value["data"], 200)

    def check(value):
        value["encKeyValidation_DO_NOT_EDIT"] = in_base64(value["encKeyValidation_DO_NOT_EDIT"], 10)

    data, passphrase = changed("aegis/encrypted_wrong_password.json", database)
    refuse("damaged_aegis_database.json", data, "bad_file", passphrase, note="the slot opens, the database doesn't")
    data, passphrase = changed("aegis/encrypted_wrong_password.json", slot)
    refuse(
        "damaged_aegis_slots.json", data, "wrong_password", passphrase, note="no slot opens: can't be told from a wrong password"
    )
    data, passphrase = changed("2fas/encrypted_wrong_password.2fas", services)
    refuse(
        "damaged_2fas_services.2fas",
        data,
        "bad_file",
        passphrase,
        **{"or": ["wrong_password"]},
        note="the reference opens, the services don't",
    )
    data, passphrase = changed("bitwarden/wrong_password.json", vault)
    refuse("damaged_bitwarden_data.json", data, "bad_file", passphrase, note="the check opens, the data doesn't")
    data, passphrase = changed("bitwarden/wrong_password.json", check)
    refuse("damaged_bitwarden_check.json", data, "wrong_password", passphrase)
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("damaged_kdbx4_header.kdbx", flip(data, 60), "bad_file", passphrase)
    refuse("damaged_kdbx4_block.kdbx", flip(data, -200), "bad_file", passphrase, note="the header's HMAC proves the password")
    data, passphrase = made("raivo/raivo-otp-export.zip")
    refuse("damaged_raivo.zip", flip(data, 200), "bad_file", passphrase, **{"or": ["wrong_password"]})
    data, passphrase = made("authenticatorplus/authplus.db")
    refuse("damaged_authplus.db", flip(data, 1500), "bad_file", passphrase, **{"or": ["wrong_password"]})
    data, passphrase = made("otpauth-ios/wrong_password-1.1.otpauthdb")
    refuse("damaged_otpauth.otpauthdb", flip(data, 300), "bad_file", passphrase, **{"or": ["wrong_password"]})


def expensive(refuse):
    """Key derivations that would take a machine down. The parameters are refused before anything is computed."""
    out = "kdf_params_out_of_range"

    def scrypt(**parameters):
        def change(value):
            for one in value["header"]["slots"]:
                if one["type"] == 1:
                    one.update(parameters)

        return changed("aegis/encrypted_wrong_password.json", change)

    for name, parameters in (
        ("memory", {"n": 2**30, "r": 8, "p": 1}),
        ("lanes", {"n": 2**14, "r": 8, "p": 2**20}),
        ("zero", {"n": 0}),
        ("no_power_of_two", {"n": 1000}),
    ):
        data, passphrase = scrypt(**parameters)
        refuse(f"expensive_aegis_{name}.json", data, out, passphrase)

    def update(name, **parameters):
        return changed(name, lambda value: value.update(parameters))

    for name, data in {
        "bitwarden_rounds.json": update("bitwarden/wrong_password.json", kdfIterations=2**31 - 1),
        "bitwarden_memory.json": update("bitwarden/protected_argon2id.json", kdfMemory=2**20),
        "bitwarden_zero.json": update("bitwarden/protected_argon2id.json", kdfIterations=0),
        "bitwarden_negative.json": update("bitwarden/protected_argon2id.json", kdfMemory=-1),
    }.items():
        refuse("expensive_" + name, data[0], out, data[1])

    def ente(**parameters):
        return changed("ente/wrong_password.txt", lambda value: value["kdfParams"].update(parameters))

    for name, parameters in (("memory", {"memLimit": 2**42}), ("rounds", {"opsLimit": 2**31}), ("zero", {"memLimit": 0})):
        data, passphrase = ente(**parameters)
        refuse(f"expensive_ente_{name}.txt", data, out, passphrase)
    data, passphrase = made("andotp/encrypted_new.json.aes")
    refuse(
        "expensive_andotp.json.aes",
        b"\xff" * 4 + data[4:],
        out,
        passphrase,
        **{"or": ["wrong_password", "bad_file"]},
        note="without a mark: read as the old kind it is a wrong password",
    )
    data, passphrase = made("otpclient/v3.enc")
    refuse("expensive_otpclient.enc", data[:65] + b"\xff" * 4 + data[69:], out, passphrase)
    document = lambda made, extra="": made.whole([], extra)
    kdbx = lambda stated: kdbx4(document, "test", kdf=ARGON2ID, label="hostile", stated=stated)
    refuse("expensive_kdbx_memory.kdbx", kdbx({"kib": 2**30}), out, "test")
    refuse("expensive_kdbx_rounds.kdbx", kdbx({"rounds": 2**40}), out, "test")
    refuse("expensive_kdbx_lanes.kdbx", kdbx({"lanes": 2**24}), out, "test")
    refuse(
        "expensive_kdbx_aes_kdf.kdbx",
        kdbx4(document, "test", kdf=AES_KDF, rounds=1, label="hostile", stated={"rounds": 2**62}),
        out,
        "test",
    )
    many = kdbx3(document, "test", rounds=1, label="hostile3")
    told = struct.pack("<BH", 6, 8)
    refuse("expensive_kdbx3.kdbx", many.replace(told + struct.pack("<Q", 1), told + struct.pack("<Q", 2**62)), out, "test")
    data, passphrase = made("freeotp/missing_fields.xml")
    refuse(
        "expensive_freeotp.xml",
        data.replace(b'"mIterations":1000', b'"mIterations":9e12'),
        out,
        passphrase,
        **{"or": ["bad_file"]},
    )


def versions(refuse):
    """From the future, or from too far back: not damaged."""
    refuse(
        "version_aegis.json",
        words({"version": 9, "header": {"slots": None, "params": None}, "db": {"version": 3, "entries": []}}),
        "bad_version",
    )
    data, passphrase = changed("bitwarden/wrong_password.json", lambda value: value.update(kdfType=9))
    refuse("version_bitwarden_kdf.json", data, "bad_version", passphrase, **{"or": ["kdf_params_out_of_range", "bad_file"]})
    data, passphrase = made("otpclient/v3.enc")
    refuse("version_otpclient.enc", data[:9] + struct.pack(">I", 9) + data[13:], "bad_version", passphrase)
    data, passphrase = made("keepass/wrong_password.kdbx")
    refuse("version_kdbx5.kdbx", data[:8] + struct.pack("<HH", 0, 5) + data[12:], "bad_version", passphrase)
    refuse("version_kdbx2.kdbx", data[:8] + struct.pack("<HH", 4, 2) + data[12:], "bad_version", passphrase)
    refuse("version_keepass1.kdb", bytes.fromhex("03d9a29a65fb4bb5") + seeded("kdb", 200), "bad_version", "test")


def futures(shelf):
    """An unknown number over a known layout: read with a warning, or refused as such."""
    for name in ("proton/encrypted.json", "ente/encrypted_final.txt"):
        data, passphrase = changed(name, lambda value: value.update(version=9))
        folder, _, file = name.partition("/")
        expected = json.loads((HERE / folder / "expected.json").read_text(encoding="utf-8"))
        shelf.put(
            f"version_{folder}.json",
            data,
            expected[file]["entries"],
            passphrase,
            **{"or": ["bad_version"]},
            note="read with a warning",
        )


def archives(shelf, refuse, accounts):
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = 65 * 2**20
    data = bomb.compress(bytes(size)) + bomb.flush()
    name = b"export.data"
    common = lambda told: struct.pack("<HHHIIIIHH", 20, 0, 8, zips.DATE, zlib.crc32(bytes(size)), len(data), told, len(name), 0)
    end = lambda directory, body: b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(body), 0)

    def whole(told):
        body = b"PK\3\4" + common(told) + name + data
        directory = b"PK\1\2" + struct.pack("<H", 20) + common(told) + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
        return body + directory + end(directory, body)

    refuse("zip_bomb.1pux", whole(size), "bad_file", note="a member of 65 MiB")
    data = zlib.compress(bytes(2**20), 9)[2:-4]
    refuse("zip_lying_size.1pux", whole(100), "bad_file", note="says 100 bytes and holds more")
    aws = accounts["aws"]
    text = f"otpauth://totp/Amazon%20Web%20Services:alice%40123456789012?secret={aws.base32}\n"
    slip = zips.archive([("../../../../../../evil.txt", text)])
    shelf.put(
        "zip_slip.zip",
        slip,
        [expect(aws)],
        **{"or": ["bad_file", "no_file_in_zip"]},
        note="read in memory; nothing is ever written where the name points",
    )
    refuse(
        "zip_nothing_known.zip",
        zips.archive([("readme.md", "hello"), ("a/b.bin", b"\0\1")]),
        "no_file_in_zip",
        **{"or": ["bad_file"]},
    )
    refuse("zip_ends_early.zip", zips.archive([("winauth.txt", text)])[:60], "bad_file")


def structures(refuse):
    entity = "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
    laughs = f'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{entity}]>\n'
    refuse("xml_laughs_map.xml", laughs + '<map><string name="tokenOrder">&j;</string></map>', "bad_file")
    refuse(
        "xml_laughs_keepass.xml",
        laughs + "<KeePassFile><Meta/><Root><Group><Name>&j;</Name></Group></Root></KeePassFile>",
        "bad_file",
    )
    outside = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>\n<WinAuth version="3.6"><x>&a;</x></WinAuth>'
    refuse("xml_outside.xml", outside, "bad_file")
    refuse("xml_deep.xml", "<KeePassFile><Root>" + "<Group>" * 2000, "bad_file", note="no stack overflow")
    refuse("sqlite_garbage.db", b"SQLite format 3\0" + seeded("sqlite", 1024 - 16), "bad_file")
    good, _ = made("google-database/databases")
    refuse("sqlite_broken_page.db", good[:100] + seeded("page", 924) + good[1024:], "bad_file")
    refuse("sqlite_short.db", good[:1024], "bad_file")
    refuse("sqlite_other_tables.db", sqlite.database(["CREATE TABLE pets (name TEXT)"], page=1024), "bad_file")
    migration = lambda data: "otpauth-migration://offline?data=" + quote(b64(data), safe="") + "\n"
    refuse("protobuf_huge_length.txt", migration(varint(1 << 3 | 2) + varint(2**63 - 1) + b"abc"), "bad_protobuf")
    refuse("protobuf_long_length.txt", migration(chunk(1, varint(1 << 3 | 2) + varint(1000) + b"abc")), "bad_protobuf")
    refuse("protobuf_endless_number.txt", migration(b"\x08" + b"\xff" * 40), "bad_protobuf")
    refuse("protobuf_no_accounts.txt", migration(number(2, 1) + number(3, 1)), "bad_protobuf")
    refuse("migration_no_data.txt", "otpauth-migration://offline\n", "missing_data")
    refuse("migration_bad_base64.txt", "otpauth-migration://offline?data=%%%\n", "bad_base64")
    png = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    wide = (
        b"\x89PNG\r\n\x1a\n"
        + png(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
        + png(b"IDAT", zlib.compress(bytes(1000)))
        + png(b"IEND", b"")
    )
    refuse("png_huge.png", wide, "bad_file")
    small = (
        b"\x89PNG\r\n\x1a\n"
        + png(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
        + png(b"IDAT", zlib.compress(bytes([0] + [255] * 64) * 64, 9))
        + png(b"IEND", b"")
    )
    refuse("png_blank.png", small, "bad_file", note="an image without a code")
    utf = lambda text: struct.pack(">H", len(modified_utf8(text))) + modified_utf8(text)
    head = (
        b"\xac\xed\0\5\x73\x72"
        + utf("java.util.HashMap")
        + bytes.fromhex("0507dac1c31660d1")
        + b"\x03\0\2F"
        + utf("loadFactor")
        + b"I"
        + utf("threshold")
        + b"\x78\x70"
    )
    size = lambda count: struct.pack(">fi", 0.75, 12) + b"\x77\x08" + struct.pack(">ii", 16, count)
    refuse("java_huge_map.xml", head + size(2**31 - 1) + b"\x74" + utf("a"), "bad_file", "test")
    refuse("java_huge_text.xml", head + size(1) + b"\x7c" + struct.pack(">Q", 2**62) + b"a", "bad_file", "test")
    refuse("java_wild_handle.xml", head + size(1) + b"\x71" + struct.pack(">I", 0x7EFFFF) + b"\x70\x78", "bad_file", "test")
    refuse("java_no_master_key.xml", head + size(1) + b"\x74" + utf("a") + b"\x74" + utf("b") + b"\x78", "bad_file", "test")
    refuse(
        "java_other_class.xml",
        b"\xac\xed\0\5\x73\x72" + utf("java.lang.Runtime") + bytes(8) + b"\x02\0\0\x78\x70",
        "bad_file",
        "test",
    )
    loop = {
        "$version": 100000,
        "$archiver": "NSKeyedArchiver",
        "$top": {"root": plistlib.UID(1)},
        "$objects": [
            "$null",
            {"NS.objects": [plistlib.UID(1)], "$class": plistlib.UID(2)},
            {"$classname": "NSArray", "$classes": ["NSArray", "NSObject"]},
        ],
    }
    seal = lambda data: cbc(sha256("Authenticator"), bytes(16), data)
    refuse(
        "plist_circle.otpauthdb",
        seal(plistlib.dumps(loop, fmt=plistlib.FMT_BINARY)),
        "bad_file",
        "test",
        note="an array that holds itself",
    )
    refuse("plist_nothing.otpauthdb", seal(Archive.of({"Version": 1.1})), "bad_file", "test")
    refuse("plist_garbage.otpauthdb", seal(b"bplist00" + seeded("plist", 200)), "bad_file", "test")


def labels(shelf, accounts):
    """Read, but nothing of this may reach a terminal as it is. The names here are the file's own; what is shown is cleaned."""
    one = accounts["github"]
    rows = [
        ("Evil\x1b[2J\x07\nName", "\u202ebob\u2066"),
        ("\x1b]0;title\x07", "a\u200bb\u200f"),
        ("Tab\tand\r\nline", "\x9b31mred"),
        ("Null\0byte", "\ufeffmark"),
    ]
    lines, read = [], []
    for issuer, name in rows:
        lines.append(
            f"otpauth://totp/{quote(issuer, safe='')}:{quote(name, safe='')}?secret={one.base32}&issuer={quote(issuer, safe='')}"
        )
        read.append(expect(one, issuer=issuer, name=name))
    shelf.put("control_characters.txt", "\n".join(lines) + "\n", read, note="compare after cleaning both")
    entry = {
        "type": "totp",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "name": rows[0][1],
        "issuer": rows[0][0],
        "note": "\x1b[31mred",
        "favorite": False,
        "icon": None,
        "groups": [],
        "info": {"secret": one.base32, "algo": "SHA1", "digits": 6, "period": 30},
    }
    file = {"version": 1, "header": {"slots": None, "params": None}, "db": {"version": 3, "entries": [entry], "groups": []}}
    shelf.put(
        "control_characters_aegis.json",
        json.dumps(file),
        [expect(one, issuer=rows[0][0], name=rows[0][1], note="\x1b[31mred")],
        note="compare after cleaning both",
    )
    bad = f"otpauth://totp/Bad%FF%FEbytes:x?secret={one.base32}\n"
    shelf.put(
        "invalid_utf8.txt",
        bad,
        [expect(one, issuer="Bad\ufffd\ufffdbytes", name="x")],
        note="each bad byte becomes U+FFFD, with a warning",
    )
    latin = "otpauth://totp/Müller:x?secret=".encode("latin-1") + f"{one.base32}\n".encode()
    shelf.put("latin1.txt", latin, [expect(one, issuer="M\ufffdller", name="x")], **{"or": ["bad_file"]})
    shelf.put(
        "secret_in_error.txt",
        f"otpauth://totp/Typo:x?secret={one.base32}!\notpauth://totp/Fine:x?secret={one.base32}\n",
        [expect(one, issuer="Fine", name="x")],
        errors=[{"error": "bad_secret", "label": "Typo:x"}],
        note="the message must not hold the secret",
    )


MAKERS = [negative]
