"""What `vectors/aws/config` says of botocore is what botocore does."""

import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "aws" / "config"


def test_botocore_still_reads_the_files_so(tmp_path):
    subprocess.run([sys.executable, FOLDER / "make.py", tmp_path], check=True, timeout=300)
    assert (tmp_path / "expected.json").read_text() == (FOLDER / "expected.json").read_text()
