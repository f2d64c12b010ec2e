"""Every command of vmfa, with all that a person trusts it with planted: what it hands to the system, what it prints, what it writes.

Where a secret has to go somewhere, that stands in MAY: the one place, for the one command.
"""

import base64
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import traces
from cloud import wait_until
from seat import CHEAP, PATIENCE

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "desktop"))
from clipboards import EARLY, Xserver  # noqa: E402

NEVER = "arguments and environment"
OUT, ERR, PIPE, SOCKET = "standard output", "standard error", "a pipe", "a socket"
# What is asked for is printed. A secret access key signs requests: it goes through a pipe to vmfa-aws, and to the agent and back. A
# session is what `aws credentials`, `env` and `exec` are for; `exec` puts it into the environment of the command that it starts.
AWS = {(PIPE, "access key"), (PIPE, "session key"), (PIPE, "session token"), (PIPE, "seed"), (SOCKET, "session token"), (SOCKET, "session key"), (SOCKET, "access key")}
MAY = {
    "init": {(OUT, "recovery code")},
    "passphrase change": {(OUT, "recovery code")},
    "slot add": {(OUT, "recovery code")},
    "show": {(OUT, "secret")},
    "scan": {(OUT, "secret")},
    "export": {(OUT, "secret"), ("exported", "secret")},
    "aws credentials": AWS | {(OUT, "session key"), (OUT, "session token")},
    "aws env": AWS | {(OUT, "session key"), (OUT, "session token")},
    # What it starts here is `env`, which prints its environment.
    "aws exec": AWS | {(NEVER, "session key"), (NEVER, "session token"), (OUT, "session key"), (OUT, "session token")},
    "the agent": AWS,
    # As its help says, a backup of the file is kept.
    "aws key add": {(SOCKET, "access key"), ("credentials.vmfa-backup-1", "access key")},
    **{f"aws {name}": AWS for name in ("enroll", "status", "resync", "rename", "remove", "rotate", "login")},
}
# None of these speaks with anybody but the stand-in. What would go to AWS itself, by whatever mistake, goes to a proxy that
# isn't there.
NOWHERE = "http://127.0.0.1:9"
INSIDE = {"HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
# Commands that never end with 0, and why.
NEVER_ZERO = {"watch": "has no end of its own: a signal ends it"}
LOUD = {"RUST_BACKTRACE": "full", "RUST_LOG": "trace", "RUST_LIB_BACKTRACE": "1", "AWS_LOG": "trace", "AWS_LOG_LEVEL": "trace", "SMITHY_LOG": "trace"}


def commands(program, *words):
    """The leaves of the tree that `--help` shows."""
    shown = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    listed = re.search(r"^Commands:\n((?:  .*\n|\n)*?)(?=^\S)", shown, re.M)
    names = re.findall(r"^  ([a-z][\w-]*)\s", listed[1], re.M) if listed else []
    names = [name for name in names if name != "help"]
    return [leaf for name in names for leaf in commands(program, *words, name)] if names else [" ".join(words)]


class Watched:
    """A home in which every run is watched. What was seen is judged at the end, when all secrets are known."""

    def __init__(self, seat, raw):
        self.seat, self.known, self.seen, self.done, self.looked = seat, {}, [], {}, {}
        self.known["secret"] = traces.forms_of_bytes(raw)
        self.typed = base64.b32encode(raw).decode()
        self.runs = self.bytes = self.judged = self.planted = 0
        self.files_given = {bytes(seat.passphrase_file), bytes(seat.credentials_file)}

    def file(self, name, text):
        path = self.seat.root / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        self.files_given.add(bytes(path))
        return path

    def text(self, name, text):
        self.put_forms(name, traces.forms_of_text(text))
        return text

    def put_forms(self, name, forms):
        known = self.known.setdefault(name, {})
        known.update({f"{form} ({len(known)})": value for form, value in forms.items()})

    def planted_bytes(self, name, raw):
        self.put_forms(name, traces.forms_of_bytes(raw))

    def secret(self):
        """Another one to be typed."""
        raw = secrets.token_bytes(20)
        self.planted_bytes("secret", raw)
        return base64.b32encode(raw).decode()

    def run(self, leaf, *arguments, stdin="", code=0, env=None, program=None, vmfa=True):
        """A run of a leaf of the tree, with the one exit code that it must have: its output."""
        root, trace = self.seat.root, self.seat.root / "trace"
        words = [*traces.before(trace), *(program or self.seat.command([*leaf.split(), *arguments]))]
        with open(root / "out", "wb") as out, open(root / "err", "wb") as err:
            process = self.seat.program(words, {**LOUD, **INSIDE, **(env or {})}, stdout=out, stderr=err)
            self.finished(process, leaf, stdin)
        out, err = (root / "out").read_bytes(), (root / "err").read_bytes()
        assert process.returncode == code, f"{leaf} {arguments}: exit {process.returncode}, not {code}: {err.decode()}"
        self.done.setdefault(leaf, set()).add(code)
        self.runs += 1
        self.put(leaf, OUT, out)
        self.put(leaf, ERR, err)
        printed = [(str(root / name), line) for name, said in (("out", out), ("err", err))
                   for line in said.splitlines() if line]
        self.trace(leaf, trace.read_bytes(), vmfa, stdin, *printed)
        self.files(leaf)
        return out.decode()

    def trace(self, leaf, trace, vmfa, stdin, *public):
        """What a run told the system. A run of vmfa opens the vault, asks the agent, or prints something; one that this user
        can't look into is no case. Something was planted where there was standard input, or where a file with a secret was opened."""
        told, vault = traces.told(trace), bytes(self.seat.vault)
        strangers = traces.called(trace) - {"127.0.0.1"}
        assert not strangers, f"{leaf} speaks with {strangers}"
        for where, data in told.items():
            if where not in (str(self.seat.root / "out"), str(self.seat.root / "err")):
                self.put(leaf, "exported" if where.startswith(str(self.seat.root / "exported")) else where, data)
        if not vmfa or traces.shows(trace, told, (traces.PATH, vault), (SOCKET, bytes(self.seat.socket)), *public):
            self.judged += 1
            opened = told.get(traces.PATH, b"")
            self.planted += bool(stdin) or vault in opened or any(path in opened for path in self.files_given)

    def finished(self, process, leaf, stdin):
        try:
            process.communicate(stdin.encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"{leaf} doesn't end: {(self.seat.root / 'err').read_text()}") from None

    def files(self, leaf):
        """What has come into the home, and what was changed there. The files that the test itself made hold what they hold."""
        for path in [*self.seat.home.rglob("*"), *self.seat.run_dir.rglob("*")]:
            if path.is_file() and not path.is_symlink() and ".aws" not in path.parts:
                mark = (path.stat().st_mtime_ns, path.stat().st_size)
                if self.looked.get(path) != mark:
                    self.looked[path] = mark
                    self.put(leaf, str(path), path.read_bytes())

    def put(self, leaf, where, data):
        self.bytes += len(data)
        self.seen.append((leaf, where, data))

    def leaks(self):
        found = set()
        for leaf, where, data in self.seen:
            for name, forms in self.known.items():
                if not {(where, name), (os.path.basename(where), name)} & MAY.get(leaf, set()):
                    found |= {f"{leaf}: {name} ({form}) in {where}" for form, value in forms.items() if value in data}
            if where == NEVER:
                # A code is an argument of nobody, and stands in no environment.
                found |= {f"{leaf}: the code {code} in {where}" for code in re.findall(rb"(?<=\0\n)\d{6}(?=\n\0|$)", data)}
        return sorted(found)

    @contextlib.contextmanager
    def agent(self):
        """An agent that is watched from its first instruction to its end: whoever unlocks finds it there."""
        trace = self.seat.root / "agent-trace"
        out = self.seat.root / "agent-out"
        with open(out, "wb") as said:
            words = [*traces.before(trace), *self.seat.command(["agent", "--foreground"])]
            process = self.seat.program(words, {**LOUD, **INSIDE}, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.seat.socket.exists() or process.poll() is not None, "the agent listens")
        yield
        self.run("agent stop")
        process.wait(PATIENCE)
        self.put("the agent", "what it says", out.read_bytes())
        self.runs += 1
        self.trace("the agent", trace.read_bytes(), True, "")


def seeds(watched):
    """The secrets of all devices that there have been."""
    for account in watched.seat.content()["accounts"]:
        if account.get("serial_number"):
            watched.planted_bytes("seed", bytes.fromhex(account["secret"]))


def use(watched, cloud, user, server, long):
    """Every command there is, in the order of a life. Each run says how it must end."""
    seat, run = watched.seat, watched.run
    new, other, short = (watched.file(name, watched.text(name, secrets.token_urlsafe(24))) for name in ("new-passphrase", "export-passphrase", "short"))
    again = ("--passphrase-file", str(seat.passphrase_file))
    wrong = {"VMFA_PASSPHRASE_FILE": str(short)}
    folder = seat.root / "exported"
    folder.mkdir()
    watched.text("recovery code", re.search(r"\S{5}(?:-\S{5}){6}", run("init", "--kdf", CHEAP))[0])
    run("add", "planted", "--secret", "-", stdin=watched.typed)
    run("add", "broken", "--secret", "-", stdin=watched.typed[:-1] + "1", code=2)
    run("add", "--uri", "-", stdin=f"otpauth://totp/B:b?secret={watched.typed}1&digits=x", code=2)
    run("add", "counted", "--type", "hotp", "--secret", "-", stdin=watched.secret())
    for arguments in (["planted"], ["planted", "--json"], ["planted", "--fresh"], ["planted", "--at", "59"], ["counted"]):
        run("code", *arguments)
    for arguments in (["nobody"], ["planted", "--copy"]):
        run("code", *arguments, code=3)
    run("code", "planted", "--copy", "--copy-for", "1s", env=server.env)
    run("mfa-process", "planted")
    run("pair", "planted")
    run("pair", "planted", "--json")
    for_a_while = ["timeout", "--preserve-status", "-s", "INT", "2"]
    run("watch", "planted", "--json", program=[*for_a_while, *seat.command(["watch", "planted", "--json"])], code=130)
    run("list")
    run("list", "--json")
    for option in ((), ("--secret",), ("--uri",), ("--json",)):
        run("show", "planted", *option, *again)
    run("edit", "planted", "--tag", "t", "--note", "n")
    run("rename", "planted", "Renamed:planted")
    run("qr", "planted", "--png", folder / "q.png", *again)
    run("scan", folder / "q.png", "--secrets")
    run("scan", folder / "q.png", "--json")
    run("import", "--dry-run", folder / "q.png")
    for to, name in (("aegis", "a.json"), ("vmfa", "own.vmfa"), *([("keepass", "k.kdbx")] if long else [])):
        run("export", "--to", to, "--out", folder / name, "--export-passphrase-file", other, *again)
        # vmfa's own isn't imported, it is a vault.
        run("import", folder / name, "--file-passphrase-file", other, code=5 if to == "vmfa" else 0)
        run("import", folder / name, "--file-passphrase-file", short, code=5)
    run("export", "--to", "uris", "--plaintext", "--out", folder / "uris", *again)
    run("export", "--to", "uris", "--plaintext", "--out", "-", *again)
    run("import", folder / "uris", "--json")
    run("import", "--undo", code=3)
    news = watched.file("news", f"otpauth://totp/News:news?secret={watched.secret()}")
    run("import", news)
    run("import", "--undo")
    assert [account.get("trashed") for account in seat.content()["accounts"] if account["name"] == "news"] != [None]
    run("import", "--undo", code=3)
    # Only some kinds have a PIN.
    first, second = (watched.text("the PIN", str(pin)) for pin in (4951048495104849, 7316502948173650))
    typed = watched.text("secret", secrets.token_hex(8))
    run("add", "mobile", "--type", "motp", "--secret", "-", "--pin", "-", stdin=f"{typed}\n{first}\n")
    run("edit", "mobile", "--pin", "-", stdin=second)
    run("edit", "planted", "--pin", "-", stdin=second, code=2)
    run("code", "mobile")
    run("remove", "planted")
    run("restore", "planted")
    run("check")
    run("doctor")
    run("config")
    run("man")
    run("completions", "bash")
    run("slot add", "passphrase", "--new-passphrase-file", new, "--kdf", CHEAP)
    run("slot add", "key-file", seat.root / "key")
    run("slot list")
    key = next(slot["id"] for slot in json.loads(run("slot list", "--json")) if slot["kind"] == "key-file")
    run("slot remove", "00000000", "--yes", code=3)
    run("slot remove", key, "--yes")
    # The agent, and what is asked of it.
    with watched.agent():
        run("unlock")
        run("agent status")
        run("code", "planted")
        run("complete-names", program=seat.command(["complete-names"]))
        run("agent unit")
        run("lock")
        run("code", "planted", env=wrong, code=5)
        run("check", env=wrong, code=5)
    # AWS: a key in the vault, a device, sessions.
    watched.text("access key", user.secret)
    seat.add_config("[profile base]\nregion = us-east-1\n")
    run("aws key add", "base", "--from-credentials", "--remove-plaintext")
    run("aws key list")
    password = watched.text("password", "hunter2-hunter2")
    head = "User name,Password,Access key ID,Secret access key,Console login link"
    # An alias of an account has three letters or more.
    for alias, code in (("123456789012", 0), ("x", 2)):
        line = f"{user.name},{password},{user.key},{user.secret},https://{alias}.signin.aws.amazon.com/console"
        run("aws import-csv", watched.file(f"of-{alias}.csv", f"{head}\n{line}"), code=code)
    profile = ("--profile", "base")
    run("aws enroll", *profile, "--propagation", "0", "--json")
    seeds(watched)
    with watched.agent():
        run("unlock")
        session = json.loads(run("aws credentials", *profile))
        watched.text("session key", session["SecretAccessKey"])
        watched.text("session token", session["SessionToken"])
        assert session["SecretAccessKey"] in run("aws env", *profile)
        run("aws env", "--unset")
        assert session["SessionToken"] in run("aws exec", *profile, "--", "/usr/bin/env")
        run("aws status", *profile)
        run("aws status", *profile, "--json")
        run("aws credentials", *profile, "--new", env={"AWS_ENDPOINT_URL": NOWHERE}, code=9)
    role = cloud.role()
    seat.add_config(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = {user.serial()}\n")
    of_role = json.loads(run("aws credentials", "--profile", "ops"))
    watched.text("session key", of_role["SecretAccessKey"])
    watched.text("session token", of_role["SessionToken"])
    # The place where a browser signs in is the stand-in's. AWS's own can't be reached from here.
    assert "SigninToken" in run("aws login", "--profile", "ops", "--endpoint", f"{cloud.url}/_strict/federation")
    run("aws login", "--profile", "ops", code=9)
    run("aws resync", *profile, env={"AWS_ENDPOINT_URL": NOWHERE}, code=9)
    # Each device's own codes are new ones, so that nothing waits for the next; one that has drifted has six minutes of them.
    run("aws rename", user.name, "renamed", *profile, "--propagation", "0")
    seeds(watched)
    run("aws rotate", "renamed", *profile, "--propagation", "0")
    seeds(watched)
    cloud.clock(360)
    run("aws resync", *profile)
    cloud.clock(0)
    run("aws remove", *profile, code=2)
    run("aws remove", *profile, "--last")
    policy = seat.root / "policy.json"
    policy.write_text(run("aws policy force-mfa"))
    run("aws policy check", policy)
    run("aws policy scp")
    run("aws key remove", "base")
    # Backups, and the end.
    run("backup list")
    copy = seat.root / "copy"
    copy.write_bytes(seat.vault.read_bytes())
    copy.chmod(0o600)
    # On another machine, of whose generations this one knows nothing.
    of_another = {"XDG_STATE_HOME": str(seat.home / "of-another")}
    run("add", "elsewhere", "--secret", "-", "--vault", copy, stdin=watched.secret(), env=of_another)
    run("backup merge", copy)
    assert "elsewhere" in {account["name"] for account in seat.content()["accounts"]}
    run("backup restore", min(backup["generation"] for backup in json.loads(run("backup list", "--json"))))
    assert "elsewhere" not in {account["name"] for account in seat.content()["accounts"]}
    changed = run("passphrase change", "--new-passphrase-file", new, "--kdf", CHEAP, "--new-recovery")
    for code in re.findall(r"\S{5}(?:-\S{5}){6}", changed):
        watched.text("recovery code", code)
    run("backup purge", "--yes", env={"VMFA_PASSPHRASE_FILE": str(new)})
    # No command of the tree: what `code --copy` starts.
    for env, code in ((server.env, 0), ({"DISPLAY": None}, 3)):
        run("clipboard-keeper", "x11", "1000", stdin=EARLY[1], env=env, code=code)
    run("(the interface)", program=seat.command(["--plain"]), code=4)
    run("(a command that isn't there)", program=seat.command([watched.typed[:6] + "x"]), code=2)


def test_no_command_gives_a_secret_away(vmfa, cloud, seats, long, evidence, figures):
    seat = seats.empty()
    user = cloud.user()
    seat.keys_of(user)
    watched = Watched(seat, secrets.token_bytes(20))
    watched.text("passphrase", seat.passphrase)
    server = Xserver()
    try:
        use(watched, cloud, user, server, long)
    finally:
        server.stop()
    tree = set(commands(vmfa))
    missing = tree - {leaf for leaf, codes in watched.done.items() if 0 in codes or leaf in NEVER_ZERO}
    leaks = watched.leaks()
    evidence("leaks", cases=watched.judged, faults=watched.planted, losses=len(leaks))
    figures(f"leaks: {watched.runs} runs of {len(watched.done)} commands, {watched.bytes >> 10} KiB told to the system, "
            f"{len(leaks)} secrets seen")
    if blind := watched.runs - watched.judged:
        figures(f"leaks: {blind} of these runs are no cases: without CAP_SYS_PTRACE only output and files are judged")
    assert not missing, f"no run of {sorted(missing)} that did its work"
    assert set(NEVER_ZERO) <= tree, "one is excused that isn't there"
    assert not any(0 in watched.done[leaf] for leaf in NEVER_ZERO), "one is excused that has done its work"
    assert watched.judged == (watched.runs if traces.may_look() else 0)
    assert {"seed", "session key", "session token", "access key", "recovery code"} <= set(watched.known)
    assert not leaks, "\n".join(leaks)


NAIVE = """
import os, subprocess, sys, urllib.request
secret = sys.stdin.readline().strip()
how = sys.argv[1]
if how == "argument":
    subprocess.run(["true", secret])
elif how == "environment":
    subprocess.run(["true"], env={"SECRET": secret})
elif how == "file":
    open(os.environ["HOME"] + "/notes", "w").write(secret)
elif how == "error":
    sys.exit(f"invalid secret: {secret}")
elif how == "output":
    print("added", secret.lower())
elif how == "log":
    os.makedirs(os.environ["HOME"] + "/.cache", exist_ok=True)
    open(os.environ["HOME"] + "/.cache/log", "w").write(bytes(secret, "ascii").hex())
elif how == "socket":
    import socket
    a, b = socket.socketpair()
    a.send(secret.encode())
elif how == "pipe":
    subprocess.run(["cat"], input=secret.encode(), stdout=subprocess.DEVNULL)
elif how == "backtrace":
    raise ValueError(secret)
"""


def test_control_a_program_that_gives_it_away_is_seen(seats, evidence):
    """Each way once."""
    seat, ways = seats.empty(), ["argument", "environment", "file", "error", "output", "log", "socket", "pipe", "backtrace"]
    seen = {}
    for way in ways:
        watched = Watched(seat, secrets.token_bytes(20))
        watched.known["typed"] = traces.forms_of_text(watched.typed)
        watched.run(f"naive {way}", stdin=watched.typed + "\n", program=[sys.executable, "-I", "-S", "-c", NAIVE, way],
                    code=int(way in ("error", "backtrace")), vmfa=False)
        seen[way] = watched.leaks()
    evidence("leaks", control=sum(1 for found in seen.values() if found))
    assert all(seen.values()), {way for way, found in seen.items() if not found}


# To an address of no machine (RFC 5737); a socket of this kind sends nothing when it is connected.
ABROAD = """
import socket
try:
    socket.socket(type=socket.SOCK_DGRAM).connect(("192.0.2.1", 443))
except OSError:
    pass
"""


def test_control_a_program_that_speaks_with_a_stranger_is_seen(seats, evidence):
    watched = Watched(seats.empty(), secrets.token_bytes(20))
    with pytest.raises(AssertionError, match="192.0.2.1") as seen:
        watched.run("naive", program=[sys.executable, "-I", "-S", "-c", ABROAD], vmfa=False)
    evidence("leaks", control=int("speaks with" in str(seen.value)))
    assert "speaks with" in str(seen.value)
