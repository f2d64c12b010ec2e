"""Completion of account names in real shells."""

import re
import shutil
import subprocess

import pexpect
import pytest
from watching import PATIENCE, bash, desk, right_of  # noqa: F401

# What nobody should name an account, and somebody will.
EVIL = "$(touch pwned) `touch pwned` ';\"<b>&| \\x"


def script(desk, shell):
    path = desk.root / f"vmfa.{shell}"
    path.write_text(desk.ok("completions", shell, passphrase=False))
    return path


def recording(desk):
    """A stand-in for `vmfa` that writes down how it was called, and otherwise is the program."""
    path = desk.root / "bin/vmfa"
    path.unlink()
    path.write_text(f'#!/bin/sh\ncase $1 in complete-names | completions) exec {desk.vmfa} "$@" ;; esac\n'
                    'for word; do printf "%s\\n" "$word"; done > called.new\nmv called.new called\n')
    path.chmod(0o755)
    return desk.root / "called"


def called(child, prompt, file):
    """The words of the call that was just sent."""
    child.send("\r")
    child.expect(prompt)
    words = file.read_text().split("\n")[:-1] if file.exists() else None
    file.unlink(missing_ok=True)
    return words


def start(desk, shell):
    """A shell with our completions, at its prompt."""
    env = {**desk.env, "PS1": "@> "}
    path = script(desk, shell)
    if shell == "bash":
        child = bash(desk)
        child.sendline("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'")
        child.expect("@> ")
        child.sendline(f"source {path}; PS1='@'; PS1=$PS1'> '; echo read'y'")
        child.expect("ready\r\n@> ")
        return child
    if shell == "zsh":
        functions = desk.root / "functions"
        functions.mkdir()
        (functions / "_vmfa").write_text(path.read_text())
        child = pexpect.spawn(shutil.which("zsh"), ["-f"], env={**env, "TERM": "dumb"}, encoding="utf-8", timeout=PATIENCE,
                              dimensions=(24, 200), cwd=desk.root)
        child.sendline(f"fpath=({functions} $fpath); autoload -U compinit; compinit -u -d {desk.root}/dump; PS1='@'; PS1=$PS1'> '; "
                       "unsetopt zle_bracketed_paste list_beep; echo read'y'")
        child.expect("ready\r\n")
        child.expect("@> ")
        return child
    config = desk.root / "h/.config/fish/completions"
    config.mkdir(parents=True)
    (config / "vmfa.fish").write_text(path.read_text())
    child = pexpect.spawn(shutil.which("fish"), ["--private"], env=env, encoding="utf-8", timeout=PATIENCE, dimensions=(24, 200), cwd=desk.root)
    child.sendline("function fish_prompt; echo -n '@''> '; end; echo read'y'")
    child.expect("ready\r\n")
    child.expect("@> ")
    return child


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_are_completed(desk, shell):
    desk.add("AWS:alice@123456789012")
    desk.ok("add", EVIL, "--secret", "-", "--no-agent", stdin="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    evil = next(name for name in desk.ok("list", "--names").splitlines() if "pwned" in name)
    file = recording(desk)
    (desk.root / "git-file").touch()
    child = start(desk, shell)
    for typed, expected in [
        ("vmfa code git\t", ["code", "GitHub:me"]),
        ("vmfa code GitHub:m\t", ["code", "GitHub:me"]),
        ("vmfa pair --next aws\t", ["pair", "--next", "AWS:alice@123456789012"]),
        ("vmfa qr AWS:alice@12\t", ["qr", "AWS:alice@123456789012"]),
        ("vmfa show 日\t", ["show", "日本銀行:太郎 山田"]),
        ("vmfa code '日\t", ["code", "日本銀行:太郎 山田"]),
        ("vmfa code '$\t", ["code", evil]),
        ("vmfa code \\$\t", ["code", evil]),
    ]:
        child.send(typed)
        got = called(child, "@> ", file)
        assert got == expected, f"{shell}: {typed!r}: {got} {child.before!r}"
    assert not (desk.root / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_locked_nothing_is_offered_and_nobody_is_asked(desk, shell):
    desk.ok("lock", passphrase=False)
    file = recording(desk)
    (desk.root / "git-file").touch()
    child = start(desk, shell)
    child.send("vmfa code git\t")
    assert called(child, "@> ", file) == ["code", "git"]
    # Elsewhere files are offered as ever.
    child.send("vmfa code --vault git\t x")
    assert called(child, "@> ", file)[:3] == ["code", "--vault", "git-file"]
    assert "assphrase" not in child.before


def test_commands_and_options_are_completed_as_ever(desk):
    file = recording(desk)
    child = start(desk, "bash")
    child.send("vmfa unlo\t")
    assert called(child, "@> ", file) == ["unlock"]
    child.send("vmfa code --js\tgit\t")
    assert called(child, "@> ", file) == ["code", "--json", "GitHub:me"]
    # A second word of the query is not another name.
    child.send("vmfa code GitHub git\t")
    assert called(child, "@> ", file) == ["code", "GitHub", "git"]


@pytest.mark.parametrize("shell", ["elvish", "powershell"])
def test_other_shells_have_their_scripts(desk, shell):
    assert "vmfa" in desk.ok("completions", shell, passphrase=False)


def test_names_mean_their_accounts(desk):
    for name in ("Same:twice", "Same:twice", "bob", "GitLab:bob"):
        desk.ok("add", name, "--secret", "-", "--no-agent", stdin="GEZDGNBVGY3TQOJQ" + "ABCD"[len(desk.secrets) % 4] * 8)
        desk.secrets[name + str(len(desk.secrets))] = ""
    names = desk.ok("list", "--names", passphrase=False).splitlines()
    ids = [desk.ok("show", name, "--json", passphrase=False) for name in names]
    assert len(set(ids)) == len(names) == 6
    assert len([name for name in names if re.fullmatch(r"Same:twice \(id [0-9a-f]{8}\)", name)]) == 2
    assert desk.ok("complete-names", passphrase=False) == desk.ok("list", "--names", passphrase=False)


def test_without_an_agent_there_are_no_names_and_no_words(desk):
    desk.ok("agent", "stop", passphrase=False)
    done = subprocess.run([desk.vmfa, "complete-names"], env=desk.env, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
