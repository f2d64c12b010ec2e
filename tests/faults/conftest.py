"""Houses for the fault suite."""

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
