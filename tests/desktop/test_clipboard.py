"""`vmfa code --copy`: into the clipboard of X and Wayland, of tmux and the terminal, and out of it again."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pexpect
import pytest
from clipboards import (
    COUNTED,
    EARLY,
    LATE,
    Compositor,
    Manager,
    Owner,
    Xserver,
    adopt,
    ask_to_save,
    end_keepers,
    keepers,
    no_keeper,
    until,
)

HINT = "x-kde-passwordManagerHint"
# Longer than any test: what ends within it has ended for another reason.
LONG = ("--copy-for", "1h")


@pytest.fixture(scope="module")
def owner(vmfa, tmp_path_factory):
    return Owner(vmfa, tmp_path_factory.mktemp("owner") / "home")


@pytest.fixture(scope="module")
def everybodys(vmfa):
    """The program where another user, too, can start it."""
    with tempfile.TemporaryDirectory(prefix="vmfa-") as root:
        Path(root).chmod(0o755)
        program = shutil.copy2(vmfa, Path(root) / "vmfa")
        program.chmod(0o755)
        yield program


@pytest.fixture(scope="module")
def server():
    server = Xserver()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def compositor():
    compositor = Compositor()
    yield compositor
    compositor.stop()


@pytest.fixture(scope="module", autouse=True)
def ours():
    adopt(True)
    yield
    # All that the tests have started has ended.
    until(lambda: not keepers())
    adopt(False)


@pytest.fixture(autouse=True)
def tidy():
    yield
    end_keepers()


def fake(directory, name, script):
    """A program on a PATH of its own."""
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)


def is_gone(read, evidence):
    """Whether a code that was put there has left when its time is over, told before anybody asserts it."""
    try:
        gone = until(lambda: read() is None)
    except AssertionError:
        gone = False
    evidence("leaks", cases=1, faults=1, losses=int(not gone))
    return gone


def held_and_cleared(copy, read, code, seconds, way, evidence):
    """Copies, reads, and waits until it is gone. A machine that is too busy to read it in time gets another try."""
    for _ in range(5):
        began = time.monotonic()
        copy()
        found = read()
        if time.monotonic() - began < seconds or found is not None:
            break
    assert found == code
    assert is_gone(read, evidence), "it is still there"
    assert time.monotonic() - began >= seconds, "cleared too early"
    until(lambda: no_keeper(way))


# --- X -----------------------------------------------------------------------------------------------------------------


def test_x_a_code_is_held_after_vmfa_has_ended_and_cleared_in_time(owner, server, evidence):
    server.write("of the mouse", "primary")
    said = []
    held_and_cleared(
        lambda: said.append(owner.copy(EARLY, "--copy-for", "3s", env=server.env)),
        server.read,
        EARLY[1],
        3,
        "x11",
        evidence,
    )
    assert said[-1] == "copied: alpha; it leaves the clipboard in 3 s\n"
    assert server.read(selection="primary") == "of the mouse"


def test_control_what_an_ordinary_program_copies_stays(server, evidence):
    server.write(EARLY[1])
    time.sleep(1.5)
    left = server.read()
    evidence("leaks", control=int(left == EARLY[1]))
    assert left == EARLY[1]


def test_x_clipboard_managers_are_told_to_leave_it_out(owner, server):
    owner.copy(EARLY, *LONG, env=server.env)
    targets = server.read("TARGETS").split()
    assert HINT in targets and "SAVE_TARGETS" not in targets
    assert server.read(HINT) == "secret"


def test_x_a_clipboard_manager_is_handed_nothing(owner, server):
    manager = Manager(server.env["DISPLAY"])
    try:
        owner.copy(EARLY, "--copy-for", "1s", env=server.env)
        until(lambda: no_keeper("x11"))
        assert server.read() is None and manager.asked == []
        # It would have been asked.
        ask_to_save(server.env["DISPLAY"])
        until(lambda: manager.asked == ["SAVE_TARGETS"])
    finally:
        manager.stop()


def test_x_what_somebody_else_copied_stays(owner, server):
    owner.copy(EARLY, *LONG, env=server.env)
    assert len(keepers("x11")) == 1
    server.write("something else")
    # At once, and not after an hour.
    until(lambda: no_keeper("x11"))
    assert server.read() == "something else"


def test_x_a_second_copy_takes_the_place_of_the_first(owner, server):
    owner.copy(EARLY, "--copy-for", "2s", env=server.env)
    first = keepers("x11")
    owner.copy(LATE, *LONG, env=server.env)
    until(lambda: len(keepers("x11")) == 1 and keepers("x11") != first)
    # The first one's time is over by now, and the second's isn't.
    time.sleep(2)
    assert server.read() == LATE[1]
    # The same code again: its time begins anew, and the keeper before doesn't take it for its own.
    owner.copy(LATE, "--copy-for", "2s", env=server.env)
    owner.copy(LATE, *LONG, env=server.env)
    time.sleep(2.5)
    assert server.read() == LATE[1] and len(keepers("x11")) == 1


def test_the_code_is_in_no_argument_and_no_environment(owner, server, tmp_path):
    owner.copy(LATE, *LONG, env=server.env)
    [keeper] = keepers("x11")
    code = LATE[1].encode()
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                assert code not in (process / name).read_bytes(), process
            except OSError:
                continue
    if os.getuid() == 0:
        names = [pair.split(b"=")[0] for pair in (Path("/proc") / str(keeper) / "environ").read_bytes().split(b"\0")]
        assert set(names) <= {b"", b"DISPLAY", b"XAUTHORITY", b"HOME"}
        # Nothing of the caller's is kept open, the vault and the terminal among them.
        open_files = {os.readlink(file).split(":")[0] for file in (Path("/proc") / str(keeper) / "fd").iterdir()}
        assert open_files <= {"socket", "pipe", "/dev/null", "anon_inode"}, open_files
    trace = tmp_path / "trace"
    before = ("strace", "-f", "-qq", "-v", "-s", "100000", "-e", "trace=execve", "-o", trace)
    owner.ok("code", "alpha", "--at", EARLY[0], "--copy", "--copy-for", "1s", env=server.env, before=before)
    started = trace.read_text()
    assert EARLY[1] not in started and started.count("execve(") >= 2
    # Of a process that can't be looked into, root alone sees what it starts.
    assert os.getuid() != 0 or "clipboard-keeper" in started


def test_nobody_of_the_same_user_looks_into_a_keeper(owner, server, everybodys):
    # As somebody who isn't root: the files of a process that can't be looked into are root's.
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    keeper = keep_by(owner, "x11", EARLY[1], 3_600_000, server.env, [*before, str(everybodys)])
    directory = Path("/proc") / str(keeper.pid)
    assert (directory / "mem").stat().st_uid == 0
    assert re.search(r"Max core file size +0 +0 ", (directory / "limits").read_text())
    keeper.terminate()
    keeper.wait()


def test_a_keeper_outlives_the_terminal(owner, server):
    child = pexpect.spawn("/bin/sh", env={**owner.env, **server.env}, encoding="utf-8", timeout=60)
    child.sendline(f"{owner.vmfa} code alpha --at {EARLY[0]} --copy --copy-for 1h")
    child.expect("it leaves the clipboard in 3600 s")
    # It is ours when vmfa has ended.
    [keeper] = until(lambda: keepers("x11"))
    fields = (Path("/proc") / str(keeper) / "stat").read_text().rpartition(")")[2].split()
    session, terminal = fields[3], fields[4]
    assert session == str(keeper) and terminal == "0"
    child.close(force=True)
    assert server.read() == EARLY[1] and keepers("x11") == [keeper]
    os.kill(keeper, signal.SIGTERM)
    until(lambda: server.read() is None)


def test_as_json_all_but_the_code(owner, server):
    done = owner.ok("code", "alpha", "--at", EARLY[0], "--copy", "--json", "--copy-for", "20s", env=server.env)
    told = json.loads(done.stdout)
    assert "code" not in told and EARLY[1].encode() not in done.stdout + done.stderr
    assert told["copied"] is True and told["cleared_after"] == 20 and told["step"] == 1
    assert server.read() == EARLY[1]


def test_fresh_and_next_go_there_too(owner, server):
    for option in ("--fresh", "--next"):
        owner.ok("code", "alpha", option, "--copy", *LONG, env=server.env)
        assert re.fullmatch("[0-9]{6}", server.read())
        server.write("-")


def test_the_time_is_within_bounds(owner):
    for arguments in (["--copy-for", "5s"], ["--copy", "--copy-for", "0s"], ["--copy", "--copy-for", "2h"]):
        done = owner.run("code", "alpha", *arguments)
        assert done.returncode == 2 and done.stdout == b"", arguments
    assert owner.run("pair", "alpha", "--copy").returncode == 2


# --- a code that can't be had again -----------------------------------------------------------------------------------


def counter(owner):
    return json.loads(owner.ok("show", "counted", "--json").stdout)["counter"]


def test_no_counter_moves_where_there_is_no_clipboard(owner):
    before = counter(owner)
    done = owner.run("code", "counted", "--copy")
    assert done.returncode == 3 and b"no clipboard" in done.stderr and done.stdout == b""
    assert counter(owner) == before


def test_a_code_of_a_counter_is_copied_or_else_shown(owner, server, tmp_path):
    owner.ok("code", "counted", "--copy", *LONG, env=server.env)
    assert server.read() == COUNTED[0] and counter(owner) == 2
    # A clipboard that is there when it is looked for, and fails when it is needed.
    fake(tmp_path / "bin", "xsel", 'test "$1" = --help\n')
    env = {**owner.env, "PATH": str(tmp_path / "bin"), "DISPLAY": ":4321"}
    child = pexpect.spawn(owner.vmfa, ["code", "counted", "--copy"], env=env, encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3 and COUNTED[1] in child.before and "no clipboard" in child.before
    # Nobody is there to be shown it.
    done = owner.run("code", "counted", "--copy", env={"PATH": env["PATH"], "DISPLAY": ":4321"})
    assert done.returncode == 3 and not re.search(rb"\d{6}", done.stdout + done.stderr)


# --- Wayland -----------------------------------------------------------------------------------------------------------


def test_wayland_a_code_is_held_marked_and_cleared(owner, compositor, evidence):
    kinds = []

    def read():
        kinds.append(compositor.kinds())
        return compositor.read()

    held_and_cleared(
        lambda: owner.copy(EARLY, "--copy-for", "3s", env=compositor.env), read, EARLY[1], 3, "wayland", evidence
    )
    assert HINT in kinds[0] and "text/plain;charset=utf-8" in kinds[0]


def test_wayland_what_somebody_else_copied_stays(owner, compositor):
    owner.copy(EARLY, *LONG, env=compositor.env)
    assert compositor.read() == EARLY[1]
    compositor.write("something else")
    until(lambda: no_keeper("wayland"))
    assert compositor.read() == "something else"
    owner.copy(EARLY, *LONG, env=compositor.env)
    owner.copy(LATE, *LONG, env=compositor.env)
    until(lambda: len(keepers("wayland")) == 1)
    assert compositor.read() == LATE[1]


# --- by way of other programs -------------------------------------------------------------------------------------------


def keep_by(owner, way, code, span, env, program=None):
    """Starts a keeper as vmfa does, to go a way that would be the second choice here."""
    keeper = subprocess.Popen(
        [*(program or [owner.vmfa]), "clipboard-keeper", way, str(span)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(owner.home), **env},
    )
    keeper.stdin.write(code.encode())
    keeper.stdin.close()
    assert keeper.stdout.readline() == b"holds\n"
    return keeper


@pytest.mark.parametrize("way", ["xclip", "xsel", "wl-copy"])
def test_programs_hold_it_and_are_ended_in_time(owner, server, compositor, way, evidence):
    display = compositor if way == "wl-copy" else server
    files = lambda: {path.name for path in Path("/tmp").glob("wl-copy-buffer-*")}  # noqa: E731
    display.write("before")
    before = files()
    keeper = keep_by(owner, way, EARLY[1], 3_600_000, display.env)
    assert display.read() == EARLY[1]
    display.write("something else")
    # It ends with the program that has lost the clipboard.
    assert keeper.wait(60) == 0 and display.read() == "something else"
    started = time.monotonic()
    keeper = keep_by(owner, way, EARLY[1], 1000, display.env)
    gone = is_gone(display.read, evidence)
    assert gone and keeper.wait(60) == 0 and time.monotonic() - started >= 1
    # wl-copy writes what it holds into a file, and tidies up only if it is told in good time.
    until(lambda: not files() - before)


def test_wl_copy_is_told_on_its_standard_input_and_to_mark_it(owner, tmp_path):
    seen = tmp_path / "seen"
    seen.mkdir()
    script = f"""cd {seen}
case "$*" in
*--help*) echo '  --sensitive'; exit 0 ;;
*--clear*) touch cleared; kill "$(cat pid)"; exit 0 ;;
esac
echo "$*" >arguments; env >environment; cat >input
sleep 600 </dev/null >/dev/null 2>&1 &
echo $! >pid
"""
    fake(tmp_path / "bin", "wl-copy", script)
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "WAYLAND_DISPLAY": "none", "XDG_RUNTIME_DIR": str(tmp_path)}
    said = owner.copy(EARLY, "--copy-for", "1s", env=env)
    assert "it leaves the clipboard in 1 s" in said
    assert (seen / "input").read_text() == EARLY[1]
    assert (seen / "arguments").read_text().split() == ["--type", "text/plain", "--sensitive"]
    names = {line.split("=")[0] for line in (seen / "environment").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "TMPDIR", "PWD", "OLDPWD", "_", "SHLVL"}
    until(lambda: no_keeper("wl-copy"))
    assert (seen / "cleared").exists()


def test_a_program_that_hangs_is_left_behind(owner, server, tmp_path):
    fake(tmp_path / "bin", "wl-copy", "exec sleep 600\n")
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "WAYLAND_DISPLAY": "none", "XDG_RUNTIME_DIR": str(tmp_path)}
    done = owner.run("code", "alpha", "--copy", env=env)
    assert done.returncode == 3 and b"no clipboard" in done.stderr
    until(lambda: no_keeper("wl-copy"))


# --- tmux and the terminal ---------------------------------------------------------------------------------------------


def osc52(code):
    return "52;{};" + base64.b64encode(code.encode()).decode()


class Tmux:
    """tmux in a terminal that we are; all that it writes there is kept."""

    def __init__(self, owner, directory):
        self.socket = str(directory / "tmux")
        self.env = {**owner.env, "TERM": "xterm-256color", "SHELL": "/bin/sh"}
        self.child = pexpect.spawn(
            "tmux", ["-f", "/dev/null", "-S", self.socket, "new", "sh"], env=self.env, encoding="utf-8", timeout=60
        )

    def run(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, timeout=60)

    def buffer(self):
        done = self.run("show-buffer", "-b", "vmfa")
        return done.stdout if done.returncode == 0 else None

    def type(self, line):
        until(lambda: self.run("has-session").returncode == 0)
        self.run("send-keys", line, "Enter")

    def stop(self):
        self.run("kill-server")
        self.child.close(force=True)


@pytest.fixture
def tmux(owner, tmp_path):
    tmux = Tmux(owner, tmp_path)
    yield tmux
    tmux.stop()


def test_tmux_hands_it_to_its_terminal_and_forgets_it(owner, tmux, evidence):
    tmux.type(f"{owner.vmfa} code alpha --at {EARLY[0]} --copy --copy-for 2s")
    # tmux leaves out which of the terminal's clipboards it is.
    tmux.child.expect_exact("\x1b]" + osc52(EARLY[1]).format("") + "\x07")
    tmux.child.expect("it stays until something else is copied")
    assert is_gone(tmux.buffer, evidence), "tmux holds it still"
    # What somebody else has put into it by then isn't ours.
    tmux.type(f"{owner.vmfa} code alpha --at {LATE[0]} --copy --copy-for 4s")
    until(lambda: tmux.buffer() == LATE[1] and keepers("tmux"))
    tmux.run("set-buffer", "-b", "vmfa", "something else")
    until(lambda: no_keeper("tmux"))
    assert tmux.buffer() == "something else"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({}, "\x1b]%s\x07"),
        ({"STY": "1.x"}, "\x1bP\x1b]%s\x07\x1b\\"),
        ({"TERM": "tmux-256color"}, "\x1b]%s\x07\x1bPtmux;\x1b\x1b]%s\x07\x1b\\"),
        # A tmux that isn't there: too old for `load-buffer -w`, say.
        ({"TMUX": "/nonexistent,1,0"}, "\x1bPtmux;\x1b\x1b]%s\x07\x1b\\"),
        # The display of the far end is nobody's business here.
        ({"DISPLAY": "of the server"}, "\x1b]%s\x07"),
    ],
    ids=["bare", "screen", "tmux at the near end", "tmux without -w", "a display at the far end"],
)
def test_over_ssh_the_terminal_is_told(owner, server, setting, expected):
    env = {**owner.env, "TERM": "xterm-256color", "SSH_CONNECTION": "192.0.2.1 2 192.0.2.3 22", **setting}
    if "DISPLAY" in setting:
        env["DISPLAY"] = server.env["DISPLAY"]
    server.write("before")
    child = pexpect.spawn(
        owner.vmfa, ["code", "alpha", "--at", EARLY[0], "--copy"], env=env, encoding="utf-8", timeout=60
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and EARLY[1] not in child.before
    sequence = expected.replace("%s", osc52(EARLY[1]).format("c"))
    assert child.before.count(sequence) == 1 and child.before.replace(sequence, "").count("\x1b") == 0
    assert "it stays until something else is copied" in child.before
    assert server.read() == "before"


def test_without_any_clipboard_nothing_is_printed(owner):
    done = owner.run("code", "alpha", "--at", EARLY[0], "--copy")
    assert done.returncode == 3 and EARLY[1].encode() not in done.stdout + done.stderr
    assert b"there is no clipboard that can be reached" in done.stderr
