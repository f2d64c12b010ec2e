"""A desk of its own for each test: an empty HOME and runtime directory, the program, and its agent."""

import base64
import json
import multiprocessing
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import pexpect
import pyotp
import spoken

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vault"))
import read_vault  # noqa: E402

CHEAP = "19456,1,1"
# Nothing here takes a tenth of it, even on two busy processors.
PATIENCE = 60
NOBODY = 65534
VECTORS = Path(__file__).resolve().parents[2] / "vectors/vault/v1"


def new_secret(size=20):
    return base64.b32encode(secrets.token_bytes(size)).decode()


def wait_until(is_so, what):
    end = time.monotonic() + PATIENCE
    while not (found := is_so()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)
    return found


def is_gone(pid):
    """Whether a process has ended; one that nobody has waited for counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def has_forgotten(pid):
    """Whether a process has no memory any more; the system takes that first, and lets go of the rest of it a moment later."""
    try:
        return is_gone(pid) or Path(f"/proc/{pid}/statm").read_text().split()[0] == "0"
    except (FileNotFoundError, ProcessLookupError):
        return True


def as_other_user(work, *arguments):
    """What `work` gives in a process of another user; root only."""
    mine, theirs = multiprocessing.Pipe()

    def run():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            theirs.send(work(*arguments))
        except BaseException as error:
            theirs.send(error)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(PATIENCE)
    return mine.recv()


class Desk:
    """One home with a vault, and the program in it. `uid` has all of it run as another user, which root can do."""

    def __init__(self, vmfa, uid=None):
        self.vmfa, self.uid = str(vmfa), uid
        # Short, since the path of a socket has 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="vmfa-"))
        self.home, self.run_dir = self.root / "h", self.root / "r"
        self.home.mkdir()
        self.run_dir.mkdir(mode=0o700)
        self.passphrase = secrets.token_urlsafe(24)
        self.passphrase_file = self.root / "p"
        self.say(self.passphrase)
        self.env = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.run_dir),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        self.secrets, self.started = {}, []
        if uid is not None:
            for path in (self.root, self.home, self.run_dir, self.passphrase_file):
                os.chown(path, uid, uid)

    def say(self, passphrase):
        """What stands in the passphrase file from now on."""
        self.passphrase_file.write_text(passphrase + "\n")
        self.passphrase_file.chmod(0o600)

    @property
    def vault(self):
        return self.home / ".local/share/vmfa/vault.vmfa"

    @property
    def directory(self):
        return self.run_dir / "vmfa"

    @property
    def socket(self):
        return self.directory / "agent.sock"

    @property
    def tag(self):
        return spoken.tag_of(self.vault)

    def as_user(self):
        return {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid is not None else {}

    # --- the program ---

    def command(self, arguments, passphrase=True):
        told = ["--passphrase-file", str(self.passphrase_file)] if passphrase else []
        return [self.vmfa, *map(str, arguments), *told]

    def start(self, *arguments, passphrase=True, env=None, before=(), **more):
        """A run that is under way, without a terminal."""
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **self.as_user(), **more}
        process = subprocess.Popen(
            [*map(str, before), *self.command(arguments, passphrase)],
            env={**self.env, **(env or {})}, cwd=self.root, start_new_session=True, **more,
        )
        self.started.append(process)
        return process

    def run(self, *arguments, stdin="", **more):
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(stdin.encode(), timeout=PATIENCE)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode, out.decode(), err.decode())

    def ok(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def at_terminal(self, *arguments, **more):
        return pexpect.spawn(self.vmfa, list(map(str, arguments)), env=self.env, encoding="utf-8", timeout=PATIENCE,
                             dimensions=(50, 120), **more)

    # --- the vault ---

    def init(self):
        self.ok("init", "--kdf", CHEAP)
        return self

    def init_from(self, vector):
        """One of the format's good vaults, with a passphrase of this desk's own."""
        self.vault.parent.mkdir(parents=True, mode=0o700)
        shutil.copyfile(VECTORS / f"{vector}.vmfa", self.vault)
        self.vault.chmod(0o600)
        self.ok("slot", "add", "passphrase", "--key-file", VECTORS / "key_file.bin", "--new-passphrase-file",
                self.passphrase_file, "--kdf", CHEAP, passphrase=False)
        return self

    def add(self, name, secret=None, *options):
        secret = secret or new_secret()
        self.ok("add", name, "--secret", "-", *options, "--no-agent", stdin=secret)
        self.secrets[name] = secret
        return secret

    def add_many(self, names):
        """In one go: a save each would take long."""
        for name in names:
            self.secrets[name] = new_secret()
        uris = "".join(f"otpauth://totp/{name}?secret={self.secrets[name]}\n" for name in names)
        self.ok("add", "--uri", "-", stdin=uris)

    def right(self, name, at):
        """The code of a moment, by another implementation."""
        return pyotp.TOTP(self.secrets[name]).at(int(at))

    def dek(self, path=None):
        """The vault's data key, by a reader that shares no code with the program."""
        with mock.patch.object(read_vault, "read_body", lambda plain, dek, vault_id: {"dek": dek}):
            return read_vault.read_vault((path or self.vault).read_bytes(), {"passphrase": self.passphrase})["dek"]

    def content(self):
        return read_vault.read_vault(self.vault.read_bytes(), {"passphrase": self.passphrase})

    def id(self, name):
        return next(bytes.fromhex(a["id"]) for a in self.content()["accounts"] if a["name"] == name)

    # --- the agent ---

    def unlock(self, *options):
        self.ok("unlock", *options)
        return self

    def line(self, **more):
        return spoken.Line(self.socket, self.tag, **more)

    def processes(self):
        """The agent's processes: {pid: whether it is a keyholder}."""
        found = {process.pid: False for process in self.started if "--foreground" in process.args and process.args[0] == self.vmfa}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            # Its own kind names the vault by its whole path.
            if words[0] == b"vmfa" and b"agent" in words and any(word.startswith(str(self.root).encode() + b"/") for word in words):
                found[int(entry.name)] = b"--keyholder" in words
        return {pid: holds for pid, holds in found.items() if not is_gone(pid)}

    def supervisor(self):
        return next((pid for pid, holds in self.processes().items() if not holds), None)

    def keyholder(self):
        return next((pid for pid, holds in self.processes().items() if holds), None)

    def told(self):
        """What `vmfa agent status` tells."""
        done = self.run("agent", "status", "--json", passphrase=False)
        assert done.returncode in (0, 4), done.stderr
        return json.loads(done.stdout)

    def is_unlocked(self):
        return self.told()["unlocked"]

    def works(self, name):
        """The agent that runs gives the right code, without a passphrase."""
        done = self.run("code", name, "--at", "1700000000", passphrase=False)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
        assert done.stdout.strip() == self.right(name, 1700000000)
        assert "going on without" not in done.stderr, done.stderr
        return True

    def gives_nothing(self, name):
        """Without a passphrase there is no code."""
        done = self.run("code", name, passphrase=False)
        assert done.returncode != 0 and not done.stdout.strip(), f"{done.stdout}{done.stderr}"
        return done

    def tidy_up(self):
        """Stops the agent; what doesn't stop is killed, and told."""
        stopped = self.run("agent", "stop", passphrase=False)
        end = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.01)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        subprocess.run(["rm", "-rf", self.root], check=True)
        return stopped, left
