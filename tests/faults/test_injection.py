"""Every system call of a change failing, or the program killed there: the old state or the new one, never neither."""

import json
import shutil

import pytest
from harness import (
    CHEAP,
    ENDLESS,
    OTHER_SECRET,
    PASSPHRASE,
    SECRET,
    THIRD_SECRET,
    House,
    calls,
    every,
    old_or_new,
    sample,
    sweep,
    twice,
)

ADD = ("add", "beta", "--secret", "-")
# RFC 4226, appendix D: the codes of the same secret, by counter.
HOTP_CODES = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


@pytest.fixture
def show(figures, evidence):
    """Tells what a sweep came to."""

    def tell(tally):
        figures(str(tally))
        evidence("calls", cases=tally.cases, faults=tally.hit, losses=len(tally.lost))
        assert not tally.lost, "\n".join([str(tally), *tally.lost])
        assert tally.ends["old"] and tally.ends["new"], f"{tally}: the faults came all too early or all too late"

    return tell


@pytest.fixture
def show_control(figures, evidence):
    def tell(tally):
        figures(str(tally))
        evidence("calls", control=len(tally.lost))
        assert tally.lost, "the suite finds nothing lost: it proves nothing"

    return tell


@pytest.fixture
def points(long):
    """Which faults at which calls: in the short run a sample of what comes after the first change on disk, in the long one all
    since the vault is first looked at."""
    return {"choose": every, "since": "touch"} if long else {"choose": sample, "since": "change"}


@pytest.fixture
def two(house):
    """A house with `alpha` and `beta`, whose backups go back to `alpha` alone."""
    house.must(*ADD, stdin=OTHER_SECRET)
    return house


def test_add(house, tmp_path, long, points, show):
    judge = old_or_new({"alpha"}, {"alpha", "beta"})
    if long:
        points["since"] = "all"
    show(sweep("add", house, ADD, judge, tmp_path, stdin=OTHER_SECRET, **points))


def test_init(vmfa, tmp_path, points, show):
    empty = House(tmp_path / "empty", [vmfa]).build()
    command = ("init", "--kdf", CHEAP)

    def judge(house, done):
        if done.code != 0 and not house.vault.exists():
            house.must(*command)  # Nothing that was left behind stops the next try.
            return "old"
        assert house.names() == set(), f"the vault doesn't open: {house.run('list', '--json').says}"
        house.must(*ADD, stdin=OTHER_SECRET)
        return "new"

    show(sweep("init", empty, command, judge, tmp_path, **points))


def test_edit(two, tmp_path, points, show):
    def judge(house, done):
        tags = {account["account"]: account["tags"] for account in json.loads(house.must("list", "--json").out)}
        assert set(tags) == {"alpha", "beta"} and tags["beta"] in ([], ["changed"]), tags
        assert done.code != 0 or tags["beta"] == ["changed"], "exit 0, but the change isn't there"
        assert house.alpha_lives()
        return "new" if tags["beta"] else "old"

    show(sweep("edit", two, ("edit", "beta", "--tag", "changed"), judge, tmp_path, **points))


def test_remove(two, tmp_path, points, show):
    judge = old_or_new({"alpha", "beta"}, {"alpha"})
    show(sweep("remove", two, ("remove", "beta"), judge, tmp_path, **points))


def test_passphrase_change(two, tmp_path, points, show):
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
    show(sweep("passphrase change", two, command, judge, tmp_path, **points))


def restoring(two):
    """The command, and its judge."""
    backups = json.loads(two.must("backup", "list", "--json").out)
    # The newest is the vault before its last change: `alpha` alone.
    newest = max(backup["generation"] for backup in backups)
    return ("backup", "restore", str(newest)), old_or_new({"alpha", "beta"}, {"alpha"})


def test_backup_restore(two, tmp_path, points, show):
    show(sweep("backup restore", two, *restoring(two), tmp_path, **points))


def test_a_counter_never_gives_a_code_twice(house, tmp_path, points, show):
    """A counter is advanced on disk before its code is given: a code may be skipped, none is given again."""
    house.must("add", "hot", "--secret", "-", "--type", "hotp", "--counter", "0", stdin=SECRET)

    def judge(here, done):
        given = [HOTP_CODES.index(code) for code in done.out.decode().split()]
        assert done.code != 0 or given == [0], f"gave {given}"
        (after,) = [HOTP_CODES.index(code) for code in here.must("code", "hot").out.decode().split()]
        assert after not in given, "the same code again"
        assert after <= 1, f"skipped to {after}"
        return "new" if after else "old"

    show(sweep("code of a counter", house, ("code", "hot"), judge, tmp_path, **points))


def merging(two, tmp_path):
    """The command, and its judge: a copy that was changed elsewhere is taken in, whole or not at all, and stays as it is."""
    copy = two.directory / "accounts (conflicted copy 2026-01-01).vmfa"
    shutil.copy2(changed_elsewhere(two, tmp_path), copy)
    before = copy.read_bytes()
    names = old_or_new({"alpha", "beta"}, {"alpha", "beta", "gamma"})

    def judge(here, done):
        assert (here.directory / copy.name).read_bytes() == before, "the copy was touched"
        return names(here, done)

    return ("backup", "merge", f"home/vault/{copy.name}"), judge


def test_backup_merge(two, tmp_path, points, show):
    show(sweep("backup merge", two, *merging(two, tmp_path), tmp_path, **points))


def changed_elsewhere(house, tmp_path):
    """The same vault's file after another machine added `gamma`."""
    other = house.copy(tmp_path / "elsewhere")
    other.must("add", "gamma", "--secret", "-", stdin=THIRD_SECRET[::-1])
    return other.vault


def test_backup_purge(two, tmp_path, points, show):
    """Whatever becomes of the backups, the vault stays; and exit 0 means that none is left."""

    def judge(here, done):
        left = json.loads(here.must("backup", "list", "--json").out)
        assert here.names() == {"alpha", "beta"} and here.alpha_lives(), "the vault was touched"
        assert done.code != 0 or not left, "exit 0, but a backup is left"
        return "old" if left else "new"

    show(sweep("backup purge", two, ("backup", "purge", "--yes"), judge, tmp_path, **points))


IMPORTED = "otpauth://totp/one?secret=MFRGGZDFMZTWQ2LK\notpauth://totp/two?secret=NNWG23TPOBYXE43U\n"


def test_import(house, tmp_path, points, show):
    (house.root / "export.txt").write_text(IMPORTED)
    judge = old_or_new({"alpha"}, {"alpha", "one", "two"})
    show(sweep("import", house, ("import", "export.txt"), judge, tmp_path, **points))


def test_import_undo(house, tmp_path, points, show):
    (house.root / "export.txt").write_text(IMPORTED)
    house.must("import", "export.txt")
    judge = old_or_new({"alpha", "one", "two"}, {"alpha"})
    show(sweep("import --undo", house, ("import", "--undo"), judge, tmp_path, **points))


@pytest.mark.parametrize("what", ["file", "picture"])
def test_export(two, tmp_path, points, show, what):
    """Under its name stands the whole of it, or nothing."""
    command = {
        "file": ("export", "--to", "uris", "--plaintext", "--out", "home/out", "--passphrase-file", "passphrase"),
        "picture": ("qr", "alpha", "--png", "home/out", "--passphrase-file", "passphrase"),
    }[what]
    spare = two.copy(tmp_path / "spare")
    spare.must(*command)
    whole = (spare.home / "out").read_bytes()

    def judge(here, done):
        out = here.home / "out"
        there = out.read_bytes() if out.exists() else None
        assert there in (None, whole), f"{len(there)} of {len(whole)} bytes stand under its name"
        assert done.code != 0 or there == whole, "exit 0, but it isn't there"
        assert here.names() == {"alpha", "beta"} and here.alpha_lives(), "the vault was touched"
        return "old" if there is None else "new"

    show(sweep(f"export, {what}", two, command, judge, tmp_path, **{**points, "since": "touch"}))


def test_slot_add(two, tmp_path, points, show):
    """A key file is made, and opens the vault if its slot was added; the passphrase always does."""

    def judge(here, done):
        assert here.names() == {"alpha", "beta"} and here.alpha_lives(), f"the vault doesn't open: {here.run('list', '--json').says}"
        slots = json.loads(here.must("slot", "list", "--json").out)
        added = any(slot["kind"] == "key-file" for slot in slots)
        assert done.code != 0 or added, "exit 0, but there is no slot"
        if added:
            nothing = {"VMFA_PASSPHRASE_FILE": "", "VMFA_KEY_FILE": str(here.home / "key")}
            assert here.names(env=nothing) == {"alpha", "beta"}, "the key file doesn't open it"
        return "new" if added else "old"

    show(sweep("slot add", two, ("slot", "add", "key-file", "home/key"), judge, tmp_path, **points))


def test_slot_remove(two, tmp_path, points, show):
    """It gives the vault a new key: everything is sealed anew."""
    [gone] = [slot["id"] for slot in json.loads(two.must("slot", "list", "--json").out) if slot["kind"] == "recovery"]

    def judge(here, done):
        assert here.names() == {"alpha", "beta"} and here.alpha_lives(), f"the vault doesn't open: {here.run('list', '--json').says}"
        left = [slot["id"] for slot in json.loads(here.must("slot", "list", "--json").out)]
        assert done.code != 0 or gone not in left, "exit 0, but the slot is there"
        here.must("check")
        return "old" if gone in left else "new"

    show(sweep("slot remove", two, ("slot", "remove", gone, "--yes"), judge, tmp_path, **points))


def claiming(house, command="code"):
    """The command, and its judge: what was handed out once as fresh is handed out by nobody again, whatever became of the first
    who asked; and what was noted before still is."""
    ask = {"code": ("code", "alpha", "--fresh", "--within", "10", "--json"), "pair": ("pair", "alpha", "--json")}[command]
    # A ledger that holds another account's steps: they must not be lost with this one's.
    house.must("add", "other", "--secret", "-", stdin=THIRD_SECRET)
    before = json.loads(house.must("code", "other", "--fresh", "--within", "10", "--json").out)
    ids = {account["account"]: account["id"] for account in json.loads(house.must("list", "--json").out)}

    def steps(done):
        told = json.loads(done.out) if done.out.strip() else {"steps": []}
        return set(told["steps"] if "steps" in told else [told["step"]])

    def noted(here):
        """The steps in the ledger's file, a line an account: its id, and what was handed out."""
        ledger = here.directory / "accounts.vmfa.ledger"
        lines = [line.split() for line in ledger.read_text().splitlines()[1:]] if ledger.exists() else []
        return {line[0]: {int(word) for word in line[1:] if not word.startswith("@")} for line in lines}

    def judge(here, done):
        given, held = steps(done), noted(here)
        assert done.code != 0 or given, "exit 0 without an answer"
        # A pair is needed once, to enable a device: it is given all the same, and the person told.
        unnoted = command == "pair" and b"not recorded as used" in done.err
        assert given <= held.get(ids["alpha"], set()) or unnoted, f"handed out {given}, and not noted: {held}"
        assert before["step"] in held.get(ids["other"], set()), f"the other account's step was forgotten: {held}"
        again = here.must("code", "alpha", "--fresh", "--within", "10", "--json")
        assert unnoted or not steps(again) & (given | held.get(ids["alpha"], set())), f"{steps(again)} was handed out before"
        assert before["step"] in noted(here).get(ids["other"], set()), "the next claim forgot the other account's step"
        assert here.names() == set(ids)
        return "new" if ids["alpha"] in held else "old"

    return ask, judge


@pytest.mark.parametrize("command", ["code", "pair"])
def test_the_ledger(house, tmp_path, points, show, command):
    show(sweep(f"ledger, {command}", house, *claiming(house, command), tmp_path, **points))


AWS_FILES = {
    "credentials": "# mine\n[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
                   "region=eu-west-1\n\n[other]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\naws_secret_access_key = je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n",
    "config": "[default]\noutput = json\n\n[profile base]\n# and here once more\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
              "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
}


def test_the_files_of_aws(house, tmp_path, points, show):
    """Its two files are rewritten each as a whole; a key is taken out of them only when the vault has it. What `aws enroll
    --write-config` writes is replaced by the same function (`AwsFile::replace`), so that these faults stand for it too."""
    aws = house.home / ".aws"
    aws.mkdir()
    for name, text in AWS_FILES.items():
        (aws / name).write_text(text)
        (aws / name).chmod(0o600)
    command = ("aws", "key", "add", "base", "--from-credentials", "--remove-plaintext")
    spare = house.copy(tmp_path / "spare")
    spare.must(*command)
    after = {name: (spare.home / ".aws" / name).read_text() for name in AWS_FILES}
    assert all("wJalr" not in text and text.count("\n") >= 2 for text in after.values()), after

    def judge(here, done):
        now = {name: (here.home / ".aws" / name).read_text() for name in AWS_FILES}
        for name, text in now.items():
            assert text in (AWS_FILES[name], after[name]), f"{name} is neither what it was nor what it should be: {len(text)} bytes"
        kept = b"AKIAIOSFODNN7EXAMPLE" in here.must("aws", "key", "list", "--json").out
        assert kept or now == AWS_FILES, "taken out of the file, and not in the vault"
        assert done.code != 0 or now == after and kept, "exit 0, but it isn't done"
        for name in AWS_FILES:
            if now[name] == after[name]:
                kept_as = [file.read_text() for file in (here.home / ".aws").glob(f"{name}.vmfa-backup-*")]
                assert AWS_FILES[name] in kept_as, f"{name} as it was is not kept"
        assert here.names() == {"alpha"} and here.alpha_lives()
        if now != after:
            # Nothing that was left behind stops the next try.
            here.must(*command)
        return "new" if now == after else "old"

    show(sweep("AWS's files", house, command, judge, tmp_path, **points))


def failing(points, ways):
    return [(case, way) for case in points if case.changes for way in ways]


@pytest.mark.parametrize("change", ["add", "passphrase change", "backup merge", "backup restore", "ledger"])
def test_killed_while_it_cleans_up(two, tmp_path, long, show, change):
    """A call fails, and then, at a later one, the program is killed."""
    # In short, the first two have the most points, and the others a few.
    stdin, most = "", 12 if change in ("add", "passphrase change") else 6
    if change == "backup merge":
        arguments, judge = merging(two, tmp_path)
    elif change == "backup restore":
        arguments, judge = restoring(two)
    elif change == "ledger":
        arguments, judge = claiming(two)
    elif change == "add":
        arguments, stdin = ("add", "next", "--secret", "-"), THIRD_SECRET
        judge = old_or_new({"alpha", "beta"}, {"alpha", "beta", "next"}, go_on=False)
    else:
        (two.root / "new").write_text(PASSPHRASE + "\n")
        arguments = ("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", "new")

        def judge(here, done):
            assert here.names() == {"alpha", "beta"} and here.alpha_lives(), f"the vault doesn't open: {here.run('list', '--json').says}"
            return "new" if len(json.loads(here.must("backup", "list", "--json").out)) > backups else "old"

        backups = len(json.loads(two.must("backup", "list", "--json").out))
    points = calls(two.copy(tmp_path / "plain"), arguments, stdin, since="change")
    first = failing(points, ("EIO", "ENOSPC") if long else ("EIO",))
    if not long:
        first = first[:: max(1, len(first) // 6)]
    show(twice(f"{change}: failing, then killed", two, arguments, judge, tmp_path, first, 10_000 if long else most, stdin))


def test_nothing_is_left_behind(house, tmp_path, long, figures, evidence):
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

    def killed(points, seed):
        """At each change; in the long run at each call."""
        return [(case, "KILL") for case in points if case.changes or long]

    tally = sweep("leftovers after a kill", house, ADD, and_count, tmp_path, stdin=OTHER_SECRET, choose=killed, since="change")
    figures(f"{tally}, {len(left)} leave a file behind for good")
    evidence("calls", cases=tally.cases, faults=tally.hit, losses=len(tally.lost) + len(left))
    assert not tally.lost and not left, left[:3]
    shutil.rmtree(spare.root)


def control_faults(points, seed):
    """Every call killed, and every one on a full disk."""
    return [(case, fault) for case in points for fault in ("KILL", "ENOSPC") if fault == "KILL" or case.call not in ENDLESS]


def test_a_purge_takes_what_a_killed_change_left(two, tmp_path, show):
    """What was just taken out of the vault's place opens with the old passphrase, under whatever name it is left."""
    new = "another horse, another battery"
    (two.root / "new").write_text(new + "\n")

    def around_the_swap(points, seed):
        swap = max(at for at, case in enumerate(points) if case.call == "renameat2")
        return [(case, "KILL") for case in points[swap - 1 : swap + 4]]

    def judge(here, done):
        end = "old"
        if here.names() is None:
            end = "new"
            here.passphrase.write_text(new + "\n")
        here.must("backup", "purge", "--yes")
        left = [file.name for file in here.directory.iterdir() if file.name.startswith("accounts.vmfa.") and not file.name.endswith((".lock", ".ledger"))]
        assert not left, f"left: {left}"
        assert here.names() == {"alpha", "beta"} and here.alpha_lives()
        return end

    command = ("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", "new")
    show(sweep("purge after a kill", two, command, judge, tmp_path, choose=around_the_swap))


def test_control_a_file_written_in_place_is_lost(control, tmp_path, show_control):
    judge = old_or_new({"alpha"}, {"alpha", "beta"}, go_on=False)
    tally = sweep("control: add, in place", control("truncate"), ADD, judge, tmp_path, stdin=OTHER_SECRET, choose=control_faults)
    show_control(tally)
    assert any("KILL" in lost for lost in tally.lost) and any("ENOSPC" in lost for lost in tally.lost)
