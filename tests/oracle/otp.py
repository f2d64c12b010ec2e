#!/usr/bin/env python3
"""The engine beside others that know nothing of it: pyotp, oathtool, and the definitions in Python's hashlib.

    python3 otp.py ENGINE [SEED]

ENGINE is the built example `otp_oracle`. Needs the package pyotp and the program oathtool, and fails without them. Every secret,
time, counter, period, T0, hash and length is random; the seed is printed, and the same seed asks the same questions.
"""
import base64
import hashlib
import hmac
import random
import secrets
import shutil
import subprocess
import sys
from datetime import datetime, timezone

import pyotp
from pyotp.contrib import Steam

PYOTP_TOTP, PYOTP_HOTP, PYOTP_STEAM, OATHTOOL_RUNS, OWN = 16_000, 5_000, 1_000, 140, 2_000
PYOTP_LEAST = 14  # pyotp takes no shorter key; oathtool does
HASHES = {"SHA1": hashlib.sha1, "SHA224": hashlib.sha224, "SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512}


def base32(key):
    return base64.b32encode(key).decode()


def a_key(chance, least=1):
    """Mostly the lengths in use, some around the blocks of the hashes."""
    length = chance.choice([10, 16, 20, 20, 32, 36, 64, chance.randint(1, 200)])
    return chance.randbytes(max(length, least))


def a_moment(chance):
    """Now, the edges of 31 and 32 bits, and far beyond."""
    return chance.choice([
        chance.randrange(1_600_000_000, 2_000_000_000),
        chance.randrange(0, 1 << 31),
        chance.randrange((1 << 31) - 100, (1 << 31) + 100),
        chance.randrange((1 << 32) - 100, (1 << 32) + 100),
        chance.randrange(1 << 32, 1 << 37),
        chance.randrange(1 << 40, 1 << 41),
    ])


def by_pyotp(chance):
    for _ in range(PYOTP_TOTP):
        name, digits = chance.choice(list(HASHES)), chance.randint(1, 10)
        period = chance.choice([30, 30, 60, chance.randint(1, 3600), chance.randint(1, (1 << 32) - 1)])
        key, moment = a_key(chance, PYOTP_LEAST), a_moment(chance)
        t0 = chance.choice([0, 0, chance.randint(0, moment)])
        # pyotp knows no T0, no fewer digits than six (the last digits are the shorter code) and, in some versions, no period above two minutes, and Python's dates end with the year 9999: what
        # is beyond, it is given the step instead of the moment.
        try:
            totp = pyotp.TOTP(base32(key), digits=max(digits, 6), digest=HASHES[name], interval=period)
            expected = totp.at(datetime.fromtimestamp(moment - t0, timezone.utc))
        except (ValueError, OverflowError, OSError):
            expected = pyotp.HOTP(base32(key), digits=max(digits, 6), digest=HASHES[name]).at((moment - t0) // period)
        yield f"totp {name} {digits} {period} {t0} {base32(key)} {moment} -", expected[-digits:]
    for _ in range(PYOTP_HOTP):
        name, digits, key = chance.choice(list(HASHES)), chance.randint(1, 10), a_key(chance, PYOTP_LEAST)
        counter = chance.choice([chance.randrange(100), chance.randrange(1 << 32), chance.randrange(1 << 64)])
        expected = pyotp.HOTP(base32(key), digits=max(digits, 6), digest=HASHES[name]).at(counter)
        yield f"hotp {name} {digits} - - {base32(key)} {counter} -", expected[-digits:]
    for _ in range(PYOTP_STEAM):
        key, moment = a_key(chance, PYOTP_LEAST), chance.randrange(0, 1 << 37)
        expected = Steam(base32(key)).at(datetime.fromtimestamp(moment, timezone.utc))
        yield f"steam - - - - {base32(key)} {moment} -", expected


def by_oathtool(chance):
    """A run gives the codes of a window of steps, so that a few runs make many comparisons."""
    for _ in range(OATHTOOL_RUNS):
        key, digits, window = a_key(chance), chance.choice([6, 7, 8]), 19
        if chance.random() < 0.3:
            counter = chance.choice([0, chance.randrange(1 << 31), chance.randrange(1 << 62)])
            command = ["oathtool", "--hotp", f"--counter={counter}"]
            asked = [f"hotp SHA1 {digits} - - {base32(key)} {counter + i} -" for i in range(window + 1)]
        else:
            name, period = chance.choice(["SHA1", "SHA256", "SHA512"]), chance.choice([30, 60, chance.randint(1, 100_000)])
            moment = a_moment(chance)
            t0 = chance.choice([0, chance.randint(0, min(moment, 1 << 31))])
            command = ["oathtool", f"--totp={name}", f"--time-step-size={period}s", f"--now=@{moment}", f"--start-time=@{t0}"]
            asked = [f"totp {name} {digits} {period} {t0} {base32(key)} {moment + i * period} -" for i in range(window + 1)]
        command += [f"--digits={digits}", f"--window={window}", "--base32", "-"]
        done = subprocess.run(command, input=base32(key), capture_output=True, text=True, check=True)
        yield from zip(asked, done.stdout.split(), strict=True)


def by_definition(chance):
    """mOTP and Yandex, which neither knows."""
    for _ in range(OWN):
        moment, pin = chance.randrange(0, 1 << 40), "".join(chance.choices("0123456789", k=chance.randint(4, 16)))
        if chance.random() < 0.5:
            key = chance.randbytes(chance.choice([8, 16]))
            expected = hashlib.md5(f"{moment // 10}{key.hex()}{pin}".encode()).hexdigest()[:6]
            yield f"motp - - - - {base32(key)} {moment} {pin}", expected
        else:
            key = chance.randbytes(chance.choice([16, 26]))
            made = hashlib.sha256(pin.encode() + key[:16]).digest()
            made = made[1:] if made[0] == 0 else made
            mac = hmac.digest(made, (moment // 30).to_bytes(8, "big"), "sha256")
            value = int.from_bytes(mac[mac[-1] & 15:][:8], "big") & ~(1 << 63)
            expected = "".join(chr(97 + value // 26**place % 26) for place in range(7, -1, -1))
            yield f"yandex - - - - {base32(key)} {moment} {pin}", expected


def main():
    if shutil.which("oathtool") is None:
        sys.exit("oathtool is not installed")
    engine = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbits(32)
    failed = False
    for name, questions in [("pyotp", by_pyotp), ("oathtool", by_oathtool), ("hashlib", by_definition)]:
        asked, expected = zip(*questions(random.Random(f"{name} {seed}")), strict=True)
        done = subprocess.run([engine], input="\n".join(asked) + "\n", capture_output=True, text=True, check=False)
        came = done.stdout.split("\n")[:-1]
        wrong = [(a, e, c) for a, e, c in zip(asked, expected, came) if e != c]
        for question, right, code in wrong[:5]:
            print(f"{name} says {right}, the engine {code}: {question}")
        if done.returncode != 0 or len(came) != len(asked):
            print(f"the engine gave {len(came)} of {len(asked)} answers: {done.stderr.strip()}")
            failed = True
        failed |= bool(wrong)
        print(f"{name}: {len(came)} codes compared, {len(wrong)} differ (seed {seed})")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
