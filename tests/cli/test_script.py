"""What a script does, without a terminal."""

import json
import os
import re
import subprocess
import time

import pyotp
import pytest
from person import ROOT, Person

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def add(owner, name="GitHub:me", secret=SECRET, *more):
    owner.ok("add", name, "--secret", "-", *more, stdin=secret)


def test_codes_agree_with_pyotp(owner):
    add(owner)
    totp = pyotp.TOTP(SECRET)
    for at in (0, 59, 1111111109, 20000000000):
        assert owner.ok("code", "github", "--at", at).strip() == totp.at(at)
    assert owner.ok("code", "github", "--at", 59, "--next").strip() == totp.at(60)
    assert owner.ok("code", "github", "--at", 55, "--min-validity", 10).strip() == totp.at(60)
    assert owner.ok("code", "github", "--at", 50, "--min-validity", 10).strip() == totp.at(50)


def test_a_pair_is_the_step_before_and_this_one(owner):
    add(owner)
    pair = json.loads(owner.ok("pair", "github", "--json"))
    totp = pyotp.TOTP(SECRET)
    first, second = pair["steps"]
    assert second == first + 1 and abs(second - time.time() // 30) <= 1
    assert pair["codes"] == [totp.at(first * 30), totp.at(second * 30)]
    assert pair["valid"][1] == {"from": second * 30, "until": second * 30 + 30}
    plain = owner.ok("pair", "github").split()
    assert len(plain) == 2 and all(len(code) == 6 for code in plain)
    following = json.loads(owner.ok("pair", "github", "--next", "--json"))
    assert following["steps"][0] - time.time() // 30 in (0, -1)


def test_a_counter_never_gives_a_code_twice(owner):
    add(owner, "bank", SECRET, "--type", "hotp")
    codes = [owner.ok("code", "bank").strip() for _ in range(3)]
    assert codes == ["755224", "287082", "359152"]
    running = [
        subprocess.Popen(
            [owner.vmfa, "code", "bank", "--passphrase-file", owner.passphrase_file], env=owner.env, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    parallel = [child.communicate(timeout=60)[0].decode().strip() for child in running]
    assert sorted(parallel) == sorted(pyotp.HOTP(SECRET).at(n) for n in range(3, 9))


def test_a_fresh_code_is_never_given_twice(owner):
    add(owner)
    while time.time() % 30 > 20:  # all five steps are wanted within one window
        time.sleep(0.5)
    running = [
        subprocess.Popen(
            [owner.vmfa, "code", "github", "--fresh", "--within", "2", "--json", "--passphrase-file", owner.passphrase_file],
            env=owner.env,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        for _ in range(5)
    ]
    steps = [json.loads(child.communicate(timeout=60)[0])["step"] for child in running]
    assert len(set(steps)) == 5, steps
    assert max(steps) - min(steps) <= 5


def test_a_fresh_code_waits_for_its_step(owner):
    add(owner, "fast", SECRET, "--period", "2")
    steps = [json.loads(owner.ok("code", "fast", "--fresh", "--json"))["step"] for _ in range(3)]
    assert len(set(steps)) == 3 and steps == sorted(steps)


def test_list_as_json_has_the_documented_names(owner):
    add(owner, "Amazon Web Services:alice", SECRET, "--tag", "work", "--serial-number", "arn:aws:iam::123456789012:mfa/alice")
    (row,) = json.loads(owner.ok("list", "--json"))
    named = ["id", "issuer", "account", "type", "algorithm", "digits", "period", "counter", "tags", "serial_number"]
    assert list(row)[: len(named)] == sorted(named) or set(named) <= set(row)
    assert row["issuer"] == "Amazon Web Services" and row["account"] == "alice"
    assert (row["type"], row["algorithm"], row["digits"], row["period"], row["counter"]) == ("totp", "SHA1", 6, 30, None)
    assert row["tags"] == ["work"] and row["serial_number"].endswith("mfa/alice")
    assert "GEZD" not in json.dumps(row)


@pytest.mark.parametrize("query", ["123456789012", "arn:aws:iam::123456789012:mfa/alice", "alice", "Amazon Web Services:alice"])
def test_an_account_is_found_by_its_aws_names(owner, query):
    add(owner, "Amazon Web Services:alice", SECRET, "--serial-number", "arn:aws:iam::123456789012:mfa/alice")
    add(owner, "GitHub:bob", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert owner.ok("code", query, "--at", 59).strip() == "287082"


def test_an_ambiguous_name_gives_no_code(owner):
    add(owner, "GitHub:me")
    add(owner, "GitHub:work", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    done = owner.run("code", "github")
    assert done.returncode == 3 and done.stdout == b""
    assert b"GitHub:me" in done.stderr and b"GitHub:work" in done.stderr and b"hint:" in done.stderr
    done = owner.run("code", "nothing-like-it")
    assert done.returncode == 3 and done.stdout == b""


def test_the_trash_gives_back(owner):
    add(owner)
    owner.ok("remove", "github")
    assert owner.ok("list") == ""
    assert owner.run("code", "github").returncode == 3
    assert "GitHub" in owner.ok("restore")
    owner.ok("restore", "github")
    assert owner.ok("code", "github", "--at", 59).strip() == "287082"
    assert owner.run("remove", "--forever", "github", "--yes").returncode == 3, "only what is in the trash is erased"
    owner.ok("remove", "github")
    owner.ok("remove", "--forever", "github", "--yes")
    assert owner.ok("list", "--trash") == "" and owner.run("restore", "github").returncode == 3


def test_the_same_account_is_kept_once_and_a_namesake_beside_it(owner):
    add(owner)
    done = owner.run("add", "GitHub:me", "--secret", "-", stdin=SECRET.lower())
    assert done.returncode == 0 and b"kept once" in done.stdout
    done = owner.run("add", "GitHub:me", "--secret", "-", stdin="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert done.returncode == 0 and b"another secret" in done.stderr
    rows = json.loads(owner.ok("list", "--json"))
    assert len(rows) == 2
    assert owner.run("code", "GitHub:me").returncode == 3
    codes = {owner.ok("code", row["id"], "--at", 59).strip() for row in rows}
    assert len(codes) == 2 and "287082" in codes


def test_editing_and_renaming(owner):
    add(owner)
    owner.ok("edit", "github", "--tag", "work", "--tag", "daily", "--note", "two\nlines\x1b[31m", "--favorite")
    owner.ok("edit", "github", "--untag", "daily")
    owner.ok("rename", "github", "Git Hub:you")
    (row,) = json.loads(owner.ok("list", "--json"))
    assert (row["issuer"], row["account"], row["tags"], row["favorite"]) == ("Git Hub", "you", ["work"], True)
    assert "\x1b" not in row["note"]
    assert owner.run("edit", "git hub", "--counter", "3").returncode == 2
    assert owner.run("edit", "git hub", "--serial-number", "nonsense").returncode == 2


def test_an_account_that_asks_gives_no_code_where_nobody_can_be_asked(owner):
    add(owner)
    (row,) = json.loads(owner.ok("list", "--json"))
    assert row["confirm"] is False and "confirm" not in owner.ok("show", "github")
    owner.ok("edit", "github", "--confirm")
    # Another edit leaves it as it is.
    owner.ok("edit", "github", "--note", "x", "--tag", "work")
    owner.ok("rename", "github", "GitHub:you")
    (row,) = json.loads(owner.ok("list", "--json"))
    assert row["confirm"] is True and json.loads(owner.ok("show", "github", "--json"))["confirm"] is True
    assert "? work" in owner.ok("list") and "asks before each code" in owner.ok("show", "github")
    for command in (["code", "github"], ["code", "github", "--at", 59, "--json"], ["code", "github", "--fresh"], ["pair", "github"]):
        done = owner.run(*command, stdin="y\n" * 9)
        assert done.returncode == 4 and done.stdout == b"", command
        assert b"no terminal to ask on" in done.stderr and done.stderr.count(b"hint:") == 1
        assert b"--no-confirm" in done.stderr
    assert owner.run("edit", "github", "--confirm", "--no-confirm").returncode == 2
    owner.ok("edit", "github", "--no-confirm")
    assert owner.ok("code", "github", "--at", 59).strip() == "287082"
    # Added once more, now to ask: it is kept once, and asks.
    done = owner.run("add", "GitHub:you", "--secret", "-", "--confirm", stdin=SECRET)
    assert done.returncode == 0 and b"kept once" in done.stdout
    assert owner.run("code", "github").returncode == 4


def test_enrolling_a_device_shows_its_pair_unasked_and_later_codes_are_asked_for(owner):
    out = owner.ok("add", ROOT / "vectors/aws/clean.png", "--confirm")
    assert len(re.findall(r"MFA code [12] +\d{6}", out)) == 2
    assert owner.run("pair", "alice").returncode == 4


def test_no_terminal_and_no_source_is_an_error_and_no_hang(owner):
    for command in (["list"], ["code", "x"], ["add", ROOT / "vectors/aws/clean.png"], ["passphrase", "change"], ["check"]):
        done = owner.run(*command, passphrase=False, timeout=20)
        assert done.returncode == 4, (command, done.stderr)
        assert b"no terminal" in done.stderr and b"hint:" in done.stderr
    assert owner.run("init", passphrase=False, env={"VMFA_VAULT": str(owner.home / "new")}, timeout=20).returncode == 4


@pytest.mark.parametrize("option", ["--secret", "--uri", "--pin"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(owner, option):
    value = f"otpauth://totp/x?secret={SECRET}" if option == "--uri" else SECRET
    more = ["--secret", "-"] if option == "--pin" else []
    for given in ([option, value], [f"{option}={value}"]):
        done = owner.run("add", "x", *given, *more)
        assert done.returncode == 2 and SECRET.encode() not in done.stdout + done.stderr, given
    assert owner.ok("list") == ""


def test_every_source_of_a_passphrase(owner):
    file = str(owner.passphrase_file)
    ways = [
        (["--passphrase-file", file], {}),
        (["--passphrase-command", f"cat '{file}'"], {}),
        ([], {"VMFA_PASSPHRASE_FILE": file}),
        ([], {"VMFA_PASSPHRASE_COMMAND": f"cat '{file}'"}),
    ]
    for arguments, env in ways:
        assert owner.run("list", *arguments, passphrase=False, env=env).returncode == 0, (arguments, env)
    with open(file, "rb") as opened:
        done = owner.run("list", "--passphrase-fd", str(opened.fileno()), passphrase=False, pass_fds=[opened.fileno()])
        assert done.returncode == 0, done.stderr
    with open(file, "rb") as opened:
        env = {"VMFA_PASSPHRASE_FD": str(opened.fileno())}
        assert owner.run("list", passphrase=False, env=env, pass_fds=[opened.fileno()]).returncode == 0
    assert owner.run("list", "--passphrase-command", "false", passphrase=False).returncode == 4
    assert owner.run("list", "--passphrase-command", "echo wrong", passphrase=False).returncode == 5
    both = {"VMFA_PASSPHRASE_FILE": file, "VMFA_PASSPHRASE_COMMAND": "true"}
    assert owner.run("list", passphrase=False, env=both).returncode == 2


def test_a_bare_relative_vault_works_and_survives(owner):
    def relative(*arguments, **more):
        return owner.run("--vault", "mine", *arguments, cwd=owner.home, **more)

    assert relative("init", "--kdf", "19456,1,1").returncode == 0
    assert relative("add", "a", "--secret", "-", stdin=SECRET).returncode == 0
    assert relative("add", "b", "--secret", "-", stdin="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").returncode == 0
    assert len(json.loads(relative("list", "--json").stdout)) == 2
    assert (owner.home / "mine").stat().st_mode & 0o777 == 0o600
    env = {"VMFA_VAULT": "mine"}
    assert len(json.loads(owner.run("list", "--json", cwd=owner.home, env=env).stdout)) == 2


def test_a_vault_that_was_named_and_is_not_there_is_not_made_by_a_script(person):
    done = person.run("--vault", person.home / "unmounted/vault", "add", "x", "--secret", "-", stdin=SECRET)
    assert done.returncode == 3 and not (person.home / "unmounted").exists()
    # The usual place is another matter: naming the passphrase says that one is wanted.
    done = person.run("add", "x", "--secret", "-", stdin=SECRET)
    assert done.returncode == 0 and person.vault.exists()


def test_the_passphrase_and_the_other_ways_in(owner):
    add(owner)
    new = owner.home / "new"
    new.write_text("another six random words here now\n")
    new.chmod(0o600)
    owner.ok("passphrase", "change", "--new-passphrase-file", new, "--kdf", "19456,1,1")
    assert owner.run("list").returncode == 5
    owner.passphrase_file = new
    assert owner.ok("code", "github", "--at", 59).strip() == "287082"
    # A second recovery code, which opens the vault.
    code = owner.ok("slot", "add", "recovery").strip()
    recovery = owner.home / "recovery"
    recovery.write_text(code.lower().replace("-", " ") + "\n")
    recovery.chmod(0o600)
    done = owner.run("list", "--recovery", "--passphrase-file", recovery, passphrase=False)
    assert done.returncode == 0, done.stderr
    # A key file, made on the way, opens it alone.
    key = owner.home / "key"
    owner.ok("slot", "add", "key-file", key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert owner.run("list", "--key-file", key, passphrase=False).returncode == 0
    slots = json.loads(owner.ok("slot", "list", "--json"))
    assert sorted(slot["kind"] for slot in slots) == ["key-file", "passphrase", "recovery", "recovery"]
    (key_slot,) = [slot["id"] for slot in slots if slot["kind"] == "key-file"]
    owner.ok("slot", "remove", key_slot)
    assert owner.run("list", "--key-file", key, passphrase=False).returncode in (4, 5)
    assert owner.ok("code", "github", "--at", 59).strip() == "287082"


def test_backups_come_back(owner):
    add(owner, "one")
    add(owner, "two", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    backups = json.loads(owner.ok("backup", "list", "--json"))
    assert backups
    owner.vault.write_bytes(b"")  # somebody's editor
    assert owner.run("list").returncode == 6
    assert owner.vault.exists()
    newest = max(backup["generation"] for backup in backups)
    owner.ok("backup", "restore", str(newest))
    assert [row["account"] for row in json.loads(owner.ok("list", "--json"))] == ["one"]
    assert "sound" in owner.ok("check")
    owner.ok("backup", "purge", "--yes")
    assert json.loads(owner.ok("backup", "list", "--json")) == []


def test_scan_tells_what_is_in_a_picture_and_needs_no_vault(person):
    clean = ROOT / "vectors/aws/clean.png"
    said = person.ok("scan", clean, passphrase=False)
    assert "Amazon Web Services" in said and "secret=" not in said
    (row,) = json.loads(person.ok("scan", "--json", clean, passphrase=False))
    assert row["issuer"] == "Amazon Web Services" and row["secret_bits"] == 320
    whole = person.ok("scan", "--secrets", clean, passphrase=False)
    zbar = subprocess.run(["zbarimg", "--raw", "-q", str(clean)], capture_output=True, check=True).stdout.decode()
    assert whole == zbar
    piped = person.run("scan", "-", stdin=clean.read_bytes(), passphrase=False)
    assert piped.returncode == 0 and b"Amazon Web Services" in piped.stdout
    assert not person.vault.exists()


def test_several_accounts_in_one_picture_and_a_migration(owner):
    owner.ok("add", ROOT / "vectors/aws/two-accounts.png")
    assert len(json.loads(owner.ok("list", "--json"))) == 2
    owner.ok("add", ROOT / "vectors/aws/migration.png")
    # The AWS account of the migration is one of the two that are there.
    assert len(json.loads(owner.ok("list", "--json"))) == 4
    owner.ok("add", ROOT / "vectors/aws/migration.png", ROOT / "vectors/aws/two-accounts.png")
    # The AWS account of the migration is one of the two that are there.
    assert len(json.loads(owner.ok("list", "--json"))) == 4


def test_bad_pictures_are_named_and_change_nothing(owner):
    before = owner.vault.read_bytes()
    text = owner.home / "text.png"
    text.write_text("not a picture\n")
    empty = owner.home / "empty.png"
    empty.write_bytes(b"")
    cut = owner.home / "cut.png"
    cut.write_bytes((ROOT / "vectors/aws/clean.png").read_bytes()[:200])
    fifo = owner.home / "fifo.png"
    os.mkfifo(fifo)
    cases = {text: 2, empty: 2, cut: 6, fifo: 2, owner.home: 2, "/dev/zero": 2, owner.home / "none.png": 3, ROOT / "vectors/aws/no-code.png": 3}
    for path, exit_code in cases.items():
        for command in ("scan", "add"):
            done = owner.run(command, path, timeout=30)
            assert done.returncode == exit_code, (command, path, done.returncode, done.stderr)
            assert done.stderr.startswith(b"vmfa: ") and not done.stdout
    assert owner.vault.read_bytes() == before


def test_a_qr_code_is_read_back(owner):
    add(owner, "株式会社:山田太郎")
    uri = owner.ok("show", "山田太郎", "--uri").strip()
    png = owner.home / "out.png"
    owner.ok("qr", "山田太郎", "--png", png)
    assert png.stat().st_mode & 0o777 == 0o600
    zbar = subprocess.run(["zbarimg", "--raw", "-q", str(png)], capture_output=True, check=True).stdout.decode().strip()
    assert zbar == uri
    assert owner.run("qr", "山田太郎", "--png", png).returncode == 2, "a file that is there is left alone"
    assert pyotp.parse_uri(uri).secret == SECRET


def test_a_label_carries_nothing_into_the_terminal(owner):
    uri = f"otpauth://totp/%1B%5D0;owned%07Evil%E2%80%AE:%1B%5B31mred%0Anew?secret={SECRET}&issuer=Evil%C2%9B31m"
    owner.ok("add", "--uri", "-", stdin=uri)
    for command in (["list"], ["list", "--json"], ["show", "evil"], ["code", "evil", "--json"]):
        out = owner.run(*command)
        shown = (out.stdout + out.stderr).decode()
        assert "\x1b" not in shown and "\u202e" not in shown and "\x9b" not in shown and "\x07" not in shown
    done = owner.run("code", "\x1b[31mnothing")
    assert b"\x1b" not in done.stderr
    done = owner.run("\x1b[31mnothing")
    assert done.returncode == 2 and b"\x1b[31m" not in done.stderr


def test_output_that_cannot_be_written_is_said(owner):
    add(owner)
    with open("/dev/full", "wb") as full:
        child = subprocess.run(
            [owner.vmfa, "code", "github", "--passphrase-file", owner.passphrase_file],
            env=owner.env, stdout=full, stderr=subprocess.PIPE, timeout=30,
        )
        assert child.returncode == 1 and b"standard output" in child.stderr
        child = subprocess.run(
            [owner.vmfa, "code", "nothing", "--passphrase-file", owner.passphrase_file],
            env=owner.env, stdout=full, stderr=full, timeout=30,
        )
        assert child.returncode == 3


def test_many_uris_and_a_bad_one_among_them(owner):
    lines = [f"otpauth://totp/Shop:user{n}?secret={pyotp.random_base32()}" for n in range(50)]
    lines[17] = "otpauth://totp/Bad:one?secret=JBSWY3DP1HPK3PXP"
    done = owner.run("add", "--uri", "-", stdin="# a list\n\n" + "\n".join(lines) + "\n")
    assert done.returncode == 7, done.stderr
    assert b"line 20" in done.stderr and b"'1'" in done.stderr and b"JBSWY" not in done.stderr
    assert len(json.loads(owner.ok("list", "--json"))) == 49


def test_help_shows_an_example_of_every_command(person):
    page = person.ok("--help", passphrase=False)
    commands = [line.split()[0] for line in page.split("Commands:")[1].split("Options:")[0].splitlines() if line.startswith("  ") and line.strip()]
    assert len(commands) >= 18
    def leaves(words):
        text = person.ok(*words, "--help", passphrase=False)
        if "Commands:" in text:
            inner = [line.split()[0] for line in text.split("Commands:")[1].split("Options:")[0].splitlines() if line.startswith("  ") and line[2] != " "]
            for sub in inner:
                if sub not in ("help",) and not sub.startswith("-"):
                    yield from leaves([*words, sub])
        else:
            yield words, text
    seen = 0
    for command in commands:
        for words, text in leaves([command]):
            seen += 1
            assert "Example" in text, words
    assert seen >= 22
    assert "130  interrupted" in page


def test_completions_and_manual_are_generated(person):
    for shell in ("bash", "zsh", "fish", "powershell", "elvish"):
        assert "vmfa" in person.ok("completions", shell, passphrase=False)
    assert ".TH" in person.ok("man", passphrase=False)
    person.ok("man", "--out", person.home / "man", passphrase=False)
    assert (person.home / "man/vmfa-slot-add.1").exists() and (person.home / "man/vmfa.1").exists()


def test_doctor_looks_without_a_passphrase(owner):
    add(owner)
    assert owner.run("doctor", passphrase=False).returncode == 0
    owner.vault.chmod(0o644)
    done = owner.run("doctor", "--json", passphrase=False)
    assert any(row["severity"] != "fine" for row in json.loads(done.stdout))
    owner.vault.chmod(0o600)
    owner.vault.write_bytes(owner.vault.read_bytes()[:-1])
    assert owner.run("doctor", passphrase=False).returncode == 6


def test_doctor_compares_the_clock_with_a_server(owner):
    import email.utils
    import http.server
    import threading

    class Skewed(http.server.BaseHTTPRequestHandler):
        offset = 0

        def do_HEAD(self):
            self.send_response_only(200)
            self.send_header("Date", email.utils.formatdate(time.time() + self.offset, usegmt=True))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Skewed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        for offset, words, exit_code in ((0, b"agrees", 0), (95, b"behind", 6), (-95, b"ahead of", 6), (12, b"12 s behind", 0)):
            Skewed.offset = offset
            done = owner.run("doctor", "--clock", url, passphrase=False)
            assert words in done.stdout and done.returncode == exit_code, (offset, done)
    finally:
        server.shutdown()
    assert owner.run("doctor", "--clock", url.replace("127.0.0.1", "[::1]"), passphrase=False).returncode == 9


def secret_file(owner, name, text):
    path = owner.home / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def test_a_key_file_slot_does_not_hide_the_passphrase_with_its_key_file(person):
    key, alone = person.home / "key", person.home / "alone"
    secret_file(person, "key", "0" * 64)
    person.ok("init", "--kdf", "19456,1,1", "--key-file", key)
    person.ok("slot", "add", "key-file", alone, "--key-file", key)
    assert person.run("check", "--key-file", key).returncode == 0, "both factors"
    assert person.run("check", "--key-file", alone, passphrase=False).returncode == 0, "the key file alone"
    assert person.run("check").returncode in (4, 5), "the passphrase alone"
    # A change of passphrase keeps the second factor and the cost.
    new = secret_file(person, "new", "another six random words here now")
    person.ok("passphrase", "change", "--new-passphrase-file", new, "--key-file", key)
    person.passphrase_file = new
    assert person.run("check", "--key-file", key).returncode == 0
    assert person.run("check").returncode in (4, 5)
    slots = json.loads(person.ok("slot", "list", "--json", "--key-file", key))
    (passphrase,) = [slot for slot in slots if slot["kind"] == "passphrase"]
    assert passphrase["with_key_file"] and passphrase["m_kib"] == 19456


def test_secrets_among_the_words_are_refused_and_not_repeated(owner):
    uri = f"otpauth://totp/A:b?secret={SECRET}"
    for words in ([uri], ["GitHub", SECRET], [SECRET], [SECRET.lower()], ["GitHub", uri]):
        done = owner.run("add", *words)
        assert done.returncode == 2 and SECRET.lower().encode() not in (done.stdout + done.stderr).lower(), words
    assert owner.ok("list") == ""


def test_a_missing_picture_is_no_name(owner):
    done = owner.run("add", "missing.png", ROOT / "vectors/aws/clean.png")
    assert done.returncode == 3 and owner.ok("list") == ""
    assert owner.run("add", ROOT / "vectors/aws/clean.png", "--secret", "-", stdin=SECRET).returncode == 2
    assert owner.run("add", "--secret", "-", stdin=SECRET).returncode == 2, "a name is needed"


def test_named_pipes_never_make_it_wait(owner):
    fifo = owner.home / "fifo"
    os.mkfifo(fifo)
    for arguments in (["list", "--passphrase-file", fifo], ["list", "--key-file", fifo], ["slot", "add", "key-file", fifo]):
        assert owner.run(*arguments, passphrase="--passphrase-file" not in arguments, timeout=20).returncode in (2, 4, 5), arguments
    for arguments in (["--vault", fifo, "list"], ["--vault", fifo, "doctor"], ["backup", "restore", fifo]):
        assert owner.run(*arguments, timeout=20).returncode in (2, 6), arguments


def test_a_closed_standard_output_costs_no_counter(owner):
    add(owner, "bank", SECRET, "--type", "hotp")
    shell = f"'{owner.vmfa}' code bank --passphrase-file '{owner.passphrase_file}' >&-"
    done = subprocess.run(["/bin/sh", "-c", shell], env=owner.env, capture_output=True, timeout=30)
    assert done.returncode == 1 and b"closed" in done.stderr
    assert owner.ok("code", "bank").strip() == "755224"


def test_the_last_way_in_is_not_removed_in_passing(owner):
    slots = json.loads(owner.ok("slot", "list", "--json"))
    for slot in slots:
        assert owner.run("slot", "remove", slot["id"]).returncode == 4
    (recovery,) = [slot["id"] for slot in slots if slot["kind"] == "recovery"]
    owner.ok("slot", "remove", recovery, "--yes")
    (left,) = json.loads(owner.ok("slot", "list", "--json"))
    assert owner.run("slot", "remove", left["id"], "--yes").returncode == 2
    assert owner.run("list").returncode == 0


def test_nothing_to_change_is_said(owner):
    add(owner)
    assert owner.run("edit", "github").returncode == 2
    assert owner.run("edit", "github", "--pin", "-", stdin="1234").returncode == 2
    for wrong in (["code", "github", "--at", "-5"], ["code", "github", "--at", "1e5"], ["edit", "github", "--counter", "-1"]):
        done = owner.run(*wrong)
        assert done.returncode == 2 and b"whole number" in done.stderr, done.stderr


def test_a_costly_vault_is_not_made_by_mistake(person):
    done = person.run("init", "--kdf", "1048576,1,1")
    assert done.returncode == 2 and b"--accept-high-kdf" in done.stderr and not person.vault.exists()


def test_every_usage_error_is_one_line_and_one_hint(person):
    for wrong in (["bogus"], ["code"], ["code", "x", "--bogus"], ["--vault"], ["pair", "x", "--next", "--wait"], ["slot", "add", "bogus"]):
        done = person.run(*wrong, passphrase=False)
        lines = done.stderr.decode().splitlines()
        assert done.returncode == 2 and len(lines) == 2, (wrong, lines)
        assert lines[0].startswith("vmfa: ") and lines[1].startswith("hint: "), lines


def test_an_old_copy_and_its_passphrase_give_nothing_away_after_a_full_exchange(owner):
    add(owner)
    old = json.loads(owner.ok("slot", "list", "--json"))
    new = secret_file(owner, "new", "another six random words here now")
    code = owner.ok("passphrase", "change", "--new-passphrase-file", new, "--new-recovery").strip()
    owner.passphrase_file = new
    slots = json.loads(owner.ok("slot", "list", "--json"))
    assert len(slots) == 2 and not {slot["id"] for slot in slots} & {slot["id"] for slot in old if slot["kind"] == "recovery"}
    recovery = secret_file(owner, "recovery", code)
    assert owner.run("check", "--recovery", "--passphrase-file", recovery, passphrase=False).returncode == 0


def test_a_conflict_copy_is_taken_in(owner):
    import shutil

    add(owner, "one")
    copy = owner.home / "vault (conflicted copy).vmfa"
    shutil.copy(owner.vault, copy)
    add(owner, "two", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    # Another machine, which knows nothing of what this one has seen.
    elsewhere = {"HOME": str(owner.home / "elsewhere")}
    owner.ok("--vault", copy, "add", "three", "--secret", "-", stdin="KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU", env=elsewhere)
    owner.ok("backup", "merge", copy)
    assert sorted(row["account"] for row in json.loads(owner.ok("list", "--json"))) == ["one", "three", "two"]
    assert b"nothing" in owner.run("backup", "merge", copy).stderr


def test_a_name_longer_than_any_is_told_before_anything_is_asked(person):
    person.init()
    done = person.run("code", "x" * 1025, passphrase=False)
    assert done.returncode == 3 and b"no account matches" in done.stderr
    assert len(done.stderr) < 400


def test_an_account_without_its_pin_is_no_damage(owner):
    """As mOTP accounts come from other apps, which keep the PIN to themselves."""
    add(owner)
    owner.ok("add", "--uri", "-", stdin="otpauth://motp/VPN?secret=3132333435363738")
    lines = owner.ok("check").splitlines()
    assert lines == ["VPN: no PIN yet: `vmfa edit QUERY --pin -` stores it", "generation 3, 2 accounts, 1 without a PIN yet, all sound"]
    owner.ok("edit", "VPN", "--pin", "-", stdin="1234")
    assert owner.ok("check") == "generation 4, 2 accounts, all sound\n"
