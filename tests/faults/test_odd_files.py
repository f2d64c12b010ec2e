"""Pipes, directories, devices, links, endless and huge files where a file is read: refused at once, never a hang, and never more
memory than a little above what the program needs anyway."""

import os
import random
import shutil
import socket
import stat
import time

import pytest
from harness import OTHER_SECRET, House, measured, naive

# A pipe that nobody writes to, and a device without an end, hang whoever simply opens and reads.
SOON = 10
# What a run may have above one that is refused before it reads, in MiB: a few buffers, of which none grows with the file, and
# what two runs differ by anyway.
ROOM = 8


def fifo(path):
    os.mkfifo(path, 0o600)


def bound_socket(path):
    where = os.open(path.parent, os.O_RDONLY)
    # The name of a socket is at most 108 bytes long; a test's directory can be longer.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{where}/{path.name}")
    os.close(where)


def sparse(size, start=b""):
    def make(path):
        path.write_bytes(start)
        path.chmod(0o600)
        os.truncate(path, size)

    return make


NUMBERS = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "tty": (5, 0)}


def device(name):
    """A link to a device. Root may replace the machine's own, so that a defect would reach far beyond the test: it gets another."""

    def link(path):
        if os.geteuid() != 0:
            path.symlink_to(f"/dev/{name}")
            return
        # Outside of the directory that is looked through, and under a name that no other case has there.
        node = path.parent.parent / f"{path.parent.name}-{path.name}.{name}"
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(*NUMBERS[name]))
        path.symlink_to(node)

    return link


ODD = {
    "fifo": fifo,
    "socket": bound_socket,
    "directory": lambda path: path.mkdir(),
    "/dev/zero": device("zero"),
    "/dev/full": device("full"),
    "/dev/null": device("null"),
    "/dev/tty": device("tty"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "an endless file": sparse(1 << 42),
}
HUGE = {
    "4 GiB": sparse(1 << 32),
    "1 TiB": sparse(1 << 40),
    # As large as a vault may be, and no vault.
    "256 MiB": sparse(1 << 28),
    "noise": lambda path: path.write_bytes(random.Random(7).randbytes(100_000)),
}
COMMANDS = {
    "list": ("list", "--json"),
    "add": ("add", "beta", "--secret", "-"),
    "check": ("check",),
    "init": ("init", "--kdf", "19456,1,1"),
    "doctor": ("doctor",),
}


@pytest.fixture(scope="module")
def furnished(vmfa, tmp_path_factory):
    """Made once: a vault, and beside it whatever vmfa keeps there."""
    house = House(tmp_path_factory.mktemp("furnished") / "house", [vmfa]).furnish()
    uris = house.root / "uris"
    uris.write_text("otpauth://totp/gamma?secret=MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U\n")
    house.must("import", uris)
    house.must("mfa-process", "alpha")
    return house


@pytest.fixture
def house(furnished, tmp_path):
    return furnished.copy(tmp_path / "house")


def in_time(done, started):
    assert not done.hung and time.monotonic() - started < SOON, f"not ended within {SOON} s: {done.says}"
    assert done.code >= 0 and done.code != 101 and b"panicked" not in done.err, done.says


def refused(done, started):
    in_time(done, started)
    assert done.code > 0, done.says
    assert done.err.strip(), "refused without a word"


def judge(evidence, judgement):
    """Tells the case before what it came to is asserted."""
    try:
        judgement()
    except AssertionError:
        evidence("files", cases=1, faults=1, losses=1)
        raise
    evidence("files", cases=1, faults=1, losses=0)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("command", COMMANDS)
def test_as_vault(house, odd, command, evidence):
    house.vault.rename(house.vault.with_name("away"))
    ODD[odd](house.vault)
    before = os.lstat(house.vault)
    started = time.monotonic()
    done = house.run(*COMMANDS[command], stdin=OTHER_SECRET, patience=SOON)

    def judgement():
        if command == "init" and odd == "a link to nowhere":
            assert not done.hung and done.code >= 0, done.says  # It may be made where the link points.
            return
        if command == "doctor":
            in_time(done, started)
        else:
            refused(done, started)
        after = os.lstat(house.vault)
        assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode), "it was replaced"

    judge(evidence, judgement)


def the_only(house, pattern):
    found = sorted(house.home.rglob(pattern))
    assert found, f"the house has no {pattern}"
    return found[0]


# What is read: where it lies (none: anywhere, it is named), the arguments that have it read, and the environment.
READERS = {
    "vault": (lambda house: house.vault, ("list", "--json"), {}),
    "vault, looked at": (lambda house: house.vault, ("doctor",), {}),
    "backup": (lambda house: house.vault.with_name("accounts.vmfa.bak-1"), ("backup", "list"), {}),
    "ledger": (lambda house: house.vault.with_name("accounts.vmfa.ledger"), ("mfa-process", "alpha"), {}),
    "ledger, looked at": (lambda house: house.vault.with_name("accounts.vmfa.ledger"), ("doctor",), {}),
    "lock": (lambda house: house.vault.with_name("accounts.vmfa.lock"), ("add", "beta", "--secret", "-"), {}),
    "pin": (lambda house: the_only(house, "*.pin"), ("list", "--json"), {}),
    "note of an import": (lambda house: the_only(house, "*.session"), ("import", "--undo"), {}),
    "picture": (None, ("scan",), {}),
    "export of an app": (None, ("import",), {}),
    "credentials.csv": (None, ("aws", "import-csv"), {}),
    "accessKeys.csv": (None, ("aws", "key", "add", "a", "--csv"), {}),
    "config": (None, ("aws", "key", "add", "a", "--from-credentials"), "AWS_CONFIG_FILE"),
    "credentials": (None, ("aws", "key", "add", "a", "--from-credentials"), "AWS_SHARED_CREDENTIALS_FILE"),
    "policy": (None, ("aws", "policy", "check"), {}),
    "key file": (None, ("list", "--key-file"), {}),
    "passphrase": (None, ("list",), "VMFA_PASSPHRASE_FILE"),
}


def read_there(house, reader, make):
    """A run of the reader over what `make` makes, and its peak; and whether it left it there."""
    place, arguments, environment = READERS[reader]
    path = place(house) if place else house.root / "odd.png"
    if path.exists():
        path.rename(house.root / "away")
    make(path)
    before = os.lstat(path)
    env = {environment: str(path)} if environment else {}
    if place is None and not environment:
        arguments = (*arguments, path)
    started = time.monotonic()
    done, peak = measured(house, *arguments, stdin=OTHER_SECRET, env=env, patience=SOON)
    in_time(done, started)
    after = os.lstat(path)
    kept = (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    # A pin is written anew, and so is a ledger that can't be one; nothing of a person's is ever.
    assert kept or reader in ("pin", "ledger"), "it was replaced"
    if (house.root / "away").exists():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (house.root / "away").rename(path)
    return done, peak


def cases(long, kinds, seed):
    """Every reader with every kind, or with a few drawn for each."""
    pick = random.Random(seed)
    return [(reader, kind) for reader in READERS for kind in (kinds if long else pick.sample(list(kinds), 4))]


def test_whatever_is_read_may_be_something_odd(furnished, tmp_path, evidence, figures, long):
    """A pipe may be right for a passphrase (`<(…)` in a shell), so it isn't tried; nor is a terminal."""
    tried, lost = 0, []
    for number, (reader, odd) in enumerate(cases(long, [odd for odd in ODD if odd != "/dev/tty"], 4)):
        if (reader, odd) == ("passphrase", "fifo"):
            continue
        here = furnished.copy(tmp_path / f"house-{number}")
        tried += 1
        try:
            read_there(here, reader, ODD[odd])
            assert here.alpha_lives(), "the account is lost"
        except AssertionError as error:
            lost.append(f"{reader}, {odd}: {error}")
        shutil.rmtree(here.root)
    figures(f"odd files: {tried} cases, {len(lost)} losses")
    evidence("files", cases=tried, faults=tried, losses=len(lost))
    assert not lost, "\n".join(lost)


def test_a_huge_file_takes_no_memory(furnished, tmp_path, evidence, figures):
    """The peak is the process's own, as the system counts it."""
    tried, lost, peaks = 0, [], {}
    for number, (reader, huge) in enumerate((reader, huge) for reader in READERS for huge in HUGE):
        here = furnished.copy(tmp_path / f"house-{number}")
        if number % len(HUGE) == 0:
            # The same command over an empty file: what it needs before it reads, and for its key.
            _, least = read_there(here, reader, lambda path: path.touch(0o600))
        tried += 1
        try:
            _, peak = read_there(here, reader, HUGE[huge])
            peaks[f"{reader}, {huge}"] = peak - least
            assert 0 < peak < least + ROOM, f"{peak} MiB, and {least} MiB for an empty file"
            assert here.alpha_lives(), "the account is lost"
        except AssertionError as error:
            lost.append(f"{reader}, {huge}: {error}")
        shutil.rmtree(here.root)
    worst = max(peaks, key=peaks.get)
    figures(f"huge files: {tried} cases, {len(lost)} losses; at most {peaks[worst]} MiB above an empty file ({worst})")
    evidence("files", cases=tried, faults=tried, losses=len(lost))
    assert not lost, "\n".join(lost)


def test_control_who_reads_to_the_end_grows_and_hangs(tmp_path, evidence):
    house = House(tmp_path / "house", naive("truncate")).furnish()
    _, least = measured(house, "list")
    # Twice what is allowed.
    sparse(ROOM << 21)(house.vault)
    _, peak = measured(house, "list")
    house.vault.unlink()
    fifo(house.vault)
    hung = house.run("list", patience=2).hung
    evidence("files", control=(peak > least + ROOM) + hung)
    assert peak > least + ROOM, f"{peak} MiB, {least} MiB before: the measure proves nothing"
    assert hung, "a pipe without an end was read to its end"


def test_a_link_from_the_pin_leads_to_no_device(house, judged):
    """What stands at the other end is no file of ours: it is neither written to nor replaced, and changes are saved all the same."""
    [pin] = house.home.rglob("*.pin")
    pipe = house.root / "pipe"
    fifo(pipe)
    pin.unlink()
    pin.symlink_to(pipe)
    before = house.names()
    done = house.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET, patience=SOON)
    with judged("files"):
        assert stat.S_ISFIFO(os.lstat(pipe).st_mode), "it was replaced"
        assert not done.hung and done.code == 0 and house.names() == before | {"beta"}, done.says
