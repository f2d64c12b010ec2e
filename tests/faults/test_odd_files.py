"""Pipes, directories, devices and links where a vault or a picture is expected: refused at once, never a hang."""

import os
import socket
import stat
import time

import pytest
from harness import OTHER_SECRET

# A pipe that nobody writes to, and a device without an end, hang whoever simply opens and reads.
SOON = 10


def fifo(path):
    os.mkfifo(path, 0o600)


def bound_socket(path):
    where = os.open(path.parent, os.O_RDONLY)
    # The name of a socket is at most 108 bytes long; a test's directory can be longer.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{where}/{path.name}")
    os.close(where)


ODD = {
    "fifo": fifo,
    "socket": bound_socket,
    "directory": lambda path: path.mkdir(),
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "/dev/full": lambda path: path.symlink_to("/dev/full"),
    "/dev/null": lambda path: path.symlink_to("/dev/null"),
    "/dev/tty": lambda path: path.symlink_to("/dev/tty"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "an endless file": lambda path: (path.touch(0o600), os.truncate(path, 1 << 42)),
}
COMMANDS = {
    "list": ("list", "--json"),
    "add": ("add", "beta", "--secret", "-"),
    "check": ("check",),
    "init": ("init", "--kdf", "19456,1,1"),
    "doctor": ("doctor",),
}


def refused(done, started):
    assert not done.hung and time.monotonic() - started < SOON, f"not refused within {SOON} s: {done.says}"
    assert done.code > 0 and done.code != 101 and b"panicked" not in done.err, done.says
    assert done.err.strip(), "refused without a word"


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("command", COMMANDS)
def test_as_vault(house, odd, command, judged):
    house.vault.rename(house.vault.with_name("away"))
    ODD[odd](house.vault)
    before = os.lstat(house.vault)
    started = time.monotonic()
    done = house.run(*COMMANDS[command], stdin=OTHER_SECRET, patience=SOON)
    with judged("files"):
        if command == "init" and odd == "a link to nowhere":
            assert not done.hung and done.code >= 0, done.says  # It may be made where the link points.
            return
        if command == "doctor":
            assert not done.hung and done.code >= 0 and b"panicked" not in done.err, done.says
        else:
            refused(done, started)
        after = os.lstat(house.vault)
        assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode), "it was replaced"


@pytest.mark.parametrize("odd", ODD)
def test_as_picture(house, odd, judged):
    picture = house.root / "picture.png"
    ODD[odd](picture)
    started = time.monotonic()
    with judged("files"):
        refused(house.run("scan", picture, patience=SOON), started)


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd not in ("/dev/tty", "fifo")])
def test_as_passphrase(house, odd, judged):
    """A pipe may be right here (`<(…)` in a shell), so it isn't tried."""
    path = house.root / "odd-passphrase"
    ODD[odd](path)
    started = time.monotonic()
    with judged("files"):
        refused(house.run("list", env={"VMFA_PASSPHRASE_FILE": str(path)}, patience=SOON), started)
        assert house.alpha_lives()


def test_a_link_from_the_pin_leads_to_no_device(house, judged):
    """What stands at the other end is no file of ours: it is neither written to nor replaced, and changes are saved all the same."""
    [pin] = house.home.rglob("*.pin")
    pipe = house.root / "pipe"
    fifo(pipe)
    pin.unlink()
    pin.symlink_to(pipe)
    done = house.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET, patience=SOON)
    with judged("files"):
        assert stat.S_ISFIFO(os.lstat(pipe).st_mode), "it was replaced"
        assert not done.hung and done.code == 0 and house.names() == {"alpha", "beta"}, done.says
