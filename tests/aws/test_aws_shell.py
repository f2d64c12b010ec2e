"""A session for another program or for a shell; what stays secret on the way; and that the AWS SDK stays out of `vmfa`."""

import base64
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from cloud import wait_until

# --- exec ---


def test_exec_puts_the_session_into_the_environment(cloud, seat, enrolled):
    told = seat.credentials()
    env = {"AWS_PROFILE": "base", "AWS_SECURITY_TOKEN": "old", "KEPT": "yes"}
    out = seat.ok("aws", "exec", "--profile", "base", "--", "env", env=env)
    seen = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"], seen["AWS_SESSION_TOKEN"]) == (
        told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
    assert seen["AWS_CREDENTIAL_EXPIRATION"] == told["Expiration"] and seen["KEPT"] == "yes"
    assert not {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"} & set(seen)


def test_exec_of_the_real_aws(cloud, seat, enrolled):
    out = seat.ok("aws", "exec", "--profile", "base", "--", "aws", "sts", "get-caller-identity", env={"AWS_DEFAULT_REGION": "us-east-1"})
    assert json.loads(out)["Arn"].endswith(f":user/{enrolled.name}")


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_exec_passes_the_exit_code(seat, enrolled, status):
    done = seat.run("aws", "exec", "--profile", "base", "--", "sh", "-c", f"exit {status}")
    assert done.returncode == status and not done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_exec_passes_signals(seat, enrolled, number):
    script = f"trap 'echo caught; exit 7' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    # What starts the tests may ignore a signal, as a shell does for what runs in its background: a shell can't trap it then.
    process = seat.start("aws", "exec", "--profile", "base", "--", "sh", "-c", script,
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == (b"caught\n", 7), err


def test_exec_killed_by_a_signal_is_seen_so(seat, enrolled):
    done = seat.run("aws", "exec", "--profile", "base", "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == -signal.SIGKILL


def test_exec_passes_standard_input_and_words_untouched(seat, enrolled):
    done = seat.run("aws", "exec", "--profile", "base", "--", "sh", "-c", 'cat; printf "<%s>" "$@"', "sh", "--help", "a b", "*", "", "-p",
                    stdin="hello")
    assert done.stdout == "hello<--help><a b><*><><-p>", done.stderr


def test_exec_of_what_is_not_there(seat, enrolled):
    seat.refused("aws", "exec", "--profile", "base", "--", "no-such-command-anywhere", code=3, says="no such command",
                 env={"PATH": "/usr/bin:/bin"})


def test_exec_starts_nothing_without_a_session(cloud, seat, user):
    seat.refused("aws", "exec", "--profile", "base", "--", "touch", seat.root / "touched", code=3, says="vmfa aws enroll")
    assert not (seat.root / "touched").exists()


# --- env ---

@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_env_in_a_shell(seat, enrolled, shell):
    told = seat.credentials()
    script = (f'AWS_PROFILE=x; export AWS_PROFILE; eval "$({shlex.quote(seat.vmfa)} aws env --profile base)"; env | grep ^AWS_ | sort; '
              f'echo ====; eval "$({shlex.quote(seat.vmfa)} aws env --unset)"; env | grep ^AWS_ | sort')
    done = seat.other(shell, "-c", script)
    assert done.returncode == 0, done.stderr
    check(done.stdout, told)


def test_env_in_fish(seat, enrolled):
    told = seat.credentials()
    script = (f"set -gx AWS_PROFILE x; {seat.vmfa} aws env --profile base --shell fish | source; env | grep ^AWS_ | sort; "
              f"echo ====; {seat.vmfa} aws env --unset --shell fish | source; env | grep ^AWS_ | sort")
    done = seat.other("fish", "--no-config", "-c", script)
    assert done.returncode == 0, done.stderr
    check(done.stdout, told)


def check(out, told):
    during, after = out.split("====\n")
    seen = dict(line.split("=", 1) for line in during.splitlines())
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"], seen["AWS_SESSION_TOKEN"]) == (
        told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
    assert "AWS_PROFILE" not in seen
    left = {line.split("=", 1)[0] for line in after.splitlines()}
    assert not left & {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"}


def test_env_brings_the_region_of_the_profile(seat, enrolled):
    seat.add_config("[profile base]\nregion = eu-central-1\n")
    assert "export AWS_REGION='eu-central-1'" in seat.ok("aws", "env", "--profile", "base")


def test_env_prints_nothing_when_there_is_no_session(seat, user):
    """An `eval` of it then changes nothing."""
    seat.refused("aws", "env", "--profile", "base", code=3, says="vmfa aws enroll")


# --- recipes in one line ---

def test_a_code_in_one_line(cloud, seat, enrolled):
    """What aws-vault's mfa_process wants: sh -c, one line, trimmed."""
    secret = seat.add("other")
    done = seat.other("/bin/sh", "-c", f"{seat.vmfa} code --fresh other")
    assert re.fullmatch(r"\d{6}\n", done.stdout), done.stderr
    assert secret not in done.stderr


# --- what stays secret ---

def secrets_of(seat, user, told):
    seeds = [account["secret"] for account in seat.content()["accounts"] if account["serial_number"].startswith("arn:")]
    assert seeds
    found = {"access key's secret": user.secret.encode(), "session token": told["SessionToken"].encode(),
             "session's secret": told["SecretAccessKey"].encode()}
    for number, seed in enumerate(seeds):
        raw = bytes.fromhex(seed)
        text = base64.b32encode(raw)
        found |= {f"seed {number}": raw, f"seed {number}, base32": text, f"seed {number}, lower": text.lower(), f"seed {number}, hex": seed.encode(),
                  f"seed {number}, base64": base64.b64encode(text)[:60]}
    return found


@pytest.fixture
def kept(cloud, seat):
    """A user whose access key stands in the vault alone."""
    user = cloud.user()
    csv = seat.root / "k.csv"
    csv.write_text(f"Access key ID,Secret access key\n{user.key},{user.secret}\n")
    seat.ok("aws", "key", "add", "base", "--csv", csv)
    csv.unlink()
    return user


def test_no_file_holds_a_secret_in_clear(cloud, seat, kept):
    seat.add_config(f"[profile ops]\nregion = us-east-1\nrole_arn = {cloud.role()}\nsource_profile = q\n[profile q]\n{seat.process_line()}")
    seat.enroll("--write-config", "p")
    told = seat.credentials()
    assert seat.aws("s3api", "list-buckets", "--profile", "p").returncode == 0
    seat.ok("aws", "rotate", "--profile", "base", "--propagation", "0")
    seat.unlock()
    second = seat.credentials("base", "--new", passphrase=False)
    looked_at = 0
    for path in seat.root.rglob("*"):
        if not path.is_file():
            continue
        data, looked_at = path.read_bytes(), looked_at + 1
        for one in (told, second):
            for what, secret in secrets_of(seat, kept, one).items():
                assert secret not in data, f"{what} in {path}"
        if path != seat.config:
            assert not path.stat().st_mode & 0o077, path
    assert looked_at >= 6


def test_the_search_finds_what_is_there(seat, user, enrolled):
    """The same search, where a secret does stand in clear."""
    found = [path for path in seat.root.rglob("*") if path.is_file() and user.secret.encode() in path.read_bytes()]
    assert found == [seat.credentials_file]


def test_no_process_shows_a_secret(cloud, seat, kept):
    """Arguments and environments of vmfa and vmfa-aws, at every request of an enrolment."""
    told, shown = None, []
    process = None
    for number in range(1, 7):
        cloud.tell("hold", at=1, when="before")
        if process is None:
            process = seat.start("aws", "enroll", "--profile", "base", "--propagation", "0")
        wait_until(lambda: cloud.ask("held") or process.poll() is not None, "a request")
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                name = (entry / "comm").read_text().strip()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if name in ("vmfa", "vmfa-aws") and str(seat.root).encode() in environment + words:
                shown.append((name, words + environment))
        cloud.tell("release")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    told = seat.credentials()
    if os.geteuid() == 0:
        assert {name for name, _ in shown} == {"vmfa", "vmfa-aws"}
    for what, secret in secrets_of(seat, kept, told).items():
        assert secret not in out + err, f"{what} was said"
        for name, text in shown:
            assert secret not in text, f"{what} in {name}"


def test_vmfa_aws_is_kept_out_of(cloud, seat, kept):
    """It holds keys: nobody but root reads its memory, and it leaves no core."""
    cloud.tell("hold", at=1, when="before")
    process = seat.start("aws", "enroll", "--profile", "base")
    wait_until(lambda: cloud.ask("held"), "a request")
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    for pid in (process.pid, *map(int, children)):
        # What isn't dumpable belongs to root in /proc, whoever runs it, and has no core.
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits), limits
    assert children
    cloud.tell("release", drop=True)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_no_error_repeats_a_secret(cloud, seat, kept):
    seat.enroll()
    for what in ("500", "drop"):
        cloud.fault("*", what, count=3)
        done = seat.run("aws", "credentials", "--profile", "base", "--new")
        for name, secret in secrets_of(seat, kept, {"SessionToken": "-none-", "SecretAccessKey": "-none-"}).items():
            assert secret.decode("latin1") not in done.stderr, name
        cloud.tell("reset")


# --- the SDK stays out ---

MARKS = [b"AWS4-HMAC-SHA256", b"GetSessionTokenInput", b"aws_smithy_runtime", b"aws-sdk-iam", b"aws-sdk-sts", b"aws-config"]


def test_the_sdk_is_in_vmfa_aws_alone(vmfa, figures):
    vmfa_bytes, aws_bytes = vmfa.read_bytes(), (vmfa.parent / "vmfa-aws").read_bytes()
    for mark in MARKS:
        assert mark in aws_bytes, "what is looked for can be found"
        assert mark not in vmfa_bytes, f"{mark} in vmfa"
    figures(f"vmfa {len(vmfa_bytes) >> 20} MiB, vmfa-aws {len(aws_bytes) >> 20} MiB")


def test_what_is_held_starts_no_other_program(cloud, seat, enrolled):
    """A session that is held comes from vmfa alone."""
    trace = seat.root / "trace"
    first = seat.credentials()
    done = seat.run("aws", "credentials", "--profile", "base", before=["strace", "-f", "-e", "trace=execve,connect", "-o", trace])
    assert done.returncode == 0 and json.loads(done.stdout) == first
    calls = trace.read_text()
    assert calls.count("execve(") == 1 and "AF_INET" not in calls, calls


def test_without_vmfa_aws(seat, enrolled, vmfa):
    """It is looked for beside vmfa, and nowhere else: it is handed keys."""
    alone, trap = seat.root / "alone", seat.root / "trap"
    alone.mkdir(), trap.mkdir()
    shutil.copy2(vmfa, alone / "vmfa")
    (trap / "vmfa-aws").write_text(f"#!/bin/sh\ntouch {seat.root}/trapped\n")
    (trap / "vmfa-aws").chmod(0o755)
    env = {"PATH": f"{trap}:{seat.env['PATH']}"}
    done = seat.other(alone / "vmfa", "aws", "credentials", "--profile", "base", "--new", env=env)
    assert done.returncode == 1 and "vmfa-aws" in done.stderr and "beside vmfa" in done.stderr, done.stderr
    assert not (seat.root / "trapped").exists()
