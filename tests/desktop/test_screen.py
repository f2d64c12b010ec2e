"""Accounts from what the screens show: by the X server, by the desktop's portal, by grim; and from the clipboard."""

import io
import os
import re
import stat
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pexpect
import pyotp
import pytest
from display import Clipboard, Display, code
from jeepney import new_method_return
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from bus import Bus, StandIn, until  # noqa: E402
from desk import Desk, new_secret  # noqa: E402


def uri(name, secret, issuer="Example"):
    return f"otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}"


def png(picture):
    into = io.BytesIO()
    picture.save(into, "PNG")
    return into.getvalue()


@pytest.fixture
def desk(vmfa):
    desk = Desk(vmfa).init()
    yield desk
    desk.tidy_up()


@pytest.fixture
def display(desk, tmp_path):
    """One usual screen, on which nothing is shown."""
    with Display(tmp_path) as display:
        desk.env["DISPLAY"] = display.name
        yield display


def at(desk, *arguments):
    """A person's terminal, on which the passphrase needs no typing."""
    return desk.at_terminal(*arguments, "--passphrase-file", desk.passphrase_file)


def said(terminal):
    """All that comes until the end, without bold."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return re.sub(r"\x1b\[\d*m", "", terminal.before)


# --- the X server ---


def test_one_code_is_shown_asked_about_and_kept(desk, display):
    secret = new_secret()
    display.show(code(uri("alice", secret)), 300, 200)
    terminal = at(desk, "add", "--screen")
    terminal.expect(r"screen[^\n]*: Example:alice   totp SHA1 6 digits, 30 s, secret of 160 bits")
    terminal.expect(r"Add this\? \[y/N\] ")
    assert secret not in terminal.before
    terminal.sendline("y")
    assert "added Example:alice" in said(terminal)
    assert terminal.exitstatus == 0
    now = time.time()
    code_now = desk.ok("code", "alice").strip()
    assert code_now in [pyotp.TOTP(secret).at(int(now) + 30 * step) for step in (-1, 0, 1)]


@pytest.mark.parametrize("answer", ["n", "", "no", "x"])
def test_no_keeps_nothing(desk, display, answer):
    before = desk.vault.read_bytes()
    display.show(code(uri("alice", new_secret())), 300, 200)
    terminal = at(desk, "add", "--screen")
    terminal.expect(r"Add this\? \[y/N\] ")
    terminal.sendline(answer)
    assert "nothing was added" in said(terminal)
    assert (terminal.exitstatus, desk.vault.read_bytes()) == (130, before)


def test_without_a_terminal_nothing_is_kept_unasked(desk, display):
    before = desk.vault.read_bytes()
    display.show(code(uri("alice", new_secret())))
    done = desk.run("add", "--screen")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert "Example:alice" in done.stderr
    assert desk.vault.read_bytes() == before


def test_several_codes_are_listed_and_what_is_no_account_is_left(desk, display):
    one, two = new_secret(), new_secret()
    display.show(code(uri("one", one)), 20, 20)
    display.show(code("https://example.com/"), 20, 500)
    display.show(code(uri("two", two)), 700, 300)
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 0, done.stderr
    assert re.search(r"QR code \d: a QR code that is no account: left aside", done.stderr)
    assert "https" not in done.stderr + done.stdout
    for secret in (one, two):
        assert secret not in done.stderr + done.stdout
    assert set(done.stdout.splitlines()) == {"added Example:one", "added Example:two"}
    listed = desk.ok("list")
    assert "one" in listed and "two" in listed


def test_only_what_is_no_account(desk, display):
    display.show(code("WIFI:S:guest;T:WPA;P:hunter2;;"), 20, 20)
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and "nothing of this is an account" in done.stderr
    assert "hunter2" not in done.stderr


def test_for_aws_the_pair_is_shown(desk, display):
    secret = new_secret()
    display.show(code(uri("root-account-mfa-device@123456789012", secret, "Amazon%20Web%20Services")))
    before = int(time.time())
    done = desk.run("add", "--screen", "--yes")
    after = int(time.time())
    pair = re.search(r"MFA code 1   (\d{6})\n  MFA code 2   (\d{6})", done.stdout)
    assert pair, done.stdout + done.stderr
    totp = pyotp.TOTP(secret)
    right = [(totp.at(moment - 30), totp.at(moment)) for moment in range(before, after + 1)]
    assert pair.groups() in right


def test_each_monitor_is_a_picture_of_its_own(desk, display):
    display.monitors(("LEFT", 640, 800, 0, 0), ("RIGHT", 640, 800, 640, 0))
    display.show(code(uri("left", new_secret())), 40, 40)
    display.show(code(uri("right", new_secret())), 800, 40)
    told = desk.ok("scan", "--screen", passphrase=False)
    assert re.search(r"^screen LEFT: Example:left ", told, re.M) and re.search(r"^screen RIGHT: Example:right ", told, re.M)


def test_two_screens_of_an_x_server(desk, tmp_path):
    with Display(tmp_path, "1024x768", "800x600") as display:
        desk.env["DISPLAY"] = display.name
        none = desk.run("scan", "--screen", passphrase=False)
        assert none.returncode == 3
        assert "no QR code on 2 screens of 1024 x 768, 800 x 600 pixels" in none.stderr and "--delay" in none.stderr
        display.show(code(uri("second", new_secret())), 100, 100, screen=1)
        assert "Example:second" in desk.ok("scan", "--screen", passphrase=False)


@pytest.mark.parametrize(("module", "x", "y"), [(2, 11, 13), (3, 3500, 1900), (2, 1777, 999)])
def test_a_small_code_on_a_large_screen(desk, tmp_path, module, x, y):
    with Display(tmp_path, "3840x2160") as display:
        desk.env["DISPLAY"] = display.name
        desktop = Image.linear_gradient("L").resize((3840, 2160)).convert("RGB")
        display.show(desktop)
        display.show(code(uri("small", new_secret()), module), x, y)
        assert "Example:small" in desk.ok("scan", "--screen", passphrase=False)


def test_a_screen_of_sixteen_bits(desk, tmp_path):
    with Display(tmp_path, "1024x768", depth=16) as display:
        desk.env["DISPLAY"] = display.name
        display.show(code(uri("few-colours", new_secret())), 100, 100)
        assert "few-colours" in desk.ok("scan", "--screen", passphrase=False)


def test_a_delay_is_waited_for(desk, display):
    """What is shown only after the countdown has begun is found: the screen is looked at when it is over."""
    picture = code(uri("late", new_secret()))
    terminal = at(desk, "add", "--screen", "--delay", "5")
    terminal.expect("looking at the screen in [1-5] s")
    display.show(picture, 100, 100)
    terminal.expect(r"Add this\?")
    terminal.sendline("y")
    assert "added Example:late" in said(terminal)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--yes"], "not provided: <--screen|--clipboard>"),
        (["--delay", "1"], "not provided: --screen"),
        (["--screen", "--clipboard"], "cannot be used with '--clipboard'"),
        (["--screen", "--uri", "-"], "cannot be used with '--uri"),
        (["--clipboard", "--secret", "-"], "cannot be used with '--secret"),
        (["--screen", "a.png"], "no picture"),
        (["--clipboard", "name", "a.png"], "no picture"),
    ],
)
def test_what_cannot_be_meant(desk, display, arguments, what):
    done = desk.run("add", *arguments)
    assert done.returncode == 2 and what in done.stderr, done.stderr


def test_no_display(desk):
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and "neither WAYLAND_DISPLAY nor DISPLAY" in done.stderr
    desk.env["DISPLAY"] = ":65000"
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and "the X server: " in done.stderr and "--clipboard" in done.stderr


# --- the portal ---


class Portal(StandIn):
    """Stands in for a desktop's portal."""

    NAME = "org.freedesktop.portal.Desktop"
    PATH = "/org/freedesktop/portal/desktop"

    def __init__(self, bus, answer, early=False):
        """`answer`: from the request's handle to (response, results), or None for never."""
        self.answer, self.early, self.asked, self.closed = answer, early, [], threading.Event()
        super().__init__(bus, self.NAME)

    def called(self, message, interface, member, path):
        fields = {field.name: value for field, value in message.header.fields.items()}
        if (interface, member) == ("org.freedesktop.portal.Screenshot", "Screenshot"):
            options = {name: value for name, (_, value) in message.body[1].items()}
            self.asked.append((message.body[0], options))
            sender = fields["sender"].lstrip(":").replace(".", "_")
            handle = f"{self.PATH}/request/{sender}/{options['handle_token']}"
            if not self.early:
                self.send(new_method_return(message, "o", (handle,)))
            answer = self.answer
            if answer:
                # Another request's answer, first: nobody may take it for theirs.
                self.emit(handle + "x", "org.freedesktop.portal.Request", "Response", "ua{sv}", (1, {}))
                self.emit(handle, "org.freedesktop.portal.Request", "Response", "ua{sv}", answer, to=fields["sender"])
            if self.early:
                self.send(new_method_return(message, "o", (handle,)))
        elif (interface, member) == ("org.freedesktop.portal.Request", "Close"):
            self.closed.set()
            self.send(new_method_return(message))
        else:
            super().called(message, interface, member, path)


@pytest.fixture
def session(desk, tmp_path_factory):
    """A Wayland session's bus; no compositor is behind it."""
    bus = Bus(tmp_path_factory.mktemp("bus") / "session").start()
    desk.env |= {"WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland", "DBUS_SESSION_BUS_ADDRESS": bus.address}
    stand_ins = []

    def portal(answer, **more):
        stand_ins.append(Portal(bus, answer, **more))
        return stand_ins[-1]

    yield portal
    for stand_in in stand_ins:
        stand_in.leave()
    bus.stop()


def answered(path, host=""):
    return 0, {"nothing": ("as", ["x"]), "uri": ("s", f"file://{host}{quote(str(path))}")}


@pytest.mark.parametrize("early", [False, True])
def test_the_portal_s_picture_is_read_and_deleted(desk, session, tmp_path, early):
    secret = new_secret()
    file = tmp_path / "Screenshot from 日本 100%.png"
    file.write_bytes(png(code(uri("portal", secret))))
    portal = session(answered(file), early=early)
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 0, done.stderr
    assert "added Example:portal" in done.stdout and "warning" not in done.stderr
    assert not file.exists()
    [(window, options)] = portal.asked
    assert window == "" and options["interactive"] is False


def test_a_person_who_says_no_on_the_desktop_is_not_gone_round(desk, session):
    session((1, {}))
    grim(desk, "echo asked >&2; touch $HOME/grim-ran; exit 1")
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 130 and "refused on the desktop" in done.stderr
    assert not (desk.home / "grim-ran").exists()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ((2, {}), "could take no screenshot"),
        ((0, {}), "no file of this machine"),
        ((0, {"uri": ("s", "http://127.0.0.1:1/a.png")}), "no file of this machine"),
        ((0, {"uri": ("s", "file://elsewhere/tmp/a.png")}), "no file of this machine"),
        ((0, {"uri": ("u", 7)}), "could take no screenshot"),
        ((0, {"uri": ("s", "file:///tmp")}), "not a file"),
        ((0, {"uri": ("s", "file:///dev/zero")}), "not a file"),
        ((0, {"uri": ("s", "file:///nowhere/a.png")}), "No such file"),
    ],
)
def test_a_portal_that_names_no_picture(desk, session, answer, what):
    session(answer)
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and what in done.stderr, done.stderr
    assert "grim: " in done.stderr and "--clipboard" in done.stderr


def test_a_portal_that_names_something_else_has_it_neither_read_nor_deleted(desk, session, tmp_path):
    """Only what was made just now, and is a picture, is deleted: a vault or a photo that somebody names is left alone."""
    huge = tmp_path / "huge.png"
    with open(huge, "wb") as file:
        file.write(png(code("x")))
        file.truncate(200 << 20)
    link = tmp_path / "link.png"
    link.symlink_to(desk.vault)
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    portal = session(None)
    for path, what in [(desk.vault, "no picture"), (huge, "too large"), (link, "symbolic link"), (pipe, "not a file")]:
        portal.answer = answered(path)
        done = desk.run("add", "--screen", "--yes")
        assert done.returncode == 3 and what in done.stderr, (path, done.stderr)
        assert os.path.lexists(path)
    old = tmp_path / "photo.png"
    old.write_bytes(png(code(uri("old", new_secret()))))
    os.utime(old, (time.time() - 3600,) * 2)
    portal.answer = answered(old)
    done = desk.run("add", "--screen", "--yes")
    assert "added Example:old" in done.stdout and old.exists()
    assert "is still at" in done.stderr and "photo.png" in done.stderr


def test_a_portal_that_goes_away_and_one_that_is_not_there(desk, session):
    portal = session(None)
    running = desk.start("add", "--screen", "--yes")
    until(lambda: portal.asked, "a call of the portal")
    portal.leave()
    _, err = running.communicate(timeout=60)
    assert running.returncode == 3 and b"could take no screenshot" in err
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and "has no portal for screenshots" in done.stderr and "grim: " in done.stderr


@pytest.mark.long
def test_a_portal_that_never_answers_is_given_up(desk, session):
    portal = session(None)
    running = desk.start("add", "--screen", "--yes")
    _, err = running.communicate(timeout=300)
    assert running.returncode == 3 and b"no answer in time" in err
    assert portal.closed.wait(60), "the question was left on the desktop"


# --- grim ---


def grim(desk, script):
    """A `grim` of this desk's own."""
    directory = desk.home / "bin"
    directory.mkdir(exist_ok=True)
    program = directory / "grim"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    desk.env["PATH"] = f"{directory}:{desk.env['PATH']}"


def test_grim_where_there_is_no_portal(desk, session):
    picture = desk.home / "shown.png"
    picture.write_bytes(png(code(uri("grim", new_secret()))))
    grim(desk, f'[ "$*" = - ] && cat {picture}')
    assert "added Example:grim" in desk.ok("add", "--screen", "--yes")


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("exit 1", "grim: it failed"),
        ("true", "grim: it gave no picture"),
        ("cat /dev/zero", "grim: its picture is too large"),
    ],
)
def test_a_grim_that_fails(desk, session, script, what):
    grim(desk, script)
    done = desk.run("add", "--screen", "--yes")
    assert done.returncode == 3 and what in done.stderr, done.stderr
    assert "the desktop's portal: " in done.stderr


# --- the clipboard ---


def test_a_copied_picture(desk, display):
    secret = new_secret()
    with Clipboard(display, png(code(uri("picture", secret))), "image/png"):
        done = desk.run("add", "--clipboard", "--yes")
    assert done.returncode == 0, done.stderr
    assert "added Example:picture" in done.stdout
    assert "The clipboard still holds the secret" in done.stderr and secret not in done.stderr


def test_copied_uris(desk, display):
    one, two = new_secret(), new_secret()
    with Clipboard(display, f"{uri('one', one)}\n{uri('two', two)}\n"):
        terminal = at(desk, "add", "--clipboard")
        terminal.expect(r"clipboard, URI 1: Example:one .*clipboard, URI 2: Example:two .*Add these\? \[y/N\] ")
        terminal.sendline("yes")
        told = said(terminal)
    assert "added Example:one" in told and "added Example:two" in told


def test_a_copied_secret_needs_a_name(desk, display):
    secret = new_secret()
    spaced = " ".join(secret.lower()[at : at + 4] for at in range(0, 32, 4))
    with Clipboard(display, spaced):
        nameless = desk.run("add", "--clipboard", "--yes")
        assert nameless.returncode == 2 and "needs a name" in nameless.stderr
        done = desk.run("add", "Bare:me", "--clipboard", "--yes")
    assert done.returncode == 0, done.stderr
    assert "secret of 160 bits, without a name" in done.stderr and secret not in done.stderr
    assert desk.ok("show", "--secret", "me").find(secret) >= 0


@pytest.mark.parametrize("text", ["hello, world", "correct horse battery staple 1089"])
def test_other_texts_are_not_repeated(desk, display, text):
    with Clipboard(display, text):
        done = desk.run("add", "--clipboard", "--yes")
    assert done.returncode == 3 and "neither a Key URI nor a base32 secret" in done.stderr
    assert text.split()[0] not in done.stderr


def test_a_copied_picture_without_a_code(desk, display):
    with Clipboard(display, png(Image.new("RGB", (200, 100), "white")), "image/png"):
        done = desk.run("add", "--clipboard", "--yes")
    assert done.returncode == 3 and "no QR code in this picture of 200 x 100 pixels" in done.stderr
