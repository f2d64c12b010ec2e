"""What is linked, where it comes from, and under which terms. `cargo deny` says the same and more where it is installed."""

import copy
import json
import os
import re
import subprocess
import tomllib

import judge
import pytest
from judge import ROOT

# A crate more is a decision: whoever makes it writes the new number here, and its reason into Cargo.toml.
MOST_IN_CORE = 202
MOST_IN_ALL = 374

# Whose default features are on: each was looked at, and they are small or wanted.
WITH_DEFAULTS = {
    "aes", "base32", "blowfish", "cbc", "clap_complete", "clap_mangen", "csv", "csv-core", "directories", "encoding_rs", "flate2",
    "hmac", "httpdate", "libc", "md-5", "nucleo-matcher", "quick-xml", "ring", "rustix", "salsa20", "serde_json", "sha1", "sha2",
    "signal-hook", "subtle", "thiserror", "twofish", "unicode-normalization", "unicode-segmentation", "unicode-width", "zeroize", "zxcvbn",
}


@pytest.fixture(scope="module")
def told():
    return judge.metadata()


def test_all_comes_from_one_registry_and_is_held_against_a_checksum(evidence):
    packages = judge.lock() + judge.lock("fuzz/Cargo.lock")
    losses = judge.of_elsewhere(packages)
    tracked = subprocess.run(["git", "ls-files", "Cargo.lock", "fuzz/Cargo.lock"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if (ROOT / ".git").exists() and len(tracked) != 2:
        losses.append(f"only {tracked} in the repository")
    evidence("supply", cases=len(packages), faults=0, losses=len(losses))
    assert not losses


def test_the_licences_are_those_of_deny_toml(told, evidence):
    losses = judge.unlicensed(told["packages"], judge.policy())
    evidence("supply", cases=len(told["packages"]), faults=0, losses=len(losses))
    assert not losses


def test_nothing_that_is_banned_is_needed(told, evidence):
    losses = judge.banned(judge.edges(told), judge.policy())
    # Elsewhere, too: by name alone, whoever needs it.
    outright = {ban["crate"] for ban in judge.policy()["bans"]["deny"] if ":" not in ban["crate"]}
    losses += [one["name"] for one in judge.lock() if one["name"] in outright]
    evidence("supply", cases=len(judge.edges(told)), faults=0, losses=len(losses))
    assert not losses


def test_no_crate_more(evidence, figures):
    core, whole = judge.linked("--no-default-features"), judge.linked()
    figures(f"crates linked besides our own: {len(core)} without features, {len(whole)} with all")
    losses = (len(core) > MOST_IN_CORE) + (len(whole) > MOST_IN_ALL)
    evidence("supply", cases=2, faults=0, losses=losses)
    assert losses == 0, (len(core), len(whole))
    # An AWS SDK, a window system or a database in the core would be no small thing, whatever the number.
    assert not [name for name in core if re.match(r"aws-|tokio |x11rb|arboard|rusqlite|libsqlite3|ureq|ratatui", name)]


def test_defaults_are_on_where_somebody_said_so(evidence):
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    needed = dict(manifest["dependencies"])
    for platform in manifest["target"].values():
        needed.update(platform["dependencies"])
    on = {name for name, wanted in needed.items() if isinstance(wanted, str) or wanted.get("default-features", True)}
    evidence("supply", cases=len(needed), faults=0, losses=len(on - WITH_DEFAULTS))
    assert on == WITH_DEFAULTS


def test_no_build_script_of_ours(told, evidence):
    ours = [one for one in told["packages"] if one["name"] == "vmfa"]
    scripts = [target["name"] for one in ours for target in one["targets"] if "custom-build" in target["kind"]]
    evidence("supply", cases=1, faults=0, losses=len(scripts))
    assert ours and not scripts and not (ROOT / "build.rs").exists()


def test_nothing_is_built_but_what_is_locked(evidence):
    """Each command that builds says so, also the README's."""
    files = [ROOT / name for name in ("README.md", "README.ja.md", "SECURITY.md", "tests/run", "tests/reproducible", ".cargo/release", ".cargo/sbom", "benches/peers")]
    files += sorted((ROOT / "docs").glob("*.md"))
    lines = [(path.name, line.strip()) for path in files for line in path.read_text().splitlines()
             if re.search(r"\bcargo (build|install|run|test|clippy)\b", line) and not line.lstrip().startswith("#")]
    loose = [one for one in lines if "--locked" not in one[1]]
    evidence("supply", cases=len(lines), faults=0, losses=len(loose))
    assert lines and not loose


def test_a_naive_supply_is_caught(told, evidence):
    """What somebody adds in a hurry, before the same judges: each bad thing is seen, and seen once."""
    rules, packages = judge.policy(), copy.deepcopy(judge.lock())
    packages += [
        {"name": "fork", "version": "1.0.0", "source": "git+https://example.org/fork#0123"},
        {"name": "other", "version": "1.0.0", "source": "registry+https://example.org/index", "checksum": "0" * 64},
        {"name": "loose", "version": "1.0.0", "source": judge.CRATES_IO},
        {"name": "beside", "version": "1.0.0"},
    ]
    found = judge.of_elsewhere(packages)
    found += judge.unlicensed([{"name": "a", "license": "GPL-3.0-only"}, {"name": "b", "license": "MIT AND (GPL-2.0 OR SSPL-1.0)"}, {"name": "c"},
                               {"name": "d", "license": "MPL-2.0"}], rules)
    found += judge.banned([("vmfa", "openssl-sys", "0.9.1"), ("keepass", "sha1", "0.10.6"), ("vmfa", "ring", "0.17.9")], rules)
    evidence("supply", control=len(found))
    assert len(found) == 11, found
    # And what is right isn't.
    assert not judge.unlicensed([{"name": "e", "license": "GPL-3.0 OR (MIT AND Apache-2.0 WITH LLVM-exception)"}, {"name": "option-ext", "license": "MPL-2.0"},
                                 {"name": "f", "license": "MIT/Apache-2.0"}], rules)
    assert not judge.banned([("aws-config", "sha1", "0.10.6"), ("vmfa", "ring", "0.17.14")], rules)


@pytest.mark.long
def test_the_list_that_is_handed_out_is_whole(evidence, figures):
    """By `cargo cyclonedx`: each crate that is linked, with its checksum and licence, and no path of this machine."""
    subprocess.run([".cargo/sbom"], cwd=ROOT, check=True)
    linked = set(judge.linked())
    for program in ("vmfa", "vmfa-aws"):
        text = (ROOT / f"target/sbom/{program}.cdx.json").read_text()
        listed = {f"{one['name']} v{one['version']}": one for one in json.loads(text)["components"]}
        lacking = linked - set(listed)
        bare = [name for name, one in listed.items() if not one.get("hashes") or not one.get("licenses")]
        figures(f"{program}: {len(listed)} crates listed, {len(linked)} linked")
        evidence("supply", cases=len(linked), faults=0, losses=len(lacking) + len(bare) + text.count(str(ROOT)))
        assert not lacking and not bare and str(ROOT) not in text


@pytest.mark.long
def test_two_builds_in_two_places_are_the_same(evidence, figures):
    """As they are handed out. Takes as long as four builds for a release."""
    done = subprocess.run(["tests/reproducible"], cwd=ROOT, capture_output=True, text=True, env=os.environ)
    figures(done.stdout.strip())
    evidence("supply", cases=2, faults=2, losses=int(done.returncode != 0))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_builds_that_know_their_place_are_caught(evidence):
    quick = ["--config", "profile.release.lto=false", "--config", "profile.release.opt-level=0"]
    done = subprocess.run(["tests/reproducible", "--core", "--control", *quick], cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"the control: (\d+)", done.stdout)
    evidence("supply", control=int(found.group(1)) if found else 0)
    assert done.returncode == 0, done.stdout + done.stderr
