"""A file that isn't what was written: refused, said to be damaged, and left as it is. A sample of what the library's own
tests do for every bit and every length, and what those don't do: fields that lie, files of other programs. Each says what it
must be called: damaged, but for a few that can't be told from a wrong passphrase or from a vault for somebody else. And no
field that lies has the program work or take memory for it."""

import random
import shutil
import struct
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from harness import OTHER_SECRET, House, Tally, naive, spending

DAMAGED, USAGE, LOCKED, WRONG = 6, 2, 4, 5
# What a run may take above a sound vault's: in MiB, and in seconds of a processor. One pass over 1 GiB, which a header may ask
# for and nobody should believe, takes many times either.
ROOM, WORK = 64, 0.25
# Nothing may take as long, on whatever machine.
SOON = 10
VECTORS = Path(__file__).resolve().parents[2] / "vectors"

# Where a vault's fields are, and how wide: see the format in the library's `header`. The first slot is the passphrase's.
MAJOR, MINOR, HEADER_LEN = (8, "H"), (10, "H"), (12, "I")
GENERATION, SUITE, FLAGS, PAYLOAD_LEN, SLOTS = (32, "Q"), (40, "H"), (42, "H"), (76, "Q"), (84, "B")
SLOT = 85
KIND, SLOT_FLAGS, SLOT_LEN = (SLOT, "B"), (SLOT + 1, "B"), (SLOT + 2, "H")
# Its id, and the salt and the wrapped key on either side of what Argon2 is told.
SLOT_ID, SLOT_KEY = SLOT + 4, SLOT + 53
VAULT_ID = 16
MEMORY, PASSES, LANES = (SLOT + 44, "I"), (SLOT + 48, "I"), (SLOT + 52, "B")


def costs(data):
    """Memory in KiB, passes and lanes, as the passphrase's slot asks for."""
    return [struct.unpack_from("<" + width, data, at)[0] for at, width in (MEMORY, PASSES, LANES)]


def said_of_costs(data):
    """What a slot must be told that asks for something else: the format has bounds, below them is what is usual, and whatever
    is within both gives a key that opens nothing."""
    memory, passes, lanes = costs(data)
    if not (19456 <= memory <= 1 << 20 and 1 <= passes <= 64 and 1 <= lanes <= 16):
        return DAMAGED
    return USAGE if memory > 1 << 18 or memory * passes > 1 << 22 else WRONG


def said_of(data, changed):
    """What must be said of a vault in which one byte is another: that it is damaged, with these exceptions."""
    if not data.startswith(b"\x89VMFA"):
        return DAMAGED  # The control's.
    [byte] = [at for at in range(len(data)) if data[at] != changed[at]]
    (slot_len,) = struct.unpack_from("<H", data, SLOT + 2)
    if byte == KIND[0]:
        # A key file's slot and a recovery code's are of other lengths; without a passphrase's none is asked for.
        return DAMAGED if changed[byte] in (2, 3) else LOCKED
    if byte == SLOT_FLAGS[0]:
        # A key file belongs to it.
        return LOCKED if changed[byte] == 1 else DAMAGED
    if MEMORY[0] <= byte <= LANES[0]:
        return said_of_costs(changed)
    # What goes into the key that a passphrase gives, and what that key opens.
    goes_in = VAULT_ID <= byte < GENERATION[0] or SLOT_ID <= byte < MEMORY[0] or SLOT_KEY <= byte < SLOT + 4 + slot_len
    return WRONG if goes_in else DAMAGED


def damages(data, long, seed=2):
    """Names, contents, and what must be said: flipped bits (the header's, where each has a meaning, more densely), lengths."""
    pick = random.Random(seed)
    places = [bit for byte in range(0, 64, 1 if long else 2) for bit in [byte * 8 + pick.randrange(8)]]
    places += [pick.randrange(min(len(data), 1024) * 8) for _ in range(400 if long else 25)]
    places += [pick.randrange(len(data) * 8) for _ in range(400 if long else 25)]
    for bit in places:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed), said_of(data, changed)
    lengths = (pick.randrange(len(data)) for _ in range(200 if long else 10))
    for length in [0, 1, 15, 16, 17, 64, *lengths, len(data) - 1]:
        yield f"cut to {length}", data[:length], DAMAGED
    yield "one byte more", data + b"\0", DAMAGED
    yield "twice", data + data, DAMAGED
    yield "zeros", bytes(len(data)), DAMAGED
    yield "text", b"otpauth://totp/a?secret=JBSWY3DPEHPK3PXP\n", DAMAGED
    yield "noise", pick.randbytes(len(data)), DAMAGED


def lies(data):
    """Names, contents, and what must be said: one field says something else. Weaker than it was, of another version, absurd."""
    # What has another meaning, and is none the worse for it: no passphrase's slot, or one that wants a key file too.
    otherwise = dict.fromkeys([("slot's type", 0), ("slot's type", 4), ("slot's type", 255), ("slot's flags", 1)], LOCKED)

    def put(name, field, *values):
        at, width = field
        (was,) = struct.unpack_from("<" + width, data, at)
        for value in values:
            if value != was:
                changed = bytearray(data)
                struct.pack_into("<" + width, changed, at, value)
                said = said_of_costs(changed) if field in (MEMORY, PASSES, LANES) else otherwise.get((name, value), DAMAGED)
                yield f"{name} {value}", bytes(changed), said

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
    yield "a critical extension", bytes(grown), DAMAGED
    first, rest = data[SLOT : SLOT + 4 + slot_len], data[SLOT + 4 + slot_len : 16 + header_len - 2]
    yield "the slots the other way round", data[:SLOT] + rest + first + data[16 + header_len - 2 :], DAMAGED
    # Memory and passes that are usual each by itself, and not together.
    for memory, passes in ((1 << 18, 64), (1 << 17, 64), (1 << 20, 64)):
        changed = bytearray(data)
        struct.pack_into("<I", changed, MEMORY[0], memory)
        struct.pack_into("<I", changed, PASSES[0], passes)
        yield f"Argon2's memory {memory}, passes {passes}", bytes(changed), said_of_costs(changed)


def foreign(long, seed=2):
    """Names, contents, and what must be said: files of other programs."""
    heads = {
        "age": b"age-encryption.org/v1\n-> X25519 b\n",
        "gpg": b"\x85\x02\x0c\x03" + bytes(range(256)),
        "armoured": b"-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n",
        "LUKS": b"LUKS\xba\xbe\0\2" + bytes(4088),
        "SQLite": b"SQLite format 3\0" + bytes(4080),
        "gzip": b"\x1f\x8b\x08\0" + bytes(60),
        "PEM": b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn==\n",
    }
    yield from ((name, content, DAMAGED) for name, content in heads.items())
    yield "ELF", Path(sys.executable).resolve().read_bytes()[:65536], DAMAGED
    files = [file for where in ("import", "qr", "aws") for file in sorted((VECTORS / where).rglob("*")) if file.is_file()]
    for file in files if long else random.Random(seed).sample(files, 12):
        yield file.name, file.read_bytes(), DAMAGED


def excess(house, content, peak, seconds, sound):
    """What a run took that it shouldn't have; nothing, if it was modest. A key that fits nothing is derived like others, with
    as many passes as are asked for."""
    most_memory, most_work = sound[0] + ROOM, sound[1] + WORK
    if len(content) > LANES[0] and said_of_costs(content) == WRONG:
        memory, passes, _ = costs(content)
        most_memory, most_work = most_memory + (memory >> 10), (sound[1] + WORK) * passes
    if not 0 < peak <= most_memory:
        return f"it took {peak} MiB, a sound one {sound[0]}"
    if seconds > most_work:
        return f"it took {seconds:.2f} s of a processor, a sound one {sound[1]:.2f}"
    return None


def sweep(name, house, scratch, contents, add_every=1):
    """Every content in the vault's place: `list` is refused with what must be said, so is `add` for each of so many; neither
    writes over it, or takes much more than for a sound vault."""
    tally = Tally(name)
    told, costliest = Counter(), (0, 0)
    _, *sound = spending(house, "list", "--json")

    def one(numbered):
        index, (what, content, said) = numbered
        here = house.copy(scratch / f"damaged-{index}")
        here.vault.write_bytes(content)
        runs = [spending(here, "list", "--json", patience=SOON)]
        if index % add_every == 0:
            runs.append(spending(here, "add", "beta", "--secret", "-", stdin=OTHER_SECRET, patience=SOON))
        faults = [
            f"{what}: {done.says}, not exit {said}"
            for done, _, _ in runs
            if done.code != said or done.hung or b"panicked" in done.err or not done.err.strip()
        ]
        faults += [f"{what}: {why}" for _, *spent in runs if (why := excess(here, content, *spent, sound))]
        if here.vault.read_bytes() != content:
            faults.append(f"{what}: the file was written over")
        shutil.rmtree(here.root)
        return said, runs, faults

    with ThreadPoolExecutor(max_workers=cpu_count() or 2) as pool:
        for said, runs, faults in pool.map(one, enumerate(contents)):
            tally.cases += 1
            told[said] += 1
            tally.ends["LOST" if faults else "refused"] += 1
            tally.lost += faults[:1]
            costliest = [max(most, *(run[at] for run in runs)) for at, most in ((1, costliest[0]), (2, costliest[1]))]
    return tally, f"exit codes {dict(sorted(told.items()))}, at most {costliest[0]} MiB and {costliest[1]:.2f} s"


def judged(tally, told, figures, evidence):
    figures(f"{tally}; {told}")
    evidence("files", cases=tally.cases, faults=tally.cases, losses=len(tally.lost))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])


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

    # Where another's slot stands, or its id, the passphrase opens none.
    contents = [
        ("another's", others, WRONG),
        ("from before", before, DAMAGED),
        ("this header, the payload from before", now[: end(now)] + before[end(before) :], DAMAGED),
        ("the header from before, this payload", before[: end(before)] + now[end(now) :], DAMAGED),
        ("this header, another's payload", now[: end(now)] + others[end(others) :], DAMAGED),
        ("another's header, this payload", others[: end(others)] + now[end(now) :], WRONG),
        ("another's first slot", now[:SLOT] + others[SLOT : end(others)] + now[end(now) :], WRONG),
        ("another's id", now[:VAULT_ID] + others[VAULT_ID:32] + now[32:], WRONG),
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


def test_control_who_believes_a_header_takes_what_it_asks_for(house, figures, evidence):
    """The lie of 1 GiB, to a program that was told to believe it: that is what the measure must see."""
    _, *sound = spending(house, "list", "--json")
    [lie] = [content for what, content, _ in lies(house.vault.read_bytes()) if what == f"Argon2's memory {1 << 20}"]
    house.vault.write_bytes(lie)
    done, peak, seconds = spending(house, "list", "--json", "--accept-high-kdf")
    figures(f"control: 1 GiB of Argon2, believed: {peak} MiB, {seconds:.2f} s; a sound vault {sound[0]} MiB, {sound[1]:.2f} s")
    seen = [excess(house, lie, peak, 0, sound), excess(house, lie, sound[0], seconds, sound)]
    evidence("files", control=sum(why is not None for why in seen))
    assert done.code == WRONG, done.says
    assert all(seen), f"the measure sees {seen}: it proves nothing"
