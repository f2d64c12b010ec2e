"""A vault that was written under clocks that lied: it opens, nothing is lost, what was deleted stays deleted."""

import json
import random
import re
import shutil
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from clocks import code

HOME = 1_800_000_003
WILD = [2**31 - 1, 2**32 + 1, 253402300800, 2**40, 10, 2**62, 2**63 - 1, 0, HOME - 86400 * 500]


def names(desk):
    return {one["account"] for one in json.loads(desk.ok("list", "--json"))}


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.long] if seed else []) for seed in range(8)])
def test_a_life_under_wild_clocks(desk, clock, evidence, seed):
    """Added, changed, put into the trash, erased, each under another clock, and looked at under yet another; then home again."""
    random_, losses, cases = random.Random(seed), [], 0
    live, order = {"me"}, WILD * (1 if seed == 0 else 2)
    if seed:
        random_.shuffle(order)
    for turn, at in enumerate(order):
        clock.stand(at)
        name = f"n{turn}"
        desk.add(name)
        live.add(name)
        desk.ok("edit", name, "--tag", f"t{turn}")
        if turn % 3 == 2:
            gone = sorted(live - {"me"})[0]
            desk.ok("remove", gone)
            if turn % 2:
                desk.ok("remove", "--forever", "--yes", gone)
            live.discard(gone)
        clock.stand(random_.choice(WILD))
        cases += 3
        if names(desk) != live:
            losses.append((turn, at, names(desk), live))
        if desk.ok("check").count("PROBLEM"):
            losses.append((turn, "check"))
        present = clock.now() // 10**9 // 30
        if desk.ok("code", name).strip() != code(desk.secrets[name], present):
            losses.append((turn, "code"))
    clock.stand(HOME)
    # What is wrong must stay possible to mend: a change after all of that counts.
    desk.ok("edit", "n0" if "n0" in live else sorted(live - {"me"})[0], "--tag", "home")
    if names(desk) != live:
        losses.append("home")
    backups = [int(found) for found in re.findall(r"bak-(\d+)", desk.ok("backup", "list"))]
    # The newest are those of the last generations, not those with the latest date.
    if backups != sorted(backups, reverse=True) or len(backups) != 5 or backups[0] - backups[-1] != 4:
        losses.append(("backups", backups))
    evidence("time", cases=cases + 2, faults=len(order) * 2, losses=len(losses))
    assert not losses


def test_what_was_erased_stays_so_after_one_save_far_ahead(desk, clock, evidence, tmp_path):
    """A clock that stood in another century for once throws no tombstone away: an old copy that is merged brings nothing back."""
    clock.stand(HOME)
    desk.add("gone")
    old = tmp_path / "old.vmfa"
    shutil.copyfile(desk.vault, old)
    old.chmod(0o600)
    desk.ok("remove", "gone")
    desk.ok("remove", "--forever", "--yes", "gone")
    clock.stand(2**33)
    desk.ok("edit", "github", "--tag", "far")
    clock.stand(HOME + 60)
    desk.ok("edit", "github", "--tag", "home")
    desk.ok("backup", "merge", old)
    losses = int("gone" in names(desk)) + ("me" not in names(desk))
    evidence("time", cases=1, faults=1, losses=losses)
    assert losses == 0


# --- doctor --clock ---

class Teller(BaseHTTPRequestHandler):
    """Says what time it is, as it was told to."""

    def do_HEAD(self):  # noqa: N802
        self.send_response_only(200)
        if self.server.date:
            self.send_header("Date", self.server.date)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    served = HTTPServer(("127.0.0.1", 0), Teller)
    thread = Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()


def test_doctor_compares_the_clock(desk, clock, server, evidence):
    url, losses = f"http://127.0.0.1:{server.server_port}/", []
    cases = [(0, "agrees"), (10, "10 s ahead of"), (-10, "10 s behind"), (3600, "3600 s ahead of"), (-86400 * 400, "s behind"),
             (2**32, "s ahead of"), (2**40, "s ahead of")]
    for off, word in cases:
        clock.stand(HOME + off + 0.5)
        server.date = formatdate(HOME, usegmt=True)
        done = desk.run("doctor", "--clock", url)
        right = 6 if abs(off) >= 30 else 0
        if word not in done.stdout or done.returncode != right:
            losses.append((off, done.returncode, done.stdout))
    # Dates that are none, or of times that no clock has.
    clock.stand(HOME)
    for date in ("yesterday", "", "Thu, 01 Jan 1969 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 99999 00:00:00 GMT"):
        server.date = date
        done = desk.run("doctor", "--clock", url)
        if done.returncode not in (6, 8) or "panick" in done.stderr or "internal" in done.stderr:
            losses.append((date, done))
    evidence("time", cases=len(cases) + 5, faults=len(cases) + 4, losses=len(losses))
    assert not losses
