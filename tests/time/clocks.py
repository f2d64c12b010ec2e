"""A copy of the program whose clocks are a test's own (see clock.c), and whether a code was seen when it held."""

import mmap
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pyotp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from desk import Desk  # noqa: E402

HERE = Path(__file__).resolve().parent
WORDS = struct.Struct("<Qqqqq")
SECOND = 10**9


def build(directory, vmfa):
    """A copy of the program that needs the library in `directory`."""
    library = directory / "libclock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, HERE / "clock.c", "-ldl", "-lpthread"], check=True)
    copy = directory / "vmfa"
    shutil.copy(vmfa, copy)
    subprocess.run(["patchelf", "--add-needed", library, copy], check=True)
    helper = Path(vmfa).with_name("vmfa-aws")
    if helper.exists():
        (directory / "vmfa-aws").symlink_to(helper)
    return copy


class Clock:
    """The clock of the copies beside it. Moments are nanoseconds since 1970."""

    def __init__(self, directory):
        self.path = Path(directory) / "clock"
        self.path.write_bytes(bytes(4096))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        self.turns, self.stands_still, self.wall, self.boot = 0, False, 0, 0

    def now(self):
        """What the program is told now."""
        return self.wall if self.stands_still else time.time_ns() + self.wall

    def say(self):
        seconds, nanos = divmod(self.wall, SECOND)
        # First what is told, then that it has changed.
        self.page[8:WORDS.size] = WORDS.pack(0, self.stands_still, seconds, nanos, self.boot)[8:]
        self.turns += 1
        self.page[:8] = struct.pack("<Q", self.turns)

    def stand(self, at):
        """It stands still at a moment, given in seconds (or `nanos`)."""
        self.stands_still, self.wall = True, round(at * 1000) * 10**6 if isinstance(at, float) else at * SECOND
        self.say()

    def run_from(self, at):
        """It is set to a moment, and goes on from there."""
        self.stands_still = False
        self.wall = (round(at * 1000) * 10**6 if isinstance(at, float) else at * SECOND) - time.time_ns()
        self.say()

    def leap(self, seconds):
        """It is set forward or back."""
        self.wall += round(seconds * SECOND)
        self.say()

    def sleep(self, seconds):
        """The machine sleeps: both clocks are further on, and no time has passed for who waits."""
        self.boot += seconds
        self.leap(seconds)

    def right(self):
        """As it really is."""
        self.stands_still, self.wall = False, 0
        self.say()


def code(secret, step, digits=6):
    """The code of a time step, by another's hand."""
    return pyotp.HOTP(secret, digits=digits).at(step)


def steps_of(shown, secret, period, begun, ended, t0=0, reach=3):
    """The time steps, around two moments in nanoseconds, whose code this is."""
    first, last = ((moment // SECOND - t0) // period for moment in (begun, ended))
    return [step for step in range(max(0, first - reach), last + reach + 1) if code(secret, step, len(shown)) == shown]


def held(shown, secret, period, begun, ended, t0=0):
    """Whether a code that was seen between two moments can have been seen while it held."""
    first, last = ((moment // SECOND - t0) // period for moment in (begun, ended))
    return any(code(secret, step, len(shown)) == shown for step in range(max(0, first), last + 1))
