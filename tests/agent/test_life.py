"""How an agent begins and ends: lifetimes, signals, terminals, service managers; and what it opens meanwhile."""

import configparser
import contextlib
import os
import plistlib
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
import spoken
from desk import PATIENCE, has_forgotten, is_gone, wait_until

NOW = 1_700_000_000


def test_nothing_runs_before_it_is_asked_for(desk):
    assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
    assert not desk.processes() and not desk.directory.exists()
    told = desk.told()
    assert not told["running"] and not told["unlocked"]
    assert desk.run("lock", passphrase=False).returncode == 0
    assert desk.run("agent", "stop", passphrase=False).returncode == 0
    desk.gives_nothing("alpha")


def test_unlock_lock_stop(open_desk):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    told = desk.told()
    assert told["unlocked"] and told["pid"] == keyholder and told["accounts"] == 1 and told["vault"] == str(desk.vault)
    assert 8 * 3600 - 60 < told["seconds_left"] <= 8 * 3600 and 600 - 60 < told["seconds_left_idle"] <= 600
    assert desk.works("alpha")
    assert desk.directory.stat().st_mode & 0o777 == 0o700 and desk.socket.stat().st_mode & 0o077 == 0
    desk.ok("lock", passphrase=False)
    # Not a moment later: gone when the command returns.
    assert has_forgotten(keyholder) and not is_gone(supervisor)
    assert not desk.is_unlocked()
    desk.gives_nothing("alpha")
    desk.unlock()
    assert desk.supervisor() == supervisor and desk.works("alpha")
    keyholder = desk.keyholder()
    desk.ok("agent", "stop", passphrase=False)
    assert has_forgotten(keyholder)
    wait_until(lambda: is_gone(supervisor), "stop ends it")
    assert not desk.socket.exists()
    desk.gives_nothing("alpha")


def test_a_secret_is_not_to_be_had_from_it(open_desk):
    desk = open_desk
    for command in (["show", "alpha", "--secret"], ["qr", "alpha"]):
        done = desk.run(*command, passphrase=False)
        assert done.returncode != 0 and desk.secrets["alpha"] not in done.stdout + done.stderr, command
    assert desk.secrets["alpha"] in desk.ok("show", "alpha", "--secret")
    with desk.line() as line:
        account = line.list()[0]
        assert not any(part in value for value in account["fields"].values()
                       for part in (desk.secrets["alpha"].encode(), desk.secrets["alpha"][:8].encode()))


def test_it_ends_after_so_long(desk):
    desk.unlock("--for", "2s")
    keyholder = desk.keyholder()
    assert desk.works("alpha")
    began = time.monotonic()
    while not is_gone(keyholder):
        # Use doesn't put it off.
        desk.run("code", "alpha", passphrase=False)
        assert time.monotonic() < began + PATIENCE
    assert desk.supervisor() and not desk.is_unlocked()
    desk.gives_nothing("alpha")


def test_it_ends_after_so_long_without_use(desk):
    desk.unlock("--idle", "2s")
    keyholder = desk.keyholder()
    began = time.monotonic()
    with desk.line() as line:
        while time.monotonic() < began + 4:
            # Well within the two seconds, unless this machine stands still.
            before = time.monotonic()
            line.code("alpha", at=NOW)
            time.sleep(0.3)
            if time.monotonic() > before + 1:
                pytest.fail("this machine stood still for a second: nothing is proven")
        assert not is_gone(keyholder), "use puts it off"
        # A look doesn't.
        last = time.monotonic()
        while not is_gone(keyholder):
            try:
                line.status()
            except spoken.Closed:
                break
            assert time.monotonic() < last + PATIENCE
            time.sleep(0.1)
    wait_until(lambda: is_gone(keyholder), "it ends")
    assert not desk.is_unlocked()
    desk.gives_nothing("alpha")


def test_the_time_left_is_told_and_bounded(desk):
    desk.unlock("--for", "1h", "--idle", "90s")
    with desk.line() as line:
        held = line.status()["held"]
        assert 3600 - 60 < held["left"] <= 3600 and 30 < held["idle_left"] <= 90
        # Whatever a client asks for: thirty days. None at all: it ends.
        answer = line.ask(spoken.UNLOCK, spoken.unlock(desk.dek(), (1 << 64) - 1, (1 << 64) - 1))
        held = answer.body.status()["held"]
        assert 30 * 86400 - 60 < held["left"] <= 30 * 86400 and held["idle_left"] <= 30 * 86400
        keyholder = desk.keyholder()
        # A wrong key renews nothing.
        assert line.ask(spoken.UNLOCK, spoken.unlock(bytes(32), 5, 5)).kind == "failed"
        assert line.status()["held"]["left"] > 86400
        line.ask(spoken.UNLOCK, spoken.unlock(desk.dek(), 0, 0))
        # It may have gone already.
        with contextlib.suppress(spoken.Closed):
            assert line.ask(spoken.CODE, spoken.code("alpha", at=NOW)).kind == "locked"
    wait_until(lambda: is_gone(keyholder), "it ends")


def test_the_clock_counts_sleep(desk, is_root):
    trace = desk.root / "trace"
    process = desk.start("agent", "--foreground", passphrase=False,
                         before=["strace", "-f", "-qq", "-o", trace, "-e", "trace=timerfd_create,timerfd_settime,setitimer,alarm,timer_create"])
    wait_until(desk.socket.exists, "it listens")
    desk.unlock("--for", "1h", "--idle", "77s")
    assert desk.works("alpha")
    desk.ok("agent", "stop", passphrase=False)
    process.communicate(timeout=PATIENCE)
    text = trace.read_text()
    assert re.search(r"timerfd_create\(CLOCK_BOOTTIME, TFD_CLOEXEC\)\s+= \d", text), text
    # What it is set to stands in memory that only root may read.
    span = r"\{it_interval=\{tv_sec=0, tv_nsec=0\}, it_value=\{tv_sec=7[67]," if is_root else "0x"
    assert re.search(rf"timerfd_settime\(\d+, 0, {span}", text), text
    assert "CLOCK_MONOTONIC" not in text and "CLOCK_REALTIME" not in text


@pytest.mark.parametrize("victim", ["supervisor", "keyholder"])
def test_hangup_locks_and_it_stays(open_desk, victim):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    os.kill(supervisor if victim == "supervisor" else keyholder, signal.SIGHUP)
    wait_until(lambda: is_gone(keyholder), "the key goes")
    wait_until(lambda: not desk.is_unlocked(), "it is locked")
    assert desk.supervisor() == supervisor
    desk.gives_nothing("alpha")
    assert desk.unlock().works("alpha") and desk.supervisor() == supervisor


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("state", ["unlocked", "locked"])
def test_a_signal_ends_it(open_desk, name, state):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    if state == "locked":
        desk.ok("lock", passphrase=False)
    os.kill(supervisor, getattr(signal, name))
    wait_until(lambda: is_gone(supervisor), "it ends")
    assert is_gone(keyholder) and not desk.socket.exists()
    assert not desk.told()["running"]
    assert desk.unlock().works("alpha")


def test_in_the_foreground(desk):
    process = desk.start("agent", "--foreground", passphrase=False)
    wait_until(desk.socket.exists, "it listens")
    desk.unlock()
    assert desk.works("alpha") and desk.supervisor() == process.pid
    again = desk.run("agent", "--foreground", passphrase=False)
    assert again.returncode == 9 and "an agent runs already" in again.stderr
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not out and b"panicked" not in err
    wait_until(lambda: not desk.processes(), "both end")
    assert not desk.socket.exists()


def test_the_terminal_is_closed(desk, is_root):
    shell = pexpect.spawn("/bin/sh", ["-i"], env={**desk.env, "PS1": "READY> "}, encoding="utf-8", timeout=PATIENCE)
    shell.expect_exact("READY> ")
    shell.sendline(f"{desk.vmfa} unlock")
    shell.expect("(?i)passphrase.*: ")
    shell.sendline(desk.passphrase)
    shell.expect_exact("unlocked for 8 h")
    shell.expect_exact("READY> ")
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    # None of its processes holds on to the terminal, or belongs to its session.
    for pid in (supervisor, keyholder):
        assert os.getsid(pid) == supervisor
        if is_root:
            files = Path(f"/proc/{pid}/fd")
            assert not [link for link in files.iterdir() if "/dev/pt" in os.readlink(link)]
    shell.close(force=True)
    # What a hangup would have done is done by now: this takes longer.
    assert desk.works("alpha") and desk.works("alpha")
    assert (desk.supervisor(), desk.keyholder()) == (supervisor, keyholder)


def test_what_it_inherits(desk, is_root):
    """No environment but what it needs, no open files of whoever started it."""
    leak = os.open(desk.passphrase_file, os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        desk.ok("unlock", env={"AWS_SECRET_ACCESS_KEY": "x" * 40, "VMFA_PASSPHRASE_COMMAND": ""}, close_fds=False)
    finally:
        os.close(leak)
    if is_root:
        for pid in desk.processes():
            environment = open(f"/proc/{pid}/environ", "rb").read()
            files = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
            assert str(desk.passphrase_file) not in files, files
            # Three standard ones, the lock, and what it made itself; no pipe of ours.
            assert not [file for file in files if not re.match(r"/dev/null$|socket:|anon_inode:|/.*/agent\.lock$|/proc/", file)], files
            assert b"AWS" not in environment and b"PASSPHRASE" not in environment, environment
            assert b"--passphrase-file" not in open(f"/proc/{pid}/cmdline", "rb").read()
            assert os.readlink(f"/proc/{pid}/cwd") == "/"


def listening(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)
    return listener


def test_a_service_manager_gives_the_socket(desk):
    """As systemd's StandardInput=socket: the manager listens, and starts the agent when somebody comes."""
    desk.directory.mkdir(mode=0o700)
    listener = listening(desk.socket)
    desk.socket.chmod(0o600)
    process = desk.start("agent", "--foreground", passphrase=False, stdin=listener)
    desk.unlock()
    assert desk.works("alpha") and desk.supervisor() == process.pid
    desk.ok("lock", passphrase=False)
    desk.gives_nothing("alpha")
    desk.unlock()
    assert desk.works("alpha")
    # No other one beside it, and none of ours takes its socket away.
    other = desk.run("agent", "--foreground", passphrase=False)
    assert other.returncode == 9 and "an agent runs already" in other.stderr
    desk.ok("agent", "stop", passphrase=False)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and desk.socket.is_socket(), "the socket is the manager's"
    # The next client has it started again.
    process = desk.start("agent", "--foreground", passphrase=False, stdin=listener)
    assert desk.unlock().works("alpha")
    desk.ok("agent", "stop", passphrase=False)
    process.communicate(timeout=PATIENCE)
    listener.close()


def test_a_given_socket_of_another_kind_is_not_taken(desk):
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        process = desk.start("agent", "--foreground", passphrase=False, stdin=listener)
        wait_until(desk.socket.exists, "it makes its own")
        assert desk.unlock().works("alpha")
        desk.ok("agent", "stop", passphrase=False)
        process.communicate(timeout=PATIENCE)


def test_the_units(desk, figures):
    units = desk.root / "units"
    desk.ok("agent", "unit", "--out", units, passphrase=False)
    desk.ok("agent", "unit", "--out", units, passphrase=False)  # the same again is fine
    read = {}
    for name in ("vmfa-agent.socket", "vmfa-agent.service"):
        read[name] = configparser.ConfigParser(interpolation=None)
        read[name].optionxform = str
        read[name].read(units / name)
    assert read["vmfa-agent.socket"]["Socket"]["ListenStream"] == "%t/vmfa/agent.sock"
    assert read["vmfa-agent.socket"]["Socket"]["DirectoryMode"] == "0700"
    service = read["vmfa-agent.service"]["Service"]
    assert service["StandardInput"] == "socket" and service["LimitCORE"] == "0"
    assert service["ExecStart"] == f'"{desk.vmfa}" --vault "{desk.vault}" agent --foreground'
    # Both processes hear a signal that is sent to all of a unit; a save is let finish by the first one.
    assert service["KillMode"] == "mixed"
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run([analyze, "--user", "--man=no", "verify", *map(str, sorted(units.iterdir()))],
                              env={**desk.env, "SYSTEMD_LOG_LEVEL": "warning"}, capture_output=True, text=True, timeout=PATIENCE)
        # A machine without a manager's own units complains about those.
        complaints = [line for line in done.stderr.splitlines() if "vmfa" in line]
        assert not complaints, done.stderr
        figures(f"systemd-analyze verify of the units: exit {done.returncode}, {len(complaints)} complaints")
    else:
        figures("systemd-analyze isn't here: the units were only parsed")
    agents = plistlib.loads(desk.ok("agent", "unit", "--launchd", passphrase=False).encode())
    assert agents["ProgramArguments"] == [desk.vmfa, "--vault", str(desk.vault), "agent", "--foreground"]
    assert agents["inetdCompatibility"]["Wait"] is True
    [listens] = agents["Sockets"].values() if isinstance(agents["Sockets"], dict) else [agents["Sockets"]]
    assert listens["SockPathName"] == str(desk.socket) and listens["SockPathMode"] == 0o600


def test_no_socket_but_unix_ones(desk, figures):
    trace = desk.root / "trace"
    calls = "trace=socket,socketpair,connect,bind,listen,accept,accept4,sendto,sendmsg,execve"
    process = desk.start("agent", "--foreground", passphrase=False, before=["strace", "-f", "-qq", "-o", trace, "-e", calls])
    wait_until(desk.socket.exists, "it listens")
    client = desk.root / "client"
    desk.ok("unlock", before=["strace", "-f", "-qq", "-o", client, "-e", calls])
    text = client.read_text()
    for arguments in (["code", "alpha"], ["code", "--fresh", "alpha"], ["pair", "alpha"], ["list"], ["lock"]):
        desk.ok(*arguments, passphrase=False, before=["strace", "-f", "-qq", "-o", client, "-e", calls])
        text += client.read_text()
    desk.ok("agent", "stop", passphrase=False)
    process.communicate(timeout=PATIENCE)
    text += trace.read_text()
    families = set(re.findall(r"socket(?:pair)?\((\w+)", text))
    addresses = set(re.findall(r"sa_family=(\w+)", text))
    assert families == {"AF_UNIX"} and addresses <= {"AF_UNIX"}, (families, addresses)
    sockets = len(re.findall(r"socket(?:pair)?\(", text))
    figures(f"sockets of an unlock, codes, a pair, a list and a lock: {sockets}, all AF_UNIX")
