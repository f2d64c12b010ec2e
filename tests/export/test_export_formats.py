"""What goes out is read by others: by KeePassXC, by other projects' packages, and by readers that know the formats from
their descriptions alone."""

import hmac
import html
import json
import re
import subprocess
import time
import urllib.parse
from dataclasses import replace

import foreign
import otpa.migration
import pyotp
import pytest
import zxingcpp
from canon import ARN, EXPORT_PASSPHRASE, Entry, agree, expected, unbase32
from PIL import Image
from pykeepass import PyKeePass

USUAL = ("SHA1", "SHA256", "SHA512")
EVERY = (*USUAL, "SHA224", "SHA384", "MD5")
ANY = range(1, 11)
# What each can hold, from the formats' descriptions.
HOLDS = {
    "aegis": dict(
        kinds=("totp", "hotp", "steam", "motp", "yandex"),
        algorithms=USUAL,
        digits=ANY,
        tags="all",
        keeps=("note", "favorite", "pin"),
    ),
    "2fas": dict(
        kinds=("totp", "hotp", "steam"),
        algorithms=EVERY,
        digits=range(5, 9),
        periods=(10, 30, 60, 90),
        tags="first",
        counter_max=2**31 - 1,
    ),
    "bitwarden": dict(
        kinds=("totp", "steam"), algorithms=USUAL, digits=ANY, tags="first", keeps=("note", "favorite")
    ),
    "ente": dict(
        kinds=("totp", "hotp", "steam"),
        algorithms=USUAL,
        digits=ANY,
        tags="all",
        keeps=("note", "favorite", "trash"),
        trash=True,
    ),
    "stratum": dict(
        kinds=("totp", "hotp", "steam", "motp", "yandex"), algorithms=USUAL, digits=range(6, 11), tags="all", keeps=("pin",)
    ),
    "proton": dict(
        kinds=("totp", "steam"), algorithms=USUAL, digits=range(1, 10), periods=range(65_536), keeps=("note",)
    ),
    "freeotp+": dict(kinds=("totp", "hotp"), algorithms=USUAL, digits=range(6, 9)),
    "google": dict(kinds=("totp", "hotp"), algorithms=USUAL, digits=(6, 8), periods=(30,)),
    "pass": dict(kinds=("totp", "hotp"), algorithms=USUAL, digits=range(6, 9)),
    "uris": dict(kinds=("totp", "hotp", "steam", "motp", "yandex"), algorithms=EVERY, digits=ANY, keeps=("pin",)),
}
SEALED = {"aegis": foreign.aegis, "2fas": foreign.twofas, "bitwarden": foreign.bitwarden, "ente": foreign.ente,
          "stratum": foreign.stratum, "proton": foreign.proton}
PLAIN = {**SEALED, "freeotp+": foreign.freeotpplus}


def whole(exporter, target, **more):
    return expected(exporter.entries, **{**HOLDS[target], **more})


def trash(target):
    """Ente has a trash of its own."""
    return ["--trash"] if target == "ente" else []


@pytest.mark.parametrize("target", PLAIN)
def test_a_file_in_clear_holds_every_account(exporter, out, target):
    exporter.export(target, out(), *trash(target))
    found = PLAIN[target](out().read_bytes())
    if target == "proton":
        found = [steam_without_issuer(entry) for entry in found]
        agree(found, [steam_without_issuer(entry) for entry in whole(exporter, target)])
    else:
        agree(found, whole(exporter, target))


@pytest.mark.parametrize("target", SEALED)
def test_a_sealed_file_opens_with_its_passphrase_and_no_other(exporter, out, target):
    exporter.export(target, out(), *trash(target), sealed=True)
    data = out().read_bytes()
    found = SEALED[target](data, EXPORT_PASSPHRASE)
    wanted = whole(exporter, target)
    if target == "proton":
        wanted = [steam_without_issuer(entry) for entry in wanted]
    agree(found, wanted)
    with pytest.raises(Exception):
        SEALED[target](data, EXPORT_PASSPHRASE + " ")
    # Nothing of it stands there in clear, and no two exports are alike.
    for entry in exporter.entries:
        assert entry.secret not in data and entry.secret.hex().encode() not in data
    assert b"otpauth" not in data and b"alice" not in data
    exporter.export(target, out("again"), *trash(target), sealed=True)
    assert out("again").read_bytes()[-64:] != data[-64:]


def steam_without_issuer(entry):
    """Proton's Steam accounts have a name and a secret, nothing else."""
    return entry if entry.kind != "steam" else Entry("", entry.name, "steam", entry.secret, *foreign.FIXED["steam"])


def test_what_is_in_the_trash_goes_out_only_when_asked(exporter, out):
    trashed = [entry.name for entry in exporter.entries if entry.trashed]
    exporter.export("aegis", out("a"))
    said = exporter.export("aegis", out("b"), "--trash")
    names = lambda path: [entry.name for entry in foreign.aegis(path.read_bytes())]
    assert trashed and not set(trashed) & set(names(out("a")))
    assert set(trashed) <= set(names(out("b"))) and "trash" in said


def test_bitwarden_csv(exporter, out):
    exporter.export("bitwarden-csv", out())
    agree(foreign.bitwarden_csv(out().read_bytes()), whole(exporter, "bitwarden"))


def test_a_list_of_uris_by_pyotp(exporter, out):
    exporter.export("uris", out())
    lines = out().read_text().splitlines()
    motp = [line for line in lines if line.startswith("motp:")]
    assert len(motp) == 1 and "1234" not in motp[0]
    agree(
        [foreign.of_uri(line) for line in lines],
        [entry if entry.kind != "motp" else strip_pin(entry) for entry in whole(exporter, "uris")],
    )
    seen = 0
    for line in lines:
        # pyotp knows three hashes, and no type but these two.
        if not line.startswith(("otpauth://totp/", "otpauth://hotp/")) or "SHA224" in line or "SHA384" in line:
            continue
        entry = foreign.of_uri(line)
        # Nor any secret below 112 bits.
        if len(entry.secret) < 14:
            continue
        other = pyotp.parse_uri(line)
        assert unbase32(other.secret) == entry.secret and other.digits == entry.digits
        assert (other.issuer or "", other.digest().name.upper()) == (entry.issuer, entry.algorithm)
        if entry.kind == "totp":
            assert other.interval == entry.period
            code = exporter.person.ok("code", "--at", 1_700_000_000, *which(exporter, entry)).strip()
            assert other.at(1_700_000_000) == code
        seen += 1
    assert seen > 20


def which(exporter, entry):
    """The id of an account."""
    for row in json.loads(exporter.person.ok("list", "--json")):
        if (row["issuer"], row["account"]) == (entry.issuer, entry.name):
            if unbase32(exporter.person.ok("show", "--secret", row["id"]).strip()) == entry.secret:
                return [row["id"]]
    raise AssertionError(f"{entry.issuer}:{entry.name} is not in the vault")


def strip_pin(entry):
    return replace(entry, pin=None)


def test_google_pictures_by_another_projects_decoder(exporter, out):
    exporter.export("google", out())
    pictures = sorted(out().iterdir())
    parts = []
    for picture in pictures:
        (code,) = zxingcpp.read_barcodes(Image.open(picture))
        parts.append(otpa.migration.migration_link_to_payload(code.text))
    assert [part.batch_index for part in parts] == list(range(len(parts)))
    assert {(part.batch_size, part.version) for part in parts} == {(len(pictures), 1)}
    assert len({part.batch_id for part in parts}) == 1 and len(parts) > 1
    assert max(len(part.otp_parameters) for part in parts) <= 10
    entries = []
    for otp in (otp for part in parts for otp in part.otp_parameters):
        kind = otp.type.label
        entries.append(
            Entry(
                issuer=otp.issuer,
                name=otp.name.removeprefix(f"{otp.issuer}:"),
                kind=kind,
                secret=otp.secret,
                algorithm=otp.algorithm.label,
                digits=otp.digits.count,
                period=30 if kind == "totp" else 0,
                counter=otp.counter if kind == "hotp" else None,
            )
        )
    agree(entries, whole(exporter, "google"))


def test_google_texts_are_those_of_the_pictures(exporter, out):
    lines = exporter.run("google", "-", "GitHub").stdout.decode().split()
    assert len(lines) == 1 and lines[0].startswith("otpauth-migration://offline?data=")
    assert {otp.issuer for otp in otpa.migration.migration_link_to_payload(lines[0]).otp_parameters} == {"GitHub"}


def test_pass_is_a_tree_of_uris(exporter, out):
    exporter.export("pass", out("store"))
    files = [path for path in out("store").rglob("*") if path.is_file()]
    lines = [path.read_text().splitlines() for path in files]
    assert all(len(line) == 1 for line in lines)
    agree([foreign.of_uri(line[0]) for line in lines], whole(exporter, "pass"))
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert (out("store") / "GitHub").stat().st_mode & 0o777 == 0o700


def keepass(exporter, path):
    """KDBX holds HOTP as KeePass's own fields do, which know nothing but SHA-1 and six digits."""
    told = exporter.export("keepass", path, sealed=True)
    (line,) = [line for line in told.splitlines() if line.startswith("Ninety:grace")]
    assert "without" in line and "long period" in line
    held = expected(
        exporter.entries,
        kinds=("totp", "hotp", "steam"),
        algorithms=USUAL,
        digits=range(6, 11),
        tags="first",
        keeps=("note",),
    )
    return [entry for entry in held if entry.kind != "hotp" or (entry.algorithm, entry.digits) == ("SHA1", 6)]


def test_keepass_by_pykeepass(exporter, out):
    wanted = keepass(exporter, out("codes.kdbx"))
    database = PyKeePass(out("codes.kdbx"), password=EXPORT_PASSPHRASE)
    assert database.version == (4, 1) and database.encryption_algorithm == "aes256"
    found = []
    for entry in database.entries:
        fields = {"Title": entry.title, "UserName": entry.username, "Notes": entry.notes, "otp": entry.otp}
        fields |= entry.custom_properties
        group = "" if entry.group.is_root_group else entry.group.name
        found.append(foreign.keepass_fields(fields, group))
    agree(found, wanted)
    with pytest.raises(Exception):
        PyKeePass(out("codes.kdbx"), password="wrong")


def keepassxc(*arguments):
    """KeePassXC on the command line; its passphrase comes on standard input."""
    done = subprocess.run(
        ["keepassxc-cli", *map(str, arguments)],
        input=(EXPORT_PASSPHRASE + "\n").encode(),
        capture_output=True,
        timeout=120,
        env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_keepassxc_reads_it_and_shows_the_codes_of_oathtool(exporter, out):
    wanted = keepass(exporter, out("codes.kdbx"))
    about = keepassxc("db-info", "-q", out("codes.kdbx"))
    assert "AES 256" in about and "Argon2" in about, about
    agree(foreign.keepassxc_xml(keepassxc("export", "-q", "-f", "xml", out("codes.kdbx"))), wanted)

    shown = 0
    for name in ("Example Bank", "Example Cloud", "Seven Digits", "Odd Block", "Quarter Minute", "日本語サービス", "Seventeen Letters"):
        (entry,) = [entry for entry in wanted if entry.issuer == name]
        path = f"{entry.tags[0]}/{name}" if entry.tags else name
        # The step may turn between the two questions.
        for _ in range(5):
            before = oathtool(entry)
            code = keepassxc("show", "-q", "--totp", out("codes.kdbx"), path).strip()
            if before == oathtool(entry):
                break
            time.sleep(1)
        assert code == before, name
        shown += 1
    assert shown == 7


def oathtool(entry):
    command = ["oathtool", f"--totp={entry.algorithm}", f"--digits={entry.digits}", f"--time-step-size={entry.period}s", "-"]
    if entry.digits in (6, 7, 8):
        return subprocess.run(command, input=entry.secret.hex().encode(), capture_output=True, check=True).stdout.decode().strip()
    raise AssertionError("oathtool knows 6 to 8 digits")


def test_keepassxc_shows_steams_code(exporter, out):
    keepass(exporter, out("codes.kdbx"))
    (entry,) = [entry for entry in exporter.entries if entry.kind == "steam"]
    for _ in range(5):
        now = int(time.time()) // 30
        code = keepassxc("show", "-q", "--totp", out("codes.kdbx"), "Games/Steam").strip()
        if now == int(time.time()) // 30:
            break
    assert code == steam(entry.secret, now)


def steam(secret, step):
    """Steam Guard, from its description."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    value = int.from_bytes(digest[digest[19] & 15 :][:4]) & 0x7FFFFFFF
    letters = "23456789BCDFGHJKMNPQRTVWXY"
    code = ""
    for _ in range(5):
        value, letter = divmod(value, 26)
        code += letters[letter]
    return code


def test_the_sheets_codes_are_read_off_the_page(exporter, out, tmp_path):
    exporter.export("sheet", out("sheet.html"))
    page = out("sheet.html").read_text()
    cards = re.findall(r"<article>.*?</article>", page, re.S)
    wanted = [entry for entry in exporter.entries if not entry.trashed]
    assert len(cards) == len(wanted)
    found = []
    for number, card in enumerate(cards):
        (svg,) = re.findall(r"<svg.*?</svg>", card, re.S)
        picture = tmp_path / f"{number}.png"
        subprocess.run(["rsvg-convert", "--width=500", f"--output={picture}"], input=svg.encode(), check=True)
        (code,) = zxingcpp.read_barcodes(Image.open(picture))
        entry = foreign.of_uri(code.text)
        found.append(entry)
        words = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card, re.S))
        assert html.unescape(words.get("Issuer", "")) == entry.issuer
        assert html.unescape(words.get("Account", "")) == entry.name
        typed = re.sub(r"<.*?>|\s", "", words["Secret"])
        assert (bytes.fromhex(typed) if entry.kind == "motp" else unbase32(typed)) == entry.secret
        if entry.name == "alice@123456789012":
            assert words["AWS serial number"] == ARN and words["AWS account"] == "123456789012"
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", words["Added"]) and re.fullmatch(r"[0-9a-f]{32}", words["Id"])
        pins = [entry.pin for entry in wanted if (entry.issuer, entry.name) == (found[-1].issuer, found[-1].name)]
        assert words.get("PIN") in pins
    plain = [Entry(*[getattr(entry, word) for word in WORDS]) for entry in wanted]
    agree(found, [strip_pin(entry) if entry.kind == "motp" else entry for entry in plain])
    # Nothing that a browser would fetch or run.
    assert not re.search(r"<(script|img|link|iframe|object|embed|base|form|meta http-equiv=.refresh)", page)
    assert not re.search(r"\son\w+=|javascript:|@import|url\(", page.replace("&quot;", ""))
    assert {urllib.parse.urlsplit(link).netloc for link in re.findall(r"https?://[^\s\"<]+", page)} <= {"www.w3.org"}
    assert "@page" in page and "break-inside:avoid" in page and "default-src 'none'" in page


WORDS = ("issuer", "name", "kind", "secret", "algorithm", "digits", "period", "counter", "pin")


def test_vmfas_own_backup_is_a_vault_like_any(exporter, out):
    person = exporter.person
    done = exporter.run("vmfa", out("backup.vmfa"), "--trash", sealed=True)
    assert done.returncode == 0, done.stderr.decode()
    open_it = ["--vault", out("backup.vmfa"), "--passphrase-file", exporter.passphrase_file]
    for more in ([], ["--trash"]):
        mine, theirs = (person.ok("list", "--json", *more), person.ok("list", "--json", *more, *open_it, passphrase=False))
        assert mine == theirs and len(mine) > 10
    for query in ("Example Bank", "olivia", "gordon", "peggy"):
        at = ["--at", "1700000000"]
        assert person.ok("code", query, *at) == person.ok("code", query, *at, *open_it, passphrase=False)
    assert person.run("list", *open_it[:2]).returncode == 5, "the vault's own passphrase opens it"
    kinds = person.ok("slot", "list", *open_it, passphrase=False)
    assert "passphrase" in kinds and "recovery" not in kinds
    assert sorted(path.name for path in out().parent.iterdir() if "backup" in path.name)[0] == "backup.vmfa"
    # The vault itself isn't taken for an older state of its backup, nor the other way round.
    person.ok("list")
    person.ok("list", *open_it, passphrase=False)
    assert person.ok("check")
