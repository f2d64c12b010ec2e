"""The last word of a run: what each suite came to. Run after all the others, by `tests/run`."""

from evidence import SUITES, gathered, table

# Only in the long run, or only where there is root: a short run without them is whole.
LONG = {"power"}


def test_nothing_was_lost_and_every_control_lost(figures, long):
    sums = gathered()
    figures(table(sums))
    wanted = set(SUITES) if long else set(SUITES) - LONG
    assert wanted <= set(sums), f"nothing was told of {sorted(wanted - set(sums))}"
    for suite, told in sums.items():
        assert told["cases"] > 0 and told["losses"] == 0, f"{suite}: {dict(told)}"
        assert told["control"] > 0, f"{suite}: the control lost nothing, or there is none: the suite proves nothing"
