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

import traces
from cloud import wait_until
from seat import CHEAP, PATIENCE

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
# None of these speaks with anybody.
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
        self.seat, self.known, self.seen, self.done, self.looked = seat, {}, [], set(), {}
        self.known["secret"] = traces.forms_of_bytes(raw)
        self.typed = base64.b32encode(raw).decode()
        self.runs = self.bytes = 0

    def file(self, name, text):
        path = self.seat.root / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def text(self, name, text):
        self.known.setdefault(name, {}).update({f"{form} ({len(self.known.get(name, ()))})": value for form, value in traces.forms_of_text(text).items()})
        return text

    def run(self, leaf, *arguments, stdin="", codes=(0,), env=None, program=None):
        """A run of a leaf of the tree: its output."""
        root, trace = self.seat.root, self.seat.root / "trace"
        words = [*traces.before(trace), *(program or self.seat.command([*leaf.split(), *arguments]))]
        self.done.add(leaf)
        with open(root / "out", "wb") as out, open(root / "err", "wb") as err:
            process = self.seat.program(words, {**LOUD, **(env or {})}, stdout=out, stderr=err)
            self.finished(process, leaf, stdin)
        out, err = (root / "out").read_bytes(), (root / "err").read_bytes()
        assert process.returncode in codes, f"{leaf} {arguments}: exit {process.returncode}: {err.decode()}"
        self.runs += 1
        self.put(leaf, OUT, out)
        self.put(leaf, ERR, err)
        for where, data in traces.told(trace.read_bytes()).items():
            if where in (str(root / "out"), str(root / "err")):
                continue
            self.put(leaf, "exported" if where.startswith(str(root / "exported")) else where, data)
        self.files(leaf)
        return out.decode()

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
            process = self.seat.program(words, LOUD, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.seat.socket.exists() or process.poll() is not None, "the agent listens")
        yield
        self.run("agent stop")
        process.wait(PATIENCE)
        self.put("the agent", "what it says", out.read_bytes())
        for where, data in traces.told(trace.read_bytes()).items():
            self.put("the agent", where, data)


def use(watched, cloud, user, long):
    """Every command there is, in the order of a life."""
    seat, run = watched.seat, watched.run
    new, other, short = (watched.file(name, watched.text(name, secrets.token_urlsafe(24))) for name in ("new-passphrase", "export-passphrase", "short"))
    again = ("--passphrase-file", str(seat.passphrase_file))
    folder = seat.root / "exported"
    folder.mkdir()
    watched.text("recovery code", re.search(r"\S{5}(?:-\S{5}){6}", run("init", "--kdf", CHEAP))[0])
    run("add", "planted", "--secret", "-", stdin=watched.typed)
    run("add", "broken", "--secret", "-", stdin=watched.typed[:-1] + "1", codes=(2,))
    run("add", "--uri", "-", stdin=f"otpauth://totp/B:b?secret={watched.typed}1&digits=x", codes=(2, 7))
    run("add", "counted", "--type", "hotp", "--secret", "-", stdin=watched.typed[::-1].replace("=", ""), codes=(0, 2))
    for arguments in (["planted"], ["planted", "--json"], ["planted", "--fresh"], ["planted", "--copy"], ["nobody"], ["planted", "--at", "59"]):
        run("code", *arguments, codes=(0, 3))
    run("mfa-process", "planted")
    run("pair", "planted")
    run("pair", "planted", "--json")
    run("watch", "planted", "--json", program=["timeout", "-s", "INT", "2", *seat.command(["watch", "planted", "--json"])], codes=(0, 124, 130))
    run("list")
    run("list", "--json")
    for option in ((), ("--secret",), ("--uri",), ("--json",)):
        run("show", "planted", *option, *again)
    run("edit", "planted", "--tag", "t", "--note", "n")
    run("edit", "planted", "--pin", "-", stdin=watched.text("the PIN", "4951048495104849"), codes=(0, 2))
    run("rename", "planted", "Renamed:planted")
    run("qr", "planted", "--png", folder / "q.png", *again)
    run("scan", folder / "q.png", "--secrets")
    run("scan", folder / "q.png", "--json")
    run("import", "--dry-run", folder / "q.png")
    for to, name in (("aegis", "a.json"), ("vmfa", "own.vmfa"), *([("keepass", "k.kdbx")] if long else [])):
        run("export", "--to", to, "--out", folder / name, "--export-passphrase-file", other, *again, codes=(0, 2))
        if (folder / name).exists():
            run("import", folder / name, "--file-passphrase-file", other, codes=(0, 2, 5))
            run("import", folder / name, "--file-passphrase-file", short, codes=(2, 5))
    run("export", "--to", "uris", "--plaintext", "--out", folder / "uris", *again)
    run("export", "--to", "uris", "--plaintext", "--out", "-", *again, codes=(0, 2))
    run("import", folder / "uris", "--json")
    run("import", "--undo", codes=(0, 2, 3))
    run("remove", "planted")
    run("restore", "planted")
    run("check")
    run("doctor")
    run("config")
    run("man")
    run("completions", "bash")
    run("slot list")
    run("slot add", "passphrase", "--new-passphrase-file", new, "--kdf", CHEAP)
    run("slot add", "key-file", seat.root / "key", codes=(0, 2))
    run("slot remove", "00000000", codes=(2, 3))
    # The agent, and what is asked of it.
    with watched.agent():
        run("unlock")
        run("agent status")
        run("code", "planted")
        run("complete-names", program=seat.command(["complete-names"]))
        run("agent unit")
        run("lock")
        run("code", "planted", env={"VMFA_PASSPHRASE_FILE": str(short)}, codes=(5,))
        run("check", env={"VMFA_PASSPHRASE_FILE": str(short)}, codes=(5,))
    # AWS: a key in the vault, a device, sessions.
    watched.text("access key", user.secret)
    seat.add_config("[profile base]\nregion = us-east-1\n")
    run("aws key add", "base", "--from-credentials", "--remove-plaintext", codes=(0, 2))
    run("aws key list")
    csv = watched.file("keys.csv", f"User name,Password,Access key ID,Secret access key,Console login link\nu,{watched.text('new-passphrase', 'hunter2-hunter2')},{user.key},{user.secret},https://x.signin.aws.amazon.com/console")
    run("aws import-csv", csv, codes=(0, 2))
    profile = ("--profile", "base")
    run("aws enroll", *profile, "--propagation", "0", "--json")
    for account in seat.content()["accounts"]:
        if account.get("serial_number"):
            watched.known.setdefault("seed", {}).update(traces.forms_of_bytes(bytes.fromhex(account["secret"])))
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
        run("aws credentials", *profile, "--new", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, codes=(8, 9))
    role = cloud.role()
    seat.add_config(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = {user.serial()}\n")
    of_role = json.loads(run("aws credentials", "--profile", "ops"))
    watched.text("session key", of_role["SecretAccessKey"])
    watched.text("session token", of_role["SessionToken"])
    run("aws login", "--profile", "ops", codes=(0, 2, 8, 9))
    # These wait for codes that nobody had, up to a minute each: the short run has them end in an error.
    there, done = ({}, (0,)) if long else ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, (2, 3, 8, 9))
    run("aws resync", *profile, env=there, codes=done)
    run("aws rename", user.name, "renamed", *profile, "--propagation", "0", env=there, codes=done)
    run("aws rotate", *profile, "--propagation", "0", env=there, codes=done)
    run("aws remove", *profile, env=there, codes=done)
    policy = seat.root / "policy.json"
    policy.write_text(run("aws policy force-mfa"))
    run("aws policy check", policy, codes=(0, 2, 7, 8))
    run("aws policy scp", codes=(0, 2))
    run("aws key remove", "base", codes=(0, 2, 3))
    # Backups, and the end.
    run("backup list")
    copy = seat.root / "copy"
    copy.write_bytes(seat.vault.read_bytes())
    run("backup merge", copy, codes=(0, 2))
    backups = sorted(seat.vault.parent.rglob("*.vmfa"), key=lambda path: path.stat().st_mtime)
    run("backup restore", backups[0], codes=(0, 2, 3, 5, 6))
    changed = run("passphrase change", "--new-passphrase-file", new, "--kdf", CHEAP, "--new-recovery")
    for code in re.findall(r"\S{5}(?:-\S{5}){6}", changed):
        watched.text("recovery code", code)
    run("backup purge", "--yes", env={"VMFA_PASSPHRASE_FILE": str(new)})
    run("clipboard-keeper", "x11", "1000", stdin="123456", program=seat.command(["clipboard-keeper", "x11", "1000"]), codes=(3, 1))
    run("(the interface)", program=seat.command(["--plain"]), codes=(4,))
    run("(a command that isn't there)", program=seat.command([watched.typed[:6] + "x"]), codes=(2,))


def test_no_command_gives_a_secret_away(vmfa, cloud, seats, long, evidence, figures):
    seat = seats.empty()
    user = cloud.user()
    seat.keys_of(user)
    watched = Watched(seat, secrets.token_bytes(20))
    watched.text("passphrase", seat.passphrase)
    use(watched, cloud, user, long)
    missing = set(commands(vmfa)) - watched.done
    leaks = watched.leaks()
    evidence("leaks", cases=watched.runs, faults=sum(map(len, watched.known.values())), losses=len(leaks))
    figures(f"leaks: {watched.runs} runs of {len(watched.done)} commands, {watched.bytes >> 10} KiB told to the system, {len(leaks)} secrets seen")
    assert not missing, f"no run of {sorted(missing)}"
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
        watched.run(f"naive {way}", stdin=watched.typed + "\n", program=[sys.executable, "-I", "-S", "-c", NAIVE, way], codes=(0, 1))
        seen[way] = watched.leaks()
    evidence("leaks", control=sum(1 for found in seen.values() if found))
    assert all(seen.values()), {way for way, found in seen.items() if not found}
