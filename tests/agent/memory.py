"""What can be found in a process from outside: its memory, its threads' registers; and in how many forms a secret can stand there."""

import base64
import ctypes
import errno
import functools
import os
import platform
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

WINDOW = 8
ATTACH = {"SEIZE": 0x4206, "INTERRUPT": 0x4207, "GETREGSET": 0x4204, "DETACH": 17}
WALL = 0x40000000
PRSTATUS, PRFPREG, XSTATE = 1, 2, 0x202


def windows(data):
    return {data[at:at + WINDOW] for at in range(len(data) - WINDOW + 1)}


def in_every_form(secret):
    """Every window of 8 bytes of a secret as it is, in hex, base32 and base64."""
    forms = {"raw": windows(secret)}
    spelt = {"hex": secret.hex(), "base32": base64.b32encode(secret).decode()}
    for name, text in spelt.items():
        forms[name] = windows(text.upper().encode()) | windows(text.lower().encode())
    # base64 has three alignments, depending on what stands before.
    forms["base64"] = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(bytes(before) + secret + bytes(-(before + len(secret)) % 3))
            first, last = -(-before * 4 // 3), (before + len(secret)) * 4 // 3
            forms["base64"] |= windows(whole[first:last])
    return forms


def rotated(value, by):
    return (value << by | value >> 32 - by) & 0xFFFFFFFF


def sha1_block(state, block):
    """FIPS 180-4 section 6.1.2."""
    w = list(struct.unpack(">16I", block))
    for t in range(16, 80):
        w.append(rotated(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1))
    a, b, c, d, e = state
    for t in range(80):
        f, k = ((b & c | ~b & d, 0x5A827999), (b ^ c ^ d, 0x6ED9EBA1), (b & c | b & d | c & d, 0x8F1BBCDC), (b ^ c ^ d, 0xCA62C1D6))[t // 20]
        a, b, c, d, e = (rotated(a, 5) + (f & 0xFFFFFFFF) + e + k + w[t]) & 0xFFFFFFFF, a, rotated(b, 30), c, d
    return [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e))]


def in_hmac_sha1(secret):
    """What is as good as the secret while HMAC-SHA-1 is at work: the padded keys, in both orders of bytes, and the states after them."""
    padded, forms = secret.ljust(64, b"\0"), {"padded": set(), "state": set()}
    for pad in (0x36, 0x5C):
        block = bytes(byte ^ pad for byte in padded)
        # The padding itself is no secret.
        known = block[:len(secret)]
        swapped = b"".join(known[at:at + 4][::-1] for at in range(0, len(known) // 4 * 4, 4))
        forms["padded"] |= windows(known) | windows(swapped)
        state = sha1_block([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], block)
        for order in "<>":
            forms["state"] |= windows(struct.pack(order + "5I", *state))
    return forms


def seeker():
    """The searching loop in C: a process has tens of megabytes, and a secret hundreds of windows."""
    with tempfile.TemporaryDirectory() as room:
        built = Path(room) / "seek.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", built, Path(__file__).with_name("seek.c")], check=True)
        library = ctypes.CDLL(str(built))
    library.seek.restype = ctypes.c_size_t
    library.seek.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
                             ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    return library.seek


SEEK = functools.cache(seeker)
MOST = 1024


class Plant:
    """Things that must not be found: {what it is, in which form: windows}."""

    def __init__(self):
        self.forms = {}

    def secret(self, name, data):
        self.forms.update({f"{name} ({form})": found for form, found in in_every_form(data).items()})
        return self

    def hmac_key(self, name, data):
        self.forms.update({f"{name} (HMAC-SHA-1, {form})": found for form, found in in_hmac_sha1(data).items()})
        return self

    def text(self, name, data):
        self.forms[name] = windows(data)
        return self

    @property
    def windows(self):
        return sum(map(len, self.forms.values()))

    def look(self, data):
        """What of it stands in the bytes, and where: at most MOST places."""
        numbers = {int.from_bytes(window, sys.byteorder): name for name, found in self.forms.items() for window in found}
        wanted = sorted(numbers)
        wanted, at, which = (ctypes.c_uint64 * len(wanted))(*wanted), (ctypes.c_uint64 * MOST)(), (ctypes.c_uint64 * MOST)()
        count = SEEK()(data, len(data), wanted, len(wanted), at, which, MOST)
        return [(numbers[which[n]], at[n]) for n in range(count)]


def mappings(pid):
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *rest = line.split(maxsplit=5)
        begin, end = (int(part, 16) for part in span.split("-"))
        yield begin, end, rights, rest[3] if len(rest) > 3 else "anonymous"


class Scan:
    """The memory and the registers of a process, and what was found in them."""

    def __init__(self, pid, plant):
        self.bytes = self.registers = self.threads = 0
        # What root itself can't read: (begin, size, name). What was found: (what, address or none, where).
        self.unreadable, self.found = [], []
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for begin, end, rights, name in mappings(pid):
                if "r" not in rights or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                    continue
                try:
                    data = self.read(memory, begin, end - begin)
                except OSError:
                    self.unreadable.append((begin, end - begin, name))
                    continue
                self.bytes += len(data)
                for what, at in plant.look(data):
                    self.found.append((what, begin + at, f"in {name} {begin:#x}-{end:#x}"))
        for thread, data in registers(pid):
            self.threads += 1
            self.registers += len(data)
            self.found += [(what, None, f"in the registers of thread {thread} at {at}") for what, at in plant.look(data)]

    @staticmethod
    def read(memory, begin, size):
        parts = []
        memory.seek(begin)
        while size:
            part = memory.read(min(size, 1 << 24))
            assert part, "a mapping ends before its end"
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def __str__(self):
        return f"{self.bytes >> 20} MiB and {self.registers} bytes of registers of {self.threads} threads, {len(self.found)} hits"

    def told(self):
        """What was found, for who must find out where it comes from."""
        return "\n".join([str(self)] + [f"{what} {where}" + (f", {at:#x}" if at else "") for what, at, where in self.found[:60]])


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def registers(pid):
    """Stops each thread for a moment and reads what it holds: (thread, bytes)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype, libc.ptrace.argtypes = ctypes.c_long, [ctypes.c_long] + [ctypes.c_void_p] * 3

    def trace(what, thread, at=None, data=None):
        if libc.ptrace(ATTACH[what], thread, at, data) < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), what)

    for entry in sorted(Path(f"/proc/{pid}/task").iterdir()):
        thread = int(entry.name)
        trace("SEIZE", thread)
        trace("INTERRUPT", thread)
        os.waitpid(thread, WALL)
        held = b""
        for kind in [PRSTATUS, PRFPREG] + ([XSTATE] if platform.machine() == "x86_64" else []):
            buffer = ctypes.create_string_buffer(1 << 14)
            vector = Vector(ctypes.addressof(buffer), len(buffer))
            trace("GETREGSET", thread, kind, ctypes.addressof(vector))
            held += buffer.raw[:vector.length]
        trace("DETACH", thread)
        assert held, "no registers"
        yield thread, held


def without_memfd_secret():
    """For `preexec_fn`: this process and its children live on a kernel that has no such call, as many are."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    number = 447  # on every architecture
    # Load the number; is it the one? then "no such call"; else allow.
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | errno.ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(steps), code)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter")
