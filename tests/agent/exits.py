"""Processes that are held at their very end, when all that they will ever wipe is wiped: what is in their memory then?"""

import ctypes
import os
import signal
import tempfile
import time
from pathlib import Path

import memory

PATIENCE = 120
TRACEME, CONT, SETOPTIONS, GETEVENTMSG, GETREGSET = 0, 7, 0x4200, 0x4201, 0x4204
FORK, VFORK, CLONE, EXEC, EXIT = (1 << n for n in (1, 2, 3, 4, 6))
EVENTS = {1: "fork", 2: "vfork", 3: "clone", 4: "exec", 6: "exit"}
# The tracee doesn't outlive us.
EXITKILL = 1 << 20
WALL = 0x40000000


def ptrace(what, pid, at=None, data=None):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype, libc.ptrace.argtypes = ctypes.c_long, [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(what, pid, at, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def traced():
    """For `preexec_fn`."""
    ptrace(TRACEME, 0)


class Remains:
    """What a process left in its memory: opened while it could still be looked at, since it closes itself to its own user."""

    def __init__(self, pid):
        self.pid, self.name, self.found, self.bytes = pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3], [], 0
        self.memory = open(f"/proc/{pid}/mem", "rb", buffering=0)
        self.maps = open(f"/proc/{pid}/maps", "rb", buffering=0)

    def scan(self, plant):
        self.maps.seek(0)
        parts = []
        while part := self.maps.read(1 << 16):
            parts.append(part)
        for line in b"".join(parts).decode(errors="replace").splitlines():
            span, rights, *rest = line.split(maxsplit=5)
            begin, end = (int(part, 16) for part in span.split("-"))
            name = rest[3] if len(rest) > 3 else "anonymous"
            # What is mapped from a file for reading is the file.
            if "r" not in rights or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]", "[vdso]") or "w" not in rights and name.startswith("/"):
                continue
            try:
                data = memory.Scan.read(self.memory, begin, end - begin)
            except OSError:
                # memfd_secret: nobody can.
                continue
            self.bytes += len(data)
            self.found += [(what, f"{name} {begin:#x}+{at:#x}", data[max(0, at - 16):at + 24]) for what, at in plant.look(data)]
        # The registers, too.
        buffer = ctypes.create_string_buffer(1 << 14)
        for kind in (memory.PRSTATUS, memory.PRFPREG):
            vector = memory.Vector(ctypes.addressof(buffer), len(buffer))
            ptrace(GETREGSET, self.pid, kind, ctypes.addressof(vector))
            self.found += [(what, "registers", b"") for what, _ in plant.look(buffer.raw[:vector.length])]
        return self

    def close(self):
        self.memory.close()
        self.maps.close()

    @property
    def whats(self):
        return sorted({what for what, _, _ in self.found})

    def told(self):
        return f"{b' '.join(self.name).decode()}: {self.bytes >> 10} KiB, {len(self.found)} hits" + "".join(
            f"\n    {what} in {where}" for what, where, _ in self.found[:12])


def remains(command, env, cwd, stdin, plant, is_ours):
    """Runs a command to its end and gives its exit code, its output, and what each process of it left whose first word `is_ours`."""
    with tempfile.TemporaryDirectory() as room:
        paths = [Path(room) / name for name in ("in", "out", "err")]
        paths[0].write_bytes(stdin if isinstance(stdin, bytes) else stdin.encode())
        with open(paths[0], "rb") as into, open(paths[1], "wb") as out, open(paths[2], "wb") as err:
            pid = os.fork()
            if pid == 0:
                try:
                    os.setsid()
                    for number, file in enumerate((into, out, err)):
                        os.dup2(file.fileno(), number)
                    os.chdir(cwd)
                    traced()
                    os.execve(command[0], [str(part) for part in command], env)
                finally:
                    os._exit(127)
        ended, left = follow(pid, plant, is_ours)
        return ended, paths[1].read_bytes(), paths[2].read_bytes(), left


def follow(first, plant, is_ours):
    """Lets them run, and looks at each that ends."""
    os.waitpid(first, 0)
    ptrace(SETOPTIONS, first, 0, FORK | VFORK | CLONE | EXEC | EXIT | EXITKILL)
    begun, left, alive, ended = {first: Remains(first)}, [], {first}, None
    ptrace(CONT, first, 0, 0)
    end = time.monotonic() + PATIENCE
    while alive and ended is None:
        pid, status = os.waitpid(-1, WALL | os.WNOHANG)
        if pid == 0:
            assert time.monotonic() < end, "it doesn't end"
            time.sleep(0.002)
            continue
        alive.add(pid)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            alive.discard(pid)
            if pid == first:
                ended = os.waitstatus_to_exitcode(status)
            continue
        event, deliver = EVENTS.get(status >> 16), os.WSTOPSIG(status)
        if event == "exec":
            begun[pid] = Remains(pid)
        elif event == "exit" and Path(f"/proc/{pid}/stat").exists() and pid in begun and is_ours(begun[pid].name):
            left.append(begun.pop(pid).scan(plant))
            left[-1].close()
        if event or deliver in (signal.SIGSTOP, signal.SIGTRAP):
            deliver = 0
        try:
            ptrace(CONT, pid, 0, deliver)
        except ProcessLookupError:
            alive.discard(pid)
    # What goes on by itself, such as an agent that was started, is let go of.
    for pid in alive:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return ended, left
