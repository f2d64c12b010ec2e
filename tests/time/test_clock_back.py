"""What was handed out once isn't handed out again, wherever the clock was meanwhile; and the person hears what is waited for."""

from clocks import SECOND, code, held


def fresh(desk, within=0):
    return desk.ok("code", "github", "--fresh", "--within", str(within)).strip()


def test_no_step_is_handed_out_twice(desk, clock, evidence):
    """An hour back, on again, a step to each side; far ahead and home."""
    secret, given, losses = desk.secrets["GitHub:me"], [], []
    home = 1_800_000_003
    for at in [home, home - 3600, home, home + 30, home - 30, 2**33, home + 30, 2**40, home, 2**62, home - 3600]:
        clock.stand(at)
        one = fresh(desk, within=3)
        step = next((step for step in range(at // 30 - 3, at // 30 + 4) if code(secret, step) == one and step not in given), None)
        if step is None:
            losses.append((at, one))
        given.append(step)
    evidence("time", cases=len(given), faults=len(given) - 1, losses=len(losses))
    assert not losses, given


def test_the_person_hears_what_is_waited_for(desk, clock, evidence):
    clock.run_from(1_800_000_003)
    first = fresh(desk)
    waiting = desk.at_terminal("code", "github", "--fresh", "--passphrase-file", str(desk.passphrase_file))
    heard = waiting.expect(r"every code until now was handed out; the next one in \d+ s")
    # The clock goes back into the step that was handed out: still no second time. On, and there is the next.
    clock.leap(-1)
    waiting.expect(r"the next one in \d+ s")
    clock.leap(30)
    waiting.expect(r"(?<!\d)\d{6}(?!\d)")
    second = waiting.match.group()
    waiting.close()
    losses = int(first == second) + (not held(second, desk.secrets["GitHub:me"], 30, clock.now() - 3 * SECOND, clock.now()))
    evidence("time", cases=2, faults=2, losses=losses)
    assert heard == 0 and losses == 0


def test_a_pair_is_marked_and_not_given_as_fresh_when_the_clock_goes_back(desk, clock, evidence):
    clock.stand(1_800_000_003)
    pair = desk.ok("pair", "github").split()
    clock.stand(1_800_000_003 - 30)
    one = fresh(desk, within=2)
    evidence("time", cases=1, faults=1, losses=int(one in pair))
    assert one not in pair
