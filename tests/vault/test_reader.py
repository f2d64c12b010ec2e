"""The vectors of the format, read by a reader that shares no code with the program: see read_vault.py."""

import subprocess
import sys
from pathlib import Path

import read_vault


def test_every_vector_reads_or_is_refused_as_described(figures):
    reader = Path(__file__).resolve().parent / "read_vault.py"
    done = subprocess.run([sys.executable, reader], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures(f"independent reader of the vault: {done.stdout.strip()}")


def test_access_keys_are_read_back():
    """What the writer's own list of contents says is compared above; here what was put in, word by word."""
    folder = Path(__file__).resolve().parents[2] / "vectors/vault/v1"
    found = read_vault.read_vault((folder / "access_key.vmfa").read_bytes(), {"key_file": (folder / "key_file.bin").read_bytes()})
    assert [(key["profile"], key["access_key_id"], key["secret"]) for key in found["access_keys"]] == [
        ("dév", "AKIAVECTORS000000002", "m5Yc8Lr/0TqPz2Wk+Nb7Hs1Gd9XvJf4Ue6AiOoBn"),
        ("prod", "AKIAVECTORS000000001", "Zk7uQ1xT/9wVbR4m+H2cYpL6sNd0fGjE8aKqXtWv"),
    ]
    assert found["tombstones"] == 1, "the key that was replaced"
    assert not found["unknown_records"] and [account["name"] for account in found["accounts"]] == ["alice"]
