"""Processes that are held at their very end, when all that they will ever wipe is wiped: what is in their memory then?"""

import ctypes
import os
import re
import signal
import tempfile
import time
from pathlib import Path

import memory

PATIENCE = 120
TRACEME, CONT, DETACH, SETOPTIONS, GETEVENTMSG, GETREGSET = 0, 7, 17, 0x4200, 0x4201, 0x4204
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
            f"\n    {what} in {where}, amid {around.hex(chr(32), 8)}" for what, where, around in self.found[:12])


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
    """Lets them run, and looks at each that ends. Asks for each by its number: whatever else was started here isn't ours."""
    os.waitpid(first, 0)
    ptrace(SETOPTIONS, first, 0, FORK | VFORK | CLONE | EXEC | EXIT | EXITKILL)
    begun, left, alive, ended = {first: Remains(first)}, [], {first}, None
    ptrace(CONT, first, 0, 0)
    end = time.monotonic() + PATIENCE
    while ended is None:
        stopped = [(pid, status) for pid in sorted(alive) if (status := state(pid)) is not None]
        if not stopped:
            assert time.monotonic() < end, "it doesn't end"
            time.sleep(0.002)
            continue
        for pid, status in stopped:
            if status is GONE or not os.WIFSTOPPED(status):
                alive.discard(pid)
                if pid == first:
                    ended = os.waitstatus_to_exitcode(status)
                continue
            event, deliver = EVENTS.get(status >> 16), os.WSTOPSIG(status)
            if event in ("fork", "vfork", "clone"):
                alive.add(message(pid))
            elif event == "exec":
                begun[pid] = Remains(pid)
            elif event == "exit" and Path(f"/proc/{pid}/stat").exists() and pid in begun and is_ours(begun[pid].name):
                left.append(begun.pop(pid).scan(plant))
                left[-1].close()
            if event or deliver in (signal.SIGSTOP, signal.SIGTRAP):
                deliver = 0
            go_on(CONT, pid, deliver)
    let_go(alive)
    return ended, left


# What isn't there any more, though nobody was told of its end: a thread, when another one of its process became a program.
GONE = -1


def state(pid, flags=WALL | os.WNOHANG):
    """How one of them was stopped or ended; nothing if it runs."""
    try:
        found, status = os.waitpid(pid, flags)
    except ChildProcessError:
        return GONE
    return status if found else None


def message(pid):
    """What an event is about: the number of who was made."""
    made = ctypes.c_ulong()
    ptrace(GETEVENTMSG, pid, None, ctypes.addressof(made))
    return made.value


def go_on(how, pid, deliver):
    try:
        ptrace(how, pid, 0, deliver)
    except ProcessLookupError:
        pass


def let_go(alive):
    """What goes on by itself, such as an agent that was started, goes on unwatched. It must stand still for that: each thread
    is stopped by a signal that it is never given."""
    libc, waiting, processes = ctypes.CDLL(None, use_errno=True), sorted(alive), set()
    while waiting:
        pid = waiting.pop()
        try:
            process = int(re.search(r"^Tgid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])
        except (FileNotFoundError, ProcessLookupError):
            state(pid)
            continue
        processes.add(process)
        libc.tgkill(process, pid, signal.SIGSTOP)
        while (status := state(pid, WALL)) is not GONE and os.WIFSTOPPED(status):
            event, deliver = EVENTS.get(status >> 16), os.WSTOPSIG(status)
            if event is None and deliver == signal.SIGSTOP:
                go_on(DETACH, pid, 0)
                break
            if event in ("fork", "vfork", "clone"):
                waiting.append(message(pid))
            go_on(CONT, pid, 0 if event or deliver == signal.SIGTRAP else deliver)
    # A thread that had just begun was stopped already, and the signal comes after the one that it began with: this takes it
    # back.
    for process in processes:
        try:
            os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            pass
