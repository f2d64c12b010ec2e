"""Sessions of AWS that are held sealed: whatever fails while one is written, none is half there, and the vault is untouched."""

import json
import sys
from pathlib import Path

import pytest
from harness import House, every, sample, sweep

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "aws"))
from cloud import cloud  # noqa: E402

ASK = ("aws", "credentials", "--profile", "ops", "--no-agent")


@pytest.fixture
def house(vmfa, tmp_path):
    """A user with a device, whose session is held, and a role that is had with it: no code is needed for another session of it."""
    assert (vmfa.parent / "vmfa-aws").exists(), "vmfa-aws is not built: cargo build --bins"
    with cloud() as aws:
        env = {"AWS_ENDPOINT_URL": aws.url, "AWS_EC2_METADATA_DISABLED": "true"}
        house = House(tmp_path / "house", [vmfa], env).furnish()
        user, role = aws.user(), aws.role()
        (house.home / ".aws").mkdir()
        (house.home / ".aws/credentials").write_text(f"[base]\naws_access_key_id = {user.key}\naws_secret_access_key = {user.secret}\n")
        house.must("aws", "enroll", "--profile", "base", "--propagation", "0")
        (house.home / ".aws/config").write_text("".join(
            f"[profile {name}]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = {user.serial()}\nrole_session_name = {name}\n"
            for name in ("first", "ops")))
        house.must("aws", "credentials", "--profile", "first")
        yield house


def held(house):
    """The sessions in their place."""
    return {file.name for file in house.home.rglob("*.session")}


def answer(done):
    told = json.loads(done.out)
    assert set(told) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}, sorted(told)
    return told


def test_a_session_is_held_whole_or_not_at_all(house, tmp_path, long, figures, evidence):
    names, before = house.names(), held(house)

    def judge(here, done):
        assert here.names() == names and here.alpha_lives(), f"the vault doesn't open: {here.run('list', '--json').says}"
        assert done.code == 0 or not done.out, "half an answer"
        is_held = held(here) != before
        now = answer(here.must(*ASK))
        # One that is held is the one that was told, or, where the program was killed first, one that nobody was told.
        assert not is_held or done.code != 0 or now == answer(done), "another session is held than was told"
        # Nothing that was left behind stops the next one from being held.
        assert answer(here.must(*ASK)) == now, "the next one isn't held"
        return "new" if is_held else "old"

    # It asks vmfa-aws, a process of its own, which is left alone.
    choose = {"choose": every, "since": "change"} if long else {"choose": sample, "since": "change"}
    tally = sweep("session", house, ASK, judge, tmp_path, alone=False, **choose)
    figures(str(tally))
    evidence("calls", cases=tally.cases, faults=tally.hit, losses=len(tally.lost))
    assert not tally.lost, "\n".join([str(tally), *tally.lost])
    assert tally.ends["old"] and tally.ends["new"], f"{tally}: the faults came all too early or all too late"
