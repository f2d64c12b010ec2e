"""What tmux shows of a pane (`capture-pane -e -N -p`) as cells and as a picture: the half blocks of a drawn QR code to pixels."""

import re
import unicodedata
from dataclasses import dataclass

from PIL import Image

# What this terminal shows where nothing is set, and its first sixteen colours.
FRONT, BACK = (208, 208, 208), (22, 24, 29)
NAMED = [
    (40, 42, 48), (224, 108, 117), (130, 190, 110), (224, 185, 95), (97, 165, 235), (198, 120, 221), (86, 182, 194), (208, 208, 208),
    (105, 110, 120), (240, 135, 140), (160, 215, 140), (240, 210, 130), (135, 190, 250), (220, 155, 240), (120, 210, 220), (250, 250, 250),
]


@dataclass(frozen=True)
class Look:
    """How a cell looks: its colours, and whether it is bold, faint, underlined, swapped."""

    front: tuple = None
    back: tuple = None
    bold: bool = False
    faint: bool = False
    line: bool = False
    swapped: bool = False

    def colours(self):
        front, back = self.front or FRONT, self.back or BACK
        if self.faint:
            front = tuple((2 * one + other) // 3 for one, other in zip(front, back))
        return (back, front) if self.swapped else (front, back)


@dataclass(frozen=True)
class Cell:
    text: str
    look: Look
    width: int = 1


def indexed(number):
    """A colour of the 256."""
    if number < 16:
        return NAMED[number]
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    number -= 16
    return tuple(0 if part == 0 else 55 + 40 * part for part in (number // 36, number // 6 % 6, number % 6))


def changed(look, codes):
    """The look after a sequence `ESC [ codes m`."""
    state = dict(vars(look))
    codes = list(codes)
    while codes:
        code = codes.pop(0)
        if code == 0:
            state = dict(vars(Look()))
        elif code in (1, 2, 4, 7):
            state[{1: "bold", 2: "faint", 4: "line", 7: "swapped"}[code]] = True
        elif code == 22:
            state["bold"] = state["faint"] = False
        elif code in (24, 27):
            state["line" if code == 24 else "swapped"] = False
        elif code in (38, 48):
            kind = codes.pop(0)
            colour = indexed(codes.pop(0)) if kind == 5 else tuple(codes.pop(0) for _ in range(3))
            state["front" if code == 38 else "back"] = colour
        elif code in (39, 49):
            state["front" if code == 39 else "back"] = None
        elif 30 <= code <= 37 or 90 <= code <= 97:
            state["front"] = NAMED[code - 30 if code < 40 else code - 82]
        elif 40 <= code <= 47 or 100 <= code <= 107:
            state["back"] = NAMED[code - 40 if code < 50 else code - 92]
        else:
            assert code in (3, 5, 9, 23, 25, 29, 58, 59), f"unknown: ESC [ {code} m"
    return Look(**state)


def wide(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(captured):
    """The lines of cells of a capture. A line begins with the look that the line before ended with."""
    lines, look = [], Look()
    for line in captured.removesuffix("\n").split("\n"):
        row = []
        for codes, other, character in re.findall(r"\x1b\[([0-9;:]*)m|(\x1b[()][A-Z0-9]|[\x0e\x0f])|([^\x1b])", line):
            if character:
                width = wide(character)
                if width == 0 and row:
                    row[-1] = Cell(row[-1].text + character, row[-1].look, row[-1].width)
                else:
                    row.append(Cell(character, look, width))
            elif not other:
                look = changed(look, [int(code or 0) for code in re.split("[;:]", codes)])
        lines.append(row)
    return lines


def picture(captured, cell=(8, 16)):
    """A capture as a camera sees it, for codes that are drawn in half blocks: other characters are left blank."""
    across, down = cell
    lines = cells(captured)
    size = (max(sum(one.width for one in line) for line in lines) * across, len(lines) * down)
    image = Image.new("RGB", size, BACK)
    for y, line in enumerate(lines):
        x = 0
        for one in line:
            front, back = one.look.colours()
            upper, lower = {"▀": (front, back), "▄": (back, front), "█": (front, front)}.get(one.text, (back, back))
            left, right = x * across, (x + one.width) * across
            image.paste(upper, (left, y * down, right, y * down + down // 2))
            image.paste(lower, (left, y * down + down // 2, right, (y + 1) * down))
            x += one.width
    return image
