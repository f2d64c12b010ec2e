"""The agent on a desktop: what has it lock, and what it asks a person. The desktop is made up; the program is the real one."""

import json
import os
import re
import time

import pyotp
import pytest
import spoken
from bus import until
from desk import new_secret


@pytest.fixture
def there(desk, desktop):
    """A desk on that desktop, unlocked, whose agent has begun to listen."""
    desk.env["DBUS_SYSTEM_BUS_ADDRESS"] = desktop.system.address
    desk.env["DBUS_SESSION_BUS_ADDRESS"] = desktop.session.address
    desk.unlock()
    until(desktop.logind.held, "a delay lock")
    desktop.session.listener("ActiveChanged")
    return desk


def is_locked(desk):
    return desk.run("agent", "status", passphrase=False).returncode == 4


def test_sleep_waits_until_the_key_is_gone(there, desktop):
    assert not is_locked(there)
    desktop.logind.emit_prepare_for_sleep(True)
    # The machine sleeps when the delay lock is given up: the key must be gone by then.
    until(lambda: not desktop.logind.held(), "the delay lock given up")
    assert is_locked(there)
    desktop.logind.emit_prepare_for_sleep(False)
    until(desktop.logind.held, "a delay lock for the next time")
    there.unlock()
    assert not is_locked(there)


def test_a_locked_session_locks_the_agent(there, desktop):
    session = desktop.logind.session(os.getuid())
    desktop.logind.emit_lock(session)
    until(lambda: is_locked(there), "locked by Lock")
    there.unlock()
    desktop.logind.emit_locked_hint(session, True)
    until(lambda: is_locked(there), "locked by LockedHint")


def test_another_users_session_is_none_of_ours(there, desktop):
    desktop.logind.emit_lock(desktop.logind.session(os.getuid() + 1))
    desktop.logind.settle()
    assert not is_locked(there)
    # It did hear: what is said in the same way of our own session locks.
    desktop.logind.emit_lock(desktop.logind.session(os.getuid()))
    until(lambda: is_locked(there), "locked by our own session")


def test_a_screen_saver_locks_the_agent(there, desktop):
    saver = desktop.screen_saver("org.gnome.ScreenSaver")
    saver.emit_screensaver(False)
    saver.settle()
    assert not is_locked(there)
    saver.emit_screensaver(True)
    until(lambda: is_locked(there), "locked by the screen saver")


def test_an_account_that_asks_is_asked_about_on_the_desktop(there, desktop):
    there.ok("edit", "alpha", "--confirm")
    yes = desktop.notifications("allow")
    code = there.ok("code", "alpha", passphrase=False).strip()
    assert re.fullmatch(r"\d{6}", code)
    (shown,) = yes.shown.values()
    assert "alpha" in shown["title"] and "code" in shown["title"].lower()
    pair = there.ok("pair", "alpha", passphrase=False).split()
    assert code in pair or len(pair) == 2
    assert len(yes.shown) == 2, "a pair is asked for once"
    # What gives no code asks nothing.
    there.ok("list", passphrase=False)
    there.ok("show", "alpha", passphrase=False)
    assert len(yes.shown) == 2


@pytest.mark.parametrize("answer", ["deny", "close", "other"])
def test_a_no_gives_nothing(there, desktop, answer):
    there.ok("edit", "alpha", "--confirm")
    if answer == "other":
        # A click on the notification itself is no answer: the person closes it then.
        server = desktop.notifications("never")
        run = there.start("code", "alpha", passphrase=False)
        (number,) = until(lambda: list(server.shown), "a notification")
        server.invoke(number, "default")
        server.emit_closed(number)
        out, _ = run.communicate(timeout=60)
    else:
        desktop.notifications(answer)
        run = there.start("code", "alpha", passphrase=False)
        out, _ = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, b"")


def test_no_counter_is_used_up_by_a_no(there, desktop):
    uri = f"otpauth://hotp/counted?secret={there.secrets['alpha']}&counter=7\n"
    there.ok("add", "--uri", "-", stdin=uri)
    there.ok("edit", "counted", "--confirm")
    desktop.notifications("deny")
    assert there.run("code", "counted", passphrase=False).returncode == 130
    assert '"counter": 7' in there.ok("show", "counted", "--json", passphrase=False)


def test_without_a_desktop_the_terminal_is_asked(desk):
    desk.unlock()
    desk.ok("edit", "alpha", "--confirm")
    refused = desk.run("code", "alpha", passphrase=False)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "asks before each code" in refused.stderr
    for said, exit_code in [("y", 0), ("n", 130), ("", 130)]:
        child = desk.at_terminal("code", "alpha")
        child.expect("Give a code of alpha")
        child.sendline(said)
        child.expect_exact("\r\n")
        rest = child.read()
        child.close()
        assert child.exitstatus == exit_code, rest
        assert bool(re.search(r"\b\d{6}\b", rest)) == (exit_code == 0), rest


def test_a_questioner_that_goes_away_blocks_nobody(there, desktop):
    there.ok("edit", "alpha", "--confirm")
    there.add("other")
    server = desktop.notifications("never")
    run = there.start("code", "alpha", passphrase=False)
    until(lambda: list(server.shown), "a notification")
    run.kill()
    run.communicate()
    assert re.fullmatch(r"\d{6}\n", there.ok("code", "other", passphrase=False))
    there.ok("lock", passphrase=False)
    assert is_locked(there)


# --- What may change while the question is open ---


def asking(desk, desktop, *arguments):
    """A run whose question is on the desktop, unanswered: the process, the server and the question's number."""
    server = desktop.notifications("never")
    run = desk.start(*arguments, passphrase=False)
    (number,) = until(lambda: list(server.shown), "a notification")
    return run, server, number


def finished(run):
    out, err = run.communicate(timeout=60)
    return run.returncode, out.decode(), err.decode()


def with_period(desk, name, period):
    desk.secrets[name] = new_secret()
    desk.ok("add", "--uri", "-", stdin=f"otpauth://totp/{name}?secret={desk.secrets[name]}&period={period}\n")
    desk.ok("edit", name, "--confirm")


def right(desk, name, at, period):
    return pyotp.HOTP(desk.secrets[name]).at(int(at // period))


PERIOD = 6


@pytest.mark.parametrize("verb", ["code", "pair"])
def test_the_code_is_of_the_moment_of_the_answer(there, desktop, verb):
    with_period(there, "quick", PERIOD)
    run, server, number = asking(there, desktop, verb, "quick")
    # Two steps later: the one before the present is the second of a pair, and isn't the question's either.
    begun = time.time() // PERIOD
    until(lambda: time.time() // PERIOD >= begun + 3, "another step")
    before = time.time()
    server.invoke(number, "allow")
    exit_code, out, err = finished(run)
    after = time.time()
    assert exit_code == 0, err
    steps = range(int(before // PERIOD), int(after // PERIOD) + 1)
    assert out.split()[-1] in [right(there, "quick", step * PERIOD, PERIOD) for step in steps]


@pytest.mark.parametrize("verb", ["code", "pair"])
def test_what_goes_to_the_trash_while_the_question_is_open_gives_nothing(there, desktop, verb):
    there.ok("edit", "alpha", "--confirm")
    run, server, number = asking(there, desktop, verb, "alpha")
    there.ok("remove", "alpha", "--no-agent")
    server.invoke(number, "allow")
    exit_code, out, err = finished(run)
    assert (exit_code, out) == (3, ""), err


def test_a_no_uses_up_no_fresh_step(there, desktop):
    with_period(there, "slow", 86400)
    server = desktop.notifications("deny")
    assert there.run("code", "slow", "--fresh", "--within", "1", passphrase=False).returncode == 130
    assert len(server.shown) == 1
    # Of three steps none is gone.
    server.does = "allow"
    steps = {json.loads(there.ok("code", "slow", "--fresh", "--within", "1", "--json", passphrase=False))["step"] for _ in range(3)}
    assert len(steps) == 3
    assert len(server.shown) == 4, "each was asked for once"


@pytest.mark.parametrize("options", [["--fresh", "--within", "0"], ["--min-validity", str(PERIOD)]])
def test_who_has_to_wait_after_a_yes_isnt_asked_again(there, desktop, options):
    with_period(there, "quick", PERIOD)
    server = desktop.notifications("allow")
    seen = []
    for _ in range(3):
        begun = time.time()
        found = json.loads(there.ok("code", "quick", *options, "--json", passphrase=False))
        assert found["code"] == right(there, "quick", found["valid_from"], PERIOD)
        assert begun // PERIOD * PERIOD <= found["valid_from"] <= time.time()
        seen.append(found["step"])
    assert len(set(seen)) == 3 or "--fresh" not in options
    assert len(server.shown) == 3


def test_a_counters_code_is_asked_for_once(there, desktop):
    uri = f"otpauth://hotp/counted?secret={there.secrets['alpha']}&counter=7\n"
    there.ok("add", "--uri", "-", stdin=uri)
    there.ok("edit", "counted", "--confirm")
    server = desktop.notifications("allow")
    code = there.ok("code", "counted", passphrase=False).strip()
    assert code == pyotp.HOTP(there.secrets["alpha"]).at(7)
    assert len(server.shown) == 1


def test_a_yes_is_for_one_code_of_one_account_on_one_connection(there, desktop):
    there.add("beta")
    for name in ("alpha", "beta"):
        there.ok("edit", name, "--confirm")
    alpha, beta = there.id("alpha"), there.id("beta")
    server = desktop.notifications("allow")

    def kind(line, account):
        return line.ask(spoken.CODE, spoken.code(account)).kind

    def allowed(line, account):
        assert line.ask(spoken.MAY, spoken.may(account)).kind == "asking"
        assert line.hear().kind == "done"

    with there.line() as line, there.line() as other:
        assert kind(line, alpha) == "ask first" and not server.shown
        allowed(line, alpha)
        assert kind(other, alpha) == "ask first"
        assert kind(line, beta) == "ask first"
        assert kind(line, alpha) == "code"
        assert kind(line, alpha) == "ask first"
    with there.line() as line:
        allowed(line, alpha)
        # Longer than a silent connection is kept otherwise.
        time.sleep(2)
        assert kind(line, alpha) == "code"
    assert len(server.shown) == 2


def test_a_yes_on_the_terminal_is_for_one_account(desk):
    desk.add("beta")
    for name in ("alpha", "beta"):
        desk.ok("edit", name, "--confirm")
    desk.unlock()
    alpha, beta = desk.id("alpha"), desk.id("beta")
    with desk.line() as line:
        for asked, kind in ((0, "ask first"), (1, "done")):
            assert line.ask(spoken.MAY, spoken.may(alpha, asked)).kind == "asking"
            assert line.hear().kind == kind
        assert line.ask(spoken.CODE, spoken.code(beta)).kind == "ask first"
        assert line.ask(spoken.PAIR, spoken.pair(alpha)).kind == "pair"
        assert line.ask(spoken.PAIR, spoken.pair(alpha)).kind == "ask first"


def test_a_question_goes_with_whoever_asked(there, desktop):
    uri = f"otpauth://hotp/counted?secret={there.secrets['alpha']}&counter=7\n"
    there.ok("add", "--uri", "-", stdin=uri)
    there.ok("edit", "counted", "--confirm")
    run, server, number = asking(there, desktop, "code", "counted")
    run.kill()
    run.communicate()
    until(lambda: number in server.closed, "the notification taken away")
    # A yes that comes late is nobody's; and the next question stands there at once.
    server.invoke(number, "allow")
    begun = time.monotonic()
    run = there.start("code", "counted", passphrase=False)
    (second,) = until(lambda: [shown for shown in server.shown if shown != number], "the next notification")
    assert time.monotonic() - begun < 30, "it waited behind a question of nobody"
    server.invoke(second, "allow")
    exit_code, out, err = finished(run)
    assert exit_code == 0, err
    assert out.strip() == pyotp.HOTP(there.secrets["alpha"]).at(7), "no counter was used up for nobody"


def test_a_question_goes_when_the_agent_is_locked(there, desktop):
    there.ok("edit", "alpha", "--confirm")
    run, server, number = asking(there, desktop, "code", "alpha")
    there.ok("lock", passphrase=False)
    until(lambda: number in server.closed, "the notification taken away")
    exit_code, out, _ = finished(run)
    assert (exit_code, out) == (4, ""), "there is nobody to ask for the passphrase"


@pytest.mark.parametrize("options", [["--fresh", "--within", "0"], ["--min-validity", str(PERIOD)]])
@pytest.mark.parametrize("end", ["lock", "stop"])
def test_a_wait_goes_on_when_the_agent_has_locked(desk, options, end):
    with_period(desk, "quick", PERIOD)
    desk.ok("edit", "quick", "--no-confirm")
    desk.unlock()
    before = json.loads(desk.ok("code", "quick", *options, "--json"))
    run = desk.start("code", "quick", *options, "--json")
    time.sleep(0.5)
    desk.ok(*(["lock"] if end == "lock" else ["agent", "stop"]), passphrase=False)
    exit_code, out, err = finished(run)
    assert exit_code == 0, err
    found = json.loads(out)
    assert found["code"] == right(desk, "quick", found["valid_from"], PERIOD)
    assert found["step"] > before["step"]


@pytest.mark.parametrize("kind", ["fresh", "counter"])
def test_a_lock_while_the_question_is_open_uses_up_nothing(there, desktop, kind):
    if kind == "fresh":
        with_period(there, "it", 86400)
    else:
        there.ok("add", "--uri", "-", stdin=f"otpauth://hotp/it?secret={there.secrets['alpha']}&counter=7\n")
        there.ok("edit", "it", "--confirm")
    server = desktop.notifications("never")
    before = time.time()
    child = there.at_terminal("code", "it", *(["--fresh", "--within", "1"] if kind == "fresh" else []))
    until(lambda: server.shown, "a notification")
    there.ok("lock", passphrase=False)
    # The vault itself goes on, and asks on the terminal.
    child.expect("Passphrase for")
    child.sendline(there.passphrase)
    child.expect("Give a code of it")
    child.sendline("y")
    child.expect_exact("\r\n")
    rest = child.read()
    child.close()
    assert child.exitstatus == 0, rest
    (code,) = re.findall(r"^\d{6}\b", rest, re.MULTILINE)
    if kind == "fresh":
        # The nearest step: it wasn't claimed before the question.
        assert code in [right(there, "it", at, 86400) for at in (before, time.time())]
    else:
        assert code == pyotp.HOTP(there.secrets["alpha"]).at(7)
