"""Fixtures of the agent's tests."""

import pytest
from bus import Desktop


@pytest.fixture
def desktop(tmp_path_factory):
    """Private buses and a stand-in for logind."""
    # A socket's path may have 107 bytes: not below a directory that is named after its test.
    with Desktop(tmp_path_factory.mktemp("bus")) as desktop:
        yield desktop
