"""`vmfa aws key`: an access key in the vault rather than in clear in a file."""

import json

import pexpect
import pytest

TEXT = """# mine, by hand
[default]
region = eu-west-1

; the administrator
[base]
aws_access_key_id = {key}
# never share this
aws_secret_access_key = {secret}
output = json

[other]
aws_access_key_id = AKIAOTHEROTHEROTHER1
aws_secret_access_key = other/other/other/other/other/other/oth1
"""


@pytest.fixture
def written(seat, user):
    """A file with comments, other profiles, and the key."""
    text = TEXT.format(key=user.key, secret=user.secret)
    seat.write(seat.credentials_file, text)
    return text


def csv_of(seat, user, head="Access key ID,Secret access key", line=None):
    path = seat.root / "accessKeys.csv"
    path.write_text(f"﻿{head}\r\n{line or f'{user.key},{user.secret}'}\r\n")
    return path


def others(seat):
    return [path for path in seat.credentials_file.parent.iterdir() if path not in (seat.credentials_file, seat.config)]


def test_typed_at_a_terminal(seat, user):
    seat.credentials_file.unlink()
    person = seat.at_terminal("aws", "key", "add", "base")
    person.expect("Access key ID: ")
    person.sendline(user.key)
    person.expect("Secret access key: ")
    person.sendline(user.secret)
    person.expect("kept for profile base")
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0
    assert seat.enroll()["proven"]


def test_what_is_typed_is_not_seen(seat, user):
    person = seat.at_terminal("aws", "key", "add", "new")
    seen = []
    person.logfile_read = type("Log", (), {"write": lambda _, text: seen.append(text), "flush": lambda _: None})()
    person.expect("Access key ID: ")
    person.sendline(user.key)
    person.expect("Secret access key: ")
    person.sendline(user.secret)
    person.expect(pexpect.EOF)
    assert user.secret not in "".join(seen)


def test_no_terminal(seat, user):
    seat.refused("aws", "key", "add", "new", code=4, says=["terminal", "--csv"])


def test_from_the_console_s_file(cloud, seat, user):
    csv = csv_of(seat, user)
    seat.credentials_file.unlink()
    assert user.key in seat.ok("aws", "key", "add", "base", "--csv", csv)
    assert csv.exists(), "whose file it is deletes it"
    assert seat.enroll()["proven"]


def test_a_new_user_s_file(seat, user):
    line = f"{user.name},Pass-1!word,{user.key},{user.secret},https://123456789012.signin.aws.amazon.com/console"
    csv = csv_of(seat, user, "User name,Password,Access key ID,Secret access key,Console login link", line)
    out = seat.ok("aws", "key", "add", "new", "--csv", csv)
    assert user.key in out and "Pass-1" not in out


@pytest.mark.parametrize(("line", "says"), [("AKIA,short", ""), ("", ""), ("a,b,c,d,e", "")])
def test_a_file_that_is_something_else(seat, user, line, says):
    done = seat.run("aws", "key", "add", "new", "--csv", csv_of(seat, user, line=line or "\x00"))
    assert done.returncode in (2, 6) and "accessKeys.csv" in done.stderr and not done.stdout, done.stderr


def test_the_plaintext_stays_unless_it_is_asked_for(seat, user, written):
    done = seat.run("aws", "key", "add", "base", "--from-credentials")
    assert done.returncode == 0 and "--remove-plaintext" in done.stderr, done.stderr
    assert seat.credentials_file.read_text() == written and not others(seat)


def test_the_plaintext_goes_when_it_is_asked_for(cloud, seat, user, written):
    out = seat.ok("aws", "key", "add", "base", "--from-credentials", "--remove-plaintext")
    after = seat.credentials_file.read_text()
    gone = [line for line in written.splitlines() if user.key in line or user.secret in line]
    assert after.splitlines() == [line for line in written.splitlines() if line not in gone], "all else to the letter"
    [backup] = others(seat)
    assert backup.read_text() == written and not backup.stat().st_mode & 0o077 and backup.name in out
    assert not seat.credentials_file.stat().st_mode & 0o077
    backup.unlink()
    assert seat.enroll()["proven"], "the vault's key signs"
    assert seat.aws("sts", "get-caller-identity", "--profile", "base", env={"AWS_DEFAULT_REGION": "us-east-1"}).returncode != 0


def test_somebody_at_the_terminal_is_asked(seat, user, written):
    for answer, is_gone in (("n", False), ("y", True)):
        person = seat.at_terminal("aws", "key", "add", "base", "--from-credentials")
        person.expect("A backup of the file is kept")
        person.sendline(answer)
        person.expect(pexpect.EOF)
        person.close()
        assert person.exitstatus == 0
        assert (user.secret not in seat.credentials_file.read_text()) == is_gone


def test_another_key_in_the_file_is_left_and_told(cloud, seat, user, written):
    other = cloud.user()
    done = seat.run("aws", "key", "add", "base", "--csv", csv_of(seat, other), "--remove-plaintext")
    assert done.returncode == 0 and "holds another key" in done.stderr
    assert seat.credentials_file.read_text() == written


def test_list_and_remove(cloud, seat, user):
    assert json.loads(seat.ok("aws", "key", "list", "--json")) == []
    other = cloud.user()
    seat.ok("aws", "key", "add", "one", "--csv", csv_of(seat, user))
    seat.ok("aws", "key", "add", "two", "--csv", csv_of(seat, other))
    told = json.loads(seat.ok("aws", "key", "list", "--json"))
    assert {(key["profile"], key["access_key_id"]) for key in told} == {("one", user.key), ("two", other.key)}
    table = seat.ok("aws", "key", "list")
    assert user.key in table and user.secret not in table
    out = seat.ok("aws", "key", "remove", "one")
    assert user.key in out and "backups" in out
    seat.ok("aws", "key", "remove", other.key)
    assert json.loads(seat.ok("aws", "key", "list", "--json")) == []
    seat.refused("aws", "key", "remove", "one", code=3, says="one")


def test_a_new_key_replaces_the_old_one(cloud, seat, user):
    other = cloud.user()
    seat.ok("aws", "key", "add", "one", "--csv", csv_of(seat, user))
    assert "already" in seat.ok("aws", "key", "add", "one", "--csv", csv_of(seat, user))
    assert user.key in seat.ok("aws", "key", "add", "one", "--csv", csv_of(seat, other))
    told = json.loads(seat.ok("aws", "key", "list", "--json"))
    assert [key["access_key_id"] for key in told] == [other.key]


def test_the_agent_signs_with_a_key_of_the_vault(cloud, seat, user):
    seat.credentials_file.unlink()
    seat.ok("aws", "key", "add", "base", "--csv", csv_of(seat, user))
    seat.enroll()
    seat.unlock()
    told = json.loads(seat.ok("aws", "credentials", "--profile", "base", "--new", passphrase=False))
    assert told["SessionToken"]


def test_a_link_stays_a_link(seat, user, written):
    """~/.aws/credentials may lie elsewhere, in a directory under version control, say."""
    real = seat.home / "dotfiles"
    seat.credentials_file.rename(real)
    seat.credentials_file.symlink_to(real)
    done = seat.run("aws", "key", "add", "base", "--from-credentials", "--remove-plaintext")
    assert done.returncode == 0, done.stderr
    assert seat.credentials_file.is_symlink() and user.secret not in real.read_text()
