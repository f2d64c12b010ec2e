"""The plain mode, as a screen reader's user has it: what is said line by line, and that nothing else ever is."""

import json
import re
import sys
import time
from pathlib import Path

import pexpect
import pyotp
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from person import PASSPHRASE, Person, finish  # noqa: E402

ALICE, BOB = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ROOT, NEW = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK", "NBSWY3DPO5XXE3DENBSWY3DPO5XXE3DE"
URIS = [
    f"otpauth://totp/GitHub:alice?secret={ALICE}&issuer=GitHub",
    f"otpauth://totp/GitHub:bob?secret={BOB}&issuer=GitHub",
    # Its codes are always about to end.
    f"otpauth://totp/Quick:q?secret={BOB}&issuer=Quick&period=4",
    f"otpauth://hotp/Bank:counted?secret={ROOT}&issuer=Bank&counter=7",
    # Somebody's idea of a name: red from here on, and the cursor sent away.
    f"otpauth://totp/Evil%1B%5B31m:name%1B%5B2J?secret={ROOT}&issuer=Evil%1B%5B31m",
]


@pytest.fixture
def owner(vmfa, tmp_path):
    """Somebody with accounts, on a terminal that could do everything."""
    person = Person(vmfa, tmp_path / "home").init()
    person.env["COLORTERM"] = "truecolor"
    person.ok("add", "--uri", "-", stdin="\n".join(URIS))
    return person


class Talk:
    """A conversation; all that the program says is kept."""

    def __init__(self, person, *arguments, program=None):
        self.said = (person.home / "said").open("w+", encoding="utf-8", newline="")
        if program:
            self.child = pexpect.spawn(
                program[0], program[1:], env=person.env, encoding="utf-8", timeout=60, dimensions=(50, 120)
            )
        else:
            self.child = person.at_terminal(*arguments)
        self.child.logfile_read = self.said

    def unlock(self, count=len(URIS)):
        self.child.expect("Passphrase for .*: ")
        self.child.sendline(PASSPHRASE)
        self.child.expect(f"unlocked: {count} account")
        self.child.expect("vmfa> ")
        return self

    def say(self, line):
        """The lines that are answered."""
        self.child.sendline(line)
        self.child.expect("vmfa> ")
        answered = self.child.before.replace("\r", "").split("\n")
        assert answered[0].strip() == line.strip(), "the terminal echoes what is typed, and nothing else does"
        return [line for line in answered[1:] if line]

    def leave(self):
        """The exit code; nothing that was said moved the cursor or changed a colour."""
        code = finish(self.child)[1]
        self.child.logfile_read = None
        self.said.seek(0)
        said = self.said.read()
        assert "\x1b" not in said, repr(said)
        # A carriage return is seen only where the terminal makes it, before a newline.
        assert "\r" not in re.sub(r"\r+\n", "", said), repr(said)
        assert "\b" not in said
        for secret in (ALICE, BOB, ROOT, NEW, PASSPHRASE):
            assert secret not in said
        return code


@pytest.fixture
def talk(owner):
    return Talk(owner, "--plain").unlock()


def codes_around(secret, period=30):
    """The codes of now and of the step before: the step may have turned while we were reading."""
    totp, now = pyotp.TOTP(secret, interval=period), int(time.time())
    return [totp.at(now), totp.at(now - period)]


def spoken(line, name):
    """The digits and the seconds left of a spoken code."""
    found = re.fullmatch(rf"{name}: (\d{{3}}) (\d{{3}}), (\d+) seconds? left(?:; then (\d{{3}}) (\d{{3}}))?", line)
    assert found, line
    first = found[1] + found[2]
    return first, int(found[3]), found[4] and found[4] + found[5]


def test_words_search_and_a_number_or_the_one_match_gives_the_code(talk):
    assert talk.say("git") == ["1. GitHub, alice", "2. GitHub, bob"]
    (line,) = talk.say("2")
    code, left, then = spoken(line, "GitHub, bob")
    assert code in codes_around(BOB) and left <= 30
    assert (then is None) == (left >= 5) or then in codes_around(BOB)
    (line,) = talk.say("alice")
    assert spoken(line, "GitHub, alice")[0] in codes_around(ALICE)
    # Without a number: the one spoken of last.
    (line,) = talk.say("code")
    assert spoken(line, "GitHub, alice")[0] in codes_around(ALICE)
    talk.child.sendline("quit")
    assert talk.leave() == 0


def test_a_code_about_to_end_is_said_with_the_next_one(talk):
    (line,) = talk.say("quick")
    code, left, then = spoken(line, "Quick, q")
    totp, now = pyotp.TOTP(BOB, interval=4), int(time.time())
    pairs = [(totp.at(at), totp.at(at + 4)) for at in range(now - 60, now + 5, 4)]
    assert (code, then) in pairs and left < 5
    talk.child.sendeof()
    assert talk.leave() == 0


def test_a_pair_is_two_steps_in_order_and_is_recorded(talk, owner):
    first_line, one, two = talk.say("pair bob")
    assert first_line == "GitHub, bob: type these two in this order, at once"
    digits = [re.fullmatch(rf"{which}: (\d{{3}}) (\d{{3}})", line) for which, line in (("first", one), ("second", two))]
    got = tuple(found[1] + found[2] for found in digits)
    totp, now = pyotp.TOTP(BOB), int(time.time())
    steps = {(totp.at(at - 30), totp.at(at)): at // 30 for at in (now, now - 30)}
    assert got in steps
    # Its steps are used: a fresh code is another one.
    step = steps[got]
    fresh = json.loads(owner.ok("code", "--fresh", "--within", "2", "--json", "bob"))
    assert fresh["step"] not in (step, step - 1)
    talk.child.sendeof()
    assert talk.leave() == 0


def test_a_counter_goes_on_with_every_code(talk):
    hotp = pyotp.HOTP(ROOT)
    for counter in (7, 8):
        code = hotp.at(counter)
        assert talk.say("counted") == [f"Bank, counted: {code[:3]} {code[3:]}, counter {counter}"]
    assert talk.say("pair counted")[0].startswith("error: a counter-based account has no pair")
    talk.child.sendeof()
    assert talk.leave() == 0


def listed(owner, *arguments):
    return {(one["issuer"], one["account"]): one for one in json.loads(owner.ok("list", "--json", *arguments))}


def test_edit_remove_undo_and_the_trash(talk, owner):
    child = talk.child
    child.sendline("edit alice")
    for question, answer in [
        ("Issuer, now GitHub: ", ""),
        ("Account name, now alice: ", "alice@example.com"),
        ("Tags, - for none, now empty: ", "work home"),
        ("Note, - for none, now empty: ", "the blue key"),
    ]:
        child.expect_exact(question)
        child.sendline(answer)
    child.expect_exact("changed GitHub, alice@example.com")
    child.expect_exact("vmfa> ")
    changed = listed(owner)["GitHub", "alice@example.com"]
    assert (changed["tags"], changed["note"]) == (["work", "home"], "the blue key")

    assert talk.say("remove") == ["GitHub, alice@example.com is in the trash; undo brings it back"]
    assert talk.say("remove bob") == ["GitHub, bob is in the trash; undo brings it back"]
    assert len(listed(owner)) == 3
    assert talk.say("trash") == ["1. GitHub, alice@example.com", "2. GitHub, bob"]
    assert talk.say("undo") == ["GitHub, bob is back"]
    assert talk.say("restore 1") == ["GitHub, alice@example.com is back"]
    assert talk.say("undo") == ["nothing was removed here"]
    assert talk.say("trash") == ["the trash is empty"]
    assert len(listed(owner)) == 5 and listed(owner, "--trash") == {}
    child.sendeof()
    assert talk.leave() == 0


def test_an_account_is_added_by_a_secret_that_is_not_shown(talk, owner):
    child = talk.child
    child.sendline("add")
    child.expect("Name, as ISSUER:NAME.*: ")
    child.sendline("New Shop:me")
    child.expect("Secret .*: ")
    child.sendline(NEW)
    child.expect("added New Shop:me")
    child.expect("vmfa> ")
    (line,) = talk.say("new shop")
    assert spoken(line, "New Shop, me")[0] in codes_around(NEW)
    child.sendline("add")
    child.expect("Name, as ISSUER:NAME.*: ")
    child.sendline("")
    child.expect("Key URI: ")
    child.sendline(f"otpauth://totp/Forum:u?secret={BOB[:16]}&issuer=Forum")
    child.expect("added Forum:u")
    child.expect("vmfa> ")
    child.sendeof()
    assert talk.leave() == 0
    assert {("New Shop", "me"), ("Forum", "u")} <= set(listed(owner))


def test_what_goes_wrong_is_said_in_lines_that_begin_so(talk, owner):
    assert talk.say("nowhere at all")[0].startswith("error: no account matches")
    assert talk.say("code")[0] == "error: which account?"
    assert talk.say("7")[0].startswith("error: no account matches")
    assert talk.say("copy git")[0].startswith("error: ")
    assert talk.say("restore 1")[0] == "error: restore takes a number"
    assert talk.say("") == []
    assert any(line.startswith("quit: ") for line in talk.say("help"))
    assert len(talk.say("list")) == 5
    # A name in which somebody put control characters is read without them.
    (line,) = talk.say("evil")
    assert line.startswith("Evil") and "name" in line
    # Whatever another program saved meanwhile is there.
    owner.ok("add", "--uri", "-", stdin=f"otpauth://totp/Late:l?secret={NEW}&issuer=Late")
    (line,) = talk.say("late")
    assert spoken(line, "Late, l")[0] in codes_around(NEW)
    talk.child.sendeof()
    assert talk.leave() == 0


def test_locked_is_locked_until_the_passphrase_is_typed(talk):
    assert talk.say("lock") == ["locked"]
    for order in ("alice", "list", "add", "trash", "pair alice"):
        assert talk.say(order) == ["error: the vault is locked", "hint: unlock opens it again"]
    talk.child.sendline("unlock")
    talk.child.expect("Passphrase for .*: ")
    talk.child.sendline("wrong")
    talk.child.expect("try again")
    talk.unlock()
    assert spoken(talk.say("alice")[0], "GitHub, alice")
    talk.child.sendeof()
    assert talk.leave() == 0


def test_who_says_nothing_for_a_while_is_locked_out(owner):
    config = owner.home / "config.toml"
    config.write_text('lock-after = "1s"\n')
    owner.env["VMFA_CONFIG"] = str(config)
    talk = Talk(owner, "--plain").unlock()
    talk.child.expect("locked, since nothing was said for a while")
    talk.child.expect("vmfa> ")
    assert talk.say("alice")[0] == "error: the vault is locked"
    talk.child.sendeof()
    assert talk.leave() == 0


def test_the_agent_is_asked_where_one_serves(owner):
    owner.ok("unlock")
    try:
        talk = Talk(owner, "--plain")
        talk.child.expect("unlocked: 5 accounts")
        talk.child.expect("vmfa> ")
        assert "Passphrase" not in talk.child.before
        assert spoken(talk.say("alice")[0], "GitHub, alice")[0] in codes_around(ALICE)
        # `lock` locks it for everybody.
        assert talk.say("lock") == ["locked"]
        assert owner.run("agent", "status", passphrase=False).returncode == 4
        talk.child.sendeof()
        assert talk.leave() == 0
    finally:
        owner.run("agent", "stop", passphrase=False)


@pytest.mark.parametrize("where", ["prompt", "passphrase"])
def test_ctrl_c_leaves_with_130_and_the_terminal_in_order(owner, where):
    script = f'trap : INT; echo "before $(stty -g)."; "{owner.vmfa}" --plain; echo "exit $?"; echo "after $(stty -g)."'
    talk = Talk(owner, program=["/bin/sh", "-c", script])
    talk.child.expect(r"before (\S+)\.")
    before = talk.child.match[1]
    if where == "prompt":
        talk.unlock()
    else:
        talk.child.expect("Passphrase for .*: ")
    talk.child.sendintr()
    talk.child.expect(r"exit (\d+)")
    assert talk.child.match[1] == "130"
    talk.child.expect(r"after (\S+)\.")
    assert talk.child.match[1] == before
    assert talk.leave() == 0


def test_ctrl_c_is_a_way_to_leave_and_no_crash(talk):
    # Half a line is there already.
    talk.child.send("ali")
    talk.child.sendintr()
    assert talk.leave() == 130
    assert (talk.child.exitstatus, talk.child.signalstatus) == (130, None)


def test_an_account_that_asks_is_asked_about_and_no_is_no(owner):
    owner.ok("edit", "alice", "--confirm")
    talk = Talk(owner, "--plain").unlock()
    for answer, begins in (("n", "error: no code was given"), ("y", "GitHub, alice: ")):
        talk.child.sendline("alice")
        talk.child.expect(r"Give a code of GitHub:alice\? \[y/N\] ")
        talk.child.sendline(answer)
        talk.child.expect("vmfa> ")
        assert talk.child.before.replace("\r", "").split("\n")[1].startswith(begins)
    talk.child.sendeof()
    assert talk.leave() == 0


def test_a_new_vault_is_made_where_there_is_none(vmfa, tmp_path):
    talk = Talk(Person(vmfa, tmp_path / "new"), "--plain")
    talk.child.expect("There is no vault yet")
    for question in ("New passphrase: ", "The same again: "):
        talk.child.expect(question)
        talk.child.sendline(PASSPHRASE)
    talk.child.expect("unlocked: 0 accounts")
    talk.child.expect("vmfa> ")
    assert talk.say("list") == ["no accounts yet; add brings one in"]
    talk.child.sendeof()
    assert talk.leave() == 0


def test_global_options_work_without_a_command(owner, tmp_path):
    moved = tmp_path / "elsewhere.vmfa"
    owner.vault.rename(moved)
    talk = Talk(owner, "--vault", moved, "--plain")
    talk.child.expect("Passphrase for .*elsewhere.vmfa: ")
    talk.child.sendline(PASSPHRASE)
    talk.child.expect("unlocked: 5 accounts")
    talk.child.sendeof()
    assert talk.leave() == 0


def test_without_a_terminal_or_with_a_command_it_is_refused(owner):
    done = owner.run("--plain")
    assert done.returncode == 4 and b"error: there is no terminal" in done.stdout
    done = owner.run("--plain", "list")
    assert done.returncode == 2 and b"--plain goes with no command" in done.stderr
    # Without a command and without a terminal: the help, as for every script that forgot its command.
    for arguments, env in (([], {}), (["--vault", "x"], {}), ([], {"HOME": ""})):
        done = owner.run(*arguments, passphrase=False, env=env)
        assert done.returncode == 2 and b"Usage: vmfa" in done.stdout and done.stderr == b""
