"""AWS away, slow, or angry: an end comes, the call is named, and a session that is still good is used."""

import base64
import contextlib
import socket
import threading
import time

import boto3
import botocore.exceptions
import pytest
from seat import PATIENCE, right_code

ANGRY = ["500", "503", "throttle"]


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def brought(cloud, seat, user):
    """A device that was enabled elsewhere and whose secret was brought along: none of its codes is used up here."""
    made = make_device(cloud, user)
    seat.ok("add", "brought", "--secret", "-", "--serial-number", user.serial(), stdin=made)
    seat.add_config(f"[profile base]\nmfa_serial = {user.serial()}\n")
    user.device_secret = made
    return user


def make_device(cloud, user):
    iam = cloud.root_client("iam")
    seed = iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]["Base32StringSeed"].decode()
    now = cloud.now()
    iam.enable_mfa_device(UserName=user.name, SerialNumber=user.serial(), AuthenticationCode1=right_code(seed, now - 30),
                          AuthenticationCode2=right_code(seed, now))
    return seed


def ends(seat, *arguments, code, says, within=90, **more):
    began = time.monotonic()
    done = seat.refused(*arguments, code=code, says=says, **more)
    assert time.monotonic() - began < within, "bounded"
    assert "Traceback" not in done.stderr and "panic" not in done.stderr
    return done


def test_nobody_listens(seat, enrolled, closed_port):
    env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port}"}
    done = ends(seat, "aws", "credentials", "--profile", "base", "--new", code=9, says=["AWS can't be reached", "hint:"], env=env)
    assert "ListMFADevices" in done.stderr


def test_a_name_that_nobody_knows(seat, enrolled):
    env = {"AWS_ENDPOINT_URL": "http://nowhere.invalid:9"}
    ends(seat, "aws", "credentials", "--profile", "base", "--new", code=9, says="AWS can't be reached", env=env)


def test_somebody_else_listens(seat, enrolled):
    """What answers isn't AWS: a line that means nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def babble():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        threading.Thread(target=babble, daemon=True).start()
        env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}"}
        done = seat.run("aws", "credentials", "--profile", "base", "--new", env=env)
        assert done.returncode in (8, 9) and not done.stdout and "ListMFADevices" in done.stderr, done.stderr


def test_a_held_session_needs_nobody(cloud, seat, enrolled, closed_port):
    first = seat.credentials()
    cloud.mark()
    assert seat.credentials(env={"AWS_ENDPOINT_URL": cloud.url}) == first
    assert not cloud.log()


def test_a_held_session_that_ends_soon_is_better_than_none(cloud, seat, enrolled):
    """AWS away for the renewal: what is held is good for ten minutes still, and is handed out with a warning."""
    cloud.tell("expiry", seconds=600)
    first = seat.credentials("base", "--new")
    cloud.fault("*", "drop", count=1000)
    done = seat.run("aws", "credentials", "--profile", "base")
    assert done.returncode == 0 and first["AccessKeyId"] in done.stdout, done.stderr
    assert "ends soon" in done.stderr


@pytest.mark.parametrize("what", ANGRY)
def test_one_that_passes(cloud, seat, enrolled, what):
    """A call that is safe to make again is; one that sends a code is made again with another code."""
    cloud.mark()
    cloud.fault("ListMFADevices", what)
    cloud.fault("GetSessionToken", what)
    assert seat.credentials("base", "--new")["SessionToken"]
    sent = cloud.log("GetSessionToken")
    assert sent[-1]["result"] == "OK" and len(sent) == 2
    assert len(set(cloud.codes())) == 2


@pytest.mark.parametrize("what", ANGRY)
def test_one_that_doesn_t(cloud, seat, enrolled, what):
    cloud.mark()
    cloud.fault("ListMFADevices", what, count=1000)
    done = ends(seat, "aws", "credentials", "--profile", "base", "--new", code=9, says=["ListMFADevices", "hint:"])
    assert len(cloud.log("ListMFADevices")) <= 4, done.stderr
    assert not cloud.log("GetSessionToken"), "no code is used for nothing"


def test_a_call_with_a_code_that_is_never_answered_well(cloud, seat, brought):
    cloud.mark()
    cloud.fault("GetSessionToken", "503", count=1000)
    ends(seat, "aws", "credentials", "--profile", "base", code=9, says=["GetSessionToken", "hint:"])
    tries = cloud.log("GetSessionToken")
    assert len(tries) <= 3 and len({line["codes"][0] for line in tries}) == len(tries)


def test_an_answer_that_is_slow(cloud, seat, enrolled):
    cloud.mark()
    cloud.fault("GetSessionToken", "delay", seconds=4)
    assert seat.credentials("base", "--new")["SessionToken"]
    sent = cloud.log("GetSessionToken")
    # It was waited for. Where a time step ended meanwhile, its code came too late, and another one was sent.
    assert all("invalid" in line["result"].lower() or line["result"] in ("OK", "AccessDenied") for line in sent)
    assert sent[-1]["result"] == "OK" and len(sent) <= 2 and len(set(cloud.codes())) == len(sent)


# --- codes ---

def test_a_code_that_somebody_else_used(cloud, seat, brought):
    """Another holder of the same secret was faster: the next unused code is taken."""
    sts = boto3.client("sts", endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=brought.key,
                       aws_secret_access_key=brought.secret)
    # Whoever adds a device is shown the pair of this moment and of the one before: these count as used.
    for step in (-2, 1, 2):
        sts.get_session_token(SerialNumber=brought.serial(), TokenCode=right_code(brought.device_secret, cloud.now() + 30 * step))
    cloud.mark()
    done = seat.run("aws", "credentials", "--profile", "base")
    results = [line["result"] for line in cloud.log("GetSessionToken")]
    # The step may have turned in between; then there is one more.
    assert results in (["AccessDenied"] * 3, ["AccessDenied", "AccessDenied", "OK"]), results
    assert done.returncode == (8 if results[-1] == "AccessDenied" else 0), done.stderr
    assert len(set(cloud.codes())) == len(cloud.codes()) == 3


def test_one_code_that_somebody_else_used(cloud, seat, brought):
    sts = boto3.client("sts", endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=brought.key,
                       aws_secret_access_key=brought.secret)
    sts.get_session_token(SerialNumber=brought.serial(), TokenCode=right_code(brought.device_secret, cloud.now() + 30))
    cloud.mark()
    assert seat.credentials()["SessionToken"]
    results = [line["result"] for line in cloud.log("GetSessionToken")]
    assert results == ["AccessDenied", "OK"]
    assert len(set(cloud.codes())) == 2


def test_wrong_codes_at_most_three(cloud, seat, brought):
    """The device was replaced elsewhere under the same name: no code is right any more."""
    iam = cloud.root_client("iam")
    iam.deactivate_mfa_device(UserName=brought.name, SerialNumber=brought.serial())
    iam.delete_virtual_mfa_device(SerialNumber=brought.serial())
    make_device(cloud, brought)
    cloud.mark()
    done = seat.refused("aws", "credentials", "--profile", "base", code=8, says=["refused 3 codes in a row", "vmfa aws resync"])
    assert len(cloud.log("GetSessionToken")) == 3, done.stderr
    assert len(set(cloud.codes())) == 3


@pytest.mark.long
def test_never_more_than_nine_in_three_minutes(cloud, seat, brought):
    """Twelve processes, each its own session: the codes of three minutes would do, AWS's budget wouldn't."""
    role = cloud.role()
    for number in range(12):
        seat.add_config(f"[profile r{number}]\nrole_arn = {role}\nsource_profile = base\nduration_seconds = 7200\n"
                        f"mfa_serial = {brought.serial()}\nrole_session_name = n{number}\n")
    seat.unlock()
    running = [seat.start("aws", "credentials", "--profile", f"r{number}", passphrase=False) for number in range(12)]
    done = [seat.finish(process, timeout=2 * PATIENCE) for process in running]
    assert [one.returncode for one in done] == [0] * 12, [one.stderr for one in done]
    times = sorted(line["t"] for line in cloud.log() if len(line.get("codes") or []) == 1)
    for at in times:
        assert sum(at <= other < at + 180 for other in times) <= 9
    assert len(set(cloud.codes())) == len(cloud.codes())


def test_the_budget_is_kept_by_the_ledger(cloud, seat, enrolled):
    """Nine attempts stand in the ledger: the tenth isn't made before the window is over, and what is waited for is said."""
    ledger = seat.vault.with_name("vault.vmfa.ledger")
    cloud.mark()
    seat.add_config(f"[profile base]\nmfa_serial = {enrolled.serial()}\n")
    spend(seat, ledger)
    process = seat.start("aws", "credentials", "--profile", "base", "--new")
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    process.kill()
    assert not cloud.log("GetSessionToken")


def spend(seat, ledger):
    """Eight more attempts of this moment, in the ledger's own words."""
    lines = ledger.read_text().splitlines()
    assert len(lines) == 2 and lines[1].count("@") == 1
    ledger.write_text(f"{lines[0]}\n{lines[1]}{f' @{int(time.time())}' * 8}\n")
