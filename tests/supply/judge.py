"""What may be linked, judged from what cargo says of it: the invariants of deny.toml that need nothing but the files at hand."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def policy():
    return tomllib.loads((ROOT / "deny.toml").read_text())


def lock(path="Cargo.lock"):
    return tomllib.loads((ROOT / path).read_text())["package"]


def cargo(*words):
    done = subprocess.run(["cargo", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def metadata():
    """The packages of all features for this machine, without a network."""
    host = subprocess.run(["rustc", "--print", "host-tuple"], capture_output=True, text=True, check=True).stdout.strip()
    return json.loads(cargo("metadata", "--offline", "--locked", "--all-features", "--format-version", "1", "--filter-platform", host))


def linked(*features):
    """The crates that are linked, without our own: proc macros count, build scripts' own don't."""
    lines = cargo("tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", *features).splitlines()
    names = {" ".join(line.split()[:2]) for line in lines if line.strip()}
    return sorted(name for name in names if not name.startswith("vmfa "))


def of_elsewhere(packages):
    """Those that don't come from crates.io, or whose content nothing is held against."""
    return [f"{one['name']} {one['version']}" for one in packages
            if one["name"] not in ("vmfa", "vmfa-fuzz") and (one.get("source") != CRATES_IO or len(one.get("checksum", "")) != 64)]


def is_allowed(expression, allowed):
    """Whether a licence expression (SPDX) can be met by the licences allowed."""
    words = re.findall(r"\(|\)|[^\s()/]+|/", re.sub(r"\s+WITH\s+", "\0", expression or "none"))
    words = [word.replace("\0", " WITH ") for word in words]

    def either():
        met = both()
        while words and words[0] in ("OR", "/"):
            words.pop(0)
            # Both sides are read, whatever the first one says.
            met = both() or met
        return met

    def both():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0)
        if word == "(":
            met = either()
            words.pop(0)
            return met
        return word in allowed

    return either()


def unlicensed(packages, rules):
    granted = {}
    for exception in rules["licenses"]["exceptions"]:
        granted.setdefault(exception["crate"], set()).update(exception["allow"])
    allowed = set(rules["licenses"]["allow"])
    return [f"{one['name']}: {one.get('license')}" for one in packages
            if not is_allowed(one.get("license"), allowed | granted.get(one["name"], set()))]


def number(version):
    return tuple(int(part) for part in (re.findall(r"\d+", version.split("-")[0]) + ["0", "0"])[:3])


def banned(edges, rules):
    """`edges`: (who needs it or None, name, version). A ban's wrappers may have the crate, nobody else."""
    found = []
    for ban in rules["bans"]["deny"]:
        name, _, bound = ban["crate"].partition(":")
        for parent, crate, version in edges:
            if crate == name and (not bound or number(version) < number(bound.lstrip("<"))) and parent not in ban.get("wrappers", ()):
                found.append(f"{crate} {version}, needed by {parent}")
    return found


def edges(told):
    names = {one["id"]: (one["name"], one["version"]) for one in told["packages"]}
    return [(names[node["id"]][0], *names[needed]) for node in told["resolve"]["nodes"] for needed in node["dependencies"]]
