"""The power goes: ext4 and XFS on loop devices, shut down at once. Only this shows a missing fsync.

Either the log was not written (what was done last is gone) or it just was (a rename stands, and what nobody synced of the
renamed file does not).

Needs root and loop devices, so it belongs to the long run. The short one has system calls that fail instead.
"""

import base64
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest
from harness import OTHER_SECRET, House, Tally, calls, faulty, naive

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


def cuts(name, disk, program, log, scratch):
    """The power is cut after the program was killed at each point, and after it ended by itself."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    points = calls(spare.copy(scratch / "tracing"), ("add", "beta", "--secret", "-"), OTHER_SECRET, since="change")

    def furnish():
        shutil.rmtree(disk.mount / "house", ignore_errors=True)
        shutil.copytree(spare.root, disk.mount / "house")
        os.sync()
        return House(disk.mount / "house", program), {"alpha"}

    house, names = furnish()
    for index, case in enumerate([*points, None]):
        arguments, secret = ("add", f"n{index}", "--secret", "-"), another(index)
        if case:
            done, hit = faulty(house, arguments, case, "KILL", secret)
        else:
            done, hit = house.run(*arguments, stdin=secret), True
        disk.power_cut(log)
        tally.cases += 1
        tally.hit += hit
        after, found = names | {f"n{index}"}, house.names()
        if found is None or found not in (names, after) or not house.alpha_lives():
            tally.ends["LOST"] += 1
            tally.lost.append(f"{case}: holds {found} ({done.says})")
            house, names = furnish()
        elif done.code == 0 and found != after:
            tally.ends["LOST"] += 1
            tally.lost.append(f"{case}: exit 0, but the change did not survive")
        else:
            tally.ends["new" if found == after else "old"] += 1
            names = found
    assert tally.hit >= 0.9 * tally.cases, f"only {tally}: the injection doesn't reach the program"
    return tally


def has_root():
    assert os.geteuid() == 0, "the power cuts need root: run tests/run --long as root"


@pytest.mark.long
@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("kind", SYSTEMS)
def test_power_cut(vmfa, kind, log, tmp_path, figures):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        tally = cuts(f"power cut, {kind}, {log}", disk, [vmfa], log, tmp_path)
    figures(str(tally))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])


@pytest.mark.long
@pytest.mark.parametrize("kind", SYSTEMS)
def test_control_a_change_that_nobody_synced_is_gone(kind, tmp_path, figures):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        tally = cuts(f"control: power cut, {kind}, log lost, rename without fsync", disk, naive("rename"), "log lost", tmp_path)
    figures(str(tally))
    assert any("did not survive" in lost for lost in tally.lost), "the power cut cuts nothing"


@pytest.mark.long
@pytest.mark.parametrize("kind", SYSTEMS)
def test_control_a_renamed_file_that_nobody_synced_is_empty(kind, tmp_path, figures):
    has_root()
    with Disk(kind, tmp_path).mounted() as disk:
        tally = cuts(f"control: power cut, {kind}, log written, rename without fsync", disk, naive("rename"), "log written", tmp_path)
    figures(str(tally))
    assert any("holds None" in lost for lost in tally.lost), "a file without its data is not seen"
