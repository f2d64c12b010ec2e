"""Houses for the fault suite."""

from contextlib import contextmanager

import pytest
from harness import House, naive


@pytest.fixture
def house(vmfa, tmp_path):
    """vmfa's, with the account `alpha`."""
    return House(tmp_path / "house", [vmfa]).furnish()


@pytest.fixture
def control(tmp_path):
    """Makes the naive program's house, with the account `alpha`."""
    return lambda how: House(tmp_path / f"control-{how}", naive(how)).furnish()


@pytest.fixture
def judged(evidence):
    """What stands in it is one case of a suite, told whichever way it ends."""

    @contextmanager
    def judging(suite):
        try:
            yield
        except AssertionError:
            evidence(suite, cases=1, faults=1, losses=1)
            raise
        evidence(suite, cases=1, faults=1, losses=0)

    return judging
