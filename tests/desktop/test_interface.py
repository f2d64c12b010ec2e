"""`vmfa` alone, in a real terminal: each thing that a person does there, checked by other people's programs."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import zxingcpp
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from cells import picture  # noqa: E402
from desk import Desk, new_secret  # noqa: E402
from display import Display  # noqa: E402
from pane import Terminals  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
AWS = "Amazon Web Services:alice@123456789012"


@pytest.fixture(scope="module")
def terminals():
    with Terminals() as terminals:
        yield terminals


@pytest.fixture
def desk(vmfa):
    """Three accounts that differ in what a code of theirs is."""
    desk = Desk(vmfa).init()
    desk.secrets = {"GitHub:alice": new_secret(), AWS: new_secret(40), "VPN:bob": new_secret()}
    desk.ok("add", "--uri", "-", stdin="".join(f"{uri}\n" for uri in (
        f"otpauth://totp/GitHub:alice?secret={desk.secrets['GitHub:alice']}",
        f"otpauth://totp/{AWS.replace(' ', '%20')}?secret={desk.secrets[AWS]}&issuer=Amazon%20Web%20Services",
        f"otpauth://hotp/VPN:bob?secret={desk.secrets['VPN:bob']}&counter=5",
    )))
    yield desk
    desk.tidy_up()


def start(terminals, desk, **more):
    """The interface, at its question or (with an agent) at its list."""
    return terminals.open(desk, desk.vmfa, **more)


def unlock(pane, desk, wanted="accounts"):
    pane.wait("Passphrase:")
    pane.type(desk.passphrase)
    pane.keys("Enter")
    pane.wait(wanted)
    return pane


@pytest.fixture
def pane(terminals, desk):
    """The interface, unlocked."""
    pane = unlock(start(terminals, desk), desk)
    yield pane
    pane.close()


@pytest.fixture(params=["vault", "agent"])
def either(request, terminals, desk):
    """The interface, open; by the agent that was unlocked before, or by itself."""
    if request.param == "agent":
        desk.ok("unlock")
    pane = start(terminals, desk)
    if request.param == "vault":
        unlock(pane, desk)
    pane.wait("accounts", request.param)
    yield pane
    pane.close()


def choose(pane, *words):
    """Has the account that has the words chosen."""
    pane.keys("Home")

    def is_at_the_first(text):
        lines = text.split("\n")
        heading = next((at for at, line in enumerate(lines) if line.startswith("  CODE")), 0)
        return lines[heading + 1].startswith(">")

    # Not before: the one that is chosen by now would be taken for it, and the key would then move on from it.
    pane.wait(until=is_at_the_first)
    for _ in range(20):
        if any(line.startswith(">") and all(word in line for word in words) for line in pane.lines()):
            return
        before = next(line for line in pane.lines() if line.startswith(">"))
        pane.keys("Down")
        pane.wait(until=lambda text: not any(line[:1] == ">" and line[14:] == before[14:] for line in text.split("\n")))
    raise AssertionError(f"there is no {words}:\n{pane.text()}")


def shown(line):
    """The code in a line of the list."""
    found = re.match(r"[> ][* ](\d{3}) (\d{3})\b", line or "")
    return "".join(found.groups()) if found else None


def codes_between(secret, first, last, period=30):
    """The codes that are right at some moment between; and a second before, which the turn of a step may take to be drawn."""
    totp = pyotp.TOTP(secret, interval=period)
    return {totp.at(second) for second in range(int(first) - 1, int(last) + 1)}


def check_code(pane, secret, *words):
    """The code on the screen is the right one at that moment."""
    pane.wait(until=lambda text: any(all(word in line for word in words) and shown(line) for line in text.split("\n")))
    before = time.time()
    code = shown(pane.line(*words))
    assert code in codes_between(secret, before, time.time()), pane.text()
    return code


def uris(desk):
    """All accounts, as the command line exports them."""
    return [line for line in desk.ok("export", "--to", "uris", "--plaintext").splitlines() if line.startswith("otpauth://")]


def secret_of(uri):
    return parse_qs(urlsplit(uri).query)["secret"][0].rstrip("=")


# --- in, and out again -----------------------------------------------------------------------------------------------


def test_the_passphrase_is_asked_for_until_it_is_right(terminals, desk):
    pane = start(terminals, desk)
    text = pane.wait("Passphrase:")
    assert "GitHub" not in text
    pane.type("quite another")
    pane.wait("Passphrase: •••••••••••••")
    assert "quite" not in pane.text()
    pane.keys("Enter")
    pane.wait("opens", "Passphrase:", until=lambda text: "Passphrase:" in text and "•" not in text and "error" in text.lower())
    unlock(pane, desk)
    for name, words in (("GitHub:alice", ("GitHub", "alice")), (AWS, ("Amazon", "alice@123456789012"))):
        check_code(pane, desk.secrets[name], *words)
    assert "#5" in pane.line("VPN", "bob"), "a counter's code is made when it is asked for"
    pane.keys("L")
    assert "GitHub" not in pane.wait("locked")
    pane.keys("x")
    assert "GitHub" not in pane.wait("Passphrase:")
    unlock(pane, desk)
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub")
    pane.keys("Escape")
    assert pane.wait_end() == 0


def test_it_locks_itself_when_nobody_is_there(terminals, desk):
    settings = desk.root / "settings.toml"
    settings.write_text('lock-after = "2s"\n')
    pane = start(terminals, desk, env={"VMFA_CONFIG": str(settings)})
    for _ in range(2):
        pane.wait("Passphrase:")
        pane.type(desk.passphrase)
        pane.keys("Enter")
        text = pane.wait("locked: press any key")
        assert "GitHub" not in text and not re.search(r"\d{3} \d{3}", text)
        pane.keys("Enter")


def test_a_stop_is_no_way_round_the_lock(terminals, desk):
    """^Z for longer than nobody may be there, and `fg`: it is locked, and wants the passphrase."""
    settings = desk.root / "settings.toml"
    settings.write_text('lock-after = "3s"\n')
    pane = terminals.open(desk, "bash", "--norc", env={"VMFA_CONFIG": str(settings), "PS1": "ready$ "})
    pane.wait("ready$")
    pane.type(str(desk.vmfa))
    pane.keys("Enter")
    unlock(pane, desk)
    pane.keys("C-z")
    pane.wait("ready$", until=lambda text: "Stopped" in text)
    time.sleep(4)
    pane.type("fg")
    pane.keys("Enter")
    pane.wait("locked: press any key")
    pane.keys("Enter")
    text = pane.wait("Passphrase:")
    assert not re.search(r"\d{3} \d{3}", text) and "GitHub" not in text
    pane.close()


def test_the_form_changes_only_what_was_changed_in_it(pane, desk):
    """What another program has changed since it was opened stays, and a tag with a comma is one tag."""
    desk.ok("edit", "GitHub", "--tag", "one,two")
    pane.wait("one,two")
    choose(pane, "GitHub")
    pane.keys("e")
    pane.wait("edit", "issuer", "GitHub")
    desk.ok("edit", "GitHub", "--note", "from elsewhere", "--confirm")
    pane.keys("Tab", "C-u")
    pane.type("alice.renamed")
    pane.keys("C-s")
    pane.wait("changed", "alice.renamed")
    [one] = json.loads(desk.ok("list", "GitHub", "--json"))
    assert (one["account"], one["note"], one["confirm"], one["tags"]) == (
        "alice.renamed", "from elsewhere", True, ["one,two"])


def test_what_enter_copies_is_in_the_clipboard_and_leaves_it(terminals, desk, tmp_path):
    """Also when the interface has ended meanwhile."""
    settings = desk.root / "settings.toml"
    settings.write_text('clear-clipboard-after = "6s"\n')
    with Display(tmp_path, "640x480") as display:
        def clipboard():
            told = subprocess.run(["xclip", "-o", "-selection", "clipboard"], env={**desk.env, "DISPLAY": display.name},
                                  capture_output=True, text=True, timeout=20, check=False)
            return told.stdout
        pane = start(terminals, desk, env={"VMFA_CONFIG": str(settings), "DISPLAY": display.name})
        unlock(pane, desk)
        choose(pane, "GitHub")
        before = int(time.time())
        pane.keys("Enter")
        pane.wait("copied")
        copied = clipboard()
        totp = pyotp.TOTP(desk.secrets["GitHub:alice"])
        assert copied in {totp.at(at) for at in range(before, int(time.time()) + 1)}
        pane.keys("Escape")
        pane.wait_end()
        end = time.monotonic() + 60
        while clipboard():
            assert time.monotonic() < end, "the code is still in the clipboard"
            time.sleep(0.3)


def test_the_first_vault_is_made_before_and_its_recovery_code_waited_for(terminals, vmfa):
    desk = Desk(vmfa)
    pane = terminals.open(desk, desk.vmfa)
    for question in ("New passphrase:", "The same again:"):
        pane.wait(question)
        pane.type("correct horse battery staple nine")
        pane.keys("Enter")
    text = pane.wait("recovery code", "Enter opens the interface")
    assert re.search(r"(?:[0-9A-Z]{5}-){6}[0-9A-Z]{5}", text)
    pane.keys("Enter")
    pane.wait("No accounts yet")
    pane.close()
    desk.tidy_up()


def test_the_agent_opens_it_and_its_lock_closes_it(terminals, desk):
    desk.ok("unlock")
    pane = start(terminals, desk)
    pane.wait("accounts", "agent", "GitHub")
    assert "Passphrase" not in pane.text()
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub")
    # What changes the vault asks for the passphrase, and then is done.
    choose(pane, "GitHub")
    pane.keys("f")
    pane.wait("passphrase", "Passphrase:")
    pane.type(desk.passphrase)
    pane.keys("Enter")
    pane.wait("is a favourite now", "vault")
    pane.keys("Q")
    assert pane.wait_end() == 0
    pane = start(terminals, desk)
    pane.wait("accounts", "agent", "*")
    desk.ok("lock", passphrase=False)
    text = pane.wait("Passphrase:")
    assert "GitHub" not in text and not re.search(r"\d{3} \d{3}", text)
    unlock(pane, desk)


# --- the list --------------------------------------------------------------------------------------------------------


def test_a_few_letters_find_an_account_and_enter_takes_its_code(pane, desk):
    pane.keys("/")
    pane.type("gith")
    text = pane.wait("/gith", "1 of 3")
    assert "Amazon" not in text and "VPN" not in text
    pane.keys("Enter")
    pane.wait("GitHub", "copied", "Amazon", "VPN")
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub")
    # A letter that is no key begins a search too; Esc ends it.
    pane.type("xyz")
    pane.wait("/xyz", "0 of 3", "nothing matches")
    pane.keys("Escape")
    pane.wait("3 accounts", "GitHub")


def test_each_enter_takes_one_code_of_a_counter(either, desk):
    pane = either
    hotp = pyotp.HOTP(desk.secrets["VPN:bob"])
    choose(pane, "VPN")
    for counter in (5, 6):
        pane.keys("Enter")
        code = hotp.at(counter)
        pane.wait(until=lambda text: f"{code[:3]} {code[3:]}" in text)
        # What is on the screen is copied again: a service follows a counter only so far.
        pane.keys("Enter", "Enter")
        pane.wait("copied")
        assert f"counter={counter + 1}" in next(uri for uri in uris(desk) if "VPN" in uri)
        pane.keys("Space")
        pane.wait(until=lambda text: f"#{counter + 1}" in text)


def test_hidden_codes_are_shown_one_by_one(pane, desk):
    choose(pane, "GitHub")
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub")
    pane.keys("v")
    pane.wait(until=lambda text: "hidden" in text and not re.search(r"\d{3} \d{3}", text))
    pane.keys("Space")
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub")
    assert not shown(pane.line("Amazon"))
    pane.keys("Space")
    pane.wait(until=lambda text: not re.search(r"\d{3} \d{3}", text))
    pane.keys("v")
    check_code(pane, desk.secrets[AWS], "Amazon")


def test_an_account_that_asks_gives_no_code_before_the_yes(either, desk):
    pane, secret = either, desk.add("Bank:carol", None, "--confirm")
    pane.wait("4 accounts")
    choose(pane, "Bank")
    assert shown(pane.line("Bank")) is None
    pane.keys("Enter")
    assert shown(pane.wait("this account asks") and pane.line("Bank")) is None
    pane.keys("n")
    pane.wait("no code was given")
    assert shown(pane.line("Bank")) is None
    pane.keys("Enter")
    pane.wait("this account asks")
    pane.keys("y")
    check_code(pane, secret, "Bank")


def test_groups_order_and_help(terminals, desk):
    desk.ok("edit", "GitHub:alice", "--tag", "work")
    pane = unlock(start(terminals, desk), desk)
    pane.keys("g")
    pane.wait("groups", "all accounts", "work", "AWS 123456789012")
    pane.keys("Down", "Enter")
    text = pane.wait("1 of 3")
    [group] = [word for word in ("Amazon", "GitHub") if word in text.split("\n", 1)[1]]
    assert ("work" if group == "GitHub" else "123456789012") in text.split("\n")[0]
    pane.keys("Escape")
    pane.wait("3 accounts", "VPN")
    choose(pane, "VPN")
    pane.keys("Enter")
    pane.wait("#6", until=lambda text: "VPN:bob: " in text)
    pane.keys("s")
    pane.wait("by use")
    first = pane.wait(until=lambda text: "VPN" in [line for line in text.split("\n") if "GitHub" in line or "VPN" in line][0])
    assert first
    # Drawn anew, and still there.
    pane.keys("C-l")
    pane.keys("?")
    text = pane.wait("keys", "copy the code")
    pane.keys("End")
    pane.wait(until=lambda now: now != text)
    pane.keys("Escape")
    pane.wait("3 accounts", "GitHub")


def test_a_click_chooses_and_another_one_copies(pane):
    choose(pane, "Amazon")
    line = next(at for at, text in enumerate(pane.lines()) if "GitHub" in text)
    pane.click(20, line)
    pane.wait(until=lambda text: any(line[:1] == ">" and "GitHub" in line for line in text.split("\n")))
    assert "copied" not in pane.text()
    pane.click(20, line)
    pane.wait("GitHub:alice", "copied")


def test_what_another_process_adds_appears(either, desk):
    pane = either
    desk.add("Elsewhere:dora")
    check_code(pane, desk.secrets["Elsewhere:dora"], "Elsewhere", "dora")


def test_no_code_outlives_its_step(terminals, desk):
    """Steps of ten seconds: the screen is looked at over more than one turn, and never shows a code of a step before."""
    desk.secrets["Quick:ten"] = new_secret()
    desk.ok("add", "--uri", "-", stdin=f"otpauth://totp/Quick:ten?secret={desk.secrets['Quick:ten']}&period=10\n")
    pane = unlock(start(terminals, desk), desk)
    pane.wait(until=lambda text: any("Quick" in line and shown(line) for line in text.split("\n")))
    seen, late, end = set(), [], time.time() + 12
    while time.time() < end:
        before = time.time()
        code = shown(pane.line("Quick"))
        after = time.time()
        if code not in codes_between(desk.secrets["Quick:ten"], before, after, 10):
            late.append((before, code))
        seen.add(code)
        time.sleep(0.03)
    assert not late, f"codes of other steps: {late}"
    assert len(seen) >= 2, "no step has turned: nothing was tested"


# --- the pair --------------------------------------------------------------------------------------------------------


def test_the_pair_is_two_codes_in_a_row_and_both_are_used_up(either, desk):
    pane = either
    choose(pane, "Amazon")
    before = time.time()
    pane.keys("p")
    text = pane.wait("MFA code 1", "MFA code 2")
    pair = [re.search(rf"MFA code {which}\s+(\d{{3}}) (\d{{3}})", text) for which in (1, 2)]
    first, second = ("".join(found.groups()) for found in pair)
    totp = pyotp.TOTP(desk.secrets[AWS])
    right = [(totp.at(moment), totp.at(moment + 30)) for moment in range(int(before) - 30, int(time.time()) + 31, 30)]
    assert (first, second) in right, text
    fresh = json.loads(desk.ok("code", "--fresh", "--within", "2", "--json", AWS))
    given = fresh["code"] if isinstance(fresh, dict) else fresh[0]["code"]
    assert given not in (first, second)
    pane.keys("Escape")
    pane.wait_gone("MFA code 1")


# --- changes ---------------------------------------------------------------------------------------------------------


def test_edit_delete_undo_trash_erase(pane, desk):
    choose(pane, "GitHub")
    pane.keys("e")
    pane.wait("edit", "issuer", "GitHub")
    pane.keys("Tab", "C-u")
    pane.type("alice.renamed")
    pane.keys("C-s")
    pane.wait("changed", "alice.renamed")
    assert any("GitHub:alice.renamed" in unquote(uri) for uri in uris(desk))
    check_code(pane, desk.secrets["GitHub:alice"], "GitHub", "alice.renamed")

    choose(pane, "GitHub")
    pane.keys("d")
    pane.wait("is in the trash", "2 accounts")
    assert len(uris(desk)) == 2
    pane.keys("u")
    pane.wait("is back", "3 accounts")
    assert len(uris(desk)) == 3

    choose(pane, "GitHub")
    pane.keys("d")
    pane.wait("is in the trash", "2 accounts")
    pane.keys("t")
    pane.wait("trash", "erase for good")
    pane.keys("x")
    pane.wait("for good?")
    pane.keys("n")
    pane.wait_gone("for good?")
    pane.keys("Enter")
    pane.wait("is back", "3 accounts")

    choose(pane, "GitHub")
    pane.keys("d")
    pane.wait("is in the trash", "2 accounts")
    pane.keys("t")
    pane.wait("erase for good")
    pane.keys("x")
    pane.wait("for good?")
    pane.keys("y")
    pane.wait("erased")
    pane.keys("Escape")
    pane.wait("2 accounts")
    assert "GitHub" not in desk.ok("list", "--trash") and not any("GitHub" in uri for uri in uris(desk))


def test_add_by_pasting_a_uri(pane, desk):
    secret = new_secret()
    pane.paste(f"otpauth://totp/Pasted:erin?secret={secret}\n")
    text = pane.wait("add accounts", "•")
    assert secret[:8] not in text
    pane.keys("Enter")
    pane.wait("+ ", "Pasted:erin")
    assert not any("Pasted" in uri for uri in uris(desk)), "saved before the yes"
    pane.keys("Enter")
    pane.wait("4 accounts")
    check_code(pane, secret, "Pasted", "erin")
    assert secret.rstrip("=") in [secret_of(uri) for uri in uris(desk)]


def test_add_by_typing_a_secret(pane, desk):
    secret = new_secret()
    pane.keys("a")
    pane.wait("add accounts", "picture file")
    pane.keys("p")
    pane.wait("URI or secret")
    # As it is printed: in groups, in small letters.
    pane.type(" ".join(re.findall(".{1,4}", secret.lower())))
    pane.keys("Enter")
    pane.wait("a secret needs a name")
    pane.type("Typed:frank")
    pane.wait("Typed:frank")
    pane.keys("Enter")
    pane.wait("+ ", "Typed:frank")
    pane.keys("Enter")
    check_code(pane, secret, "Typed", "frank")
    assert secret.rstrip("=") in [secret_of(uri) for uri in uris(desk)]


def test_add_from_a_picture(pane, desk):
    [wanted] = next(one["uris"] for one in json.loads((ROOT / "vectors/aws/expected.json").read_text()) if one["file"] == "desktop.png")
    pane.keys("a")
    pane.wait("picture file")
    pane.keys("f")
    pane.wait("picture  ")
    pane.type(str(ROOT / "vectors/aws/no-code.png"))
    pane.keys("Enter")
    pane.wait("add accounts", "no QR code", "no-code.png")
    pane.keys("C-u")
    pane.type(str(ROOT / "vectors/aws/desktop.png"))
    pane.keys("Enter")
    pane.wait("+ ", "alice@123456789012")
    pane.keys("Enter")
    # A device of AWS wants its two codes now.
    pane.wait("MFA code 1")
    assert secret_of(wanted) in [secret_of(uri) for uri in uris(desk)]


# --- the QR code -----------------------------------------------------------------------------------------------------


def test_the_qr_code_on_the_screen_is_read_by_others(terminals, desk, tmp_path):
    pane = unlock(start(terminals, desk, size=(100, 45)), desk)
    choose(pane, "Amazon")
    pane.keys("q")
    pane.wait("Passphrase:", "shows the secret")
    pane.type("quite another")
    pane.keys("Enter")
    pane.wait(until=lambda text: "Passphrase:" in text and "error" in text.lower())
    assert "█" not in pane.text()
    pane.type(desk.passphrase)
    pane.keys("Enter")
    pane.wait("█", "take it off")
    path = tmp_path / "pane.png"
    picture(pane.coloured()).save(path)
    [by_zxing] = [found.text for found in zxingcpp.read_barcodes(Image.open(path))]
    zbar = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path], capture_output=True, check=True)
    assert zbar.stdout.decode().strip() == by_zxing
    assert by_zxing == next(uri for uri in uris(desk) if "Amazon" in uri)
    pane.keys("Escape")
    pane.wait(until=lambda text: "█" not in text and "3 accounts" in text)
    # Half of a code can't be scanned: where there is no room, it says so.
    pane.resize(60, 20)
    pane.keys("q")
    pane.wait("Passphrase:")
    pane.type(desk.passphrase)
    pane.keys("Enter")
    pane.wait("too small")
