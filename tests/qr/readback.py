#!/usr/bin/env python3
"""Draws texts as QR codes with vmfa, and has zbar and zxing-cpp read them back: terminal, PNG and SVG.

    cargo build --example draw
    python3 tests/qr/readback.py --draw target/debug/examples/draw

Needs Debian's zbar-tools and librsvg2-bin, and PyPI's Pillow and zxing-cpp. What is missing is an error, not a pass.
"""

import argparse
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import zxingcpp
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import terminal

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TEXTS = {
    "aws": f"otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret={SECRET}&issuer=Amazon%20Web%20Services",
    "aws root, long alias": f"otpauth://totp/Amazon%20Web%20Services:root-account-mfa-device@example-corp-staging-tokyo?secret={SECRET}&issuer=Amazon%20Web%20Services",
    "escaped Japanese": "otpauth://totp/%E6%9C%AC%E7%95%AA:%E5%B1%B1%E7%94%B0?secret=GEZDGNBVGY3TQOJQ&issuer=%E6%9C%AC%E7%95%AA",
    "raw Japanese": "otpauth://totp/株式会社サンプル:山田太郎?secret=GEZDGNBVGY3TQOJQ",
    "hiragana, whose UTF-8 looks like Shift JIS": "otpauth://totp/あああいいい:ううう?secret=GEZDGNBVGY3TQOJQ",
    "short": "A",
    "digits": "0123456789" * 12,
    "migration": "otpauth-migration://offline?data="
    + "CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZSABKAEwAg%2B" * 10,
    "the most": "x" * 2953,
}


def drawn(program, how, text):
    return subprocess.run([program, how], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def pictures(program, text):
    """(what, picture) of everything that can be drawn of a text."""
    yield "PNG", Image.open(io.BytesIO(drawn(program, "png", text))).convert("RGB")
    svg = subprocess.run(
        ["rsvg-convert", "-w", "1000"], input=drawn(program, "svg", text), stdout=subprocess.PIPE, check=True
    ).stdout
    yield "SVG", Image.open(io.BytesIO(svg)).convert("RGB")
    blocks = drawn(program, "terminal", text).decode()
    for theme in terminal.THEMES:
        yield f"terminal, {theme}", terminal.picture(blocks, theme)
    yield "terminal, small cells", terminal.picture(blocks, "dark", (7, 15))


def zbar(picture):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "code.png")
        picture.save(path)
        # Without a D-Bus socket zbarimg complains on standard error about it, and reads all the same.
        found = subprocess.run(
            ["zbarimg", "-q", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    return found.stdout.decode(errors="replace").removesuffix("\n")


def zxing(picture):
    return "\n".join(code.text for code in zxingcpp.read_barcodes(picture))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--draw", default="target/debug/examples/draw", help="program that draws standard input as terminal, png or svg"
    )
    arguments = parser.parse_args()
    for tool in ("zbarimg", "rsvg-convert", os.path.abspath(arguments.draw)):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    done = wrong = 0
    for name, text in TEXTS.items():
        for what, picture in pictures(os.path.abspath(arguments.draw), text):
            for reader in (zbar, zxing):
                # zbar guesses Big5 or Shift JIS for bytes beyond ASCII that no ECI declares: its word on raw Japanese says nothing.
                if reader is zbar and not text.isascii():
                    continue
                done += 1
                if reader(picture) != text:
                    wrong += 1
                    print(f"not read back: {name}, {what}, {reader.__name__}")
    print(f"{done} readings, {wrong} wrong")
    sys.exit(1 if wrong or not done else 0)


main()
