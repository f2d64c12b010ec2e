"""Something doesn't go on: another program keeps the vault's lock, a process is stopped, a client says half a request."""

import contextlib
import fcntl
import os
import select
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


def ask_next(desk, account):
    """A connection on which the next code of a counter was asked for."""
    line = desk.line()
    line.send(spoken.frame(spoken.HOTP_NEXT, desk.tag, spoken.hotp_next(account)))
    return line


def test_a_save_that_waits_keeps_nobody_else_waiting(counting):
    desk, account = counting, counting.id("counter")
    with contextlib.ExitStack() as stack:
        free = stack.enter_context(vault_locked(desk))
        lines = [stack.enter_context(ask_next(desk, account)) for _ in range(5)]
        # Four may wait; the one that is too many is told at once.
        ready, _, _ = select.select([line.socket for line in lines], [], [], PATIENCE)
        [busy] = [line for line in lines if line.socket in ready]
        assert busy.hear().kind == "busy"
        lines.remove(busy)
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


# --- an agent that doesn't answer ------------------------------------------------------------------------------------


def stopped(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T", "it stands still")


@pytest.mark.parametrize("command", [["lock"], ["agent", "stop"]])
@pytest.mark.parametrize("who", ["keyholder", "supervisor", "both"])
def test_what_stands_still_loses_the_key(open_desk, command, who):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    stopped(*{"keyholder": [keyholder], "supervisor": [supervisor], "both": [supervisor, keyholder]}[who])
    try:
        desk.ok(*command, passphrase=False)
        assert has_forgotten(keyholder)
        wait_until(lambda: is_gone(keyholder), "it ends")
    finally:
        for pid in (supervisor, keyholder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    desk.gives_nothing("alpha")
    assert desk.unlock().works("alpha")


def test_a_given_sockets_agent_that_stands_still_loses_the_key(desk):
    desk.directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(desk.socket))
        desk.socket.chmod(0o600)
        listener.listen(16)
        process = desk.start("agent", "--foreground", passphrase=False, stdin=listener)
        desk.unlock()
        keyholder = desk.keyholder()
        stopped(keyholder)
        # This test is who listens at the socket, and isn't ended by it. Nobody starts another agent, so that none answers.
        done = desk.run("lock", passphrase=False)
        assert has_forgotten(keyholder), done.stderr
        process.communicate(timeout=PATIENCE)


def test_a_listener_that_is_no_agent_is_not_killed(desk):
    desk.directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener, open(desk.directory / "agent.lock", "w") as lock:
        listener.bind(str(desk.socket))
        listener.listen(16)
        # Even where it says that it is one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        for command in (["lock"], ["agent", "stop"]):
            done = desk.run(*command, passphrase=False)
            assert done.returncode == 1 and "couldn't be ended" in done.stderr, done.stderr
            assert str(desk.socket) in done.stderr and "agent stop` ends it" not in done.stderr


def test_a_full_queue_blocks_nobody(open_desk):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    stopped(supervisor, keyholder)
    with contextlib.ExitStack() as stack:
        with pytest.raises(BlockingIOError):
            while True:
                more = stack.enter_context(socket.socket(socket.AF_UNIX))
                more.setblocking(False)
                more.connect(str(desk.socket))
        assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
        done = desk.run("agent", "--foreground", passphrase=False)
        assert done.returncode == 9, done.stderr
        desk.ok("lock", passphrase=False)
        assert has_forgotten(keyholder)


def test_a_socket_that_is_taken_away_takes_the_key_with_it(open_desk):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    subprocess.run(["rm", "-rf", desk.directory], check=True)
    # It looks once a minute.
    end = time.monotonic() + 3 * PATIENCE
    while not (is_gone(supervisor) and is_gone(keyholder)):
        assert time.monotonic() < end, "nobody can lock it, and it holds the key"
        time.sleep(0.1)


def test_a_socket_that_is_taken_away_can_be_locked_all_the_same(open_desk):
    desk = open_desk
    keyholder = desk.keyholder()
    desk.socket.unlink()
    desk.ok("lock", passphrase=False)
    assert has_forgotten(keyholder)


# --- a locked agent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [24, 25, 75])
def test_half_an_unlock_starts_nothing(desk, cut):
    trace = desk.root / "trace"
    desk.start("agent", "--foreground", passphrase=False, before=["strace", "-f", "-qq", "-o", trace, "-e", "trace=execve"])
    wait_until(desk.socket.exists, "it listens")
    whole = spoken.frame(spoken.UNLOCK, desk.tag, spoken.unlock(desk.dek()))
    assert len(whole) == 24 + 52

    def started():
        return trace.read_text().count('"--keyholder"')

    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(desk.line()) for _ in range(12)]
        for line in lines:
            line.send(whole[:cut])
        with desk.line() as line:
            assert line.status()["held"] is None
        for line in lines:
            assert line.ends() == b""
    with desk.line() as line:
        line.send(spoken.frame(spoken.UNLOCK, desk.tag, spoken.unlock(desk.dek()) + b"x"))
        assert line.hear().kind == "malformed"
    assert started() == 0, "a process for nothing"
    # In two parts it is as good as in one.
    with desk.line() as line:
        line.send(whole[:cut])
        line.send(whole[cut:])
        assert line.hear().kind == "status"
    assert started() == 1 and desk.works("alpha")


@pytest.mark.parametrize("verb", [spoken.LOCK, spoken.STOP])
def test_who_came_in_while_it_was_locked_locks_all_the_same(open_desk, verb):
    desk = open_desk
    desk.ok("lock", passphrase=False)
    with desk.line() as early:
        assert early.status()["held"] is None
        desk.unlock()
        keyholder = desk.keyholder()
        # Its turn may be over: an idle connection lives for a second.
        try:
            answer = early.ask(verb)
        except spoken.Closed:
            pytest.fail("this machine was too slow for this test")
        assert answer.kind == "done"
        assert early.ends() == b""
        assert has_forgotten(keyholder)


def test_who_came_in_while_it_was_locked_is_sent_to_the_keyholder(open_desk):
    desk = open_desk
    desk.ok("lock", passphrase=False)
    with desk.line() as early:
        assert early.status()["held"] is None
        desk.unlock()
        with pytest.raises(spoken.Closed):
            early.status()
    with desk.line() as line:
        assert line.status()["held"]


# --- its end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_both_lets_a_save_finish(desk, name):
    desk.add("counter", None, "--type", "hotp")
    process = desk.start("agent", "--foreground", passphrase=False)
    wait_until(desk.socket.exists, "it listens")
    desk.unlock()
    keyholder = desk.keyholder()
    with vault_locked(desk) as free, ask_next(desk, desk.id("counter")) as line:
        desk.works("alpha")
        os.killpg(process.pid, getattr(signal, name))
        free()
        answer = line.hear()
        assert answer.kind == "code"
        answer.body.summary()
        assert answer.body.code()["counter"] == 0
    wait_until(lambda: is_gone(keyholder), "the key goes")
    desk.ok("agent", "stop", passphrase=False)
    process.communicate(timeout=PATIENCE)


def test_after_a_stop_another_one_begins(desk):
    for _ in range(20):
        desk.ok("agent", passphrase=False)
        supervisor = desk.supervisor()
        desk.ok("agent", "stop", passphrase=False)
        assert not desk.socket.exists()
        wait_until(lambda: is_gone(supervisor), "it ends")


def test_a_stop_waits_for_the_end(desk):
    """One after the other, without a pause."""
    for _ in range(20):
        desk.ok("agent", passphrase=False)
        desk.ok("agent", "stop", passphrase=False)
    desk.ok("agent", passphrase=False)
    assert desk.told()["running"]


def test_a_person_is_told_that_no_agent_runs(desk):
    for command in (["lock"], ["agent", "stop"]):
        done = desk.run(*command, passphrase=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "a script is told nothing"
        terminal = desk.at_terminal(*command)
        terminal.expect_exact("no agent runs")
        terminal.wait()
        assert terminal.exitstatus == 0
    desk.unlock()
    terminal = desk.at_terminal("lock")
    terminal.expect_exact("locked")
    terminal.wait()
    assert terminal.exitstatus == 0


def test_an_agent_that_never_begins_is_not_waited_for(desk):
    # As where the lock is on a disk that doesn't answer.
    done = desk.run("agent", passphrase=False, before=["strace", "-f", "-qq", "-o", desk.root / "trace", "-e", "trace=flock",
                                                       "-e", "inject=flock:delay_enter=45s"])
    assert done.returncode == 1 and "doesn't begin to listen" in done.stderr, done.stderr
    assert not desk.processes(), "none is left behind"


def test_the_processes_have_names(open_desk):
    desk = open_desk
    for pid, name in ((desk.supervisor(), "vmfa-agent"), (desk.keyholder(), "vmfa-key")):
        assert Path(f"/proc/{pid}/comm").read_text() == name + "\n"


def test_an_error_names_the_path(desk):
    place = desk.root / "a file\x1b[31m"
    place.write_text("no directory")
    done = desk.run("agent", "--foreground", passphrase=False, env={"XDG_RUNTIME_DIR": str(place)})
    assert done.returncode == 1 and "/a file" in done.stderr and "\x1b" not in done.stderr, done.stderr
    # A socket's path has 107 bytes at most.
    place = desk.root / ("long" * 30)
    place.mkdir()
    done = desk.run("agent", "--foreground", passphrase=False, env={"XDG_RUNTIME_DIR": str(place)})
    assert done.returncode == 1 and str(place / "vmfa") in done.stderr, done.stderr
