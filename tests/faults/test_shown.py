"""Hostile text is shown from wherever it comes, and every byte that the terminal is sent is judged."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import pytest
import segno
from harness import CHEAP, PASSPHRASE, SECRET, House
from shown import ALL, LINES, LONG, RAW, RAW_TEXT, SCREEN, TEXTS, at_terminal, offences, rewritten

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
# A part of a label by which the hostile accounts are found.
ONE, TWIN, COUNTED, ASKS, THROWN, BIG = "One", "Twin", "Counted", "Asks", "Thrown", "Big"


class Table:
    """Places, what was judged in each, and what went against the program."""

    def __init__(self, house):
        self.house, self.cases, self.against = house, 0, []

    def env(self, more=None):
        return {**self.house.env, "TERM": "xterm-256color", **(more or {})}

    def judge(self, place, data, sequences=LINES):
        # Each hostile text counts, since each stands in what was shown.
        self.cases += len(TEXTS)
        # Each kind once.
        self.against += [f"{place}: {what}" for what in {what[:6]: what for what in offences(data, sequences)}.values()]

    def shown(self, *arguments, script=(), env=None, program=None, sequences=LINES, code=None):
        """On a terminal."""
        command = [str(part) for part in (program or self.house.argv(arguments))]
        data, ended = at_terminal(command, self.env(env), self.house.root, script)
        place = " ".join(str(part).encode(errors="replace").decode() for part in arguments)[:60].encode("unicode_escape").decode()
        self.judge(place, data, sequences)
        assert code is None or ended == code, f"{place}: exit {ended}: {data[-600:]!r}"
        return data

    def piped(self, *arguments, stdin="", env=None):
        """Into pipes: data for other programs, and words for a person, who has it on the screen in the end."""
        done = self.house.run(*arguments, stdin=stdin, env=env)
        self.judge(" ".join(map(str, arguments))[:60].encode("unicode_escape").decode() + " (piped)", done.out + done.err)
        return done


def hostile(kind, fields):
    """Each text of a record has everything in it, behind the word it had."""
    if kind == 2:
        return [(number, value + ALL.encode() if number == 1 else value) for number, value in fields]
    found = {number: value for number, value in fields if number != 6}
    name = found[2]
    for number in (1, 2, 3, 7, 9, 10):
        found[number] = name + ALL.encode()
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
    uris = [f"otpauth://totp/{name.split('&')[0]}?secret={SECRET[n:]}{SECRET[:n]}{'&' + name.split('&')[1] if '&' in name else ''}"
            for n, name in enumerate(names)]
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
            house.must("add", "alpha", "--secret", "-", stdin=SECRET)
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
        ["list"], ["list", "--names"], ["list", "--json"], ["list", "--trash"], ["list", "nothing"], ["check"], ["doctor"], ["doctor", "--json"],
        ["show", ONE], ["show", ONE, "--json"], ["show", ONE, "--uri", *again], ["show", COUNTED], ["show", BIG], ["show", TWIN], ["show", "Onf"],
        ["code", ONE], ["code", ONE, "--json"], ["code", TWIN], ["code", "Ome"], ["code", COUNTED], ["code", ONE, "--fresh"], ["pair", ONE],
        ["pair", ONE, "--json"], ["pair", COUNTED], ["mfa-process", ONE], ["code", ASKS, "--no-agent"], ["code", ONE, "--copy"],
        ["qr", ONE, *again], ["qr", ONE, "--png", house.root / "q.png", *again], ["slot", "list"], ["backup", "list"],
        ["rename", ONE, ONE + " " + ALL], ["edit", ONE, "--issuer", ALL, "--account", ONE + ALL, "--tag", ALL, "--note", ALL],
        ["edit", ONE, "--tag", LONG], ["edit", ONE, "--serial-number", ALL], ["remove", TWIN], ["remove", COUNTED], ["restore", COUNTED], ["restore", "nobody"],
        ["export", "--to", "uris", "--plaintext", "--out", house.root / "uris", *again], ["export", "--to", "uris", "--plaintext", *again],
        *([["export", "--to", to, "--plaintext", "--out", house.root / f"out-{to}", *again] for to in ("aegis", "andotp", "bitwarden", "2fas", "google", "csv")]),
        ["export", ONE, TWIN, "--to", "nothing"],
    ):
        table.shown(*arguments)
    table.shown("remove", "--forever", THROWN, script=[("[y/N] ", "n\n")])
    table.shown("edit", ASKS, "--no-confirm")
    # What another copy of the vault has more than this one, and what comes in a second time.
    copy = house.root / "copy"
    shutil.copyfile(house.vault, copy)
    table.piped("remove", ASKS)
    table.shown("backup", "merge", copy)
    table.shown("import", house.root / "uris")
    table.shown("import", house.root / "uris", "--json")
    table.shown("import", "--undo")


def drawn(table):
    """What is drawn: lists to choose from, codes that are watched, the interface, and the plain one."""
    enter, down = "\r", "\x1b[B"
    typed = {"VMFA_PASSPHRASE_FILE": ""}
    again = [("Passphrase", PASSPHRASE + "\r")]
    table.shown("code", script=[("Which account", "T"), ("Twin", down), ("Twin", enter)])
    table.shown("restore", script=[("Thrown", "\x1b")])
    table.shown("watch", ONE, script=[("One", "q")])
    table.shown("watch", "--all", script=[("Twin", "q")])
    table.shown("code", ASKS, script=[("[y/N] ", "y\n")])
    # The list, a search, and every dialog of an account, each drawn before the next key.
    keys = ["/", "O", "n", enter, *sum(([key, "\x1b"] for key in "ieEdrRxTtgncpqy?:u"), []), down, " ", "v", "s", "f", "\t", enter, "\x1b", "\x1b", "\x03", "\x03"]
    table.shown(script=[*again, ("One", ""), *((None, key) for key in keys if key != "q")], env=typed, sequences=SCREEN)
    says = ["list", "One", "Twin", "code Counted", "trash", "find e", "pair One", "copy One", "show One", "Zone", "quit"]
    table.shown("--plain", script=[("vmfa> ", line + "\n") for line in says])


def by_the_agent(table):
    """What comes by way of the agent: the same labels, the vault's own path, and the hidden command of the completions."""
    table.shown("unlock", code=0)
    for arguments in (["agent", "status"], ["agent", "status", "--json"], ["list"], ["show", ONE], ["code", ONE], ["code", TWIN], ["code", "Ome"],
                      ["pair", ONE], ["code", ASKS], ["list", "--names"], ["lock"]):
        script = [("[y/N] ", "y\n")] if arguments == ["code", ASKS] else ()
        table.shown(*arguments, script=script)
    table.shown("unlock", code=0)
    names = [*table.house.program, "complete-names"]
    found = table.shown("complete-names", program=names, env={"VMFA_VAULT": str(table.house.vault)})
    assert found.count(b"\r\n") == 6 and b"One" in found, "names are offered"
    table.shown("agent", "stop")


def words(table):
    """What is typed on the command line, or stands in the environment, and is repeated in an error."""
    house = table.house
    for text in (ALL, "-" + ALL, "--" + ALL, RAW_TEXT, "--" + RAW_TEXT, LONG + ALL):
        for arguments in (
            [text], ["code", text], ["show", text], ["list", text], ["edit", text], ["rename", "alpha", text + text], ["add", text], ["add", text, "--secret", "-"],
            ["code", "--at", text], ["scan", text], ["import", text], ["import", "--from", text, house.passphrase], ["import", "--help", text],
            ["export", "--to", text], ["export", "--help", text], ["completions", text], ["slot", "remove", text], ["slot", "add", text], ["backup", "restore", text],
            ["backup", "merge", text], ["agent", "unit", "--out", text + "/x"], ["man", "--out", text], ["init", "--kdf", text], ["doctor", "--clock", text],
            ["code", "alpha", "--copy", "--copy-for", text], ["unlock", "--for", text], ["--passphrase-file", text, "list"], ["--key-file", text, "list"],
            ["--passphrase-fd", text, "list"], ["--passphrase-command", "exit 1 # " + text, "list"], ["edit", "alpha", "--counter", text],
            ["aws", text], ["aws", "status", "--profile", text], ["aws", "credentials", "--profile", text], ["aws", "key", "remove", text],
            ["aws", "key", "add", text], ["aws", "policy", "check", text], ["aws", "enroll", "--profile", text], ["aws", "exec", "--profile", text, "--", "true"],
        ):
            if text.startswith("-") and arguments[0] != text and arguments[:2] != ["code", text]:
                continue
            if text == LONG + ALL and arguments[0] not in (text, "code", "add", "import"):
                continue
            script = [("ecret", "\x03")] if "--secret" in arguments and text in (ALL, RAW_TEXT) and False else ()
            table.piped(*[os.fsencode(str(part)) if isinstance(part, str) else part for part in arguments]) if script or "add" in arguments else table.shown(*arguments)
    for name, value in (("VMFA_VAULT", "nowhere" + ALL), ("VMFA_PASSPHRASE_FILE", ALL), ("VMFA_KEY_FILE", ALL), ("VMFA_PASSPHRASE_FD", ALL), ("VMFA_CONFIG", ALL),
                        ("XDG_RUNTIME_DIR", "/" + ALL), ("HOME", "/" + ALL), ("AWS_PROFILE", ALL), ("AWS_REGION", ALL), ("DBUS_SESSION_BUS_ADDRESS", ALL),
                        ("AWS_CONFIG_FILE", ALL), ("AWS_ENDPOINT_URL", ALL), ("TMUX", ALL), ("DISPLAY", ALL), ("WAYLAND_DISPLAY", ALL)):
        for arguments in (["list"], ["doctor"], ["aws", "status"], ["config"], ["code", "alpha", "--copy"], ["add", "--screen"]):
            env = {name: value}
            if name == "VMFA_VAULT":
                program = [*house.program, *arguments]
                table.shown(*arguments, program=program, env=env)
            else:
                table.shown(*arguments, env=env)


def files(table):
    """Names of files, and what stands in them."""
    house, root = table.house, table.house.root
    folder = root / "files"
    folder.mkdir()
    for number, name in enumerate((ALL.replace("/", "")[:80], ALL.replace("/", "")[80:150], RAW_TEXT)):
        path = folder / name
        path.write_text("no picture, and no export\n")
        for arguments in (["scan", path], ["scan", path, "--json"], ["import", path], ["import", path, "--json"], ["add", path], ["aws", "policy", "check", path],
                          ["--key-file", path, "list"], ["--passphrase-file", path, "list"], ["--vault", path, "check"], ["backup", "merge", path],
                          ["backup", "restore", path]):
            table.shown(*arguments)
        # A vault, and all beside it, under such a name.
        other = [*house.program, "--vault", folder / f"{name}{number}"]
        for arguments in (["init", "--kdf", CHEAP], ["list"], ["add", "x", "--secret", house.passphrase], ["check"], ["doctor"], ["backup", "list"],
                          ["passphrase", "change", "--kdf", CHEAP, "--new-passphrase-file", house.passphrase], ["backup", "list"], ["unlock"], ["agent", "status"],
                          ["code", "x"], ["agent", "stop"], ["lock"]):
            table.shown(*arguments, program=[*map(str, other), *map(str, arguments)])
        table.shown("(asks)", program=[*map(str, other), "list"], env={"VMFA_PASSPHRASE_FILE": ""}, script=[("Passphrase", "wrong\n"), ("assphrase for", "\x03")])
    table.shown("import", folder)
    j = json.dumps
    texts = {
        "uris": f"otpauth://totp/{'%0D%1B%5B6n'}x{ALL.encode().hex()}?secret=1&issuer=%1B%5D0;t%07&{'%1B%5B6n'}=1\notpauth://totp/a%1B%5B6n%C2%9B6n%E2%80%AEb?secret={SECRET}&digits=%1B%5B6n\n",
        "raw uris": f"otpauth://totp/{ALL}?secret={SECRET}\n",
        "aegis": j({"version": 1, "header": {"slots": None, "params": None}, "db": {"version": 2, "entries": [
            {"type": ALL, "name": ALL, "issuer": ALL, "info": {"secret": SECRET, "algo": ALL, "digits": 6, "period": 30}},
            {"type": "totp", "name": ALL, "issuer": ALL, "note": ALL, "info": {"secret": SECRET, "algo": "SHA1", "digits": 6, "period": 30}},
            {"type": "totp", "name": ALL, "issuer": ALL, "info": {"secret": ALL, "algo": "SHA1", "digits": 6, "period": 30}},
            {"type": "totp", "name": ALL, "info": {"secret": SECRET, "algo": ALL, "digits": ALL, "period": ALL}}]}}),
        "andotp": j([{"secret": SECRET, "issuer": ALL, "label": ALL, "digits": 6, "type": ALL, "algorithm": ALL, "period": 30, "tags": [ALL]},
                     {"secret": SECRET, "issuer": ALL, "label": ALL, "digits": 6, "type": "TOTP", "algorithm": "SHA1", "period": 30, "tags": [ALL]}]),
        "2fas": j({"services": [{"name": ALL, "secret": ALL, "otp": {"account": ALL, "issuer": ALL, "tokenType": ALL, "algorithm": ALL, "digits": 6, "period": 30}}],
                   "groups": [{"id": ALL, "name": ALL}], "schemaVersion": 4, "appVersionCode": 1}),
        "bitwarden": j({"encrypted": False, "folders": [], "items": [{"type": 1, "name": ALL, "notes": ALL, "login": {"username": ALL, "totp": ALL}},
                                                                      {"type": 1, "name": ALL, "login": {"username": ALL, "totp": SECRET}}]}),
        "bitwarden csv": "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n"
                         + f'"{ALL}",,login,"{ALL}","{ALL}",,0,,"{ALL}",p,{SECRET}\n,,login,"{ALL}",,,0,,"{ALL}",p,"{ALL}"\n',
        "unknown": j({ALL: ALL, "x": [ALL]}),
        "broken": "{" + ALL,
        "xml": f"<?xml version='1.0'?><map><string name='{escape(ALL)}'>{escape(ALL)}</string></map>",
        "text": ALL,
        "policy": j({"Version": "2012-10-17", "Statement": [{"Sid": ALL, "Effect": "Deny", "NotAction": [ALL, "iam:x"], "Resource": "*",
                                                             "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": ALL}}}]}),
    }
    for name, text in texts.items():
        path = folder / name.replace(" ", "-")
        path.write_text(text, newline="")
        command = ["aws", "policy", "check", path] if name == "policy" else ["import", path]
        table.shown(*command)
        table.shown(*command, "--json")
        if name != "policy":
            table.shown("import", path, "--dry-run", "--from", "aegis")
    raw = folder / "raw"
    raw.write_bytes(b"otpauth://totp/" + RAW + b"?secret=" + SECRET.encode() + b"\n" + RAW + b"\n")
    table.shown("import", raw)
    table.shown("add", "--uri", "-", program=["/bin/sh", "-c", f"exec \"$0\" --vault \"$1\" add --uri - < {raw}", *house.program, house.vault])
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr(ALL.replace("/", "-"), texts["raw uris"])
        archive.writestr("b" + ALL.replace("/", "-"), "nothing")
    table.shown("import", folder / "archive.zip")
    for number, text in enumerate((ALL, f"otpauth://totp/{ALL}?secret={SECRET}&issuer={ALL}", f"otpauth://totp/%1B%5B6n%0DFORGED?secret={SECRET}", "otpauth-migration://offline?data=" + ALL)):
        picture = folder / f"{number}.png"
        segno.make(text.encode(), error="l").save(str(picture), scale=4, border=4)
        for arguments in (["scan", picture], ["scan", picture, "--json"], ["scan", picture, "--secrets"], ["add", picture], ["add", f"named{number}" + ALL, picture]):
            table.shown(*arguments)
    table.shown("list")
    config = house.home / ".config/vmfa/config.toml"
    config.parent.mkdir(parents=True)
    for text in (f"{ALL} = 1\n", f"theme = '{ALL.replace(chr(10), '')}'\n", f"[keys]\n'{ALL.replace(chr(10), '')}' = 'x'\n", f"[keys]\nquit = '{ALL.replace(chr(10), '')}'\n",
                 'theme = "\\u001b[6n\\u009b6n\\u202e"\n', '["\\u001b[6n\\u009b6n\\u202e"]\nx=1\n'):
        config.write_text(text, newline="")
        table.shown("config")
        table.shown(sequences=SCREEN, script=(), program=[*house.program, "--vault", str(house.vault), "--plain"]) if False else None
        table.shown("(interface)", program=[*house.program, "--vault", str(house.vault)], sequences=SCREEN,
                    script=[("", "\x03")])
    config.unlink()


class HostileCloud(ThreadingHTTPServer):
    """Answers every call to AWS in the words of its protocol, with hostile text wherever there is text."""

    def __init__(self, way):
        self.way = way
        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):  # noqa: N802
        asked = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        action, text, way = asked.get("Action", ["?"])[0], escape(ALL), self.server.way
        numbered = "".join(f"&#{ord(c)};" if ord(c) < 32 or 126 < ord(c) < 0xA0 else escape(c) for c in ALL)
        error = f"<ErrorResponse><Error><Type>Sender</Type><Code>{{}}</Code><Message>{numbered}</Message></Error><RequestId>{text}</RequestId></ErrorResponse>"
        status, body = 200, b""
        if way == "errors":
            status, body = 400, error.format("Access" + text)
        elif way == "denied":
            status, body = 403, error.format("AccessDenied")
        elif way == "raw":
            status, body = 400, b"<ErrorResponse><Error><Code>" + RAW + b"\x1b[6n</Code><Message>" + RAW
        elif action == "GetCallerIdentity":
            body = f"<Arn>arn:aws:iam::123456789012:user/{text}</Arn><UserId>{text}</UserId><Account>123456789012</Account>"
        elif action == "ListMFADevices":
            body = f"<MFADevices><member><UserName>{text}</UserName><SerialNumber>arn:aws:iam::123456789012:mfa/{text}</SerialNumber><EnableDate>2020-01-01T00:00:00Z</EnableDate></member><member><UserName>{text}</UserName><SerialNumber>u2f{text}</SerialNumber><EnableDate>2020-01-01T00:00:00Z</EnableDate></member></MFADevices><IsTruncated>false</IsTruncated>"
        elif action == "ListAccessKeys":
            body = f"<AccessKeyMetadata><member><UserName>{text}</UserName><AccessKeyId>AKIA{text}</AccessKeyId><Status>Active</Status><CreateDate>2020-01-01T00:00:00Z</CreateDate></member></AccessKeyMetadata><IsTruncated>false</IsTruncated>"
        elif action == "GetUser":
            body = f"<User><UserName>u{text}</UserName><UserId>{text}</UserId><Path>/</Path><Arn>arn:aws:iam::123456789012:user/{text}</Arn><CreateDate>2020-01-01T00:00:00Z</CreateDate></User>"
        elif action == "ListVirtualMFADevices":
            body = f"<VirtualMFADevices><member><SerialNumber>arn:aws:iam::123456789012:mfa/{text}</SerialNumber></member></VirtualMFADevices><IsTruncated>false</IsTruncated>"
        elif action == "ListAccountAliases":
            body = f"<AccountAliases><member>{text}</member></AccountAliases><IsTruncated>false</IsTruncated>"
        else:
            status, body = 403, error.format("AccessDenied")
        if isinstance(body, str):
            body = (f"<{action}Response><{action}Result>{body}</{action}Result></{action}Response>" if status == 200 else body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-requestid", "r")
        self.end_headers()
        self.wfile.write(body)


def amazon(table):
    """What AWS answers, and what stands in its files: names of profiles, regions, serial numbers, users."""
    house = table.house
    folder = house.home / ".aws"
    folder.mkdir()
    line = ALL.replace("\n", "").replace("\r", "")
    credentials = f"[base]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {'s' * 40}\n[p{line}]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {'s' * 40}\n"
    (folder / "credentials").write_text(credentials)
    usual = f"[profile base]\nregion = eu-west-1\n[profile p{line}]\nregion = eu-west-1\n"
    commands = [["aws", "status", "--profile", "base"], ["aws", "credentials", "--profile", "base"], ["aws", "enroll", "--profile", "base"],
                ["aws", "exec", "--profile", "base", "--", "true"], ["aws", "env", "--profile", "base"], ["aws", "login", "--profile", "base"]]
    more = [["aws", "status", "--profile", "base", "--json"], ["aws", "status", "--profile", "p" + line], ["aws", "resync", "--profile", "base"],
            ["aws", "remove", "--profile", "base"], ["aws", "rotate", "--profile", "base"], ["aws", "rename", "--profile", "base", "x"],
            ["aws", "credentials", "--profile", "p" + line], ["aws", "enroll", "--profile", "p" + line, "--write-config", "w" + line]]
    (folder / "config").write_text(usual)
    for way in ("answers", "errors", "denied", "raw"):
        with HostileCloud(way) as cloud:
            for command in commands + (more if way == "answers" else []):
                table.shown(*command, env={"AWS_ENDPOINT_URL": cloud.url, "AWS_MAX_ATTEMPTS": "1"})
            cloud.shutdown()
    for config in (
        f"[profile base]\nregion = {line}\n", f"[profile base]\nmfa_serial = {line}\n", f"[profile base]\nsource_profile = {line}\nrole_arn = {line}\n",
        f"[profile base]\ncredential_process = {line}\n", f"[profile base]\ncredential_source = {line}\nrole_arn = arn:aws:iam::123456789012:role/{line}\n",
        f"[profile base]\nduration_seconds = {line}\nmfa_serial = arn:aws:iam::123456789012:mfa/{line}\n", f"[{line}]\n{line} = {line}\n", line, f"[profile base]\n{line}\n",
        f"[profile base]\nendpoint_url = {line}\n", f"[profile base]\nservices = {line}\n[services {line}]\nsts =\n  endpoint_url = {line}\n", f"[profile base]\nsso_session = {line}\n",
    ):
        (folder / "config").write_text(config)
        with HostileCloud("errors") as cloud:
            for command in commands[:2]:
                table.shown(*command, env={"AWS_ENDPOINT_URL": cloud.url, "AWS_MAX_ATTEMPTS": "1"})
            cloud.shutdown()
    (folder / "config").write_bytes(b"[profile base]\nregion = " + RAW + b"\n")
    for command in commands[:2]:
        table.shown(*command)
    csv = house.root / "keys.csv"
    csv.write_text(f"User name,Access key ID,Secret access key\nx{line.replace(',', '')},{KEY_ID},{'s' * 40}\n")
    table.shown("aws", "import-csv", csv)
    csv.write_text(f"{line}\n{line}\n")
    table.shown("aws", "import-csv", csv)
    table.shown("aws", "key", "add", "k" + line, "--csv", csv)
    table.shown("aws", "key", "list")


PLACES = {"vault": (from_the_vault, True), "drawn": (drawn, True), "agent": (by_the_agent, True), "words": (words, False), "files": (files, False),
          "aws": (amazon, False)}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_from_outside_steers_the_terminal(place, rooms, evidence, figures):
    work, is_hostile = PLACES[place]
    table = Table(rooms(place, is_hostile))
    work(table)
    evidence("terminal", cases=table.cases, faults=table.cases, losses=len(table.against))
    figures(f"terminal: {place}: {table.cases} texts shown, {len(table.against)} seen raw")
    assert not table.against, "\n".join(table.against)


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


def test_control_each_text_is_seen_where_it_is_printed_raw(tmp_path, evidence):
    """A program that prints what it is given, as most do."""
    caught = [text for text in TEXTS.values() if offences(at_terminal(["/bin/sh", "-c", 'printf "error: %s\\n" "$1"', "x", text], os.environ, tmp_path)[0])]
    drawn = [text for text in TEXTS.values() if offences(text.encode(), SCREEN)]
    raw = [byte for byte in (b"\x9b6n", b"\xff", b"\xe2\x80", b"\xc0\x9b", b"\xed\xa0\x80") if offences(byte)]
    evidence("terminal", control=len(caught) + len(raw))
    tabs = [TEXTS["tab"]]
    assert [text for text in TEXTS.values() if text not in caught + tabs] == [], "the judge misses some"
    assert len(drawn) == len(TEXTS) and len(raw) == 5
    assert offences(b"\x1b[1mname\x1b[0m\r\n\x1b[1;31mvmfa:\x1b[0m x\r\n") == []
