"""A file that isn't what was written: refused, said to be damaged, and left as it is. A sample of what the library's own
tests do for every bit and every length, and what those don't do: fields that lie, files of other programs."""

import random
import shutil
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from harness import OTHER_SECRET, House, Tally, naive

DAMAGED, INTERNAL, USAGE, LOCKED, WRONG = 6, 1, 2, 4, 5
VECTORS = Path(__file__).resolve().parents[2] / "vectors"

# Where a vault's fields are, and how wide: see the format in the library's `header`. The first slot is the passphrase's.
MAJOR, MINOR, HEADER_LEN = (8, "H"), (10, "H"), (12, "I")
GENERATION, SUITE, FLAGS, PAYLOAD_LEN, SLOTS = (32, "Q"), (40, "H"), (42, "H"), (76, "Q"), (84, "B")
SLOT = 85
KIND, SLOT_FLAGS, SLOT_LEN = (SLOT, "B"), (SLOT + 1, "B"), (SLOT + 2, "H")
MEMORY, PASSES, LANES = (SLOT + 44, "I"), (SLOT + 48, "I"), (SLOT + 52, "B")


def damages(data, long, seed=2):
    """Names and contents: flipped bits (the header's, where each has a meaning, more densely), lengths, foreign files."""
    pick = random.Random(seed)
    places = [bit for byte in range(0, 64, 1 if long else 2) for bit in [byte * 8 + pick.randrange(8)]]
    places += [pick.randrange(min(len(data), 1024) * 8) for _ in range(400 if long else 25)]
    places += [pick.randrange(len(data) * 8) for _ in range(400 if long else 25)]
    for bit in places:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed)
    lengths = (pick.randrange(len(data)) for _ in range(200 if long else 10))
    for length in [0, 1, 15, 16, 17, 64, *lengths, len(data) - 1]:
        yield f"cut to {length}", data[:length]
    yield "one byte more", data + b"\0"
    yield "twice", data + data
    yield "zeros", bytes(len(data))
    yield "text", b"otpauth://totp/a?secret=JBSWY3DPEHPK3PXP\n"
    yield "noise", pick.randbytes(len(data))


def lies(data):
    """Names and contents: one field says something else. Weaker than it was, of another version, or absurdly large."""

    def put(name, field, *values):
        at, width = field
        (was,) = struct.unpack_from("<" + width, data, at)
        for value in values:
            if value != was:
                changed = bytearray(data)
                struct.pack_into("<" + width, changed, at, value)
                yield f"{name} {value}", bytes(changed)

    most = {"B": 2**8 - 1, "H": 2**16 - 1, "I": 2**32 - 1, "Q": 2**64 - 1}
    (header_len,), (payload_len,) = struct.unpack_from("<I", data, 12), struct.unpack_from("<Q", data, 76)
    (slot_len,), (generation,) = struct.unpack_from("<H", data, SLOT + 2), struct.unpack_from("<Q", data, 32)
    yield from put("major version", MAJOR, 0, 2, most["H"])
    yield from put("minor version", MINOR, 1, most["H"])
    yield from put("header's length", HEADER_LEN, 0, 1, header_len - 1, header_len + 1, 65536, 65537, 2**31, most["I"])
    yield from put("generation", GENERATION, 0, generation - 1, generation + 1, most["Q"])
    yield from put("suite", SUITE, 0, 2, most["H"])
    yield from put("flags", FLAGS, 1, 0x8000, most["H"])
    lengths = (0, 1, 19, 20, payload_len - 1, payload_len + 1, 2**28, 2**32 - 1, 2**63, most["Q"] - 79, most["Q"])
    yield from put("payload's length", PAYLOAD_LEN, *lengths)
    yield from put("number of slots", SLOTS, 0, 1, 3, 16, 17, most["B"])
    yield from put("slot's type", KIND, 0, 2, 3, 4, most["B"])
    yield from put("slot's flags", SLOT_FLAGS, 1, 2, most["B"])
    yield from put("slot's length", SLOT_LEN, 0, 1, slot_len - 1, slot_len + 1, most["H"])
    # Less than vmfa takes, less than was written, more, and the most that the field holds.
    yield from put("Argon2's memory", MEMORY, 0, 8, 19455, 19457, 262_145, 2**20, 2**20 + 1, most["I"])
    yield from put("Argon2's passes", PASSES, 0, 2, 17, 64, 65, most["I"])
    yield from put("Argon2's lanes", LANES, 0, 2, 16, 17, most["B"])
    yield from put("extensions' length", (16 + header_len - 2, "H"), 1, 4, most["H"])
    # An extension that says: who doesn't know this must not open the vault.
    critical = struct.pack("<HHH", 4, 0x8001, 0)
    grown = bytearray(data[: 16 + header_len - 2] + critical + data[16 + header_len :])
    struct.pack_into("<I", grown, 12, header_len + 4)
    yield "a critical extension", bytes(grown)
    first, rest = data[SLOT : SLOT + 4 + slot_len], data[SLOT + 4 + slot_len : 16 + header_len - 2]
    yield "the slots the other way round", data[:SLOT] + rest + first + data[16 + header_len - 2 :]


def foreign(long, seed=2):
    """Names and contents: files of other programs."""
    heads = {
        "age": b"age-encryption.org/v1\n-> X25519 b\n",
        "gpg": b"\x85\x02\x0c\x03" + bytes(range(256)),
        "armoured": b"-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n",
        "LUKS": b"LUKS\xba\xbe\0\2" + bytes(4088),
        "SQLite": b"SQLite format 3\0" + bytes(4080),
        "gzip": b"\x1f\x8b\x08\0" + bytes(60),
        "PEM": b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn==\n",
    }
    yield from heads.items()
    yield "ELF", Path(sys.executable).resolve().read_bytes()[:65536]
    files = [file for where in ("import", "qr", "aws") for file in sorted((VECTORS / where).rglob("*")) if file.is_file()]
    for file in files if long else random.Random(seed).sample(files, 12):
        yield file.name, file.read_bytes()


def sweep(name, house, scratch, contents, add_every=1):
    """Every content in the vault's place: `list` is refused, so is `add` for each of so many, and neither writes over it."""
    tally = Tally(name)
    codes = set()

    def one(numbered):
        index, (what, content) = numbered
        here = house.copy(scratch / f"damaged-{index}")
        here.vault.write_bytes(content)
        runs = [here.run("list", "--json")]
        if index % add_every == 0:
            runs.append(here.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET))
        faults = [
            f"{what}: {done.says}"
            for done in runs
            if done.code <= 0 or done.hung or b"panicked" in done.err or done.code in (INTERNAL, 101)
        ]
        if here.vault.read_bytes() != content:
            faults.append(f"{what}: the file was written over")
        shutil.rmtree(here.root)
        return {done.code for done in runs}, faults

    with ThreadPoolExecutor(max_workers=cpu_count() or 2) as pool:
        for ended, faults in pool.map(one, enumerate(contents)):
            tally.cases += 1
            codes |= ended
            tally.ends["LOST" if faults else "refused"] += 1
            tally.lost += faults[:1]
    return tally, codes


def judged(tally, codes, figures, evidence):
    figures(f"{tally}; exit codes {sorted(codes)}")
    evidence("files", cases=tally.cases, faults=tally.cases, losses=len(tally.lost))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])
    # Locked: where the passphrase's slot is said to be another's, there is none that a passphrase opens.
    assert DAMAGED in codes and codes <= {DAMAGED, USAGE, LOCKED, WRONG}, codes


def test_damage_is_refused_and_left_as_it_is(house, tmp_path, figures, evidence, long):
    contents = damages(house.vault.read_bytes(), long)
    judged(*sweep("damage", house, tmp_path, contents, 1 if long else 3), figures, evidence)


def test_a_field_that_lies_is_refused_and_left_as_it_is(house, tmp_path, figures, evidence, long):
    contents = lies(house.vault.read_bytes())
    judged(*sweep("fields that lie", house, tmp_path, contents, 1 if long else 3), figures, evidence)


def test_other_programs_files_are_refused_and_left_as_they_are(house, tmp_path, figures, evidence, long):
    judged(*sweep("foreign files", house, tmp_path, foreign(long), 1 if long else 3), figures, evidence)


def test_parts_of_other_vaults_are_refused_and_left_as_they_are(house, tmp_path, figures, evidence):
    """Another's vault, this one's from before, and one made of the halves of two generations."""
    other = House(tmp_path / "other", house.program).build()
    other.passphrase.write_text("another's passphrase, which is a good one\n")
    other.must("init", "--kdf", "19456,1,1")
    before = house.vault.read_bytes()
    house.must("add", "beta", "--secret", "-", stdin=OTHER_SECRET)
    now, others = house.vault.read_bytes(), other.vault.read_bytes()

    def end(data):
        return 16 + struct.unpack_from("<I", data, 12)[0] + 32

    contents = [
        ("another's", others),
        ("from before", before),
        ("this header, the payload from before", now[: end(now)] + before[end(before) :]),
        ("the header from before, this payload", before[: end(before)] + now[end(now) :]),
        ("this header, another's payload", now[: end(now)] + others[end(others) :]),
        ("another's header, this payload", others[: end(others)] + now[end(now) :]),
        ("another's first slot", now[:SLOT] + others[SLOT : end(others)] + now[end(now) :]),
        ("another's id", now[:16] + others[16:32] + now[32:]),
    ]
    judged(*sweep("parts of other vaults", house, tmp_path, contents), figures, evidence)
    house.vault.write_bytes(now)
    assert house.names() == {"alpha", "beta"}


def test_wrong_is_not_damaged(house):
    house.passphrase.write_text("not the passphrase at all\n")
    assert house.run("list", "--json").code == WRONG


def test_control_what_nobody_checks_is_taken(tmp_path, figures, evidence):
    house = House(tmp_path / "house", naive("truncate")).furnish()
    contents = list(damages(house.vault.read_bytes(), False))[::4]
    tally, _ = sweep("control: damage, nothing checked", house, tmp_path, contents, 3)
    figures(str(tally))
    taken = [line for line in tally.lost if ": exit 0" in line]
    evidence("files", control=len(taken))
    assert taken, "damage to a file without a checksum is refused: the test proves nothing"
