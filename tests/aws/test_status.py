"""`vmfa aws status`: what the caller may see of itself, and an administrator of five users."""

import datetime as dt
import json

import pyotp
import pytest
from cloud import ADMINISTRATOR

PARTIAL = json.dumps({"Version": "2012-10-17", "Statement": {
    "Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}})


@pytest.fixture
def force_mfa(cloud, seat):
    """A group with the policy that vmfa itself prints."""
    return cloud.group(force=seat.ok("aws", "policy", "force-mfa"))


def status(seat, *options, profile="base"):
    return json.loads(seat.ok("aws", "status", "--profile", profile, "--json", *options))


def found(told):
    return {finding["id"]: finding["names"] for finding in told["findings"]}


def test_the_caller_sees_its_device_in_step(cloud, seat, force_mfa):
    user = cloud.user(groups=[force_mfa])
    seat.keys_of(user)
    seat.enroll()
    cloud.mark()
    told = status(seat)
    assert told["caller"]["user"] == user.name and told["hidden"] == {}
    [device] = told["devices"]
    assert device["serial_number"] == user.serial() and device["step"] == "in-step"
    assert device["account"]["label"] == f"Amazon Web Services:{user.name}@123456789012"
    [key] = told["access_keys"]
    assert key["access_key_id"] == user.key and key["active"] and key["age_days"] == 0 and not key["old"]
    assert told["force_mfa"] is True and told["lack"] is None and told["findings"] == []
    # The session of the proof still stands: looking uses up no code, and only that session may look.
    assert cloud.codes() == [] and cloud.log("GetAccountAuthorizationDetails", result="OK")
    shown = seat.ok("aws", "status", "--profile", "base")
    assert "in step" in shown and "nothing to do" in shown


def test_a_device_that_was_made_anew_elsewhere_has_drifted(cloud, seat, enrolled):
    iam, serial = cloud.root_client("iam"), enrolled.serial()
    iam.deactivate_mfa_device(UserName=enrolled.name, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    seed = iam.create_virtual_mfa_device(VirtualMFADeviceName=enrolled.name)["VirtualMFADevice"]["Base32StringSeed"]
    other, now = pyotp.TOTP(seed if isinstance(seed, str) else seed.decode()), int(cloud.now())
    iam.enable_mfa_device(UserName=enrolled.name, SerialNumber=serial,
                          AuthenticationCode1=other.at(now - 30), AuthenticationCode2=other.at(now))
    seat.refused("aws", "credentials", "--profile", "base", "--new", code=8)
    # The session from before stands still, as it does at AWS. Without it a code has to tell.
    for held in seat.root.rglob("*.session"):
        held.unlink()
    told = status(seat)
    assert [device["step"] for device in told["devices"]] == ["drifted"]
    assert found(told)["drifted"] == [serial]


def test_what_is_denied_is_named_and_no_error(cloud, seat):
    user = cloud.user(policies=())
    seat.keys_of(user)
    told = status(seat)
    assert set(told["hidden"]) == {"devices", "access_keys", "password_policy", "force_mfa"}
    assert told["hidden"]["access_keys"] == "not allowed to see (iam:ListAccessKeys)"
    assert told["devices"] is told["access_keys"] is told["force_mfa"] is None and told["findings"] == []
    assert "nothing to do" not in seat.ok("aws", "status", "--profile", "base")
    seat.refused("aws", "status", "--profile", "base", "--all-users", code=8, says="iam:GetCredentialReport")


def test_an_administrator_sees_five_users(cloud, seat, force_mfa):
    iam = cloud.root_client("iam")
    admin = cloud.user(groups=[force_mfa])
    seat.keys_of(admin)
    seat.enroll()
    plain, partial = cloud.user(policies=()), cloud.user(policies=[("some", PARTIAL)])
    grouped = cloud.user(policies=(), groups=[force_mfa])
    lone = cloud.group(all=ADMINISTRATOR)
    iam.add_user_to_group(GroupName=lone, UserName=plain.name)
    console = f"{plain.name}-c"
    iam.create_user(UserName=console)
    iam.create_login_profile(UserName=console, Password="Correct-Horse-9")
    iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{console}-left")

    told = status(seat, "--all-users")
    users = {user["name"]: user for user in told["users"]}
    assert {name for name, user in users.items() if user["mfa"]} >= {admin.name}
    assert [device["step"] for device in users[admin.name]["devices"]] == ["in-step"]
    without = {plain.name, partial.name, grouped.name, console}
    names = found(told)
    assert without <= set(names["no-mfa"]) and admin.name not in names["no-mfa"]
    assert {plain.name, partial.name, console} <= set(names["no-force-mfa"])
    assert not {admin.name, grouped.name} & set(names["no-force-mfa"])
    assert (users[partial.name]["lack"], users[plain.name]["lack"]) == ("partial", "no-deny")
    assert lone in names["group-no-force-mfa"] and force_mfa not in names["group-no-force-mfa"]
    assert f"arn:aws:iam::123456789012:mfa/{console}-left" in names["unassigned-device"]
    assert users[console]["console_password"] is True and users[console]["access_keys"] == []
    [key] = users[plain.name]["access_keys"]
    made = dt.datetime.fromtimestamp(key["created"], dt.timezone.utc)
    listed = iam.list_access_keys(UserName=plain.name)["AccessKeyMetadata"][0]["CreateDate"]
    assert abs((made - listed).total_seconds()) < 2

    shown = seat.ok("aws", "status", "--profile", "base", "--all-users")
    [line] = [line for line in shown.splitlines() if line.startswith(plain.name + " ")]
    assert line.split()[1:] == ["NONE", "-", "-", "0", "d", "no", "NO"]
    assert f"{len(names['no-mfa'])} users have no MFA: " in shown
