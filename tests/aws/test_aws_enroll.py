"""`vmfa aws enroll`, from an empty home to a session of AWS's own command line, and what stands in its way."""

import base64
import json
import os
import re
import signal
import sys
import time

import boto3
import pytest
from cloud import ADMINISTRATOR, wait_until
from seat import right_code

TRIP = ["GetCallerIdentity", "ListMFADevices", "ListVirtualMFADevices", "CreateVirtualMFADevice", "EnableMFADevice", "GetSessionToken"]


@pytest.fixture
def force_mfa(cloud, seat):
    """A group with the policy that vmfa itself prints."""
    policy = seat.ok("aws", "policy", "force-mfa")
    json.loads(policy)
    return cloud.group(force=policy, all=ADMINISTRATOR)


def client_of(cloud, user, service):
    return boto3.client(service, endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=user.key,
                        aws_secret_access_key=user.secret)


def devices_of(seat, serial):
    return [account for account in seat.content()["accounts"] if account["serial_number"] == serial and not account["trashed"]]


def test_from_an_empty_home_to_a_session_of_aws(cloud, seat, force_mfa):
    user = cloud.user(policies=(), groups=[force_mfa])
    csv = seat.home / "accessKeys.csv"
    csv.write_text(f"Access key ID,Secret access key\n{user.key},{user.secret}\n")
    seat.ok("aws", "key", "add", "base", "--csv", csv)
    csv.unlink()
    assert not seat.config.exists() and not seat.credentials_file.exists()
    before = {"AWS_ACCESS_KEY_ID": user.key, "AWS_SECRET_ACCESS_KEY": user.secret, "AWS_DEFAULT_REGION": "us-east-1"}
    refused = seat.aws("s3api", "list-buckets", env=before)
    assert refused.returncode != 0 and "AccessDenied" in refused.stderr
    refused = seat.aws("iam", "list-users", env=before)
    assert refused.returncode != 0 and "with an explicit deny" in refused.stderr

    said = seat.ok("aws", "enroll", "--profile", "base", "--write-config", "p", "--propagation", "0")
    assert user.serial() in said and "proven" in said and "profile p" in said
    assert [device["SerialNumber"] for device in cloud.devices(user.name)] == [user.serial()]

    allowed = seat.aws("s3api", "list-buckets", "--profile", "p")
    assert allowed.returncode == 0 and "Buckets" in json.loads(allowed.stdout), allowed.stderr
    region = {"AWS_DEFAULT_REGION": "us-east-1"}
    assert seat.aws("iam", "list-users", "--profile", "p", env=region).returncode == 0
    told = json.loads(seat.aws("sts", "get-caller-identity", "--profile", "p", env=region).stdout)
    assert told["Arn"].endswith(f":user/{user.name}")
    assert seat.aws("s3api", "list-buckets", env=before).returncode != 0
    # The one code of the proof served all of them.
    assert len(cloud.log("GetSessionToken")) == 1
    assert [line["action"] for line in cloud.log() if line["agent"].startswith("aws-sdk-rust")] == TRIP
    # No key in clear was ever needed.
    assert user.secret not in seat.config.read_text() and not seat.credentials_file.exists()


def test_aws_is_told_to_enable_what_is_on_the_disk(cloud, seat, user):
    """Killed at the very request: the secret is there, and the codes that were sent are its codes."""
    cloud.tell("hold", at=1, action="EnableMFADevice", when="before")
    process = seat.start("aws", "enroll", "--profile", "base", "--propagation", "0")
    wait_until(lambda: cloud.ask("held"), "EnableMFADevice is asked for")
    at = cloud.now()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    [account] = devices_of(seat, user.serial())
    cloud.tell("release")
    wait_until(lambda: cloud.devices(user.name), "the device is enabled")
    [line] = cloud.log("EnableMFADevice")
    secret = base64.b32encode(bytes.fromhex(account["secret"])).decode()
    right = [right_code(secret, at - 30 * back) for back in (2, 1, 0)]
    assert line["codes"] in ([right[0], right[1]], [right[1], right[2]])


def test_the_vault_is_synced_before_aws_is_told(cloud, seat, user):
    """In the order of the system calls, by the moments of AWS's own log: the new vault's sync, its rename, the directory's sync."""
    trace = seat.root / "trace"
    done = seat.run("aws", "enroll", "--profile", "base", "--propagation", "0",
                    before=["strace", "-f", "-ttt", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", trace])
    assert done.returncode == 0, done.stderr
    created, enabled = (cloud.log(action)[0]["t"] for action in ("CreateVirtualMFADevice", "EnableMFADevice"))
    between = [line.split(None, 2)[2] for line in trace.read_text(errors="replace").splitlines()
               if created < float(line.split(None, 2)[1]) < enabled]
    if os.geteuid() == 0:
        # The vault's own files; the ledger's and the vault's lie side by side.
        folder = re.escape(str(seat.vault.parent))
        kinds = {rf"f(data)?sync\(\d+<{folder}/vault[^>]*>": "f", rf'rename.*{re.escape(seat.vault.name)}"[,)]': "r",
                 rf"f(data)?sync\(\d+<{folder}>": "d"}
        order = "".join(letter for line in between for kind, letter in kinds.items() if re.search(kind, line))
        assert re.search("f.*r.*d", order), f"{order}: {between}"
    else:
        # What keeps others out of vmfa's memory keeps strace from names: the vault's is one of two files that are replaced.
        order = "".join("r" if line.startswith("rename") else "s" for line in between)
        assert re.search("s+rs+.*s+r", order), f"{order}: {between}"


def point(number, drop):
    return pytest.param(number, drop, id=f"{number}-{'never carried out' if drop else 'answer lost'}")


@pytest.mark.parametrize(("number", "drop"), [point(number, drop) for number in range(1, len(TRIP) + 2) for drop in (True, False)])
def test_killed_after_every_request_and_resumed(cloud, seat, user, number, drop):
    cloud.tell("hold", at=number, when="before" if drop else "after")
    process = seat.start("aws", "enroll", "--profile", "base", "--propagation", "0")
    wait_until(lambda: cloud.ask("held") or process.poll() is not None, "a request is held, or all is done")
    if number > len(TRIP):
        # There is no such request any more: every point was passed.
        assert process.poll() == 0 and cloud.actions() == TRIP
        return
    assert cloud.ask("held")[0]["action"] == TRIP[number - 1]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    cloud.tell("release", drop=drop)
    time.sleep(0.1)

    again = seat.run("aws", "enroll", "--profile", "base", "--propagation", "0", "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert told["proven"] and told["serial_number"] == user.serial()
    assert cloud.serials(user.name) == {user.serial(): user.name}, "one device, enabled, and no orphan"
    assert len(devices_of(seat, user.serial())) == 1
    sent = cloud.codes()
    assert len(sent) == len(set(sent)), "no code twice"
    # The session of the proof serves, and a third run finds nothing to do but to prove.
    assert seat.aws("s3api", "list-buckets", env=as_environment(seat.credentials())).returncode == 0


def as_environment(told):
    return {"AWS_ACCESS_KEY_ID": told["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": told["SecretAccessKey"],
            "AWS_SESSION_TOKEN": told["SessionToken"], "AWS_DEFAULT_REGION": "us-east-1"}


def test_no_code_is_burnt_while_aws_is_telling_all_its_parts(cloud, seat, user):
    cloud.tell("settings", propagation=10)
    began = time.monotonic()
    said = seat.ok("aws", "enroll", "--profile", "base")
    assert "proven" in said and time.monotonic() - began > 10
    assert [line["result"] for line in cloud.log("GetSessionToken")] == ["OK"]


def test_propagation_that_takes_longer_is_waited_for(cloud, seat, user):
    cloud.tell("settings", propagation=8)
    assert seat.enroll()["proven"]
    tries = cloud.log("GetSessionToken")
    assert [line["result"] for line in tries] == ["AccessDenied", "OK"]
    assert len(set(cloud.codes())) == len(cloud.codes())


def test_the_ninth_device(cloud, seat, user):
    """As an administrator's work for a user."""
    other, iam = cloud.user(), cloud.root_client("iam")
    for number in range(8):
        enable(cloud, iam, other, f"{other.name}-{number}")
    seat.refused("aws", "enroll", "--profile", "base", "--user", other.name, code=8, says=["8 MFA devices", "no more", "vmfa aws remove"])
    assert len(cloud.serials(other.name)) == 8, "nothing was created"


def test_the_ninth_device_beside_our_own(cloud, seat, enrolled):
    for number in range(7):
        enable(cloud, cloud.root_client("iam"), enrolled, f"{enrolled.name}-{number}")
    seat.refused("aws", "enroll", "--profile", "base", "--device-name", f"{enrolled.name}-nine", code=8, says=["8 MFA devices", "vmfa aws remove"])
    assert len(cloud.serials(enrolled.name)) == 8, "nothing was created"


def test_the_ninth_device_beside_eight_of_somebody_else(cloud, seat, user):
    """That there is no room is what counts: no hint leads to where it can't go on."""
    for number in range(8):
        enable(cloud, cloud.root_client("iam"), user, f"{user.name}-{number}")
    seat.refused("aws", "enroll", "--profile", "base", code=8, says=["8 MFA devices", "no more"])
    assert len(cloud.serials(user.name)) == 8, "nothing was created"


def enable(cloud, iam, user, name, owner=None):
    """A device that somebody else enables, by codes of another implementation."""
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    seed, now = made["Base32StringSeed"].decode(), cloud.now()
    iam.enable_mfa_device(UserName=owner or user.name, SerialNumber=made["SerialNumber"],
                          AuthenticationCode1=right_code(seed, now - 30), AuthenticationCode2=right_code(seed, now))
    return seed


def test_a_device_of_the_same_user_that_somebody_else_enabled(cloud, seat, user):
    enable(cloud, cloud.root_client("iam"), user, user.name)
    seat.refused("aws", "enroll", "--profile", "base", code=9, says=[user.serial(), f"belongs to {user.name}", "--device-name"])
    assert cloud.serials(user.name) == {user.serial(): user.name}
    assert not devices_of(seat, user.serial())


def test_a_device_of_that_name_that_another_user_has(cloud, seat, user):
    other = cloud.user()
    enable(cloud, cloud.root_client("iam"), user, user.name, owner=other.name)
    for options in ([], ["--replace"]):
        seat.refused("aws", "enroll", "--profile", "base", *options, code=9, says=[f"belongs to {other.name}", "--device-name"])
    assert cloud.serials(user.name) == {user.serial(): other.name}
    assert seat.enroll("--device-name", f"{user.name}-mine")["proven"]


def test_one_more_device_beside_one_of_somebody_else_needs_that_one(cloud, seat, user):
    enable(cloud, cloud.root_client("iam"), user, f"{user.name}-phone")
    done = seat.refused("aws", "enroll", "--profile", "base", code=3, says=["none of the user's MFA devices is in this vault"])
    assert "--device-name" not in done.stderr, "that needs a session with MFA just the same"
    assert cloud.serials(user.name) == {user.serial(f"{user.name}-phone"): user.name}


def test_one_more_device_beside_our_own(cloud, seat, enrolled):
    assert seat.enroll("--device-name", f"{enrolled.name}-two")["proven"]
    assert set(cloud.serials(enrolled.name).values()) == {enrolled.name} and len(cloud.serials(enrolled.name)) == 2


def test_an_orphan_that_is_not_ours(cloud, seat, user):
    cloud.root_client("iam").create_virtual_mfa_device(VirtualMFADeviceName=user.name)
    done = seat.refused("aws", "enroll", "--profile", "base", code=9, says=["belongs to nobody", "--replace", user.serial()])
    assert user.serial() in done.stderr
    assert cloud.serials(user.name) == {user.serial(): None}, "it is left alone"
    told = seat.enroll("--replace")
    assert told["proven"] and not told["picked_up"]
    assert cloud.serials(user.name) == {user.serial(): user.name}


def test_an_orphan_when_listing_is_forbidden(cloud, seat):
    """Without ListVirtualMFADevices the name is found taken only when the device is made."""
    denied = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:ListVirtualMFADevices", "Resource": "*"}]})
    user = cloud.user(policies=[("p", denied)])
    seat.keys_of(user)
    cloud.root_client("iam").create_virtual_mfa_device(VirtualMFADeviceName=user.name)
    seat.refused("aws", "enroll", "--profile", "base", code=9, says=["belongs to nobody", "--replace"])
    assert cloud.serials(user.name) == {user.serial(): None}
    assert seat.enroll("--replace")["proven"]
    assert cloud.serials(user.name) == {user.serial(): user.name}


def test_for_another_user_by_an_administrator(cloud, seat, user):
    other = cloud.user()
    told = seat.enroll("--user", other.name)
    assert told["user"] == other.name and not told["proven"]
    assert cloud.serials(other.name) == {other.serial(): other.name}
    seat.keys_of(other, "theirs")
    assert seat.credentials("theirs")["AccessKeyId"].startswith("ASIA")


def test_the_root_user_is_told_where_to_go(seat):
    env = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    seat.refused("aws", "enroll", code=2, says=["root user", "console"], env=env)


def test_run_once_more_on_a_device_that_is_proven(cloud, seat, enrolled):
    told = seat.enroll()
    assert told["proven"] and told["picked_up"]
    assert cloud.serials(enrolled.name) == {enrolled.serial(): enrolled.name}
    assert cloud.actions().count("CreateVirtualMFADevice") == 1


def test_what_is_told_about_the_config_does_work(cloud, seat, user):
    """Without --write-config the lines to copy are printed; copied, they serve."""
    said = seat.ok("aws", "enroll", "--profile", "base", "--propagation", "0")
    lines = said[said.index("[profile base-mfa]"):]
    seat.write(seat.config, lines)
    assert seat.aws("s3api", "list-buckets", "--profile", "base-mfa", env={"AWS_DEFAULT_REGION": "us-east-1"}).returncode == 0


def test_write_config_keeps_what_stands_there(cloud, seat, user):
    text = "# mine\n[default]\nregion = eu-west-1  \n\n; theirs\n[profile other]\noutput=json\n# last, without an end"
    seat.write(seat.config, text)
    said = seat.ok("aws", "enroll", "--profile", "base", "--propagation", "0", "--write-config", "p")
    after = seat.config.read_text()
    assert after.startswith(text) and after.count("[profile p]") == 1
    backups = [path for path in seat.config.parent.iterdir() if path not in (seat.config, seat.credentials_file)]
    assert [path.read_text() for path in backups if path.read_text() == text] == [text], "a backup of it as it was"
    assert all(not path.stat().st_mode & 0o077 for path in backups)
    assert any(path.name in said for path in backups)
    assert seat.aws("s3api", "list-buckets", "--profile", "p").returncode == 0
    listed = seat.other(sys.executable, "-c", "import boto3; print(*sorted(boto3.Session().available_profiles))")
    assert listed.stdout.split() == ["base", "default", "other", "p"], listed.stderr


def test_write_config_leaves_another_s_profile_alone(cloud, seat, user):
    seat.keys_of(user, "p")
    before = seat.credentials_file.read_text()
    seat.refused("aws", "enroll", "--profile", "base", "--write-config", "p", code=9, says="an access key already")
    assert seat.credentials_file.read_text() == before and not cloud.log(), "refused before anything was asked"


def breaks(action, lost):
    """The pair that follows one whose fate isn't known takes half a minute."""
    slow = action == "EnableMFADevice"
    return pytest.param(action, lost, marks=[pytest.mark.long] if slow else [])


@pytest.mark.parametrize(("action", "lost"), [breaks(action, lost) for action in TRIP for lost in ("drop", "lose")])
def test_a_connection_that_breaks_at_one_request(cloud, seat, user, action, lost):
    """Whatever was carried out or not: this run or the next ends with one device, proven."""
    cloud.fault(action, lost)
    first = seat.run("aws", "enroll", "--profile", "base", "--propagation", "0")
    if first.returncode != 0:
        assert first.returncode in (8, 9) and action in first.stderr, first.stderr
        assert seat.enroll()["proven"]
    assert cloud.serials(user.name) == {user.serial(): user.name}
    assert len(devices_of(seat, user.serial())) == 1
    assert len(set(cloud.codes())) == len(cloud.codes())
