"""Every system call of a save failing, or the program killed there: the old vault or the new one, never neither."""

import json
import shutil

import pytest
from harness import CHEAP, OTHER_SECRET, PASSPHRASE, SECRET, THIRD_SECRET, House, old_or_new, sweep

ADD = ("add", "beta", "--secret", "-")
# The short run takes `add` whole, and of the other changes what comes after their first change on disk.
SHORT = {"faults": ("EIO", "KILL"), "since": "change"}
# RFC 4226, appendix D: the codes of the same secret, by counter.
HOTP_CODES = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


def show(tally, figures):
    figures(str(tally))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])
    assert tally.ends["old"] and tally.ends["new"], f"{tally}: the faults came all too early or all too late"


@pytest.fixture
def points(long):
    """Which faults at which calls."""
    return {"since": "all"} if long else SHORT


@pytest.fixture
def two(house):
    """A house with `alpha` and `beta`, whose backups go back to `alpha` alone."""
    house.must(*ADD, stdin=OTHER_SECRET)
    return house


def test_add(house, tmp_path, long, figures):
    judge = old_or_new({"alpha"}, {"alpha", "beta"})
    show(sweep("add", house, ADD, judge, tmp_path, stdin=OTHER_SECRET, since="all" if long else "touch"), figures)


def test_init(vmfa, tmp_path, points, figures):
    empty = House(tmp_path / "empty", [vmfa]).build()
    command = ("init", "--kdf", CHEAP)

    def judge(house, done):
        if done.code != 0 and not house.vault.exists():
            house.must(*command)  # Nothing that was left behind stops the next try.
            return "old"
        assert house.names() == set(), f"the vault doesn't open: {house.run('list', '--json').says}"
        house.must(*ADD, stdin=OTHER_SECRET)
        return "new"

    show(sweep("init", empty, command, judge, tmp_path, **points), figures)


def test_edit(two, tmp_path, points, figures):
    def judge(house, done):
        tags = {account["account"]: account["tags"] for account in json.loads(house.must("list", "--json").out)}
        assert set(tags) == {"alpha", "beta"} and tags["beta"] in ([], ["changed"]), tags
        assert done.code != 0 or tags["beta"] == ["changed"], "exit 0, but the change isn't there"
        assert house.alpha_lives()
        return "new" if tags["beta"] else "old"

    show(sweep("edit", two, ("edit", "beta", "--tag", "changed"), judge, tmp_path, **points), figures)


def test_remove(two, tmp_path, points, figures):
    judge = old_or_new({"alpha", "beta"}, {"alpha"})
    show(sweep("remove", two, ("remove", "beta"), judge, tmp_path, **points), figures)


def test_passphrase_change(two, tmp_path, points, figures):
    """It wraps everything anew: the vault opens with the old passphrase or with the new one."""
    new = "another horse, another battery"
    (two.root / "new").write_text(new + "\n")

    def judge(house, done):
        opens = set()
        for which, phrase in [("old", PASSPHRASE), ("new", new)]:
            house.passphrase.write_text(phrase + "\n")
            if house.names() == {"alpha", "beta"} and house.alpha_lives():
                opens.add(which)
        assert len(opens) == 1, f"opens with {opens or 'neither'}: {house.run('list', '--json').says}"
        assert done.code != 0 or opens == {"new"}, "exit 0, but the old passphrase stands"
        house.passphrase.write_text((new if "new" in opens else PASSPHRASE) + "\n")
        house.must("add", "next", "--secret", "-", stdin=THIRD_SECRET)
        return opens.pop()

    command = ("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", "new")
    show(sweep("passphrase change", two, command, judge, tmp_path, **points), figures)


def test_backup_restore(two, tmp_path, points, figures):
    backups = json.loads(two.must("backup", "list", "--json").out)
    # The newest is the vault before its last change: `alpha` alone.
    newest = max(backup["generation"] for backup in backups)
    judge = old_or_new({"alpha", "beta"}, {"alpha"})
    show(sweep("backup restore", two, ("backup", "restore", str(newest)), judge, tmp_path, **points), figures)


def test_a_counter_never_gives_a_code_twice(house, tmp_path, points, figures):
    """A counter is advanced on disk before its code is given: a code may be skipped, none is given again."""
    house.must("add", "hot", "--secret", "-", "--type", "hotp", "--counter", "0", stdin=SECRET)

    def judge(here, done):
        given = [HOTP_CODES.index(code) for code in done.out.decode().split()]
        assert done.code != 0 or given == [0], f"gave {given}"
        (after,) = [HOTP_CODES.index(code) for code in here.must("code", "hot").out.decode().split()]
        assert after not in given, "the same code again"
        assert after <= 1, f"skipped to {after}"
        return "new" if after else "old"

    show(sweep("code of a counter", house, ("code", "hot"), judge, tmp_path, **points), figures)


def test_nothing_is_left_behind(house, tmp_path, figures):
    """What interrupted saves leave is taken away by the next one."""
    judge = old_or_new({"alpha"}, {"alpha", "beta"})
    spare = house.copy(tmp_path / "spare")
    spare.must(*ADD, stdin=OTHER_SECRET)
    spare.must("add", "next", "--secret", "-", stdin=THIRD_SECRET)
    usual = len(list(spare.directory.iterdir()))
    left = []

    def and_count(here, done):
        end = judge(here, done)  # It adds `next`.
        files = sorted(file.name for file in here.directory.iterdir())
        if len(files) > usual:
            left.append(files)
        return end

    tally = sweep("leftovers after a kill", house, ADD, and_count, tmp_path, stdin=OTHER_SECRET, faults=("KILL",), since="change")
    figures(f"{tally}, {len(left)} leave a file behind for good")
    assert not tally.lost and not left, left[:3]
    shutil.rmtree(spare.root)


def test_control_a_file_written_in_place_is_lost(control, tmp_path, figures):
    judge = old_or_new({"alpha"}, {"alpha", "beta"}, go_on=False)
    tally = sweep("control: add, in place", control("truncate"), ADD, judge, tmp_path, stdin=OTHER_SECRET)
    figures(str(tally))
    assert tally.lost, "the suite finds nothing lost where a file is truncated and written: it proves nothing"
    assert any("KILL" in lost for lost in tally.lost) and any("ENOSPC" in lost for lost in tally.lost)
