"""What a person does at a terminal, from the picture that AWS shows to the codes that it asks for."""

import json
import re
import time

import pexpect
import pyotp
from person import PASSPHRASE, ROOT, finish

AWS = ROOT / "vectors/aws"


def expected(picture):
    rows = json.loads((AWS / "expected.json").read_text())
    uris = [row for row in rows if row["file"] == picture]
    assert uris, f"{picture} is not described"
    row = uris[0]
    return pyotp.parse_uri(row["uri"] if "uri" in row else row["uris"][0])


def make(person, child):
    """Answers the questions of a new vault."""
    child.expect("New passphrase: ")
    child.sendline(PASSPHRASE)
    child.expect("The same again: ")
    child.sendline(PASSPHRASE)


def test_from_an_aws_picture_to_the_pair_with_no_more_than_a_passphrase(person):
    totp = expected("clean.png")
    child = person.at_terminal("add", AWS / "clean.png")
    child.expect("There is no vault yet")
    make(person, child)
    child.expect("recovery code")
    child.expect(r"MFA code 1 +\S*?(\d{6})")
    first = child.match.group(1)
    child.expect(r"MFA code 2 +\S*?(\d{6})")
    second = child.match.group(1)
    rest, exit_code = finish(child)
    assert exit_code == 0, rest
    step = int(time.time()) // 30
    # The step may have turned while we were reading.
    pairs = [(totp.at(s * 30 - 30), totp.at(s * 30)) for s in (step, step - 1)]
    assert (first, second) in pairs

    child = person.at_terminal("code", "alice")
    child.expect("Passphrase for .*: ")
    child.sendline(PASSPHRASE)
    rest, exit_code = finish(child)
    assert exit_code == 0
    code = re.search(r"\b(\d{6})\b", rest).group(1)
    step = int(time.time()) // 30
    assert code in (totp.at(step * 30), totp.at(step * 30 - 30))
    assert "s left" in rest


def test_a_passphrase_is_never_echoed(person):
    child = person.at_terminal("init", "--kdf", "19456,1,1")
    child.logfile_read = open(person.home / "screen", "w")
    make(person, child)
    finish(child)
    child.logfile_read.close()
    assert PASSPHRASE not in (person.home / "screen").read_text()


def test_two_passphrases_that_differ_are_asked_again(person):
    child = person.at_terminal("init", "--kdf", "19456,1,1")
    child.expect("New passphrase: ")
    child.sendline(PASSPHRASE)
    child.expect("The same again: ")
    child.sendline(PASSPHRASE + "x")
    child.expect("differ")
    make(person, child)
    assert finish(child)[1] == 0
    assert person.ok("list") == ""


def test_a_weak_passphrase_is_judged_and_asked_about(person):
    child = person.at_terminal("init", "--kdf", "19456,1,1")
    child.expect("New passphrase: ")
    child.sendline("password1")
    child.expect("weak")
    child.expect(r"\[y/N\] ")
    child.sendline("n")
    make(person, child)
    assert finish(child)[1] == 0


def test_a_wrong_passphrase_may_be_mended_and_the_third_time_ends(owner):
    child = owner.at_terminal("list")
    child.expect("Passphrase")
    child.sendline("wrong")
    child.expect("try again")
    child.expect("Passphrase")
    child.sendline(PASSPHRASE)
    assert finish(child)[1] == 0
    child = owner.at_terminal("list")
    for _ in range(3):
        child.expect("Passphrase for")
        child.sendline("wrong")
    rest, exit_code = finish(child)
    assert exit_code == 5, rest


def test_interrupting_the_prompt_gives_the_terminal_back(owner):
    shell = pexpect.spawn("/bin/sh", env={**owner.env, "PS1": "$ "}, encoding="utf-8", timeout=30)
    shell.expect(r"\$ ")
    shell.sendline(f"{owner.vmfa} list; echo exit=$?")
    shell.expect("Passphrase for [^:]*: ")
    shell.send("half\x03")
    shell.expect("exit=130")
    shell.sendline("stty -a")
    shell.expect(r"(?<!-)\bisig\b")
    shell.expect(r"(?<!-)\becho\b")
    shell.close(force=True)


def test_the_secret_is_typed_unseen(owner):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    child = owner.at_terminal("add", "GitHub:me", "--secret", "-", "--passphrase-file", owner.passphrase_file)
    child.logfile_read = open(owner.home / "screen", "w")
    child.expect("Secret .*: ")
    child.sendline(secret)
    assert finish(child)[1] == 0
    child.logfile_read.close()
    assert secret not in (owner.home / "screen").read_text()
    assert owner.ok("code", "github", "--at", "59").strip() == "287082"


def test_a_secret_is_shown_only_after_the_passphrase_was_typed(owner):
    owner.ok("add", "GitHub:me", "--secret", "-", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    env = {"VMFA_PASSPHRASE_FILE": str(owner.passphrase_file)}
    # The environment opens the vault for codes, and not for secrets.
    assert owner.run("code", "github", passphrase=False, env=env).returncode == 0
    for command in (["show", "github", "--secret"], ["show", "github", "--uri"], ["qr", "github"]):
        done = owner.run(*command, passphrase=False, env=env)
        assert done.returncode == 4 and not done.stdout, command
    child = owner.at_terminal("show", "github", "--secret")
    child.expect("Passphrase")
    child.sendline(PASSPHRASE)
    rest, exit_code = finish(child)
    assert exit_code == 0 and "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in rest


def test_waiting_shows_this_code_then_the_next(owner):
    # A period of 2 s, so that nobody has to wait.
    owner.ok("add", "fast", "--secret", "-", "--period", "2", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    totp = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", interval=2)
    child = owner.at_terminal("pair", "fast", "--wait", "--passphrase-file", owner.passphrase_file)
    child.expect(r"(\d{6})\r\n")
    first = child.match.group(1)
    child.expect(r"the second code in \d s")
    child.expect(r"(\d{6})\r\n")
    second, now = child.match.group(1), int(time.time())
    assert finish(child)[1] == 0
    assert second in (totp.at(now), totp.at(now - 2))
    assert first in (totp.at(now - 2), totp.at(now - 4))


def test_a_signal_at_the_prompt_gives_the_terminal_back(owner):
    shell = pexpect.spawn("/bin/sh", env={**owner.env, "PS1": "$ "}, encoding="utf-8", timeout=30)
    shell.expect(r"\$ ")
    shell.sendline(f"timeout --foreground 1 {owner.vmfa} list; echo exit=$?")
    shell.expect("Passphrase for [^:]*: ")
    shell.expect(r"exit=\d+")
    shell.sendline("stty -a")
    shell.expect(r"(?<!-)\becho\b")
    shell.close(force=True)


def test_a_changed_passphrase_offers_to_delete_the_backups_that_open_with_the_old_one(owner):
    owner.ok("add", "GitHub:me", "--secret", "-", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    child = owner.at_terminal("passphrase", "change")
    child.expect("Passphrase for")
    child.sendline(PASSPHRASE)
    child.expect("New passphrase: ")
    child.sendline("another six random words here now")
    child.expect("The same again: ")
    child.sendline("another six random words here now")
    child.expect(r"Make a new one\? \[y/N\] ")
    child.sendline("n")
    child.expect(r"Delete them\? \[y/N\] ")
    child.sendline("y")
    rest, exit_code = finish(child)
    assert exit_code == 0 and "deleted" in rest
    assert not list(owner.vault.parent.glob("*.bak-*"))


def answered(owner, answer, *command):
    """What a command says when its question is answered so, and its exit code."""
    child = owner.at_terminal(*command, "--passphrase-file", owner.passphrase_file)
    child.expect(r"Give a code of GitHub:me\? \[y/N\] ")
    child.sendline(answer)
    return finish(child)


def test_an_account_that_asks_gives_a_code_after_a_yes_and_none_after_anything_else(owner):
    owner.ok("add", "GitHub:me", "--secret", "-", "--confirm", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    rest, exit_code = answered(owner, "y", "code", "github", "--at", "59")
    assert exit_code == 0 and "287082" in rest
    rest, exit_code = answered(owner, "YES", "pair", "github")
    assert exit_code == 0 and len(re.findall(r"\b\d{6}\b", rest)) == 2
    for no in ("", "n", "yes please"):
        for command in (["code", "github", "--at", "59"], ["code", "github", "--json"], ["pair", "github"]):
            rest, exit_code = answered(owner, no, *command)
            assert exit_code == 130 and "no code was given" in rest
            assert not re.search(r"\d{6}", rest), rest
    child = owner.at_terminal("code", "github", "--passphrase-file", owner.passphrase_file)
    child.expect(r"\[y/N\] ")
    child.sendeof()
    rest, exit_code = finish(child)
    assert exit_code == 130 and not re.search(r"\d{6}", rest)


def test_a_yes_down_a_pipe_is_no_answer(owner):
    owner.ok("add", "GitHub:me", "--secret", "-", "--confirm", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    shell = pexpect.spawn(
        "/bin/sh",
        ["-c", f"yes | {owner.vmfa} code github --at 59 --passphrase-file {owner.passphrase_file}"],
        env=owner.env,
        encoding="utf-8",
        timeout=60,
    )
    shell.expect(r"\[y/N\] ")
    shell.sendline("n")
    rest, exit_code = finish(shell)
    assert exit_code == 130 and "287082" not in rest


def test_a_no_uses_up_no_counter(owner):
    owner.ok("add", "GitHub:me", "--secret", "-", "--type", "hotp", "--confirm", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert answered(owner, "n", "code", "github")[1] == 130
    rest, exit_code = answered(owner, "y", "code", "github")
    # RFC 4226, appendix D, count 0.
    assert exit_code == 0 and "755224" in rest
