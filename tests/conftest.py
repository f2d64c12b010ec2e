"""Options and figures common to the tests that drive the program from outside."""

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from evidence import tell  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FIGURES = []


def pytest_addoption(parser):
    parser.addoption("--vmfa", default=str(ROOT / "target/debug/vmfa"), help="the program under test")
    parser.addoption("--long", action="store_true", help="every point of the fault suite, and the power cuts")


def pytest_collection_modifyitems(config, items):
    """What takes long is left out of the short run, and counted as deselected, not as skipped."""
    if config.getoption("--long"):
        return
    out = [item for item in items if item.get_closest_marker("long")]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only with --long")


@pytest.fixture(scope="session")
def vmfa(request):
    """The built program's path."""
    path = Path(request.config.getoption("--vmfa")).resolve()
    assert os.access(path, os.X_OK), f"{path} is not built: cargo build --bin vmfa"
    return path


@pytest.fixture(scope="session")
def long(request):
    """Whether every point is wanted."""
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def figures():
    """Takes a line of figures, shown at the end of the run."""
    return FIGURES.append


@pytest.fixture
def evidence():
    """Takes what a test came to, for its suite's row in the table of SECURITY.md: `evidence(suite, cases=…, faults=…, losses=…)`,
    or of a control `evidence(suite, control=…)`. The time is the test's own. To be told before what it says is asserted."""
    began = time.monotonic()

    def put(suite, **counts):
        tell(suite, seconds=round(time.monotonic() - began, 2), **counts)

    return put


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)
