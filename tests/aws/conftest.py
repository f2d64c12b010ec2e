"""A stand-in of AWS for each file of tests, a home for each test."""

import os
import shutil

import pytest
from cloud import cloud as running
from seat import Seat


def pytest_collection_modifyitems(config, items):
    """Terraform and its provider can't be had from Debian: where they aren't, their tests are deselected, and counted so."""
    there = {"terraform": shutil.which("terraform"), "mirror": os.environ.get("TERRAFORM_MIRROR")}
    missing = [item for item in items if any(item.get_closest_marker(mark) and not found for mark, found in there.items())]
    if missing:
        config.hook.pytest_deselected(items=missing)
        items[:] = [item for item in items if item not in missing]


def pytest_configure(config):
    config.addinivalue_line("markers", "terraform: only where terraform is installed")
    config.addinivalue_line("markers", "mirror: only where TERRAFORM_MIRROR names a directory with Terraform's provider for AWS")


@pytest.fixture(scope="module")
def shared_cloud():
    with running() as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud):
    """As it was started: what an earlier test ordered is undone."""
    shared_cloud.forget()
    yield shared_cloud
    assert shared_cloud.process.poll() is None, "the stand-in ended"


@pytest.fixture
def seats(vmfa, cloud):
    """Makes homes with an empty vault; their agents are ended when the test is over."""
    assert (vmfa.parent / "vmfa-aws").exists(), "vmfa-aws is not built: cargo build --bins"
    made = []

    def empty():
        made.append(Seat(vmfa, cloud))
        return made[-1]

    def make():
        return empty().init()

    make.empty = empty
    yield make
    cloud.tell("release")
    for seat in made:
        seat.tidy_up()


@pytest.fixture
def seat(seats):
    return seats()


@pytest.fixture
def user(cloud, seat):
    """A user whose key stands in clear in the profile `base`, and who may do everything."""
    user = cloud.user()
    seat.keys_of(user)
    return user


@pytest.fixture
def enrolled(seat, user):
    """The same, with a device in the vault; the session of its proof is forgotten."""
    seat.enroll()
    return user
