"""Planted secrets are looked for in every argument, environment, write and file of every command that handles them."""

import base64
import re
import secrets
import sys
from pathlib import Path

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


def unescaped(trace):
    """strace's strings (`-xx`: every byte as \\xHH) as bytes, each followed by a separator."""
    strings = re.findall(rb'"((?:\\x[0-9a-f]{2})*)"', trace)
    return b"\n\0\n".join(bytes.fromhex(string.replace(b"\\x", b"").decode()) for string in strings)


def leaks(house):
    """Runs the commands and says where a secret was seen, and how many bytes were looked at."""
    seen, looked = [], 0
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
        before = ["strace", "-f", "-qq", "-v", "-xx", "-s", "10000000", "-o", trace]
        before += ["-e", "trace=execve,execveat,%network,write,writev,pwrite64,pwritev,pwritev2,openat,rename,renameat2,link,linkat,symlink,memfd_create"]
        done = house.run(*arguments, stdin=stdin, before=before)
        name = " ".join(str(part) for part in arguments[:2])
        for where, data in [("trace", unescaped(trace.read_bytes())), ("stderr", done.err), ("stdout", done.out)]:
            looked += len(data)
            seen += [f"{name}: {form} in {where}" for form in found_in(data)]
        trace.unlink()
        for file in house.home.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                looked += len(data)
                seen += [f"{name}: {form} in {file.relative_to(house.home)}" for form in found_in(data)]
    return seen, looked


def in_processes():
    """Where in the arguments and the environment of any process that can be looked at a secret stands, and how many bytes those are."""
    seen, looked = [], 0
    for part in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{part}"):
            try:
                data = path.read_bytes()
            except OSError:
                continue
            looked += len(data)
            seen += [f"{form} in {path}" for form in found_in(data)]
    return seen, looked


def at_the_interface(house):
    """Works at the interface, and says where a secret was seen, and how many bytes were looked at."""
    house.must("init", "--kdf", CHEAP)
    trace = house.root / "trace"
    # Asked for in the interface, and so not told by the environment.
    command = ["env", "-u", "VMFA_PASSPHRASE_FILE", "strace", "-f", "-qq", "-v", "-xx", "-s", "10000000", "-o", trace]
    command += ["-e", "trace=execve,execveat,%network,write,writev,pwrite64,pwritev,pwritev2,openat,rename,renameat2,link,linkat,symlink,memfd_create"]
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
        seen, looked = in_processes()
        for key, wanted in [("Escape", "1 account"), ("L", "locked"), ("x", "Passphrase:")]:
            pane.keys(key)
            pane.wait(wanted)
        pane.type(PHRASE)
        pane.wait("•")
        pane.keys("C-c")
        assert pane.wait_end() == 0
    parts = [("trace", unescaped(trace.read_bytes()))]
    trace.unlink()
    parts += [(str(file.relative_to(house.home)), file.read_bytes()) for file in house.home.rglob("*") if file.is_file()]
    for where, data in parts:
        looked += len(data)
        seen += [f"{form} in {where}" for form in found_in(data)]
    return seen, looked


def prepared(root, program):
    house = House(root, program).build()
    house.passphrase.write_text(PHRASE + "\n")
    return house


def test_no_secret_is_seen(vmfa, tmp_path, figures, evidence):
    house = prepared(tmp_path / "house", [vmfa])
    seen, looked = leaks(house)
    evidence("leaks", cases=16, faults=len(forms()), losses=len(seen))
    figures(f"leaks: {looked} bytes of arguments, writes, output and files, {len(seen)} secrets seen")
    assert not seen, "\n".join(seen)
    assert "planted" in house.names(), "the secret never was in the vault: nothing was tested"
    assert (house.home / "aegis.json").stat().st_mode & 0o077 == 0, "it was not written, or can be read by others"
    for file in house.directory.iterdir():
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} can be read by others"


def test_no_secret_is_seen_at_the_interface(vmfa, tmp_path, figures, evidence):
    house = prepared(tmp_path / "house", [vmfa])
    seen, looked = at_the_interface(house)
    evidence("leaks", cases=1, faults=len(forms()), losses=len(seen))
    figures(f"leaks: the interface: {looked} bytes of arguments, environments, writes and files, {len(seen)} secrets seen")
    assert not seen, "\n".join(seen)
    assert house.names() == {"planted"}, "the secret never was in the vault: nothing was tested"


def test_control_a_file_in_clear_is_seen(tmp_path, figures, evidence):
    seen, looked = leaks(prepared(tmp_path / "house", naive("truncate")))
    evidence("leaks", control=len(seen))
    figures(f"control: leaks: {looked} bytes, {len(seen)} secrets seen")
    assert any("in trace" in line for line in seen) and any("in vault/" in line for line in seen)
