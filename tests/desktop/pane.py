"""A real terminal (tmux) for a person to sit at: keys in, the screen out.

    with Terminals() as terminals:
        pane = terminals.open(desk, desk.vmfa)
        pane.wait("Passphrase:")
        pane.type("secret")
        pane.keys("Enter")
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# Nothing here takes a tenth of it, even on two busy processors.
PATIENCE = 60


class Terminals:
    """One tmux server of our own."""

    def __init__(self):
        # Short, since the path of a socket has 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="vmfa-"))
        settings = self.root / "conf"
        # A command that has ended stays to be looked at; what a program puts into the clipboard stands in a buffer.
        settings.write_text(
            "set -g remain-on-exit on\nset -g status off\nset -s escape-time 0\nset -g default-terminal tmux-256color\n"
            "set -s exit-empty off\nset -s set-clipboard on\n"
        )
        self.command = ["tmux", "-S", str(self.root / "s"), "-f", str(settings)]
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("kill-server", check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *words, stdin=None, check=True):
        done = subprocess.run(
            [*self.command, *map(str, words)], input=stdin, capture_output=True, timeout=PATIENCE,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.root)},
        )
        assert not check or done.returncode == 0, f"tmux {words}: {done.stderr.decode()}"
        return done.stdout.decode(errors="replace")

    def open(self, desk, *command, size=(100, 30), env=None):
        """A new terminal, in which the command runs as the desk's owner would have it run."""
        self.count += 1
        name = f"t{self.count}"
        told = {**desk.env, "TERM": "tmux-256color", **(env or {})}
        words = ["env", *(f"{key}={value}" for key, value in told.items()), *map(str, command)]
        self.run("new-session", "-d", "-s", name, "-x", size[0], "-y", size[1], "-c", desk.root, *words)
        return Pane(self, name)


class Pane:
    def __init__(self, terminals, name):
        self.terminals, self.target = terminals, f"={name}:"
        self.pid = int(self.ask("#{pane_pid}"))

    def tmux(self, command, *words, **more):
        return self.terminals.run(command, "-t", self.target, *words, **more)

    def ask(self, what):
        return self.tmux("display-message", "-p", what).strip()

    # --- what a person does ---

    def keys(self, *names):
        """Keys by tmux's names: Enter, Escape, C-c, Down."""
        self.tmux("send-keys", *names)

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def bytes(self, data):
        """What a terminal sends that tmux has no name for: a click."""
        self.tmux("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def paste(self, text):
        """As terminals paste for programs that ask to be told: in brackets."""
        self.terminals.run("load-buffer", "-b", "pasted", "-", stdin=text.encode())
        self.tmux("paste-buffer", "-p", "-d", "-b", "pasted")

    def click(self, column, line):
        """The left button, at a cell counted from 0."""
        for end in "Mm":
            self.bytes(f"\x1b[<0;{column + 1};{line + 1}{end}".encode())

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", columns, "-y", lines)

    def close(self):
        self.terminals.run("kill-session", "-t", self.target.rstrip(":"))

    # --- what a person sees ---

    def text(self):
        return self.tmux("capture-pane", "-p")

    def lines(self):
        return self.text().split("\n")

    def coloured(self):
        return self.tmux("capture-pane", "-e", "-N", "-p")

    def line(self, *words):
        """The line that has all the words, if there is one."""
        return next((line for line in self.lines() if all(word in line for word in words)), None)

    def wait(self, *words, until=None, patience=PATIENCE):
        """Waits until all the words are on the screen, or until something is so of its text, and gives the text."""
        until = until or (lambda text: all(word in text for word in words))
        end = time.monotonic() + patience
        while not until(text := self.text()):
            assert time.monotonic() < end, f"never: {words or until}; the screen:\n{text}"
            time.sleep(0.02)
        return text

    def wait_gone(self, *words):
        return self.wait(until=lambda text: not any(word in text for word in words))

    def wait_end(self):
        """Waits until the command has ended, and gives its exit code (128 + signal, as a shell says it)."""
        began = time.monotonic()
        # Its terminal is let go of a moment before it is known how it has ended.
        while (told := self.ask("#{pane_dead} #{pane_dead_status}#{?pane_dead_signal,signal #{pane_dead_signal},}")) in ("0", "1"):
            waited = time.monotonic() - began
            assert waited < PATIENCE, f"it doesn't end (its terminal is {'gone' if told == '1' else 'still its own'}); the screen:\n{self.text()}"
            # tmux 3.3a now and then misses the signal that says so, and would leave what has ended unasked for good.
            if told == "1" and waited > 1 and self.is_zombie():
                os.kill(int(self.ask("#{pid}")), signal.SIGCHLD)
            time.sleep(0.02)
        kind, number = told.split()[-2:]
        return int(number) + (128 if kind == "signal" else 0)

    def is_zombie(self):
        """Whether the command has ended and its terminal hasn't asked how."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
        except FileNotFoundError:
            return False
