"""QR codes as vmfa draws them, read by zbar and zxing-cpp: a picture file, and a terminal's half blocks in two themes."""

import random
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import zxingcpp
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))
from harness import CHEAP, SECRET, House  # noqa: E402

# A character's cell, in pixels: half blocks are squares where it is twice as high as wide, and nearly so elsewhere.
CELLS = [(8, 16), (9, 18), (7, 15)]
THEMES = {"dark": ((0, 0, 0), (204, 204, 204)), "light": ((253, 246, 227), (0, 43, 54))}
NAMES = ["short", "Example Co:somebody@example.com", "日本語:ユーザー", "Amazon Web Services:root-account-mfa-device@123456789012"]


def colour(number):
    """A colour of the 256: the cube and the greys; the first sixteen are a theme's own, and must not be used."""
    assert number >= 16, f"colour {number} is whatever the theme makes of it"
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    number -= 16
    return tuple(0 if part == 0 else 55 + 40 * part for part in (number // 36, number // 6 % 6, number % 6))


def screen(drawn, theme, cell):
    """What a terminal shows: each line's escapes, blocks and spaces as pixels, on the theme's background."""
    back, front = THEMES[theme]
    rows = drawn.decode().split("\n")
    assert rows.pop() == "", "the last line has no newline"
    width, height = cell
    columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", row)) for row in rows)
    picture = Image.new("RGB", ((columns + 4) * width, (len(rows) + 2) * height), back)
    for y, row in enumerate(rows, 1):
        here, x = (front, back), 2
        for part in re.findall(r"\x1b\[[0-9;]*m|.", row):
            if part.startswith("\x1b"):
                codes = [int(code or 0) for code in part[2:-1].split(";")]
                while codes:
                    code = codes.pop(0)
                    if code == 0:
                        here = (front, back)
                    else:
                        assert code in (38, 48) and codes.pop(0) == 5, f"escape {part!r}"
                        chosen = colour(codes.pop(0))
                        here = (chosen, here[1]) if code == 38 else (here[0], chosen)
                continue
            upper, lower = {" ": (1, 1), "▀": (0, 1), "▄": (1, 0), "█": (0, 0)}[part]
            half = height // 2
            box = (x * width, y * height, (x + 1) * width, y * height + half)
            picture.paste(here[upper], box)
            picture.paste(here[lower], (box[0], box[3], box[2], (y + 1) * height))
            x += 1
    return picture


def by_zxing(path):
    return [found.text for found in zxingcpp.read_barcodes(Image.open(path))]


def by_zbar(path):
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path], capture_output=True)
    return done.stdout.decode().splitlines()


READERS = {"zxing-cpp": by_zxing, "zbar": by_zbar}


@pytest.fixture(scope="module")
def house(vmfa, tmp_path_factory):
    house = House(tmp_path_factory.mktemp("drawings") / "house", [vmfa]).build()
    house.must("init", "--kdf", CHEAP)
    pick = random.Random(18004)
    for index, name in enumerate(NAMES):
        letters = "".join(pick.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16 << index))
        house.must("add", name, "--secret", "-", stdin=letters if index else SECRET)
    return house


def drawn(house, name, *more):
    return house.must("qr", name, "--passphrase-file", house.passphrase, *more).out


def says(name, texts):
    """The one text is a key URI of that account."""
    assert len(texts) == 1, texts
    uri = urlsplit(texts[0])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path).lstrip("/").replace(": ", ":") == name
    assert len(parse_qs(uri.query)["secret"][0]) >= 16
    return texts[0]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_picture(house, tmp_path, name, reader):
    path = tmp_path / "drawn.png"
    drawn(house, name, "--png", path)
    assert path.stat().st_mode & 0o077 == 0, "others can read the secret"
    says(name, READERS[reader](path))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", NAMES)
def test_terminal(house, tmp_path, name, theme):
    path = tmp_path / "screen.png"
    texts = set()
    for cell in CELLS:
        screen(drawn(house, name), theme, cell).save(path)
        texts |= {says(name, read(path)) for read in READERS.values()}
    assert len(texts) == 1


def test_what_is_drawn_is_read_by_vmfa(house, tmp_path):
    path = tmp_path / "screen.png"
    for name in NAMES:
        screen(drawn(house, name), "dark", CELLS[0]).save(path)
        assert house.must("scan", "--secrets", path).out.decode().splitlines() == by_zxing(path)


def test_the_readers_can_fail(house, tmp_path):
    """Without its quiet zone and with two finders painted over, nobody reads it."""
    path = tmp_path / "spoilt.png"
    drawn(house, NAMES[0], "--png", path)
    picture = Image.open(path).convert("L")
    side = picture.width // 2
    picture.paste(255, (0, 0, side, side))
    picture.save(path)
    assert [read(path) for read in READERS.values()] == [[], []]
