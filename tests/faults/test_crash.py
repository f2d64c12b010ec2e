"""A program that is ended in the worst moment, or runs out of memory or stack: no core file, no secret in its last words, and the
vault as it was."""

import base64
import os
import resource
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import CHEAP, PASSPHRASE, House

# Leaves a core file wherever the system leaves any.
HOLDS = """
import sys
secret = sys.stdin.readline().strip()
print("ready", flush=True)
sys.stdin.read()
"""
FALLS = """
import sys
secret = sys.stdin.readline().strip()
raise ValueError(f"not base32: {secret}")
"""
MIB = 1 << 20


def forms(raw):
    typed = base64.b32encode(raw)
    found = [raw, typed, typed.lower(), raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")]
    return [form[at:at + 12] for form in found for at in (0, 4)]


PASSPHRASE_FORMS = forms(PASSPHRASE.encode())
# As large as cores may get here: an ordinary user has the hard limit at most. Where that is 0, nothing leaves any core.
MOST = resource.RLIM_INFINITY if os.getuid() == 0 else resource.getrlimit(resource.RLIMIT_CORE)[1]


def unlimited():
    """Cores as large as they may get, and no signal ignored since whoever runs the tests does: in the test's own children alone."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (MOST, MOST))


def cores(directory):
    return [path for path in directory.iterdir() if path.name.startswith("core")]


def ended_by(number, command, env, cwd, line, stdin=None):
    """Ends a program by a signal once it says something: its core files there."""
    cwd.mkdir()
    process = subprocess.Popen(list(map(str, command)), env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=unlimited)
    if stdin:
        process.stdin.write(stdin)
        process.stdin.flush()
    said = process.stdout.readline()
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    is_closed = Path(f"/proc/{process.pid}/mem").stat().st_uid == 0 and os.getuid() != 0 or "Max core file size        0" in limits
    # Rust's own handler of a fault takes the first for none of the stack's, and waits for the instruction to fault again.
    for _ in range(100):
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        process.kill()
        raise AssertionError("it doesn't end")
    assert line in said, said + err
    return process.returncode, out + err, cores(cwd), is_closed


@pytest.fixture
def planted(vmfa, tmp_path):
    """A vault with a secret in it that is known here."""
    house = House(tmp_path / "house", [vmfa]).build()
    house.must("init", "--kdf", CHEAP)
    raw = secrets.token_bytes(20)
    house.must("add", "planted", "--secret", "-", stdin=base64.b32encode(raw).decode())
    return house, raw


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGQUIT])
def test_a_crash_leaves_no_core(planted, number, tmp_path, evidence):
    house, raw = planted
    env = {**house.env, "RUST_BACKTRACE": "full", "RUST_LOG": "trace"}
    code, said, left, is_closed = ended_by(number, house.argv(["watch", "planted", "--json", "--no-agent"]), env, tmp_path / "cwd", b"code")
    leaks = [form for form in [*forms(raw), *PASSPHRASE_FORMS] if form in said]
    if MOST:
        evidence("leaks", cases=1, faults=1, losses=int(bool(left or leaks or not is_closed)))
    assert is_closed and not left and not leaks, (left, leaks)
    assert code in (-number, 130) and house.names() == {"planted"}
    assert cores(house.root) == [] and cores(house.directory) == []


def test_control_an_ordinary_program_leaves_one(tmp_path, figures, evidence):
    """Where the system writes cores into files; elsewhere (a pipe to a collector) what it would be given can be read."""
    raw = secrets.token_bytes(20)
    typed = base64.b32encode(raw)
    if MOST:
        command = [sys.executable, "-I", "-S", "-c", HOLDS]
        _, _, left, is_closed = ended_by(signal.SIGABRT, command, dict(os.environ), tmp_path / "cwd", b"ready", typed + b"\n")
        found = [path for path in left if any(form in path.read_bytes() for form in forms(raw))]
        evidence("leaks", control=len(found) + (not is_closed))
        assert not is_closed, "an ordinary program may leave a core"
        writes_files = not Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/"))
        # One that is cut short may end before it comes to the secret.
        assert found or not writes_files or MOST != resource.RLIM_INFINITY
    else:
        figures("leaks: no crash can leave a core here: the hard limit of this user is 0, and the crashes are no cases")


def test_control_the_last_words_of_an_ordinary_program_are_seen(evidence):
    """Of each secret that is typed below, and of the passphrase."""
    raw, seen = secrets.token_bytes(20), []
    for part in [typed_at(raw, number) for number in range(8)]:
        fell = subprocess.run([sys.executable, "-I", "-S", "-c", FALLS], input=base64.b32encode(part), capture_output=True)
        seen.append(any(form in fell.stderr for form in forms(part)))
    fell = subprocess.run([sys.executable, "-I", "-S", "-c", FALLS], input=PASSPHRASE.encode(), capture_output=True)
    seen.append(any(form in fell.stderr for form in PASSPHRASE_FORMS))
    evidence("leaks", control=sum(seen))
    assert all(seen), seen


# Of all memory, and of the stack alone. From where it can't even start, over the key derivation's, to where all goes well.
POINTS = [("AS", size * MIB) for size in (1, 8, 16, 24, 32, 40, 48, 52, 56, 60, 64, 68, 72, 76, 80, 88, 96, 104, 112, 128, 160, 256)]
POINTS += [("STACK", size << 10) for size in (16, 32, 64, 96, 128, 160, 192, 256, 512, 1024)]
# A panic of ours (1), an abort where memory ends, a fault where the stack ends, the loader's own, and those that say what is wrong.
ENDS = {0, 1, 127, 126, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGKILL, -signal.SIGBUS}


def typed_at(more, number):
    """The secret of one of the runs: of another length each time, since buffers end where lengths do."""
    return more[number % 8:]


def test_without_memory_or_stack_nothing_is_said_that_is_secret_and_nothing_lost(planted, long, evidence, figures):
    house, raw = planted
    more = secrets.token_bytes(20)
    losses, ends, hit = [], {}, 0
    points = POINTS if long else POINTS[::3]
    for number, (kind, most) in enumerate(points):
        def limited(kind=kind, most=most):
            unlimited()
            resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (most, most))

        part = typed_at(more, number)
        plants = [*forms(raw), *forms(part), *PASSPHRASE_FORMS]
        typed = base64.b32encode(part).decode().rstrip("=")
        runs = [(["code", "planted"], ""), (["add", f"more{number}", "--secret", "-"], typed)]
        for arguments, stdin in runs:
            done = house.run(*arguments, stdin=stdin, env={"RUST_BACKTRACE": "full", "RUST_LOG": "trace"}, preexec_fn=limited)
            ends[done.code] = ends.get(done.code, 0) + 1
            hit += done.code != 0
            losses += [f"{kind} {most}: {arguments}: {form!r}" for form in plants if form in done.out + done.err]
            losses += [f"{kind} {most}: {arguments}: {done.says}"] if done.hung or done.code not in ENDS else []
            for path in (path for where in (house.root, house.directory, house.home) for path in cores(where)):
                # Where the stack ends before the program begins, the system may write a core of what was not told anything yet.
                core = path.read_bytes()
                losses += [f"{kind} {most}: {arguments}: {form!r} in {path}" for form in plants if form in core]
                path.unlink()
            if arguments[0] == "add" and done.code == 0 and arguments[1] not in (house.names() or ()):
                # The same secret a second time is the same account, as it says.
                losses += [] if b"already" in done.out + done.err else [f"{kind} {most}: {arguments} told a lie: {done.says}"]
        if "planted" not in (house.names() or ()):
            losses.append(f"{kind} {most}: the vault is not whole: {house.run('check').says}")
    evidence("leaks", cases=2 * len(points), faults=hit, losses=len(losses))
    figures(f"leaks: without memory or stack: {2 * len(points)} runs, {hit} failed ({dict(sorted(ends.items()))}), {len(losses)} losses")
    if not MOST:
        figures("leaks: without memory or stack: no core can be left here, and only what was said is judged")
    assert hit and not losses, "\n".join(losses)
