"""`vmfa aws credentials`: sessions of users and roles, how long they are held, and what leads in circles."""

import datetime
import json
import re
import subprocess

import boto3
import pytest
from botocore.config import Config
from cloud import ACCOUNT, REGIONS, wait_until
from seat import PATIENCE


def ends_in(told, cloud):
    return datetime.datetime.fromisoformat(told["Expiration"]).timestamp() - cloud.now()


def whoami(cloud, told, partition="aws"):
    sts = boto3.client("sts", endpoint_url=cloud.url, region_name=REGIONS[partition], aws_access_key_id=told["AccessKeyId"],
                       aws_secret_access_key=told["SecretAccessKey"], aws_session_token=told["SessionToken"],
                       config=Config(retries={"total_max_attempts": 1}))
    return sts.get_caller_identity()["Arn"]


def ours(cloud):
    """What vmfa called, not the test."""
    return [line for line in cloud.log() if line["agent"].startswith("aws-sdk-rust")]


# --- roles ---

def test_a_role_for_two_hours_is_had_directly_with_a_code(cloud, seat, enrolled):
    role = cloud.role()
    seat.add_config(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = {enrolled.serial()}\nduration_seconds = 7200\n"
                    "role_session_name = tester\n")
    cloud.mark()
    told = seat.credentials("ops")
    assert 7100 < ends_in(told, cloud) <= 7200
    assert whoami(cloud, told).endswith("/tester")
    sts = [line for line in ours(cloud) if line["service"] == "sts"]
    assert [line["action"] for line in sts] == ["AssumeRole"], "one call, and no session of the user's before it"
    assert sts[0]["codes"] and sts[0]["serial"] == enrolled.serial() and sts[0]["seconds"] == "7200"
    assert seat.credentials("ops") == told, "held"


def test_an_hour_of_a_role_is_chained_from_the_session_that_is_held(cloud, seat, enrolled):
    roles = [cloud.role() for _ in range(2)]
    for number, role in enumerate(roles):
        seat.add_config(f"[profile ops{number}]\nrole_arn = {role}\nsource_profile = base\nmfa_serial = {enrolled.serial()}\n")
    cloud.mark()
    for number, role in enumerate(roles):
        told = seat.credentials(f"ops{number}")
        assert 3500 < ends_in(told, cloud) <= 3600
        assert f"assumed-role/{role.rsplit('/', 1)[-1]}/" in whoami(cloud, told)
    calls = [(line["action"], bool(line["codes"])) for line in ours(cloud) if line["service"] == "sts"]
    assert calls == [("GetSessionToken", True), ("AssumeRole", False), ("AssumeRole", False)], "one code for both"


def test_a_role_of_a_role(cloud, seat, enrolled):
    first, second = cloud.role(), cloud.role(mfa=False)
    seat.add_config(f"[profile one]\nrole_arn = {first}\nsource_profile = base\n[profile two]\nrole_arn = {second}\nsource_profile = one\n"
                    "duration_seconds = 7200\n")
    told = seat.credentials("two")
    assert second.rsplit("/", 1)[-1] in whoami(cloud, told)
    assert ends_in(told, cloud) <= 3600, "what is chained lasts an hour, whatever the profile says"


def test_what_the_profile_says_of_a_role_is_sent(cloud, seat, enrolled):
    role = cloud.role(mfa=False, conditions={"StringEquals": {"sts:ExternalId": "of-ours"}})
    # The stand-in knows no external IDs in conditions: that it arrives is what is seen.
    seat.add_config(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nexternal_id = of-ours\nrole_session_name = name-1\n")
    seat.run("aws", "credentials", "--profile", "ops")
    [line] = cloud.log("AssumeRole")
    assert (line["external_id"], line["session_name"], line["role"]) == ("of-ours", "name-1", role)


def test_longer_than_the_role_allows(cloud, seat, enrolled):
    role = cloud.role(longest=3600)
    seat.add_config(f"[profile ops]\nrole_arn = {role}\nsource_profile = base\nduration_seconds = 10800\n")
    seat.refused("aws", "credentials", "--profile", "ops", code=8, says=["AssumeRole", "MaxSessionDuration", "ask for less"])


def test_thirty_six_hours(cloud, seat, enrolled):
    told = seat.credentials("base", "--duration", "129600")
    assert 129500 < ends_in(told, cloud) <= 129600


# --- partitions ---

@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("by", ["region", "device"])
def test_other_partitions(cloud, seat, partition, by):
    user = cloud.user(partition=partition)
    seat.keys_of(user, region=REGIONS[partition])
    told = seat.enroll("--write-config", "p")
    assert told["proven"] and told["serial_number"].startswith(f"arn:{partition}:iam::{ACCOUNT}:mfa/")
    role = cloud.role(partition)
    region = f"region = {REGIONS[partition]}\n" if by == "region" else ""
    # The partition decides the region where the profile has none.
    seat.write(seat.config, f"[profile base]\n{region}mfa_serial = {user.serial()}\n[profile ops]\n{region}role_arn = {role}\n"
               f"source_profile = base\nmfa_serial = {user.serial()}\nduration_seconds = 7200\n"
               f"[profile p]\n{seat.process_line()}region = {REGIONS[partition]}\n")
    assert whoami(cloud, seat.credentials(), partition).startswith(f"arn:{partition}:iam::")
    assert whoami(cloud, seat.credentials("ops"), partition).startswith(f"arn:{partition}:sts::{ACCOUNT}:assumed-role/")
    done = seat.aws("sts", "get-caller-identity", "--profile", "p")
    assert done.returncode == 0 and f"arn:{partition}:" in done.stdout, done.stderr


# --- how long a session is held ---

def test_a_session_that_ends_in_14_minutes_is_renewed(cloud, seat, enrolled):
    cloud.tell("expiry", seconds=14 * 60)
    first = seat.credentials("base", "--new")
    cloud.tell("expiry")
    cloud.mark()
    second = seat.credentials()
    assert second["AccessKeyId"] != first["AccessKeyId"] and ends_in(second, cloud) > 900
    assert [line["result"] for line in cloud.log("GetSessionToken")] == ["OK"]


def test_a_session_that_ends_in_16_minutes_is_not(cloud, seat, enrolled):
    cloud.tell("expiry", seconds=16 * 60)
    first = seat.credentials("base", "--new")
    cloud.tell("expiry")
    cloud.mark()
    assert seat.credentials() == first and not cloud.log()


def test_a_role_s_session_that_ends_in_14_minutes_is_renewed(cloud, seat, enrolled):
    seat.add_config(f"[profile ops]\nrole_arn = {cloud.role()}\nsource_profile = base\n")
    seat.credentials()
    cloud.tell("expiry", seconds=14 * 60)
    first = seat.credentials("ops")
    cloud.tell("expiry", seconds=16 * 60)
    second = seat.credentials("ops")
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert seat.credentials("ops") == second


def test_no_two_profiles_share_what_differs(cloud, seats):
    """Two users in one vault, each with the own session."""
    seat = seats()
    for name in ("one", "two"):
        user = cloud.user()
        seat.keys_of(user, name)
        seat.enroll(profile=name)
    arns = {name: whoami(cloud, seat.credentials(name)) for name in ("one", "two", "one", "two")}
    assert len(set(arns.values())) == 2


# --- whose credentials sign ---

def test_keys_of_the_environment(cloud, seat, user):
    env = {"AWS_ACCESS_KEY_ID": user.key, "AWS_SECRET_ACCESS_KEY": user.secret}
    seat.credentials_file.unlink()
    told = json.loads(seat.ok("aws", "enroll", "--propagation", "0", "--json", env=env))
    assert told["proven"]
    out = json.loads(seat.ok("aws", "credentials", env=env))
    assert whoami(cloud, out).endswith(user.name)


def test_the_profile_of_the_environment(cloud, seat, enrolled):
    assert whoami(cloud, json.loads(seat.ok("aws", "credentials", env={"AWS_PROFILE": "base"}))).endswith(enrolled.name)


def test_an_endpoint_of_the_profile(cloud, seat, user):
    seat.env.pop("AWS_ENDPOINT_URL")
    seat.add_config(f"[profile base]\nregion = us-east-1\nendpoint_url = {cloud.url}\n")
    assert seat.enroll()["proven"]


def test_endpoints_of_a_services_section(cloud, seat, user):
    seat.env.pop("AWS_ENDPOINT_URL")
    seat.add_config("[profile base]\nregion = us-east-1\nservices = here\n"
                    f"[services here]\niam =\n  endpoint_url = {cloud.url}\nsts =\n  endpoint_url = {cloud.url}\n")
    assert seat.enroll()["proven"]


def test_a_session_s_keys_give_no_session(cloud, seat, enrolled):
    told = seat.credentials()
    env = {"AWS_ACCESS_KEY_ID": told["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": told["SecretAccessKey"], "AWS_SESSION_TOKEN": told["SessionToken"]}
    seat.refused("aws", "credentials", code=2, says="those of a session", env=env)


# --- profiles that lead in circles ---

def circle(seat, name, line, **env):
    done = seat.run("aws", "credentials", "--profile", name, env=env)
    assert done.returncode == 2 and not done.stdout, f"{done.returncode}: {done.stdout}{done.stderr}"
    assert re.search(rf"config.*\b{line}\b|line {line}\b", done.stderr), done.stderr
    return done.stderr


def test_a_profile_that_points_at_itself(cloud, seat, enrolled):
    seat.write(seat.config, f"# one\n[profile p]\n{seat.process_line('p')}")
    assert "hint:" in circle(seat, "p", 3)
    assert not cloud.log("GetSessionToken")[1:]


def test_a_profile_that_points_at_itself_through_a_shell(seat, enrolled):
    seat.write(seat.config, f"[profile p]\ncredential_process = sh -c \"exec {seat.vmfa} aws credentials --profile p\"\n")
    circle(seat, "p", 2)


def test_a_profile_that_points_at_itself_through_a_script(cloud, seat, enrolled):
    """Nobody reads scripts: the second vmfa sees that it was started by the first, and neither goes on for ever."""
    script = seat.root / "get-session"
    script.write_text(f"#!/bin/sh\nexec {seat.vmfa} aws credentials --profile p\n")
    script.chmod(0o755)
    seat.write(seat.config, f"[profile p]\ncredential_process = {script}\n")
    done = seat.refused("aws", "credentials", "--profile", "p", code=2, says="is asked for them itself")
    assert "credential_process" in done.stderr
    through_aws = seat.aws("s3api", "list-buckets", "--profile", "p")
    assert through_aws.returncode != 0 and "is asked for them itself" in through_aws.stderr


def test_a_profile_that_points_at_itself_through_a_source_profile(seat, enrolled):
    seat.write(seat.config, f"[profile p]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/r\nsource_profile = q\n[profile q]\n{seat.process_line('p')}")
    circle(seat, "p", 5)


def test_two_profiles_that_are_each_other_s_source(seat, enrolled):
    role = f"role_arn = arn:aws:iam::{ACCOUNT}:role/r\n"
    seat.write(seat.config, f"[profile p]\n{role}source_profile = q\n[profile q]\n{role}source_profile = p\n")
    circle(seat, "p", 3)


def test_a_profile_whose_static_keys_go_first(cloud, seat, enrolled):
    """botocore takes the keys and never runs the process: so there is no circle, and the keys sign."""
    seat.write(seat.config, f"[profile base]\n{seat.process_line('base')}")
    told = seat.credentials("base", "--new")
    assert told["SessionToken"]
    done = seat.aws("s3api", "list-buckets", "--profile", "base")
    assert done.returncode == 0, done.stderr
    [line] = [line for line in cloud.log("ListAllMyBuckets")]
    assert line["key"] == enrolled.key, "the long-term key signed: static keys go first"


def test_a_key_in_the_vault_ends_the_circle(cloud, seat, user):
    seat.ok("aws", "key", "add", "p", "--csv", csv_of(seat, user))
    seat.credentials_file.unlink()
    seat.write(seat.config, f"[profile p]\nregion = us-east-1\n{seat.process_line('p')}")
    assert seat.enroll(profile="p")["proven"]
    done = seat.aws("s3api", "list-buckets", "--profile", "p")
    assert done.returncode == 0, done.stderr


def csv_of(seat, user):
    path = seat.root / "accessKeys.csv"
    path.write_text(f"Access key ID,Secret access key\n{user.key},{user.secret}\n")
    return path


# --- nobody to ask ---

def test_no_terminal_and_nothing_that_opens_the_vault(seat, enrolled):
    done = seat.refused("aws", "credentials", "--profile", "base", code=4, says="hint:", passphrase=False)
    assert "vmfa unlock" in done.stderr or "passphrase" in done.stderr
    done = seat.aws("s3api", "list-buckets", "--profile", "p", env={"VMFA_PASSPHRASE_FILE": None})
    seat.write(seat.config, f"[profile p]\n{seat.process_line()}")
    done = seat.aws("s3api", "list-buckets", "--profile", "p", env={"VMFA_PASSPHRASE_FILE": None})
    assert done.returncode != 0 and "vmfa" in done.stderr, "aws shows what vmfa said"


def test_the_agent_serves_without_a_terminal(cloud, seat, enrolled):
    seat.unlock()
    out = seat.ok("aws", "credentials", "--profile", "base", "--new", passphrase=False)
    assert whoami(cloud, json.loads(out)).endswith(enrolled.name)


def test_a_session_held_by_the_agent_is_served_by_the_vault_too(cloud, seat, enrolled):
    seat.unlock()
    first = json.loads(seat.ok("aws", "credentials", "--profile", "base", "--new", passphrase=False))
    seat.ok("lock", passphrase=False)
    cloud.mark()
    second = seat.credentials()
    assert second["SessionToken"]
    assert len(cloud.log("GetSessionToken")) <= 1
    assert first["AccessKeyId"] == second["AccessKeyId"], "sealed for whoever opens the same vault"


def test_output_that_is_closed(cloud, seat, enrolled):
    """Nobody would get the session: none is asked for, no code is used."""
    cloud.mark()
    done = seat.other("sh", "-c", f'"{seat.vmfa}" aws credentials --profile base --new >&-')
    assert done.returncode == 1 and done.stderr.startswith("vmfa:"), f"{done.returncode}: {done.stderr}"
    assert not cloud.log("GetSessionToken")


def test_output_that_is_full(seat, enrolled):
    with open("/dev/full", "wb") as full:
        process = seat.start("aws", "credentials", "--profile", "base", stdout=full)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and b"standard output" in err and b"panic" not in err, err


def test_somebody_who_goes_away_while_waiting(cloud, seat, enrolled):
    """A killed vmfa leaves no vmfa-aws behind."""
    cloud.tell("hold", at=1, when="before")
    process = seat.start("aws", "credentials", "--profile", "base", "--new")
    wait_until(lambda: cloud.ask("held"), "a call is out")
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    assert children
    process.kill()
    process.wait()
    cloud.tell("release")
    wait_until(lambda: not any(alive(int(child)) for child in children), "vmfa-aws ends, too")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
