"""Many at once: one call for all, and no code for two."""

import json
import time

import pytest
from cloud import wait_until
from seat import BIN, right_code


@pytest.fixture
def cold(cloud, seat, user):
    """A device whose proof left no session that is worth anything."""
    cloud.tell("expiry", seconds=60)
    seat.enroll()
    cloud.tell("expiry")
    cloud.mark()
    return user


def all_ready(seat, count, words, **more):
    """As many processes as that, started as fast as it goes, and what came of each."""
    running = [seat.program(words, **more) for _ in range(count)]
    return [seat.finish(process) for process in running]


def buckets(seat, count, **env):
    done = all_ready(seat, count, [BIN / "aws", "s3api", "list-buckets", "--profile", "p", "--output", "json"], env=env)
    failed = [one.stderr for one in done if one.returncode != 0 or "Buckets" not in json.loads(one.stdout or "{}")]
    return failed


def calls(cloud, action):
    return [line for line in cloud.log(action)]


def test_64_processes_and_one_call(cloud, seat, cold, figures):
    """Real aws commands, a cold cache, an unlocked agent."""
    seat.write(seat.config, f"[profile p]\n{seat.process_line()}")
    seat.unlock()
    began = time.monotonic()
    assert buckets(seat, 64, VMFA_PASSPHRASE_FILE=None) == []
    sessions = calls(cloud, "GetSessionToken")
    assert [line["result"] for line in sessions] == ["OK"], "one call for all"
    reads = calls(cloud, "ListAllMyBuckets")
    assert len(reads) == 64 and len({line["key"] for line in reads}) == 1, "64 successes with one session"
    figures(f"64 aws processes with a cold cache: {time.monotonic() - began:.1f} s, 1 GetSessionToken")


def test_16_processes_with_a_key_file_and_no_agent(cloud, seat, cold):
    key_file = seat.root / "key"
    seat.ok("slot", "add", "key-file", key_file)
    seat.write(seat.config, f"[profile p]\n{seat.process_line()}")
    env = {"VMFA_PASSPHRASE_FILE": None, "VMFA_KEY_FILE": str(key_file), "VMFA_NO_AGENT": "1"}
    assert buckets(seat, 16, **env) == []
    assert [line["result"] for line in calls(cloud, "GetSessionToken")] == ["OK"]


def test_32_that_are_refused_burn_no_32_codes(cloud, seat, cold):
    """What one was told counts for those who waited for it."""
    cloud.tell("settings", propagation=100000)
    seat.unlock()
    done = all_ready(seat, 32, seat.command(["aws", "credentials", "--profile", "base"]))
    assert all(one.returncode == 8 and not one.stdout for one in done), {one.returncode for one in done}
    assert len(calls(cloud, "GetSessionToken")) <= 9


@pytest.mark.parametrize("opened_by", ["agent", "passphrase"])
def test_20_fresh_codes_at_once(cloud, seat, enrolled, opened_by):
    """Five at once, one every half minute from then on; never one twice."""
    secret = seat.add("other")
    if opened_by == "agent":
        seat.unlock()
    began = time.time()
    running = [seat.start("code", "--fresh", "--within", "2", "other", passphrase=opened_by != "agent") for _ in range(20)]
    ended = lambda: [process for process in running if process.poll() is not None]
    wait_until(lambda: len(ended()) >= 5, "five codes are there at once")
    time.sleep(3)
    first = ended()
    done = [seat.finish(process) for process in first]
    for process in running:
        if process not in first:
            process.kill()
    codes = [one.stdout.strip() for one in done]
    assert all(one.returncode == 0 for one in done), [one.stderr for one in done]
    assert len(codes) == len(set(codes)), codes
    steps = int((time.time() - began) // 30) + 2
    assert 5 <= len(codes) <= 5 + steps
    right = [right_code(secret, began + 30 * step) for step in range(-2, 2 + steps + 1)]
    assert set(codes) <= set(right)


def test_codes_and_sessions_of_one_device_never_meet(cloud, seat, enrolled):
    """A person at the terminal and two profiles, by one ledger."""
    seat.add_config(f"[profile base]\nmfa_serial = {enrolled.serial()}\n")
    first = seat.ok("code", "--fresh", "--within", "2", enrolled.name).strip()
    told = seat.credentials("base", "--new")
    assert told["SessionToken"]
    assert first not in [code for _, code in cloud.codes()]
    assert len(set(cloud.codes())) == len(cloud.codes())


def test_two_profiles_at_once_send_two_codes(cloud, seat, enrolled):
    role = cloud.role()
    for number in range(2):
        seat.add_config(f"[profile ops{number}]\nrole_arn = {role}\nsource_profile = base\nduration_seconds = 7200\n"
                        f"mfa_serial = {enrolled.serial()}\nrole_session_name = n{number}\n")
    cloud.mark()
    running = [seat.start("aws", "credentials", "--profile", f"ops{number}") for number in range(2)]
    done = [seat.finish(process) for process in running]
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    sent = cloud.codes()
    assert len(sent) == 2 == len(set(sent))
    assert all(line["result"] == "OK" for line in calls(cloud, "AssumeRole"))


def test_killed_in_flight_and_another_takes_over(cloud, seat, cold):
    """The lock of one that was killed is nobody's."""
    cloud.tell("hold", at=1, action="GetSessionToken", when="after")
    process = seat.start("aws", "credentials", "--profile", "base")
    wait_until(lambda: cloud.ask("held"), "its code is on the way")
    waiting = [seat.start("aws", "credentials", "--profile", "base") for _ in range(4)]
    process.kill()
    process.wait()
    cloud.tell("release")
    done = [seat.finish(one) for one in waiting]
    assert [one.returncode for one in done] == [0] * 4, [one.stderr for one in done]
    assert len({one.stdout for one in done}) == 1
    sent = cloud.codes()
    assert len(sent) == len(set(sent))
