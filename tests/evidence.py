"""What the suites came to, for the table of SECURITY.md: a row a suite, gathered from whatever ran since the last `tests/run`.

A suite's tests tell what they tried with the fixture `evidence`; programs that are no Python append lines of JSON to
`target/evidence.jsonl` themselves, with the same words:

    {"suite": "calls", "cases": 1200, "faults": 1180, "losses": 0, "seconds": 31.5}
    {"suite": "calls", "control": 17}

`cases` are the runs that were judged, `faults` those into which something bad was done, `losses` the judgements that went
against vmfa, `control` those that went against the naive program which stands in its place. Lines of one suite are added up.

    python tests/evidence.py [FILE]      prints the table
"""

import json
import sys
from collections import Counter
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "target/evidence.jsonl"

# What each suite proves, in the order of the table.
SUITES = {
    "calls": "every system call of a change fails, or is the last",
    "power": "the power is cut (ext4, XFS)",
    "space": "no space, quotas, short writes, read-only",
    "sync": "no locks, files replaced underneath, conflict copies",
    "crowd": "many processes change one vault at once",
    "threads": "every order of the agent's threads that a scheduler finds",
    "files": "damaged, hostile and foreign files",
    "fuzz": "made-up input to every reader",
    "merge": "a merge in any order, any number of times",
    "leaks": "planted secrets are looked for where they must not be",
    "memory": "planted secrets are looked for in memory",
    "terminal": "hostile text from outside is shown",
    "supply": "what is linked, and whether it is what was read",
    "time": "clocks that lie, leap and stop",
    "life": "a long life with random kills, against a model",
}
COUNTS = ("cases", "faults", "losses", "control", "seconds")


def tell(suite, file=FILE, **counts):
    """Appends a line."""
    assert suite in SUITES, f"no such suite: {suite}"
    assert counts and set(counts) <= set(COUNTS), counts
    file.parent.mkdir(parents=True, exist_ok=True)
    # One write each, so that processes side by side don't mix.
    with open(file, "a") as lines:
        lines.write(json.dumps({"suite": suite, **counts}) + "\n")


def gathered(file=FILE):
    """The sums by suite, of those that told anything."""
    sums = {}
    lines = file.read_text().splitlines() if file.exists() else []
    for line in lines:
        told = json.loads(line)
        counts = {name: told[name] for name in COUNTS if told.get(name) is not None}
        sums.setdefault(told["suite"], Counter()).update(counts)
    return sums


def table(sums):
    """In the words of Markdown."""
    rows = ["| suite | what is done | cases | faults | losses | control's losses | time |", "|---|---|--:|--:|--:|--:|--:|"]
    for suite, what in SUITES.items():
        if suite in sums:
            told = sums[suite]
            control = f"{told['control']:,}" if "control" in told else "none"
            rows.append(f"| {suite} | {what} | {told['cases']:,} | {told['faults']:,} | {told['losses']:,} | {control} | {told['seconds']:,.0f} s |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(gathered(*map(Path, sys.argv[1:2]))))
