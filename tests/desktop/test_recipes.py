"""Every recipe of docs/recipes.md, run."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest
from test_watch import lines_of
from watching import PATIENCE, bash, desk, right_of, tmux  # noqa: F401

TEXT = (Path(__file__).resolve().parents[2] / "docs/recipes.md").read_text()
RECIPES = dict(re.findall(r"<!-- recipe: (\w+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
# Which test below runs which.
TESTED = {"dmenu", "rofi", "fzf", "waybar", "polybar", "tmux", "bash", "zsh"}


def test_each_block_is_a_recipe_that_is_tested():
    assert set(RECIPES) == TESTED
    assert TEXT.count("```") == 2 * len(RECIPES)


def stand_in(desk, name, body):
    path = desk.root / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def copying_to_stdout(desk):
    """There is no desktop to have a clipboard: what would be copied is printed."""
    stand_in(desk, "vmfa", f'case "$1 $2" in "code --copy") shift 2; set -- code "$@" ;; esac\nexec {desk.vmfa} "$@"')


def run(desk, command):
    done = subprocess.run(["sh", "-c", command], env=desk.env, cwd=desk.root, capture_output=True, text=True, timeout=PATIENCE, start_new_session=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("menu", ["dmenu", "rofi"])
def test_menus(desk, menu):
    copying_to_stdout(desk)
    # A menu shows the lines that it is given, and prints the one that is chosen.
    stand_in(desk, menu, "tee shown | grep 太郎")
    assert run(desk, RECIPES[menu]) in right_of(desk, "日本銀行:太郎 山田")
    assert (desk.root / "shown").read_text() == "GitHub:me\n日本銀行:太郎 山田\n"
    # Nothing is chosen.
    stand_in(desk, menu, "cat >/dev/null; exit 1")
    assert run(desk, RECIPES[menu]) == ""


def test_fzf(desk):
    desk.env["FZF_DEFAULT_OPTS"] = "--query=太郎 --select-1"
    assert run(desk, RECIPES["fzf"]) in right_of(desk, "日本銀行:太郎 山田")


def test_waybar(desk):
    """waybar-custom(5): with return-type json, each line is an object whose text, tooltip, class and percentage are shown."""
    module = json.loads(RECIPES["waybar"])["custom/vmfa"]
    assert module["return-type"] == "json"
    process = subprocess.Popen(["sh", "-c", "exec " + module["exec"]], env=desk.env, stdout=subprocess.PIPE, start_new_session=True)
    told = json.loads(next(lines_of(process)))
    process.kill()
    assert told["text"] in right_of(desk, "GitHub:me")
    kinds = {"text": str, "tooltip": str, "class": str, "percentage": int}
    assert all(isinstance(told[name], kind) for name, kind in kinds.items())
    copying_to_stdout(desk)
    assert run(desk, module["on-click"]) in right_of(desk, "GitHub:me")


def test_polybar(desk):
    """Its manual on custom/script: with tail the command goes on, and the last line that it printed is shown."""
    config = configparser.ConfigParser()
    config.read_string(RECIPES["polybar"])
    module = config["module/vmfa"]
    assert module["type"] == "custom/script" and module.getboolean("tail")
    desk.env["PATH"] += ":/usr/bin"
    process = subprocess.Popen(["sh", "-c", module["exec"]], env=desk.env, stdout=subprocess.PIPE, start_new_session=True)
    line = next(lines_of(process))
    assert line in right_of(desk, "GitHub:me") and process.poll() is None
    process.stdout.close()
    process.wait(PATIENCE)


def test_tmux(desk, tmux):
    config = desk.root / "tmux.conf"
    config.write_text(RECIPES["tmux"])
    inner = tmux("/bin/sh", config=config)
    # Only a client that somebody looks at draws a status line.
    outer = tmux(shlex.join(["tmux", "-u", "-S", str(inner.socket), "attach"]) .replace("tmux", "TMUX= tmux", 1))
    screen = outer.shows(r"\b\d{6}\b")
    code = re.search(r"\b\d{6}\b", screen.split("\n")[-1]).group()
    assert code in right_of(desk, "GitHub:me")


def widget(desk, child):
    child.send("echo a b\x1bb")
    child.send("\x18m")
    child.expect("2/2")
    child.send("太郎\r")
    child.send("\x05.\r")
    child.expect(r"[\r\n]a (\d+)b\.\r")
    assert child.match.group(1) in right_of(desk, "日本銀行:太郎 山田")


def test_bash(desk):
    child = bash(desk)
    config = desk.root / "bashrc"
    config.write_text(RECIPES["bash"])
    child.sendline(f"source {config}; echo read'y'")
    child.expect("ready")
    child.expect("@> ")
    widget(desk, child)


def test_zsh(desk):
    config = desk.root / "zshrc"
    config.write_text(RECIPES["zsh"])
    child = pexpect.spawn(shutil.which("zsh"), ["-f"], env={**desk.env, "PS1": "@> "}, encoding="utf-8", timeout=PATIENCE,
                          dimensions=(24, 80), cwd=desk.root)
    child.sendline(f"bindkey -e; source {config}; echo read'y'")
    child.expect("ready\r\n")
    child.expect("@> ")
    widget(desk, child)
