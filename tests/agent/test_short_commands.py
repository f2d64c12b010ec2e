"""What a command that runs for a moment leaves in its memory: each is held at its very end, and looked at."""

import base64
import re
import secrets
import subprocess
import sys

import exits
import memory
import pytest
from desk import CHEAP, Desk

NAIVE = """
import base64, hmac, sys
secret = base64.b32decode(sys.stdin.readline().strip())
passphrase = open(sys.argv[1]).read().strip()
code = hmac.digest(secret, bytes(8), "sha1")
print(code.hex())
del secret, passphrase
"""


class Held:
    """A desk, and all that must not be left by whoever works at it."""

    def __init__(self, desk):
        self.desk, self.raw, self.counter = desk, secrets.token_bytes(40), secrets.token_bytes(40)
        self.plant = memory.Plant()
        self.plant.secret("the secret", self.raw).hmac_key("the secret", self.raw)
        self.plant.secret("the counter's secret", self.counter).hmac_key("the counter's secret", self.counter)
        self.plant.text("the passphrase", desk.passphrase.encode())
        self.commands, self.planted, self.left, self.bytes, self.has_key = 0, 0, [], 0, False

    def file(self, name, plant=True):
        text = secrets.token_urlsafe(24)
        path = self.desk.root / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        if plant:
            self.plant.text(name, text.encode())
        return path

    def run(self, *arguments, stdin="", codes=(0,), program=None, passphrase=True):
        """A command; without the passphrase, and without standard input, nothing secret comes to it."""
        if not self.has_key and self.desk.vault.exists():
            self.plant.secret("the data key", self.desk.dek())
            self.has_key = True
        command = program or self.desk.command(arguments, passphrase)
        code, out, err, left = exits.remains(command, self.desk.env, self.desk.root, stdin, self.plant, lambda name: program or b"vmfa" in name[0])
        assert code in codes, f"{arguments}: exit {code}: {err.decode()}"
        assert left and all(one.bytes > 1 << 18 for one in left), "nothing was looked at"
        self.commands += 1
        self.planted += bool(passphrase or stdin)
        self.bytes += sum(one.bytes for one in left)
        self.left += [(f"{self.commands}: {' '.join(map(str, arguments[:2]))}", one) for one in left if one.found]
        return out.decode()

    def told(self):
        return "\n".join(f"{command}: {one.told()}" for command, one in self.left)


@pytest.fixture
def held(vmfa):
    desk = Desk(vmfa)
    yield Held(desk)
    desk.tidy_up()


def test_nothing_is_left_by_a_short_command(held, long, evidence, figures):
    run, typed = held.run, base64.b32encode(held.raw).decode()
    new, export = held.file("the new passphrase"), held.file("the export's passphrase")
    root = held.desk.root
    recovery = re.search(r"\S{5}(?:-\S{5}){6}", run("init", "--kdf", CHEAP))[0]
    held.plant.text("the recovery code", recovery.encode())
    run("add", "planted", "--secret", "-", stdin=typed)
    run("add", "counter", "--type", "hotp", "--secret", "-", stdin=base64.b32encode(held.counter).decode())
    run("add", "broken", "--secret", "-", stdin=typed[:-1] + "1", codes=(2,))
    for arguments in (["code", "planted"], ["code", "planted", "--json"], ["code", "counter"], ["pair", "planted"], ["code", "planted", "--fresh"], ["list"], ["check"],
                      ["show", "planted", "--secret"], ["show", "planted", "--uri"], ["edit", "planted", "--note", "n"], ["qr", "planted", "--png", root / "q.png"]):
        run(*arguments)
    run("scan", root / "q.png")
    run("scan", root / "q.png", "--secrets")
    run("add", "again", root / "q.png")
    run("export", "--to", "uris", "--plaintext", "--out", root / "uris")
    run("import", "--dry-run", root / "uris")
    for to, name in [("aegis", "a.json")] + ([("keepass", "k.kdbx"), ("2fas", "t.json"), ("andotp", "o.json"), ("vmfa", "own.vmfa")] if long else []):
        run("export", "--to", to, "--out", root / name, "--export-passphrase-file", export, codes=(0, 2, 7))
        # Some apps' exports are for fewer kinds of accounts, and vmfa's own isn't imported.
        if to != "vmfa" and (root / name).exists():
            run("import", "--dry-run", root / name, "--file-passphrase-file", export, codes=(0, 2, 7))
    run("unlock")
    assert held.desk.is_unlocked() and held.desk.processes(), "the agent ended with the command that started it"
    # Without a passphrase only the agent has a code to give.
    run("code", "planted", passphrase=False)
    run("agent", "stop", passphrase=False)
    assert not held.desk.processes(), "nothing was stopped"
    run("list", "--recovery", codes=(2, 4, 5))
    run("passphrase", "change", "--new-passphrase-file", new, "--kdf", CHEAP)
    run("list", codes=(5,))
    # Whose data key is another.
    held.desk.say(new.read_text().strip())
    held.desk.passphrase, held.has_key = new.read_text().strip(), False
    run("list")
    evidence("memory", cases=held.commands, faults=held.planted, losses=len({command for command, _ in held.left}))
    figures(f"memory at the end of {held.commands} short commands: {held.bytes >> 20} MiB, {held.plant.windows} windows, {sum(len(one.found) for _, one in held.left)} hits")
    assert not held.left, held.told()


def test_control_an_ordinary_command_leaves_it(held, evidence, figures):
    # Somebody else's child, whose end is that one's to see.
    bystander = subprocess.Popen(["sh", "-c", "exit 7"])
    out = held.run("naive", stdin=base64.b32encode(held.raw).decode() + "\n",
                   program=[sys.executable, "-I", "-S", "-c", NAIVE, str(held.desk.passphrase_file)])
    assert len(out.strip()) == 40
    assert bystander.wait() == 7, "its end was taken by whoever waits for all"
    [(_, left)] = held.left
    evidence("memory", control=len(left.whats))
    figures(f"control: an ordinary short command leaves {len(left.found)} windows of {', '.join(left.whats)}")
    assert any("the secret" in what for what in left.whats) and "the passphrase" in left.whats
