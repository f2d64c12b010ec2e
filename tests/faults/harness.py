"""What the fault suite stands on: a program in a HOME of its own, and strace to make its system calls fail."""

import json
import os
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
# A run that hangs is a failure; on a machine as slow as ours under load none takes a tenth of this.
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

    def __init__(self, root, program):
        self.root = Path(root)
        self.program = [str(part) for part in program]
        self.home = self.root / "home"
        self.directory = self.home / "vault"
        self.vault = self.directory / "accounts.vmfa"
        self.passphrase = self.root / "passphrase"

    @property
    def naive(self):
        return str(NAIVE) in self.program

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
        return House(root, self.program)

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
LINE = re.compile(r"^(\d+)\s+([a-z_0-9]+)\((.*)$")
# The first call of a run that could change anything on disk.
CHANGE = re.compile(r"^(mkdir|mkdirat|flock|link|linkat|rename|renameat|renameat2|unlink|unlinkat|ftruncate)\(|O_CREAT|O_TRUNC")
FAULTS = ("ENOSPC", "EIO", "EACCES", "KILL")


def calls(house, arguments, stdin="", since="touch"):
    """The system calls of a run that succeeds: since its first `touch` of the vault's directory, or its first `change` of
    anything in the home directory, or `all`."""
    trace = house.root / "trace"
    done = house.run(*arguments, stdin=stdin, before=["strace", "-f", "-qq", "-s", "4096", "-o", trace])
    assert done.code == 0, f"the traced run failed: {done.says}"
    seen, found, started, main = Counter(), [], since == "all", None
    for line in trace.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        thread, call, rest = match.groups()
        main = main or thread
        # The vault stands in the program's own arguments too.
        touched = call not in UNTOUCHED and str(house.directory) in rest
        if thread != main:
            # The faults are injected into the main thread; others derive keys and must leave files alone.
            assert str(house.home) not in rest, f"a second thread works on files: {line}"
            continue
        seen[call] += 1
        changed = CHANGE.search(f"{call}({rest}") and str(house.home) in rest
        started = started or (changed if since == "change" else touched)
        if started and call not in UNTOUCHED:
            found.append(Case(call, seen[call]))
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


def sweep(name, house, arguments, judge, scratch, stdin="", faults=FAULTS, since="touch"):
    """Every fault at every system call, each in a fresh copy of the house.

    `judge(house, done)` says "old" or "new", or raises AssertionError when anything is lost.
    """
    tracing = house.copy(scratch / "tracing")
    points = calls(tracing, arguments, stdin, since)
    todo = [(case, fault) for case in points for fault in faults if fault == "KILL" or case.call not in ENDLESS]
    tally = Tally(name, cases=len(todo))

    def one(numbered):
        index, (case, fault) = numbered
        here = house.copy(scratch / f"case-{index}")
        try:
            done, hit = faulty(here, arguments, case, fault, stdin)
            try:
                assert not done.hung, "hung"
                assert b"panicked" not in done.err, done.says
                return hit, judge(here, done), None
            except AssertionError as lost:
                return hit, "LOST", f"{case} {fault}: {str(lost).splitlines()[0]} ({done.says})"
        finally:
            shutil.rmtree(here.root, ignore_errors=True)

    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        for hit, end, lost in pool.map(one, enumerate(todo)):
            tally.hit += hit
            tally.ends[end] += 1
            if lost:
                tally.lost.append(lost)
    shutil.rmtree(tracing.root, ignore_errors=True)
    # Calls differ a little from run to run (an allocation more or less); most must have been met all the same.
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: the injection doesn't reach the program"
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


# Starts a program and writes down the most memory that it ever had, in KiB. A process that is started by a large one counts that
# one's memory as its own, so this small one stands between.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_maxrss))
code = os.waitstatus_to_exitcode(status)
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def measured(house, *arguments, **more):
    """As `House.run`, with the most memory that the program had, in MiB."""
    peak = house.root / "peak"
    peak.unlink(missing_ok=True)
    done = house.run(*arguments, before=[sys.executable, "-I", "-S", "-c", MEASURE, peak], **more)
    return done, int(peak.read_text()) >> 10 if peak.exists() else 0
