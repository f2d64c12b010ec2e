"""Something doesn't go on: another program keeps the vault's lock, a process is stopped, a client says half a request."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spoken
from desk import PATIENCE, has_forgotten, is_gone, wait_until

NOW = 1_700_000_000


@pytest.fixture
def counting(desk):
    """With an HOTP account."""
    desk.add("counter", None, "--type", "hotp")
    return desk.unlock()


@contextlib.contextmanager
def vault_locked(desk):
    """As if another program were saving, for as long as it likes. Gives what ends it."""
    with open(f"{desk.vault}.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def waits_for_lock(desk, count):
    """Whether so many saves of the agent have the vault's lock open."""
    def has_open():
        links = Path(f"/proc/{desk.keyholder()}/fd").iterdir()
        found = 0
        for link in links:
            with contextlib.suppress(OSError):
                found += os.readlink(link) == f"{desk.vault}.lock"
        return found >= count
    wait_until(has_open, "a save waits")


def ask_next(desk, account):
    """A connection on which the next code of a counter was asked for."""
    line = desk.line()
    line.send(spoken.frame(spoken.HOTP_NEXT, desk.tag, spoken.hotp_next(account)))
    return line


def test_a_save_that_waits_keeps_nobody_else_waiting(counting, is_root):
    desk, account = counting, counting.id("counter")
    with contextlib.ExitStack() as stack:
        free = stack.enter_context(vault_locked(desk))
        lines = [stack.enter_context(ask_next(desk, account)) for _ in range(4)]
        if is_root:
            waits_for_lock(desk, 4)
            # No more than these few: the next one is told at once.
            assert stack.enter_context(ask_next(desk, account)).hear().kind == "busy"
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda _: desk.works("alpha"), range(18)))
        assert desk.told()["unlocked"]
        free()
        answers = [line.hear() for line in lines]
        counters = []
        for answer in answers:
            assert answer.kind == "code", answer.kind
            answer.body.summary()
            counters.append(answer.body.code()["counter"])
        assert sorted(counters) == list(range(len(counters))), "each once"
    assert desk.works("alpha")


@pytest.mark.parametrize("command", [["lock"], ["agent", "stop"]])
def test_the_key_goes_while_a_save_waits(counting, command):
    desk, account = counting, counting.id("counter")
    keyholder = desk.keyholder()
    with vault_locked(desk), ask_next(desk, account) as line:
        desk.works("alpha")
        desk.ok(*command, passphrase=False)
        assert has_forgotten(keyholder)
        assert line.ends() == b"", "no code without its counter"
    desk.gives_nothing("alpha")
    desk.unlock()
    with ask_next(desk, account) as line:
        answer = line.hear()
        answer.body.summary()
        assert answer.body.code()["counter"] == 0
