"""Fresh codes, handed out once: by an agent, beside it, and while it is locked and unlocked."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

PROCESSES, CODES, ACCOUNTS = 8, 1000, 25


def test_a_thousand_fresh_codes(desks, figures):
    desk = desks().init()
    names = [f"account-{n:02}" for n in range(ACCOUNTS)]
    desk.add_many(names)
    desk.unlock()
    # 30 steps off is 61 codes an account: nobody has to wait.
    assert ACCOUNTS * 61 > CODES
    given, lock, done = [], threading.Lock(), threading.Event()
    asked = iter(range(CODES))

    def ask(worker):
        while True:
            with lock:
                n = next(asked, None)
            if n is None:
                return
            name = names[n % ACCOUNTS]
            # Two of the eight ask the vault itself.
            beside = worker >= PROCESSES - 2
            out = desk.ok("code", name, "--fresh", "--within", "30", "--json", *(["--no-agent"] if beside else []))
            found = json.loads(out)
            with lock:
                given.append((name, found["step"], found["code"], "beside" if beside else "agent"))

    def lock_and_unlock():
        while not done.wait(1.5):
            desk.ok("lock", passphrase=False)
            desk.ok("unlock")

    began = time.monotonic()
    other = threading.Thread(target=lock_and_unlock)
    other.start()
    try:
        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(ask, range(PROCESSES)))
    finally:
        done.set()
        other.join()
    assert len(given) == CODES
    twice = [what for what, times in Counter((name, step) for name, step, _, _ in given).items() if times > 1]
    assert not twice, twice
    wrong = [entry for entry in given if entry[2] != desk.right(entry[0], entry[1] * 30)]
    assert not wrong, wrong
    ways = Counter(way for *_, way in given)
    assert all(ways.values()) and len(ways) == 2
    figures(f"{CODES} fresh codes by {PROCESSES} processes in {time.monotonic() - began:.1f} s, none twice, all right: {dict(ways)}")
