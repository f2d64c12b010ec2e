"""Clocks that are set in the middle of a countdown, and machines that sleep through its end: what is on the screen holds now.

A look takes the time, what is on the screen, and the time again: a code must be of a step between the two. After a leap a
program has three seconds to notice it, and looks at the clock each second; the naive one goes on for half a minute.
"""

import json
import os
import re
import select
import shlex
import statistics
import sys
import time
from pathlib import Path

import pytest
from clocks import SECOND, code, held

NAIVE = Path(__file__).with_name("naive_watch.py")
# How long a program may take to notice, at most; nobody waits for it to pass.
PATIENCE = 3
# How long a screen without any code is looked at, which says nothing: a program that is late shows a wrong one.
NOTHING = 30
# How late a code may be on the screen when its step has come, for one turn as good as every other: the machine may be busy at
# some, and at most turns it is not.
LATE = 0.5
# And how late the control is.
TOO_LATE = 1.2
TURNS = 5
# Back and forth, a little and a lot; across 2038 and 2106, and over what a signed number of nanoseconds can hold.
LEAPS = [31, -31, 3600, -7200, 86400 * 365, 2**31, 2**33, -(2**33), -86400 * 300]


def shown(pane):
    """The codes on the screen that stand for now. In its last seconds a code has the next one behind it, on the same line."""
    found = (re.search(r"(?<!\d)\d{3} ?\d{3}(?!\d)", line) for line in pane.screen().split("\n"))
    return [code.group().replace(" ", "") for code in found if code]


def look(clock, pane, secret, period=30):
    """Whether what is on the screen holds, or None where there is no code."""
    begun = clock.now()
    codes = shown(pane)
    ended = clock.now()
    if not codes:
        return None
    return all(held(one, secret, period, begun, ended) for one in codes)


def settles(clock, pane, secret, period=30, patience=PATIENCE):
    """Whether it comes to show a code that holds, and goes on to. On a busy machine a look takes its time: what was begun too
    early says nothing against a program, and what shows no code at all is looked at again."""
    since = time.monotonic()
    while (waited := time.monotonic() - since) < NOTHING:
        seen = look(clock, pane, secret, period)
        if seen:
            # Not by chance: another look, a little later. A step may turn just then.
            time.sleep(0.1)
            if look(clock, pane, secret, period) or look(clock, pane, secret, period):
                return True
        elif seen is False and waited > patience:
            return False
        time.sleep(0.05)
    return False


def judged(clock, pane, secret, leaps, patience=PATIENCE):
    """How many leaps it didn't follow."""
    losses = 0 if settles(clock, pane, secret) else 1
    for number, leap in enumerate(leaps):
        if number % 2 and leap > 0:
            clock.sleep(leap)
        else:
            clock.leap(leap)
        losses += not settles(clock, pane, secret, patience=patience)
    return losses


@pytest.mark.parametrize("how", ["watch", "watch --all", "interface"])
def test_a_screen_follows_every_leap(desk, clock, pane, evidence, how):
    # The interface locks when it sleeps for long; here it is told not to.
    (desk.home / ".config/vmfa").mkdir(parents=True)
    (desk.home / ".config/vmfa/config.toml").write_text("lock-after = \"never\"\n")
    clock.run_from(1_800_000_003)
    program = shlex.quote(str(desk.vmfa))
    if how == "interface":
        opened = pane(program)
        opened.shows("assphrase")
        opened.run("send-keys", "-l", "--", desk.passphrase)
        opened.keys("Enter")
    else:
        words = {"watch": "watch github", "watch --all": "watch --all"}[how]
        opened = pane(f"{program} {words} --passphrase-file {desk.passphrase_file}")
    opened.shows(r"\d{3} \d{3}")
    losses = judged(clock, opened, desk.secrets["GitHub:me"], LEAPS)
    evidence("time", cases=len(LEAPS) + 1, faults=len(LEAPS), losses=losses)
    assert losses == 0, opened.screen()


def test_a_naive_watch_is_caught(desk, clock, pane, evidence):
    clock.run_from(1_800_000_003)
    secret = desk.secrets["GitHub:me"]
    opened = pane(shlex.join([sys.executable, str(NAIVE), str(clock.path), secret, "30"]))
    opened.shows(r"\d{6}")
    # It begins well, and follows no leap.
    assert settles(clock, opened, secret)
    losses = judged(clock, opened, secret, [31, 3600])
    evidence("time", control=losses)
    assert losses >= 2


def test_lines_follow_every_leap(desk, clock, evidence):
    """Each line comes while its code holds, and one comes at every leap."""
    clock.run_from(1_800_000_003)
    secret, losses = desk.secrets["GitHub:me"], []
    process = desk.start("watch", "--json", "github")
    rest = b""

    def line():
        nonlocal rest
        while b"\n" not in rest:
            if not select.select([process.stdout], [], [], 60)[0]:
                return None
            rest += os.read(process.stdout.fileno(), 4096)
        one, rest = rest.split(b"\n", 1)
        return json.loads(one)

    begun = clock.now()
    for leap in [0, *LEAPS]:
        if leap:
            begun = clock.now()
            clock.leap(leap)
            begun = clock.now()
        # At the turn of a step, one of the old clock may be on its way.
        for _ in range(2):
            told = line()
            ended = clock.now()
            if told and told["code"] == code(secret, told["step"]) and told["step"] in range(begun // SECOND // 30, ended // SECOND // 30 + 1):
                break
        else:
            losses.append((leap, told))
    process.kill()
    evidence("time", cases=len(LEAPS) + 1, faults=len(LEAPS), losses=len(losses))
    assert not losses


def lateness(clock, panes, secret, period, turns):
    """For each pane, how late each turn of a step was on the screen, in seconds: at least so late, since so long after the turn a
    look began that saw a code of before. A turn counts when each pane was seen well after it, or was seen too late, however long
    the looks take."""
    late, judged = [{} for _ in panes], [set() for _ in panes]
    done = set()
    first = clock.now() // SECOND // period
    while len(done) < turns:
        for pane, of_pane, known in zip(panes, late, judged):
            begun = clock.now()
            step, since = divmod(begun, period * SECOND)
            if step == first:
                # It was running already when the first look began.
                continue
            assert step - first < 4 * turns, f"only {len(done)} turns could be judged: {pane.screen()!r}"
            holds = look(clock, pane, secret, period)
            if holds is None:
                continue
            of_pane[step] = max(of_pane.get(step, 0), 0 if holds else since / SECOND)
            if holds or of_pane[step] > LATE:
                known.add(step)
        done = set.intersection(*judged)
        time.sleep(0.02)
    return [[of_pane[step] for step in sorted(done)] for of_pane in late]


def test_a_step_turns_on_time(desk, clock, pane, evidence, figures):
    """A clock that runs, past where 32 bits end: the code of each step is on the screen when the step begins. Beside it stands one
    that is always too late, on the same machine at the same time."""
    secret = desk.add("quick", None, "--period", "2")
    clock.run_from(2**32 - 3)
    opened = pane(f"{shlex.quote(str(desk.vmfa))} watch quick --passphrase-file {desk.passphrase_file}")
    slow = pane(shlex.join([sys.executable, str(NAIVE), str(clock.path), secret, "2", str(TOO_LATE)]))
    for one in (opened, slow):
        one.shows(r"\d{3} ?\d{3}")
    late, too_late = lateness(clock, [opened, slow], secret, 2, TURNS)
    turn, control = statistics.median(late), statistics.median(too_late)
    # A screen that doesn't go on would be late once, and be wrong ever after.
    lasts = settles(clock, opened, secret, 2)
    figures(f"steps: {len(late)} turns, {turn:.2f} s late at half of them, {max(late):.2f} s at most; the control {control:.2f} s")
    evidence("time", cases=len(late), faults=0, losses=(sum(one > LATE for one in late) if turn > LATE else 0) + (not lasts))
    evidence("time", control=sum(one > LATE for one in too_late))
    assert turn <= LATE and lasts, late
    assert control > LATE, f"one that is {TOO_LATE} s late at each turn is taken for a good one: {too_late}"


@pytest.mark.parametrize("leap", [3600, 2**33, -3600])
def test_the_second_code_of_a_pair_is_not_shown_when_it_is_over(desk, clock, evidence, leap):
    clock.run_from(1_800_000_003)
    process = desk.start("pair", "github", "--wait")
    first = process.stdout.readline().decode().strip()
    assert held(first, desk.secrets["GitHub:me"], 30, clock.now(), clock.now())
    clock.leap(leap)
    out, err = process.communicate(timeout=60)
    right = not out and process.returncode == 9 and b"the second code doesn't hold now" in err
    evidence("time", cases=1, faults=1, losses=not right)
    assert right, (out, err)


def test_the_second_code_comes_when_the_clock_says_so(desk, clock, evidence):
    clock.run_from(1_800_000_003)
    process = desk.start("pair", "github", "--wait")
    process.stdout.readline()
    # Set back, it is further away; set on, it is there.
    clock.leap(-20)
    assert not select.select([process.stdout], [], [], 1.5)[0], "it isn't there yet"
    clock.leap(50)
    second = process.communicate(timeout=60)[0].decode().strip()
    right = held(second, desk.secrets["GitHub:me"], 30, clock.now() - 2 * SECOND, clock.now())
    evidence("time", cases=2, faults=2, losses=not right)
    assert right


@pytest.mark.parametrize("leap", [3600, 2**33, -3600])
def test_who_waits_for_a_fresh_code_gets_one_that_holds(desk, clock, evidence, leap):
    clock.run_from(1_800_000_003)
    secret = desk.secrets["GitHub:me"]
    first = desk.ok("code", "github", "--fresh").strip()
    process = desk.start("code", "github", "--fresh")
    assert not select.select([process.stdout], [], [], 0.7)[0], "it waits"
    clock.leap(leap)
    second = process.communicate(timeout=60)[0].decode().strip()
    now = clock.now()
    losses = int(first == second) + (not held(second, secret, 30, now - 3 * SECOND, now))
    evidence("time", cases=1, faults=1, losses=losses)
    assert losses == 0


def test_a_code_that_shall_hold_for_a_while_does_so_after_a_sleep(desk, clock, evidence):
    """It waits for the next step, and wakes up at the end of a later one, or before its own."""
    clock.run_from(1_800_000_000 + 25.0)
    process = desk.start("code", "github", "--min-validity", "20", "--json")
    assert not select.select([process.stdout], [], [], 0.7)[0], "it waits"
    # To 27 s into another step: too little is left of that one as well.
    moment = clock.now() / SECOND
    clock.sleep(round(3600 - moment % 30 + 27))
    assert not select.select([process.stdout], [], [], 1.5)[0], "it waits for the next one"
    # Set back to where enough is left of a step, there is nothing to wait for.
    clock.leap(-20)
    told = json.loads(process.communicate(timeout=60)[0])
    right = held(told["code"], desk.secrets["GitHub:me"], 30, clock.now() - 3 * SECOND, clock.now()) and told["seconds_left"] >= 19
    evidence("time", cases=1, faults=2, losses=not right)
    assert right, told
