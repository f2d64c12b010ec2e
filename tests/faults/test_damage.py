"""A file that isn't what was written: refused, said to be damaged, and left as it is. A sample of what the library's own
tests do for every bit and every length."""

import random
import shutil

from harness import OTHER_SECRET, House, Tally, naive

DAMAGED, INTERNAL, USAGE, WRONG = 6, 1, 2, 5


def damages(data, seed=2):
    """Names and contents: flipped bits (the header's, where each has a meaning, more densely), lengths, foreign files."""
    pick = random.Random(seed)
    places = [bit for byte in range(64) for bit in [byte * 8 + pick.randrange(8)]]
    places += [pick.randrange(min(len(data), 1024) * 8) for _ in range(60)]
    places += [pick.randrange(len(data) * 8) for _ in range(60)]
    for bit in places:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed)
    for length in [0, 1, 15, 16, 17, 64, *(pick.randrange(len(data)) for _ in range(30)), len(data) - 1]:
        yield f"cut to {length}", data[:length]
    yield "one byte more", data + b"\0"
    yield "twice", data + data
    yield "zeros", bytes(len(data))
    yield "text", b"otpauth://totp/a?secret=JBSWY3DPEHPK3PXP\n"
    yield "noise", pick.randbytes(len(data))


def sweep(name, house, scratch):
    tally = Tally(name)
    data = house.vault.read_bytes()
    codes = set()
    for index, (what, content) in enumerate(damages(data)):
        here = house.copy(scratch / f"damaged-{index}")
        here.vault.write_bytes(content)
        tally.cases += 1
        runs = [here.run("list", "--json"), here.run("add", "beta", "--secret", "-", stdin=OTHER_SECRET)]
        faults = [
            f"{what}: {done.says}"
            for done in runs
            if done.code <= 0 or done.hung or b"panicked" in done.err or done.code == INTERNAL
        ]
        if here.vault.read_bytes() != content:
            faults.append(f"{what}: the file was written over")
        codes.update(done.code for done in runs)
        tally.ends["LOST" if faults else "refused"] += 1
        tally.lost += faults[:1]
        shutil.rmtree(here.root)
    return tally, codes


def test_damage_is_refused_and_left_as_it_is(house, tmp_path, figures):
    tally, codes = sweep("damage", house, tmp_path)
    figures(f"{tally}; exit codes {sorted(codes)}")
    assert not tally.lost, "\n".join([str(tally), *tally.lost])
    assert DAMAGED in codes and codes <= {DAMAGED, USAGE, WRONG}, codes


def test_wrong_is_not_damaged(house):
    house.passphrase.write_text("not the passphrase at all\n")
    assert house.run("list", "--json").code == WRONG


def test_control_what_nobody_checks_is_taken(tmp_path, figures):
    house = House(tmp_path / "house", naive("truncate")).furnish()
    tally, _ = sweep("control: damage, nothing checked", house, tmp_path)
    figures(str(tally))
    taken = [line for line in tally.lost if ": exit 0" in line]
    assert taken, "damage to a file without a checksum is refused: the test proves nothing"
