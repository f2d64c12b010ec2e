"""`vmfa config`: what is printed is a configuration, and what isn't understood is refused with its place."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from person import ROOT, Person  # noqa: E402


@pytest.fixture
def person(vmfa, tmp_path):
    """Somebody with an empty home directory."""
    return Person(vmfa, tmp_path / "home")


def config(person, *arguments, **env):
    return person.run("config", *arguments, passphrase=False, env=env)


def test_what_is_printed_is_toml_and_reads_as_itself(person):
    usual = config(person).stdout
    read = tomllib.loads(usual.decode())
    assert read["theme"] == "auto" and read["keys"]["help"] == ["?", "f1"] and read["colors"] == {}
    path = Path(config(person, "--path").stdout.decode().rstrip("\n"))
    assert path == person.home / ".config/vmfa/config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(usual)
    assert config(person).stdout == usual
    changed = usual.replace(b'sort = "name"', b'sort = "use"').replace(b'["?", "f1"]', b"'h'")
    path.write_bytes(changed)
    printed = config(person).stdout
    read = tomllib.loads(printed.decode())
    assert (read["sort"], read["keys"]["help"]) == ("use", "h")
    path.write_bytes(printed)
    assert config(person).stdout == printed


def test_another_file_can_be_named_and_need_not_be_there(person):
    named = person.home / "mine.toml"
    usual = config(person).stdout
    assert config(person, "--path", VMFA_CONFIG=str(named)).stdout == f"{named}\n".encode()
    assert config(person, VMFA_CONFIG=str(named)).stdout == usual
    named.write_text("mouse = false\n")
    assert b"mouse = false  # usually true\n" in config(person, VMFA_CONFIG=str(named)).stdout


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ('lock-affter = "1m"', 'line 1, column 1: there is no setting "lock-affter"', "perhaps lock-after?"),
        ("\n[keys]\nserach = 'x'", 'line 3, column 1: there is no action "serach"', "perhaps search?"),
        ("mouse = 'yes'", 'line 1, column 9: "mouse" is a text, not true or false', "without quotes"),
        ("[keys]\ncopy = 'x'\npair = 'x'", 'line 3, column 8: the key "x" is given to copy and to pair', "one key"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(person, text, says, hint):
    named = person.home / "mine.toml"
    named.write_text(text)
    done = config(person, VMFA_CONFIG=str(named))
    first, second = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, first) == (2, b"", f"vmfa: ~/mine.toml: {says}")
    assert second.startswith(f"hint: {hint}")


def test_a_file_that_anybody_may_write_is_refused(person):
    named = person.home / "mine.toml"
    named.write_text("")
    named.chmod(0o666)
    done = config(person, VMFA_CONFIG=str(named))
    assert done.returncode == 2 and b"anybody may write" in done.stderr


def test_the_documentation_names_all_there_is(person):
    text = (ROOT / "docs/config.md").read_text()
    printed = config(person).stdout.decode()
    settings, rest = printed.split("[colors]")
    parts, _keys = rest.split("[keys]")
    for name, value in re.findall(r"^([a-z-]+) = (.*)$", settings, re.M):
        assert f"| `{name}` | `{value}` |" in text, name
    for name in re.findall(r"^# ([a-z-]+) = ", parts, re.M):
        assert f"`{name}`" in text, name
