"""The whole of a long life: a million operations, which the Rust suite leaves to the long run."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHOLE = "life::a_million_operations_lose_nothing"


@pytest.mark.long
def test_a_million_operations_lose_nothing():
    # It tells its row of the table itself.
    command = ["cargo", "test", "--quiet", "--locked", "--test", "it", "--", "--ignored", "--exact", WHOLE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
