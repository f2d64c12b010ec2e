"""The vault changes behind the agent's back: it reads it again, or forgets the key. It never answers from an old state."""

import shutil

import pytest
import spoken
from desk import is_gone, new_secret, wait_until

NOW = 1_700_000_000


def is_locked(desk, keyholder):
    """It gave nothing, and the key is gone."""
    desk.gives_nothing("alpha")
    wait_until(lambda: is_gone(keyholder), "the key goes")
    return not desk.is_unlocked()


def test_added_elsewhere(open_desk):
    desk = open_desk
    keyholder = desk.keyholder()
    with desk.line() as line:
        for n in range(3):
            desk.add(f"new-{n}")
            assert desk.works(f"new-{n}")
            # Also on a connection that was there before.
            assert len(line.list()) == n + 2
            assert line.code(desk.id(f"new-{n}"), at=NOW)["code"] == desk.right(f"new-{n}", NOW)
    assert desk.works("alpha") and desk.keyholder() == keyholder
    assert desk.told()["accounts"] == 4


def test_removed_elsewhere(open_desk):
    desk = open_desk
    desk.add("beta")
    account = desk.id("beta")
    assert desk.works("beta")
    desk.ok("remove", "beta", "--no-agent")
    done = desk.run("code", "beta", passphrase=False)
    assert done.returncode == 3 and not done.stdout
    with desk.line() as line:
        for request in (spoken.code("beta", at=NOW), spoken.code(account, at=NOW), spoken.code(account, step=7)):
            assert line.ask(spoken.CODE, request).kind in ("not one", "failed")
        assert line.ask(spoken.PAIR, spoken.pair(account, at=NOW)).kind == "failed"
        assert [a["name"] for a in line.list(1)] == ["beta"] and [a["name"] for a in line.list()] == ["alpha"]
    desk.ok("restore", "beta", "--no-agent")
    assert desk.works("beta")


def test_renamed_and_edited_elsewhere(open_desk):
    desk = open_desk
    desk.ok("rename", "alpha", "gamma", "--no-agent")
    desk.secrets["gamma"] = desk.secrets["alpha"]
    assert desk.works("gamma")
    assert desk.run("code", "alpha", passphrase=False).returncode == 3


def test_the_passphrase_changed_elsewhere(open_desk):
    desk = open_desk
    keyholder = desk.keyholder()
    new = desk.root / "new"
    new.write_text("another passphrase, and a long one\n")
    new.chmod(0o600)
    desk.ok("passphrase", "change", "--new-passphrase-file", new, "--no-agent", "--kdf", "19456,1,1")
    assert is_locked(desk, keyholder)
    desk.passphrase = "another passphrase, and a long one"
    assert desk.run("unlock").returncode == 5, "the old passphrase"
    desk.say(desk.passphrase)
    assert desk.unlock().works("alpha")


@pytest.mark.parametrize("what", ["deleted", "emptied", "truncated", "one bit", "another vault", "a directory", "unreadable link"])
def test_the_file_is_not_the_vault_any_more(desks, open_desk, what):
    desk = open_desk
    assert desk.works("alpha")
    keyholder, kept = desk.keyholder(), desk.root / "kept"
    shutil.copy2(desk.vault, kept)
    data = desk.vault.read_bytes()
    if what == "deleted":
        desk.vault.unlink()
    elif what == "emptied":
        desk.vault.write_bytes(b"")
    elif what == "truncated":
        desk.vault.write_bytes(data[:-1])
    elif what == "one bit":
        desk.vault.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    elif what == "another vault":
        other = desks().init()
        other.add("alpha")
        shutil.copy2(other.vault, desk.vault)
    elif what == "a directory":
        desk.vault.unlink()
        desk.vault.mkdir()
    else:
        desk.vault.unlink()
        desk.vault.symlink_to(desk.root / "nowhere")
    assert is_locked(desk, keyholder)
    assert desk.run("unlock").returncode != 0
    assert not desk.is_unlocked()
    if desk.vault.is_dir():
        desk.vault.rmdir()
    desk.vault.unlink(missing_ok=True)
    shutil.copy2(kept, desk.vault)
    assert desk.unlock().works("alpha")


def test_rolled_back_to_an_older_one(open_desk):
    desk = open_desk
    keyholder, old = desk.keyholder(), desk.root / "old"
    shutil.copy2(desk.vault, old)
    desk.add("beta")
    assert desk.works("beta")
    new = desk.root / "new"
    shutil.copy2(desk.vault, new)
    shutil.copy2(old, desk.vault)
    assert is_locked(desk, keyholder), "an older file is not answered from"
    done = desk.run("unlock")
    assert done.returncode != 0 and not desk.is_unlocked()
    shutil.copy2(new, desk.vault)
    assert desk.unlock().works("beta")


def test_the_secret_of_a_name_changed_elsewhere(open_desk):
    """The same name with another secret: the code is of the new one."""
    desk = open_desk
    assert desk.works("alpha")
    desk.ok("remove", "alpha", "--no-agent")
    desk.add("alpha", new_secret())
    assert desk.works("alpha")
