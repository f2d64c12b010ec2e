"""A pseudo terminal held by its other end: every byte that the program writes, and how its settings stand."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time

PATIENCE = 60
# Switched on: the cursor. All else is off on a terminal that nobody has taken.
AT_REST_ON = {"25", "7"}


class Line:
    """A program on a terminal of its own. `leader` words stand before it, as of a shell that is the session's leader."""

    def __init__(self, command, env, cwd=None, size=(100, 30)):
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.master)
                os.login_tty(slave) if hasattr(os, "login_tty") else _login(slave)
                os.chdir(cwd or "/")
                os.execve(command[0], [str(word) for word in command], env)
            finally:
                os._exit(127)
        os.close(slave)
        self.stopped, self.stop = os.pipe()
        self.read, self.status, self.came = bytearray(), None, time.monotonic()
        self.lock = threading.Condition()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            # Not in a read when the master is closed: that would hold it open.
            ready, _, _ = select.select([self.master, self.stopped], [], [])
            try:
                data = b"" if self.stopped in ready else os.read(self.master, 65536)
            except OSError:
                data = b""
            with self.lock:
                self.read += data
                self.came = time.monotonic()
                self.lock.notify_all()
            if not data:
                return

    def resize(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def send(self, data):
        os.write(self.master, data.encode() if isinstance(data, str) else data)

    def mark(self):
        with self.lock:
            return len(self.read)

    def wait(self, pattern, start=0, patience=PATIENCE):
        """Waits until the pattern was written, after so many bytes; and gives when it came."""
        end = time.monotonic() + patience
        with self.lock:
            while not re.search(pattern, self.read[start:], re.S):
                left = end - time.monotonic()
                assert left > 0, f"never: {pattern}; the last that came: {bytes(self.read[-2000:])}"
                self.lock.wait(left)
            return time.monotonic()

    def settings(self):
        """The terminal's own, asked at this end."""
        return termios.tcgetattr(self.master)

    def ended(self, patience=PATIENCE):
        """How the process has ended: its exit code, or 128 + signal."""
        end = time.monotonic() + patience
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                break
            assert time.monotonic() < end, "it doesn't end"
            time.sleep(0.01)
        # What it wrote last is read.
        self.thread.join(5)
        return self.status if self.status >= 0 else 128 - self.status

    def modes(self):
        """Each private mode that was ever set or reset, and whether it is on now."""
        found = {}
        for numbers, way in re.findall(rb"\x1b\[\?([\d;]+)([hl])", bytes(self.read)):
            for number in numbers.decode().split(";"):
                found[number] = way == b"h"
        return found

    def check_given_back(self):
        """All that was taken of the terminal is as it was."""
        modes = self.modes()
        assert {"1049", "2004", "25"} <= modes.keys(), f"it never was taken: {modes}"
        wrong = {number: is_on for number, is_on in modes.items() if is_on != (number in AT_REST_ON)}
        assert not wrong, f"left so: {wrong}"
        pushed, popped = (len(re.findall(form, bytes(self.read))) for form in (rb"\x1b\[>\d+u", rb"\x1b\[<\d*u"))
        assert pushed == popped, "the keyboard's mode"
        assert self.settings() == self.before, "stty's settings"

    def close(self):
        os.write(self.stop, b"x")
        self.thread.join(PATIENCE)
        for number in (self.master, self.stop, self.stopped):
            os.close(number)
        self.master = None

    def end(self):
        """For the end of a test, whatever became of it."""
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(self.pid, 0)
        if self.master is not None:
            self.close()


def _login(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(slave, number)
    if slave > 2:
        os.close(slave)
