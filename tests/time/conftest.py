"""A desk whose clocks are the test's own."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "desktop"))
from clocks import Clock, Desk, build  # noqa: E402
from watching import Tmux  # noqa: E402


@pytest.fixture(scope="session")
def made(vmfa):
    """The copy of the program, and its clock."""
    with tempfile.TemporaryDirectory(prefix="vmfa-clock-") as directory:
        directory = Path(directory)
        clock = Clock(directory)
        yield build(directory, vmfa), clock


@pytest.fixture
def clock(made):
    made[1].right()
    yield made[1]
    made[1].right()


@pytest.fixture
def desk(made, clock):
    """A vault with one account, locked."""
    desk = Desk(made[0]).init()
    desk.add("GitHub:me")
    yield desk
    desk.tidy_up()


@pytest.fixture
def pane(desk):
    """Starts a command in a terminal that can be looked at."""
    opened = []

    def start(command, columns=60, lines=16):
        opened.append(Tmux(desk, f"t{len(opened)}"))
        return opened[-1].start(command, columns=columns, lines=lines)

    yield start
    for one in opened:
        one.stop()
