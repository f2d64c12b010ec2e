"""What a run says to the world: each string that it hands to the system, and to whom.

vmfa closes itself to its own user at its first instruction, and strace then prints pointers in the place of strings, unless who
runs it has CAP_SYS_PTRACE. A trace of pointers holds no secret, whatever was done: it is no evidence, and `shows` knows it.
"""

import base64
import re
from pathlib import Path

CALLS = "execve,execveat,%network,write,writev,pwrite64,pwritev,pwritev2,openat,rename,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,memfd_create,prctl"
LINE = re.compile(rb"^(\d+) +(?:\+\+\+ .*|--- .*|<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$", re.M)
STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
# Calls that hand over strings as they are, with nothing but a number there.
POINTER = re.compile(rb"(?:write|pwrite64|openat|rename|renameat2|linkat|symlinkat|mkdir|mkdirat|sendto|execve)"
                     rb"\((?:(?:AT_FDCWD|\d+)(?:<[^>]*>)?, )?0x[0-9a-f]+[, ].*")
ARGUMENTS, PATH = "arguments and environment", "a path"
ADDRESS = re.compile(rb'(?:connect|sendto|sendmsg|sendmmsg)\(.*?(?:inet_addr\(|inet_pton\(AF_INET6, )"((?:\\x[0-9a-f]{2})*)"')
CAP_SYS_PTRACE = 19
FILE = re.compile(rb"^\d+<((?:\\x[0-9a-f]{2}|[^>])*)>")


def before(path):
    """The words that stand before a command: strings whole, and every descriptor with what it is."""
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-v", "-y", "-xx", "-s", "10000000", "-o", path, "-e", f"trace={CALLS}"]


def plain(escaped):
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode())


def told(trace):
    """Each place something was told to, and all that was told there."""
    found = {}
    for match in LINE.finditer(trace):
        call, rest = match[4] or match[2], match[5] or match[3] or b""
        if call is None:
            continue
        file = FILE.match(rest)
        where = PATH
        if call.startswith(b"execve"):
            where = ARGUMENTS
        elif file:
            name = file[1]
            name = plain(name) if name.startswith(b"\\x") else name
            kind = name.split(b":")[0].decode(errors="replace")
            where = {"pipe": "a pipe", "socket": "a socket", "UNIX": "a socket", "UNIX-STREAM": "a socket", "TCP": "a socket"}.get(kind, name.decode(errors="replace"))
        strings = [plain(string) for string in STRING.findall(rest)]
        if strings:
            found.setdefault(where, []).extend(strings)
    # A separator that is part of no secret.
    return {where: b"\n\0\n".join(strings) for where, strings in found.items()}


def called(trace):
    """The addresses of the Internet that something was sent to, or that a connection was made to."""
    return {plain(address).decode() for address in ADDRESS.findall(trace)}


def may_look():
    """Whether this user reads the strings of a process that is closed to its own."""
    held = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.M)[1]
    return bool(int(held, 16) >> CAP_SYS_PTRACE & 1)


def without_a_look():
    """The words before a command that takes the strings of a closed process from whoever runs it."""
    return ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"] if may_look() else []


def blindness(trace, said, *public):
    """What keeps a trace, and what it `told`, from being judged: none of these public strings stands where it was handed over,
    `(where, string)`; a pointer stands in the place of a string."""
    wrong = [] if any(string in said.get(where, b"") for where, string in public) else [f"none of {public}"]
    return wrong + [f"a string that strace couldn't read: {line.decode(errors='replace')}" for line in POINTER.findall(trace)]


def shows(trace, said, *public):
    """Whether a trace of vmfa, and what it `told`, can be judged. Who may look has such a trace, or the test is wrong; who may
    not has none."""
    if may_look():
        wrong = blindness(trace, said, *public)
        assert not wrong, "a trace in which nothing would be found, whatever is done: " + "; ".join(wrong[:5])
    return may_look()


def forms_of_bytes(raw):
    """Each way in which somebody might have written bytes down."""
    typed = base64.b32encode(raw).rstrip(b"=")
    found = {"raw": raw, "base32": typed, "base32, lower case": typed.lower(), "hexadecimal": raw.hex().encode(), "hexadecimal, upper case": raw.hex().upper().encode(),
             "base64": base64.b64encode(raw).rstrip(b"="), "base64, for URLs": base64.urlsafe_b64encode(raw).rstrip(b"=")}
    return found | {f"{name}, a part": value[4:4 + (8 if name == "raw" else 12)] for name, value in found.items()}


def forms_of_text(text):
    found = {"plain": text.encode(), **{f"{name} of its bytes": value for name, value in forms_of_bytes(text.encode()).items() if "base32" not in name and "raw" not in name}}
    return found | ({"a part": text.encode()[4:16]} if len(text) >= 16 else {})
