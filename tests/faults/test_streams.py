"""Output that is closed, full or read by nobody: no crash, no vault written over, and no success without the answer."""

import os
import subprocess

import pytest
from harness import CODE_AT_59, OTHER_SECRET, House


def closing(*descriptors):
    """For `preexec_fn`: the program starts without these."""
    return lambda: [os.close(descriptor) for descriptor in descriptors]


def calm(done):
    assert not done.hung and done.code >= 0, done.says
    assert done.code != 101 and b"panicked" not in done.err, done.says


def untouched(house, before):
    assert house.vault.read_bytes() == before, "the output went into the vault"
    assert house.alpha_lives()


@pytest.mark.parametrize("command", [("code", "alpha", "--at", "59"), ("list",), ("list", "--json"), ("check",)], ids=" ".join)
def test_full_stdout(house, command, judged):
    before = house.vault.read_bytes()
    with open("/dev/full", "wb") as full:
        done = house.run(*command, stdout=full)
    with judged("space"):
        calm(done)
        if command != ("check",):
            assert done.code != 0, "success, but the answer was lost"
        untouched(house, before)


@pytest.mark.parametrize("descriptors", [(1,), (2,), (1, 2), (0,), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("command", [("code", "alpha", "--at", "59"), ("list", "--json"), ("check",)], ids=" ".join)
def test_closed_streams(house, command, descriptors):
    before = house.vault.read_bytes()
    # `subprocess` puts pipes there; they are closed just before the program starts.
    done = house.run(*command, preexec_fn=closing(*descriptors))
    calm(done)
    if 1 not in descriptors and done.code == 0 and command[0] == "code":
        assert done.out.decode().split()[:1] == [CODE_AT_59]
    untouched(house, before)


def test_full_stderr_costs_no_code(house):
    with open("/dev/full", "wb") as full:
        done = house.run("code", "alpha", "--at", "59", stderr=full)
    assert done.code == 0 and done.out.decode().split()[:1] == [CODE_AT_59]
    with open("/dev/full", "wb") as full:
        done = house.run("code", "nobody", stderr=full)
    assert done.code == 3, done.says


def test_nobody_reads(house):
    read, write = os.pipe()
    os.close(read)
    done = house.run("list", "--json", stdout=write)
    os.close(write)
    # Dying of SIGPIPE, as Unix tools do, is calm too.
    assert not done.hung and done.code != 101 and b"panicked" not in done.err, done.says
    assert done.code != 0
    assert house.alpha_lives()


def test_an_add_that_cannot_print_is_saved_or_fails(house, judged):
    with open("/dev/full", "wb") as full:
        done = house.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET, stdout=full, stderr=full)
    with judged("space"):
        calm(done)
        names = house.names()
        assert names == {"alpha", "beta"} or (names == {"alpha"} and done.code != 0)


def test_init_that_cannot_show_the_recovery_code_fails(vmfa, tmp_path, judged):
    """It is shown once: a vault whose code nobody saw must not pass for a success."""
    house = House(tmp_path / "house", [vmfa]).build()
    with open("/dev/full", "wb") as full:
        done = house.run("init", "--kdf", "19456,1,1", stdout=full)
    with judged("space"):
        calm(done)
        assert done.code != 0, "exit 0, but nobody saw the recovery code"


def test_the_control_of_a_full_stream_is_full():
    """/dev/full does refuse: a program that only prints fails on it."""
    with open("/dev/full", "wb") as full:
        assert subprocess.run(["/bin/echo", "x"], stdout=full, stderr=subprocess.DEVNULL).returncode != 0
