"""Killed at any moment, and raced: the vault is whole, the next command works, no HOTP code is given twice."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spoken
from desk import PATIENCE, is_gone, wait_until

NOW = 1_700_000_000


@pytest.fixture
def counting(desk):
    """With an HOTP account."""
    desk.add("counter", None, "--type", "hotp")
    return desk.unlock()


def next_code(desk, **more):
    """The next HOTP code by the program: its counter, and what it says."""
    done = desk.run("code", "counter", "--json", **more)
    return (json.loads(done.stdout)["counter"] if done.returncode == 0 else None), done


def is_whole(desk, given):
    """The vault is whole, and works with an agent and without one. `given` are the counters that somebody got a code of."""
    desk.ok("check")
    assert desk.ok("code", "alpha", "--at", NOW).strip() == desk.right("alpha", NOW)
    counter, done = next_code(desk)
    assert counter is not None, done.stderr
    assert counter > max(given, default=-1), f"{counter} after {sorted(given)[-3:]}"
    given.append(counter)
    twice = [counter for counter, times in Counter(given).items() if times > 1]
    assert not twice, f"given twice: {twice}"


@pytest.mark.parametrize("victim", ["supervisor", "keyholder"])
def test_killed_at_random_moments(counting, victim, long, figures):
    desk, given, lock, stop = counting, [], threading.Lock(), threading.Event()
    rounds, kills, asked, odd = (60 if long else 10), 0, Counter(), []

    def ask(kind):
        while not stop.is_set():
            if kind == "hotp":
                counter, done = next_code(desk)
                if counter is not None:
                    with lock:
                        given.append(counter)
            elif kind == "code":
                done = desk.run("code", "alpha", "--at", NOW)
                if done.returncode == 0 and done.stdout.strip() != desk.right("alpha", NOW):
                    odd.append(f"another code: {done.stdout}")
            else:
                done = desk.run("unlock")
            asked[kind, done.returncode] += 1
            # Who was being answered just then is told so, and to run it again.
            ended = done.returncode == 9 and "the agent ended before it answered" in done.stderr
            if "panicked" in done.stderr or done.returncode not in (0, 1) and not ended:
                odd.append(f"{kind}: exit {done.returncode}: {done.stderr}")

    crowd = [threading.Thread(target=ask, args=(kind,)) for kind in ("hotp", "hotp", "code", "unlock")]
    for thread in crowd:
        thread.start()
    try:
        for _ in range(rounds):
            time.sleep(random.uniform(0, 0.3))
            processes = desk.processes()
            keyholders = [pid for pid, holds in processes.items() if holds]
            victims = keyholders if victim == "keyholder" else [pid for pid, holds in processes.items() if not holds]
            for pid in victims:
                try:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    continue
                wait_until(lambda: is_gone(pid), "killed is killed")
            if victims and victim == "supervisor":
                for pid in keyholders:
                    wait_until(lambda: is_gone(pid), "no keyholder outlives its supervisor")
    finally:
        stop.set()
        for thread in crowd:
            thread.join()
    assert not odd, odd[:3]
    is_whole(desk, given)
    assert desk.unlock().works("alpha")
    counter, done = next_code(desk, passphrase=False)
    assert counter not in given and counter is not None, done.stderr
    figures(f"{victim} killed {kills} times: {len(given)} HOTP codes, none twice; runs by exit code "
            + ", ".join(f"{kind} {code}: {count}" for (kind, code), count in sorted(asked.items())))


@pytest.mark.parametrize("victim", ["supervisor", "keyholder"])
def test_killed_while_idle(counting, victim):
    desk = counting
    supervisor, keyholder = desk.supervisor(), desk.keyholder()
    os.kill(supervisor if victim == "supervisor" else keyholder, signal.SIGKILL)
    wait_until(lambda: is_gone(keyholder), "the keyholder is gone")
    desk.gives_nothing("alpha")
    is_whole(desk, [])
    assert desk.unlock().works("alpha")
    assert (desk.supervisor() == supervisor) == (victim == "keyholder")


# --- at every call of a save -----------------------------------------------------------------------------------------


CHANGES = re.compile(r"^(\d+)\s+([a-z_0-9]+)\((.*)$")


def is_traced(pid):
    """Whether each thread has a tracer; one that has just ended needs none."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            if not re.search(r"^TracerPid:\s*[1-9]", (thread / "status").read_text(), re.M):
                return False
        except (FileNotFoundError, ProcessLookupError):
            continue
    return True


def attached(pid, *options):
    """strace on a process and all its threads."""
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-p", str(pid), *options], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: tracer.poll() is not None or is_traced(pid), "strace has hold of it")
    assert tracer.poll() is None, tracer.stderr.read()
    return tracer


def ask_for_next(desk, account):
    """By the protocol: the counter, or none where the agent died."""
    try:
        with desk.line() as line:
            answer = line.ask(spoken.HOTP_NEXT, spoken.hotp_next(account))
            assert answer.kind == "code", answer.kind
            answer.body.summary()
            return answer.body.code()["counter"]
    except (spoken.Closed, ConnectionRefusedError):
        return None


def calls_of_a_save(desk, account):
    """(call, its number within the thread that serves) from its first touch of the vault to the answer."""
    trace = desk.root / "trace"
    tracer = attached(desk.keyholder(), "-o", trace, "-s", "300")
    assert ask_for_next(desk, account) is not None
    tracer.terminate()
    tracer.communicate(timeout=PATIENCE)
    by_thread = {}
    for line in trace.read_text(errors="replace").splitlines():
        if match := CHANGES.match(line):
            by_thread.setdefault(match[1], []).append((match[2], match[3]))
    [served] = [calls for calls in by_thread.values() if any(call.startswith("rename") for call, _ in calls)]
    seen, found, started = Counter(), [], False
    for call, rest in served:
        seen[call] += 1
        started = started or str(desk.vault.parent) in rest
        if started:
            found.append((call, seen[call]))
    return found


def test_killed_at_every_call_of_a_save(counting, is_root, long, figures):
    desk = counting
    if not is_root:
        # Nobody else can trace it, which is as it should be.
        with pytest.raises(AssertionError, match="(?i)permitted|attach"):
            attached(desk.keyholder(), "-o", "/dev/null")
        figures("killed at every call of a save: only root can trace an agent")
        return
    account = desk.id("counter")
    points = calls_of_a_save(desk, account)
    assert any(call.startswith("rename") for call, _ in points) and len(points) > 15, points
    # Those that change something in any case; of the others some, or all in the long run.
    change = [p for p in points if re.match(r"(rename|link|unlink|openat|write|f?sync|fdatasync|flock|ftruncate|mkdir|sendto|f?chmod)", p[0])]
    todo = points if long else sorted(set(change[::2] + points[::9]), key=points.index)
    given, deaths = [0], 0
    for call, number in todo:
        desk.unlock()
        supervisor, keyholder = desk.supervisor(), desk.keyholder()
        tracer = attached(keyholder, "-o", desk.root / "trace", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        counter = ask_for_next(desk, account)
        if counter is not None:
            given.append(counter)
        is_dead = counter is None
        deaths += is_dead
        if is_dead:
            wait_until(lambda: is_gone(keyholder), "killed is killed")
            wait_until(lambda: not desk.is_unlocked(), "the supervisor has seen it")
        tracer.terminate()
        tracer.communicate(timeout=PATIENCE)
        assert desk.supervisor() == supervisor, f"{call}#{number}"
        assert not is_dead or desk.gives_nothing("alpha")
        is_whole(desk, given)
    assert deaths >= 0.8 * len(todo), f"only {deaths} of {len(todo)} injections met the save"
    figures(f"keyholder killed at {len(todo)} of {len(points)} calls of an hotp-next: {deaths} deaths, vault whole, {len(given)} codes, none twice")


# --- raced -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["background", "foreground"])
def test_ten_agents_at_once(desk, how, long, figures):
    rounds = 10 if long else 3
    for _ in range(rounds):
        if how == "background":
            with ThreadPoolExecutor(10) as pool:
                runs = list(pool.map(lambda _: desk.run("agent", passphrase=False), range(10)))
            assert all(run.returncode == 0 for run in runs), [run.stderr for run in runs]
            wait_until(lambda: len(desk.processes()) == 1, "one is left")
        else:
            runs = [desk.start("agent", "--foreground", passphrase=False) for _ in range(10)]
            wait_until(lambda: sum(run.poll() is None for run in runs) == 1, "one is left")
            ended = [run for run in runs if run.poll() is not None]
            assert all(run.returncode == 9 and b"an agent runs already" in run.stderr.read() for run in ended)
        assert desk.unlock().works("alpha")
        assert sorted(desk.processes().values()) == [False, True]
        desk.ok("agent", "stop", passphrase=False)
        wait_until(lambda: not desk.processes(), "it ends")
        assert not desk.socket.exists()
    figures(f"10 agents at once in the {how}: {rounds} rounds, one listens")


def test_eight_unlocks_at_once(desk, long, figures):
    rounds = 10 if long else 3
    for n in range(rounds):
        with ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda _: desk.run("unlock"), range(8)))
        assert all(run.returncode == 0 for run in runs), [run.stderr for run in runs]
        assert sorted(desk.processes().values()) == [False, True]
        assert desk.works("alpha")
        # Once from nothing, once from a locked agent.
        desk.ok("lock" if n % 2 else "agent", *([] if n % 2 else ["stop"]), passphrase=False)
    figures(f"8 unlocks at once: {rounds} rounds, all succeed, one agent")


def test_stop_and_unlock_raced(desk, long, figures):
    """Whatever ends an agent while others want one: an unlock that said yes has unlocked one, or somebody stopped it since."""
    rounds = 20 if long else 5
    for _ in range(rounds):
        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(desk.run, "unlock") for _ in range(3)]
            jobs += [pool.submit(desk.run, "agent", "stop", passphrase=False) for _ in range(3)]
        for job in jobs[:3]:
            assert job.result().returncode == 0, job.result().stderr
        for job in jobs[3:]:
            assert job.result().returncode == 0 or "agent" in job.result().stderr, job.result().stderr
        wait_until(lambda: len(desk.processes()) <= 2, "no more than one agent")
        assert desk.unlock().works("alpha")
    figures(f"3 unlocks against 3 stops: {rounds} rounds")
