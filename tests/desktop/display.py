"""Screens to show things on: an X server without hardware, whose pixels are a file that a test writes into.

    with Display(directory, "1280x800") as display:
        display.show(picture, x, y)              a PIL picture at a place
        display.monitors(("LEFT", 640, 800, 0, 0), ("RIGHT", 640, 800, 640, 0))
        display.name                             what DISPLAY is set to
"""

import mmap
import os
import struct
import subprocess
import time
from pathlib import Path

import zxingcpp
from PIL import Image

PATIENCE = 60


def code(text, module=4, quiet=4):
    """A QR code as a picture, drawn by zxing-cpp, which shares no code with the program."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    plain = Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False)).convert("L")
    framed = Image.new("L", (plain.width + 2 * quiet, plain.height + 2 * quiet), 255)
    framed.paste(plain, (quiet, quiet))
    return framed.resize((framed.width * module, framed.height * module), Image.Resampling.NEAREST).convert("RGB")


class Display:
    def __init__(self, directory, *sizes, depth=24):
        self.directory, self.sizes, self.depth = Path(directory), sizes or ("1280x800",), depth

    def __enter__(self):
        screens = [word for index, size in enumerate(self.sizes) for word in ("-screen", str(index), f"{size}x{self.depth}")]
        number, tell = os.pipe()
        self.server = subprocess.Popen(
            # Without -noreset it would begin anew, and forget, with every client that leaves.
            ["Xvfb", "-displayfd", str(tell), "-nolisten", "tcp", "-noreset", "-fbdir", str(self.directory), *screens],
            pass_fds=[tell], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(tell)
        with os.fdopen(number) as told:
            line = told.readline().strip()
        assert line, "Xvfb doesn't start"
        self.name = f":{line}"
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(PATIENCE)

    def show(self, picture, x=0, y=0, screen=0):
        """Puts a picture onto a screen: into the frame buffer, which is an XWD file."""
        with open(self.directory / f"Xvfb_screen{screen}", "r+b") as file, mmap.mmap(file.fileno(), 0) as pixels:
            words = struct.unpack(">25I", pixels[:100])
            head, bits, line, colours = words[0], words[11], words[12], words[19]
            begin = head + 12 * colours
            masks = words[14:17]
            for row in range(picture.height):
                at = begin + (y + row) * line + x * bits // 8
                strip = picture.crop((0, row, picture.width, row + 1)).convert("RGB")
                if bits == 32:
                    data = strip.tobytes("raw", "BGRX")
                else:
                    assert bits == 16 and masks == (0xF800, 0x7E0, 0x1F)
                    parts = iter(strip.tobytes())
                    data = b"".join(struct.pack("<H", (r >> 3) << 11 | (g >> 2) << 5 | b >> 3) for r, g, b in zip(parts, parts, parts))
                pixels[at : at + len(data)] = data
            pixels.flush()

    def monitors(self, *monitors):
        """Has the screen be of several monitors, each as (name, width, height, left, top)."""
        output = "screen"
        for name, width, height, left, top in monitors:
            geometry = f"{width}/100x{height}/100+{left}+{top}"
            subprocess.run(["xrandr", "--display", self.name, "--setmonitor", name, geometry, output], check=True, stdout=subprocess.DEVNULL)
            output = "none"


class Clipboard:
    """Something copied on a display: `xclip` holds it until it is told otherwise."""

    def __init__(self, display, data, kind="UTF8_STRING"):
        self.holder = subprocess.Popen(
            ["xclip", "-display", display.name, "-selection", "clipboard", "-t", kind, "-quiet", "-i"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.holder.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.holder.stdin.close()
        end = time.monotonic() + PATIENCE
        ask = ["xclip", "-display", display.name, "-selection", "clipboard", "-t", "TARGETS", "-o"]
        while kind.encode() not in subprocess.run(ask, capture_output=True).stdout:
            assert time.monotonic() < end, "nothing is copied"
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait(PATIENCE)
