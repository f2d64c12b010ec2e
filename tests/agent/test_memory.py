"""No secret can be read from the agent, whatever it did before; the same look finds it in ordinary programs."""

import base64
import re
import resource
import secrets
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import memory
import pyotp
import pytest
import read_vault
import spoken
from desk import NOBODY, as_other_user, has_forgotten

NOW = 1_700_000_000
NAIVE = Path(__file__).with_name("naive_agent.py")
IN_REGISTERS = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
    static unsigned char secret[16];
    if (fread(secret, 1, 16, stdin) != 16) return 1;
    unsigned long general;
    __builtin_memcpy(&general, secret, 8);
    for (int at = 0; at < 8; at++) ((volatile unsigned char *)secret)[at] = 0;
#if defined(__x86_64__)
    __asm__ volatile("movq %0, %%r12\n\tmovdqu (%1), %%xmm15" :: "r"(general), "r"(secret) : "r12", "xmm15");
#elif defined(__aarch64__)
    __asm__ volatile("mov x20, %0\n\tldr q15, [%1]" :: "r"(general), "r"(secret) : "x20", "v15");
#endif
    for (int at = 8; at < 16; at++) ((volatile unsigned char *)secret)[at] = 0;
    if (write(1, "ready\n", 6) != 6) return 1;
    for (;;) pause();
}
"""


def derived(desk):
    """The keys that come from the data key, as the independent reader derives them: of the payload, and of each account."""
    keys, hkdf = {}, read_vault.hkdf

    def note(ikm, salt, info, length=32):
        key = hkdf(ikm, salt, info, length)
        for label in (b"payload", b"record"):
            if info.startswith(b"vmfa/v1 " + label):
                keys[f"key of {label.decode()} {len(keys)}"] = key
        return key

    with mock.patch.object(read_vault, "hkdf", note):
        desk.content()
    return keys


@pytest.fixture
def planted(desks):
    """A vault with a secret that is known here, two more accounts, and all that must not be found."""
    desk = desks().init_from("access_key")
    raw = secrets.token_bytes(40)
    desk.add("planted", base64.b32encode(raw).decode())
    desk.add("other")
    counter = secrets.token_bytes(40)
    desk.add("counter", base64.b32encode(counter).decode(), "--type", "hotp")
    blob = secrets.token_bytes(400)
    long = secrets.token_bytes(100)
    desk.add("long", base64.b32encode(long).decode(), "--algorithm", "SHA512")
    plant = memory.Plant()
    plant.secret("the long secret", long)
    plant.secret("the secret", raw).hmac_key("the secret", raw)
    plant.secret("the counter's secret", counter).hmac_key("the counter's secret", counter)
    plant.text("the passphrase", desk.passphrase.encode())
    plant.text("the session", blob)
    for key in desk.content()["access_keys"]:
        plant.text(f"the secret access key of {key['profile']}", key["secret"].encode())
    return desk, plant, raw, blob


def use(desk, raw, blob):
    """Everything that an agent does, a hundred times what matters."""
    here = pyotp.TOTP(base64.b32encode(raw).decode())
    account, counter = desk.id("planted"), desk.id("counter")
    with desk.line() as line:
        for n in range(100):
            whom = account if n % 2 else "planted"
            assert line.code(whom, at=NOW + 30 * n)["code"] == here.at(NOW + 30 * n)
        assert line.code(account, step=7)["code"] == here.at(7 * 30)
        answer = line.ask(spoken.PAIR, spoken.pair(account, at=NOW))
        assert [answer.body.code()["code"] for _ in range(2)] == [here.at(NOW - 30), here.at(NOW)]
        assert line.ask(spoken.FIND, spoken.text("planted")).kind == "found"
        assert {account["name"] for account in line.list()} == {"alice", "planted", "other", "counter", "long"}
        for n in range(20):
            assert len(line.code("long", at=NOW + n)["code"]) == 6
        for at in range(3):
            answer = line.ask(spoken.HOTP_NEXT, spoken.hotp_next(counter))
            answer.body.summary()
            assert answer.body.code()["counter"] == at
        assert line.ask(spoken.SESSION_PUT, spoken.session_put("admin", blob, time.time() + 3600)).kind == "done"
        answer = line.ask(spoken.SESSION_GET, spoken.session_get("admin", time.time()))
        assert answer.kind == "session" and answer.body.number("B") == 1 and blob in answer.body.data
        keys = desk.content()["access_keys"]
        for _ in range(50):
            assert [line.access_key(key["profile"]) for key in keys] == keys
        assert line.access_key("nobody") is None and len(line.access_keys()) == len(keys) == 2
    for n in range(100):
        assert desk.ok("code", "planted", "--at", NOW + n * 30, passphrase=False).strip() == here.at(NOW + n * 30)
    # Another process changes the vault: it is read again.
    desk.add("third")
    assert desk.works("third")
    assert desk.ok("code", "planted", "--at", NOW, passphrase=False).strip() == here.at(NOW)


def settle(desk):
    """Until no connection is left: the agent closes what says nothing for a second, and a thread that serves wipes after it."""
    with desk.line() as line:
        line.ask(spoken.STATUS)
        line.ends()
    time.sleep(0.3)


def flags_of(pid, address):
    """What the kernel was told of the mapping that holds an address."""
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if span := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(span[1], 16) <= address < int(span[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    raise AssertionError(f"nothing is mapped at {address:#x}")


def protected(pid):
    """What the system says of a process that nobody may look into."""
    status = Path(f"/proc/{pid}/status").read_text()
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.M)
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.M), limits
    return True


@pytest.mark.parametrize("kernel", ["as it is", "without memfd_secret"])
def test_nothing_is_found_in_an_agent(planted, kernel, is_root, figures, evidence):
    desk, plant, raw, blob = planted
    desk.ok("unlock", preexec_fn=memory.without_memfd_secret if kernel != "as it is" else None)
    before = derived(desk)
    use(desk, raw, blob)
    settle(desk)
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    assert protected(supervisor) and protected(keyholder)
    if not is_root:
        # The system refuses it to us as to everybody else of this user: nothing can be found.
        for pid in (supervisor, keyholder):
            with pytest.raises(PermissionError):
                open(f"/proc/{pid}/mem", "rb")
            with pytest.raises(PermissionError):
                list(memory.registers(pid))
        figures("memory of the agent: refused to its own user, and no case; as root it is scanned")
        return
    dek = desk.dek()
    guard = desk.told()["key"]
    assert kernel == "as it is" or guard == "mlock"
    settle(desk)
    if guard == "memfd_secret":
        plant.secret("the data key", dek)
    for name, key in {**before, **derived(desk)}.items():
        plant.secret(name, key)
    scans = {name: memory.Scan(pid, plant) for name, pid in (("supervisor", supervisor), ("keyholder", keyholder))}
    # The keyholder is handed what is planted, the supervisor only stands by.
    evidence("memory", cases=2, faults=1, losses=sum(bool(scan.found) for scan in scans.values()))
    for name, scan in scans.items():
        assert not scan.found, f"{name}: {scan.told()}"
        assert scan.bytes > 1 << 20 and scan.threads, f"{name}: only {scan}"
    assert not scans["supervisor"].unreadable
    if guard == "memfd_secret":
        # The one page that not even root can read.
        [(_, size, name)] = scans["keyholder"].unreadable
        assert size == resource.getpagesize() and "secretmem" in name
    else:
        # This kernel has none, or gives none: then the key lies on its page, and nowhere else.
        alone = memory.Scan(keyholder, memory.Plant().secret("the data key", dek))
        pages = {at and at // resource.getpagesize() for _, at, _ in alone.found}
        assert len(pages) == 1 and None not in pages, alone.told()
        # Locked into memory, and left out of cores.
        assert {"lo", "dd"} <= flags_of(keyholder, pages.pop() * resource.getpagesize())
        # Each window of the key once, as it is and in no other spelling.
        assert len(alone.found) == 32 - memory.WINDOW + 1, alone.told()
    desk.ok("lock", passphrase=False)
    assert has_forgotten(keyholder), "the keyholder outlives the lock"
    locked = memory.Scan(supervisor, plant.secret("the data key", dek))
    assert not locked.found, f"locked: {locked.told()}"
    figures(f"memory scan, {plant.windows} windows (key in {guard}): " +
            "; ".join(f"{name} unlocked {scan}" for name, scan in scans.items()) + f"; supervisor locked {locked}")


def tries(pid):
    """What a process of the same user can get hold of."""
    got = []
    for name in ("mem", "environ", "maps", "fd", "auxv", "map_files"):
        path = Path(f"/proc/{pid}/{name}")
        try:
            if name in ("fd", "map_files"):
                list(path.iterdir())
            else:
                open(path, "rb").close()
            got.append(name)
        except PermissionError:
            pass
    try:
        got += [thread for thread, _ in memory.registers(pid)]
    except PermissionError:
        pass
    return got


def test_the_agents_own_user_is_refused(desks, everybodys, is_root, figures):
    """By the system: a process that isn't dumpable belongs to root, whoever runs it."""
    desk = desks(uid=NOBODY if is_root else None, program=everybodys).init()
    desk.add("alpha")
    desk.unlock()
    assert desk.works("alpha")
    for pid in desk.processes():
        assert Path(f"/proc/{pid}/mem").stat().st_uid == 0, "dumpable"
        assert protected(pid)
        got = as_other_user(tries, pid) if is_root else tries(pid)
        assert got == [], got
    # The same user's other processes aren't protected so: the look itself works.
    other = subprocess.Popen(["sleep", "60"], **desk.as_user())
    try:
        assert "environ" in (as_other_user(tries, other.pid) if is_root else tries(other.pid))
    finally:
        other.kill()
        other.wait()
    figures("the agent's own user: refused its memory, environment, mappings, files and registers")


@pytest.mark.parametrize("how", ["holds", "forgets"])
def test_the_same_look_finds_it_in_an_ordinary_program(how, figures, evidence):
    raw = secrets.token_bytes(40)
    process = subprocess.Popen([sys.executable, "-I", "-S", NAIVE, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(base64.b32encode(raw) + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        scan = memory.Scan(process.pid, memory.Plant().secret("the secret", raw).hmac_key("the secret", raw))
    finally:
        process.kill()
        process.communicate()
    evidence("memory", control=len({what for what, _, _ in scan.found}))
    assert any("(raw)" in what for what, _, _ in scan.found), scan
    figures(f"memory scan of a program that {how} it: {scan}")


def test_the_same_look_finds_it_in_registers(tmp_path):
    source, program, data = tmp_path / "registers.c", tmp_path / "registers", secrets.token_bytes(16)
    source.write_text(IN_REGISTERS)
    subprocess.run(["cc", "-O1", "-o", program, source], check=True)
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(data)
        process.stdin.close()
        assert process.stdout.readline() == b"ready\n"
        held = b"".join(held for _, held in memory.registers(process.pid))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert data[:8] in held, "a general register"
    assert data[8:] in held, "a vector register"
