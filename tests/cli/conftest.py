"""Fixtures of the command line's tests."""

import pytest
from person import Person


@pytest.fixture
def person(vmfa, tmp_path):
    """Somebody with an empty home directory."""
    return Person(vmfa, tmp_path / "home")


@pytest.fixture
def owner(person):
    """Somebody with a vault of cheap key derivation."""
    return person.init()
