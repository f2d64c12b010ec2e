"""A desk with an agent, the program under its name on PATH, and shells at a terminal."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pyotp
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from desk import PATIENCE, Desk, new_secret, wait_until  # noqa: E402, F401


@pytest.fixture
def desk(vmfa):
    """A vault with two accounts, unlocked; `vmfa` is on PATH."""
    desk = Desk(vmfa).init()
    bin_ = desk.root / "bin"
    bin_.mkdir()
    (bin_ / "vmfa").symlink_to(desk.vmfa)
    desk.env["PATH"] = f"{bin_}:{desk.env['PATH']}"
    desk.add("GitHub:me")
    desk.add("日本銀行:太郎 山田")
    desk.unlock()
    yield desk
    desk.tidy_up()


def right_of(desk, name, period=30):
    """The codes that are right now or were a step ago."""
    totp = pyotp.TOTP(desk.secrets[name], interval=period)
    now = time.time()
    return [totp.at(int(now)), totp.at(int(now) - period)]


def bash(desk, *options, size=(24, 80)):
    """A plain bash at a terminal, past its first prompt."""
    child = pexpect.spawn(shutil.which("bash"), ["--norc", "--noprofile", *options], env={**desk.env, "PS1": "@> "},
                          encoding="utf-8", timeout=PATIENCE, dimensions=size, cwd=desk.root)
    child.expect("@> ")
    return child


def is_given_back(child):
    """Whether the shell's terminal is as it was: signals, lines and echo."""
    child.sendline("stty -a; echo done=$((1+1))")
    child.expect("done=2")
    return all(re.search(rf"(?<![-\w]){mode}\b", child.before) for mode in ("isig", "icanon", "echo", "icrnl", "ixon"))


class Tmux:
    """A tmux server of its own, without anybody's configuration."""

    def __init__(self, desk, name, config="/dev/null"):
        self.desk, self.socket, self.config = desk, desk.root / name, config

    def run(self, *words):
        done = subprocess.run(["tmux", "-u", "-S", str(self.socket), "-f", str(self.config), *map(str, words)],
                              env={**self.desk.env, "PS1": "@> ", "SHELL": "/bin/sh"}, cwd=self.desk.root, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{words}: {done.stderr.decode()}"
        return done.stdout.decode()

    def start(self, command, columns=60, lines=16):
        self.run("new-session", "-d", "-x", columns, "-y", lines, command)
        return self

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def screen(self):
        return self.run("capture-pane", "-p").rstrip("\n")

    def shows(self, what):
        """Waits for it; gives the screen."""
        def seen():
            screen = self.screen()
            return screen if re.search(what, screen) else None
        return wait_until(seen, f"{what!r} on the screen")

    def stop(self):
        subprocess.run(["tmux", "-S", str(self.socket), "kill-server"], capture_output=True, timeout=PATIENCE)


@pytest.fixture
def tmux(desk):
    """Starts tmux servers; they are ended when the test is over."""
    made = []

    def start(command, config="/dev/null", **more):
        made.append(Tmux(desk, f"t{len(made)}", config))
        return made[-1].start(command, **more)

    yield start
    for one in made:
        one.stop()
