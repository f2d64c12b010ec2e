"""The stand-in of AWS as the tests see it: started on a free port, told what to do, read from."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"
PATIENCE = 90
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
ADMINISTRATOR = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def wait_until(is_so, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := is_so()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)
    return found


class Cloud:
    """A server, and what an administrator does there."""

    def __init__(self, *options):
        self.root = tempfile.TemporaryDirectory(prefix="vmfa-cloud-")
        port, self.err = Path(self.root.name) / "port", Path(self.root.name) / "err"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "strict_aws.py"), "--port", "0", "--port-file", str(port), *map(str, options)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, env=environment,
            )
        wait_until(lambda: port.exists() or self.process.poll() is not None, "the stand-in listens")
        assert port.exists(), self.err.read_text()
        self.url = f"http://127.0.0.1:{port.read_text()}"
        self.clients, self.began = {}, 0

    def close(self):
        self.process.kill()
        self.process.wait()
        self.root.cleanup()

    # --- what the test tells it ---

    def tell(self, what, /, **told):
        request = urllib.request.Request(f"{self.url}/_strict/{what}", json.dumps(told).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def ask(self, what):
        with urllib.request.urlopen(f"{self.url}/_strict/{what}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def forget(self):
        """Undoes what the last test ordered; its log is behind us."""
        self.tell("reset")
        self.began = len(self.ask("log"))

    def mark(self):
        """The log begins here."""
        self.began = len(self.ask("log"))

    def clock(self, offset):
        self.tell("clock", offset=offset)

    def now(self):
        return self.ask("clock")["now"]

    def fault(self, action, what, count=1, **more):
        self.tell("fault", action=action, what=what, count=count, **more)

    # --- what it tells ---

    def log(self, *actions, result=None):
        """What vmfa and others called since the test began, or since the mark."""
        lines = [line for line in self.ask("log")[self.began:] if line["key"] != "test"]
        if actions:
            lines = [line for line in lines if line["action"] in actions]
        return [line for line in lines if result is None or line["result"] == result]

    def actions(self):
        return [line["action"] for line in self.log()]

    def codes(self):
        """Every code that was sent alone, with the device: none may be there twice."""
        return [(line["serial"], line["codes"][0]) for line in self.log() if len(line.get("codes") or []) == 1]

    def devices(self, user=None):
        found = self.ask("devices")
        return found if user is None else [device for device in found if device["user"] == user]

    def serials(self, prefix):
        """The devices whose names begin so, whoever has them."""
        return {device["SerialNumber"]: device["user"] for device in self.ask("devices")
                if device["SerialNumber"].rsplit("/", 1)[-1].startswith(prefix)}

    # --- an administrator's work ---

    def root_client(self, service, partition="aws", **more):
        name = (service, partition)
        if name not in self.clients:
            self.clients[name] = boto3.client(
                service, endpoint_url=self.url, region_name=REGIONS[partition], aws_access_key_id="test", aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self.clients[name]

    def user(self, name=None, partition="aws", policies=(("all", ADMINISTRATOR),), groups=()):
        """A user with an access key; without Force-MFA unless a group brings it."""
        name = name or f"u{secrets.token_hex(5)}"
        iam = self.root_client("iam", partition)
        iam.create_user(UserName=name)
        for policy, document in policies:
            iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=document)
        for group in groups:
            iam.add_user_to_group(GroupName=group, UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return User(name, key["AccessKeyId"], key["SecretAccessKey"], partition)

    def group(self, **policies):
        name = f"g{secrets.token_hex(4)}"
        iam = self.root_client("iam")
        iam.create_group(GroupName=name)
        for policy, document in policies.items():
            iam.put_group_policy(GroupName=name, PolicyName=policy, PolicyDocument=document)
        return name

    def role(self, partition="aws", longest=7200, mfa=True, conditions=None):
        name, iam = f"r{secrets.token_hex(5)}", self.root_client("iam", partition)
        conditions = dict(conditions or {})
        if mfa:
            conditions["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:{partition}:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole",
            "Condition": conditions,
        }]}
        if not conditions:
            del trust["Statement"][0]["Condition"]
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=longest)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ADMINISTRATOR)
        return role["Arn"]


class User:
    def __init__(self, name, key, secret, partition="aws"):
        self.name, self.key, self.secret, self.partition = name, key, secret, partition

    def serial(self, device=None):
        return f"arn:{self.partition}:iam::{ACCOUNT}:mfa/{device or self.name}"


@contextlib.contextmanager
def cloud(*options):
    made = Cloud(*options)
    try:
        yield made
    finally:
        made.close()
