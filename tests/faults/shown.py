"""Text that would steer a terminal, and a judge of the bytes that a terminal is sent.

The judge knows the Unicode database and the sequences that vmfa itself makes, and nothing of how vmfa cleans a text.
"""

import codecs
import io
import os
import re
import secrets
import string
import struct
import sys
import time
import unicodedata
from pathlib import Path
from unittest import mock

import pexpect
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vault"))
import read_vault  # noqa: E402

PATIENCE = 30

# What each text would do, and the text. None has a quote, a backslash or a NUL, so that each can stand in any file.
TEXTS = {
    "CSI: asks the terminal for an answer": "\x1b[6n\x1b[31;7mred",
    "OSC 0: the title": "\x1b]0;title\x07",
    "OSC 8: a link": "\x1b]8;;http://evil.invalid/\x07link\x1b]8;;\x07",
    "OSC 52: the clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "DCS": "\x1bP+q544e\x1b/",
    "APC": "\x1b_Gi=1\x1b/",
    "C1: CSI, DCS, OSC": "\x9b6n\x90+q\x9c\x9d0;t\x9c",
    "BEL": "\x07",
    "CR": "\rFORGED",
    "LF": "\nFORGED: line",
    "VT, FF, NEL": "\x0bFORGED\x0cFORGED\x85FORGED",
    "BS, DEL": "\b\b\b\x7f\x7f",
    "tab": "a\tb",
    "bidi overrides": "\u202agpj\u202b.\u202cexe\u202dx\u202e",
    "bidi isolates": "\u2066a\u2067b\u2068c\u2069",
    "bidi marks": "\u200ea\u200fb\u061c",
    "zero width": "Git\u200bH\u200cu\u200db\u2060\ufeff",
    "invisible": "a\u00ad\u034f\u180e\u2061\u2064b\u206a\u3164c\uffa0d\u115fe",
    "line and paragraph": "x\u2028FORGED\u2029FORGED",
    "variation selectors": "A\ufe0fB\ufe00C\U000e0100D\U000e01efE",
    "tags": "\U000e0001\U000e0041\U000e007f",
    "annotations, noncharacters": "\ufff9a\ufffab\ufffb\uffff\U0001fffe",
    "a stack of marks": "Z" + "\u0301\u0316\u0489" * 40,
    "music": "\U0001d173a\U0001d17a\U0001bca0",
}
# Each stands between marks of its own: whatever becomes of it, where both are seen it was shown.
FRAMED = [f"<{mark}{text}{mark}>" for mark, text in zip(string.ascii_uppercase, TEXTS.values(), strict=False)]
assert len(FRAMED) == len(TEXTS)
ALL = "".join(FRAMED)
# No UTF-8 at all: a byte of C1, two that never are, half a character, an overlong one, and a surrogate.
RAW = b"<1\x9b6n1><2\xff\xfe2><3\xe2\x803><4\xc0\x9b4><5\xed\xa0\x805>"
RAW_TEXT = os.fsdecode(RAW)
MARKS = set(string.ascii_uppercase[:len(FRAMED)])
RAW_MARKS = set("12345")
LONG = "L" * 3000

# The sequences that vmfa makes itself, as its sources have them: styles, erasing and moving for what it draws in place.
LINES = re.compile(
    rb"\x1b\[(?:0|1|2|4|33|1;31|1;4)?m|\r?\x1b\[[JK]|\x1b\[\?(?:25|7|1049)[hl]|\x1b\[\d+[AC]|\x1b\[2J|\x1b\[H|\r(?=\x1b\[)"
    # A code of six digits into the terminal's clipboard, by way of tmux or not: never with padding, which the hostile one has.
    rb"|\x1bPtmux;\x1b\x1b\]52;c;[A-Za-z0-9+/]{8}\x07\x1b\\|\x1b\]52;c;[A-Za-z0-9+/]{8}\x07"
)
# And those of a drawn screen: ratatui's and crossterm's.
SCREEN = re.compile(
    LINES.pattern + rb"|\x1b\[\d*(?:;\d+)*m|\x1b\[\d+;\d+H|\x1b\[\?(?:1000|1002|1003|1004|1006|1015|2004|2026)[hl]"
    rb"|\x1b\[\d* q|\x1b\[[0-3]?[JK]"
)
JOINERS = "\u200c\u200d"
MOST_MARKS = 16
# Default_Ignorable_Code_Point in letters and marks: drawn as nothing.
BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(n) for n in range(0xE0000, 0xE1000)}


def is_selector(character):
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def offences(data, sequences=LINES):
    """What a terminal must not be sent, of the bytes that were."""
    found = []
    data = sequences.sub(b"", data).replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        found.append(f"no UTF-8: {data[max(0, error.start - 30):error.start + 10]!r}")
        text = data.decode(errors="ignore")
    found += [f"a forged line: {line!r}" for line in text.split("\n") if line.strip().startswith("FORGED")]
    marks = 0
    for at, character in enumerate(text):
        kind = unicodedata.category(character)
        before, after = text[at - 1:at], text[at + 1:at + 2]
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if character == "\n":
            continue
        if character in JOINERS:
            # Emoji and some scripts need them, among their own.
            bad = not (before > "\x7f" and after > "\x7f") or after in JOINERS
        elif is_selector(character):
            bad = not (before > "\x7f" or after == "\u20e3") or before in JOINERS or is_selector(before)
        else:
            bad = kind in ("Cc", "Cf", "Cs", "Zl",
                           "Zp") or character in BLANK or ord(character) & 0xFFFE == 0xFFFE or marks > MOST_MARKS
        if bad:
            found.append(f"U+{ord(character):04X} in {text[max(0, at - 30):at + 10]!r}")
    if "panicked" in text or "internal error" in text:
        found.append(f"a panic: {text[-300:]!r}")
    return found


def standing(data, sequences=LINES):
    """The marks of the texts of which what is left stands in what a terminal was sent."""
    return set(re.findall(r"<(\w)[^<>]*\1>", sequences.sub(b"", data).decode(errors="replace")))


def parts(size):
    """The texts in parts of at most so many bytes, each whole: for places that take no more."""
    found = [""]
    for text in FRAMED:
        if len((found[-1] + text).encode()) > size:
            found.append("")
        found[-1] += text
    return found


# --- a terminal ---

# The end of what was said is a question.
ASKS = rb"(?:\[y/N\] |(?:Passphrase|assphrase|[Ss]ecret|code|again)[^\n]*: |Which account\? [^\n]*)$"


def at_terminal(command, env, cwd, script=(), size=(50, 160)):
    """Runs a command on a terminal: every byte that it was sent, and the exit code. The script is what is waited for, and
    what is typed then; whatever is asked beyond it is answered with ^C."""
    seen = io.BytesIO()
    child = pexpect.spawn(command[0], command[1:], env=env, cwd=str(cwd), timeout=PATIENCE, dimensions=size)
    child.logfile_read, child.delaybeforesend, child.ptyproc.delayafterclose = seen, None, 0
    try:
        for wanted, typed in script:
            child.expect_exact(wanted)
            child.send(typed)
        while child.expect([pexpect.EOF, ASKS]):
            child.send("\x03")
        child.wait()
    except (pexpect.TIMEOUT, pexpect.EOF) as error:
        raise AssertionError(f"{command}: {type(error).__name__}; it had said {seen.getvalue()[-2000:]!r}") from None
    finally:
        child.close(force=True)
    return seen.getvalue(), child.exitstatus


class Drawn:
    """A program that draws on a terminal: every byte that it was sent, and what stands on it."""

    PIECES = re.compile(r"\x1b\[(\??)([\d;]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[^\x1b]", re.S)

    def __init__(self, command, env, cwd, size=(50, 160)):
        self.lines, self.columns = size
        self.sent, self.rest, self.decoder = bytearray(), "", codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.cells, self.at = [], (0, 0)
        self.clear(0)
        self.child = pexpect.spawn(command[0], command[1:], env=env, cwd=str(cwd), timeout=PATIENCE, dimensions=size)
        self.child.delaybeforesend, self.child.ptyproc.delayafterclose = None, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def clear(self, line):
        self.cells[line:] = [[" "] * self.columns for _ in range(self.lines - line)]

    def read(self):
        """Takes in what there is; whether the program still has the terminal."""
        try:
            data = self.child.read_nonblocking(1 << 16, timeout=0.02)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.sent += data
        self.rest += self.decoder.decode(data)
        at = 0
        while piece := self.PIECES.match(self.rest, at):
            at = piece.end()
            self.put(piece)
        self.rest = self.rest[at:]
        return True

    def put(self, piece):
        line, column = self.at
        private, numbers, does = piece.groups()
        if does == "H":
            line, column = ([int(number or 1) - 1 for number in numbers.split(";")] + [0, 0])[:2]
        elif does == "J" and not private:
            self.clear(0 if numbers == "2" else line)
        elif does == "K":
            self.cells[line][column:] = [" "] * (self.columns - column)
        elif does == "C":
            column += int(numbers or 1)
        elif piece[0] == "\r":
            column = 0
        elif piece[0] == "\n":
            line += 1
        elif len(piece[0]) == 1:
            wide = 2 if unicodedata.east_asian_width(piece[0]) in "WF" else 0 if unicodedata.category(piece[0]) in ("Mn", "Me",
                "Cf") else 1
            if not wide and column:
                self.cells[line][column - 1] += piece[0]
            elif column + wide <= self.columns:
                self.cells[line][column:column + wide] = [piece[0]] + [""] * (wide - 1)
            column += wide
        self.at = min(line, self.lines - 1), min(column, self.columns)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def box(self, title):
        """What stands in the dialog of that title, and nothing from around it; nothing before it is drawn to its end."""
        head = ["╭", *f" {title} "]
        for top, line in enumerate(self.cells):
            for left in range(self.columns):
                if line[left:left + len(head)] == head:
                    right = line.index("╮", left) if "╮" in line[left:] else self.columns - 1
                    bottom = next((number for number in range(top, self.lines) if self.cells[number][right] == "╯"), top)
                    return "\n".join("".join(self.cells[number][left + 2:right - 1]).rstrip() for number in range(top + 1,
                        bottom))
        return ""

    def wait(self, *words, gone=(), box=None):
        """Until all the words stand there (in the box of that title), and none of those that are to be gone; gives the text."""
        until = time.monotonic() + PATIENCE
        while True:
            text = self.box(box) if box else self.text()
            if text and all(word in text for word in words) and not any(word in text for word in gone):
                return text
            ended = "" if self.read() else "it has ended; "
            assert not ended and time.monotonic() < until, f"never {words} without {gone}; {ended}there stands\n{self.text()}"

    def type(self, text):
        self.child.send(text)

    def ends(self):
        """Its exit code, when it has ended."""
        until = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < until, f"it never ends; there stands\n{self.text()}"
        self.child.wait()
        return self.child.exitstatus


# --- a vault that somebody else made ---


def fields_of(data):
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<HI", data, at)
        found.append((kind, data[at + 6:at + 6 + length]))
        at += 6 + length
    return found


def fields_from(found):
    return b"".join(struct.pack("<HI", kind, len(value)) + value for kind, value in found)


def padded(body):
    size = 16 << 10
    while size < len(body) + 4:
        size += 4 << 10
    assert size <= 64 << 10, "a larger one is padded otherwise"
    return (struct.pack("<I", len(body)) + body).ljust(size, b"\0")


def rewritten(data, passphrase, change):
    """The same vault, with each record's fields as `change(type, fields)` gives them: sealed by whoever has the passphrase, with
    none of vmfa's code, so that nothing was cleaned on the way in."""
    kept = {}

    def body_of(plain, dek, vault_id):
        kept.update(plain=plain, dek=dek, vault_id=vault_id)
        return {}

    with mock.patch.object(read_vault, "read_body", body_of):
        read_vault.read_vault(data, {"passphrase": passphrase})
    outer = read_vault.Reader(kept["plain"])
    body = read_vault.Reader(outer.take(outer.number("I")))
    count = body.number("I")
    records = [struct.pack("<I", count)]
    for _ in range(count):
        record = body.take(body.number("I"))
        length = struct.unpack_from("<I", record, 28)[0]
        fields, rest = record[32:32 + length], record[32 + length:]
        if not record[26] & 1:
            fields = fields_from(change(record[27], fields_of(fields)))
        record = record[:28] + struct.pack("<I", len(fields)) + fields + rest
        records.append(struct.pack("<I", len(record)) + record)
    plain = padded(b"".join(records) + body.data[body.at:])
    header_len = struct.unpack_from("<I", data, 12)[0]
    head = bytearray(data[:16 + header_len])
    salt = secrets.token_bytes(32)
    head[16 + 28:16 + 60] = salt
    struct.pack_into("<Q", head, 16 + 60, len(plain) + 16)
    prk = read_vault.mac(kept["vault_id"], kept["dek"])
    header_mac = read_vault.mac(read_vault.expand(prk, b"vmfa/v1 header-mac"), bytes(head))
    key = read_vault.hkdf(kept["dek"], salt, b"vmfa/v1 payload")
    return bytes(head) + header_mac + ChaCha20Poly1305(key).encrypt(bytes(12), plain, header_mac)
