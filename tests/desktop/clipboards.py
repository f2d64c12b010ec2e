"""Displays for the tests of the clipboard, and who copies there: the built program in a home of its own."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from Xlib import X, display
from Xlib.protocol import event

# RFC 6238's own secret, and its codes: at 59 s, and at 1111111109 s.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
EARLY, LATE = ("59", "287082"), ("1111111109", "081804")
# RFC 4226's codes of the counters 1 and 2.
COUNTED = ("287082", "359152")
KEEPER = b"clipboard-keeper"


def until(what, seconds=60):
    """Waits until something holds. Generous: it costs nothing where all goes well."""
    end = time.monotonic() + seconds
    while True:
        if found := what():
            return found
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class Owner:
    """Somebody with a TOTP account `alpha` and a counter-based one `counted`."""

    def __init__(self, vmfa, home):
        self.vmfa, self.home = str(vmfa), Path(home)
        self.home.mkdir(parents=True)
        passphrase = self.home / "passphrase"
        passphrase.write_text("correct horse battery staple\n")
        passphrase.chmod(0o600)
        self.env = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "VMFA_NO_AGENT": "1",
            "VMFA_PASSPHRASE_FILE": str(passphrase),
        }
        self.ok("init", "--kdf", "19456,1,1")
        self.ok("add", "alpha", "--secret", "-", stdin=SECRET)
        self.ok("add", "--uri", "-", stdin=f"otpauth://hotp/counted?secret={SECRET}&counter=1")

    def run(self, *arguments, stdin="", env=None, before=()):
        """Without a terminal. Ends when nobody holds its standard output any more: so a keeper must not."""
        # With a file open, as a script may have one.
        with (self.home / "passphrase").open() as open_file:
            return subprocess.run(
                [*before, self.vmfa, *arguments],
                input=stdin.encode(),
                capture_output=True,
                env={**self.env, **(env or {})},
                start_new_session=True,
                pass_fds=[open_file.fileno()],
                timeout=120,
            )

    def ok(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stderr.decode()}"
        return done

    def copy(self, code, *more, env):
        """Copies one of the codes above, and returns what is said."""
        done = self.ok("code", "alpha", "--at", code[0], "--copy", *more, env=env)
        assert done.stdout == b"" and code[1].encode() not in done.stderr
        return done.stderr.decode()


def adopt(orphans):
    """Has processes whose parents have ended become children of this one, on Linux, so that ours are told from others' keepers."""
    PR_SET_CHILD_SUBREAPER = 36
    assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0) == 0


def keepers(way=None):
    """Our living keepers, those that go this way or all: the process ids."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if words[1:2] == [KEEPER] and way in (None, words[2].decode()) and int(parent) == os.getpid():
            found.append(int(process.name))
    return found


def no_keeper(way):
    return not keepers(way)


def end_keepers():
    for keeper in keepers():
        os.kill(keeper, signal.SIGTERM)


class Xserver:
    """A virtual X server, and xclip to look into its selections."""

    def __init__(self):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        number = b""
        # It says its number when it listens.
        while not number.endswith(b"\n"):
            more = os.read(reader, 16)
            assert more, "the X server doesn't start"
            number += more
        os.close(reader)
        self.env = {"DISPLAY": f":{int(number)}"}

    def read(self, target="UTF8_STRING", selection="clipboard"):
        while True:
            try:
                done = subprocess.run(
                    ["xclip", "-out", "-selection", selection, "-target", target],
                    env={**os.environ, **self.env},
                    capture_output=True,
                    timeout=5,
                )
            except subprocess.TimeoutExpired:
                # Its question went to an owner that ended before it answered, and xclip waits for ever then.
                continue
            return done.stdout.decode() if done.returncode == 0 else None

    def write(self, text, selection="clipboard"):
        subprocess.run(
            ["xclip", "-in", "-selection", selection],
            env={**os.environ, **self.env},
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Compositor:
    """sway without a screen, and wl-clipboard to look into its clipboard. It refuses to run as root, and is somebody else then."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="vmfa-way-"))
        # Everything that sway does without, so that it starts at once: its bar, its background, Xwayland.
        (self.directory / "config").write_text("xwayland disable\n")
        (self.directory / "config").chmod(0o644)
        runtime = self.directory / "run"
        runtime.mkdir(mode=0o700)
        before = []
        if os.getuid() == 0:
            self.directory.chmod(0o711)
            os.chown(runtime, 65534, 65534)
            before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        self.log = (self.directory / "log").open("wb")
        self.process = subprocess.Popen(
            [*before, "sway", "-c", self.directory / "config"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "XDG_RUNTIME_DIR": str(runtime),
                "WLR_BACKENDS": "headless",
                "WLR_LIBINPUT_NO_DEVICES": "1",
                "WLR_RENDERER": "pixman",
            },
            cwd="/",
            stdout=self.log,
            stderr=self.log,
        )
        self.env = {"XDG_RUNTIME_DIR": str(runtime), "WAYLAND_DISPLAY": "wayland-1"}

        def listens():
            assert self.process.poll() is None, (self.directory / "log").read_text()
            return (runtime / "wayland-1").exists()

        until(listens)

    def run(self, *words, stdin=b""):
        # Its answers are in files: what goes into the background keeps its standard output.
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(
                words, env={**os.environ, **self.env}, input=stdin, stdout=out, stderr=subprocess.DEVNULL, timeout=60
            )
            out.seek(0)
            return done.returncode, out.read().decode()

    def read(self):
        code, text = self.run("wl-paste", "--no-newline")
        return text if code == 0 else None

    def kinds(self):
        return self.run("wl-paste", "--list-types")[1].split("\n")

    def write(self, text):
        self.run("wl-copy", "--type", "text/plain", stdin=text.encode())

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)


class Manager:
    """A clipboard manager as X knows them: it owns CLIPBOARD_MANAGER, and takes what it is asked to save."""

    def __init__(self, name):
        self.display = display.Display(name)
        self.window = self.display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        self.atom = self.display.intern_atom("CLIPBOARD_MANAGER")
        self.window.set_selection_owner(self.atom, X.CurrentTime)
        self.display.sync()
        self.asked = []
        self.stopping = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.stopping:
            if not self.display.pending_events():
                time.sleep(0.01)
                continue
            request = self.display.next_event()
            if request.type == X.SelectionRequest:
                self.asked.append(self.display.get_atom_name(request.target))
                request.requestor.send_event(
                    event.SelectionNotify(
                        time=request.time,
                        requestor=request.requestor,
                        selection=request.selection,
                        target=request.target,
                        property=X.NONE,
                    )
                )
                self.display.flush()

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.display.close()


def ask_to_save(name):
    """What a program does that hands its clipboard over before it ends."""
    asker = display.Display(name)
    window = asker.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    atom = asker.intern_atom
    window.convert_selection(atom("CLIPBOARD_MANAGER"), atom("SAVE_TARGETS"), atom("VMFA_TEST"), X.CurrentTime)
    asker.sync()
    asker.close()
