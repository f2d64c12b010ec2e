"""Hostile text is shown from wherever it comes, and every byte that the terminal is sent is judged."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

import pytest
import segno
from harness import CHEAP, PASSPHRASE, SECRET, THIRD_SECRET, House
from shown import (
    ALL, FRAMED, LINES, LONG, MARKS, RAW, RAW_MARKS, RAW_TEXT, SCREEN, TEXTS, Drawn, at_terminal, offences, parts, rewritten,
    standing,
)

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
ESCAPE = "\x1b"
# A part of a label by which the hostile accounts are found.
NAMES = ONE, TWIN, COUNTED, ASKS, THROWN, BIG = "One", "Twin", "Counted", "Asks", "Thrown", "Big"


class Table:
    """Places, what was judged in each, and what went against the program."""

    def __init__(self, house):
        self.house, self.cases, self.against, self.marks = house, 0, [], set()

    def env(self, more=None):
        return {**self.house.env, "TERM": "xterm-256color", **(more or {})}

    def seen(self, place, data, quiet=False, sequences=LINES):
        """A hostile text is a case where what is left of it is seen. An output that isn't `quiet` must have some: else nothing
        was tried there."""
        stands = standing(data, sequences)
        self.cases += len(stands)
        self.marks |= stands
        if not (stands or quiet):
            self.against.append(f"{place}: nothing is left of any hostile text: {data[-300:]!r}")

    def judge(self, place, data, sequences=LINES):
        # Each kind once.
        self.against += [f"{place}: {what}" for what in {what[:6]: what for what in offences(data, sequences)}.values()]

    def shown(self, *arguments, script=(), env=None, program=None, code=None, quiet=False):
        """On a terminal."""
        command = [str(part) for part in (program or self.house.argv(arguments))]
        data, ended = at_terminal(command, self.env(env), self.house.root, script)
        place = named(arguments, env)
        self.seen(place, data, quiet)
        self.judge(place, data)
        assert code is None or ended == code, f"{place}: exit {ended}: {data[-600:]!r}"
        return data

    def piped(self, *arguments, stdin="", env=None, quiet=False):
        """Into pipes: data for other programs, and words for a person, who has it on the screen in the end."""
        done = self.house.run(*arguments, stdin=stdin, env=env)
        place = named(arguments, env) + " (piped)"
        self.seen(place, done.out + done.err, quiet)
        self.judge(place, done.out + done.err)
        return done


def named(arguments, env=None):
    """A command, for whoever reads what went wrong."""
    words = [os.fsdecode(part) if isinstance(part, bytes) else str(part) for part in (*(env or {}), *arguments)]
    return " ".join(words).encode(errors="replace").decode()[:80].encode("unicode_escape").decode()


def hostile(kind, fields):
    """Each text of a record has everything in it, behind the word it had; each account begins with another one, since a line of
    a list has room for a few."""
    if kind == 2:
        return [(number, value + ALL.encode() if number == 1 else value) for number, value in fields]
    found = {number: value for number, value in fields if number != 6}
    name = found[2]
    first = 4 * NAMES.index(name.decode()) if name.decode() in NAMES else 0
    for number in (1, 2, 3, 7, 9, 10):
        found[number] = name + "".join(FRAMED[first:] + FRAMED[:first]).encode()
    if name == BIG.encode():
        found[2] += LONG.encode()
    tags = [(6, ALL.encode()), (6, b"plain")]
    return sorted([*found.items(), *tags], key=lambda field: field[0])


@pytest.fixture(scope="module")
def rooms(vmfa, tmp_path_factory):
    """A vault that was made by somebody else, with hostile text in all that is text."""
    root = tmp_path_factory.mktemp("shown")
    made = House(root / "made", [vmfa]).build()
    made.must("init", "--kdf", CHEAP)
    names = [ONE, f"{TWIN}&period=31", f"{TWIN}&period=32", ASKS, THROWN, BIG]
    halves = [name.partition("&") for name in names]
    uris = [f"otpauth://totp/{name}?secret={SECRET[n:]}{SECRET[:n]}{mark}{more}" for n, (name, mark, more) in enumerate(halves)]
    uris.append(f"otpauth://hotp/{COUNTED}?secret={SECRET[::-1]}&counter=1")
    made.must("add", "--uri", "-", stdin="\n".join(uris))
    made.must("edit", ASKS, "--confirm")
    made.must("remove", THROWN)
    csv = root / "keys.csv"
    csv.write_text(f"User name,Access key ID,Secret access key\nprofile,{KEY_ID},{'s' * 40}\n")
    made.must("aws", "key", "add", "profile", "--csv", csv)
    data = rewritten(made.vault.read_bytes(), PASSPHRASE, hostile)

    def house(name, with_it=True):
        house = House(root / name, [vmfa])
        house.build()
        if with_it:
            house.vault.write_bytes(data)
            house.vault.chmod(0o600)
        else:
            house.must("init", "--kdf", CHEAP)
            house.must("add", "alpha", "--secret", "-", stdin=THIRD_SECRET)
        return house

    yield house
    for home in root.iterdir():
        if (home / "home/.run").exists():
            house = House(home, [vmfa])
            house.run("agent", "stop")


def from_the_vault(table):
    """Every command that shows what a vault holds."""
    house, again = table.house, ("--passphrase-file", table.house.passphrase)
    listed = table.piped("list", "--json")
    told = json.loads(listed.out)
    assert len(told) == 6 and all(account["tags"][0] == ALL for account in told), "JSON gives what is there"
    table.piped("list", "--names")
    for arguments in (
        ["list"], ["list", "--names"], ["list", "--json"], ["list", "--trash"],
        ["show", ONE], ["show", ONE, "--json"], ["show", COUNTED], ["show", BIG], ["show", TWIN], ["show", "Onf"],
        ["code", ONE], ["code", ONE, "--json"], ["code", TWIN], ["code", "Ome"], ["code", COUNTED], ["code", ONE, "--fresh"],
        ["pair", ONE],
        ["pair", ONE, "--json"], ["mfa-process", ONE], ["code", ASKS, "--no-agent"], ["code", ONE, "--copy"],
        ["rename", ONE, ONE + " " + ALL], ["edit", ONE, "--issuer", ALL, "--account", ONE + ALL, "--tag", ALL, "--note", ALL],
        ["edit", ONE, "--serial-number", ALL], ["remove", TWIN], ["remove", COUNTED], ["restore", COUNTED],
        ["export", "--to", "uris", "--plaintext", "--out", house.root / "uris", *again],
        ["export", "--to", "uris", "--plaintext", *again],
        *(["export", "--to", to, "--plaintext", "--out", house.root / f"out-{to}", *again]
          for to in ("aegis", "bitwarden", "2fas", "google")),
    ):
        table.shown(*arguments)
    for arguments in (
        # They count, or speak of the vault's file or of what isn't there.
        ["list", "nothing"], ["check"], ["doctor"], ["doctor", "--json"], ["pair", COUNTED], ["slot", "list"],
        ["backup", "list"], ["restore", "nobody"],
        ["edit", ONE, "--tag", LONG], ["export", ONE, TWIN, "--to", "nothing"],
        # A URI is in percent. It is too long for a QR code.
        ["show", ONE, "--uri", *again], ["qr", ONE, *again], ["qr", ONE, "--png", house.root / "q.png", *again],
    ):
        table.shown(*arguments, quiet=True)
    table.shown("remove", "--forever", THROWN, script=[("[y/N] ", "n\n")])
    table.shown("edit", ASKS, "--no-confirm")
    # What another copy of the vault has more than this one, and what comes in a second time.
    copy = house.root / "copy"
    shutil.copyfile(house.vault, copy)
    table.piped("remove", ASKS)
    table.shown("backup", "merge", copy, quiet=True)
    table.shown("import", house.root / "uris")
    table.shown("import", house.root / "uris", "--json")
    table.shown("import", "--undo", quiet=True)


def drawn(table):
    """What is drawn: lists to choose from, codes that are watched, the interface, and the plain one."""
    enter, down = "\r", "\x1b[B"
    table.shown("code", script=[("Which account", "T"), ("Twin", down), ("Twin", enter)])
    table.shown("restore", script=[("Thrown", ESCAPE)])
    table.shown("watch", ONE, script=[("One", "q")])
    table.shown("watch", "--all", script=[("Twin", "q")])
    table.shown("code", ASKS, script=[("[y/N] ", "y\n")])
    says = ["list", "One", "Twin", "code Counted", "trash", "find e", "pair One", "copy One", "show One", "Zone", "quit"]
    table.shown("--plain", script=[("vmfa> ", line + "\n") for line in says])
    with Drawn([str(part) for part in table.house.argv([])], table.env({"VMFA_PASSPHRASE_FILE": ""}),
               table.house.root) as screen:
        try:
            the_interface(table, screen)
        finally:
            table.judge("interface", bytes(screen.sent), SCREEN)


def the_interface(table, screen):
    """Each thing is waited for before the next key, so that it was drawn."""

    def stands(what, text, quiet=False):
        table.seen(f"interface, {what}", text.encode(), quiet)

    def below(text):
        return "\n".join(text.split("\n")[10:])

    def dialog(key, title, *words, close=ESCAPE, quiet=False):
        screen.type(key)
        stands(title, screen.wait(*words, box=title), quiet)
        screen.type(close)
        screen.wait(gone=[f"╭ {title} "])

    screen.wait("Passphrase:")
    screen.type(PASSPHRASE + "\r")
    stands("list", screen.wait("6 accounts", "> asks", "? help"))
    # The first is one that asks.
    dialog("p", "this account asks", "Give a code of Asks", close="y")
    stands("two codes", screen.wait("MFA code 2", "left", box="two codes"))
    screen.type(ESCAPE)
    screen.wait(gone=["╭ two codes "])
    dialog("\r", "this account asks", "Give a code of Asks", close="n")
    screen.wait("no code was given")
    dialog("i", "details", "issuer", "digits")
    dialog("e", "edit", "> issuer", "AWS serial", "^S save")
    dialog("g", "groups", "> all accounts")
    dialog("t", "trash", "> Thrown", "bring back")
    dialog("a", "add accounts", "the clipboard", quiet=True)
    dialog("?", "keys", "leave", quiet=True)
    dialog("q", "passphrase", "A QR code shows the secret", quiet=True)
    # What is said below the list, of which nothing reaches so far down.
    screen.type("d")
    stands("delete", below(screen.wait("5 accounts", "is in the trash")))
    screen.type("u")
    stands("undo", below(screen.wait("6 accounts", "is back")))
    screen.type("f")
    stands("favourite", screen.wait(">*asks"))
    screen.type("/On")
    stands("search", screen.wait("/On"))
    screen.type("\r")
    stands("copy", below(screen.wait("copied")))
    screen.type("s")
    screen.wait("sorted by use")
    screen.type("v")
    screen.wait("codes are hidden")
    screen.type("n")
    stands("next", below(screen.wait("copied the next")))
    screen.type(" ")
    screen.wait("━")
    screen.type("Q")
    assert screen.ends() == 0


def by_the_agent(table):
    """What comes by way of the agent: the same labels, the vault's own path, and the hidden command of the completions."""
    table.shown("unlock", code=0, quiet=True)
    for arguments in (["list"], ["show", ONE], ["code", ONE], ["code", TWIN], ["code", "Ome"], ["pair", ONE], ["code", ASKS],
                      ["list", "--names"]):
        script = [("[y/N] ", "y\n")] if arguments == ["code", ASKS] else ()
        table.shown(*arguments, script=script)
    for arguments in (["agent", "status"], ["agent", "status", "--json"], ["lock"], ["unlock"]):
        table.shown(*arguments, code=0, quiet=True)
    names = [*table.house.program, "complete-names"]
    found = table.shown("complete-names", program=names, env={"VMFA_VAULT": str(table.house.vault)})
    assert found.count(b"\r\n") == 6 and b"One" in found, "names are offered"
    table.shown("agent", "stop", quiet=True)


# What of the environment is repeated, and by which of the commands. The others have nothing to do with it.
REPEATED = {
    "VMFA_VAULT": ("list", "doctor", "aws status", "code alpha --copy"),
    "VMFA_PASSPHRASE_FILE": ("list", "aws status", "code alpha --copy"),
    "VMFA_KEY_FILE": ("list", "aws status", "code alpha --copy"), "VMFA_PASSPHRASE_FD": (), "VMFA_CONFIG": ("config",),
    "XDG_RUNTIME_DIR": (), "HOME": (),
    "AWS_PROFILE": ("aws status",), "AWS_REGION": (), "DBUS_SESSION_BUS_ADDRESS": (), "AWS_CONFIG_FILE": ("aws status",),
    "AWS_ENDPOINT_URL": (), "TMUX": (),
    "DISPLAY": ("add --screen",), "WAYLAND_DISPLAY": (),
}
VALUES = {"VMFA_VAULT": "nowhere" + ALL, "XDG_RUNTIME_DIR": "/" + ALL, "HOME": "/" + ALL}


def words(table):
    """What is typed on the command line, or stands in the environment, and is repeated in an error."""
    house = table.house
    # What is no directory stands on the way, so that a file there is not just missing.
    (house.root / ALL.split("/")[0]).touch()
    for name, repeating in REPEATED.items():
        for arguments in (["list"], ["doctor"], ["aws", "status"], ["config"], ["code", "alpha", "--copy"],
                          ["add", "--screen"]):
            # House names the vault on the command line, which goes first.
            program = [*house.program, *arguments] if name == "VMFA_VAULT" else None
            table.shown(*arguments, program=program, env={name: VALUES.get(name, ALL)},
                        quiet=" ".join(arguments) not in repeating)
    for text in (ALL, RAW_TEXT, ALL + LONG):
        # A path can be anything that has no NUL.
        for arguments in (
            [text], ["scan", text], ["import", text], ["completions", text], ["backup", "restore", text],
            ["backup", "merge", text],
            ["man", "--out", text], ["--passphrase-file", text, "list"], ["--key-file", text, "list"], ["aws", text],
            ["aws", "policy", "check", text],
        ):
            table.shown(*arguments)
        # Of a word that isn't even UTF-8 nothing is repeated.
        for arguments in (
            ["code", text], ["show", text], ["add", text], ["add", text, "--secret", "-"], ["code", "--at", text],
            ["import", "--from", text, house.passphrase], ["export", "--to", text], ["slot", "remove", text],
            ["init", "--kdf", text],
            ["doctor", "--clock", text], ["code", "alpha", "--copy", "--copy-for", text], ["unlock", "--for", text],
            ["--passphrase-fd", text, "list"],
            ["edit", "alpha", "--counter", text], ["aws", "status", "--profile", text],
            ["aws", "credentials", "--profile", text], ["aws", "key", "remove", text],
            ["aws", "enroll", "--profile", text], ["aws", "exec", "--profile", text, "--", "true"], ["rename", "alpha", text],
        ):
            if "add" in arguments:
                # What is longer than a label may be isn't repeated either.
                table.piped(*arguments, stdin=SECRET[::-1], quiet=text != ALL)
            else:
                table.shown(*arguments, quiet=text == RAW_TEXT)
        # They speak of something else.
        for arguments in (["list", text], ["edit", text], ["import", "--help", text], ["export", "--help", text],
                          ["agent", "unit", "--out", text + "/x"], ["--passphrase-command", "exit 1 # " + text, "list"]):
            table.shown(*arguments, quiet=True)
        for arguments in (["slot", "add", text], ["aws", "key", "add", text]):
            table.piped(*arguments, quiet=True)
    for text in ("-" + ALL, "--" + ALL, "--" + RAW_TEXT):
        for arguments in ([text], ["code", text]):
            # Of what begins with one hyphen only the first letter is an option.
            table.shown(*arguments, quiet=not text.startswith("--"))


def files(table):
    """Names of files, and what stands in them."""
    house, root = table.house, table.house.root
    folder = root / "files"
    folder.mkdir()
    names = [*(part.replace("/", "") for part in parts(250)), RAW_TEXT]
    for name in names:
        path = folder / name
        path.write_text("no picture, and no export\n")
        for arguments in (["scan", path], ["scan", path, "--json"], ["import", path], ["import", path, "--json"],
                          ["add", path], ["aws", "policy", "check", path],
                          ["--key-file", path, "list"], ["--passphrase-file", path, "list"], ["backup", "merge", path],
                          ["backup", "restore", path]):
            table.shown(*arguments)
        table.shown("--vault", path, "check", program=[*house.program, "--vault", path, "check"])
    # A vault, and all beside it, under such a name.
    for name in (names[0][:80], parts(100)[1].replace("/", ""), RAW_TEXT):
        other = [*house.program, "--vault", folder / f"{name}.vmfa"]
        for arguments, quiet in (
            (["init", "--kdf", CHEAP], False), (["list"], True), (["add", "x"], True), (["check"], True), (["doctor"], False),
            (["backup", "list"], False),
            (["passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", house.passphrase], True), (["unlock"], True),
            (["agent", "status"], False), (["code", "x"], True), (["agent", "stop"], True), (["lock"], True),
        ):
            script = [("ecret", SECRET + "\n")] if arguments[0] == "add" else ()
            table.shown(*arguments, program=[*map(str, other), *map(str, arguments)], script=script, quiet=quiet)
        table.shown("(asks)", program=[*map(str, other), "list"], env={"VMFA_PASSPHRASE_FILE": ""},
                    script=[("Passphrase", "wrong\n"), ("assphrase for", "\x03")])
    table.shown("import", folder, quiet=True)
    j = json.dumps
    texts = {
        "uris": f"otpauth://totp/{quote(ALL)}?secret=1&issuer={quote(ALL)}&{quote(ALL)}=1\n"
                f"otpauth://totp/x{quote(ALL)}?secret={SECRET}&digits={quote(ALL)}\n",
        "raw uris": f"otpauth://totp/{ALL}?secret={SECRET}\n",
        "aegis": j({"version": 1, "header": {"slots": None, "params": None}, "db": {"version": 2, "entries": [
            {"type": ALL, "name": ALL, "issuer": ALL, "info": {"secret": SECRET, "algo": ALL, "digits": 6, "period": 30}},
            {"type": "totp", "name": ALL, "issuer": ALL, "note": ALL, "info": {"secret": SECRET, "algo": "SHA1", "digits": 6,
                "period": 30}},
            {"type": "totp", "name": ALL, "issuer": ALL, "info": {"secret": ALL, "algo": "SHA1", "digits": 6, "period": 30}},
            {"type": "totp", "name": ALL, "info": {"secret": SECRET, "algo": ALL, "digits": ALL, "period": ALL}}]}}),
        "andotp": j([{"secret": SECRET, "issuer": ALL, "label": ALL, "digits": 6, "type": ALL, "algorithm": ALL, "period": 30,
                      "tags": [ALL]},
                     {"secret": SECRET, "issuer": ALL, "label": ALL, "digits": 6, "type": "TOTP", "algorithm": "SHA1",
                      "period": 30, "tags": [ALL]}]),
        "2fas": j({"services": [{"name": ALL, "secret": ALL, "otp": {"account": ALL, "issuer": ALL, "tokenType": ALL,
                                                                     "algorithm": ALL, "digits": 6, "period": 30}}],
                   "groups": [{"id": ALL, "name": ALL}], "schemaVersion": 4, "appVersionCode": 1}),
        "bitwarden": j({"encrypted": False, "folders": [], "items": [{"type": 1, "name": ALL, "notes": ALL,
                                                                      "login": {"username": ALL, "totp": ALL}},
                                                                      {"type": 1, "name": ALL,
                                                                          "login": {"username": ALL, "totp": SECRET}}]}),
        "bitwarden csv": "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n"
                         + f'"{ALL}",,login,"{ALL}","{ALL}",,0,,"{ALL}",p,{SECRET}\n,,login,"{ALL}",,,0,,"{ALL}",p,"{ALL}"\n',
        "unknown": j({ALL: ALL, "x": [ALL]}),
        "broken": "{" + ALL,
        "xml": f"<?xml version='1.0'?><map><string name='{escape(ALL)}'>{escape(ALL)}</string></map>",
        "text": ALL,
        "policy": j({"Version": "2012-10-17", "Statement": [{"Sid": ALL, "Effect": "Deny", "NotAction": [ALL, "iam:x"],
                                                             "Resource": "*",
                                                             "Condition": {"BoolIfExists": {
                                                                 "aws:MultiFactorAuthPresent": ALL}}}]}),
    }
    # Of what can't be told for an export at all nothing is repeated.
    silent = ("unknown", "broken", "xml", "text")
    for name, text in texts.items():
        path = folder / name.replace(" ", "-")
        path.write_text(text, newline="")
        command = ["aws", "policy", "check", path] if name == "policy" else ["import", path]
        table.shown(*command, quiet=name in silent)
        table.shown(*command, "--json", quiet=name in silent)
        if name != "policy":
            table.shown("import", path, "--dry-run", "--from", "aegis", quiet=name != "aegis")
    raw = folder / "raw"
    raw.write_bytes(b"otpauth://totp/" + RAW + b"?secret=" + SECRET.encode() + b"\n" + RAW + b"\n")
    table.shown("import", raw)
    table.shown("add", "--uri", "-", program=["/bin/sh", "-c", f"exec \"$0\" --vault \"$1\" add --uri - < {raw}",
                                              *house.program, house.vault], quiet=True)
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr(ALL.replace("/", "-"), texts["raw uris"])
        archive.writestr("b" + ALL.replace("/", "-"), "nothing")
    table.shown("import", folder / "archive.zip")
    # Text that is no URI, a URI with it as it is and in percent, and a migration that is none.
    for number, text in enumerate((ALL, f"otpauth://totp/{ALL}?secret={SECRET}",
                                   f"otpauth://totp/{quote(ALL)}?secret={SECRET}", "otpauth-migration://offline?data=" + ALL)):
        picture = folder / f"{number}.png"
        segno.make(text.encode(), error="l").save(str(picture), scale=4, border=4)
        for arguments in (["scan", picture], ["scan", picture, "--json"], ["scan", picture, "--secrets"], ["add", picture],
                          ["add", f"named{number}" + ALL, picture]):
            # What is no account isn't repeated, but where secrets are asked for; a URI's own percent stays as it is.
            with_secrets = "--secrets" in arguments
            table.shown(*arguments, quiet=number in (0, 3) and not with_secrets or number == 2 and with_secrets)
    table.shown("list")
    config = house.home / ".config/vmfa/config.toml"
    config.parent.mkdir(parents=True)
    escaped = "".join(f"\\U{ord(character):08x}" for character in ALL)
    told = [f'"{escaped}" = 1\n', f'theme = "{escaped}"\n', f'[keys]\n"{escaped}" = "x"\n', f'[keys]\nquit = "{escaped}"\n',
            f'["{escaped}"]\nx=1\n']
    # TOML has none of it as it is.
    silent = [f"{ALL} = 1\n", f"theme = '{ALL.replace(chr(10), '')}'\n", f"[keys]\n'{ALL.replace(chr(10), '')}' = 'x'\n"]
    for text in told + silent:
        config.write_text(text, newline="")
        table.shown("config", quiet=text in silent)
        table.shown("(interface)", program=[*house.program, "--vault", str(house.vault)], quiet=text in silent)
    config.unlink()


# What XML 1.0 can hold: of the rest, ESC included, an answer of AWS's has none that its SDK would read.
LEGAL = "".join(text for text in FRAMED if all(c in "\t\n\r" or " " <= c and ord(c) & 0xFFFE != 0xFFFE for c in text))


class HostileCloud(ThreadingHTTPServer):
    """Answers every call to AWS in the words of its protocol, with hostile text wherever there is text."""

    def __init__(self, way):
        self.way = way
        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def env(self):
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}", "AWS_MAX_ATTEMPTS": "1"}


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):  # noqa: N802
        asked = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        # As numbers, so that no parser takes a line's end for another one.
        action, way, text = asked.get("Action", ["?"])[0], self.server.way, "".join(f"&#{ord(c)};" for c in LEGAL)
        arn = "arn:aws:iam::123456789012"
        results = {
            "GetCallerIdentity": f"<Arn>{arn}:user/alice</Arn><UserId>{text}</UserId><Account>123456789012</Account>",
            "ListMFADevices": "<MFADevices>" + "".join(
                f"<member><UserName>{text}</UserName><SerialNumber>{serial}{text}</SerialNumber>"
                "<EnableDate>2020-01-01T00:00:00Z</EnableDate></member>"
                for serial in (f"{arn}:mfa/", "u2f")) + "</MFADevices><IsTruncated>false</IsTruncated>",
            "ListAccessKeys": f"<AccessKeyMetadata><member><UserName>{text}</UserName><AccessKeyId>AKIA{text}</AccessKeyId>"
                              "<Status>Active</Status><CreateDate>2020-01-01T00:00:00Z</CreateDate></member>"
                              "</AccessKeyMetadata><IsTruncated>false</IsTruncated>",
        }
        if way == "raw":
            status, body = 400, b"<ErrorResponse><Error><Code>" + RAW + b"\x1b[6n</Code><Message>" + RAW
        elif way == "answers" and action in results:
            result = f"<{action}Result>{results[action]}</{action}Result>"
            last = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
            status, body = 200, f"<{action}Response>{result}{last}</{action}Response>".encode()
        else:
            code = "AccessDenied" if way == "denied" else "Access" + text
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
            status, body = 403, f"<ErrorResponse>{error}<RequestId>{text}</RequestId></ErrorResponse>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-requestid", "r")
        self.end_headers()
        self.wfile.write(body)


# The program that vmfa has make its calls, in its own words (src/aws/wire.rs): what is answered stands in a file beside it.
CALLER = """#!{python} -IS
import json, sys

with open(__file__ + ".json") as file:
    answers = json.load(file)
sys.stdin.readline()
for line in sys.stdin:
    outcome = answers.get(json.loads(line)["operation"], answers["*"])
    print(json.dumps({{"skew": None, "access_key_id": "{key}", "is_session": False, "outcome": outcome}}), flush=True)
"""
ARN = "arn:aws:iam::123456789012"
IDENTITY = {"Output": {"account": "123456789012", "arn": f"{ARN}:user/alice"}}
SINCE = 1_577_836_800


def refused(code="AccessDenied", message=ALL, status=403):
    return {"Refused": {"code": code, "message": message, "status": status}}


def device(serial, user=ALL, since=SINCE):
    return {"serial_number": serial, "user_name": user, "enable_date": since}


def stand_in(place):
    """Puts it where vmfa looks for the program; gives what has it answer."""
    caller = place / "vmfa-aws"
    caller.write_text(CALLER.format(python=sys.executable, key=KEY_ID))
    caller.chmod(0o755)
    return lambda answers: (place / "vmfa-aws.json").write_text(json.dumps({"*": refused(), **answers}))


def beside(table, folder):
    """What AWS says, beyond what XML can hold: from a stand-in of the program that makes the calls. It gives no session: that
    program lets no key pass that is more than visible ASCII."""
    house = table.house
    place = house.root / "installed"
    place.mkdir()
    shutil.copy(house.program[0], place / "vmfa")
    answer = stand_in(place)
    # A device each, since a code is given once, and a device has but a few at a time.
    commands = [["credentials"], ["exec", "--", "true"], ["env"], ["login"], ["credentials", "--new"]]
    profiles, keys, uris = "[profile base]\nregion = eu-west-1\n", "", ""
    for number in range(len(commands)):
        profiles += f"[profile d{number}]\nregion = eu-west-1\nmfa_serial = {ARN}:mfa/d{number}\n"
        profiles += f"[profile r{number}]\nregion = eu-west-1\nrole_arn = {ARN}:role/r\nsource_profile = d{number}\n"
        keys += f"[d{number}]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {'s' * 40}\n"
        uris += f"otpauth://totp/d{number}?secret={SECRET[number:]}{SECRET[:number]}\n"
    (folder / "config").write_text(profiles)
    (folder / "credentials").write_text(keys + keys[:keys.index("[d1]")].replace("d0", "base"))
    house.must("add", "--uri", "-", stdin=uris)
    for number in range(len(commands)):
        house.must("edit", f"d{number}", "--serial-number", f"{ARN}:mfa/d{number}")

    def shown(answers, *arguments, profile="base", **more):
        answer(answers)
        after = arguments.index("--") if "--" in arguments else len(arguments)
        whole = ["aws", *arguments[:after], "--profile", profile, *arguments[after:]]
        return table.shown(*whole, program=[place / "vmfa", *house.argv(whole)[1:]], **more)

    # Every command that makes a call, and the first is refused.
    for arguments in (["status"], ["status", "--json"], ["status", "--all-users"], ["enroll"], ["resync"], ["remove"],
                      ["rotate"], ["rename", "a", "b"]):
        shown({}, *arguments)
    for number, arguments in enumerate(commands):
        shown({}, *arguments, profile=f"{'r' if arguments == ['login'] else 'd'}{number}")
    # A code has room for little. Nothing else that can become of a call is cut.
    for part in parts(60):
        shown({"*": refused(code="Access" + part, message="")}, "status", quiet=len(part.encode()) > 200)
    for kind in ("Offline", "NoCredentials", "NotUnderstood"):
        shown({"*": {kind: ALL}}, "status")
    # Who asks may be known, and nothing else; or not even who asks.
    known = {"sts:GetCallerIdentity": IDENTITY}
    for arguments in (["status"], ["status", "--json"]):
        shown(known, *arguments, quiet=True)
        shown(known | {"*": refused(code="Odd")}, *arguments)
    for arguments in (["status", "--all-users"], ["resync"], ["remove"], ["rotate"], ["rename", "a", "b"]):
        shown(known, *arguments)
    for arguments in (["status"], ["enroll"], ["resync"]):
        shown({"sts:GetCallerIdentity": {"Output": {"account": "123456789012", "arn": f"{ARN}:user/{ALL}"}}}, *arguments)
    # All of it is answered.
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": ALL, "Effect": "Deny", "NotAction": [ALL],
                                                                 "Resource": ALL}]})
    alice = {"name": "alice", "groups": [ALL], "policies": [{"name": ALL, "document": policy}, {"name": ALL, "document": ALL}]}
    day = "2020-01-01T00:00:00+00:00"
    report = ("user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,"
              "access_key_2_active,access_key_2_last_rotated\n")
    report += "\n".join(f'"{user}","{ARN}:user/{user}",{day},true,false,true,{day},false,N/A' for user in (ALL, "alice"))
    everything = known | {
        "iam:ListMFADevices": {"Output": [device(f"{ARN}:mfa/{ALL}"), device("u2f" + ALL)]},
        "iam:ListVirtualMFADevices": {"Output": [device(f"{ARN}:mfa/{ALL}"), device(f"{ARN}:mfa/x{ALL}", None, None)]},
        "iam:ListAccessKeys": {"Output": [{"access_key_id": "AKIA" + ALL, "is_active": True, "create_date": SINCE}]},
        "iam:GetAccountPasswordPolicy": {"Output": {"minimum_password_length": 1, "max_password_age": 1,
                                                    "password_reuse_prevention": 1,
                                                    "allow_users_to_change_password": True, "requires": [ALL]}},
        "iam:GetCredentialReport": {"Output": report},
        "iam:GetAccountAuthorizationDetails": {"Output": {"users": [alice, {**alice, "name": ALL}],
                                                          "groups": [{**alice, "name": ALL}]}},
    }
    for arguments in (["status"], ["status", "--json"], ["status", "--all-users"], ["status", "--all-users", "--json"],
                      ["resync"], ["remove"], ["rotate"], ["remove", "nobody"], ["rename", "nobody", "x"],
                      ["resync", "nobody"]):
        shown(everything, *arguments)
    # The only one; somebody else's; one that can't be made, or is made as nothing that was asked for.
    shown(everything | {"iam:ListMFADevices": {"Output": [device(f"{ARN}:mfa/{ALL}")]}}, "remove")
    nothing = known | {"iam:ListMFADevices": {"Output": []}, "iam:ListVirtualMFADevices": {"Output": []}}
    shown(nothing | {"iam:ListVirtualMFADevices": {"Output": [device(f"{ARN}:mfa/alice")]}}, "enroll")
    shown(nothing, "enroll")
    shown(nothing | {"iam:CreateVirtualMFADevice": {"Output": {"serial_number": ALL, "base32_string_seed": ALL}}}, "enroll",
          quiet=True)


def amazon(table):
    """What AWS answers, and what stands in its files: names of profiles, regions, serial numbers, users."""
    house = table.house
    folder = house.home / ".aws"
    folder.mkdir()
    beside(table, folder)
    # By way of its own protocol, and the SDK.
    for way in ("errors", "denied", "answers", "raw"):
        with HostileCloud(way) as cloud:
            for arguments in (["status"], ["enroll"], *([["status", "--json"], ["resync"], ["remove"], ["rotate"],
                                                         ["rename", "a", "b"]] if way == "answers" else [])):
                # What isn't AWS's is told as that, and not repeated.
                table.shown("aws", *arguments, "--profile", "base", env=cloud.env, quiet=way == "raw")
            cloud.shutdown()
    line = ALL.replace("\n", "").replace("\r", "")
    config = (folder / "config").read_text()
    with HostileCloud("errors") as cloud:
        (folder / "config").write_text(f"{config}[profile p{line}]\nregion = eu-west-1\n[{line}]\n{line} = {line}\n")
        table.shown("aws", "status", "--profile", "base", env=cloud.env)
        for arguments in (["status"], ["credentials"], ["enroll", "--write-config", "w" + line]):
            table.shown("aws", *arguments, "--profile", "p" + line, env=cloud.env)
        # Of a value that is wrong the line is told, and nothing of what stands there.
        for text in (
            f"region = {line}", f"mfa_serial = {line}", f"source_profile = {line}\nrole_arn = {line}",
            f"credential_process = {line}",
            f"credential_source = {line}\nrole_arn = {ARN}:role/{line}",
            f"duration_seconds = {line}\nmfa_serial = {ARN}:mfa/{line}", line,
            f"endpoint_url = {line}", f"services = {line}\n[services {line}]\nsts =\n  endpoint_url = {line}",
            f"sso_session = {line}",
        ):
            (folder / "config").write_text(f"[profile base]\n{text}\n")
            for arguments in (["status"], ["credentials"]):
                table.shown("aws", *arguments, "--profile", "base", env=cloud.env, quiet=True)
        cloud.shutdown()
    (folder / "config").write_text(line)
    table.shown("aws", "status", "--profile", "base", quiet=True)
    (folder / "config").write_bytes(b"[profile base]\nregion = " + RAW + b"\n")
    table.shown("aws", "status", "--profile", "base", quiet=True)
    csv = house.root / "keys.csv"
    csv.write_text(f"User name,Access key ID,Secret access key\nx{line.replace(',', '')},{KEY_ID},{'s' * 40}\n")
    table.shown("aws", "import-csv", csv, quiet=True)
    csv.write_text(f"{line}\n{line}\n")
    table.shown("aws", "import-csv", csv, quiet=True)
    csv.write_text(f"Access key ID,Secret access key\n{KEY_ID},{'s' * 40}\n")
    # A profile's name has 256 bytes.
    for part in parts(250):
        table.shown("aws", "key", "add", part, "--csv", csv)
    table.shown("aws", "key", "list")


# What is done, whether in the vault that somebody else made, and what must have been seen of it somewhere.
PLACES = {"vault": (from_the_vault, True, MARKS), "drawn": (drawn, True, MARKS), "agent": (by_the_agent, True, MARKS),
          "words": (words, False, MARKS | RAW_MARKS), "files": (files, False, MARKS | RAW_MARKS), "aws": (amazon, False, MARKS)}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_from_outside_steers_the_terminal(place, rooms, evidence, figures):
    work, is_hostile, marks = PLACES[place]
    table = Table(rooms(place, is_hostile))
    work(table)
    evidence("terminal", cases=table.cases, faults=table.cases, losses=len(table.against))
    figures(f"terminal: {place}: {table.cases} texts shown, {len(table.against)} seen raw or missing")
    assert not table.against, "\n".join(table.against)
    assert table.marks >= marks, f"never shown here: {sorted(marks - table.marks)}"


def test_what_people_write_is_shown_as_it_is(rooms):
    """A judge who flags everything, or a program that shows nothing, would pass the others."""
    house = rooms("people", False)
    names = ["🏴‍☠️ pirates", "🏳️‍🌈", "می‌خواهم", "日本銀行", "naïve\u0301", "1️⃣", "한국", "葛\U000e0100"]
    for number, name in enumerate(names):
        house.must("add", name, "--secret", "-", stdin=SECRET[number + 1:] + SECRET[:number + 1])
    out, code = at_terminal(house.argv(["list"]), {**house.env, "TERM": "xterm"}, house.root)
    assert code == 0 and offences(out) == []
    assert all(name in out.decode() for name in names)
    told = json.loads(house.must("list", "--json").out)
    assert {account["account"] for account in told} >= set(names)


def test_control_a_program_that_shows_nothing_is_noticed(tmp_path, evidence):
    """One that says a word of its own, one that shows half of a text, and one that ends before anything is drawn."""
    says = {"nothing": "no such account", "half": ALL[:8], "all": ALL}
    table = Table(SimpleNamespace(env=dict(os.environ), root=tmp_path))
    for what, text in says.items():
        table.shown(what, program=["/bin/echo", text])
    missing = [line.split(":")[0] for line in table.against if "nothing is left" in line]
    with Drawn(["/bin/echo", "a list"], os.environ, tmp_path) as screen:
        screen.wait("a list")
        with pytest.raises(AssertionError, match="it has ended"):
            screen.wait("another")
    evidence("terminal", control=len(missing) + 1)
    assert missing == ["nothing", "half"] and table.cases == len(MARKS) and table.marks == MARKS


# Asks as vmfa does, and prints what it hears.
NAIVE = """
import json, subprocess, sys
asked = '{}\\n{"operation": "sts:GetCallerIdentity"}\\n'
heard = json.loads(subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, check=True).stdout)
print("AWS says:", heard["outcome"]["Refused"]["message"])
"""


def test_control_what_aws_says_is_caught_where_it_is_printed_raw(tmp_path, evidence):
    stand_in(tmp_path)({})
    command = [sys.executable, "-c", NAIVE, str(tmp_path / "vmfa-aws")]
    said, _ = at_terminal(command, {**os.environ, "LC_ALL": "C.UTF-8"}, tmp_path)
    evidence("terminal", control=bool(offences(said)))
    assert offences(said) and standing(said) == MARKS


def test_control_each_text_is_seen_where_it_is_printed_raw(tmp_path, evidence):
    """A program that prints what it is given, as most do."""
    say = ["/bin/sh", "-c", 'printf "error: %s\\n" "$1"', "x"]
    caught = [text for text in TEXTS.values() if offences(at_terminal([*say, text], os.environ, tmp_path)[0])]
    drawn = [text for text in TEXTS.values() if offences(text.encode(), SCREEN)]
    raw = [byte for byte in (b"\x9b6n", b"\xff", b"\xe2\x80", b"\xc0\x9b", b"\xed\xa0\x80") if offences(byte)]
    evidence("terminal", control=len(caught) + len(raw))
    tabs = [TEXTS["tab"]]
    assert [text for text in TEXTS.values() if text not in caught + tabs] == [], "the judge misses some"
    assert len(drawn) == len(TEXTS) and len(raw) == 5
    assert offences(b"\x1b[1mname\x1b[0m\r\n\x1b[1;31mvmfa:\x1b[0m x\r\n") == []
