"""The corpora that are committed, and what they reach.

    python corpora.py minimise PROGRAM [TARGET…]      called by `fuzz/run --minimise`
    python corpora.py coverage PROGRAM                called by `fuzz/run --coverage`
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "target/fuzz"
MOST_FILES, MOST_BYTES = 100, 60_000


def listed(program):
    done = subprocess.run([program], env={"VMFA_FUZZ": "list"}, capture_output=True, text=True, check=True)
    return done.stdout.split()


def minimise(program, *wanted):
    """The fewest files that meet all edges that the grown corpus meets and the seeds don't, the smallest first; then cut."""
    for target in wanted or listed(program):
        merged, seeds = WORK / f"merged/{target}", WORK / f"seeds/{target}"
        shutil.rmtree(merged, ignore_errors=True)
        merged.mkdir(parents=True)
        # A copy, since a fuzzer that runs meanwhile takes files away.
        grown = WORK / f"merged/{target}.grown"
        shutil.rmtree(grown, ignore_errors=True)
        grown.mkdir()
        for file in (file for part in (WORK, HERE) for file in (part / f"corpus/{target}").glob("*")):
            try:
                shutil.copy(file, grown)
            except FileNotFoundError:
                continue
        had = set()
        # The seeds are read from where they are, so that no file need say what one of them says.
        for seed in seeds.iterdir() if seeds.exists() else []:
            shutil.copy(seed, merged)
            had.add(seed.name)
        command = [program, "-merge=1", "-max_len=70000", "-timeout=20", merged, grown]
        subprocess.run(command, env={"VMFA_FUZZ": target, "PATH": os.environ["PATH"]}, capture_output=True, check=True)
        kept = HERE / f"corpus/{target}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        left = MOST_BYTES
        found = sorted((file for file in merged.iterdir() if file.name not in had), key=lambda file: file.stat().st_size)
        for file in found[:MOST_FILES]:
            left -= file.stat().st_size
            if left < 0:
                break
            shutil.copy(file, kept)
        print(f"{target:15} {len(list(kept.iterdir())):>4} of {len(found)}", flush=True)


def coverage(program):
    """Edges of ours that seeds and corpora meet: by target, then by room."""
    directories = [WORK / "seeds", HERE / "corpus"]
    env = {"VMFA_FUZZ": "coverage", "VMFA_FUZZ_CORPUS": ":".join(map(str, directories)), "PATH": os.environ["PATH"]}
    told = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    edges = []
    for line in told.splitlines():
        kind, *words = line.split()
        if kind == "target":
            print(f"{words[0]:15} {words[1]:>6} files {words[2]:>7} edges")
        elif kind == "edge":
            edges.append((int(words[0]), int(words[1])))
    # Where `main` lies in the file, to which the offsets are told.
    symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    (main,) = [int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(" T main")]
    addresses = "\n".join(hex(main + offset) for offset, _ in edges)
    placed = subprocess.run(["addr2line", "-e", program], input=addresses, capture_output=True, text=True, check=True)
    total, met = Counter(), Counter()
    for (_, hit), place in zip(edges, placed.stdout.splitlines()):
        ours = place.removeprefix(f"{HERE.parent}/").split(":")[0]
        path = ours if ours.startswith("src/") else "(generic code of others)"
        if "fuzz" in path:
            continue
        total[path] += 1
        met[path] += hit
    for path in sorted(total):
        print(f"{path:45} {met[path]:>6} of {total[path]:>6}")
    print(f"{'all':45} {sum(met.values()):>6} of {sum(total.values()):>6}")


if __name__ == "__main__":
    {"minimise": minimise, "coverage": coverage}[sys.argv[1]](*sys.argv[2:])
