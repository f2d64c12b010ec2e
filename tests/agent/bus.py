"""A desktop to test against: private buses, and stand-ins for what speaks on them.

    with Desktop(directory) as desktop:
        desktop.system.address, desktop.session.address      D-Bus addresses
        desktop.logind.emit_prepare_for_sleep(True)
        desktop.logind.emit_lock(desktop.logind.session(uid=1000))
        desktop.logind.held()                                 the inhibitors that somebody still holds
        desktop.screen_saver().emit_screensaver(True)
        server = desktop.notifications("allow")               also: deny, other, close, vanish, never
        server.shown, server.closed

The buses are `dbus-daemon`s; the stand-ins speak through jeepney, which shares no code with the program under test. Each
stand-in has a connection and a thread of its own.
"""

import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jeepney
from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_call, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

# As long as anything may take on a busy machine before it counts as never.
PATIENCE = 60
PROPERTIES = "org.freedesktop.DBus.Properties"


def until(done, what):
    """Waits until something is so, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := done():
            return result
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


class Bus:
    """A private bus at a place of its own, which can be stopped and started again there."""

    def __init__(self, socket, data_home=None):
        self.address = f"unix:path={socket}"
        self.socket, self.data_home, self.daemon = Path(socket), data_home, None

    def start(self):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.socket.parent)}
        if self.data_home:
            env["XDG_DATA_HOME"] = str(self.data_home)
        self.daemon = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", f"--address={self.address}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        assert self.daemon.stdout.readline().startswith(b"unix:"), "dbus-daemon doesn't start"
        return self

    def stop(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=PATIENCE)
            self.daemon.stdout.close()
            self.daemon = None
            self.socket.unlink(missing_ok=True)

    def client(self):
        """Somebody on this bus."""
        return open_dbus_connection(bus=self.address, enable_fds=True, auth_timeout=PATIENCE)

    def rules(self):
        """What everybody has asked to be told of: by unique name, the match rules."""
        client = self.client()
        try:
            call = new_method_call(
                DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Debug.Stats"),
                "GetAllMatchRules",
            )
            reply = client.send_and_get_reply(call, timeout=PATIENCE)
            assert reply.header.message_type == MessageType.method_return, reply.body
            return reply.body[0]
        finally:
            client.close()

    def listener(self, rule):
        """Waits for somebody who asks for what this rule says; their unique name."""
        return until(
            lambda: next((name for name, rules in self.rules().items() if any(rule in each for each in rules)), None),
            f"a listener for {rule}",
        )


class StandIn:
    """Has a name on a bus, and answers calls in a thread."""

    def __init__(self, bus, name):
        self.name, self.lock, self.is_over, self.replies = name, threading.Lock(), False, queue.Queue()
        self.connection = bus.client()
        if name:
            reply = self.connection.send_and_get_reply(message_bus.RequestName(name), timeout=PATIENCE)
            assert reply.body == (1,), f"{name} is taken"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def unique_name(self):
        return self.connection.unique_name

    def send(self, message):
        with self.lock:
            self.connection.send(message)

    def emit(self, path, interface, member, signature=None, body=(), to=None):
        """A signal, to everybody or to one."""
        message = new_signal(DBusAddress(path, interface=interface), member, signature, body)
        if to:
            message.header.fields[HeaderFields.destination] = to
        self.send(message)

    def _serve(self):
        while not self.is_over:
            try:
                message = self.connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            except (OSError, EOFError):
                return
            if message.header.message_type == MessageType.method_call:
                fields = {field.name: value for field, value in message.header.fields.items()}
                self.called(message, fields.get("interface"), fields["member"], fields["path"])
            elif message.header.message_type == MessageType.method_return:
                self.replies.put(message)

    def called(self, message, interface, member, path):
        self.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))

    def settle(self):
        """Returns when the bus has passed on all that was said until here."""
        self.send(message_bus.GetId())
        self.replies.get(timeout=PATIENCE)

    def leave(self):
        """Goes off the bus."""
        self.is_over = True
        self.thread.join(PATIENCE)
        self.connection.close()


class Logind(StandIn):
    """Stands in for systemd-logind."""

    PATH = "/org/freedesktop/login1"
    MANAGER = "org.freedesktop.login1.Manager"
    SESSION = "org.freedesktop.login1.Session"

    def __init__(self, bus, refuses_inhibitors=False, is_preparing=False):
        self.inhibitors, self.sessions = [], {}
        self.refuses_inhibitors, self.is_preparing = refuses_inhibitors, is_preparing
        super().__init__(bus, "org.freedesktop.login1")

    def session(self, uid, locked=False):
        """A session of a user; its path."""
        path = f"{self.PATH}/session/_3{len(self.sessions) + 1}"
        self.sessions[path] = {"User": ("(uo)", (uid, f"{self.PATH}/user/_{uid}")), "LockedHint": ("b", locked)}
        return path

    def held(self):
        """The inhibitors that are held, each as (what, who, why, mode)."""
        return [about for about, reader in list(self.inhibitors) if not select.select([reader], [], [], 0)[0]]

    def emit_prepare_for_sleep(self, begins):
        self.emit(self.PATH, self.MANAGER, "PrepareForSleep", "b", (begins,))

    def emit_lock(self, session):
        self.emit(session, self.SESSION, "Lock")

    def emit_locked_hint(self, session, locked, told=True):
        """`LockedHint` changes: its value is told, or only that it changed."""
        self.sessions[session]["LockedHint"] = ("b", locked)
        others = {"IdleHint": ("b", True), "IdleSinceHint": ("t", 7), "Seat": ("(so)", ("seat0", "/")), "X": ("aas", [["x"], []])}
        changed = {**others, "LockedHint": ("b", locked)} if told else others
        self.emit(session, PROPERTIES, "PropertiesChanged", "sa{sv}as", (self.SESSION, changed, [] if told else ["LockedHint"]))

    def called(self, message, interface, member, path):
        if (interface, member) == (self.MANAGER, "Inhibit") and not self.refuses_inhibitors:
            reader, writer = os.pipe()
            self.inhibitors.append((message.body, reader))
            self.send(new_method_return(message, "h", (writer,)))
            os.close(writer)
        elif (interface, member) == (PROPERTIES, "Get") and message.body[1] in self.sessions.get(path, {}):
            self.send(new_method_return(message, "v", (self.sessions[path][message.body[1]],)))
        elif (interface, member, path) == (PROPERTIES, "Get", self.PATH) and message.body[1] == "PreparingForSleep":
            self.send(new_method_return(message, "v", (("b", self.is_preparing),)))
        else:
            super().called(message, interface, member, path)


class ScreenSaver(StandIn):
    """Stands in for a desktop's screen saver."""

    NAMES = [
        "org.freedesktop.ScreenSaver",
        "org.gnome.ScreenSaver",
        "org.mate.ScreenSaver",
        "org.cinnamon.ScreenSaver",
        "org.kde.screensaver",
        "org.xfce.ScreenSaver",
    ]

    def emit_screensaver(self, active, interface=None, to=None):
        interface = interface or self.name or self.NAMES[0]
        self.emit("/" + interface.replace(".", "/"), interface, "ActiveChanged", "b", (active,), to)


class NotificationServer(StandIn):
    """Stands in for a notification server whose person does always the same."""

    INTERFACE = "org.freedesktop.Notifications"
    PATH = "/org/freedesktop/Notifications"

    def __init__(self, bus, does, capabilities=("body", "actions", "body-markup"), before=()):
        """`before`: answers given before the notification's number is told, each as (number relative to its own, action)."""
        self.does, self.capabilities, self.before = does, list(capabilities), before
        self.shown, self.closed, self.next_id = {}, [], 41
        super().__init__(bus, self.INTERFACE)

    def invoke(self, number, action):
        self.emit(self.PATH, self.INTERFACE, "ActionInvoked", "us", (number, action))

    def emit_closed(self, number, reason=2):
        self.emit(self.PATH, self.INTERFACE, "NotificationClosed", "uu", (number, reason))

    def called(self, message, interface, member, path):
        if member == "GetCapabilities":
            self.send(new_method_return(message, "as", (self.capabilities,)))
        elif member == "Notify":
            names = ["app", "replaces", "icon", "title", "text", "actions", "hints", "expires"]
            number = self.next_id = self.next_id + 1
            for offset, action in self.before:
                self.invoke(number + offset, action)
            self.send(new_method_return(message, "u", (number,)))
            self.shown[number] = dict(zip(names, message.body, strict=True))
            if self.does in ("allow", "deny", "other"):
                self.invoke(number, self.does)
            elif self.does == "close":
                self.emit_closed(number)
            elif self.does == "vanish":
                self.is_over = True
                self.connection.close()
        elif member == "CloseNotification":
            self.closed.append(message.body[0])
            self.send(new_method_return(message))
            self.emit_closed(message.body[0], 3)
        else:
            super().called(message, interface, member, path)


class Desktop:
    """Two buses, a logind, and what else a test asks for."""

    def __init__(self, directory):
        directory = Path(directory)
        self.data_home = directory / "data"
        self.system, self.session = Bus(directory / "system"), Bus(directory / "session", self.data_home)
        self.stand_ins, self.logind = [], None

    def __enter__(self):
        self.system.start()
        self.session.start()
        self.logind = self.add(Logind(self.system))
        return self

    def __exit__(self, *_):
        for stand_in in self.stand_ins:
            stand_in.leave()
        self.system.stop()
        self.session.stop()

    def add(self, stand_in):
        self.stand_ins.append(stand_in)
        return stand_in

    def screen_saver(self, name=ScreenSaver.NAMES[0]):
        return self.add(ScreenSaver(self.session, name))

    def notifications(self, does, **more):
        return self.add(NotificationServer(self.session, does, **more))

    def stranger(self, bus):
        """Somebody without a name who says what others would."""
        return self.add(ScreenSaver(bus, None))

    def starts_on_demand(self, does):
        """Has the session's bus start a notification server when somebody calls for one."""
        services = self.data_home / "dbus-1/services"
        services.mkdir(parents=True)
        modules = Path(jeepney.__file__).parent.parent
        command = f"/usr/bin/env PYTHONPATH={modules} {sys.executable} {Path(__file__).resolve()} {self.session.address} {does}"
        text = f"[D-BUS Service]\nName={NotificationServer.INTERFACE}\nExec={command}\n"
        (services / "notifications.service").write_text(text)


if __name__ == "__main__":
    server = NotificationServer(Bus(sys.argv[1].removeprefix("unix:path=")), sys.argv[2])
    server.thread.join()
