"""`vmfa watch`: right codes at the right time, for as long as somebody looks."""

import json
import os
import select
import signal
import subprocess
import time

import pyotp
import pytest
from watching import PATIENCE, bash, desk, is_given_back, new_secret, right_of, tmux, wait_until  # noqa: F401


def lines_of(process):
    """Its lines, each as soon as it is there."""
    rest = b""
    while True:
        while b"\n" not in rest:
            assert select.select([process.stdout], [], [], PATIENCE)[0], "no line came"
            more = os.read(process.stdout.fileno(), 4096)
            if not more:
                return
            rest += more
        line, rest = rest.split(b"\n", 1)
        yield line.decode()


def test_json_at_every_step(desk):
    secret = desk.add("quick", None, "--period", "2", "--tag", "x")
    process = desk.start("watch", "--json", "quick", passphrase=False)
    totp = pyotp.TOTP(secret, interval=2)
    lines = lines_of(process)
    steps, late = [], []
    for line in [next(lines) for _ in range(4)]:
        seen = time.time()
        told = json.loads(line)
        assert told["text"] == told["code"] == totp.at(told["valid_from"])
        assert told["valid_until"] - told["valid_from"] == 2 and told["step"] * 2 == told["valid_from"]
        assert told["class"] == "code" and 0 <= told["percentage"] <= 100
        assert (told["tooltip"], told["account"], told["type"]) == ("quick", "quick", "totp")
        assert len(told["id"]) == 32
        steps.append(told["step"])
        late.append(seen - told["valid_from"])
    process.kill()
    # None comes before its time or twice, and none is left out unless the machine stood still for as long.
    assert min(late) >= 0 and steps == sorted(set(steps))
    if max(late[1:]) < 1:
        assert steps == list(range(steps[0], steps[0] + 4))


def test_a_line_comes_with_its_step(desk, figures):
    desk.add("quick", None, "--period", "1")
    process = desk.start("watch", "--json", "quick", passphrase=False)
    lines = lines_of(process)
    next(lines)
    late = []
    for _ in range(5):
        told = json.loads(next(lines))
        late.append(time.time() - told["valid_from"])
    process.kill()
    assert min(late) >= 0
    figures(f"watch: a code's line {sorted(late)[2] * 1000:.1f} ms after its step began (median of 5)")


def test_it_waits_for_a_locked_agent_and_goes_on(desk):
    desk.ok("lock", passphrase=False)
    process = desk.start("watch", "--json", "github", passphrase=False)
    lines = lines_of(process)
    told = json.loads(next(lines))
    assert (told["class"], told["code"], told["text"]) == ("locked", "", "")
    desk.unlock()
    told = json.loads(next(lines))
    assert told["class"] == "code" and told["code"] in right_of(desk, "GitHub:me")
    assert process.poll() is None
    process.kill()


def test_a_lock_is_told_at_the_next_step(desk):
    desk.add("quick", None, "--period", "2")
    process = desk.start("watch", "--json", "quick", passphrase=False)
    lines = lines_of(process)
    assert json.loads(next(lines))["class"] == "code"
    desk.ok("lock", passphrase=False)
    locked = int(time.time()) // 2
    told = json.loads(next(lines))
    while told["class"] == "code":
        # Of a step that had begun.
        assert told["step"] <= locked
        told = json.loads(next(lines))
    assert (told["class"], told["code"]) == ("locked", "")
    process.kill()


def test_lines_and_several_accounts(desk):
    process = desk.start("watch", "github", passphrase=False)
    assert next(lines_of(process)) in right_of(desk, "GitHub:me")
    process.kill()
    process = desk.start("watch", "--all", "--plain", passphrase=False)
    lines = lines_of(process)
    both = [next(lines).split("  ", 1) for _ in range(2)]
    assert [name for _, name in both] == ["GitHub:me", "日本銀行:太郎 山田"]
    assert all(code in right_of(desk, name) for code, name in both)
    process.kill()


def test_lines_wait_for_a_locked_agent_too(desk):
    desk.add("quick", None, "--period", "2")
    process = desk.start("watch", "--plain", "quick", passphrase=False)
    lines = lines_of(process)
    assert next(lines) in right_of(desk, "quick", 2)
    desk.ok("lock", passphrase=False)
    while next(lines):
        pass
    desk.unlock()
    assert next(lines) in right_of(desk, "quick", 2)
    process.kill()


def test_the_vault_is_opened_where_no_agent_is(desk):
    desk.ok("agent", "stop", passphrase=False)
    process = desk.start("watch", "--json", "github")
    told = json.loads(next(lines_of(process)))
    assert told["code"] in right_of(desk, "GitHub:me")
    process.kill()


def test_it_ends_quietly_with_its_reader(desk):
    process = desk.start("watch", "--json", "github", passphrase=False)
    next(lines_of(process))
    # Long before the next step would be written.
    process.stdout.close()
    process.wait(PATIENCE)
    assert process.stderr.read() == b""


@pytest.mark.parametrize("kind", ["confirm", "hotp"])
def test_what_cant_be_watched_says_why(desk, kind):
    if kind == "hotp":
        desk.add("other", None, "--type", "hotp")
    else:
        desk.add("other", None, "--confirm")
    done = desk.run("watch", "other", passphrase=False)
    assert done.returncode == 2 and not done.stdout
    assert ("asks before each code" if kind == "confirm" else "counter-based") in done.stderr


def test_it_waits_without_waking(desk):
    process = desk.start("watch", "--json", "github", passphrase=False)
    next(lines_of(process))

    def switches():
        status = open(f"/proc/{process.pid}/status").read()
        return int(status.split("voluntary_ctxt_switches:")[1].split()[0])

    wait_until(lambda: "S (sleeping)" in open(f"/proc/{process.pid}/status").read(), "it sleeps")
    until = time.time()
    if until % 30 > 26:
        time.sleep(30 - until % 30 + 1)
    before, step = switches(), int(time.time()) // 30
    time.sleep(2.5)
    # Nothing wakes it within a step, and the turn of one costs a few questions.
    if step == int(time.time()) // 30:
        assert switches() == before
    process.kill()


def test_in_a_small_pane(desk, tmux):
    pane = tmux("vmfa watch github", columns=20, lines=3)
    screen = pane.shows(r"\d{3} \d{3} +\d+s")
    first, second, *rest = screen.split("\n")
    assert first == "GitHub:me" and not any(rest)
    assert second.replace(" ", "")[:6] in right_of(desk, "GitHub:me")


def test_the_countdown_and_the_next_code(desk, tmux):
    secret = desk.add("quick", None, "--period", "3")
    pane = tmux("vmfa watch --all", columns=40, lines=6)
    pane.shows("quick")
    pane.stop()
    pane = tmux("vmfa watch quick", columns=20, lines=3)
    totp = pyotp.TOTP(secret, interval=3)
    steps = set()

    def seen():
        begun = time.time()
        line = pane.shows(r"\d{3} \d{3} +\ds >\d{3} \d{3}").split("\n")[1]
        ended = time.time()
        code, next_ = (part.replace(" ", "") for part in (line[:7], line.split(">")[1]))
        step = next(step for step in range(int(begun) // 3 - 1, int(ended) // 3 + 1) if totp.at(step * 3) == code)
        assert next_ == totp.at(step * 3 + 3)
        steps.add(step)
        return len(steps) > 2

    wait_until(seen, "three steps")


def test_the_terminal_is_given_back(desk):
    shell = bash(desk)
    for how in ("q", "\x03"):
        shell.sendline("vmfa watch github; echo left=$?")
        shell.expect(r"\d{3} \d{3} +\d+s")
        shell.send(how)
        shell.expect("left=0")
        assert is_given_back(shell)
    shell.sendline("vmfa watch github; echo left=$?")
    shell.expect(r"\d{3} \d{3} +\d+s")
    found = subprocess.run(["pgrep", "-f", "^vmfa watch github$", "-P", str(shell.pid)], capture_output=True, text=True)
    os.kill(int(found.stdout), signal.SIGTERM)
    shell.expect("left=")
    # The cursor is seen again, and no code stays.
    assert "\x1b[?25h" in shell.before
    assert is_given_back(shell)
    shell.sendline("vmfa watch github; echo left=$?")
    shell.expect(r"\d{3} \d{3} +\d+s")
    shell.send("\x1a")
    shell.expect("Stopped")
    assert is_given_back(shell)
    shell.sendline("fg; echo back=$?")
    shell.expect(r"\d{3} \d{3} +\d+s")
    shell.send("q")
    shell.expect("back=0")
