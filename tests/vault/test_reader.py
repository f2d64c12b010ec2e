"""The vectors of the format, read by a reader that shares no code with the program: see read_vault.py."""

import subprocess
import sys
from pathlib import Path


def test_every_vector_reads_or_is_refused_as_described(figures):
    reader = Path(__file__).resolve().parent / "read_vault.py"
    done = subprocess.run([sys.executable, reader], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures(f"independent reader of the vault: {done.stdout.strip()}")
