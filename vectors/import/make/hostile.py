"""Hostile archives, structures and labels, for negative.py."""

import json
import plistlib
import struct
import zlib
from urllib.parse import quote

from . import sqlite, zips
from .accounts import HERE, expect
from .crypto import b64, cbc, seeded, sha256
from .freeotp import modified_utf8
from .lists import chunk, number, varint
from .phones import Archive


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


def structures(shelf, refuse):
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
    good = (HERE / "google-database/databases").read_bytes()
    refuse("sqlite_broken_page.db", good[:100] + seeded("page", 924) + good[1024:], "bad_file")
    refuse("sqlite_short.db", good[:1024], "bad_file")
    refuse("sqlite_other_tables.db", sqlite.database(["CREATE TABLE pets (name TEXT)"], page=1024), "bad_file")
    migration = lambda data: "otpauth-migration://offline?data=" + quote(b64(data), safe="") + "\n"
    refuse("protobuf_huge_length.txt", migration(varint(1 << 3 | 2) + varint(2**63 - 1) + b"abc"), "bad_protobuf")
    refuse("protobuf_long_length.txt", migration(chunk(1, varint(1 << 3 | 2) + varint(1000) + b"abc")), "bad_protobuf")
    refuse("protobuf_endless_number.txt", migration(b"\x08" + b"\xff" * 40), "bad_protobuf")
    shelf.put("protobuf_no_accounts.txt", migration(number(2, 1) + number(3, 1)), [], note="whole, and of nothing")
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
