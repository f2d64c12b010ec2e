"""Lists of URIs and Google Authenticator's migration."""

import base64
import io
from urllib.parse import quote

import segno

from .accounts import Carries, expect
from .shelf import Shelf, words
from .uri import enc, motp, otpauth

EVERY = Carries("totp hotp steam motp yandex")


def line(one):
    return motp(one) if one.type == "motp" else otpauth(one)


def uri_lists(accounts):
    ours = EVERY.from_(accounts)
    lines, entries = [line(one) for one in ours], [expect(one) for one in ours]
    few = [accounts[id] for id in "aws sha512 hotp1 steam japanese quotes percent".split()]
    few_lines, few_entries = [line(one) for one in few], [expect(one) for one in few]
    with Shelf("urilist") as shelf:
        shelf.put("plain.txt", "\n".join(lines) + "\n", entries)
        shelf.put("no_last_newline.txt", "\n".join(few_lines), few_entries)
        shelf.put("bom_crlf.txt", "\ufeff" + "\r\n".join(few_lines) + "\r\n", few_entries)
        shelf.put("utf16le.txt", ("\ufeff" + "\r\n".join(few_lines) + "\r\n").encode("utf-16-le"), few_entries)
        shelf.put("utf16be.txt", ("\ufeff" + "\r\n".join(few_lines) + "\r\n").encode("utf-16-be"), few_entries)
        commented = "# my accounts, 二段階認証\n\n" + "\n\n  \n# next\n".join(few_lines) + "\n# end\n"
        shelf.put("comments.txt", commented, few_entries)
        shelf.put("commas.txt", ",".join(few_lines) + "\n", few_entries, note="joined by commas; a comma inside is %2C")
        shelf.put("wrapped.json", words({"items": few_lines}), few_entries)
        bad = bad_lines()
        mixed = [lines[0], *(text for text, _ in bad), lines[1]]
        errors = [{"error": error, "label": text[:40]} for text, error in bad]
        shelf.put("bad_lines.txt", "\n".join(mixed) + "\n", entries[:2], errors=errors)
        text, read = oddities(accounts)
        shelf.put("oddities.txt", text, read)
        part = migration_texts([accounts["github"], accounts["hotp1"]], 7)[0]
        both = [accounts[id] for id in ("aws", "github", "hotp1", "plus")]
        shelf.put("with_migration.txt", "\n".join([lines[0], part, line(accounts["plus"])]) + "\n", [expect(one) for one in both])


def bad_lines():
    good = "JBSWY3DPEHPK3PXP"
    return [
        ("otpauth://totp/NoSecret:x?issuer=NoSecret", "missing_secret"),
        ("otpauth://totp/Empty:x?secret=", "empty_secret"),
        ("otpauth://totp/NotBase32:x?secret=01890189", "bad_secret"),
        (f"otpauth://push/Push:x?secret={good}", "bad_type"),
        (f"otpauth://totp/Md5:x?secret={good}&algorithm=MD5", "bad_algorithm"),
        (f"otpauth://totp/Gost:x?secret={good}&algorithm=STREEBOG", "bad_algorithm"),
        (f"otpauth://totp/Zero:x?secret={good}&digits=0", "bad_digits"),
        (f"otpauth://totp/Eleven:x?secret={good}&digits=11", "bad_digits"),
        (f"otpauth://totp/NoTime:x?secret={good}&period=0", "bad_period"),
        (f"otpauth://hotp/Minus:x?secret={good}&counter=-1", "bad_counter"),
        (f"otpauth://hotp/Wide:x?secret={good}&counter=18446744073709551616", "bad_counter"),
        (f"otpauth://hotp/Hex:x?secret={good}&counter=0x10", "bad_counter"),
        (f"otpauth://totp/Huge:x?secret={good}&digits=99999999999999999999999", "bad_digits"),
        (f"otpauth://totp/Half:x?secret={good}&digits=6.5", "bad_digits"),
        (f"otpauth://totp/Long:x?secret={good}&period=4294967296", "bad_period"),
        (f"otpauth://totp/Minus:x?secret={good}&period=-30", "bad_period"),
        ("https://example.com/", "bad_scheme"),
        ("just a sentence", "not_a_uri"),
    ]


def oddities(accounts):
    """Spellings seen from one app or another, each of them legal to read."""
    github, aws, plus, steam = (accounts[id] for id in ("github", "aws", "plus", "steam"))
    hash_, odd, hotp = accounts["hash"], accounts["odd3"], accounts["hotp1"]
    spaced = " ".join(github.base32[i : i + 4] for i in range(0, 32, 4)).lower()
    rows = [
        (f"OTPAUTH://TOTP/GitHub:alice@example.com?SECRET={github.base32}&ISSUER=GitHub", github),
        (f"apple-otpauth://totp/GitHub:alice@example.com?secret={github.base32}&issuer=GitHub", github),
        (
            f"otpauth://totp/GitHub%3A%20alice@example.com?secret={enc(spaced)}&algorithm=Algorithm.sha1&digits=&period=null",
            github,
        ),
        (f"otpauth://totp/GitHub:alice@example.com?secret={github.base32}&amp;issuer=GitHub&amp;algorithm=HmacSHA1", github),
        (f"otpauth://totp/Disney+:a+b@example.com?secret={plus.base32}&issuer=Disney+", plus),
        (f"otpauth://totp/C# Club:user#42?secret={hash_.base32}&issuer=C#+Club", hash_),
        (f"otpauth://totp/Amazon+Web+Services:alice@123456789012?secret={aws.base32}&issuer=Amazon+Web+Services", aws),
        (f"otpauth://totp/Nineteen%20Letters:trent?secret={odd.base32}====&issuer=", odd),
        (
            f"otpauth://hotp/Counter:mallory?counter=1&digits=8&algorithm=sha-256&secret={hotp.base32}&image=https%3A%2F%2Fexample.com%2Fx.png",
            hotp,
        ),
        (f"otpauth://totp/Steam:gordon?secret={steam.base32}&issuer=Steam&encoder=steam", steam),
        (f"otpauth://totp/Steam:gordon?secret={steam.base32}&issuer=Steam&digits=5", steam),
        (f"otpauth://totp/GitHub:alice@example.com?secret={github.base32}&secret=AAAAAAAA&issuer=GitHub&issuer=Other", github),
    ]
    read = [expect(one) for _, one in rows]
    # A plus in the parameter would be a space, but where the label's prefix says the same with its plus, it is meant.
    read[6].update({"issuer": "Amazon+Web+Services"})
    read[8]["image"] = "https://example.com/x.png"
    texts = [text for text, _ in rows]
    tenant = f"otpauth://totp/contoso.example%3Abob%40contoso.example?secret={github.base32}&issuer=Microsoft"
    texts.append(tenant)
    read.append(expect(github, issuer="Microsoft", name="bob@contoso.example", label_issuer="contoso.example"))
    texts.append(f"otpauth://totp?secret={github.base32}")
    read.append(expect(github, issuer="", name=""))
    texts.append(f"steam://{steam.base32}")
    read.append(expect(steam, name=""))
    texts.append(f"steam://{base64.b64encode(steam.secret).decode()}")
    read.append(expect(steam, name=""))
    return "\n".join(texts) + "\n", read


GOOGLE = Carries("totp hotp", digits=(6, 8), periods=(30,))


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def number(tag, value):
    return varint(tag << 3) + varint(value)


def chunk(tag, data):
    return varint(tag << 3 | 2) + varint(len(data)) + data


def google_account(one, prefixed):
    name = f"{one.issuer}:{one.name}" if prefixed and one.issuer and one.name else one.name
    out = chunk(1, one.secret) + chunk(2, name.encode())
    out += chunk(3, one.issuer.encode()) if one.issuer else b""
    out += number(4, {"SHA1": 1, "SHA256": 2, "SHA512": 3}[one.algorithm])
    out += number(5, {6: 1, 8: 2}[one.digits]) + number(6, 1 if one.type == "hotp" else 2)
    return out + (number(7, one.counter) if one.counter else b"")


def migration_texts(ours, batch, how="percent"):
    """One text for each ten accounts."""
    parts = [ours[i : i + 10] for i in range(0, len(ours), 10)]
    texts = []
    for index, part in enumerate(parts):
        data = b"".join(chunk(1, google_account(one, n % 2 == 0)) for n, one in enumerate(part))
        data += number(2, 1) + number(3, len(parts)) + (number(4, index) if index else b"") + number(5, batch)
        text = base64.b64encode(data).decode()
        if how == "percent":
            text = quote(text, safe="")
        elif how == "url-safe":
            text = text.replace("+", "-").replace("/", "_").rstrip("=")
        elif how == "bare":
            text = text.rstrip("=")
        texts.append("otpauth-migration://offline?data=" + text)
    return texts


def picture(text, scale=3):
    out = io.BytesIO()
    segno.make(text, error="l", micro=False, boost_error=False).save(out, kind="png", scale=scale, border=4)
    return out.getvalue()


def google(accounts):
    ours = GOOGLE.from_(accounts)
    entries = [expect(one) for one in ours]
    texts = migration_texts(ours, -1234567890)
    tenth = [entries[i : i + 10] for i in range(0, len(entries), 10)]
    of = lambda size, index: {"version": 1, "batch_size": size, "batch_index": index, "batch_id": -1234567890}
    with Shelf("googleauthenticator") as shelf:
        few = ours[:3]
        for how in ("percent", "url-safe", "bare", "raw"):
            text = migration_texts(few, 1, how)[0]
            shelf.put(f"one_{how.replace('-', '_')}.txt", text + "\n", entries[:3], batches=[of(1, 0) | {"batch_id": 1}])
        shelf.put("one.png", picture(migration_texts(few, 1)[0]), entries[:3])
        for index, text in enumerate(texts):
            missing = "one part of three: to be said"
            shelf.put(f"part{index + 1}of3.txt", text + "\n", tenth[index], batches=[of(3, index)], note=missing)
            shelf.put(f"part{index + 1}of3.png", picture(text), tenth[index], note=missing)
        order = [2, 0, 2, 1]
        shuffled = tenth[2] + tenth[0] + tenth[1]
        shelf.put(
            "shuffled_repeated.txt",
            "\n".join(texts[i] for i in order) + "\n",
            shuffled,
            batches=[of(3, i) for i in order],
            note="part 3 stands there twice and counts once",
        )
        shelf.put(
            "missing_part2.txt",
            texts[0] + "\n" + texts[2] + "\n",
            tenth[0] + tenth[2],
            batches=[of(3, 0), of(3, 2)],
            note="part 2 of 3 is missing: to be said",
        )
        both = [accounts["aws"], accounts["japanese"]]
        shelf.put("key_uri.png", picture(otpauth(both[0]), 4), [expect(both[0])])
        shelf.put("japanese.png", picture(otpauth(both[1]), 4), [expect(both[1])])
        data = chunk(1, google_account(few[0], False)) + chunk(1, chunk(1, b"0123456789") + chunk(2, b"Old:hash") + number(4, 4))
        text = "otpauth-migration://offline?data=" + quote(base64.b64encode(data).decode(), safe="")
        shelf.put(
            "md5.txt",
            text + "\n",
            entries[:1],
            errors=[{"error": "bad_algorithm", "label": "Old:hash"}],
            note="without the batch's fields; the second account is MD5",
        )


MAKERS = [uri_lists, google]
