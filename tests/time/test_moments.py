"""A code of a moment: by clocks that stand still at it, held against other implementations."""

import json
import random
import subprocess

import pytest
from clocks import SECOND, code

# The last second of 32 bits, signed and not, and of 64; years 9999 and 10000; where milliseconds, microseconds and nanoseconds
# since 1970 leave 63 and 64 bits.
WILD = [0, 1, 29, 30, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 30, 253402300799, 253402300800, 2**40,
        (2**63 - 1) // 10**9, 2**64 // 10**9, 2**63 // 10**6, 2**63 // 10**3, 2**64 // 10**3 + 1, 2**62, 2**63 - 1]
LONGEST = 2**32 - 1


def told(desk, *options):
    return json.loads(desk.ok("code", "--json", *options))


def is_right(told, secret, at, period, t0=0):
    """`at` in nanoseconds."""
    step = (at // SECOND - t0) // period
    start = step * period + t0
    return (told["step"] == step and told["code"] == code(secret, step) and told["valid_from"] == min(start, 2**64 - 1)
            and told["valid_until"] == min(start + period, 2**64 - 1)
            and told["seconds_left"] == max(0, (told["valid_until"] * SECOND - at) // SECOND))


def test_at_every_boundary_to_the_millisecond(desk, clock, evidence, long):
    """Of one moment and the next millisecond, one may be of the old step and the other of the new: which, is told by arithmetic."""
    kinds = [(1, 0), (30, 0), (60, 0), (30, 17), (47, 1_234_567_891), (LONGEST, 0)]
    for number, (period, t0) in enumerate(kinds):
        desk.add(f"kind{number}", None, "--period", str(period), "--t0", str(t0))
    random_ = random.Random(9)
    cases = []
    for number, (period, t0) in enumerate(kinds):
        for turn in range(20 if long else 1):
            step = random_.randrange(1, (2**34 if turn % 2 else 2**31) // period + 2)
            edge = (step * period + t0) * 1000
            cases += [(number, period, t0, edge + off) for off in (-1000, -1, 0, 1)]
    wrong = []
    for number, period, t0, millis in cases:
        at = millis * 10**6
        clock.stands_still, clock.wall = True, at
        clock.say()
        one = told(desk, f"kind{number}")
        if not is_right(one, desk.secrets[f"kind{number}"], at, period, t0):
            wrong.append((period, t0, millis, one))
    evidence("time", cases=len(cases), faults=0, losses=len(wrong))
    assert not wrong


def test_clocks_at_the_ends_of_their_words(desk, clock, evidence):
    secret, wrong = desk.secrets["GitHub:me"], []
    for at in WILD:
        clock.stand(at)
        if not is_right(told(desk, "github"), secret, at * SECOND, 30):
            wrong.append(at)
    # Another's answer as well, as far as it goes.
    for at in [at for at in WILD if at < 2**33]:
        clock.stand(at)
        theirs = subprocess.run(["oathtool", "--totp", "-b", "-N", f"@{at}", "-"], input=secret, capture_output=True, text=True).stdout.strip()
        if told(desk, "github")["code"] != theirs:
            wrong.append(("oathtool", at))
    # What no clock can stand at, --at can name.
    at = 2**64 - 1
    one = told(desk, "github", "--at", str(at))
    if (one["step"], one["code"], one["valid_until"]) != (at // 30, code(secret, at // 30), at):
        wrong.append(("--at", one))
    if desk.run("code", "github", "--at", str(2**64)).returncode != 2:
        wrong.append("past 64 bits")
    evidence("time", cases=len(WILD) + 7, faults=len(WILD), losses=len(wrong))
    assert not wrong


@pytest.mark.parametrize("at", [-1, -0.001, -86400 * 365 * 69, -2**63])
def test_before_1970_there_is_no_code_and_that_is_said(desk, clock, evidence, at):
    desk.add("counted", None, "--type", "hotp")
    before = [code(desk.secrets["counted"], counter) for counter in range(3)]
    given = [desk.ok("code", "counted").strip()]
    clock.stand(at)
    losses = []
    for words in (["code", "github"], ["code", "github", "--fresh"], ["code", "github", "--next"], ["pair", "github"], ["watch", "--plain", "github"]):
        done = desk.run(*words)
        if done.returncode != 1 or done.stdout or "before 1970-01-01" not in done.stderr or "set this machine's clock" not in done.stderr:
            losses.append((words, done))
    # A counter asks no clock; a look asks none either.
    given.append(desk.ok("code", "counted").strip())
    if "GitHub" not in desk.ok("list"):
        losses.append("list")
    if "the clock stands before 1970" not in desk.run("doctor").stdout:
        losses.append("doctor")
    clock.right()
    given.append(desk.ok("code", "counted").strip())
    if given != before:
        losses.append(("counted", given, before))
    evidence("time", cases=9, faults=9, losses=len(losses))
    assert not losses


def test_a_counter_is_untouched_by_clocks(desk, clock, evidence):
    desk.add("counted", None, "--type", "hotp")
    moments = [2**40, 10, 2**63 - 1, -5, 1_700_000_000, 0, 2**32]
    given = []
    for at in moments:
        clock.stand(at)
        given.append(desk.ok("code", "counted").strip())
    right = [code(desk.secrets["counted"], counter) for counter in range(len(moments))]
    losses = sum(one != other for one, other in zip(given, right))
    evidence("time", cases=len(moments), faults=len(moments), losses=losses)
    assert given == right
