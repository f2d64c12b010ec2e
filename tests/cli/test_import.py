"""What a person who leaves another app does, and what a script does with its exports."""

import base64
import io
import json
import os
import shutil
import subprocess
import zipfile

import pyotp
import pytest
import pyzipper
from person import PASSPHRASE, ROOT, finish

VECTORS = ROOT / "vectors/import"
SECRETS = ["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU", "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"]
URIS = [f"otpauth://totp/Site{n}:me@example.com?secret={secret}&issuer=Site{n}" for n, secret in enumerate(SECRETS)]


def write(person, name, text):
    path = person.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, str):
        text = text.encode()
    path.write_bytes(text)
    return path


def labels(owner, *more):
    return sorted(f"{a['issuer']}:{a['account']}" for a in json.loads(owner.ok("list", "--json", *more)))


def report(done):
    return json.loads(done.stdout)


def sealed():
    """A sealed export, its passphrase, and how many accounts are in it."""
    expected = json.loads((VECTORS / "aegis/expected.json").read_text())
    name = next(name for name, case in expected.items() if case.get("passphrase", "").isascii() and case.get("passphrase"))
    return VECTORS / "aegis" / name, expected[name]["passphrase"], len(expected[name]["entries"])


def aegis(*accounts):
    """An export in clear, as the app writes it."""
    entries = [
        {"type": "totp", "name": name, "issuer": issuer, "info": {"secret": secret, "algo": "SHA1", "digits": 6, "period": 30}}
        for issuer, name, secret in accounts
    ]
    return json.dumps({"version": 1, "header": {"slots": None, "params": None}, "db": {"version": 2, "entries": entries}})


def test_an_export_comes_in_and_its_codes_are_right(owner):
    owner.ok("import", write(owner, "backup.json", aegis(("GitHub", "me", SECRETS[0]))))
    assert owner.ok("code", "github", "--at", 59).strip() == pyotp.TOTP(SECRETS[0]).at(59)


def test_a_dry_run_saves_nothing(owner):
    before = owner.vault.read_bytes()
    done = owner.run("import", "--dry-run", "--json", write(owner, "list.txt", "\n".join(URIS)))
    assert done.returncode == 0
    told = report(done)
    assert told["dry_run"] and told["counts"]["new"] == 3 and all(a["id"] is None for a in told["accounts"])
    assert owner.vault.read_bytes() == before and labels(owner) == []


def test_a_dry_run_needs_no_vault_and_makes_none(person):
    done = person.run("import", "--dry-run", "--json", write(person, "list.txt", "\n".join(URIS + URIS[:1])))
    assert done.returncode == 0
    assert [a["outcome"] for a in report(done)["accounts"]] == ["new", "new", "new", "already_there"]
    assert not person.vault.exists()


def test_all_come_in_by_one_save_and_twice_doubles_nothing(owner):
    file = write(owner, "list.txt", "\n".join(URIS))
    generation = lambda: json.loads(owner.ok("backup", "list", "--json"))
    before = len(generation())
    owner.ok("import", file)
    assert len(generation()) == before + 1
    done = owner.run("import", "--json", file)
    assert done.returncode == 0
    assert report(done)["counts"] == {"new": 0, "already_there": 3, "restored": 0, "refused": 0}
    assert len(labels(owner)) == 3


def test_undo_puts_what_came_in_into_the_trash_and_nothing_else(owner):
    owner.ok("add", "--uri", "-", stdin=URIS[0])
    owner.ok("import", write(owner, "list.txt", "\n".join(URIS)))
    assert len(labels(owner)) == 3
    owner.ok("import", "--undo")
    assert labels(owner) == ["Site0:me@example.com"]
    assert labels(owner, "--trash") == ["Site1:me@example.com", "Site2:me@example.com"]
    again = owner.run("import", "--undo")
    assert again.returncode == 3 and b"no import to undo" in again.stderr
    # What is imported again comes out of the trash.
    done = owner.run("import", "--json", owner.home / "list.txt")
    assert report(done)["counts"]["restored"] == 2
    owner.ok("import", "--undo")
    assert labels(owner) == ["Site0:me@example.com"]


def test_undo_takes_no_other_words(owner):
    assert owner.run("import", "--undo", "file.json").returncode == 2


def test_a_row_that_is_refused_stops_no_other_and_says_where_and_why(owner):
    text = aegis(("Good", "a", SECRETS[0]), ("Bad", "b", "JBSWY3DP1EHPK3PXP"), ("Also good", "c", SECRETS[1]))
    done = owner.run("import", write(owner, "backup.json", text))
    assert done.returncode == 7
    assert b"entry 2" in done.stderr and b"secret: character 9" in done.stderr and b"Bad:b" in done.stderr
    assert b"JBSWY3DP1EHPK3PXP" not in done.stdout + done.stderr
    assert labels(owner) == ["Also good:c", "Good:a"]
    told = report(owner.run("import", "--json", owner.home / "backup.json"))
    [refused] = [a for a in told["accounts"] if a["outcome"] == "refused"]
    assert (refused["place"], refused["field"], refused["class"]) == ("entry 2", "secret", "bad_secret")


def test_a_file_where_everything_is_refused_asks_for_no_passphrase(person):
    done = person.run("import", write(person, "backup.json", aegis(("Bad", "b", "1"))), passphrase=False)
    assert done.returncode == 2 and b"there is no vault" not in done.stderr


@pytest.mark.parametrize("source", ["file", "fd", "command"])
def test_the_passphrase_of_an_export_comes_from_a_source(owner, source):
    file, passphrase, count = sealed()
    secret = write(owner, "export-passphrase", passphrase + "\n")
    secret.chmod(0o600)
    if source == "file":
        done = owner.run("import", file, "--json", "--file-passphrase-file", secret)
    elif source == "command":
        done = owner.run("import", file, "--json", "--file-passphrase-command", f"cat '{secret}'")
    else:
        with open(secret) as opened:
            done = owner.run("import", file, "--json", "--file-passphrase-fd", opened.fileno(), pass_fds=[opened.fileno()])
    assert done.returncode == 0, done.stderr
    assert report(done)["counts"]["new"] == count and report(done)["files"][0]["encrypted"]


def test_wrong_missing_and_damaged_are_told_apart(owner):
    file, passphrase, _ = sealed()
    wrong = owner.run("import", file, "--file-passphrase-command", "echo something else")
    assert wrong.returncode == 5 and b"passphrase doesn't open it" in wrong.stderr
    missing = owner.run("import", file)
    assert missing.returncode == 4 and b"its own passphrase is needed" in missing.stderr
    cut = write(owner, "cut.json", file.read_bytes()[:-100])
    damaged = owner.run("import", cut, "--file-passphrase-command", f"echo '{passphrase}'")
    assert damaged.returncode == 6 and b"damaged or cut off" in damaged.stderr


def test_a_person_is_asked_and_may_mistype(owner):
    file, passphrase, _ = sealed()
    child = owner.at_terminal("import", file, "--passphrase-file", owner.passphrase_file)
    child.logfile_read = io.StringIO()
    child.expect("The passphrase of .*: ")
    child.sendline("mistyped")
    child.expect("That isn't its passphrase")
    child.expect("The passphrase of .*: ")
    child.sendline(passphrase)
    rest, exit_code = finish(child)
    assert exit_code == 0, rest
    assert "new" in rest and passphrase not in child.logfile_read.getvalue()


def test_a_person_may_leave_a_sealed_file_out(owner):
    file, _, _ = sealed()
    child = owner.at_terminal("import", file, write(owner, "list.txt", URIS[0]), "--passphrase-file", owner.passphrase_file)
    child.expect("The passphrase of .*: ")
    child.sendline("")
    rest, exit_code = finish(child)
    assert exit_code == 7, rest
    assert labels(owner) == ["Site0:me@example.com"]


def test_one_passphrase_opens_several_files(owner):
    file, passphrase, count = sealed()
    copies = [shutil.copy(file, owner.home / f"copy{n}") for n in range(2)]
    done = owner.run("import", "--json", *copies, "--file-passphrase-command", f"echo '{passphrase}'")
    assert done.returncode == 0
    assert report(done)["counts"]["new"] == report(done)["counts"]["already_there"] == count


def test_the_format_is_in_the_file_and_not_in_its_name(owner):
    text = write(owner, "photo.png", aegis(("In a picture", "a", SECRETS[0])))
    picture = shutil.copy(ROOT / "vectors/aws/clean.png", owner.home / "backup.json")
    done = owner.run("import", "--json", text, picture)
    assert done.returncode == 0
    assert [file["format"] for file in report(done)["files"]] == ["aegis", "qr"]


def test_a_file_is_not_what_it_was_said_to_be(owner):
    file = write(owner, "list.txt", URIS[0])
    done = owner.run("import", "--from", "aegis", file)
    assert done.returncode == 2 and b"this is not Aegis" in done.stderr
    assert owner.run("import", "--from", "nonsense", file).returncode == 2
    assert owner.run("import", "--from", "URI", file).returncode == 0


def test_standard_input(owner):
    done = owner.run("import", "-", "--json", stdin=aegis(("Piped", "a", SECRETS[0])))
    assert done.returncode == 0 and report(done)["files"][0]["file"] == "standard input"
    assert owner.run("import", "-", "-", stdin="").returncode == 2


def test_a_directory_is_read_whole_and_what_is_no_export_is_counted(owner):
    write(owner, "exports/deep/er/list.txt", URIS[0])
    write(owner, "exports/backup.json", aegis(("GitHub", "me", SECRETS[1])))
    write(owner, "exports/holiday.jpg", b"\xff\xd8\xff\xe0 no picture")
    write(owner, "exports/letter.txt", "Dear Sir or Madam")
    write(owner, "exports/.hidden/list.txt", URIS[2])
    os.symlink(owner.home / "exports", owner.home / "exports/deep/round")
    os.mkfifo(owner.home / "exports/pipe")
    done = owner.run("import", "--json", owner.home / "exports")
    assert done.returncode == 0, done.stderr
    assert report(done)["counts"]["new"] == 2
    assert report(done)["files"][0]["skipped"] == {"file": 2}
    empty = write(owner, "other/letter.txt", "Dear Sir or Madam").parent
    assert owner.run("import", empty).returncode == 3


@pytest.mark.parametrize("passphrase", [None, "zip it"])
def test_an_archive_is_read_in_memory(owner, passphrase):
    archive = owner.home / "archive.zip"
    with pyzipper.AESZipFile(archive, "w", compression=zipfile.ZIP_DEFLATED) as file:
        if passphrase:
            file.setpassword(passphrase.encode())
            file.setencryption(pyzipper.WZ_AES, nbits=256)
        file.writestr("exports/list.txt", URIS[0])
        file.writestr("../../escaped.json", aegis(("GitHub", "me", SECRETS[1])))
        file.writestr("readme.md", "nothing here")
    more = ["--file-passphrase-command", f"echo '{passphrase}'"] if passphrase else []
    done = owner.run("import", "--json", archive, *more)
    assert done.returncode == 0, done.stderr
    assert report(done)["counts"]["new"] == 2
    assert not list(owner.home.parent.glob("**/escaped.json"))
    if passphrase:
        wrong = owner.run("import", archive, "--file-passphrase-command", "echo wrong")
        assert wrong.returncode == 5
        assert owner.run("import", archive).returncode == 4


def migration(index, size, *accounts):
    """A part of a Google Authenticator migration, made field by field."""

    def field(number, wire, value):
        head = bytes([number << 3 | wire])
        return head + (bytes([value]) if wire == 0 else bytes([len(value)]) + value)

    payload = b""
    for issuer, name, secret in accounts:
        inner = field(1, 2, base64.b32decode(secret)) + field(2, 2, name.encode()) + field(3, 2, issuer.encode())
        payload += field(1, 2, inner + field(4, 0, 1) + field(5, 0, 1) + field(6, 0, 2))
    payload += field(2, 0, 1) + field(3, 0, size) + field(4, 0, index) + field(5, 0, 77)
    return "otpauth-migration://offline?data=" + base64.b64encode(payload).decode().replace("+", "%2B")


def test_the_parts_of_a_migration_find_each_other_in_any_order(owner):
    import segno

    parts = []
    for index in (2, 0, 1):
        path = owner.home / f"part{index}.png"
        segno.make(migration(index, 3, (f"Site{index}", "me", SECRETS[index]))).save(str(path), scale=4, border=4)
        parts.append(path)
    two = owner.run("import", *parts[:2])
    assert two.returncode == 7 and b"2 of 3 QR codes read; part 2 is missing" in two.stderr
    done = owner.run("import", "--json", *parts)
    assert done.returncode == 0
    assert report(done)["counts"] == {"new": 1, "already_there": 2, "restored": 0, "refused": 0}
    assert report(done)["migrations"] == [{"batch": 77, "parts": 3, "found": 3, "missing": []}]


def test_what_steers_a_terminal_is_never_printed(owner):
    text = aegis(("\x1b]0;pwned\x07Evil\u202e", "a\x1b[31m", SECRETS[0]), ("Bad\x1b[2J", "b", "1"))
    path = write(owner, "esc\x1b[1m.json", text)
    done = owner.run("import", path)
    assert done.returncode == 7
    for stream in (done.stdout, done.stderr):
        assert b"\x1b" not in stream and b"\x07" not in stream and "\u202e".encode() not in stream


def test_no_secret_is_printed(owner):
    file = write(owner, "list.txt", "\n".join(URIS + ["otpauth://totp/bad?secret=" + SECRETS[0] + "&digits=99"]))
    for arguments in (["--dry-run"], ["--json"], []):
        done = owner.run("import", file, *arguments)
        assert done.returncode == 7
        for secret in SECRETS:
            assert secret.encode() not in done.stdout + done.stderr


def test_a_sealed_export_and_one_in_clear_end_differently(owner):
    clear = owner.run("import", write(owner, "list.txt", URIS[0]))
    assert b"holds its secrets in clear: erase it" in clear.stderr
    file, passphrase, _ = sealed()
    done = owner.run("import", file, "--file-passphrase-command", f"echo '{passphrase}'")
    assert b"in clear" not in done.stderr


def test_the_same_secret_under_another_name_is_kept_once_and_said(owner):
    owner.ok("import", write(owner, "a.json", aegis(("GitHub", "me", SECRETS[0]))))
    done = owner.run("import", write(owner, "b.json", aegis(("Github Inc", "me@example.com", SECRETS[0]))))
    assert done.returncode == 0
    assert b"Github Inc:me@example.com has the secret of GitHub:me: kept once, under that name" in done.stderr
    other = owner.run("import", write(owner, "c.json", aegis(("GitHub", "me", SECRETS[1]))))
    assert other.returncode == 0 and b"both are kept" in other.stderr
    assert len(labels(owner)) == 2


def test_every_format_tells_how_to_leave_its_app(person):
    listed = person.ok("import", "--help", passphrase=False)
    formats = listed.split("Formats, and what of them is read:")[1].split("ZIP archives")[0].split("\n")
    ids = [line.split()[0] for line in formats if line.startswith("  ") and line.strip()]
    assert len(ids) > 30 and len(set(ids)) == len(ids)
    for format in ids:
        told = person.ok("import", "--help", format, passphrase=False)
        assert f"Format:  {format}\n" in told and "vmfa import" in told, format
    unknown = person.run("import", "--help", "nonsense", passphrase=False)
    assert unknown.returncode == 2 and b'no format "nonsense"' in unknown.stderr


def test_a_password_store_is_opened_by_gpg(owner):
    gnupg = owner.home / "gnupg"
    gnupg.mkdir(mode=0o700)
    env = {**owner.env, "GNUPGHOME": str(gnupg)}
    gpg = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", "store@example.com", "default", "default"], env=env, check=True, capture_output=True)
    store = owner.home / "store"
    (store / "web").mkdir(parents=True)
    (store / ".gpg-id").write_text("store@example.com\n")
    entries = {"web/with-code": f"hunter2\nuser: me\n{URIS[0]}\n", "web/without": "hunter2\n", "bare": f"{URIS[1]}\n"}
    for name, text in entries.items():
        subprocess.run(
            [*gpg, "--trust-model", "always", "--encrypt", "--recipient", "store@example.com", "--output", store / f"{name}.gpg"],
            input=text.encode(),
            env=env,
            check=True,
        )
    try:
        done = owner.run("import", "--json", store, env={"GNUPGHOME": str(gnupg)})
        assert done.returncode == 0, done.stderr
        assert labels(owner) == ["Site0:me@example.com", "Site1:me@example.com"]
        assert b"hunter2" not in done.stdout + done.stderr
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False)


def test_a_vault_is_made_for_who_has_none(person):
    file = write(person, "list.txt", "\n".join(URIS))
    child = person.at_terminal("import", file)
    child.expect("There is no vault yet")
    child.expect("New passphrase: ")
    child.sendline(PASSPHRASE)
    child.expect("The same again: ")
    child.sendline(PASSPHRASE)
    rest, exit_code = finish(child)
    assert exit_code == 0, rest
    assert len(labels(person)) == 3
