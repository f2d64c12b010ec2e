"""Choosing an account from a list, where none is named and a person sits at a terminal."""

import os
import re
import signal
import subprocess

import pytest
from watching import bash, desk, is_given_back, right_of, tmux, wait_until  # noqa: F401


def test_the_output_may_be_captured(desk):
    shell = bash(desk)
    shell.sendline("x=$(vmfa code); echo \"<$x> $?\"")
    shell.expect("Which account\\? ")
    # All are listed, and no code.
    shell.expect("GitHub: me")
    shell.expect("日本銀行: 太郎 山田")
    shell.send("太郎")
    shell.expect("1/2")
    seen = shell.before
    shell.send("\r")
    shell.expect(r"<(\d+)> 0")
    assert shell.match.group(1) in right_of(desk, "日本銀行:太郎 山田")
    assert not any(code in seen for code in right_of(desk, "日本銀行:太郎 山田"))
    assert is_given_back(shell)


@pytest.mark.parametrize("keys", ["\x1b", "\x03"])
def test_leaving_is_an_interruption(desk, keys):
    shell = bash(desk)
    shell.sendline("vmfa code; echo left=$?")
    shell.expect("Which account")
    shell.send(keys)
    shell.expect("left=130")
    assert is_given_back(shell)


def test_a_signal_gives_the_terminal_back(desk):
    shell = bash(desk)
    shell.sendline("vmfa pair; echo left=$?")
    shell.expect("Which account")
    found = subprocess.run(["pgrep", "-f", "^vmfa pair$", "-P", str(shell.pid)], capture_output=True, text=True)
    os.kill(int(found.stdout), signal.SIGTERM)
    shell.expect("left=130")
    assert is_given_back(shell)


def test_nothing_of_it_stays_on_the_screen(desk, tmux):
    screen = tmux("/bin/sh")
    screen.shows("@>")
    screen.keys("echo before", "Enter")
    screen.shows("before\n")
    screen.keys("vmfa show", "Enter")
    shown = screen.shows("GitHub: me")
    assert "> GitHub: me" in shown and "2/2" in shown
    screen.keys("Down")
    screen.shows("> 日本銀行: 太郎 山田")
    # A key that is undone, a page past the end.
    screen.keys("C-p", "NPage", "C-k", "C-j", "Enter")
    after = screen.shows("issuer +日本銀行")
    assert "Which account" not in after and "GitHub" not in after and "before" in after
    # In the lowest lines too, and after another size.
    for _ in range(3):
        screen.keys("vmfa code", "Enter")
        screen.shows("Which account")
        screen.run("resize-window", "-x", 40, "-y", 12)
        screen.shows("Which account")
        screen.keys("Escape")
        wait_until(lambda: "Which account" not in screen.screen(), "the list is gone")
        screen.run("resize-window", "-x", 60, "-y", 16)
    assert screen.screen().rstrip().endswith("@>")


def test_what_matched_is_bold_and_underlined(desk, tmux):
    screen = tmux("/bin/sh")
    screen.shows("@>")
    screen.keys("vmfa code", "Enter")
    screen.shows("2/2")
    screen.keys("hub")
    screen.shows("1/2")
    styled = screen.run("capture-pane", "-p", "-e")
    row = next(line for line in styled.splitlines() if "Git" in line)
    assert re.search(r"Git\x1b\[1(;4m|m\x1b\[4m)Hub\x1b\[0m", row), repr(row)


def test_it_stops_and_goes_on_as_a_job(desk):
    shell = bash(desk)
    shell.sendline("vmfa code; echo left=$?")
    shell.expect("2/2")
    shell.send("\x1a")
    shell.expect("Stopped")
    assert is_given_back(shell)
    shell.sendline("fg; echo back=$?")
    shell.expect("2/2")
    shell.send("hub\r")
    shell.expect(r"(\d{6})\r")
    assert shell.match.group(1) in right_of(desk, "GitHub:me")
    shell.expect("back=0")
    # The command of $(…) is no job: the shell would wait for it for ever.
    shell.sendline("x=$(vmfa code); echo \"<$x>\"")
    shell.expect("2/2")
    shell.send("\x1ahub\r")
    shell.expect(r"<\d{6}>")


def test_the_passphrase_is_typed_once(desk):
    desk.ok("lock", passphrase=False)
    shell = bash(desk)
    shell.sendline("vmfa code --no-agent; echo left=$?")
    shell.expect("Passphrase for .*: ")
    shell.sendline(desk.passphrase)
    shell.expect("2/2")
    shell.send("hub\r")
    shell.expect(r"(\d{6})\r")
    assert shell.match.group(1) in right_of(desk, "GitHub:me")
    assert "Passphrase" not in shell.before
    shell.expect("left=0")


def test_the_trash_is_chosen_from_too(desk):
    desk.ok("remove", "github")
    shell = bash(desk)
    shell.sendline(f"vmfa restore --passphrase-file {desk.passphrase_file}; echo left=$?")
    shell.expect("1/1")
    shell.send("\r")
    shell.expect("GitHub:me is back")
    shell.expect("left=0")


@pytest.mark.parametrize("command", ["code", "pair", "show", "edit", "remove", "qr", "watch"])
def test_without_a_terminal_the_query_is_missed(desk, command):
    done = desk.run(command)
    assert done.returncode == 2 and "QUERY" in done.stderr and not done.stdout
