"""A person at a terminal, and a script without one: how the tests use the built program."""

import os
import subprocess
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "correct horse battery staple"
CHEAP = "19456,1,1"


class Person:
    """One home directory, and the program in it."""

    def __init__(self, vmfa, home):
        self.vmfa, self.home = str(vmfa), Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.passphrase_file = self.home / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n")
        self.passphrase_file.chmod(0o600)
        self.env = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }

    @property
    def vault(self):
        return self.home / ".local/share/vmfa/vault.vmfa"

    def run(self, *arguments, stdin=b"", passphrase=True, env=None, timeout=60, **more):
        """Without a terminal: in a session of its own, so that /dev/tty isn't there."""
        arguments = [str(a) for a in arguments]
        if passphrase:
            arguments += ["--passphrase-file", str(self.passphrase_file)]
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return subprocess.run(
            [self.vmfa, *arguments],
            input=stdin,
            capture_output=True,
            env={**self.env, **(env or {})},
            start_new_session=True,
            timeout=timeout,
            **more,
        )

    def ok(self, *arguments, **more):
        """A run that must do what it was asked; its standard output as text."""
        done = self.run(*arguments, **more)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def init(self):
        self.ok("init", "--kdf", CHEAP)
        return self

    def at_terminal(self, *arguments, **more):
        """With a terminal, to be driven by expect and send."""
        arguments = [str(a) for a in arguments]
        return pexpect.spawn(
            self.vmfa, arguments, env=self.env, encoding="utf-8", timeout=60, dimensions=(50, 120), **more
        )


def finish(child):
    """What is still printed, and the exit code (128 + signal, as a shell says it)."""
    child.expect(pexpect.EOF)
    rest = child.before
    child.close()
    return rest, child.exitstatus if child.exitstatus is not None else 128 + child.signalstatus
