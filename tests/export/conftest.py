"""A vault with the canonical list in it, and what goes out of it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from canon import Exporter  # noqa: E402
from person import Person  # noqa: E402


@pytest.fixture(scope="session")
def exporter(vmfa, tmp_path_factory):
    """Somebody whose vault holds every account of the canonical list. Exports leave it as it is, so one serves all."""
    return Exporter(Person(vmfa, tmp_path_factory.mktemp("export") / "home").init())


@pytest.fixture
def out(tmp_path):
    """Makes a path that isn't there yet."""
    return lambda name="out": tmp_path / name
