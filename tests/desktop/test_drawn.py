"""A QR code drawn in a real terminal (tmux), as a camera before it would see it: read by zbar and by zxing-cpp."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agent"))
from desk import Desk, new_secret  # noqa: E402

PATIENCE = 60
# What a theme shows where nothing is set.
THEMES = {"dark": ((24, 24, 24), (204, 204, 204)), "light": ((253, 246, 227), (0, 43, 54))}


def colour(number):
    assert number >= 16, f"colour {number} is whatever the theme makes of it"
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    number -= 16
    return tuple(0 if part == 0 else 55 + 40 * part for part in (number // 36, number // 6 % 6, number % 6))


def rendered(captured, theme, cell=(8, 16)):
    """The pane's cells as pixels. tmux goes on with a line's colours in the next line."""
    back, front = THEMES[theme]
    wide, high = cell
    lines = captured.split("\n")
    picture = Image.new("RGB", (wide * 140, high * len(lines)), back)
    ink, paper, swapped = front, back, False
    for y, line in enumerate(lines):
        x = 0
        for part in re.findall(r"\x1b\[[0-9;]*m|[^\x1b]", line):
            if not part.startswith("\x1b"):
                upper, lower = {"▀": (1, 0), "▄": (0, 1), "█": (1, 1)}.get(part, (0, 0))
                shades = (ink, paper) if swapped else (paper, ink)
                picture.paste(shades[upper], (x * wide, y * high, (x + 1) * wide, y * high + high // 2))
                picture.paste(shades[lower], (x * wide, y * high + high // 2, (x + 1) * wide, (y + 1) * high))
                x += 1
                continue
            codes = [int(code or 0) for code in part[2:-1].split(";")]
            while codes:
                code = codes.pop(0)
                if code == 0:
                    ink, paper, swapped = front, back, False
                elif code in (7, 27):
                    swapped = code == 7
                elif code == 39:
                    ink = front
                elif code == 49:
                    paper = back
                elif code in (38, 48):
                    assert codes.pop(0) == 5, f"escape {part!r}"
                    chosen = colour(codes.pop(0))
                    ink, paper = (chosen, paper) if code == 38 else (ink, chosen)
                else:
                    assert code in (1, 2, 22), f"escape {part!r}"
    return picture


class Pane:
    """A terminal of 140 columns and 80 lines, in which one command is run."""

    def __init__(self, directory, env):
        # A command that has ended stays to be looked at; said beforehand, so that none can be quicker.
        settings = Path(directory) / "tmux.conf"
        settings.write_text("set -g remain-on-exit on\n")
        self.tmux = ["tmux", "-S", str(Path(directory) / "tmux"), "-f", str(settings)]
        self.env = env

    def run(self, *command):
        words = [str(word) for word in command]
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "140", "-y", "80", *words], check=True, env=self.env)
        end = time.monotonic() + PATIENCE
        while subprocess.run([*self.tmux, "display", "-p", "#{pane_dead}"], capture_output=True, text=True).stdout.strip() != "1":
            assert time.monotonic() < end, "the command doesn't end"
            time.sleep(0.05)
        return subprocess.run([*self.tmux, "capture-pane", "-e", "-N", "-p"], check=True, capture_output=True, text=True).stdout

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def desk(vmfa):
    desk = Desk(vmfa).init()
    yield desk
    desk.tidy_up()


def by_zxing(path):
    return [found.text for found in zxingcpp.read_barcodes(Image.open(path))]


def by_zbar(path):
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path], capture_output=True)
    return done.stdout.decode().splitlines()


def test_a_code_drawn_in_a_terminal_is_read(desk, tmp_path):
    secret = new_secret(40)
    desk.add("Amazon Web Services:root-account-mfa-device@123456789012", secret)
    pane = Pane(desk.root, desk.env)
    try:
        captured = pane.run(desk.vmfa, "qr", "root-account", "--passphrase-file", desk.passphrase_file)
    finally:
        pane.close()
    for theme in THEMES:
        path = tmp_path / f"{theme}.png"
        rendered(captured, theme).save(path)
        for read in (by_zxing, by_zbar):
            [text] = read(path)
            assert text.startswith("otpauth://totp/Amazon%20Web%20Services:root-account-mfa-device") and f"secret={secret.rstrip('=')}" in text
        # A person's own screenshot of the terminal.
        assert desk.ok("scan", "--secrets", path, passphrase=False).strip() == text
