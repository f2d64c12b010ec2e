"""Each target for some seconds, as many at a time as there are processors, and the control. A finding fails.

    python ci.py PROGRAM SECONDS        called by `fuzz/run --ci`

The row in the table: cases and faults are the inputs tried, losses the targets with a finding, and control says that the naive
reader was found out.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "target/fuzz"
sys.path.insert(0, str(HERE.parent / "tests"))
from evidence import tell  # noqa: E402

TRIED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
MET = re.compile(r"cov: (\d+)")


def fuzz(target, seconds):
    """The inputs tried, the edges met, and whether it ended well."""
    done = subprocess.run([HERE / "run", "--one", target, str(seconds)], check=False)
    log = (WORK / f"{target}.log").read_text(errors="replace")
    met = MET.findall(log)
    tried = TRIED.search(log)
    # One that crashed tells no sum: the last line that counts does.
    counted = re.findall(r"^#(\d+)", log, re.M)
    executed = int(tried[1]) if tried else int(counted[-1]) if counted else 0
    return executed, int(met[-1]) if met else 0, done.returncode == 0, log


def main(program, seconds):
    began = time.monotonic()
    listed = subprocess.run([program], env={"VMFA_FUZZ": "list"}, capture_output=True, text=True, check=True)
    targets = [*listed.stdout.split(), "naive"]
    failed, tried = [], 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        runs = pool.map(lambda target: fuzz(target, seconds), targets)
        for target, (executed, met, well, log) in zip(targets, runs):
            print(f"{target:15} {executed:>10,} inputs {met:>6,} edges  {'' if well else 'FOUND SOMETHING'}", flush=True)
            if target == "naive":
                control = int(not well and "naive.rs" in log)
                continue
            tried += executed
            if not well or executed == 0:
                failed.append((target, log))
    tell("fuzz", cases=tried, faults=tried, losses=len(failed), seconds=round(time.monotonic() - began, 1))
    tell("fuzz", control=control)
    for target, log in failed:
        print(f"== {target}\n{log[-3000:]}", file=sys.stderr)
        print(f"what did it lies in {WORK / 'artifacts' / target}", file=sys.stderr)
    if not control:
        print("the naive reader was taken for a good one: the fuzzer finds nothing", file=sys.stderr)
    return 0 if control and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
