"""Drawn codes, read back by zbar and zxing-cpp: see readback.py."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def drawer():
    """Builds the example and asks Cargo where it is."""
    build = ["cargo", "build", "--quiet", "--locked", "--example", "draw", "--message-format=json"]
    done = subprocess.run(build, cwd=HERE.parent.parent, check=True, stdout=subprocess.PIPE, text=True)
    built = [json.loads(line) for line in done.stdout.splitlines()]
    return next(one["executable"] for one in built if one.get("executable") and one["target"]["name"] == "draw")


def test_what_is_drawn_is_read(figures):
    done = subprocess.run([sys.executable, HERE / "readback.py", "--draw", drawer()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures(f"drawn codes: {done.stdout.strip().splitlines()[-1]}")
