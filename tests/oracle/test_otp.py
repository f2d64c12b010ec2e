"""The engine beside pyotp, oathtool and hashlib, in bulk: see otp.py, which this runs with a new seed each time."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def engine():
    """Builds the example and asks Cargo where it is."""
    build = ["cargo", "build", "--quiet", "--locked", "--example", "otp_oracle", "--message-format=json"]
    done = subprocess.run(build, cwd=HERE.parent.parent, check=True, stdout=subprocess.PIPE, text=True)
    built = [json.loads(line) for line in done.stdout.splitlines()]
    return next(one["executable"] for one in built if one.get("executable") and one["target"]["name"] == "otp_oracle")


def test_every_code_agrees(figures):
    done = subprocess.run([sys.executable, HERE / "otp.py", engine()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        figures(f"engine beside {line}")
