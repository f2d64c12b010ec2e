"""Devices that are there already: rotated, renamed, removed; and a link that signs a browser in."""

import json
import os
import signal
import urllib.error
import urllib.parse
import urllib.request

import pytest
from cloud import wait_until

PROPAGATION = ["--propagation", "0"]


def live(seat, prefix):
    return {account["serial_number"] for account in seat.content()["accounts"]
            if account["serial_number"].rsplit("/", 1)[-1].startswith(prefix) and not account["trashed"]}


def trashed(seat):
    return {account["serial_number"] for account in seat.content()["accounts"] if account["trashed"]}


def test_rotate(cloud, seat, enrolled):
    old, new = enrolled.serial(), enrolled.serial(f"{enrolled.name}-2")
    cloud.mark()
    said = seat.ok("aws", "rotate", "--profile", "base", *PROPAGATION)
    assert f"{new}: enabled and proven" in said and f"{old}: removed" in said
    assert cloud.serials(enrolled.name) == {new: enrolled.name}
    assert live(seat, enrolled.name) == {new} and old in trashed(seat)
    order = cloud.actions()
    proof = max(n for n, line in enumerate(cloud.log()) if line["action"] == "GetSessionToken" and line["serial"] == new)
    assert order.index("EnableMFADevice") < proof < order.index("DeactivateMFADevice") < order.index("DeleteVirtualMFADevice")
    told = seat.credentials("base", "--new")
    assert told["SessionToken"]


ROTATION = ["CreateVirtualMFADevice", "EnableMFADevice", "GetSessionToken", "DeactivateMFADevice", "DeleteVirtualMFADevice"]


def killed(action, drop):
    """A pair of codes that nobody knows the fate of isn't sent again: the next one takes up to a minute."""
    slow = drop and action == "EnableMFADevice"
    return pytest.param(action, drop, id=f"{action}-{'never carried out' if drop else 'answer lost'}", marks=[pytest.mark.long] if slow else [])


@pytest.mark.parametrize(("action", "drop"), [killed(action, drop) for action in ROTATION for drop in (True, False)])
def test_a_rotation_killed_and_resumed(cloud, seat, enrolled, action, drop):
    """The same command again ends it: one device that works, nothing left over on either side."""
    cloud.mark()
    cloud.tell("hold", at=1, action=action, when="before" if drop else "after")
    words = ["aws", "rotate", enrolled.name, "--profile", "base", "--device-name", f"{enrolled.name}-b", *PROPAGATION]
    process = seat.start(*words)
    wait_until(lambda: cloud.ask("held") or process.poll() is not None, "it is on the way")
    assert cloud.ask("held"), process.communicate()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    cloud.tell("release", drop=drop)
    again = seat.run(*words)
    new = enrolled.serial(f"{enrolled.name}-b")
    assert cloud.serials(enrolled.name) == {new: enrolled.name}, again.stderr
    assert live(seat, enrolled.name) == {new}, again.stderr
    assert again.returncode == 0, again.stderr
    sent = cloud.codes()
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize(("action", "drop"), [("DeactivateMFADevice", True), ("DeactivateMFADevice", False),
                                              ("DeleteVirtualMFADevice", True), ("DeleteVirtualMFADevice", False)])
def test_a_removal_killed_and_resumed(cloud, seat, enrolled, action, drop):
    cloud.tell("hold", at=1, action=action, when="before" if drop else "after")
    words = ["aws", "remove", enrolled.name, "--profile", "base", "--last"]
    process = seat.start(*words)
    wait_until(lambda: cloud.ask("held"), "it is on the way")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    cloud.tell("release", drop=drop)
    again = seat.run(*words)
    assert not cloud.serials(enrolled.name) and not live(seat, enrolled.name), again.stderr
    assert again.returncode == 0, again.stderr


def test_rename(cloud, seat, enrolled):
    new = enrolled.serial(f"{enrolled.name}-laptop")
    said = seat.ok("aws", "rename", enrolled.name, f"{enrolled.name}-laptop", "--profile", "base", *PROPAGATION)
    assert new in said
    assert cloud.serials(enrolled.name) == {new: enrolled.name} and live(seat, enrolled.name) == {new}


def test_rename_to_a_name_that_is_taken(cloud, seat, enrolled):
    other = cloud.root_client("iam").create_virtual_mfa_device(VirtualMFADeviceName=f"{enrolled.name}-x")
    serial = other["VirtualMFADevice"]["SerialNumber"]
    seat.refused("aws", "rename", enrolled.name, f"{enrolled.name}-x", "--profile", "base", *PROPAGATION, code=9, says=serial)
    assert cloud.serials(enrolled.name) == {enrolled.serial(): enrolled.name, serial: None}


def test_the_last_device_stays(cloud, seat, enrolled):
    cloud.mark()
    seat.refused("aws", "remove", "--profile", "base", code=2, says=["only MFA device", "--last"])
    assert "DeactivateMFADevice" not in cloud.actions()
    assert live(seat, enrolled.name) == {enrolled.serial()}
    said = seat.ok("aws", "remove", "--profile", "base", "--last")
    assert enrolled.serial() in said
    assert not cloud.serials(enrolled.name) and not live(seat, enrolled.name)
    assert enrolled.serial() in trashed(seat), "the trash has it, in case AWS's side wasn't meant"
    seat.refused("aws", "credentials", "--profile", "base", code=3, says="vmfa aws enroll")


def test_one_of_two(cloud, seat, enrolled):
    seat.enroll("--device-name", f"{enrolled.name}-two")
    seat.refused("aws", "remove", "--profile", "base", code=3, says=["more than one", f"{enrolled.name}-two"])
    seat.ok("aws", "remove", f"{enrolled.name}-two", "--profile", "base")
    assert cloud.serials(enrolled.name) == {enrolled.serial(): enrolled.name}
    seat.refused("aws", "remove", "other", "--profile", "base", code=3, says=["no MFA device other", enrolled.serial()])


def test_by_an_administrator_for_another_user(cloud, seat, enrolled):
    other = cloud.user()
    seat.enroll("--user", other.name)
    seat.refused("aws", "remove", "--user", other.name, "--profile", "base", code=2, says="--last")
    seat.ok("aws", "remove", "--user", other.name, "--profile", "base", "--last")
    assert not cloud.serials(other.name)


def test_an_account_that_aws_forgot_is_enrolled_anew(cloud, seat, enrolled):
    """Somebody else removed it: what is in the vault goes into the trash, and a new one is made."""
    iam = cloud.root_client("iam")
    iam.deactivate_mfa_device(UserName=enrolled.name, SerialNumber=enrolled.serial())
    iam.delete_virtual_mfa_device(SerialNumber=enrolled.serial())
    told = seat.enroll()
    assert told["proven"] and not told["picked_up"]
    assert live(seat, enrolled.name) == {enrolled.serial()} == trashed(seat)


def test_a_session_of_a_removed_device_is_forgotten(cloud, seat, enrolled):
    first = seat.credentials()
    seat.ok("aws", "remove", "--profile", "base", "--last")
    assert seat.enroll()["proven"]
    assert seat.credentials()["AccessKeyId"] != first["AccessKeyId"]


# --- sign-in ---

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def follow(link):
    try:
        with urllib.request.build_opener(Stay).open(link, timeout=30) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location")


@pytest.fixture
def ops(cloud, seat, enrolled):
    seat.add_config(f"[profile ops]\nrole_arn = {cloud.role()}\nsource_profile = base\n"
                    f"[profile long]\nrole_arn = {cloud.role()}\nsource_profile = base\nduration_seconds = 7200\n")
    return ["--endpoint", f"{cloud.url}/_strict/federation"]


def test_a_sign_in_link(cloud, seat, ops):
    out = seat.ok("aws", "login", "--profile", "ops", *ops)
    link = out.strip()
    assert out.count("\n") == 1 and link.startswith(f"{cloud.url}/_strict/federation?Action=login")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    assert query["Destination"] == "https://console.aws.amazon.com/" and query["SigninToken"]
    assert follow(link) == (302, "https://console.aws.amazon.com/")
    assert follow(link.replace("SigninToken=", "SigninToken=x"))[0] == 400


def test_a_sign_in_link_to_a_place(seat, ops):
    place = "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1&tab=a b#x"
    link = seat.ok("aws", "login", "--profile", "ops", "--destination", place, *ops).strip()
    assert dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))["Destination"] == place


def test_how_long_the_console_lasts(seat, ops):
    """Only a role that was had with a code may say it."""
    link = seat.ok("aws", "login", "--profile", "long", "--console-duration", "36000", *ops).strip()
    assert follow(link)[0] == 302
    seat.refused("aws", "login", "--profile", "ops", "--console-duration", "36000", *ops, code=8, says="GetSigninToken")
    seat.refused("aws", "login", "--profile", "ops", "--console-duration", "60", *ops, code=2, says="900 to 43200")


def test_no_link_without_a_role(seat, ops):
    seat.refused("aws", "login", "--profile", "base", *ops, code=2, says=["role_arn", "hint:"])


def test_no_session_goes_out_in_clear(seat, ops):
    for endpoint in ("http://example.com/federation", "http://127.0.0.1.example.com/", "http://localhost@example.com/", "ftp://x/"):
        seat.refused("aws", "login", "--profile", "ops", "--endpoint", endpoint, code=2, says="in clear")


def test_import_csv(cloud, seat, user):
    password = "Xy-first-7!password"
    link = "https://123456789012.signin.aws.amazon.com/console"
    csv = seat.root / "credentials.csv"
    csv.write_text(f"﻿User name,Password,Console sign-in URL\r\n{user.name},{password},{link}\r\n")
    out = seat.ok("aws", "import-csv", csv)
    assert user.name in out and link in out and "vmfa aws enroll" in out and password not in out
    told = json.loads(seat.ok("aws", "import-csv", csv, "--json"))
    assert told[0]["user"] == user.name and told[0]["console"]["account_id"] == "123456789012" and told[0]["password_in_file"]
    csv.unlink()
    seat.enroll()
    [account] = [a for a in seat.content()["accounts"] if a["serial_number"] == user.serial()]
    assert link in account["note"], "what the file said of the account to come"
    for path in seat.root.rglob("*"):
        if path.is_file():
            assert password.encode() not in path.read_bytes(), path
