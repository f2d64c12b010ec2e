"""A directory that others work on: file systems without locks, files replaced underneath, conflict copies beside the vault."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pexpect
import pytest
from harness import ENDLESS, OTHER_SECRET, PATIENCE, THIRD_SECRET, Done, House, Tally, calls, each, naive

ADD = ("add", "beta", "--secret", "-")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


# --- no locks ---


def write(house, writers, each_adds, error):
    """Several writers at once, none of whom gets a lock, if there is an `error`; what was to be there, what is, the runs that
    failed, and how many asked for a lock in vain."""

    def add(name, secret):
        log = house.root / f"{name}.trace"
        before = ["strace", "-f", "-qq", "-o", log, "-e", "trace=flock", "-e", f"inject=flock:error={error}"] if error else []
        done = house.run("add", name, "--secret", "-", before=before, stdin=secret)
        return name, done, error and log.exists() and f"{error} " in log.read_text() and "(INJECTED)" in log.read_text()

    def writer(number):
        return [add(f"w{number}-{index}", OTHER_SECRET[:-2] + LETTERS[number] + LETTERS[index]) for index in range(each_adds)]

    with ThreadPoolExecutor(max_workers=writers) as pool:
        runs = [run for runs in pool.map(writer, range(writers)) for run in runs]
    failed = [f"{name}: {done.says}" for name, done, _ in runs if done.code != 0]
    wanted = {"alpha"} | {name for name, _, _ in runs}
    return wanted, house.names() or set(), failed, sum(bool(hit) for _, _, hit in runs)


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP"])
def test_without_locks_none_is_lost(house, long, error, figures, evidence):
    writers, adds = (8, 20) if long else (4, 4)
    wanted, found, failed, hit = write(house, writers, adds, error)
    lost = len(wanted - found)
    figures(f"no locks ({error}): {writers} x {adds} adds, {hit} got no lock, {len(failed)} failed, {lost} lost")
    evidence("sync", cases=writers * adds, faults=hit, losses=lost + len(failed))
    assert hit == writers * adds, f"{hit} of {writers * adds} asked for a lock that they didn't get: nothing was tested"
    assert not failed, "\n".join(failed[:5])
    assert found == wanted and house.alpha_lives()
    house.must("check")


def test_control_without_locks_some_are_lost(tmp_path, figures, evidence):
    """A program that counts on its lock, and goes on without: where it gets it, nothing is lost."""
    locking, lockless = [House(tmp_path / name, naive("lock")).furnish() for name in ("locking", "lockless")]
    wanted, found, failed, _ = write(locking, 4, 4, None)
    assert found == wanted and not failed, f"with its lock it loses {wanted - found}: the control has another fault"
    wanted, found, failed, hit = write(lockless, 4, 6, "ENOLCK")
    figures(f"control: no locks: 4 x 6 adds, {hit} got no lock, {len(failed)} failed, {len(wanted - found)} lost")
    evidence("sync", control=len(wanted - found))
    assert hit == 24, f"{hit} of 24 asked for a lock that they didn't get"
    assert wanted - found, "without a lock nothing is lost either: the writers never meet, and the test proves nothing"


# --- replaced underneath ---


class Replaced:
    """What another program puts in the vault's place, while `arguments` are at work."""

    def __init__(self, house, scratch):
        other = house.copy(scratch / "elsewhere")
        other.must("add", "gamma", "--secret", "-", stdin=THIRD_SECRET)
        stranger = House(scratch / "stranger", house.program).furnish()
        self.older = house.vault.read_bytes()
        house.must("add", "delta", "--secret", "-", stdin=THIRD_SECRET[::-1])
        other.must("add", "delta", "--secret", "-", stdin=THIRD_SECRET[::-1])
        # Each: the file, the accounts in it that must not be lost.
        self.kinds = {
            "changed elsewhere": (other.vault.read_bytes(), {"alpha", "gamma"}),
            "another vault": (stranger.vault.read_bytes(), None),
            "an older one": (self.older, {"alpha"}),
            "no vault": (b"something else entirely\n" * 40, None),
        }


def interrupted(house, arguments, case, put, stdin, then=()):
    """A run that stops after one of its calls, while which `put` is done; `then` are further orders for strace."""
    # The program stops itself by the signal; strace says so in its log, and then waits for it to go on.
    log = house.root / "trace"
    before = ["strace", "-qq", "-o", log, "-e", f"trace={case.call}", "-e", f"inject={case.call}:signal=STOP:when={case.number}", *then]
    process = subprocess.Popen([*map(str, before), *house.argv(arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=house.env, cwd=house.root, start_new_session=True)
    process.stdin.write(stdin.encode())
    process.stdin.close()
    process.stdin = None
    end, hit = time.monotonic() + PATIENCE, False
    try:
        while process.poll() is None and time.monotonic() < end:
            if log.exists() and b"stopped by SIGSTOP" in log.read_bytes():
                [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split() or [None]
                hit = True
                put()
                os.kill(int(child), signal.SIGCONT)
                break
            time.sleep(0.002)
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return Done(-signal.SIGKILL, b"", b"", hung=True), hit
    finally:
        # Whatever went wrong here or there: neither strace nor the program that stands still is left.
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        log.unlink(missing_ok=True)
    return Done(process.returncode, out, err), hit


def judge_replaced(house, done, theirs, their_names):
    """Neither what the other program put there nor what the command said it saved is lost."""
    files = {file.read_bytes() for file in house.directory.iterdir() if file.is_file()}
    now = house.vault.read_bytes()
    if now == theirs:
        # Theirs came last. A command that was done by then couldn't know; whoever opens it next is told.
        if done.code != 0 or their_names is None or house.naive:
            return "theirs"
        told = house.run("list", "--json")
        assert told.code != 0 or b"another copy" in told.err or "beta" in (house.names() or ()), "what was saved is gone, and nobody is told"
        return "theirs"
    if their_names is None and theirs.startswith(now[:8]) and now[16:32] == theirs[16:32]:
        # It came before the vault was looked at, and was then the vault that was changed.
        assert done.code == 0 and house.names() == {"alpha", "beta"}
        return "theirs"
    names = house.names()
    assert names is not None, f"the vault doesn't open: {house.run('list', '--json').says}"
    assert {"alpha", "delta"} <= names, f"holds {names}"
    assert done.code != 0 or "beta" in names, f"exit 0, but the change isn't there: {names}"
    kept = theirs in files or their_names is not None and their_names <= names
    assert kept, "what the other program had put there is nowhere any more"
    return "merged" if their_names and their_names <= names else "kept"


def under(house, scratch, name, choose):
    """Every one of the replacements at the chosen calls of an `add`."""
    replaced = Replaced(house, scratch)
    # After its last call it is gone, and nothing is replaced underneath.
    points = choose([case for case in calls(house.copy(scratch / "tracing"), ADD, OTHER_SECRET) if case.call not in ENDLESS])
    tally = Tally(name)
    for kind, (theirs, their_names) in replaced.kinds.items():

        def run(here, case, theirs=theirs):
            def put():
                new = here.directory / ".sync-in-flight"
                new.write_bytes(theirs)
                new.chmod(0o600)
                new.rename(here.vault)

            return interrupted(here, ADD, case, put, OTHER_SECRET)

        each(tally, house, points, run, lambda here, done, theirs=theirs, names=their_names: judge_replaced(here, done, theirs, names), scratch)
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: nothing was replaced"
    return tally


def test_replaced_underneath(house, tmp_path, long, figures, evidence):
    """While a change is saved, another program puts a file in the vault's place: at each call."""

    def choose(points):
        """From the first look at the vault on; in the short run what stands right before and after the vault is replaced."""
        if long:
            return points
        last = max(at for at, case in enumerate(points) if case.call.startswith("link"))
        near = points[max(0, last - 2) : last + 6]
        return near + random.Random(7).sample([case for case in points if case not in near], 6)

    tally = under(house, tmp_path, "replaced underneath", choose)
    figures(str(tally))
    evidence("sync", cases=tally.cases, faults=tally.hit, losses=len(tally.lost))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])
    assert tally.ends["merged"] and tally.ends["theirs"], f"{tally}: all too early or all too late"


def test_killed_with_theirs_in_its_hands(house, tmp_path, figures, evidence):
    """Another program's file was put in the vault's place at the last moment, and replaced; then the program is killed. The next
    save keeps that file, though it stands under a name that is cleared away."""
    theirs, _ = Replaced(house, tmp_path).kinds["changed elsewhere"]
    points = calls(house.copy(tmp_path / "tracing"), ADD, OTHER_SECRET)
    swap = max(at for at, case in enumerate(points) if case.call == "renameat2")
    before = [case for case in points[:swap] if case.call.startswith("link")][-1]
    tally = Tally("replaced, then killed")

    def run(here, after):
        def put():
            new = here.directory / ".sync-in-flight"
            new.write_bytes(theirs)
            new.rename(here.vault)

        kill = ["-e", f"trace={before.call},{after.call}", "-e", after.injection("KILL")]
        done, hit = interrupted(here, ADD, before, put, OTHER_SECRET, kill)
        return done, hit and done.code == -signal.SIGKILL

    def judge(here, done):
        here.must("edit", "alpha", "--tag", "next")
        assert here.names() >= {"alpha", "delta"} and here.alpha_lives()
        files = {file.read_bytes() for file in here.directory.iterdir() if file.is_file()}
        assert theirs in files or "gamma" in here.names(), "what the other program had put there is nowhere any more"
        assert not list(here.directory.glob("*.tmp-*")), "a temporary file is left"
        return "kept"

    each(tally, house, [case for case in points[swap + 1 : swap + 9] if case.call != before.call], run, judge, tmp_path)
    figures(str(tally))
    evidence("sync", cases=tally.cases, faults=tally.hit, losses=len(tally.lost))
    assert tally.hit, f"{tally}: nothing was killed"
    assert not tally.lost, "\n".join([str(tally), *tally.lost])


def test_control_replaced_underneath(tmp_path, figures, evidence):
    """A program that reads, changes and renames takes back what another one wrote in between."""
    house = House(tmp_path / "house", naive("rename")).furnish()
    renamed = lambda points: [case for case in points if case.call in ("openat", "rename", "close", "write")]  # noqa: E731
    tally = under(house, tmp_path, "control: replaced underneath", renamed)
    figures(str(tally))
    evidence("sync", control=len(tally.lost))
    assert tally.lost, "the suite finds nothing lost where nobody looks before a rename: it proves nothing"


# --- conflict copies ---

COPIES = {
    "Dropbox": "accounts (conflicted copy 2026-01-01).vmfa",
    "Dropbox, of a person": "accounts (Alice's conflicted copy 2026-01-01).vmfa",
    "Syncthing": "accounts.sync-conflict-20260101-120000-ABCDEFG.vmfa",
    "Nextcloud": "accounts (conflicted copy 2026-01-01 120000).vmfa",
    "ownCloud": "accounts_conflict-20260101-120000.vmfa",
    "OneDrive": "accounts-DESKTOP-7Q2K.vmfa",
    "Google Drive": "accounts (1).vmfa",
    "iCloud": "accounts 2.vmfa",
    "Resilio": "accounts.Conflict.vmfa",
    "Seafile": "accounts (SFConflict alice@example.com 2026-01-01-12-00-00).vmfa",
    "Dropbox, in German": "accounts (In Konflikt stehende Kopie von Jürgen 2026-01-01).vmfa",
}


@pytest.fixture
def fork(house, tmp_path):
    """The vault's file as another machine has changed it: with `gamma`."""
    other = house.copy(tmp_path / "elsewhere")
    other.must("add", "gamma", "--secret", "-", stdin=THIRD_SECRET)
    return other.vault.read_bytes()


def at_a_terminal(house, *arguments):
    """What a person sees who runs it."""
    words = house.argv(arguments)
    child = pexpect.spawn(words[0], words[1:], env=house.env, cwd=str(house.root), timeout=PATIENCE, encoding="utf-8", dimensions=(50, 500))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    return child.before


def findings(house):
    return [one for one in json.loads(house.run("doctor", "--json").out) if "another copy of this vault" in one["text"]]


@pytest.mark.parametrize("program", COPIES)
def test_a_conflict_copy_is_offered_for_merge(house, fork, program, evidence):
    copy = house.directory / COPIES[program]
    copy.write_bytes(fork)
    copy.chmod(0o600)
    listed = findings(house)
    seen = at_a_terminal(house, "edit", "alpha", "--tag", "one")
    offer = re.search(r"`vmfa (backup merge .*?)` takes them in", seen)
    if offer:
        # As a shell reads the line that was offered.
        words = subprocess.run(["sh", "-c", f"printf '%s\\n' {offer[1]}"], capture_output=True, text=True, check=True).stdout.splitlines()
        told = house.run(*words)
    found = bool(offer) and house.names() == {"alpha", "gamma"} and len(listed) == 1
    evidence("sync", cases=1, faults=1, losses=int(not found))
    assert len(listed) == 1 and copy.name in listed[0]["text"] and "backup merge" in listed[0]["advice"], listed
    assert offer, f"nothing was said of {copy.name}: {seen}"
    assert house.names() == {"alpha", "gamma"}, told.says
    assert b"can be deleted" in told.err, told.says
    # Nothing is new in it any more, so nothing is said.
    assert "backup merge" not in at_a_terminal(house, "edit", "alpha", "--tag", "two")


def test_nobody_but_a_person_is_told(house, fork):
    """A script's error output stays as it was, and JSON is JSON."""
    (house.directory / COPIES["Dropbox"]).write_bytes(fork)
    done = house.must("edit", "alpha", "--tag", "one")
    assert b"conflict" not in done.err + done.out
    assert json.loads(house.must("list", "--json").out)


def test_a_code_lists_no_directory(house, fork):
    """A code is asked for all the time, by a person, too: it waits for no listing."""
    (house.directory / COPIES["Dropbox"]).write_bytes(fork)
    trace = house.root / "trace"
    house.must("code", "alpha", before=["strace", "-f", "-qq", "-e", "trace=getdents64,openat", "-s", "4096", "-o", trace])
    assert COPIES["Dropbox"] not in trace.read_text() and "getdents64" not in trace.read_text()


def test_what_is_no_copy_of_this_vault(house, vmfa, tmp_path, evidence):
    """Other vaults, other files, links, pipes, backups, the same file once more; and an older copy, which holds nothing new."""
    stranger = House(tmp_path / "stranger", [vmfa]).furnish()
    older = house.vault.read_bytes()
    house.must(*ADD, stdin=OTHER_SECRET)
    shutil.copy(stranger.vault, house.directory / "accounts (1).vmfa")
    (house.directory / "accounts (2).vmfa").write_text("text")
    (house.directory / "accounts (3).vmfa").symlink_to("accounts.vmfa")
    os.mkfifo(house.directory / "accounts (4).vmfa")
    shutil.copy(house.vault, house.directory / "accounts (5).vmfa")
    (house.directory / "accounts (6).vmfa").mkdir()
    shutil.copy(house.vault, house.directory / "others.vmfa")
    assert not findings(house)
    (house.directory / "accounts (7).vmfa").write_bytes(older)
    told = at_a_terminal(house, "edit", "alpha", "--tag", "one")
    evidence("sync", cases=8, faults=8, losses=int("backup merge" in told))
    # The one that was the same is an older one by now, too.
    assert len(findings(house)) == 2 and "backup merge" not in told, told


def test_a_hostile_name_is_shown_clean(house, fork):
    (house.directory / "accounts \x1b]0;owned\x07\u202e(1).vmfa").write_bytes(fork)
    seen = at_a_terminal(house, "edit", "alpha", "--tag", "one") + house.run("doctor").out.decode()
    assert "backup merge" in seen
    assert not re.search("\x1b\\]|\x07|\u202e", seen)


def took(house):
    """What a person waits for a change and for `doctor`, at best."""
    waits = []
    for turn in range(3):
        began = time.monotonic()
        at_a_terminal(house, "edit", "alpha", "--tag", f"turn-{turn}")
        house.must("doctor")
        waits.append(time.monotonic() - began)
    return min(waits)


@pytest.mark.parametrize("age", ["new", "old"])
def test_thousands_of_files_beside_it(house, fork, age, figures, evidence):
    """A directory full of copies is no reason to wait. The one that was written last is told among them; that others weren't
    looked into is said, with how many they are."""
    alone = took(house)
    count, looked_into = 3000, 32
    for index in range(count):
        os.link(house.vault, house.directory / f"accounts ({index}).vmfa")
    copy = house.directory / COPIES["Syncthing"]
    copy.write_bytes(fork)
    copy.chmod(0o600)
    if age == "old":
        os.utime(copy, (0, 0))
    among = took(house)
    seen = at_a_terminal(house, "edit", "alpha", "--tag", "one")
    listed = findings(house)
    more = [one["text"] for one in json.loads(house.run("doctor", "--json").out) if "were not looked into" in one["text"]]
    told = copy.name in seen and "backup merge" in seen
    said = len(more) == 1 and more[0].startswith(f"{count + 1 - looked_into} more files")
    quick = among < 3 * alone + 0.2
    ends = "told" if told else "not told"
    figures(f"{count} copies and one {age} fork, {ends}: a change and a look take {among:.2f} s, {alone:.2f} s alone")
    right = said and quick and len(listed) == looked_into and told == (age == "new")
    evidence("sync", cases=1, faults=1, losses=int(not right))
    assert len(listed) == looked_into, f"{len(listed)} are listed"
    assert said, f"nobody is told that the others were not looked into: {more}"
    assert quick, f"{among:.2f} s, and {alone:.2f} s without the copies"
    if age == "new":
        assert told and any(copy.name in one["text"] for one in listed), f"the fork is not told: {seen}"
        house.must("backup", "merge", str(copy))
        assert house.names() == {"alpha", "gamma"}


def test_another_key_is_said(house, tmp_path, evidence):
    """The passphrase was changed elsewhere: that side takes in this one's changes, and comes here."""
    new = "another horse, another battery"
    other = house.copy(tmp_path / "elsewhere")
    (other.root / "new").write_text(new + "\n")
    other.must("passphrase", "change", "--kdf", "19456,1,1", "--new-passphrase-file", "new")
    other.passphrase.write_text(new + "\n")
    other.must("add", "gamma", "--secret", "-", stdin=THIRD_SECRET)
    copy = house.directory / COPIES["OneDrive"]
    copy.write_bytes(other.vault.read_bytes())
    copy.chmod(0o600)
    seen = at_a_terminal(house, "edit", "alpha", "--tag", "one")
    assert "doesn't open with its key" in seen, seen
    house.passphrase.write_text(new + "\n")
    done = subprocess.run([*house.program, "--vault", str(copy), "backup", "merge", str(house.vault)], env=house.env, capture_output=True)
    assert done.returncode == 0, done.stderr
    house.must("backup", "restore", str(copy))
    accounts = json.loads(house.must("list", "--json").out)
    whole = {one["account"]: one["tags"] for one in accounts} == {"alpha": ["one"], "gamma": []}
    evidence("sync", cases=1, faults=1, losses=int(not whole))
    assert whole, accounts
