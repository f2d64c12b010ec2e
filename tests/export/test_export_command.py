"""What a person and a script can do with `vmfa export`, and what it refuses."""

import os
import re
import subprocess

import foreign
import pexpect
import pytest
from canon import EXPORT_PASSPHRASE
from person import PASSPHRASE, finish

TARGETS = ["aegis", "2fas", "bitwarden", "bitwarden-csv", "google", "uris", "keepass", "ente", "stratum", "proton",
           "freeotp+", "pass", "sheet", "vmfa"]  # fmt: skip
NEVER_SEALED = {"bitwarden-csv", "google", "uris", "freeotp+", "pass", "sheet"}
ALWAYS_SEALED = {"keepass", "vmfa"}


def said(done):
    return done.stderr.decode()


@pytest.mark.parametrize("target", TARGETS)
def test_secrets_in_clear_have_to_be_asked_for(exporter, out, target):
    plain = exporter.run(target, out("plain"))
    sealed = exporter.run(target, out("sealed"), sealed=True)
    assert (plain.returncode == 2) == (target in ALWAYS_SEALED), said(plain)
    assert (sealed.returncode == 2) == (target in NEVER_SEALED), said(sealed)
    assert out("plain").exists() == (target not in ALWAYS_SEALED)
    assert out("sealed").exists() == (target not in NEVER_SEALED)
    for done in (plain, sealed):
        assert done.returncode in (0, 2, 7) and b"panic" not in done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_files_are_for_nobody_else_and_nothing_is_left_beside_them(exporter, tmp_path, target):
    path = tmp_path / "export"
    old = os.umask(0)
    try:
        exporter.run(target, path, sealed=target not in NEVER_SEALED)
    finally:
        os.umask(old)
    made = [path, *path.rglob("*")] if path.is_dir() else [path]
    assert all(file.stat().st_mode & 0o077 == 0 for file in made)
    assert [entry.name for entry in tmp_path.iterdir()] == ["export"]


def test_a_file_that_is_there_is_left_alone(exporter, tmp_path):
    path = tmp_path / "mine"
    path.write_text("mine")
    for target in ("uris", "vmfa", "aegis"):
        done = exporter.run(target, path, sealed=target == "vmfa")
        assert done.returncode == 2 and "left alone" in said(done) and path.read_text() == "mine"
    for target in ("pass", "google"):
        assert exporter.run(target, path).returncode == 2 and path.read_text() == "mine"
        full = tmp_path / f"{target}-full"
        full.mkdir()
        (full / "mine").write_text("mine")
        assert exporter.run(target, full, "--force").returncode == 2
        assert [entry.name for entry in full.iterdir()] == ["mine"]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert exporter.run("uris", link).returncode == 2 and not (tmp_path / "nowhere").exists()
    assert exporter.run("uris", path, "--force").returncode == 0
    assert path.read_text().startswith("otpauth://") and path.stat().st_mode & 0o777 == 0o600
    assert exporter.run("uris", tmp_path / "no/such").returncode == 3
    assert exporter.run("uris", tmp_path).returncode == 2


def test_the_passphrase_is_wanted_again_whatever_the_environment_says(exporter, out):
    person = exporter.person
    env = {"VMFA_PASSPHRASE_FILE": str(person.passphrase_file)}
    for more in (["--plaintext"], ["--export-passphrase-file", exporter.passphrase_file]):
        done = person.run("export", "--to", "aegis", "--out", out(), *more, passphrase=False, env=env)
        assert done.returncode == 4 and "typed now" in said(done) and not out().exists()


def test_without_a_terminal_the_new_passphrase_needs_a_source(exporter, out):
    done = exporter.person.run("export", "--to", "aegis", "--out", out())
    assert done.returncode == 4 and "--export-passphrase-file" in said(done) and not out().exists()
    both = exporter.run("aegis", out(), "--export-passphrase-file", exporter.passphrase_file)
    assert both.returncode == 2
    done = exporter.person.run("export", "--to", "aegis", "--out", out(), "--export-passphrase-command", "echo one two three four")
    assert done.returncode == 7, said(done)
    assert foreign.aegis(out().read_bytes(), "one two three four")


def test_what_is_left_out_is_told_and_exit_code_7_says_so(exporter, out):
    done = exporter.run("google", out())
    told = said(done)
    assert done.returncode == 7
    for label, why in (
        ("Odd Block:heidi", "7 digits"),
        ("Ninety:grace", "period of 90 s"),
        ("Rare Hash:walter", "SHA224"),
        ("Steam:gordon", "Steam"),
        ("Mobile OTP:olivia", "mOTP"),
    ):
        (line,) = [line for line in told.splitlines() if line.startswith(label)]
        assert "LEFT OUT" in line and why in line
    (line,) = [line for line in told.splitlines() if line.startswith("Amazon Web Services")]
    assert "without" in line and "tags, note, favourite, AWS serial number" in line
    assert "3 counter-based accounts (HOTP)" in told
    assert exporter.run("uris", out("uris")).returncode == 0


def test_words_choose_the_accounts(exporter, out):
    names = lambda *words: sorted(
        (entry.issuer, entry.name) for entry in map(foreign.of_uri, exporter.run("uris", "-", *words).stdout.decode().split("\n")[:-1])
    )
    assert names("GitHub") == [("GitHub", "alice@example.com")] * 2
    assert names("Counter", "judy") == [("Counter", "judy")]
    assert len(names("all")) == len(names()) == 32
    nothing = exporter.run("uris", out(), "no such account")
    assert nothing.returncode == 3 and not out().exists()
    # An account that can't be held, alone.
    none = exporter.run("google", out(), "olivia")
    assert none.returncode == 7 and not out().exists() and "no account here that" in said(none)


def test_no_secret_is_said(exporter, out):
    for target in TARGETS:
        done = exporter.run(target, out(target), sealed=target not in NEVER_SEALED)
        for entry in exporter.entries:
            assert entry.secret.hex() not in said(done)
        assert not re.search(r"[A-Z2-7]{26}", said(done)) and "secret=" not in said(done) and not done.stdout


def test_the_person_is_asked_for_both_passphrases(exporter, out):
    child = exporter.person.at_terminal("export", "--to", "aegis", "--out", out(), "Example Bank")
    child.expect("Passphrase for .*: ")
    child.sendline(PASSPHRASE)
    child.expect("Choose a passphrase for the export")
    child.expect("New passphrase: ")
    child.sendline(EXPORT_PASSPHRASE)
    child.expect("The same again: ")
    child.sendline(EXPORT_PASSPHRASE)
    rest, exit_code = finish(child)
    assert exit_code == 0 and "exported 1 account" in rest and "--help" in rest
    (entry,) = foreign.aegis(out().read_bytes(), EXPORT_PASSPHRASE)
    assert entry.issuer == "Example Bank"


def show_codes(exporter, lines, columns):
    """Google's codes in a terminal of a size."""
    person = exporter.person
    words = ["export", "--to", "google", "--plaintext", "--passphrase-file", str(person.passphrase_file)]
    return pexpect.spawn(
        person.vmfa, words, env=person.env, encoding="utf-8", timeout=60, dimensions=(lines, columns)
    )


def test_codes_are_shown_one_after_another_and_leave_nothing_behind(exporter):
    child = show_codes(exporter, 60, 100)
    child.expect_exact("\x1b[?1049h")
    child.expect(r"Code 1 of (\d+)\. Enter for the next: ")
    count = int(child.match.group(1))
    assert count > 1 and "▀" in child.before
    for number in range(2, count + 1):
        child.send("\r")
        child.expect_exact("\x1b[2J\x1b[H")
        child.expect(rf"Code {number} of {count}\.")
        assert "▀" in child.before
    child.send("\r")
    child.expect_exact("\x1b[2J\x1b[H\x1b[?1049l")
    rest, exit_code = finish(child)
    assert exit_code == 7 and "exported 21 accounts" in rest and "▀" not in rest


def test_the_terminal_is_given_back_when_it_is_stopped(exporter):
    child = show_codes(exporter, 60, 100)
    child.expect(r"Code 1 of \d+")
    child.send("\x03")
    child.expect_exact("\x1b[?1049l")
    assert finish(child)[1] == 130


def test_a_terminal_that_is_too_small_shows_no_half_code(exporter):
    child = show_codes(exporter, 24, 80)
    rest, exit_code = finish(child)
    assert exit_code == 2 and "too small" in rest and "--out DIR" in rest and "▀" not in rest


def test_no_binary_goes_to_a_terminal(exporter):
    for target in ("keepass", "stratum"):
        child = exporter.person.at_terminal("export", "--to", target)
        rest, exit_code = finish(child)
        assert exit_code == 2 and "--out FILE" in rest
    done = exporter.person.run("export", "--to", "google", "--plaintext")
    assert done.returncode == 2 and "--out DIR" in said(done)
    assert exporter.person.run("export", "--to", "pass", "--plaintext").returncode == 2


def test_a_disk_that_takes_no_more_leaves_nothing(exporter, tmp_path):
    """A file may grow to half a KiB, and the sheet is larger: the write fails half-way."""
    person = exporter.person
    words = ["export", "--to", "sheet", "--plaintext", "--out", str(tmp_path / "sheet.html")]
    done = subprocess.run(
        ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", person.vmfa, *words,
         "--passphrase-file", str(person.passphrase_file)],
        env=person.env, capture_output=True, timeout=60, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1 and "sheet.html" in said(done)
    assert list(tmp_path.iterdir()) == []


def test_every_format_says_how_and_what_is_lost(exporter):
    page = exporter.person.ok("export", "--help", passphrase=False)
    for target in TARGETS:
        assert re.search(rf"^  {re.escape(target)} ", page, re.M), target
        how = exporter.person.ok("export", "--help", target, passphrase=False)
        assert "1. " in how and ("lost" in how or "left out" in how)
    assert exporter.person.run("export", "--to", "nonsense", "--plaintext").returncode == 2
