"""What the desktop says to an agent, and what it is asked: over real buses, with stand-ins that share none of our code."""

import os
import queue
import subprocess
import threading
import time
from pathlib import Path

import pytest
from bus import PATIENCE, Bus, Logind, NotificationServer, ScreenSaver, until

ROOT = Path(__file__).resolve().parents[2]
UID = 4711
SLEEP = ("sleep", "vmfa", "Locks the keys first", "delay")


@pytest.fixture(scope="session")
def program():
    """The example that listens and asks, line by line."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--example", "desktop"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug/examples/desktop"


class Watcher:
    """Somebody who listens to the desktop."""

    def __init__(self, program, system="-", session="-"):
        self.process = subprocess.Popen(
            [program, "watch", system, session, str(UID)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, text=True
        )
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line.strip()) for line in self.process.stdout], daemon=True).start()
        assert self.hears() == "watching"

    def hears(self):
        return self.lines.get(timeout=PATIENCE)

    def proceeds(self):
        """The keys are gone."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.hears() == "done"

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def watch(program):
    watchers = []

    def start(**buses):
        watchers.append(Watcher(program, **buses))
        return watchers[-1]

    yield start
    for watcher in watchers:
        watcher.stop()


def listens(bus, name):
    """Waits until somebody follows this name's owner, the last that a watcher asks of a bus; who it is."""
    return bus.listener(f"arg0='{name}'")


def is_held(logind):
    return until(lambda: logind.held() == [SLEEP], "a delay lock, and only one")


# --- logind ------------------------------------------------------------------------------------------------------------


def test_the_machine_sleeps_only_when_the_keys_are_gone(desktop, watch):
    watcher = watch(system=desktop.system.address)
    for _ in range(3):
        is_held(desktop.logind)
        desktop.logind.emit_prepare_for_sleep(True)
        assert watcher.hears() == "sleep"
        assert desktop.logind.held() == [SLEEP], "let go before the keys were gone"
        watcher.proceeds()
        until(lambda: not desktop.logind.held(), "the lock given back")
        desktop.logind.emit_prepare_for_sleep(False)
    is_held(desktop.logind)


def test_the_lock_is_inherited_by_no_child_and_no_socket_is_of_the_network(desktop, watch):
    watcher = watch(system=desktop.system.address, session=desktop.session.address)
    is_held(desktop.logind)
    listens(desktop.session, ScreenSaver.NAMES[-1])
    place = Path(f"/proc/{watcher.process.pid}")
    unix = {line.split()[6] for line in (place / "net/unix").read_text().splitlines()[1:]}
    links = {int(fd.name): os.readlink(fd) for fd in (place / "fd").iterdir()}
    ours = {fd: link for fd, link in links.items() if fd > 2}
    sockets = [link for link in ours.values() if link.startswith("socket:")]
    assert len(sockets) == 2 and all(link[len("socket:["):-1] in unix for link in sockets)
    assert any(link.startswith("pipe:") for link in ours.values()), "the lock"
    for fd in ours:
        flags = next(line for line in (place / f"fdinfo/{fd}").read_text().splitlines() if line.startswith("flags:"))
        assert int(flags.split()[1], 8) & os.O_CLOEXEC, links[fd]


def test_a_sleep_that_is_being_prepared_when_the_watch_begins_is_heard(desktop, watch):
    desktop.logind.is_preparing = True
    watcher = watch(system=desktop.system.address)
    assert watcher.hears() == "sleep"
    watcher.proceeds()
    until(lambda: not desktop.logind.held(), "the lock given back")


def test_without_a_delay_lock_the_cue_comes_all_the_same(desktop, watch):
    desktop.logind.refuses_inhibitors = True
    watcher = watch(system=desktop.system.address)
    listens(desktop.system, desktop.logind.name)
    desktop.logind.emit_prepare_for_sleep(True)
    assert watcher.hears() == "sleep"
    assert desktop.logind.inhibitors == []


def test_a_session_of_ours_or_of_nobody_known_locks_and_another_one_does_not(desktop, watch):
    logind = desktop.logind
    ours, other = logind.session(UID), logind.session(UID + 1)
    watcher = watch(system=desktop.system.address)
    is_held(logind)
    logind.emit_lock(other)
    logind.emit_locked_hint(other, True)
    logind.emit_locked_hint(ours, False)
    logind.emit_locked_hint(ours, False, told=False)
    logind.emit_prepare_for_sleep(False)
    # All that was said until here was to be passed over: the first cue is the next one.
    logind.emit_prepare_for_sleep(True)
    assert watcher.hears() == "sleep"
    watcher.proceeds()
    for lock in (
        lambda: logind.emit_lock(ours),
        lambda: logind.emit_locked_hint(ours, True),
        lambda: logind.emit_locked_hint(ours, True, told=False),
        lambda: logind.emit_lock(f"{logind.PATH}/session/unknown"),
    ):
        lock()
        assert watcher.hears() == "screen-lock"
    assert watcher.lines.empty()


def test_another_logind_is_asked_for_a_lock_of_its_own_and_the_old_one_is_not_heard(desktop, watch):
    watcher = watch(system=desktop.system.address)
    old = desktop.logind
    is_held(old)
    old.leave()
    desktop.stand_ins.remove(old)
    until(lambda: not old.held(), "the old lock given back")
    new = desktop.add(Logind(desktop.system))
    is_held(new)
    new.emit_prepare_for_sleep(True)
    assert watcher.hears() == "sleep"


@pytest.mark.parametrize("privately", [False, True])
def test_only_logind_speaks_for_logind(desktop, watch, privately):
    logind, session = desktop.logind, desktop.logind.session(UID)
    watcher = watch(system=desktop.system.address)
    is_held(logind)
    to = listens(desktop.system, logind.name) if privately else None
    forger = desktop.stranger(desktop.system)
    forger.emit(session, Logind.SESSION, "Lock", to=to)
    forger.emit(Logind.PATH, Logind.MANAGER, "PrepareForSleep", "b", (True,), to=to)
    # That the forger has become logind, it can't say either.
    forger.emit("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                (logind.name, logind.unique_name, forger.unique_name), to=to)
    forger.emit(session, Logind.SESSION, "Lock", to=to)
    forger.settle()
    logind.emit_prepare_for_sleep(True)
    assert watcher.hears() == "sleep"
    watcher.proceeds()
    assert watcher.lines.empty()


# --- screen savers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ScreenSaver.NAMES)
def test_every_screen_saver_is_heard(desktop, watch, name):
    watcher = watch(session=desktop.session.address)
    listens(desktop.session, ScreenSaver.NAMES[-1])
    # It comes only after the watch has begun.
    saver = desktop.screen_saver(name)
    saver.emit_screensaver(False)
    saver.emit_screensaver(True)
    assert watcher.hears() == "screen-lock"
    # It has the name, and speaks as freedesktop's.
    saver.emit_screensaver(True, interface=ScreenSaver.NAMES[0])
    assert watcher.hears() == "screen-lock"
    assert watcher.lines.empty()


@pytest.mark.parametrize("privately", [False, True])
def test_only_a_screen_saver_speaks_for_screen_savers(desktop, watch, privately):
    saver = desktop.screen_saver()
    watcher = watch(session=desktop.session.address)
    to = listens(desktop.session, ScreenSaver.NAMES[-1])
    stranger = desktop.stranger(desktop.session)
    for _ in range(5):
        stranger.emit_screensaver(True, to=to if privately else None)
    stranger.settle()
    saver.emit_screensaver(True)
    assert watcher.hears() == "screen-lock"
    assert watcher.lines.empty()


def test_a_message_of_any_length_is_passed_over(desktop, watch):
    saver = desktop.screen_saver()
    watcher = watch(session=desktop.session.address)
    to = listens(desktop.session, ScreenSaver.NAMES[-1])
    stranger = desktop.stranger(desktop.session)
    stranger.emit("/x", "x.y", "Long", "ay", (bytes(3 << 20),), to=to)
    stranger.settle()
    for _ in range(2):
        saver.emit_screensaver(True)
        assert watcher.hears() == "screen-lock"
    assert listens(desktop.session, ScreenSaver.NAMES[-1]) == to, "it had to connect anew"


# --- buses come and go -------------------------------------------------------------------------------------------------


def test_a_bus_may_come_late_go_and_come_again(tmp_path_factory, watch):
    directory = tmp_path_factory.mktemp("late")
    system, session = Bus(directory / "system"), Bus(directory / "session")
    watcher = watch(system=system.address, session=session.address)
    time.sleep(2)
    for _ in range(3):
        stand_ins = []
        try:
            system.start(), session.start()
            stand_ins += [Logind(system), ScreenSaver(session, ScreenSaver.NAMES[1])]
            logind, saver = stand_ins
            is_held(logind)
            logind.emit_prepare_for_sleep(True)
            assert watcher.hears() == "sleep"
            watcher.proceeds()
            listens(session, ScreenSaver.NAMES[-1])
            saver.emit_screensaver(True)
            assert watcher.hears() == "screen-lock"
        finally:
            for stand_in in stand_ins:
                stand_in.leave()
            system.stop(), session.stop()
    time.sleep(1)
    assert watcher.process.poll() is None
    # It waits for the buses, it doesn't spin: what it did took hundredths of a second.
    assert watcher.cpu_seconds() < 1


@pytest.mark.parametrize("address", ["tcp:host=127.0.0.1,port=1", "unixexec:path=/bin/sh", "", "nonsense"])
def test_no_address_but_a_unix_socket_is_taken(program, watch, address):
    watcher = watch(system=address, session=address)
    tasks = len(os.listdir(f"/proc/{watcher.process.pid}/task"))
    assert tasks == 1, "a thread for what can never be"
    assert ask(program, address) == "cannot-ask"


# --- questions ---------------------------------------------------------------------------------------------------------


def ask(program, address, within=PATIENCE, title="Give a code of GitHub:me?", text="vmfa code asks"):
    done = subprocess.run(
        [program, "ask", address, str(within), title, text], stdout=subprocess.PIPE, env={}, text=True, timeout=3 * PATIENCE
    )
    assert done.returncode == 0
    return done.stdout.strip()


@pytest.mark.parametrize(("does", "answer"), [("allow", "yes"), ("deny", "no"), ("other", "no"), ("close", "no"), ("vanish", "cannot-ask")])
def test_an_answer_is_what_the_person_chose(desktop, program, does, answer):
    server = desktop.notifications(does)
    assert ask(program, desktop.session.address) == answer
    assert len(server.shown) == 1
    if does != "vanish":
        until(lambda: server.closed == list(server.shown), "the notification taken away")


def test_no_answer_is_a_no_and_the_question_is_taken_away(desktop, program):
    server = desktop.notifications("never")
    assert ask(program, desktop.session.address, within=5) == "no"
    assert len(server.shown) == 1 and server.closed == list(server.shown)


def test_what_is_shown(desktop, program):
    server = desktop.notifications("deny")
    ask(program, desktop.session.address, within=45, title="Give a code of <b>A&B</b>\x1b[2J\u202e?", text="by <a href='x'>vmfa</a> & co\n2")
    (shown,) = server.shown.values()
    assert shown["title"] == "Give a code of <b>A&B</b>[2J?", "the title is no markup anywhere"
    assert shown["text"] == "by &lt;a href=&apos;x&apos;&gt;vmfa&lt;/a&gt; &amp; co 2"
    assert shown["actions"] == ["allow", "Allow", "deny", "Deny"], "and no default: a click on it isn't a yes"
    assert shown["hints"] == {"urgency": ("y", 2)}
    assert (shown["app"], shown["replaces"]) == ("vmfa", 0) and 0 < shown["expires"] <= 45_000


def test_what_is_shown_is_bounded_and_plain_where_the_server_reads_no_markup(desktop, program):
    server = desktop.notifications("deny", capabilities=["actions", "body"])
    ask(program, desktop.session.address, title="x" * 5000, text="<&>" * 5000)
    (shown,) = server.shown.values()
    assert shown["title"] == "x" * 200 + "…" and shown["text"].startswith("<&><&>") and len(shown["text"]) == 501


def test_a_server_without_actions_is_not_asked(desktop, program):
    server = desktop.notifications("allow", capabilities=["body", "body-markup"])
    assert ask(program, desktop.session.address) == "cannot-ask"
    assert not server.shown


def test_without_a_server_or_a_bus_nobody_can_be_asked(desktop, program):
    assert ask(program, desktop.session.address) == "cannot-ask"
    assert ask(program, desktop.session.address + "-not-there") == "cannot-ask"


def test_a_server_that_the_bus_starts_on_demand_is_asked(desktop, program):
    desktop.starts_on_demand("allow")
    # The bus reads its services when it starts.
    desktop.session.stop()
    desktop.session.start()
    assert ask(program, desktop.session.address) == "yes"


def test_an_answer_that_overtakes_the_notification_s_number_counts(desktop, program):
    desktop.notifications("never", before=[(0, "allow")])
    assert ask(program, desktop.session.address) == "yes"


def test_an_answer_to_another_question_does_not_count(desktop, program):
    desktop.notifications("deny", before=[(-1, "allow"), (1, "allow")])
    assert ask(program, desktop.session.address) == "no"


def test_only_the_server_answers(desktop, program):
    server = desktop.notifications("never")
    stranger = desktop.stranger(desktop.session)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(program, desktop.session.address)))
    asking.start()
    number = until(lambda: next(iter(server.shown), None), "the question")
    who = desktop.session.listener(f"sender='{server.unique_name}'")
    for to in (None, who):
        stranger.emit(server.PATH, NotificationServer.INTERFACE, "ActionInvoked", "us", (number, "allow"), to=to)
    stranger.settle()
    server.invoke(number, "deny")
    asking.join(PATIENCE)
    assert answers == ["no"]
