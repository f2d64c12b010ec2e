"""No space left: on a small tmpfs (as root), and under a limit on the size of files. The old vault stays."""

import os
import shutil
import subprocess
from contextlib import contextmanager

from harness import OTHER_SECRET, House, Tally, naive, no_signal_limit

# vmfa's file grows in steps; the control's must cross a page to meet the end of the disk.
NEW = {"vmfa": "beta", "control": "b" * 6000}


@contextmanager
def small_disk(where, kib):
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", where], check=True)
        where.rmdir()


def add(house, **more):
    return house.run("add", new(house), "--secret", "-", stdin=OTHER_SECRET, **more)


def new(house):
    return NEW["control" if house.naive else "vmfa"]


def judge(tally, size, house, done):
    names = house.names()
    if names == {"alpha", new(house)} or (names == {"alpha"} and done.code != 0):
        if house.alpha_lives() and not done.hung and done.code >= 0:
            tally.ends["old" if names == {"alpha"} else "new"] += 1
            return
    tally.ends["LOST"] += 1
    tally.lost.append(f"{size} KiB: holds {names and sorted(name[:9] for name in names)} ({done.says})")


def on_tmpfs(name, program, scratch):
    """The house stands on a disk that has from nothing to enough left over when it is moved in."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    # What a tmpfs takes for it: whole pages, directories none; then page by page until the change fits several times over.
    taken = sum(-(-file.stat().st_size // 4096) * 4 for file in spare.root.rglob("*") if file.is_file())
    for size in range(taken, taken + 160, 4):
        with small_disk(scratch / "small", size) as disk:
            shutil.copytree(spare.root, disk / "house")
            house = House(disk / "house", program)
            done = add(house)
            tally.cases += 1
            tally.hit += done.code != 0
            judge(tally, size, house, done)
    return tally


def under_a_limit(name, program, scratch):
    """Files can't grow past so many KiB; the signal that would kill is ignored, so that the write fails."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    for size in range(0, 96, 2):
        house = spare.copy(scratch / f"limit-{size}")
        done = add(house, preexec_fn=no_signal_limit(size))
        tally.cases += 1
        tally.hit += done.code != 0
        judge(tally, size, house, done)
        shutil.rmtree(house.root)
    return tally


def test_a_full_disk_leaves_the_old_vault(vmfa, tmp_path, figures):
    tallies = [under_a_limit("limit on files", [vmfa], tmp_path / "limited")]
    if os.geteuid() == 0:
        tallies.append(on_tmpfs("full tmpfs", [vmfa], tmp_path))
    for tally in tallies:
        figures(str(tally))
        assert tally.hit, "no size was too small: nothing was tested"
        assert tally.ends["new"], "no size was large enough: nothing was tested"
        assert not tally.lost, "\n".join([str(tally), *tally.lost])


def test_control_a_file_written_in_place_is_lost(tmp_path, figures):
    tallies = [under_a_limit("control: limit on files, in place", naive("truncate"), tmp_path / "limited")]
    if os.geteuid() == 0:
        tallies.append(on_tmpfs("control: full tmpfs, in place", naive("truncate"), tmp_path))
    for tally in tallies:
        figures(str(tally))
        assert tally.lost, "the suite finds nothing lost where a file is truncated and written: it proves nothing"
