"""The stand-in itself: what it can do is proven with AWS's own tools before anything is proven with it."""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import botocore.exceptions
import pyotp
import pytest
from botocore.config import Config
from cloud import wait_until

HERE = Path(__file__).resolve().parent


def client(cloud, service, user, **more):
    return boto3.client(
        service, endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=user.key, aws_secret_access_key=user.secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20), **more,
    )


def test_prove_sh():
    """Fifty checks with the real aws command, codes by pyotp."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", HERE / "prove.sh", sys.executable], env={"PATH": path, "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") >= 45 and "FAIL" not in done.stdout.replace("FAIL 0", ""), done.stdout
    assert " 0 failed" in done.stdout, done.stdout


def test_what_prove_sh_stands_on_is_there():
    assert all(shutil.which(tool) for tool in ("bash", "curl", "zbarimg", "setsid")), "tests/run installs them"


@pytest.mark.parametrize(("what", "code", "status"),
                         [("500", "InternalFailure", 500), ("503", "ServiceUnavailable", 503), ("throttle", "Throttling", 400)])
def test_a_fault_that_answers(cloud, what, code, status):
    user = cloud.user()
    cloud.fault("GetCallerIdentity", what, count=2)
    sts = client(cloud, "sts", user)
    for _ in range(2):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            sts.get_caller_identity()
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert sts.get_caller_identity()["Arn"].endswith(user.name)


def test_a_connection_that_drops_and_an_answer_that_is_lost(cloud):
    user = cloud.user()
    iam = client(cloud, "iam", user)
    cloud.fault("CreateVirtualMFADevice", "drop")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{user.name}-drop")
    assert not cloud.serials(f"{user.name}-drop")
    cloud.fault("CreateVirtualMFADevice", "lose")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{user.name}-lose")
    assert cloud.serials(f"{user.name}-lose")


def test_a_delay(cloud):
    sts = boto3.client("sts", endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
                       config=Config(retries={"total_max_attempts": 1}, read_timeout=1))
    cloud.fault("GetCallerIdentity", "delay", seconds=3)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        sts.get_caller_identity()


@pytest.mark.parametrize(("when", "drop", "is_made"), [("before", True, False), ("before", False, True), ("after", False, True)])
def test_a_request_is_held(cloud, when, drop, is_made):
    user = cloud.user()
    iam, name = client(cloud, "iam", user), f"{user.name}-held"
    cloud.tell("hold", at=2, when=when)
    ends = []

    def ask():
        iam.list_mfa_devices()
        try:
            ends.append(iam.create_virtual_mfa_device(VirtualMFADeviceName=name))
        except botocore.exceptions.BotoCoreError as error:
            ends.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    held = wait_until(lambda: cloud.ask("held"), "the second request is held")
    assert held == [{"number": 2, "action": "CreateVirtualMFADevice", "when": when}] and not ends
    assert bool(cloud.serials(name)) == (when == "after")
    cloud.tell("release", drop=drop)
    thread.join()
    assert bool(cloud.serials(name)) == is_made
    assert isinstance(ends[0], dict) == (not drop)


def test_one_request_after_the_other_is_held(cloud):
    """The next hold is ordered at once: what the one before held goes on all the same."""
    sts = client(cloud, "sts", cloud.user())
    for _ in range(40):
        cloud.tell("hold", at=1, when="before")
        thread = threading.Thread(target=sts.get_caller_identity)
        thread.start()
        wait_until(lambda: cloud.ask("held"), "it is held")
        cloud.tell("release")
        cloud.tell("hold", at=1, when="before")
        thread.join(20)
        assert not thread.is_alive()
    cloud.tell("release")


def test_sessions_end_when_the_test_wants(cloud):
    user = cloud.user()
    cloud.tell("expiry", seconds=840)
    answer = client(cloud, "sts", user).get_session_token(DurationSeconds=3600)
    assert abs(answer["Credentials"]["Expiration"].timestamp() - cloud.now() - 840) < 30
    cloud.tell("expiry")
    answer = client(cloud, "sts", user).get_session_token(DurationSeconds=3600)
    assert abs(answer["Credentials"]["Expiration"].timestamp() - cloud.now() - 3600) < 30


def federation(cloud, **query):
    url = f"{cloud.url}/_strict/federation?{urllib.parse.urlencode(query)}"

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        with urllib.request.build_opener(Stay).open(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location")


def session_of(credentials, **other):
    return json.dumps({"sessionId": credentials["AccessKeyId"], "sessionKey": credentials["SecretAccessKey"],
                       "sessionToken": credentials["SessionToken"], **other})


def test_the_federation_endpoint_takes_a_role_s_session_alone(cloud):
    user, role = cloud.user(), cloud.role(mfa=False)
    sts = client(cloud, "sts", user)
    own = sts.get_session_token()["Credentials"]
    direct = sts.assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
    chained = boto3.client("sts", endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=direct["AccessKeyId"],
                           aws_secret_access_key=direct["SecretAccessKey"], aws_session_token=direct["SessionToken"])
    chained = chained.assume_role(RoleArn=role, RoleSessionName="two")["Credentials"]
    get = {"Action": "getSigninToken"}
    assert federation(cloud, **get, Session=session_of(own))[0] == 400
    assert federation(cloud, **get, Session=session_of(direct, sessionKey="x"))[0] == 400
    assert federation(cloud, **get, Session=session_of(direct, sessionToken="x"))[0] == 400
    assert federation(cloud, **get, Session="{}")[0] == 400
    assert federation(cloud, **get, Session=session_of(chained), SessionDuration=3600)[0] == 400
    assert federation(cloud, **get, Session=session_of(chained))[0] == 200
    status, answer = federation(cloud, **get, Session=session_of(direct), SessionDuration=3600)
    assert status == 200
    login = {"Action": "login", "Issuer": "x", "Destination": "https://console.aws.amazon.com/"}
    assert federation(cloud, **login, SigninToken=answer["SigninToken"]) == (302, "https://console.aws.amazon.com/")
    assert federation(cloud, **login, SigninToken="other")[0] == 400
    cloud.clock(1000)
    assert federation(cloud, **login, SigninToken=answer["SigninToken"])[0] == 400


def test_the_partitions_are_apart(cloud):
    for partition, region in (("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")):
        user = cloud.user(partition=partition)
        at_home = boto3.client("sts", endpoint_url=cloud.url, region_name=region, aws_access_key_id=user.key, aws_secret_access_key=user.secret)
        assert at_home.get_caller_identity()["Arn"].startswith(f"arn:{partition}:iam::")
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            client(cloud, "sts", user).get_caller_identity()
        assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_the_log_tells_which_codes_were_sent(cloud):
    user = cloud.user()
    iam, sts = client(cloud, "iam", user), client(cloud, "sts", user)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    assert len(base64.b32decode(seed)) == 40
    now, totp = cloud.now(), pyotp.TOTP(seed)
    pair = [totp.at(int(now) - 30), totp.at(int(now))]
    iam.enable_mfa_device(UserName=user.name, SerialNumber=device["SerialNumber"], AuthenticationCode1=pair[0], AuthenticationCode2=pair[1])
    sts.get_session_token(SerialNumber=device["SerialNumber"], TokenCode=totp.at(int(now) + 30))
    assert cloud.log("EnableMFADevice")[0]["codes"] == pair
    assert cloud.codes() == [(device["SerialNumber"], totp.at(int(now) + 30))]
