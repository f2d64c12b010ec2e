"""Where a target begins: what the vectors say, as it takes it, and a few words of its own where there is no vector.

    python seeds.py TARGET DIRECTORY
"""

import base64
import hashlib
import json
import struct
import sys
import urllib.parse
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


def rows(name):
    return [json.loads(line) for line in (VECTORS / name).read_text().splitlines() if line]


def uris():
    return [row["uri"] for row in rows("key_uri/cases.jsonl") if len(row["uri"]) < 4000]


def migrations():
    return [row["text"] for row in rows("migration/samples.jsonl") if len(row.get("text", "")) < 4000]


def message(text):
    """The bytes behind a migration's base64."""
    data = urllib.parse.parse_qs(urllib.parse.urlsplit(text.replace("+", "%2B")).query).get("data", [""])[0]
    try:
        return base64.b64decode(data + "==")
    except ValueError:
        return b""


def field(kind, value):
    return struct.pack("<HI", kind, len(value)) + value


def fields():
    totp = bytes([1, 1, 6]) + struct.pack("<IQ", 30, 0)
    yield field(1, b"Example") + field(2, b"alice") + field(4, totp) + field(11, bytes(8)) + field(13, b"b" * 16)
    hotp = field(2, b"bob") + field(4, bytes([2, 3, 8])) + field(5, struct.pack("<Q", 7)) + field(6, b"tag") + field(6, b"other")
    yield hotp + field(7, b"note") + field(8, b"") + field(11, bytes(8)) + field(13, b"c" * 16) + field(14, b"") + field(15, b"")
    yield field(1, b"default") + field(2, b"AKIAIOSFODNN7EXAMPLE") + field(11, bytes(8)) + field(13, b"d" * 16)
    yield field(3, b"Label") + field(4, b"\3") + field(9, b"arn:aws:iam::123456789012:mfa/x") + field(10, b"i") + field(12, bytes(8)) + field(99, b"?")


def record(number, fields, flags=0, kind=1):
    sealed = b"" if flags & 1 else bytes(16 + 64 + 16)
    body = bytes([number] * 16) + struct.pack("<QHBBI", 5 << 16, 1, flags, kind, len(fields)) + fields + sealed
    return struct.pack("<I", len(body)) + body


def bodies():
    records = [record(n, f, kind=2 if n == 2 else 1) for n, f in enumerate(fields())]
    records += [record(8, field(13, b"e" * 16), flags=1), record(8, next(fields())), record(9, b"?", kind=9)]
    rest = struct.pack("<H", 1) + struct.pack("<H", 1) + b"f" * 16
    rest += b"\1" + b"slotslot" + b"s" * 16 + struct.pack("<H", 48) + b"k" * 48
    rest += b"\1" + b"s" * 16 + b"d" * 48
    body = struct.pack("<I", len(records)) + b"".join(records) + rest
    yield body
    yield struct.pack("<I", len(body)) + body + bytes(64)
    yield bytes(4) + bytes(4)


def headers():
    for path in sorted((VECTORS / "vault/v1").glob("*.vmfa")):
        data = path.read_bytes()
        yield data[: 16 + struct.unpack("<I", data[12:16])[0] + 32]
        if len(data) < 20_000 and path.stem in ("key_file", "unknown_extension"):
            yield data


def pins():
    yield b"VMFAPIN1" + b"i" * 16 + struct.pack("<Q", 7) + b"m" * 32 + b"d" * 16 + b"x" * 32 + bytes(8)


def chains():
    for case in json.loads((VECTORS / "aws/config/cases.json").read_text()):
        yield "\0".join(case.get(name) or "" for name in ("config", "credentials")).encode()


def inis():
    for case in json.loads((VECTORS / "aws/config/cases.json").read_text()):
        for name in ("config", "credentials"):
            if case.get(name):
                yield b"default\0region\0eu-west-1\0" + case[name].encode()


def answers():
    keys = {"access_key_id": "ASIAIOSFODNN7EXAMPLE", "secret_access_key": "s/ecret", "session_token": "token", "expiration": 1800043200}
    identity = {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/alice"}
    device = {"serial_number": "arn:aws:iam::123456789012:mfa/alice", "user_name": "alice", "enable_date": 1700000000}
    key = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "is_active": True, "create_date": 1600000000}
    policy = {"name": "p", "document": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'}
    who = {"name": "alice", "groups": ["admins"], "policies": [policy]}
    everything = {"users": [who], "groups": [{**who, "name": "admins", "groups": []}]}
    rules = {"minimum_password_length": 14, "max_password_age": None, "password_reuse_prevention": 5, "allow_users_to_change_password": True, "requires": ["numbers"]}
    refused = {"Refused": {"code": "AccessDenied", "message": "User is not authorized to perform: iam:X", "status": 403}}
    report = next(reports()).decode()

    def line(output):
        outcome = output if isinstance(output, dict) and "Refused" in output else {"Output": output}
        return json.dumps({"skew": 0, "access_key_id": "AKIAIOSFODNN7EXAMPLE", "is_session": False, "outcome": outcome})

    for what, outputs in (
        (0, [identity, [device], [key], rules, everything]),
        (0, [identity, refused]),
        (1, [identity, report, everything, [device, {**device, "user_name": None, "enable_date": None}], rules, [device], [key]]),
        (1, [identity, refused, everything, [device], None]),
        (2, [identity, [device], keys]),
        (2, [keys]),
        (2, [{"Refused": {"code": "Throttling", "message": "m", "status": 400}}]),
    ):
        yield bytes([what]) + "\n".join(map(line, outputs)).encode()
        yield bytes([what]) + "\n".join(map(json.dumps, outputs)).encode()
    yield b"\2" + json.dumps({"skew": -400, "access_key_id": "a", "is_session": True, "outcome": {"Offline": "no\x1b[0m"}}).encode()


def reports():
    head = b"user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated\n"
    root = b"<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00+00:00,not_supported,true,false,N/A,false,N/A\n"
    yield head + root + b'"al""ice",arn:aws:iam::123456789012:user/alice,2020-01-01T00:00:00Z,true,false,true,2021-02-28T23:59:59+00:00,false,N/A\n'


def sheets():
    yield b"\xef\xbb\xbfUser name,Password,Console sign-in URL\nalice,pw,https://123456789012.signin.aws.amazon.com/console\n"
    yield b"User name,Password,Access key ID,Secret access key,Console login link\nbob,,AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7,https://x/\n"
    yield b"Access key ID,Secret access key\r\nAKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\r\n"


SEEDS = {
    "key_uri": lambda: [uri.encode() for uri in uris()],
    "import_text": lambda: [
        *(b"\0" + text.encode() for text in uris()[:40] + migrations()),
        b"\1" + "\0".join(migrations()[:3]).encode(),
        *(b"\2" + message(text) for text in migrations()),
    ],
    "base32": lambda: [b"jbsw y3dp-ehpk_3pxp", b"MY======", b"MZXW6YTB 1"],
    "text": lambda: ["a\x1b[0m\u202e\u200b,b\t, c".encode()],
    "qr_draw": lambda: [uri.encode() for uri in uris()[:3]],
    "aws_chain": chains,
    "aws_ini": inis,
    "aws_policy": lambda: [path.read_bytes() for path in sorted((VECTORS / "aws/policy").glob("*.json"))],
    "aws_report": reports,
    "aws_csv": sheets,
    "aws_answers": answers,
    "vault_header": headers,
    "vault_body": bodies,
    "vault_fields": fields,
    "vault_inner": lambda: [(b"\1\2\0ab\2\4\x001234M\3\0xyz").ljust(64, b"\0")],
    "vault_pin": pins,
    "ledger": lambda: [b"vmfa ledger 1\n" + b"ab" * 16 + b" 7 8 @1700000000\n" + b"cd" * 16 + b" 1\n"],
    # A byte away from what is wrong. Chance would decide from further off: with two or three letters to find, a run takes 1 to 12 s
    # on two processors, and now and then more than the 20 s that it has.
    "naive": lambda: [b"NAIVE\3abc"],
}

if __name__ == "__main__":
    target, directory = sys.argv[1], Path(sys.argv[2])
    for seed in SEEDS.get(target, list)():
        (directory / hashlib.sha256(seed).hexdigest()[:24]).write_bytes(seed)
