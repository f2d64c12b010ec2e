"""AWS access keys leave the agent, to whoever signs requests with them; secrets of accounts never do."""

import pytest
import spoken

NOW = 1_700_000_000


@pytest.fixture
def keys_desk(desks):
    return desks().init_from("access_key")


def test_they_are_given_while_it_is_unlocked(keys_desk, figures):
    desk = keys_desk
    keys = desk.content()["access_keys"]
    assert [key["profile"] for key in keys] == ["dév", "prod"]
    desk.unlock()
    with desk.line() as line:
        assert [line.access_key(key["profile"]) for key in keys] == keys
        assert line.access_keys() == [{name: key[name] for name in ("profile", "access_key_id", "added")} for key in keys]
        # Cleaned as where it was put in; and what isn't there isn't a failure.
        assert line.access_key("  prod\x1b\n") == keys[1]
        for nobody in ("", "PROD", "pro", keys[1]["access_key_id"], "alice", "p" * 1024):
            assert line.access_key(nobody) is None
        assert line.status()["held"]["accounts"] == 1
        assert [one["name"] for one in line.list()] == ["alice"] and line.list(1) == []
    desk.ok("lock", passphrase=False)
    with desk.line() as line:
        assert line.ask(spoken.ACCESS_KEY, spoken.text("prod")).kind == "locked"
        assert line.ask(spoken.ACCESS_KEYS).kind == "locked"
    figures(f"{len(keys)} access keys given by an unlocked agent, 0 by a locked one")


def test_no_answer_holds_the_secret_of_an_account(keys_desk):
    desk = keys_desk
    [account] = desk.content()["accounts"]
    secret, whom = bytes.fromhex(account["secret"]), bytes.fromhex(account["id"])
    desk.unlock()
    asked = {
        spoken.STATUS: b"", spoken.LIST: b"\0", spoken.FIND: spoken.text("alice"), spoken.CODE: spoken.code("alice", at=NOW),
        spoken.PAIR: spoken.pair(whom, at=NOW), spoken.HOTP_NEXT: spoken.hotp_next(whom), spoken.MAY: spoken.may(whom),
        spoken.SESSION_GET: spoken.session_get("alice", NOW), spoken.SESSION_PUT: spoken.session_put("a", b"b", NOW),
        spoken.SESSION_FORGET: spoken.text("a"), spoken.ACCESS_KEY: spoken.text("alice"), spoken.ACCESS_KEYS: b"",
        spoken.UNLOCK: spoken.unlock(desk.dek()), spoken.LOCK: b"",
    }
    # Each verb that there is, but the one that ends the agent.
    assert asked.keys() == set(range(1, 16)) - {spoken.STOP}
    for verb, body in asked.items():
        with desk.line() as line:
            line.send(spoken.frame(verb, desk.tag, body))
            said = line.ends()
        assert said and not any(secret[at:at + 8] in said for at in range(len(secret) - 7)), verb


def test_the_program_counts_them_apart(keys_desk):
    told = keys_desk.ok("check")
    assert "1 account, " in told and "2 access keys, all sound" in told and "newer version" not in told
    assert "AKIA" not in keys_desk.ok("list", "--no-agent")
