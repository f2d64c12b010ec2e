"""A terminal's picture of half blocks: what a camera before the screen would see.

Knows what `vmfa` writes and no more: SGR 0, 38;5;N and 48;5;N, the three half-block characters, spaces and other text (drawn as
nothing). Anything else is an error, so that a new escape in the output doesn't pass unseen.
"""

import re

from PIL import Image, ImageDraw

# The sixteen colours that themes change, and what stands where nothing is set. The QR code must not depend on them.
THEMES = {
    "dark": {
        "fg": (204, 204, 204),
        "bg": (24, 24, 24),
        "sixteen": [
            (0, 0, 0),
            (205, 49, 49),
            (13, 188, 121),
            (229, 229, 16),
            (36, 114, 200),
            (188, 63, 188),
            (17, 168, 205),
            (229, 229, 229),
        ]
        * 2,
    },
    "light": {
        "fg": (40, 40, 40),
        "bg": (255, 255, 255),
        "sixteen": [
            (255, 255, 255),
            (180, 0, 0),
            (0, 120, 0),
            (120, 90, 0),
            (0, 0, 160),
            (120, 0, 120),
            (0, 120, 120),
            (60, 60, 60),
        ]
        * 2,
    },
    "solarized": {
        "fg": (131, 148, 150),
        "bg": (0, 43, 54),
        "sixteen": [
            (7, 54, 66),
            (220, 50, 47),
            (133, 153, 0),
            (181, 137, 0),
            (38, 139, 210),
            (211, 54, 130),
            (42, 161, 152),
            (238, 232, 213),
        ]
        * 2,
    },
}
STEPS = [0, 95, 135, 175, 215, 255]


def colour(number, theme):
    if number < 16:
        return theme["sixteen"][number]
    if number < 232:
        number -= 16
        return (STEPS[number // 36], STEPS[number // 6 % 6], STEPS[number % 6])
    return (8 + (number - 232) * 10,) * 3


def cells(text, theme):
    """Lines of (character, foreground, background)."""
    for line in text.removesuffix("\n").split("\n"):
        foreground, background = theme["fg"], theme["bg"]
        row = []
        for escape, character in re.findall(r"\x1b\[([0-9;]*)m|([^\x1b])", line):
            if character:
                row.append((character, foreground, background))
                continue
            numbers = [int(n or 0) for n in escape.split(";")]
            while numbers:
                match numbers:
                    case [0, *rest]:
                        foreground, background = theme["fg"], theme["bg"]
                    case [38, 5, number, *rest]:
                        foreground = colour(number, theme)
                    case [48, 5, number, *rest]:
                        background = colour(number, theme)
                    case _:
                        raise ValueError(f"an escape that the drawing should not have: {escape!r}")
                numbers = rest
        if "\x1b" in re.sub(r"\x1b\[[0-9;]*m", "", line):
            raise ValueError("an escape that is no SGR")
        yield row


def picture(text, theme="dark", cell=(9, 18), gap=0):
    """The screen as a picture; `gap` rows of pixels at the foot of each line show the background of the theme, as some fonts do."""
    theme = THEMES[theme]
    rows = list(cells(text, theme))
    wide, high = cell
    screen = Image.new("RGB", ((max(map(len, rows)) + 4) * wide, (len(rows) + 2) * high), theme["bg"])
    draw = ImageDraw.Draw(screen)
    for y, row in enumerate(rows, 1):
        for x, (character, foreground, background) in enumerate(row, 2):
            left, top, right, bottom = x * wide, y * high, (x + 1) * wide - 1, (y + 1) * high - 1 - gap
            draw.rectangle([left, top, right, bottom], fill=background)
            middle = top + high // 2
            if character in "▀█":
                draw.rectangle([left, top, right, middle - 1], fill=foreground)
            if character in "▄█":
                draw.rectangle([left, middle, right, bottom], fill=foreground)
    return screen
