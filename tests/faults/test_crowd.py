"""A crowd of processes changes one vault at once, with an agent and without; afterwards it holds what a model says.

Each process owns names of its own, which it adds, edits, throws away, brings back and erases; all of them also edit common
accounts, take codes of a common counter, import, and one changes the passphrase again and again. Whoever opens the vault does
it with a key file, so that a change of the passphrase takes nobody's way in. A save that meets one is refused with the exit
code for a conflict and nothing written, and its hint says to run the command again: that is done, and counted.

With an agent, whoever takes a code first asks with nothing at hand that opens the vault, so that only the agent can answer. A
change of the passphrase takes the agent's key away: it is unlocked again after each, by whom the passphrase changed.
"""

import base64
import copy
import hashlib
import json
import random
import secrets
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyotp
import pytest
from harness import CHEAP, PATIENCE, SECRET, House

CONFLICT, LOCKED = 9, 4
# The agent lets so many wait while a counter is saved, and no more; its hint says to let the save end first.
CROWDED = b"too many codes wait at the agent"
# It ends with its key. Who waits for a code of a counter then is told so, and the code may be used up.
ENDED = b"the agent ended before it answered"
# Nothing that opens the vault: who gets a code with it got it from the agent.
NOTHING = {"VMFA_PASSPHRASE_FILE": "", "VMFA_KEY_FILE": ""}
# More often than there are changes of the passphrase nobody is told to come again.
TRIES = 20
CHANGES = 3
# Processes, rounds of each, and whether an agent is there.
SHORT = [(2, 2, False), (4, 1, True), (8, 1, False), (32, 0, True)]
LONG = [(count, rounds, agent) for count, rounds in ((2, 12), (4, 8), (8, 6), (32, 3)) for agent in (False, True)]


def secret(name):
    """One of its own for each name."""
    return base64.b32encode(hashlib.sha256(name.encode()).digest()[:20]).decode()


class Crowd:
    """A vault, its processes, and what each of them has brought about."""

    def __init__(self, root, vmfa, agent):
        self.house = House(root, [vmfa]).build()
        self.house.must("init", "--kdf", CHEAP)
        self.key = self.house.root / "key"
        self.key.write_bytes(secrets.token_bytes(40))
        self.key.chmod(0o600)
        self.house.must("slot", "add", "key-file", self.key)
        self.agent = agent
        self.runs, self.told, self.failed, self.codes = 0, 0, [], []
        # Codes that the agent alone gave, to the processes and right after it was unlocked; how often it had no key any
        # more, and how often it ended before it answered.
        self.given, self.after_unlock, self.keyless, self.unanswered = 0, 0, 0, 0
        # What must be there: the name, its notes, and whether it is in the trash.
        self.wanted = {"common-1": None, "common-2": None, "counter": None}
        self.must("add", "common-1", "--secret", "-", stdin=secret("common-1"))
        self.must("add", "common-2", "--secret", "-", stdin=secret("common-2"))
        self.must("add", "counter", "--type", "hotp", "--secret", "-", stdin=SECRET)
        if agent:
            self.unlock()

    @property
    def keyed(self):
        return {"VMFA_PASSPHRASE_FILE": "", "VMFA_KEY_FILE": str(self.key)}

    def run(self, *arguments, stdin="", env=None):
        self.runs += 1
        agent = () if self.agent else ("--no-agent",)
        return self.house.run(*arguments, *agent, stdin=stdin, env=env or self.keyed)

    def served(self, *arguments, **more):
        """Runs it, when the agent has room for one more who waits; and again where the agent ended meanwhile."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            done = self.run(*arguments, **more)
            if ENDED in done.err and done.code != 0:
                self.unanswered += 1
            elif CROWDED not in done.err:
                break
            time.sleep(0.1)
        return done

    def must(self, *arguments, **more):
        """Runs it, and again where it is told that somebody changed the keys."""
        for _ in range(TRIES):
            done = self.served(*arguments, **more)
            if done.code != CONFLICT:
                break
            self.told += 1
        if done.code != 0:
            self.failed.append(f"{' '.join(map(str, arguments))}: {done.says}")
        return done

    def work(self, number, rounds):
        """One process after the other, as somebody in a terminal of their own."""
        chance = random.Random(number)
        name = f"own-{number:02}"
        if self.agent:
            self.code()
        self.must("add", name, "--secret", "-", stdin=secret(name))
        self.must("edit", f"common-{1 + number % 2}", "--tag", f"tag-{number}")
        self.code()
        self.wanted[name] = ""
        for turn in range(rounds):
            note = f"note-{number}-{turn}"
            self.must("edit", name, "--note", note)
            self.wanted[name] = note
            kept, lost = f"kept-{number:02}-{turn}", f"lost-{number:02}-{turn}"
            for other in (kept, lost):
                self.must("add", other, "--secret", "-", stdin=secret(other))
                self.must("remove", other)
            self.must("restore", kept)
            self.must("remove", lost, "--forever", "--yes")
            self.wanted[kept] = ""
            listed = self.house.root / f"{name}-{turn}.txt"
            names = [f"imported-{number:02}-{turn}-{index}" for index in range(3)]
            listed.write_text("".join(f"otpauth://totp/{name}?secret={secret(name)}\n" for name in names))
            self.must("import", listed)
            self.wanted.update(dict.fromkeys(names, ""))
            if chance.random() < 0.5:
                self.code()

    def code(self):
        if self.agent and self.of_the_agent():
            self.given += 1
            return
        self.took(self.must("code", "counter", "--json"))

    def took(self, done):
        if done.code == 0:
            self.codes.append(json.loads(done.out)["code"])
        return done.code == 0

    def of_the_agent(self):
        """Whether the agent gave a code, to somebody who has nothing else."""
        done = self.served("code", "counter", "--json", env=NOTHING)
        if done.code in (CONFLICT, LOCKED):
            self.keyless += 1
        elif done.code != 0:
            self.failed.append(f"a code of the agent's: {done.says}")
        return self.took(done)

    def unlock(self):
        """Only the changes lock the agent, and whoever makes them unlocks it: so it must give a code now."""
        self.must("unlock")
        if self.of_the_agent():
            self.after_unlock += 1
        else:
            self.failed.append("the agent was unlocked, and gives no code")

    def change(self):
        """The passphrase, under everybody's feet."""
        for turn in range(CHANGES):
            new = self.house.root / f"passphrase-{turn}"
            new.write_text(f"the passphrase of turn {turn}\n")
            new.chmod(0o600)
            own = {"VMFA_PASSPHRASE_FILE": str(self.house.passphrase)}
            self.must("passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", new, env=own)
            self.house.passphrase = new
            if self.agent:
                if self.of_the_agent():
                    self.failed.append("the agent gives codes of a vault whose key was taken from it")
                self.unlock()

    def all_at_once(self, count, rounds):
        with ThreadPoolExecutor(max_workers=count) as pool:
            workers = [pool.submit(self.work, number, rounds) for number in range(count - 1)]
            changer = pool.submit(self.change)
            for worker in (*workers, changer):
                worker.result()
        return count - 1

    def lost(self, writers):
        """What isn't as the model says."""
        lost = []
        listed = self.must("list", "--json")
        found = {account["account"]: account for account in json.loads(listed.out or "[]")}
        trash = json.loads(self.must("list", "--json", "--trash").out or "[]")
        lost += [f"{name} is missing" for name in self.wanted if name not in found]
        lost += [f"{name} is there" for name in found if name not in self.wanted]
        lost += [f"{account['account']} is in the trash" for account in trash]
        for name, note in self.wanted.items():
            if note and found.get(name, {}).get("note") != note:
                lost.append(f"{name}: {found.get(name)}, not {note}")
        for number in range(writers):
            common = found.get(f"common-{1 + number % 2}", {})
            if f"tag-{number}" not in common.get("tags", []):
                lost.append(f"the tag of {number} is gone: {common}")
        # None twice; and none left out but those that the agent may have taken to its end.
        counted = Counter(pyotp.HOTP(SECRET).at(counter) for counter in range(len(self.codes) + self.unanswered))
        if Counter(self.codes) - counted:
            lost.append(f"{len(self.codes)} codes, {len(set(self.codes))} of them different, {self.unanswered} never came")
        for name in list(self.wanted)[:8]:
            if name != "counter":
                code = self.must("code", name, "--at", "59").out.decode().split()[:1]
                if code != [pyotp.TOTP(secret(name)).at(59)]:
                    lost.append(f"{name} gives {code}")
        return lost + self.behind()

    def behind(self):
        """The vault's check, each backup, and what is left lying about."""
        lost = []
        check = self.run("check")
        if check.code != 0:
            lost.append(f"check: {check.says}")
        backups = sorted(self.house.directory.glob("accounts.vmfa.bak-*"))
        for backup in backups:
            old = copy.copy(self.house)
            old.vault = backup
            own = {**self.keyed, "XDG_STATE_HOME": str(self.house.root / "elsewhere")}
            done = old.run("list", "--json", "--no-agent", "--accept-rollback", env=own)
            if done.code != 0:
                lost.append(f"{backup.name}: {done.says}")
        if len(backups) != 5:
            lost.append(f"{len(backups)} backups")
        lost += [f"{path.name} was left" for path in self.house.directory.glob("*.tmp-*")]
        return lost


@pytest.fixture
def root():
    """Short, since the path of a socket has 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="vmfa-"))
    yield path
    shutil.rmtree(path)


def judged(vmfa, root, count, rounds, agent, evidence, figures):
    crowd = Crowd(root / "house", vmfa, agent)
    try:
        lost = crowd.lost(crowd.all_at_once(count, rounds))
    finally:
        if agent:
            crowd.house.run("agent", "stop", env=crowd.keyed)
    # Whose save met a change of the keys, and who found the agent without its key or lost it while waiting.
    met = crowd.told + crowd.keyless + crowd.unanswered
    evidence("crowd", cases=crowd.runs, faults=met, losses=len(lost) + len(crowd.failed))
    by_agent = f" ({crowd.given} of the agent's, {crowd.after_unlock} more of it right after {CHANGES + 1} unlocks,"
    by_agent += f" {crowd.keyless} times it had no key, {crowd.unanswered} times it ended first)"
    figures(
        f"crowd of {count}{' with an agent' if agent else ''}: {crowd.runs} runs, {len(crowd.codes)} codes of one counter"
        f"{by_agent if agent else ''}, {crowd.told} told to come again, {len(crowd.failed)} failed, {len(lost)} losses"
    )
    assert not crowd.failed, "\n".join(crowd.failed[:5])
    assert not lost, "\n".join(lost[:10])
    if agent:
        assert crowd.after_unlock == CHANGES + 1 and crowd.keyless >= CHANGES, "the agent and the changes never met"
        asked = len(crowd.codes) - crowd.after_unlock
        assert crowd.given >= max(1, asked // 8), f"of {asked} codes the agent gave {crowd.given}: it was hardly ever unlocked"


@pytest.mark.parametrize(("count", "rounds", "agent"), SHORT)
def test_the_vault_holds_what_all_of_them_did(vmfa, root, count, rounds, agent, evidence, figures):
    judged(vmfa, root, count, rounds, agent, evidence, figures)


@pytest.mark.long
@pytest.mark.parametrize(("count", "rounds", "agent"), LONG)
def test_and_so_it_does_after_many_rounds(vmfa, root, count, rounds, agent, evidence, figures):
    judged(vmfa, root, count, rounds, agent, evidence, figures)
