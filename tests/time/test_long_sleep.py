"""A machine that sleeps for a night or a year: what should be locked by then is, before anything else is answered."""

import time

import pytest
from clocks import SECOND
from watching import wait_until

YEAR = 365 * 86400


@pytest.mark.parametrize("span", [11 * 60, 9 * 3600, YEAR, 200 * YEAR])
def test_the_agent_has_let_go_of_its_key(desk, clock, evidence, span):
    """Asked at once, before it can have woken up by itself: the first question may not be answered with a code."""
    desk.unlock()
    before = desk.keyholder()
    assert before and desk.ok("code", "github", passphrase=False)
    clock.sleep(span)
    done = desk.run("code", "github", passphrase=False)
    losses = int(done.returncode != 4 or bool(done.stdout))
    wait_until(lambda: desk.keyholder() is None, "the keyholder has ended")
    evidence("time", cases=1, faults=1, losses=losses)
    assert losses == 0, done


@pytest.mark.parametrize("leap", [YEAR, -YEAR, 2**40, -(2**31)])
def test_a_clock_that_is_set_moves_no_lifetime(desk, clock, evidence, leap):
    """The time of day is not what a lifetime is measured by: set back it holds no key for longer, set on it takes none away."""
    clock.run_from(2**31 + 5)
    desk.unlock()
    clock.leap(leap)
    losses = int(desk.run("code", "github", passphrase=False).returncode not in (0, 1))
    losses += desk.keyholder() is None
    clock.sleep(11 * 60)
    losses += desk.run("code", "github", passphrase=False).returncode == 0
    evidence("time", cases=2, faults=2, losses=losses)
    assert losses == 0


def test_a_short_sleep_takes_no_key_away(desk, clock, evidence):
    desk.unlock()
    clock.sleep(5 * 60)
    done = desk.run("code", "github", passphrase=False)
    evidence("time", cases=1, faults=1, losses=int(done.returncode != 0))
    assert done.returncode == 0


@pytest.mark.parametrize("plain", [False, True])
def test_the_interface_is_locked(desk, clock, pane, evidence, plain):
    opened = pane(f"{desk.vmfa}{' --plain' if plain else ''}")
    opened.shows("assphrase")
    opened.run("send-keys", "-l", "--", desk.passphrase)
    opened.keys("Enter")
    opened.shows("vmfa>" if plain else r"\d{3} \d{3}")
    clock.sleep(YEAR)
    if plain:
        opened.run("send-keys", "-l", "code github")
        opened.keys("Enter")
    screen = opened.shows("assphrase|locked")
    losses = int(not plain and "GitHub" in screen)
    evidence("time", cases=1, faults=1, losses=losses)
    assert losses == 0, screen
    assert clock.now() > time.time_ns() + YEAR * SECOND - SECOND
