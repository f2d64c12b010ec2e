"""Desks for the agent's tests, and a desktop around them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from bus import Desktop
from desk import Desk


@pytest.fixture
def desks(vmfa):
    """Makes empty desks; their agents are ended when the test is over."""
    made = []

    def make(uid=None, program=None):
        made.append(Desk(program or vmfa, uid))
        return made[-1]

    yield make
    for desk in made:
        desk.tidy_up()


@pytest.fixture
def desk(desks):
    """A vault with the account `alpha`."""
    desk = desks().init()
    desk.add("alpha")
    return desk


@pytest.fixture
def open_desk(desk):
    """The same, unlocked."""
    return desk.unlock()


@pytest.fixture(scope="session")
def everybodys(vmfa):
    """The program where another user, too, can start it."""
    root = Path(tempfile.mkdtemp(prefix="vmfa-"))
    root.chmod(0o755)
    program = shutil.copy2(vmfa, root / "vmfa")
    program.chmod(0o755)
    yield program
    shutil.rmtree(root)


@pytest.fixture
def is_root():
    """Whether the tests may act as several users."""
    return os.getuid() == 0


@pytest.fixture
def desktop(tmp_path_factory):
    """Private buses and a stand-in for logind."""
    # A socket's path may have 107 bytes: not below a directory that is named after its test.
    with Desktop(tmp_path_factory.mktemp("bus")) as desktop:
        yield desktop
