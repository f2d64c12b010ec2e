"""A clock that is off: by a minute and a half it is made up for and told, by twenty minutes it is named as the reason."""

import json

import pytest


@pytest.mark.parametrize("offset", [-95, 95])
def test_enrolment(cloud, seat, user, offset):
    cloud.clock(offset)
    done = seat.run("aws", "enroll", "--profile", "base", "--propagation", "0", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["proven"], done.stderr
    assert ("behind" if offset > 0 else "ahead of") in done.stderr and "95 s" in done.stderr.replace("94 s", "95 s").replace("96 s", "95 s")
    assert [line["result"] for line in cloud.log("EnableMFADevice", "GetSessionToken")] == ["OK", "OK"], "no code was wasted"


@pytest.mark.parametrize("offset", [-245, -95, 95])
def test_a_session(cloud, seat, enrolled, offset):
    cloud.clock(offset)
    cloud.mark()
    done = seat.run("aws", "credentials", "--profile", "base", "--new")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["SessionToken"] and "this machine's clock is" in done.stderr
    assert [line["result"] for line in cloud.log("GetSessionToken")] == ["OK"], "the device list's answer told the time"


@pytest.mark.parametrize("offset", [-245, 95])
def test_a_session_whose_first_answer_is_a_refusal(cloud, seat, enrolled, offset):
    """With the device in the profile nothing tells the time before the first code is sent: the second is right."""
    seat.add_config(f"[profile base]\nmfa_serial = {enrolled.serial()}\n")
    cloud.clock(offset)
    cloud.mark()
    assert seat.credentials("base", "--new")["SessionToken"]
    assert [line["result"] for line in cloud.log("GetSessionToken")] == ["AccessDenied", "OK"]
    assert len(set(cloud.codes())) == 2


@pytest.mark.parametrize("offset", [1200, -1200])
def test_enrolment_twenty_minutes_off(cloud, seat, user, offset):
    cloud.clock(offset)
    side = "behind" if offset > 0 else "ahead of"
    seat.refused("aws", "enroll", "--profile", "base", code=8, says=["this machine's clock is 20 min " + side, "set this machine's clock"])
    assert not cloud.serials(user.name)
    cloud.clock(0)
    assert seat.enroll()["proven"]


@pytest.mark.parametrize("offset", [1200, -1200])
def test_a_session_twenty_minutes_off(cloud, seat, enrolled, offset):
    cloud.clock(offset)
    done = seat.refused("aws", "credentials", "--profile", "base", "--new", code=8, says=["clock is 20 min", "refuses the signature"])
    assert "set this machine's clock" in done.stderr


def test_a_few_seconds_are_nobody_s_business(cloud, seat, user):
    cloud.clock(12)
    done = seat.run("aws", "enroll", "--profile", "base", "--propagation", "0")
    assert done.returncode == 0 and "clock" not in done.stderr, done.stderr


def test_a_device_that_has_drifted_is_brought_into_step(cloud, seat, enrolled):
    """Six minutes off for AWS: codes are refused, resync mends it, and says so."""
    cloud.clock(360)
    said = seat.ok("aws", "resync", "--profile", "base")
    assert enrolled.serial() in said and "in step" in said
    assert cloud.log("ResyncMFADevice")[0]["result"] == "OK"
    assert seat.credentials("base", "--new")["SessionToken"]


def test_a_device_of_another_user_is_brought_into_step(cloud, seat, user):
    other = cloud.user()
    seat.enroll("--user", other.name)
    cloud.clock(360)
    seat.ok("aws", "resync", "--user", other.name, "--profile", "base")
    assert [line["result"] for line in cloud.log("ResyncMFADevice")] == ["OK"]
