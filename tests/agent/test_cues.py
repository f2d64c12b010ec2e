"""The agent on a desktop: what has it lock, and what it asks a person. The desktop is made up; the program is the real one."""

import os
import re

import pytest
from bus import until


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
