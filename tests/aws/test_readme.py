"""README's chapters about AWS, word by word, in a fresh home against the stand-in."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def chapter(title):
    found = re.search(rf"^## {re.escape(title)}\n(.*?)^## ", README, re.M | re.S)
    assert found, f"README has no chapter {title}"
    return found.group(1)


def blocks(title):
    return re.findall(r"^```sh\n(.*?)^```", chapter(title), re.M | re.S)


@pytest.fixture
def alice(cloud, seat):
    """A user whom a Force-MFA policy holds, as an administrator hands one over: a file with an access key."""
    policy = seat.ok("aws", "policy", "force-mfa")
    user = cloud.user("alice", groups=[cloud.group(force=policy)])
    seat.write(Path(seat.root) / "accessKeys.csv", f"Access key ID,Secret access key\n{user.key},{user.secret}\n")
    return user


def said(seat, script):
    """As in a terminal: one line after the other, and none may fail."""
    env = {"PATH": f"{Path(seat.vmfa).parent}:{seat.env['PATH']}", "AWS_DEFAULT_REGION": "us-east-1"}
    done = seat.other("bash", "-euo", "pipefail", "-c", script, env=env)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_from_the_first_key_to_the_last_session(cloud, seat, alice):
    first, then = blocks("AWS, from the first key to the last session")
    out = said(seat, first)
    assert "is enabled and proven" in out and '"Buckets"' in out
    assert not seat.credentials_file.exists(), "no key in clear"
    out = said(seat, then)
    assert "in step" in out and "user/alice" in out and out.count('"Buckets"') == 1
    # And a script of one's own, with a profile that holds the key.
    seat.write(seat.credentials_file, f"[mine]\naws_access_key_id = {alice.key}\naws_secret_access_key = {alice.secret}\n")
    (script,) = blocks("Codes for other programs")
    assert "ASIA" in said(seat, script)


def test_each_recipe_gives_one_line(cloud, seat):
    """The words that aws-vault, awsume and saml2aws are given, run as they run them: by sh, its output one code."""
    seat.add("my-idp")
    seat.ok("add", "Amazon Web Services:alice@123456789012", "--secret", "-", "--serial-number",
            "arn:aws:iam::123456789012:mfa/alice", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n")
    words = re.findall(r"(vmfa mfa-process [^\"`)]+)", chapter("Codes for other programs").split("|---|")[1])
    assert len(words) >= 3
    codes = [said(seat, f"/bin/sh -c '{word}'") for word in words]
    assert all(re.fullmatch(r"\d{6}\n", code) for code in codes), codes
    assert len(set(codes)) == len(codes), "none twice"
