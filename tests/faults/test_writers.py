"""Eight processes at once: of the 25 accounts that each adds none is lost and none fails, and no fresh step is given twice."""

import json
from concurrent.futures import ThreadPoolExecutor

from harness import OTHER_SECRET, House, naive

WRITERS, EACH = 8, 25


def write(house):
    """What was to be added, what is there, and the runs that failed."""

    def writer(number):
        runs = [
            (name, house.run("add", name, "--secret", "-", stdin=secret(number, index)))
            for index in range(EACH)
            for name in [f"w{number}-{index}"]
        ]
        return [f"{name}: {done.says}" for name, done in runs if done.code != 0]

    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        failed = [line for lines in pool.map(writer, range(WRITERS)) for line in lines]
    wanted = {"alpha"} | {f"w{number}-{index}" for number in range(WRITERS) for index in range(EACH)}
    return wanted, house.names(), failed


def secret(number, index):
    """Another one for each: the same secret twice is one account."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return OTHER_SECRET[:-2] + letters[number] + letters[index]


def test_none_is_lost_and_none_fails(house, figures, evidence):
    wanted, found, failed = write(house)
    lost = wanted - (found or set())
    figures(f"writers: {WRITERS} x {EACH} adds, {len(failed)} failed, {len(lost)} lost")
    evidence("crowd", cases=WRITERS * EACH, faults=0, losses=len(failed) + len(lost))
    assert not failed, "\n".join(failed[:5])
    assert found == wanted, f"lost: {sorted(lost)[:5]}"
    assert house.alpha_lives()
    house.must("check")


def test_control_without_a_lock_some_are_lost(tmp_path, figures, evidence):
    house = House(tmp_path / "house", naive("rename")).furnish()
    wanted, found, failed = write(house)
    lost = wanted - (found or set())
    figures(f"control: writers without a lock: {WRITERS} x {EACH} adds, {len(failed)} failed, {len(lost)} lost")
    evidence("crowd", control=len(lost))
    assert lost, "without a lock nothing is lost either: the writers never meet, and the test proves nothing"


def test_no_step_is_fresh_twice(house, figures, evidence):
    def claim(_):
        # 21 steps are within the tolerance, so that nobody has to wait.
        done = house.must("code", "alpha", "--fresh", "--within", "10", "--json")
        return json.loads(done.out)["step"]

    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        steps = list(pool.map(claim, range(16)))
    figures(f"fresh steps: {len(steps)} claims by {WRITERS} processes, {len(steps) - len(set(steps))} given twice")
    evidence("crowd", cases=len(steps), faults=0, losses=len(steps) - len(set(steps)))
    assert len(set(steps)) == len(steps), sorted(steps)
