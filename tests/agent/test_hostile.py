"""Clients, sockets and directories that mean ill: none stops the agent, none is told what it shouldn't be."""

import contextlib
import multiprocessing
import os
import secrets
import socket
import struct
import threading
import time

import pytest
import spoken
from desk import NOBODY, PATIENCE, as_other_user, is_gone, new_secret, wait_until

NOW = 1_700_000_000


@contextlib.contextmanager
def unharmed(desk, name="alpha"):
    """The same processes answer afterwards, with the right code, to the program and to the protocol."""
    before = desk.processes()
    assert sorted(before.values()) == [False, True]
    yield
    assert desk.works(name)
    with desk.line() as line:
        assert line.code(name, at=NOW)["code"] == desk.right(name, NOW)
    assert desk.processes() == before


def requests(desk, account):
    """A valid request of each verb that neither locks nor stops."""
    return {
        "status": spoken.frame(spoken.STATUS, desk.tag),
        "list": spoken.frame(spoken.LIST, desk.tag, b"\0"),
        "find": spoken.frame(spoken.FIND, desk.tag, spoken.text("alpha")),
        "code": spoken.frame(spoken.CODE, desk.tag, spoken.code("alpha", at=NOW)),
        "code by id": spoken.frame(spoken.CODE, desk.tag, spoken.code(account, step=5)),
        "pair": spoken.frame(spoken.PAIR, desk.tag, spoken.pair(account, at=NOW)),
        "hotp-next": spoken.frame(spoken.HOTP_NEXT, desk.tag, spoken.hotp_next(account)),
        "may": spoken.frame(spoken.MAY, desk.tag, spoken.may(account)),
        "session get": spoken.frame(spoken.SESSION_GET, desk.tag, spoken.session_get("none", NOW)),
        "session put": spoken.frame(spoken.SESSION_PUT, desk.tag, spoken.session_put("s", b"blob", time.time() + 99)),
        "session forget": spoken.frame(spoken.SESSION_FORGET, desk.tag, spoken.text("s")),
        "access key": spoken.frame(spoken.ACCESS_KEY, desk.tag, spoken.text("prod")),
        "access keys": spoken.frame(spoken.ACCESS_KEYS, desk.tag),
        "unlock": spoken.frame(spoken.UNLOCK, desk.tag, spoken.unlock(secrets.token_bytes(32))),
    }


def held_off(desk, datas, then):
    """Sends each on a connection of its own, does `then`, and gives what came back on each until the agent closed."""
    lines, said = [], []
    try:
        for data in datas:
            lines.append(desk.line())
            with contextlib.suppress(spoken.Closed):
                lines[-1].send(data)
            then(lines[-1])
        for line in lines:
            said.append(line.ends())
    finally:
        for line in lines:
            line.close()
    return said


def test_every_cut_of_a_request(open_desk, figures):
    desk = open_desk
    whole = requests(desk, desk.id("alpha"))
    cuts = [data[:cut] for data in whole.values() for cut in range(len(data))]
    with unharmed(desk):
        # Closed at once, and closed for writing: nothing is answered.
        for cut in cuts:
            with desk.line() as line, contextlib.suppress(spoken.Closed):
                line.send(cut)
        assert not any(held_off(desk, cuts[::3], lambda line: line.socket.shutdown(socket.SHUT_WR)))
        # Silence: the agent ends it.
        assert not any(held_off(desk, cuts[::11], lambda line: None))
    figures(f"half frames: {len(cuts)} cuts of {len(whole)} requests closed, {len(cuts[::3])} half closed, {len(cuts[::11])} left silent")


def test_lengths_that_are_none(open_desk):
    desk = open_desk
    lengths = [0, 1, 3, 4, 19, 65537, 65556, 1 << 17, 1 << 20, 1 << 31, (1 << 32) - 1]
    behind = spoken.frame(spoken.CODE, desk.tag, spoken.code("alpha", at=NOW))[4:]
    with unharmed(desk):
        for said in held_off(desk, [struct.pack("<I", length) + behind for length in lengths], lambda line: None):
            # Told that it is none, and nothing more: what follows can't be told apart.
            assert said == struct.pack("<IHBB", 4, 1, 15, 0)
        for length in (20, 65533 - 20, 65536 - 20):
            with desk.line() as line:
                answer = line.ask(spoken.CODE, bytes(length))
                assert answer.kind == "malformed", length
                assert line.status()["held"], "the frame was whole: the connection goes on"


def test_garbage(open_desk):
    desk = open_desk
    with unharmed(desk):
        for said in held_off(desk, [secrets.token_bytes(n) for n in (1, 7, 24, 100, 5000, 200_000)] * 5, lambda line: None):
            assert said in (b"", struct.pack("<IHBB", 4, 1, 15, 0)), said


def test_requests_that_say_something_else(open_desk):
    desk = open_desk
    account, key = desk.id("alpha"), secrets.token_bytes(32)
    now = spoken.moment(NOW)
    malformed = {
        "a status with a body": (spoken.STATUS, b"x"),
        "a lock with a body": (spoken.LOCK, b"x"),
        "no kind of list": (spoken.LIST, b""),
        "an unknown kind of list": (spoken.LIST, b"\2"),
        "a list and a byte": (spoken.LIST, b"\0x"),
        "a query that is no text": (spoken.FIND, spoken.text(b"\xff\xfe")),
        "a query too long": (spoken.FIND, spoken.text("a" * 1025)),
        "a query longer than the frame": (spoken.FIND, struct.pack("<I", 99) + b"abc"),
        "a query longer than memory": (spoken.FIND, struct.pack("<I", 0xFFFFFFFF) + b"abc"),
        "a code and a byte": (spoken.CODE, spoken.code("alpha", at=NOW) + b"x"),
        "a code of nobody": (spoken.CODE, b""),
        "a code of an unknown kind": (spoken.CODE, b"\2" + spoken.code("alpha", at=NOW)[1:]),
        "a code of no time": (spoken.CODE, b"\0" + account + b"\2" + bytes(11)),
        "an answer that is neither": (spoken.MAY, spoken.may(account, asked=2)),
        "a may and a byte": (spoken.MAY, spoken.may(account) + b"x"),
        "a may about nobody": (spoken.MAY, b""),
        "a thousand milliseconds": (spoken.CODE, b"\0" + account + b"\0" + struct.pack("<QH", NOW, 1000)),
        "a pair of three": (spoken.PAIR, account + now + b"\2"),
        "half an id": (spoken.PAIR, account[:8]),
        "an hotp-next and a byte": (spoken.HOTP_NEXT, spoken.hotp_next(account) + b"x"),
        "a session of no name": (spoken.SESSION_GET, b""),
        "a session too large": (spoken.SESSION_PUT, spoken.session_put("s", bytes(48 * 1024 + 1), NOW)),
        "a profile longer than any": (spoken.ACCESS_KEY, spoken.text("p" * 1025)),
        "a profile that is no text": (spoken.ACCESS_KEY, spoken.text(b"\xff")),
        "a profile and a byte": (spoken.ACCESS_KEY, spoken.text("prod") + b"x"),
        "no profile": (spoken.ACCESS_KEY, b""),
        "all access keys and a byte": (spoken.ACCESS_KEYS, b"x"),
        "a key too short": (spoken.UNLOCK, spoken.unlock(key[:31])),
        "a key too long": (spoken.UNLOCK, spoken.unlock(key + b"x")),
        "a key and a byte": (spoken.UNLOCK, spoken.unlock(key) + b"x"),
    }
    with unharmed(desk), desk.line() as line:
        for what, (verb, body) in malformed.items():
            assert line.ask(verb, body).kind == "malformed", what
        for verb in (0, 16, 17, 100, 255):
            assert line.ask(verb, secrets.token_bytes(40)).kind == "malformed", verb
        # Right in form, and refused for what they ask.
        assert line.ask(spoken.UNLOCK, spoken.unlock(key)).kind == "failed"
        assert line.ask(spoken.CODE, spoken.code(secrets.token_bytes(16), at=NOW)).kind == "failed"
        assert line.ask(spoken.CODE, spoken.code("nobody", at=NOW)).kind == "not one"
        assert line.ask(spoken.CODE, spoken.code(account, step=(1 << 64) - 1)).kind in ("code", "failed")
        assert line.ask(spoken.CODE, spoken.code(account, at=0)).kind == "code"
        assert line.ask(spoken.HOTP_NEXT, spoken.hotp_next(account)).kind == "failed", "it has no counter"
        assert line.ask(spoken.MAY, spoken.may(secrets.token_bytes(16))).kind == "failed"
        assert line.ask(spoken.MAY, spoken.may(account)).kind == "done", "it doesn't ask"
        assert line.ask(spoken.PAIR, spoken.pair(account, at=0)).kind == "failed", "there is no step before the first"


def test_an_older_or_newer_client_is_told(open_desk):
    desk = open_desk
    with unharmed(desk), desk.line() as line:
        for version in (0, 2, 3, 0x8000, 0xFFFF):
            for verb in (spoken.STATUS, spoken.CODE, spoken.UNLOCK, spoken.LOCK, 200):
                answer = line.ask(verb, secrets.token_bytes(50), version=version)
                assert answer.kind == "other version" and answer.body.number("H") == 1
                assert answer.body.text().count(".") == 2, "the program's version"
    # And may stop it.
    with desk.line() as line:
        assert line.ask(spoken.STOP, version=7).kind == "done"
        assert line.ends() == b""
    wait_until(lambda: not desk.processes(), "the agent ends")


def test_a_client_that_means_another_vault(open_desk):
    desk = open_desk
    with unharmed(desk), desk.line() as line:
        line.tag = secrets.token_bytes(16)
        for verb, body in ((spoken.CODE, spoken.code("alpha", at=NOW)), (spoken.LIST, b"\0"), (spoken.LOCK, b""),
                           (spoken.UNLOCK, spoken.unlock(desk.dek()))):
            answer = line.ask(verb, body)
            assert answer.kind == "other vault" and answer.body.text() == str(desk.vault)
        assert line.status()["held"], "how it is may be asked by all"


def test_every_verb_while_locked(open_desk, figures):
    desk = open_desk
    whole = requests(desk, desk.id("alpha"))
    desk.ok("lock", passphrase=False)
    supervisor = desk.supervisor()
    asked = 0
    with desk.line() as line:
        for what, data in whole.items():
            if what == "unlock":
                continue
            line.send(data)
            answer, asked = line.hear(), asked + 1
            assert answer.kind == ("status" if what == "status" else "locked"), what
        for verb in (0, 16, 255):
            assert line.ask(verb, b"abc").kind == "malformed"
        assert line.ask(spoken.CODE, b"", version=9).kind == "other version"
        line.tag = bytes(16)
        assert line.ask(spoken.CODE, b"").kind == "other vault"
    # A wrong key, half a key, a key of another shape: it stays locked.
    for body in (spoken.unlock(secrets.token_bytes(32)), spoken.unlock(b"short"), spoken.unlock(desk.dek()) + b"x", b""):
        with desk.line() as line:
            assert line.ask(spoken.UNLOCK, body).kind in ("failed", "malformed")
        wait_until(lambda: desk.processes() == {supervisor: False}, "the keyholder of a wrong key ends")
    for cut in (25, 40, 60):
        with desk.line() as line:
            line.send(whole["unlock"][:cut])
            assert line.ends() == b""
        wait_until(lambda: desk.processes() == {supervisor: False}, "the keyholder of half a key ends")
    desk.gives_nothing("alpha")
    with desk.line() as line:
        assert line.ask(spoken.LOCK).kind == "done", "locked already"
        assert line.ends() == b""
    desk.unlock()
    assert desk.works("alpha") and desk.supervisor() == supervisor
    figures(f"a locked agent: {asked} verbs, 0 codes; 4 wrong and 3 half unlocks, same supervisor")


@pytest.mark.parametrize("state", ["unlocked", "locked"])
def test_a_hundred_idle_connections(desk, state, figures):
    # Locked, there is a supervisor that must hear an unlock all the same.
    desk.unlock()
    if state == "locked":
        desk.ok("lock", passphrase=False)
    before = desk.supervisor()
    stop, made = threading.Event(), []

    def idle():
        """Keeps a hundred connections open, a new one for each that was closed."""
        lines = []
        try:
            while not stop.is_set():
                while len(lines) < 100:
                    with contextlib.suppress(OSError):
                        lines.append(desk.line(patience=5))
                        lines[-1].socket.setblocking(False)
                        made.append(1)
                for line in list(lines):
                    try:
                        closed = line.socket.recv(1) == b""
                    except BlockingIOError:
                        closed = False
                    except OSError:
                        closed = True
                    if closed:
                        line.close()
                        lines.remove(line)
                stop.wait(0.05)
        finally:
            for line in lines:
                line.close()

    crowd = threading.Thread(target=idle)
    crowd.start()
    try:
        wait_until(lambda: len(made) >= 100, "a hundred are there")
        began = time.monotonic()
        if state == "locked":
            desk.ok("unlock")
        codes, longest = 0, 0
        # For a while: those that were shown out come back, as often as they like.
        while time.monotonic() < began + 2:
            asked = time.monotonic()
            assert desk.works("alpha")
            longest, codes = max(longest, time.monotonic() - asked), codes + 1
    finally:
        stop.set()
        crowd.join()
    assert desk.supervisor() == before
    figures(f"100 idle connections, {state}: {codes} codes meanwhile, each in {longest:.2f} s or less; {len(made)} connections in all")


def test_a_hundred_connections_that_drip(open_desk, figures):
    desk = open_desk
    data = requests(desk, desk.id("alpha"))["code"]
    stop, answered = threading.Event(), []

    def drip():
        at, lines = {}, {}
        while not stop.wait(0.2):
            for n in range(100):
                if n not in lines:
                    with contextlib.suppress(OSError):
                        lines[n], at[n] = desk.line(patience=5), 0
                        lines[n].socket.setblocking(False)
                    continue
                try:
                    lines[n].socket.send(data[at[n]:at[n] + 1])
                    at[n] = (at[n] + 1) % len(data)
                    if lines[n].socket.recv(4096):
                        answered.append(n)
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                lines.pop(n).close()
        for line in lines.values():
            line.close()

    crowd = threading.Thread(target=drip)
    with unharmed(desk):
        crowd.start()
        try:
            time.sleep(1)
            began = time.monotonic()
            codes, longest = 0, 0
            while time.monotonic() < began + 2:
                asked = time.monotonic()
                assert desk.works("alpha")
                longest, codes = max(longest, time.monotonic() - asked), codes + 1
        finally:
            stop.set()
            crowd.join()
    # A second is too short for so many drops.
    assert not answered
    figures(f"100 connections that drip: {codes} codes meanwhile, each in {longest:.2f} s or less")


def test_a_client_that_never_reads(desks, figures):
    desk = desks().init()
    desk.add_many([f"account-{n:04}-{'x' * 200}" for n in range(600)])
    desk.secrets["alpha"] = new_secret()
    desk.add("alpha", desk.secrets["alpha"])
    desk.unlock()
    ask = spoken.frame(spoken.LIST, desk.tag, b"\0")
    with unharmed(desk), contextlib.ExitStack() as stack:
        lines = [stack.enter_context(desk.line()) for _ in range(30)]
        for line in lines:
            with contextlib.suppress(spoken.Closed):
                line.send(ask * 20)
        assert desk.works("alpha")
        # The agent gives each up after a second: what is read then is short of what was asked for.
        time.sleep(1.5)
        read = [len(line.ends()) for line in lines]
        with desk.line() as line:
            whole = len(line.list())
            assert whole == 601
    assert all(size < 20 * whole * 100 for size in read)
    figures(f"30 clients that read nothing of 20 lists each: {max(read)} bytes at most were sent to one")


# --- other users ------------------------------------------------------------------------------------------------------


def what_it_is_told(path, tag, data):
    with spoken.Line(path, tag) as line:
        with contextlib.suppress(spoken.Closed):
            line.send(data)
        return line.ends()


def test_a_client_of_another_user_is_told_nothing(open_desk, is_root, figures):
    desk = open_desk
    ask = spoken.frame(spoken.CODE, desk.tag, spoken.code("alpha", at=NOW)) * 3
    assert desk.directory.stat().st_mode & 0o777 == 0o700 and desk.socket.stat().st_mode & 0o077 == 0
    if not is_root:
        figures("a client of another user: only root can be one")
        return
    with unharmed(desk):
        desk.root.chmod(0o755)
        desk.run_dir.chmod(0o755)
        assert isinstance(as_other_user(what_it_is_told, desk.socket, desk.tag, ask), PermissionError), "the directory is shut"
        # On purpose: as if somebody had opened every door.
        desk.directory.chmod(0o755)
        desk.socket.chmod(0o777)
        for data in (ask, spoken.frame(spoken.STATUS, desk.tag), spoken.frame(spoken.STOP, desk.tag)):
            assert as_other_user(what_it_is_told, desk.socket, desk.tag, data) == b""
        desk.directory.chmod(0o700)
    # The same while it is locked.
    desk.ok("lock", passphrase=False)
    desk.directory.chmod(0o755)
    supervisor = desk.supervisor()
    key = spoken.frame(spoken.UNLOCK, desk.tag, spoken.unlock(desk.dek()))
    for data in (key, spoken.frame(spoken.STATUS, desk.tag), spoken.frame(spoken.STOP, desk.tag)):
        assert as_other_user(what_it_is_told, desk.socket, desk.tag, data) == b""
    assert desk.processes() == {supervisor: False}
    desk.directory.chmod(0o700)


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o710, 0o701, 0o720])
def test_a_directory_that_others_may_enter(open_desk, mode):
    desk = open_desk
    desk.directory.chmod(mode)
    done = desk.gives_nothing("alpha")
    assert "is open to others" in done.stderr and "chmod 700" in done.stderr
    # With the passphrase it works without the agent, and no other agent starts.
    assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
    assert desk.run("unlock").returncode == 2
    assert desk.run("agent", "--foreground", passphrase=False).returncode == 2
    desk.directory.chmod(0o700)
    assert desk.works("alpha")


def refused(desk):
    """Neither client nor agent has anything to do with what is in the way."""
    done = desk.run("unlock")
    assert done.returncode != 0, done.stdout + done.stderr
    agent = desk.run("agent", "--foreground", passphrase=False)
    assert agent.returncode != 0, agent.stderr
    assert not desk.processes()
    desk.gives_nothing("alpha")
    assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW), "with the passphrase it goes on"
    return done.stderr + agent.stderr


def test_a_directory_that_is_a_link(desk):
    elsewhere = desk.root / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    desk.directory.symlink_to(elsewhere)
    assert "is a symbolic link" in refused(desk)
    assert not list(elsewhere.iterdir())


def test_a_directory_that_is_a_file(desk):
    desk.directory.write_text("mine")
    assert "is no directory" in refused(desk)
    assert desk.directory.read_text() == "mine"


def test_a_directory_of_another_user(desk, is_root, figures):
    if not is_root:
        figures("a directory of another user: only root can make one")
        return
    desk.directory.mkdir(mode=0o700)
    os.chown(desk.directory, NOBODY, NOBODY)
    assert "belongs to another user" in refused(desk)


# --- what was there before ----------------------------------------------------------------------------------------------


class Ear:
    """Somebody else who listens at the agent's place, and notes what arrives. Answers with `says`."""

    def __init__(self, path, says=b""):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(50)
        self.heard, self.calls, self.says = [], 0, says
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            with line:
                line.settimeout(2)
                with contextlib.suppress(OSError):
                    if data := line.recv(1 << 17):
                        self.heard.append(data)
                    line.sendall(self.says)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def listen_as_other_user(path, pipe):
    """Runs in a child: binds, then becomes nobody before it listens, as the peer's uid is told from the one who listens."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    os.chown(path, NOBODY, NOBODY)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    listener.listen(50)
    pipe.send("ready")
    heard = []
    listener.settimeout(0.1)
    while not pipe.poll():
        with contextlib.suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.settimeout(1)
                heard.append(line.recv(1 << 17))
    pipe.send(heard)


def test_a_socket_of_another_user_is_told_nothing(desk, is_root, figures):
    if not is_root:
        figures("a socket of another user: only root can make one")
        return
    desk.directory.mkdir(mode=0o700)
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=listen_as_other_user, args=(desk.socket, theirs))
    process.start()
    try:
        assert mine.recv() == "ready"
        said = refused(desk)
        assert "another user" in said and str(NOBODY) in said
        for command in (["lock"], ["agent", "stop"], ["agent", "status"], ["list"]):
            assert desk.run(*command, passphrase=False).returncode != 0, command
    finally:
        mine.send("enough")
        heard = mine.recv()
        process.join(PATIENCE)
    assert len(heard) >= 5 and not any(heard), heard
    figures(f"a socket of another user: {len(heard)} connections, {sum(map(len, heard))} bytes told")


@pytest.mark.parametrize("says", ["nothing", "garbage", "a huge length", "another version"])
def test_a_socket_of_ours_that_is_no_agent(desk, says):
    desk.directory.mkdir(mode=0o700)
    ear = Ear(desk.socket, {
        "nothing": b"", "garbage": secrets.token_bytes(99), "a huge length": b"\xff" * 8,
        "another version": struct.pack("<IHBB", 10, 2, 255, 0) + struct.pack("<HI", 2, 0),
    }[says])
    try:
        # Whoever is the same user may be asked; but nothing of a passphrase, and no second agent in its place.
        desk.gives_nothing("alpha")
        assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
        done = desk.run("agent", "--foreground", passphrase=False)
        assert done.returncode != 0 and "an agent runs already" in done.stderr
        assert ear.calls >= 2 and not any(desk.passphrase.encode() in data for data in ear.heard)
        assert desk.socket.is_socket()
    finally:
        ear.close()


def test_a_socket_that_a_dead_agent_left(desk):
    desk.directory.mkdir(mode=0o700)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(desk.socket))
    left.close()
    assert desk.socket.is_socket()
    desk.unlock()
    assert desk.works("alpha")


def make(path, what):
    if what == "file":
        path.write_text("mine")
    elif what == "fifo":
        os.mkfifo(path, 0o600)
    elif what == "link":
        path.symlink_to(path.parent / "elsewhere")
    elif what == "link to a file":
        (path.parent / "elsewhere").write_text("mine")
        path.symlink_to(path.parent / "elsewhere")
    else:
        path.mkdir()


@pytest.mark.parametrize("place", ["agent.sock", "agent.lock"])
@pytest.mark.parametrize("what", ["file", "fifo", "link", "link to a file", "directory"])
def test_something_in_the_way(desk, place, what):
    if (place, what) == ("agent.lock", "file"):
        # That is what a lock is.
        desk.directory.mkdir(mode=0o700)
        make(desk.directory / place, what)
        assert desk.unlock().works("alpha")
        return
    desk.directory.mkdir(mode=0o700)
    make(desk.directory / place, what)
    before = (desk.directory / place).lstat()
    said = refused(desk)
    assert "left alone" in said, said
    after = (desk.directory / place).lstat()
    assert (after.st_ino, after.st_size, after.st_mode) == (before.st_ino, before.st_size, before.st_mode)
    if what == "link":
        assert not (desk.directory / "elsewhere").exists(), "something was made behind the link"


def test_a_socket_behind_a_link_is_not_the_agents(desks):
    # Another's agent behind a link in our directory: same user, so it may answer; but it is for another vault.
    one, two = desks().init(), desks().init()
    one.add("alpha")
    two.add("alpha")
    one.unlock()
    two.directory.mkdir(mode=0o700)
    two.socket.symlink_to(one.socket)
    two.gives_nothing("alpha")
    assert two.ok("code", "alpha", "--at", NOW).strip() == two.right("alpha", NOW)
    assert one.works("alpha")


def test_the_socket_is_taken_away(open_desk):
    desk = open_desk
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    desk.socket.unlink()
    desk.gives_nothing("alpha")
    assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
    os.kill(supervisor, 15)
    wait_until(lambda: is_gone(supervisor) and is_gone(keyholder), "SIGTERM ends it")
    assert desk.unlock().works("alpha")
