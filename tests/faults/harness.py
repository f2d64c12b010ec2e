"""What the fault suite stands on: a program in a HOME of its own, and strace to make its system calls fail."""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PASSPHRASE = "correct horse battery staple"
CHEAP = "19456,1,1"
# RFC 6238's secret, whose code at 59 s is known: that an account survived means that it still gives this.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODE_AT_59 = "287082"
# Another one each: the same secret twice is one account.
OTHER_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
THIRD_SECRET = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"
NAIVE = Path(__file__).with_name("naive.py")
# A run that hangs is a failure; none takes a tenth of this, even on two busy processors.
PATIENCE = 60


@dataclass
class Done:
    """What a run came to. `code` is negative for a signal, as in `subprocess`."""

    code: int
    out: bytes
    err: bytes
    hung: bool = False

    @property
    def says(self):
        return f"exit {self.code}{' (hung)' if self.hung else ''}: {self.err.decode(errors='replace').strip()[-400:]}"


class House:
    """A HOME with a vault in it, and the program that keeps it."""

    def __init__(self, root, program, more_env=None):
        self.root = Path(root)
        self.program = [str(part) for part in program]
        self.more_env = more_env or {}
        self.home = self.root / "home"
        self.directory = self.home / "vault"
        self.vault = self.directory / "accounts.vmfa"
        self.passphrase = self.root / "passphrase"

    @property
    def naive(self):
        return any(part.endswith(NAIVE.name) for part in self.program)

    @property
    def env(self):
        home = str(self.home)
        return {
            "HOME": home,
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_DATA_HOME": f"{home}/.local/share",
            "XDG_STATE_HOME": f"{home}/.local/state",
            "XDG_CACHE_HOME": f"{home}/.cache",
            "XDG_RUNTIME_DIR": f"{home}/.run",
            "VMFA_PASSPHRASE_FILE": str(self.passphrase),
            "RUST_BACKTRACE": "0",
            **self.more_env,
        }

    def build(self):
        self.directory.mkdir(parents=True)
        (self.home / ".run").mkdir(mode=0o700)
        self.directory.chmod(0o700)
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.passphrase.chmod(0o600)
        return self

    def furnish(self):
        """A vault with the account `alpha`."""
        self.build()
        self.must("init", "--kdf", CHEAP)
        self.must("add", "alpha", "--secret", "-", stdin=SECRET)
        return self

    def copy(self, root):
        """The same house elsewhere, with its times and modes."""
        shutil.copytree(self.root, root, symlinks=True)
        return House(root, self.program, self.more_env)

    def argv(self, arguments):
        return [*self.program, "--vault", str(self.vault), *map(str, arguments)]

    def run(self, *arguments, stdin="", before=(), patience=PATIENCE, env=None, **more):
        """Runs the program, behind `before` if given; it gets no terminal."""
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(
            [*map(str, before), *self.argv(arguments)],
            stdin=subprocess.PIPE,
            env={**self.env, **(env or {})},
            cwd=self.root,
            start_new_session=True,
            **more,
        )
        try:
            out, err = process.communicate(stdin.encode(), timeout=patience)
            return Done(process.returncode, out or b"", err or b"")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return Done(-signal.SIGKILL, out or b"", err or b"", hung=True)

    def must(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.code == 0, f"{' '.join(map(str, arguments))}: {done.says}"
        return done

    def names(self, **more):
        """The accounts' names, or nothing when the vault can't be opened."""
        done = self.run("list", "--json", **more)
        if done.code != 0:
            return None
        return {account["account"] for account in json.loads(done.out)}

    def alpha_lives(self, **more):
        done = self.run("code", "alpha", "--at", "59", **more)
        return done.code == 0 and done.out.decode().split()[:1] == [CODE_AT_59]


def naive(how):
    """The control's command line."""
    return [sys.executable, "-I", "-S", NAIVE, how]


@dataclass
class Case:
    """A system call of a run, by its kind and its number within the kind."""

    call: str
    number: int
    # Whether it changes what is on the disk.
    changes: bool = False

    def injection(self, fault):
        what = "signal=KILL" if fault == "KILL" else f"error={fault}"
        return f"inject={self.call}:{what}:when={self.number}"

    def __str__(self):
        return f"{self.call}#{self.number}"


@dataclass
class Tally:
    """What the cases of one sweep came to."""

    name: str
    cases: int = 0
    hit: int = 0
    ends: Counter = field(default_factory=Counter)
    lost: list = field(default_factory=list)

    def __str__(self):
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        return f"{self.name}: {self.cases} cases, {self.hit} injected ({ends}), {len(self.lost)} losses"


# Before the program's first instruction; strace itself would fail.
UNTOUCHED = {"execve"}
# A process can't be kept from ending, and a faked end of it ends in a trap.
ENDLESS = {"exit", "exit_group", "rt_sigreturn"}
# Without the memory for a second stack Rust's own start ends in a panic, before the first line of any program.
BEFORE_MAIN = b"sys/pal/unix/stack_overflow.rs"
LINE = re.compile(r"^(\d+)\s+([a-z_0-9]+)\((.*)$")
# The first call of a run that could change anything on disk.
CHANGE = re.compile(r"^(mkdir|mkdirat|flock|link|linkat|rename|renameat|renameat2|unlink|unlinkat|ftruncate)\(|O_CREAT|O_TRUNC")
# Of a call that has a path: where it stands.
POINTER = re.compile(r"^(AT_FDCWD, )?0x[0-9a-f]+,")
PATHLESS = {"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "futex", "getrandom", "sigaltstack", "set_robust_list", "rseq"}
# The calls that change it, or make it last: of them the short run always has some of each kind.
CHANGES = re.compile(
    r"^(mkdir|mkdirat|rmdir|flock|link|linkat|rename|renameat|renameat2|unlink|unlinkat|ftruncate|fsync|fdatasync|fchmod|fchown)\("
    r"|^openat\(.*(O_CREAT|O_TRUNC)|^p?write(v|64)?\(([3-9]|\d\d)"
)
# What a program that counts on nothing must take: how each call can fail on a disk that is full, dying, remote or read-only, and
# in a process that is out of descriptors or memory.
FULL = ("ENOSPC", "EIO", "EDQUOT")
ERRNOS = {
    "openat": ("EACCES", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "EINTR", "ENOSPC", "EROFS", "EDQUOT"),
    "write": (*FULL, "EINTR", "ESTALE", "EFBIG"),
    "fsync": (*FULL, "EINTR", "ESTALE", "EROFS"),
    "fdatasync": (*FULL, "EINTR", "ESTALE", "EROFS"),
    "rename": (*FULL, "EACCES", "EROFS", "ESTALE", "EBUSY"),
    "renameat2": (*FULL, "EACCES", "EROFS", "ESTALE", "EINVAL"),
    "link": (*FULL, "EACCES", "EPERM", "EMLINK", "EROFS", "EOPNOTSUPP"),
    "unlink": ("EIO", "EACCES", "EROFS", "EBUSY", "ESTALE"),
    "flock": ("ENOLCK", "EOPNOTSUPP", "EINTR", "EIO"),
    "mkdir": (*FULL, "EACCES", "EROFS"),
    "ftruncate": (*FULL, "EINTR", "EROFS"),
    "fchmod": ("EPERM", "EIO", "EROFS"),
    "fchown": ("EPERM", "EIO", "EROFS"),
    "read": ("EIO", "EINTR", "ESTALE"),
    "statx": ("EIO", "EACCES", "ENOMEM", "ESTALE"),
    "readlink": ("EIO", "EACCES", "ESTALE"),
    "getdents64": ("EIO", "ESTALE", "ENOMEM"),
    "getrandom": ("EIO", "EINTR", "ENOSYS"),
    "mmap": ("ENOMEM", "EMFILE"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "fcntl": ("EMFILE", "EIO"),
}
ERRNOS |= {"linkat": ERRNOS["link"], "renameat": ERRNOS["rename"], "unlinkat": ERRNOS["unlink"], "mkdirat": ERRNOS["mkdir"],
           "fstat": ERRNOS["statx"], "lstat": ERRNOS["statx"], "stat": ERRNOS["statx"], "newfstatat": ERRNOS["statx"],
           "pread64": ERRNOS["read"], "readv": ERRNOS["read"], "pwrite64": ERRNOS["write"], "writev": ERRNOS["write"],
           "readlinkat": ERRNOS["readlink"], "clone": ERRNOS["clone3"], "vfork": ERRNOS["clone3"]}
ERRNOS |= dict.fromkeys(("brk", "mprotect", "mremap", "munmap", "madvise"), ("ENOMEM",))
OTHERS = ("EIO",)
# How many further points the short run takes beside those that it always takes.
FURTHER = 6


def errnos(case):
    return ERRNOS.get(case.call, OTHERS)


def every(points, seed):
    """Every call killed, every call that changes the disk failing in every way, and each other one in one, by turns in each."""
    todo, turns = [], Counter()
    for case in points:
        todo.append((case, "KILL"))
        if case.call in ENDLESS:
            continue
        ways = errnos(case)
        if not case.changes:
            ways = [ways[turns[case.call] % len(ways)]]
            turns[case.call] += 1
        todo += [(case, way) for way in ways]
    return todo


def sample(points, seed):
    """The first change, the last, and of each kind of call that changes the disk one killed and one failing; and a few others."""
    pick, changes = random.Random(seed), [case for case in points if case.changes]
    assert changes, "nothing is changed: nothing would be tested"
    todo = [(changes[0], "KILL"), (changes[-1], "KILL")]
    for kind in sorted({case.call for case in changes}):
        alike = [case for case in changes if case.call == kind]
        todo += [(pick.choice(alike), "KILL"), (pick.choice(alike), pick.choice(errnos(alike[0])))]
    failing = [case for case in points if case.call not in ENDLESS]
    todo += [(case, pick.choice((*errnos(case), "KILL"))) for case in pick.sample(failing, min(FURTHER, len(failing)))]
    return [todo[at] for at in range(len(todo)) if todo[at] not in todo[:at]]


def traced(text, home, directory, since, alone=True):
    """The cases in a trace of `strace -f`."""
    seen, found, started, main, hidden = Counter(), [], since == "all", None, False
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        thread, call, rest = match.groups()
        main = main or thread
        # Once the program has hidden its memory, only root's strace reads the paths: others' shows where they stand.
        path = hidden and call not in PATHLESS and POINTER.search(rest)
        hidden = hidden or call == "prctl" and "PR_SET_DUMPABLE" in rest
        # The vault stands in the program's own arguments too.
        touched = call not in UNTOUCHED and (directory in rest or path)
        if thread != main:
            # The faults are injected into the main thread; others derive keys and must leave files alone.
            assert not alone or home not in rest, f"a second thread works on files: {line}"
            continue
        seen[call] += 1
        changed = CHANGE.search(f"{call}({rest}") and (home in rest or path)
        started = started or (changed if since == "change" else touched)
        if started and call not in UNTOUCHED:
            found.append(Case(call, seen[call], bool(CHANGES.search(f"{call}({rest}"))))
    return found


def calls(house, arguments, stdin="", since="touch", alone=True):
    """The system calls of a run that succeeds: since its first `touch` of the vault's directory, or its first `change` of
    anything in the home directory, or `all`. `alone` says that it starts no other program."""
    trace = house.root / "trace"
    done = house.run(*arguments, stdin=stdin, before=["strace", "-f", "-qq", "-s", "4096", "-o", trace])
    assert done.code == 0, f"the traced run failed: {done.says}"
    found = traced(trace.read_text(errors="replace"), str(house.home), str(house.directory), since, alone)
    trace.unlink()
    assert found, "the run never touched the vault's directory: nothing would be tested"
    return found


def faulty(house, arguments, case, fault, stdin=""):
    """A run in which one system call fails, or before which the program is killed; and whether it came to that."""
    # Neither with -f, where threads would be counted each by itself, nor with --seccomp-bpf, where strace 6.1 forgets the signal.
    trace = house.root / "trace"
    before = ["strace", "-qq", "-o", trace, "-e", f"trace={case.call}", "-e", case.injection(fault)]
    done = house.run(*arguments, stdin=stdin, before=before)
    text = trace.read_text(errors="replace") if trace.exists() else ""
    trace.unlink(missing_ok=True)
    # strace ends as its child did.
    return done, "(INJECTED)" in text or done.code == -signal.SIGKILL


def each(tally, house, todo, run, judge, scratch):
    """Judges what `run(house, what)` came to for each `what`, in a fresh copy of the house. It says what was done, and whether
    the fault was met."""

    def one(numbered):
        index, what = numbered
        here = house.copy(scratch / f"case-{index}")
        try:
            done, hit = run(here, what)
            try:
                assert not done.hung, "hung"
                assert b"panicked" not in done.err or BEFORE_MAIN in done.err, done.says
                return hit, judge(here, done), None
            except AssertionError as lost:
                named = " ".join(map(str, what)) if isinstance(what, tuple) else str(what)
                return hit, "LOST", f"{named}: {str(lost).splitlines()[0]} ({done.says})"
        finally:
            shutil.rmtree(here.root, ignore_errors=True)

    tally.cases += len(todo)
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        for hit, end, lost in pool.map(one, enumerate(todo)):
            tally.hit += hit
            tally.ends[end] += 1
            if lost:
                tally.lost.append(lost)
    return tally


def sweep(name, house, arguments, judge, scratch, stdin="", choose=every, since="touch", alone=True):
    """The faults that `choose` takes at the system calls of a run.

    `judge(house, done)` says "old" or "new", or raises AssertionError when anything is lost.
    """
    tracing = house.copy(scratch / "tracing")
    todo = choose(calls(tracing, arguments, stdin, since, alone), name)
    shutil.rmtree(tracing.root, ignore_errors=True)
    tally = each(Tally(name), house, todo, lambda here, what: faulty(here, arguments, *what, stdin), judge, scratch)
    # Calls differ a little from run to run (an allocation more or less); most must have been met all the same.
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: the injection doesn't reach the program"
    return tally


def twice(name, house, arguments, judge, scratch, first, limit, stdin=""):
    """A call fails, and at a later one the program is killed: while it cleans up, or goes on. `first` are the faults to begin
    with; of the pairs that follow, `limit` are taken."""
    pick, todo = random.Random(name), []
    for case, fault in first:
        here = house.copy(scratch / "tracing")
        trace = here.root / "trace"
        before = ["strace", "-f", "-qq", "-s", "4096", "-o", trace, "-e", case.injection(fault)]
        here.run(*arguments, stdin=stdin, before=before)
        text = trace.read_text(errors="replace")
        before, _, _ = text.partition("(INJECTED)")
        places = str(here.home), str(here.directory)
        numbers = {(point.call, point.number) for point in traced(before, *places, "all")}
        # strace takes one order for a call, so the second must be another one.
        todo += [(case, fault, then) for then in traced(text, *places, "all")
                 if (then.call, then.number) not in numbers and then.changes and then.call != case.call]
        shutil.rmtree(here.root, ignore_errors=True)
    assert todo, "nothing is done after a fault: nothing would be tested"

    def run(here, what):
        case, fault, then = what
        trace = here.root / "trace"
        before = ["strace", "-qq", "-o", trace, "-e", f"trace={case.call},{then.call}", "-e", case.injection(fault), "-e", then.injection("KILL")]
        done = here.run(*arguments, stdin=stdin, before=before)
        text = trace.read_text(errors="replace") if trace.exists() else ""
        trace.unlink(missing_ok=True)
        return done, "(INJECTED)" in text and done.code == -signal.SIGKILL

    tally = each(Tally(name), house, pick.sample(todo, min(limit, len(todo))), run, judge, scratch)
    assert tally.hit >= 0.8 * tally.cases, f"only {tally}: the injection doesn't reach the program"
    return tally


def old_or_new(before, after, go_on=True):
    """The judge of a change of the accounts' names: everything of before is there, and all of after if exit said 0."""

    def judge(house, done):
        names = house.names()
        assert names is not None, f"the vault doesn't open: {house.run('list', '--json').says}"
        assert names in (before, after), f"holds {names}"
        assert "alpha" not in before or house.alpha_lives(), "alpha gives another code"
        assert done.code != 0 or names == after, "exit 0, but the change isn't there"
        if go_on and done.code < 0:
            # Nothing that was left behind (a lock, half a file) stops the next one.
            house.must("add", "next", "--secret", "-", stdin=THIRD_SECRET)
            assert house.names() == names | {"next"}, "the next change loses something"
        return "new" if names == after else "old"

    return judge


def no_signal_limit(kib):
    """For `preexec_fn`: files grow to so many KiB and no more, and the write fails instead of killing."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024))

    return limit


# Starts a program and writes down the most memory that it ever had, in KiB, and the processor's time that it took. A process
# that is started by a large one counts that one's memory as its own, so this small one stands between.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
code = os.waitstatus_to_exitcode(status)
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def spending(house, *arguments, **more):
    """As `House.run`, with the most memory that the program had, in MiB, and the processor's time that it took, in seconds: a
    machine under load makes that little longer."""
    spent = house.root / "spent"
    spent.unlink(missing_ok=True)
    done = house.run(*arguments, before=[sys.executable, "-I", "-S", "-c", MEASURE, spent], **more)
    peak, seconds = spent.read_text().split() if spent.exists() else (0, 0)
    return done, int(peak) >> 10, float(seconds)


def measured(house, *arguments, **more):
    """As `House.run`, with the most memory that the program had, in MiB."""
    done, peak, _ = spending(house, *arguments, **more)
    return done, peak
