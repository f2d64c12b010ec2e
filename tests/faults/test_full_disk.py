"""No space left: on a small tmpfs (as root), under a limit on the size of files, under an allowance as a quota gives it; writes
that come back short; file systems that can only be read. The old vault stays."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from harness import CHEAP, OTHER_SECRET, PASSPHRASE, THIRD_SECRET, House, Tally, naive, no_signal_limit

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


def holds(house):
    """The accounts' names; nothing where they, or a code, can't be had."""
    names = house.names()
    return names if names and house.alpha_lives() else None


def opens_with(house, *phrases):
    """Which passphrases open the vault, and give what is in it."""
    found = set()
    for phrase in phrases:
        house.passphrase.write_text(phrase + "\n")
        if holds(house) == {"alpha"}:
            found.add(phrase)
    return found


def judge(tally, where, done, found, old, new):
    """The old state, refused with a word, or the new one; and the program ended by itself, as one that foresaw it."""
    orderly = not done.hung and done.code >= 0 and done.code != 101 and b"panicked" not in done.err
    if orderly and (found == new or found == old and done.code > 0 and done.err.strip()):
        tally.ends["old" if found == old else "new"] += 1
        return
    tally.ends["LOST"] += 1
    tally.lost.append(f"{where}: holds {found and sorted(name[:9] for name in found)} ({done.says})")


def judge_add(tally, size, house, done):
    judge(tally, f"{size} KiB", done, holds(house), {"alpha"}, {"alpha", new(house)})


def on_tmpfs(name, program, scratch, step=4):
    """The house stands on a disk that has from nothing to enough left over when it is moved in."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    # What a tmpfs takes for it: whole pages, directories none; then page by page until the change fits several times over.
    taken = sum(-(-file.stat().st_size // 4096) * 4 for file in spare.root.rglob("*") if file.is_file())
    for size in range(taken, taken + 160, step):
        with small_disk(scratch / "small", size) as disk:
            shutil.copytree(spare.root, disk / "house")
            house = House(disk / "house", program)
            done = add(house)
            tally.cases += 1
            tally.hit += done.code != 0
            judge_add(tally, size, house, done)
    return tally


def under_a_limit(name, program, scratch, step=2):
    """Files can't grow past so many KiB; the signal that would kill is ignored, so that the write fails."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    for size in range(0, 96, step):
        house = spare.copy(scratch / f"limit-{size}")
        done = add(house, preexec_fn=no_signal_limit(size))
        tally.cases += 1
        tally.hit += done.code != 0
        judge_add(tally, size, house, done)
        shutil.rmtree(house.root)
    return tally


def told(tallies, figures, evidence):
    for tally in tallies:
        figures(str(tally))
    cases, faults = sum(tally.cases for tally in tallies), sum(tally.hit for tally in tallies)
    evidence("space", cases=cases, faults=faults, losses=sum(len(tally.lost) for tally in tallies))
    for tally in tallies:
        assert tally.hit, "no size was too small: nothing was tested"
        assert tally.ends["new"], "no size was large enough: nothing was tested"
        assert not tally.lost, "\n".join([str(tally), *tally.lost])


def test_a_full_disk_leaves_the_old_vault(vmfa, tmp_path, long, figures, evidence):
    tallies = [under_a_limit("limit on files", [vmfa], tmp_path / "limited", 2 if long else 6)]
    if os.geteuid() == 0:
        tallies.append(on_tmpfs("full tmpfs", [vmfa], tmp_path, 4 if long else 12))
    told(tallies, figures, evidence)


def test_control_a_file_written_in_place_is_lost(tmp_path, long, figures, evidence):
    tallies = [under_a_limit("control: limit on files, in place", naive("truncate"), tmp_path / "limited", 2 if long else 6)]
    if os.geteuid() == 0:
        tallies.append(on_tmpfs("control: full tmpfs, in place", naive("truncate"), tmp_path, 4 if long else 12))
    for tally in tallies:
        figures(str(tally))
    evidence("space", control=sum(len(tally.lost) for tally in tallies))
    for tally in tallies:
        assert tally.lost, "the suite finds nothing lost where a file is truncated and written: it proves nothing"


# --- writes that come back short ---

SHORT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a regular file each call writes half; with SHORT_THEN=n the n-th call and all after it find the disk full. With QUOTA=n
   all is written until there are n bytes, and no more. */
ssize_t write(int fd, const void *data, size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    static int calls;
    static size_t used;
    struct stat about;
    const char *then = getenv("SHORT_THEN"), *quota = getenv("QUOTA");
    if (!real)
        real = dlsym(RTLD_NEXT, "write");
    if (fstat(fd, &about) || !S_ISREG(about.st_mode))
        return real(fd, data, len);
    if (quota) {
        size_t left = (size_t)atol(quota) - used;
        if (left == 0) {
            errno = EDQUOT;
            return -1;
        }
        len = len < left ? len : left;
        used += len;
        return real(fd, data, len);
    }
    if (then && ++calls >= atoi(then)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, data, len > 1 ? len / 2 : len);
}
"""


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A library that makes each write to a file come back with half done."""
    where = tmp_path_factory.mktemp("short")
    (where / "short.c").write_text(SHORT)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", where / "short.so", where / "short.c", "-ldl"], check=True)
    return str(where / "short.so")


def is_loaded(house, library, *arguments):
    """Whether the program runs with the library: one that is linked statically doesn't."""
    return b"short.so" in house.run(*arguments, before=["strace", "-f", "-e", "trace=openat"], env={"LD_PRELOAD": library}).err


ANOTHER = "another horse, another battery"
# What is run, how the state is looked at, and what it is before and after.
CHANGES = {
    "add": (("add", "beta", "--secret", "-"), holds, {"alpha"}, {"alpha", "beta"}),
    "import": (("import", "export.txt"), holds, {"alpha"}, {"alpha", "one"}),
    "passphrase": (("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", "new"),
                   lambda house: opens_with(house, PASSPHRASE, ANOTHER), {PASSPHRASE}, {ANOTHER}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_short_writes(vmfa, tmp_path, short, figures, evidence, long, change):
    """What comes back half done is gone on with; and where the rest finds no space, the old vault stays."""
    spare = House(tmp_path / "spare", [vmfa]).furnish()
    (spare.root / "export.txt").write_text(f"otpauth://totp/one?secret={THIRD_SECRET}\n")
    assert is_loaded(spare, short, "list"), "the program doesn't load it: nothing would be tested"
    (spare.root / "new").write_text(ANOTHER + "\n")
    arguments, look, old, new = CHANGES[change]
    tally = Tally(f"short writes, {change}")
    for then in [None, *range(1, 40, 1 if long else 4)]:
        house = spare.copy(tmp_path / "case")
        env = {"LD_PRELOAD": short, **({"SHORT_THEN": str(then)} if then else {})}
        done = house.run(*arguments, stdin=OTHER_SECRET, env=env)
        tally.cases += 1
        tally.hit += 1
        # Where nothing but the halves stands in its way, the change is made.
        judge(tally, f"full from write {then}", done, look(house), old if then else new, new)
        shutil.rmtree(house.root)
    told([tally], figures, evidence)
    assert tally.ends["old"], "the disk was never full"


def test_control_a_write_that_nobody_looks_at(tmp_path, short, figures, evidence):
    house = House(tmp_path / "house", naive("once")).furnish()
    done = house.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET, env={"LD_PRELOAD": short})
    lost = house.names() != {"alpha", "beta"}
    figures(f"control: short write, nobody looks: exit {done.code}, {'lost' if lost else 'there'}")
    evidence("space", control=int(lost))
    assert done.code == 0 and lost, "a write that came back short is not seen"


# --- what can only be read ---


def refuses(house):
    """Every change is refused, with the vault as it was; what changes nothing works."""
    before = house.vault.read_bytes()
    lost = []
    for arguments in [("add", "beta", "--secret", "-"), ("edit", "alpha", "--tag", "x"), ("remove", "alpha"),
                      ("backup", "purge", "--yes"),
                      ("passphrase", "change", "--kdf", "19456,1,1", "--new-passphrase-file", str(house.passphrase))]:
        done = house.run(*arguments, stdin=OTHER_SECRET)
        if done.code <= 0 or done.hung or b"panicked" in done.err or house.vault.read_bytes() != before:
            lost.append(f"{arguments[0]}: {done.says}")
    if house.names() != {"alpha"} or not house.alpha_lives():
        lost.append(f"can't be read: {house.run('list').says}")
    return lost


def test_a_file_system_that_can_only_be_read(vmfa, tmp_path, figures, evidence):
    lost, kinds = [], 0
    if os.geteuid() == 0:
        with small_disk(tmp_path / "disk", 4096) as disk:
            house = House(disk / "house", [vmfa]).furnish()
            house.must("add", "gone", "--secret", "-", stdin=OTHER_SECRET)
            house.must("remove", "gone")
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            lost += refuses(house)
        kinds += 1
    else:
        house = House(tmp_path / "house", [vmfa]).furnish()
        house.must("add", "gone", "--secret", "-", stdin=OTHER_SECRET)
        house.must("remove", "gone")
        house.directory.chmod(0o500)
        lost += refuses(house)
        house.directory.chmod(0o700)
        kinds += 1
    figures(f"read-only: {5 * kinds} changes, {len(lost)} not refused")
    evidence("space", cases=6 * kinds, faults=5 * kinds, losses=len(lost))
    assert not lost, "\n".join(lost)


# --- quotas ---


def under_a_quota(name, program, scratch, library, step):
    """Writes to files take from an allowance: the one that meets its end is cut there, and the next is refused."""
    tally = Tally(name)
    spare = House(scratch / "spare", program).furnish()
    for size in range(0, 48, step):
        house = spare.copy(scratch / "case")
        done = add(house, env={"LD_PRELOAD": library, "QUOTA": str(size * 1024 + 512)})
        tally.cases += 1
        tally.hit += done.code != 0
        judge_add(tally, size, house, done)
        shutil.rmtree(house.root)
    return tally


def test_a_quota_leaves_the_old_vault(vmfa, tmp_path, short, figures, evidence, long):
    told([under_a_quota("quota", [vmfa], tmp_path, short, 1 if long else 4)], figures, evidence)


def test_control_a_quota(tmp_path, short, figures, evidence, long):
    tally = under_a_quota("control: quota, in place", naive("truncate"), tmp_path, short, 1 if long else 4)
    figures(str(tally))
    evidence("space", control=len(tally.lost))
    assert tally.lost, "the suite finds nothing lost where a file is truncated and written: it proves nothing"
