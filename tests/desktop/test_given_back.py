"""The terminal is lent to the interface: however it ends, it is given back as it was; and it costs nothing while nobody looks."""

import os
import re
import signal
import statistics
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from desk import Desk, is_gone, wait_until  # noqa: E402
from line import Line  # noqa: E402
from pane import Terminals  # noqa: E402


@pytest.fixture(scope="module")
def desk(vmfa):
    desk = Desk(vmfa).init()
    desk.add_many(["GitHub:alice", "GitLab:bob", "Example:carol"])
    yield desk
    desk.tidy_up()


@pytest.fixture
def opened(desk):
    """Opens the interface on a terminal; unlocked, if so wanted."""
    lines = []

    def opened(unlocked=True, command=None, env=None, **more):
        line = Line(command or [desk.vmfa], {**desk.env, **(env or {})}, desk.root, **more)
        lines.append(line)
        line.wait(rb"Passphrase:")
        if unlocked:
            line.send(f"{desk.passphrase}\r")
            line.wait(rb"alice")
        return line

    yield opened
    for line in lines:
        line.end()


# How it ends, and what whoever waits for it is told.
ENDS = {
    "Esc": (b"\x1b", 0),
    "^C": (b"\x03", 0),
    "Q": (b"Q", 0),
    "SIGTERM": (signal.SIGTERM, 128 + 15),
    "SIGINT": (signal.SIGINT, 128 + 2),
    "SIGHUP": (signal.SIGHUP, 128 + 1),
    "SIGQUIT": (signal.SIGQUIT, 128 + 3),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_terminal_is_given_back_at_the_end(opened, end):
    line = opened()
    what, code = ENDS[end]
    assert line.settings() != line.before, "it never took the terminal"
    if isinstance(what, bytes):
        line.send(what)
    else:
        os.kill(line.pid, what)
    assert line.ended() == code
    line.check_given_back()


@pytest.mark.parametrize("end", ["^C", "SIGTERM"])
def test_the_terminal_is_given_back_at_the_question(opened, end):
    line = opened(unlocked=False)
    line.send("half a passphrase")
    line.wait(rb"\xe2\x80\xa2")
    what, code = ENDS[end]
    line.send(what) if isinstance(what, bytes) else os.kill(line.pid, what)
    assert line.ended() == code
    line.check_given_back()


def test_the_terminal_is_given_back_after_a_bug(opened, desk, tmp_path):
    """A panic of ours: the system refuses the worker the randomness of its tables, which the standard library can't do without."""
    # The first request of each thread is refused; the main thread's first is the allocator's, which can do without.
    strace = ["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e", "trace=getrandom", "-e", "inject=getrandom:error=EIO:when=1"]
    line = opened(unlocked=False, command=["/usr/bin/env", *map(str, strace), desk.vmfa])
    line.send(f"{desk.passphrase}\r")
    line.wait(rb"internal error")
    told = bytes(line.read).index(b"internal error")
    line.ended()
    assert line.status != 0
    line.check_given_back()
    after = bytes(line.read)[told:]
    assert b"\x1b[?1049l" in bytes(line.read)[:told], "told on the screen that goes away"
    assert b"\x1b[?1049h" not in after and b"\x1b[?2026h" not in after, f"drawn after it was given back: {after}"


def child_of(pid):
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@pytest.mark.parametrize("stop", ["^Z", "SIGTSTP", "SIGSTOP"])
def test_the_shell_has_the_terminal_while_it_is_stopped(desk, stop):
    with Terminals() as terminals:
        pane = terminals.open(desk, "bash", "--norc", "--noprofile", "-i", env={"PS1": "ready> "})
        pane.wait("ready>")
        before, between, after = (desk.root / f"{stop}-{name}" for name in ("before", "between", "after"))

        def ask(path):
            pane.type(f"stty -a > {path}")
            pane.keys("Enter")
            return wait_until(lambda: path.exists() and path.read_text().strip() and path.read_text(), path)

        def modes():
            return tuple(pane.ask(f"#{{{name}}}") for name in ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag"))

        settings = ask(before)
        pane.type(desk.vmfa)
        pane.keys("Enter")
        pane.wait("Passphrase:")
        pane.type(desk.passphrase)
        pane.keys("Enter")
        pane.wait("accounts", "alice")
        assert modes() == ("1", "0", "1", "1")
        if stop == "^Z":
            pane.keys("C-z")
        else:
            os.kill(child_of(pane.pid), getattr(signal, stop))
        pane.wait("Stopped")
        # Nobody can catch the third: the shell's prompt stands on the list then.
        if stop != "SIGSTOP":
            assert modes() == ("0", "1", "0", "0")
            # Its own screen is there again, without a code.
            assert not re.search(r"\d{3} \d{3}", pane.text())
        assert ask(between) == settings
        pane.type("fg")
        pane.keys("Enter")
        pane.wait("accounts", "alice", "Enter copy")
        wait_until(lambda: modes() == ("1", "0", "1", "1"), "the terminal was taken again")
        # A key at a time, and without an echo: the terminal is really taken again.
        pane.keys("/")
        pane.type("gitl")
        pane.wait("/gitl", "1 of 3")
        assert "^[" not in pane.text()
        pane.keys("Escape")
        pane.wait("3 accounts")
        pane.keys("Q")
        pane.wait("ready>", until=lambda text: "accounts" not in text)
        assert modes() == ("0", "1", "0", "0")
        assert ask(after) == settings


@pytest.mark.parametrize("unlocked", [True, False], ids=["list", "question"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_without_its_terminal_it_ends(opened, desk, unlocked, told):
    """A closed window. Untold: under a shell that ignores the signal, nobody sends it on."""
    shell = ["/bin/sh", "-c", 'trap "" HUP; "$0"; exit 9', desk.vmfa]
    line = opened(unlocked=unlocked, command=None if told else shell)
    pid = line.pid if told else child_of(line.pid)
    line.close()
    # It has seconds; what has none to wait for spins, or stays for ever.
    wait_until(lambda: is_gone(pid), "the process has gone")


def test_every_size_is_drawn(opened):
    line = opened(size=(200, 60))
    for size in [(40, 10), (5, 2), (1, 1), (300, 3), (3, 100), (200, 60)]:
        start = line.mark()
        line.resize(*size)
        line.wait(rb"\x1b\[\?2026l", start)
    line.wait(rb"alice", start)
    line.send(b"\x1b")
    assert line.ended() == 0
    line.check_given_back()


def test_it_is_drawn_anew_without_asking_the_terminal(opened):
    """Whatever is asked of a terminal is answered among the keys, which another thread reads; some never answer."""
    line = opened()
    start = line.mark()
    line.send(b"\x0c")
    line.wait(rb"\x1b\[2J.*alice", start)
    assert b"\x1b[6n" not in line.read
    line.send(b"\x1b")
    assert line.ended() == 0


def test_without_a_terminal_it_says_how_it_is_used(desk):
    done = desk.run(passphrase=False)
    assert done.returncode == 2 and "vmfa" in done.stderr + done.stdout
    assert "\x1b" not in done.stderr + done.stdout
    for stream in ("0", "1"):
        words = f'"$0" {"< /dev/null" if stream == "0" else "| cat"}; exit ${{PIPESTATUS[0]}}'
        line = Line(["/bin/bash", "-c", words, desk.vmfa], desk.env, desk.root)
        try:
            assert line.ended() == 2
            line.wait(rb"[Uu]sage")
            assert b"\x1b[?1049h" not in line.read
            assert line.settings() == line.before
        finally:
            line.end()


def test_a_dumb_terminal_is_worked_line_by_line(desk):
    """It can't move its cursor: what opens there is the plain mode, which writes no escape sequence."""
    line = Line([desk.vmfa], {**desk.env, "TERM": "dumb"}, desk.root)
    try:
        line.wait(rb"Passphrase for [^\n]*: ")
        line.send(f"{desk.passphrase}\r")
        line.wait(rb"unlocked: 3 accounts.*vmfa> ")
        line.send("quit\r")
        assert line.ended() == 0
        assert b"\x1b" not in line.read and line.settings() == line.before
    finally:
        line.end()


# --- what it costs ---------------------------------------------------------------------------------------------------


def spent(pid):
    """Switches that were its own wish, of all threads, and seconds of the processor."""
    switches = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        switches += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M)[1])
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return switches, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_it_sleeps_while_nothing_happens(opened, desk, figures):
    desk.ok("lock", passphrase=False)
    lines = {"a countdown": opened(), "locked": opened(unlocked=False)}
    time.sleep(1)
    first = {name: (time.monotonic(), *spent(line.pid)) for name, line in lines.items()}
    time.sleep(5)
    for name, line in lines.items():
        then, wakes, cpu = (now - before for now, before in zip((time.monotonic(), *spent(line.pid)), first[name]))
        figures(f"interface, {name}: {wakes / then:.1f} wakes a second, {100 * cpu / then:.2f} % of a core, over {then:.0f} s")
        # It must not turn round and round; how busy the machine is changes neither.
        assert wakes / then < 10 and cpu / then < 0.2, name


def test_ten_thousand_accounts(vmfa, figures):
    desk = Desk(vmfa).init()
    try:
        path = desk.root / "many"
        path.write_text("".join(
            f"otpauth://totp/Issuer%20{n % 700}:person{n}?secret={secret(n)}\n" for n in range(10_000)
        ))
        desk.ok("import", path)
        line = Line([desk.vmfa], desk.env, desk.root)
        try:
            line.wait(rb"Passphrase:")
            began = time.monotonic()
            line.send(f"{desk.passphrase}\r")
            opening = line.wait(rb"10000.*accounts") - began
            took = {"down": [], "a letter": [], "page": []}

            def timed(kind, key, pattern):
                # What the key before has asked for is on the screen by then.
                time.sleep(0.02)
                start, began = line.mark(), time.monotonic()
                line.send(key)
                took[kind].append(line.wait(pattern, start) - began)

            for _ in range(20):
                timed("down", b"j", rb"\x1b\[\?2026h.*>.*\x1b\[\?2026l")
            for _ in range(20):
                timed("page", b"\x1b[6~", rb"\x1b\[\?2026h.{600,}\x1b\[\?2026l")
            for _ in range(5):
                timed("a letter", b"/", rb"\x1b\[\?2026l")
                took["a letter"].pop()
                for letter in b"pers":
                    timed("a letter", bytes([letter]), rb"\x1b\[\?2026l")
                start = line.mark()
                line.send(b"\x1b")
                line.wait(rb"accounts.*\x1b\[\?2026l", start)
            medians = ", ".join(f"{kind} {1000 * statistics.median(times):.1f} ms (at most {1000 * max(times):.0f})" for kind, times in took.items())
            figures(f"interface, 10,000 accounts: open in {opening:.2f} s; from a key to the screen, median: {medians}")
            line.send(b"\x1b")
            assert line.ended() == 0
        finally:
            line.end()
    finally:
        desk.tidy_up()


def secret(n):
    """Another one for each number."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    digits = ""
    for _ in range(4):
        digits, n = digits + alphabet[n % 32], n // 32
    return digits + "JBSWY3DPEHPK3PXPJBSWY3DPEHPK"
