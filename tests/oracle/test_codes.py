"""Codes beside pyotp's and oathtool's, for random accounts and moments, through the command line alone."""

import base64
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pyotp
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))
from harness import CHEAP, House  # noqa: E402

ACCOUNTS = 200
HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def account(pick, number):
    return {
        "name": f"user{number}@example.com",
        "issuer": pick.choice(["Example Co", "Ümläut GmbH", "日本", "A&B/C", f"Site{number}"]),
        "secret": base64.b32encode(pick.randbytes(pick.choice([16, 20, 32, 64, pick.randrange(14, 80)]))).decode().rstrip("="),
        "algorithm": pick.choice(list(HASHES)),
        "digits": pick.choice([6, 6, 7, 8]),
        "period": pick.choice([30, 30, 60, 1, 15, 90, 120]),  # pyotp takes no longer ones
        "at": pick.choice([0, 29, 59, 1111111109, 20000000000, pick.randrange(250_000_000_000)]),  # pyotp stops at the year 10000
    }


def uri(a):
    label = f"{quote(a['issuer'])}:{quote(a['name'])}"
    return (
        f"otpauth://totp/{label}?secret={a['secret']}&issuer={quote(a['issuer'])}"
        f"&algorithm={a['algorithm']}&digits={a['digits']}&period={a['period']}"
    )


def by_pyotp(a):
    return pyotp.TOTP(a["secret"], digits=a["digits"], digest=HASHES[a["algorithm"]], interval=a["period"]).at(a["at"])


def by_oathtool(a):
    command = ["oathtool", f"--totp={a['algorithm'].lower()}", "-b", "-d", str(a["digits"]), "-s", f"{a['period']}s"]
    command += ["-N", f"@{a['at']}", "-"]
    return subprocess.run(command, input=a["secret"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def filled(vmfa, tmp_path_factory):
    """A vault of random accounts, and what went in; the seed stands in the failure."""
    pick = random.Random(6238)
    accounts = [account(pick, number) for number in range(ACCOUNTS)]
    house = House(tmp_path_factory.mktemp("oracle") / "house", [vmfa]).build()
    house.must("init", "--kdf", CHEAP)
    house.must("add", "--uri", "-", stdin="".join(uri(a) + "\n" for a in accounts))
    return house, accounts


def test_totp(filled, figures):
    house, accounts = filled
    wrong = []
    for a in accounts:
        ours = house.must("code", f"{a['issuer']}:{a['name']}", "--at", str(a["at"])).out.decode().strip()
        theirs = {by_pyotp(a), by_oathtool(a)}
        if theirs != {ours}:
            wrong.append((a, ours, theirs))
    figures(f"codes beside pyotp and oathtool, from the vault: {len(accounts)} accounts, {len(wrong)} differ")
    assert not wrong, wrong[:3]


def test_what_went_in_is_listed(filled):
    house, accounts = filled
    listed = {(a["issuer"], a["account"]): a for a in json.loads(house.must("list", "--json").out)}
    assert len(listed) == len(accounts)
    for a in accounts:
        got = listed[a["issuer"], a["name"]]
        assert (got["algorithm"], got["digits"], got["period"]) == (a["algorithm"], a["digits"], a["period"])


def test_the_oracles_can_disagree(filled):
    """The comparison isn't blind: another moment or another digit makes another code."""
    _, accounts = filled
    a = accounts[0]
    assert by_pyotp(a) != by_pyotp({**a, "at": a["at"] + 10 * a["period"]})
    assert by_oathtool(a) != by_oathtool({**a, "secret": a["secret"][:-4] + "AAAA"})
