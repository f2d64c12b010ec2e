"""Planted secrets are looked for in every argument, environment, write and file of every command that handles them."""

import base64
import secrets
import subprocess
import sys
from pathlib import Path

import traces
from harness import CHEAP, House, naive

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "desktop"))
from pane import Terminals  # noqa: E402

# What each command may print on standard output: only the one that is asked for secrets prints any.
RAW = secrets.token_bytes(20)
PHRASE = f"phrase {secrets.token_hex(12)}"
TYPED = base64.b32encode(RAW).decode()


def forms():
    """Each way in which somebody might have written the secret down, by name."""
    found = {
        "raw": RAW,
        "base32": TYPED.encode(),
        "base32, lower case": TYPED.lower().encode(),
        "hexadecimal": RAW.hex().encode(),
        "hexadecimal, upper case": RAW.hex().upper().encode(),
        "base64": base64.b64encode(RAW).rstrip(b"="),
        "base64, for URLs": base64.urlsafe_b64encode(RAW).rstrip(b"="),
        "the passphrase": PHRASE.encode(),
    }
    # Half of it would be bad enough; eight bytes are never there by chance.
    found |= {f"{name}, a part": value[4:16] for name, value in found.items() if name != "raw"}
    found["raw, a part"] = RAW[4:12]
    return found


def found_in(data):
    return [name for name, value in forms().items() if value in data]


class Looked:
    """Where a secret was seen, how many bytes were looked at, and the runs: those whose traces can be judged, and those of them
    that were handed something to give away."""

    def __init__(self, house):
        self.house, self.seen = house, []
        self.bytes = self.runs = self.judged = self.planted = 0

    def at(self, name, where, data):
        self.bytes += len(data)
        self.seen += [f"{name}: {form} in {where}" for form in found_in(data)]

    def run(self, name, trace, given, *public):
        """A run that is over: what it told the system, and what lies in the home now. Every one of vmfa opens the vault, says
        something that isn't secret, or does both."""
        told = traces.told(trace)
        self.at(name, "trace", b"\n\0\n".join(told.values()))
        for file in self.house.home.rglob("*"):
            if file.is_file():
                self.at(name, file.relative_to(self.house.home), file.read_bytes())
        vault = (traces.PATH, bytes(self.house.vault))
        self.runs += 1
        if self.house.naive or traces.shows(trace, told, vault, *public):
            self.judged += 1
            # The vault holds the secret, and the passphrase opens it.
            opened = told.get(traces.PATH, b"")
            self.planted += bool(given) or bytes(self.house.vault) in opened or bytes(self.house.passphrase) in opened

    def counts(self):
        """A run is no case where this user's traces hold nothing; what is found in files and output is a loss all the same."""
        return {"cases": self.judged, "faults": self.planted, "losses": len(self.seen)}

    def __str__(self):
        blind = self.runs - self.judged
        return f"{self.bytes} bytes looked at, {len(self.seen)} secrets seen" + (
            f"; {blind} runs are no cases: without CAP_SYS_PTRACE only output and files are judged" if blind else "")


def leaks(house):
    """Runs the commands, and looks."""
    looked = Looked(house)
    sealed = ("--passphrase-file", house.passphrase, "--export-passphrase-file", house.root / "other")
    commands = [
        (("init", "--kdf", CHEAP), ""),
        (("add", "planted", "--secret", "-"), TYPED),
        (("add", "broken", "--secret", "-"), TYPED[:-1] + "1"),
        (("add", "--uri", "-"), f"otpauth://totp/B:b?secret={TYPED}1&digits=x"),
        (("list", "--json"), ""),
        (("list",), ""),
        (("code", "planted", "--at", "59"), ""),
        (("code", "nobody"), ""),
        (("check",), ""),
        (("scan", house.root / "not-a-picture"), ""),
        (("import", "--json", house.root / "list"), ""),
        (("import", "--dry-run", "-"), f"otpauth://totp/C:c?secret={TYPED}1"),
        (("import", "--undo"), ""),
        (("export", "--to", "aegis", "--out", house.home / "aegis.json", *sealed), ""),
        (("import", house.home / "aegis.json", "--file-passphrase-file", house.root / "other"), ""),
        (("export", "--to", "uris"), ""),
    ]
    (house.root / "list").write_text(f"otpauth://totp/D:d?secret={TYPED}\notpauth://totp/E:e?secret={TYPED}1\n")
    (house.root / "other").write_text("quite another passphrase\n")
    (house.root / "other").chmod(0o600)
    (house.root / "not-a-picture").write_text(f"otpauth://totp/x?secret={TYPED}")
    for arguments, stdin in commands:
        trace = house.root / "trace"
        done = house.run(*arguments, stdin=stdin, before=traces.before(trace))
        name = " ".join(str(part) for part in arguments[:2])
        looked.at(name, "stderr", done.err)
        looked.at(name, "stdout", done.out)
        given = stdin or any(isinstance(part, Path) for part in arguments)
        printed = [("a pipe", line) for line in (done.out + done.err).splitlines() if line]
        looked.run(name, trace.read_bytes(), given, *printed)
        trace.unlink()
    return looked


def in_processes(looked):
    """The arguments and the environment of any process that can be looked at."""
    for part in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{part}"):
            try:
                looked.at("the interface", path, path.read_bytes())
            except OSError:
                continue


def at_the_interface(house):
    """Works at the interface, and looks."""
    looked = Looked(house)
    house.must("init", "--kdf", CHEAP)
    trace = house.root / "trace"
    # Asked for in the interface, and so not told by the environment.
    command = ["env", "-u", "VMFA_PASSPHRASE_FILE", *traces.before(trace)]
    with Terminals() as terminals:
        pane = terminals.open(house, *command, *house.program, size=(120, 60), env={"VMFA_VAULT": str(house.vault)})
        pane.wait("Passphrase:")
        for typed, wanted in [("quite another", "error"), (PHRASE, "No accounts yet")]:
            pane.type(typed)
            pane.keys("Enter")
            pane.wait(wanted)
        pane.paste(f"otpauth://totp/Planted:planted?secret={TYPED}\n")
        for key, wanted in [
            ("", "add accounts"), ("Enter", "+ Planted:planted"), ("Enter", "1 account"), ("Enter", "copied"), ("e", "asks before each"),
            ("Escape", "1 account"), ("q", "Passphrase:"),
        ]:
            pane.keys(key)
            pane.wait(wanted)
        pane.type(PHRASE)
        pane.keys("Enter")
        pane.wait("take it off the screen")
        in_processes(looked)
        for key, wanted in [("Escape", "1 account"), ("L", "locked"), ("x", "Passphrase:")]:
            pane.keys(key)
            pane.wait(wanted)
        pane.type(PHRASE)
        pane.wait("•")
        pane.keys("C-c")
        assert pane.wait_end() == 0
    looked.run("the interface", trace.read_bytes(), PHRASE)
    trace.unlink()
    return looked


def prepared(root, program):
    house = House(root, program).build()
    house.passphrase.write_text(PHRASE + "\n")
    return house


def test_no_secret_is_seen(vmfa, tmp_path, figures, evidence):
    house = prepared(tmp_path / "house", [vmfa])
    looked = leaks(house)
    evidence("leaks", **looked.counts())
    figures(f"leaks: arguments, writes, output and files: {looked}")
    assert not looked.seen, "\n".join(looked.seen)
    assert looked.judged == (looked.runs if traces.may_look() else 0)
    assert "planted" in house.names(), "the secret never was in the vault: nothing was tested"
    assert (house.home / "aegis.json").stat().st_mode & 0o077 == 0, "it was not written, or can be read by others"
    for file in house.directory.iterdir():
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} can be read by others"


def test_no_secret_is_seen_at_the_interface(vmfa, tmp_path, figures, evidence):
    house = prepared(tmp_path / "house", [vmfa])
    looked = at_the_interface(house)
    evidence("leaks", **looked.counts())
    figures(f"leaks: the interface: arguments, environments, writes and files: {looked}")
    assert not looked.seen, "\n".join(looked.seen)
    assert house.names() == {"planted"}, "the secret never was in the vault: nothing was tested"


def test_control_a_file_in_clear_is_seen(tmp_path, figures, evidence):
    looked = leaks(prepared(tmp_path / "house", naive("truncate")))
    evidence("leaks", control=len(looked.seen))
    figures(f"control: leaks: {looked}")
    assert any("in trace" in line for line in looked.seen) and any("in vault/" in line for line in looked.seen)


BLIND = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0
os.open(sys.argv[1], os.O_RDONLY | os.O_CREAT, 0o600)
os.write(1, sys.stdin.buffer.read())
"""


def test_control_a_trace_of_pointers_is_no_evidence(tmp_path, figures, evidence):
    """A program that gives everything away, and is closed to its own user as vmfa is: nobody without CAP_SYS_PTRACE sees it in
    the trace, and such a trace isn't taken for a clean one."""
    trace, vault = tmp_path / "trace", tmp_path / "accounts.vmfa"
    words = [*traces.without_a_look(), *traces.before(trace), sys.executable, "-I", "-S", "-c", BLIND, vault]
    assert subprocess.run(words, input=TYPED.encode(), capture_output=True, check=True).stdout == TYPED.encode()
    seen = trace.read_bytes()
    said = traces.told(seen)
    assert not found_in(b"\n".join(said.values())), "strace reads it: this control shows nothing"
    caught = traces.blindness(seen, said, (traces.PATH, bytes(vault)))
    evidence("leaks", control=int(bool(caught)))
    figures(f"control: leaks: a trace of pointers is told from others by {len(caught)} things")
    # The name that it opens, and what it writes.
    assert len(caught) == 3 and sum("strace couldn't read" in wrong for wrong in caught) == 2, caught
