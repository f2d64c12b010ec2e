"""Other people's programs that get their credentials from vmfa."""

import json
import os
import sys

import pytest
from seat import BIN

COUNTER = """#!/bin/sh
echo run >> "$0.runs"
exec {vmfa} aws credentials --profile base
"""


@pytest.fixture
def counted(seat, enrolled):
    """The profile `p`, and how often it started vmfa."""
    script = seat.root / "counted"
    script.write_text(COUNTER.format(vmfa=seat.vmfa))
    script.chmod(0o755)
    seat.write(seat.config, f"[profile p]\nregion = us-east-1\ncredential_process = {script}\n")
    runs = seat.root / "counted.runs"
    return lambda: len(runs.read_text().split()) if runs.exists() else 0


def test_aws_runs_it_once_a_command(cloud, seat, counted):
    for number in range(1, 4):
        done = seat.aws("s3api", "list-buckets", "--profile", "p")
        assert done.returncode == 0, done.stderr
        assert counted() == number
    assert len(cloud.log("GetSessionToken")) == 1, "the one of the proof"


def test_aws_runs_it_once_even_when_the_held_session_ends_soon(cloud, seat, counted):
    """With less than a quarter of an hour left botocore would ask at once again: it isn't given such a one."""
    cloud.tell("expiry", seconds=14 * 60)
    seat.credentials("base", "--new")
    cloud.tell("expiry")
    before = counted()
    assert seat.aws("s3api", "list-buckets", "--profile", "p").returncode == 0
    assert counted() == before + 1


BOTO3 = """
import boto3, json
session = boto3.Session(profile_name="p")
sts = session.client("sts")
names = {sts.get_caller_identity()["Arn"] for _ in range(20)}
iam = session.client("iam")
users = len(iam.list_users()["Users"])
credentials = session.get_credentials()
print(json.dumps({"arns": sorted(names), "users": users, "method": credentials.method, "key": credentials.access_key}))
"""


def test_boto3(cloud, seat, enrolled, counted):
    done = seat.other(sys.executable, "-c", BOTO3)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["method"] == "custom-process" and told["key"].startswith("ASIA") and told["users"] >= 1
    assert len(told["arns"]) == 1 and told["arns"][0].endswith(f":user/{enrolled.name}")
    assert counted() == 1


def test_a_role_of_boto3_s_own_upon_our_session(cloud, seat, enrolled, counted):
    """botocore takes a credential_process as the source of a role."""
    role = cloud.role()
    seat.add_config(f"[profile ops]\nregion = us-east-1\nrole_arn = {role}\nsource_profile = p\n")
    done = seat.other(sys.executable, "-c", BOTO3.replace('"p"', '"ops"'))
    assert done.returncode == 0, done.stderr
    assert "assumed-role" in json.loads(done.stdout)["arns"][0]


def test_what_goes_wrong_is_shown_by_aws(cloud, seat, enrolled):
    seat.write(seat.config, f"[profile p]\nregion = us-east-1\n{seat.process_line('nothing')}")
    done = seat.aws("s3api", "list-buckets", "--profile", "p")
    assert done.returncode != 0 and "nothing" in done.stderr and "vmfa:" in done.stderr, done.stderr


# --- Terraform: its own S3 backend is part of the program, its provider for AWS another program ---

def terraform(seat, directory, *words, **env):
    home = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(rc(seat)), **env}
    return seat.other("terraform", f"-chdir={directory}", *words, env=home)


def rc(seat):
    """Only a local mirror is asked: these tests reach no network."""
    path = seat.root / "terraformrc"
    mirror = os.environ.get("TERRAFORM_MIRROR", "")
    inside = f'filesystem_mirror {{ path = "{mirror}" }}\n' if mirror else ""
    path.write_text(f"provider_installation {{\n{inside}}}\n" if inside else "disable_checkpoint = true\n")
    return path


BACKEND = """
terraform {{
  backend "s3" {{
    bucket                      = "{bucket}"
    key                         = "state"
    region                      = "us-east-1"
    profile                     = "p"
    use_path_style              = true
    skip_credentials_validation = {skip}
    skip_requesting_account_id  = {skip}
    skip_metadata_api_check     = true
    skip_s3_checksum            = true
    endpoints = {{ s3 = "{url}", sts = "{url}", iam = "{url}" }}
  }}
}}
resource "terraform_data" "one" {{ input = "kept" }}
"""


@pytest.mark.terraform
@pytest.mark.parametrize("skip", ["true", "false"])
def test_terraform_keeps_its_state_with_our_session(cloud, seat, enrolled, counted, skip):
    bucket = f"state-{enrolled.name}"
    cloud.root_client("s3").create_bucket(Bucket=bucket)
    project = seat.root / "project"
    project.mkdir()
    (project / "main.tf").write_text(BACKEND.format(bucket=bucket, url=cloud.url, skip=skip))
    cloud.mark()
    done = terraform(seat, project, "init", "-input=false", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert counted() >= 1
    keys = {line["key"] for line in cloud.log() if not line["agent"].startswith(("aws-sdk-rust", "Boto3"))}
    assert keys and all(key.startswith("ASIA") for key in keys), keys
    assert not cloud.log("GetSessionToken"), "the held session serves"


PROVIDER = """
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}
provider "aws" {{
  region                      = "us-east-1"
  profile                     = "{profile}"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  endpoints {{
    s3  = "{url}"
    sts = "{url}"
    iam = "{url}"
  }}
}}
data "aws_caller_identity" "me" {{}}
output "arn" {{ value = data.aws_caller_identity.me.arn }}
"""


@pytest.mark.terraform
@pytest.mark.mirror
def test_terraform_s_provider(cloud, seat, enrolled, counted, figures):
    project = seat.root / "project"
    project.mkdir()
    (project / "main.tf").write_text(PROVIDER.format(profile="p", url=cloud.url))
    done = terraform(seat, project, "init", "-input=false", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    cloud.mark()
    done = terraform(seat, project, "apply", "-auto-approve", "-input=false", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    told = terraform(seat, project, "output", "-json")
    assert json.loads(told.stdout)["arn"]["value"].endswith(f":user/{enrolled.name}")
    assert not cloud.log("GetSessionToken")
    figures(f"terraform apply with the AWS provider: {counted()} runs of vmfa")
