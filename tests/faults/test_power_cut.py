"""The power goes: ext4 and XFS on loop devices, shut down at once. Only this shows a missing fsync.

Either the log was not written (what was done last is gone) or it just was (a rename stands, and what nobody synced of the
renamed file does not).

Needs root and loop devices, so it belongs to the long run. The short one has system calls that fail instead.
"""

import base64
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest
from harness import CHEAP, PASSPHRASE, House, Tally, calls, faulty, naive

# noauto_da_alloc: ext4 otherwise syncs a file renamed over another, and hides a forgotten fsync.
SYSTEMS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], "loop,noauto_da_alloc,commit=3600", "64M"),
    "xfs": (["mkfs.xfs", "-q", "-f"], "loop", "320M"),
}

LOGS = {"log lost": "shutdown", "log written": "shutdown -f"}


def tool(*argv):
    subprocess.run([str(part) for part in argv], check=True, capture_output=True)


class Disk:
    """A file system that can lose its power."""

    def __init__(self, kind, where):
        self.make, self.options, self.size = SYSTEMS[kind]
        self.image, self.mount = where / f"{kind}.img", where / kind

    @contextmanager
    def mounted(self):
        self.mount.mkdir()
        tool("truncate", "-s", self.size, self.image)
        tool(*self.make, self.image)
        self.on()
        try:
            yield self
        finally:
            self.off()

    def on(self):
        tool("mount", "-o", self.options, self.image, self.mount)

    def off(self):
        for _ in range(50):
            if subprocess.run(["umount", self.mount], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", "-l", self.mount], capture_output=True)

    def power_cut(self, log):
        """No page is written after this, and no log unless it is to be; then the power is back."""
        tool("xfs_io", "-x", "-c", LOGS[log], self.mount)
        self.off()
        self.on()


def another(index):
    """A secret of its own for each case: the same one twice is one account."""
    return base64.b32encode(index.to_bytes(20, "big")).decode()


class Add:
    """An account is added. Each work says how it is done, and what is there."""

    name = "add"

    def __init__(self, program, scratch):
        self.spare = House(scratch / "spare", program).furnish()

    def arguments(self, index, house):
        return ("add", f"n{index}", "--secret", "-"), another(index)

    def state(self, house):
        """What is there; none if it can't be had."""
        names = house.names()
        return names if names is not None and house.alpha_lives() else None

    def after(self, index, before, house):
        return before | {f"n{index}"}


class ChangePassphrase(Add):
    """The passphrase is changed, to and fro: the vault opens with one of them."""

    name = "passphrase change"
    phrases = (PASSPHRASE, "another horse, another battery")

    def __init__(self, program, scratch):
        super().__init__(program, scratch)
        for which, phrase in enumerate(self.phrases):
            (self.spare.root / f"phrase-{which}").write_text(phrase + "\n")

    def arguments(self, index, house):
        new = 1 - self.state(house)
        return ("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", f"phrase-{new}"), ""

    def state(self, house):
        for which, phrase in enumerate(self.phrases):
            house.passphrase.write_text(phrase + "\n")
            if house.names() == {"alpha"} and house.alpha_lives():
                return which
        return None

    def after(self, index, before, house):
        return 1 - before


class Merge(Add):
    """A copy of the vault, changed elsewhere, is taken in: each time another one."""

    name = "backup merge"

    def arguments(self, index, house):
        other = self.spare.copy(self.spare.root.parent / "elsewhere")
        other.must("add", f"n{index}", "--secret", "-", stdin=another(index))
        copy = house.root / "copy.vmfa"
        shutil.copy(other.vault, copy)
        shutil.rmtree(other.root)
        os.sync()
        return ("backup", "merge", str(copy)), ""


WORKS = {work.name: work for work in (Add, ChangePassphrase, Merge)}


def cuts(name, disk, program, log, scratch, work=Add):
    """The power is cut after the program was killed at each point, and after it ended by itself."""
    tally = Tally(name)
    work = work(program, scratch)
    tracing = work.spare.copy(scratch / "tracing")
    points = calls(tracing, *work.arguments(0, tracing), since="change")

    def furnish():
        shutil.rmtree(disk.mount / "house", ignore_errors=True)
        shutil.copytree(work.spare.root, disk.mount / "house")
        os.sync()
        house = House(disk.mount / "house", program)
        return house, work.state(house)

    house, before = furnish()
    for index, case in enumerate([*points, None], start=1):
        arguments, secret = work.arguments(index, house)
        if case:
            done, hit = faulty(house, arguments, case, "KILL", secret)
        else:
            done, hit = house.run(*arguments, stdin=secret), True
        after = work.after(index, before, house)
        disk.power_cut(log)
        tally.cases += 1
        tally.hit += hit
        found = work.state(house)
        if found is None or found not in (before, after):
            tally.ends["LOST"] += 1
            tally.lost.append(f"{case}: holds {found} ({done.says})")
            house, before = furnish()
        elif done.code == 0 and found != after:
            tally.ends["LOST"] += 1
            tally.lost.append(f"{case}: exit 0, but the change did not survive")
        else:
            tally.ends["new" if found == after else "old"] += 1
            before = found
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: the injection doesn't reach the program"
    return tally


def claims(name, disk, program, log, scratch):
    """As `cuts`, for the ledger: the power goes in the middle of a claim and after one, and no step is handed out twice."""
    tally, spare = Tally(name), House(scratch / "spare", program).furnish()
    ask = ("code", "alpha", "--fresh", "--within", "10", "--json")
    points = calls(spare.copy(scratch / "tracing"), ask, since="change")
    for case in [*points, None]:
        # Claims run ahead of the clock: each case begins with an empty ledger.
        shutil.rmtree(disk.mount / "house", ignore_errors=True)
        shutil.copytree(spare.root, disk.mount / "house")
        os.sync()
        house, given = House(disk.mount / "house", program), []
        for _ in range(2):
            given.append(json.loads(house.must(*ask).out)["step"])
        done, hit = faulty(house, ask, case, "KILL") if case else (house.run(*ask), True)
        if done.out.strip():
            given.append(json.loads(done.out)["step"])
        disk.power_cut(log)
        again = house.run(*ask)
        tally.cases += 1
        tally.hit += hit
        if again.code == 0 and json.loads(again.out)["step"] not in given and house.alpha_lives():
            tally.ends["new" if len(given) > 2 else "old"] += 1
        else:
            tally.ends["LOST"] += 1
            tally.lost.append(f"{case}: {given}, then {again.out!r} ({again.says})")
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: the injection doesn't reach the program"
    return tally


def has_root():
    assert os.geteuid() == 0, "the power cuts need root: run tests/run --long as root"


@pytest.fixture
def told(figures, evidence):
    def tell(tally):
        figures(str(tally))
        evidence("power", cases=tally.cases, faults=tally.cases, losses=len(tally.lost))
        assert not tally.lost, "\n".join([str(tally), *tally.lost])

    return tell


@pytest.mark.long
@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize("work", WORKS)
def test_power_cut(vmfa, kind, log, work, tmp_path, told):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        told(cuts(f"power cut, {work}, {kind}, {log}", disk, [vmfa], log, tmp_path, WORKS[work]))


@pytest.mark.long
@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("kind", SYSTEMS)
def test_power_cut_at_the_ledger(vmfa, kind, log, tmp_path, told):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        told(claims(f"power cut, ledger, {kind}, {log}", disk, [vmfa], log, tmp_path))


@pytest.mark.long
@pytest.mark.parametrize("kind", SYSTEMS)
def test_control_a_change_that_nobody_synced_is_gone(kind, tmp_path, figures, evidence):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        tally = cuts(f"control: power cut, {kind}, log lost, rename without fsync", disk, naive("rename"), "log lost", tmp_path)
    figures(str(tally))
    gone = [lost for lost in tally.lost if "did not survive" in lost]
    evidence("power", control=len(gone))
    assert gone, "the power cut cuts nothing"


@pytest.mark.long
@pytest.mark.parametrize("kind", SYSTEMS)
def test_control_a_renamed_file_that_nobody_synced_is_empty(kind, tmp_path, figures, evidence):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        tally = cuts(f"control: power cut, {kind}, log written, rename without fsync", disk, naive("rename"), "log written", tmp_path)
    figures(str(tally))
    empty = [lost for lost in tally.lost if "holds None" in lost]
    evidence("power", control=len(empty))
    assert empty, "a file without its data is not seen"
