//! The import rule and the house's other rules that can be read off the sources.
//!
//! Floors come first: a room imports strictly downward, never sideways and never up; within itself a room is free. The
//! reader works on tokens, so comments, doc lines and strings don't count. Test code is held to the floors like any other
//! (what needs a room above belongs in `tests/it`), and excused from the rules about the clock, the environment and printing.
//!
//! A rule that never fires proves nothing: each has a case here, on a string, in which it must.

mod paths;
mod rules;
mod tokens;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each room's floor. `failure` is the ground: what can be done about an error stands below every error, the clock's too.
const FLOORS: &[(&str, u8)] = &[
    ("failure", 0),
    ("secret", 1),
    ("clock", 1),
    ("otp", 2),
    ("base32", 2),
    ("cipher", 2),
    ("desktop", 2),
    ("keep", 2),
    ("keyring", 2),
    ("qr", 2),
    ("account", 3),
    ("import", 4),
    ("export", 4),
    ("authenticator", 4),
    ("ledger", 4),
    ("vault", 5),
    ("aws", 5),
    ("agent", 6),
];

/// Something a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    line: usize,
    what: String,
}

/// A source file and where its module stands: `src/otp/totp.rs` is `["otp", "totp"]`, `src/lib.rs` is `[]`.
struct Source {
    path: PathBuf,
    module: Vec<String>,
    text: String,
}

fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, floor)| *floor)
}

/// What the floors say against a library module's imports.
fn against_floors(module: &[String], text: &str) -> Vec<Finding> {
    let Some(room) = module.first() else {
        return Vec::new(); // lib.rs is the map: it names every room and stands on none.
    };
    let Some(here) = floor(room) else {
        return vec![Finding {
            line: 1,
            what: format!("room `{room}` has no floor"),
        }];
    };
    let tokens = tokens::read(text);
    let mut found = Vec::new();
    for (line, path) in paths::from_the_root(&tokens, module) {
        let what = match path.first().map(String::as_str) {
            None | Some("*" | "self") => "takes the whole crate: name the room".to_owned(),
            Some(target) if target == room => continue,
            Some(target) => match floor(target) {
                None => format!("`{room}` imports `{target}`, which is no room"),
                Some(there) if there < here => continue,
                Some(there) if there == here => {
                    format!("`{room}` imports `{target}` sideways (floor {here})")
                }
                Some(there) => {
                    format!("`{room}` (floor {here}) imports `{target}` (floor {there}) above it")
                }
            },
        };
        found.push(Finding { line, what });
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source under a directory, except those under `but`.
fn sources(under: &str, but: &[&str]) -> Vec<Source> {
    let base = root().join(under);
    let mut waiting = vec![base.clone()];
    let mut found = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            let inside = path
                .strip_prefix(&base)
                .expect("under the base")
                .to_path_buf();
            if but.iter().any(|skipped| inside.starts_with(skipped)) {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let mut module: Vec<String> = inside
                    .with_extension("")
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned())
                    .collect();
                if module == ["lib"] || module == ["main"] {
                    module.clear();
                }
                let text = std::io::read_to_string(std::fs::File::open(&path).expect("a source"))
                    .expect("UTF-8");
                found.push(Source { path, module, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn library() -> Vec<Source> {
    sources("src", &["bin"])
}

fn terminal() -> Vec<Source> {
    sources("src/bin/vmfa", &[])
}

/// Runs a rule over sources and fails with every objection, each as `path:line: what`.
#[track_caller]
fn hold(sources: &[Source], rule: impl Fn(&Source) -> Vec<Finding>) {
    assert!(
        !sources.is_empty(),
        "no sources were read: the rule would hold over nothing"
    );
    let mut objections = String::new();
    for source in sources {
        let shown = source
            .path
            .strip_prefix(root())
            .unwrap_or(&source.path)
            .display();
        for Finding { line, what } in rule(source) {
            objections.push_str(&format!("\n  {shown}:{line}: {what}"));
        }
    }
    assert!(objections.is_empty(), "{objections}");
}

fn words(module: &[&str]) -> Vec<String> {
    module.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn every_import_goes_down() {
    hold(&library(), |source| {
        against_floors(&source.module, &source.text)
    });
}

#[test]
fn the_imports_are_seen_at_all() {
    let seen: usize = library()
        .iter()
        .map(|source| paths::from_the_root(&tokens::read(&source.text), &source.module).len())
        .sum();
    assert!(
        seen >= 40,
        "only {seen} imports between modules were seen: the reader has gone blind"
    );
}

#[test]
fn every_room_has_a_floor_and_every_floor_a_room() {
    let map =
        std::io::read_to_string(std::fs::File::open(root().join("src/lib.rs")).expect("lib.rs"))
            .expect("UTF-8");
    let tokens = tokens::read(&map);
    let declared: BTreeSet<&str> = tokens
        .windows(3)
        .filter(|run| run[0].is("mod") && run[2].is(";"))
        .map(|run| run[1].text.as_str())
        .collect();
    let on_a_floor: BTreeSet<&str> = FLOORS.iter().map(|(room, _)| *room).collect();
    assert_eq!(declared, on_a_floor);
}

#[test]
fn the_map_in_lib_rs_tells_the_same_floors() {
    let map =
        std::io::read_to_string(std::fs::File::open(root().join("src/lib.rs")).expect("lib.rs"))
            .expect("UTF-8");
    let mut told: Vec<(String, u8)> = Vec::new();
    for row in map.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let Some((floor, rooms)) = row.split_once(" | ") else {
            continue;
        };
        let Ok(floor) = floor.parse::<u8>() else {
            continue;
        };
        told.extend(
            rooms
                .split("[`")
                .skip(1)
                .filter_map(|rest| Some((rest.split_once("`]")?.0.to_owned(), floor))),
        );
    }
    assert_eq!(told.len(), FLOORS.len(), "the map names {told:?}");
    for (above, high) in &told {
        for (below, low) in &told {
            if high > low {
                let (high, low) = (floor(above), floor(below));
                assert!(
                    high > low,
                    "the map puts `{above}` above `{below}`, the table doesn't"
                );
            }
        }
    }
}

#[track_caller]
fn objects(module: &[&str], text: &str, what: &str) {
    let found = against_floors(&words(module), text);
    assert!(
        found.iter().any(|finding| finding.what.contains(what)),
        "{text:?}: {found:?}"
    );
}

#[track_caller]
fn passes(module: &[&str], text: &str) {
    assert_eq!(against_floors(&words(module), text), [], "{text:?}");
}

#[test]
fn a_sideways_import_is_found() {
    objects(&["otp"], "use crate::base32::Reader;", "sideways");
    objects(
        &["base32"],
        "fn f() -> crate::otp::Code { todo!() }",
        "sideways",
    );
    objects(
        &["import", "google"],
        "use crate::{account::Draft, ledger::Ledger};",
        "`ledger` sideways",
    );
    objects(&["clock"], "pub(in crate::secret) fn f() {}", "sideways");
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    objects(&["otp", "totp"], "use crate::account::Account;", "above");
    objects(&["otp"], "use super::account::Account;", "above");
    objects(&["otp", "totp"], "use super::super::vault;", "above");
    objects(
        &["otp", "totp"],
        "mod inner { mod deep { use super::super::super::super::vault as v; } }",
        "above",
    );
    objects(
        &["otp"],
        "use crate :: { secret :: Secret , /* why */ vault :: { self , Locked } } ;",
        "above",
    );
    objects(
        &["otp"],
        "fn f() { let x = crate::vault::create; }",
        "above",
    );
    objects(&["otp"], "impl crate::vault::Shown for X {}", "above");
    objects(&["otp"], "use crate::\n    vault;", "above");
    objects(&["otp"], "use crate::r#vault;", "above");
    objects(
        &["otp"],
        "macro_rules! m { () => { $crate::vault::create() } }",
        "above",
    );
    objects(
        &["otp"],
        "#[cfg(test)] mod tests { use crate::vault; }",
        "above",
    );
    objects(&["otp"], "use vmfa::vault;", "above");
    objects(&["failure"], "use crate::clock::UnixTime;", "above");
}

#[test]
fn the_whole_crate_by_another_name_is_found() {
    objects(&["otp"], "use crate as house;", "whole crate");
    objects(&["otp"], "use crate::*;", "whole crate");
    objects(&["otp"], "use crate::{self as house};", "whole crate");
    objects(&["otp"], "use super::*;", "whole crate");
    objects(&["otp"], "use crate::helpers::x;", "no room");
    objects(&["helpers"], "", "no floor");
}

#[test]
fn what_may_be_imported_passes() {
    passes(
        &["otp", "totp"],
        "use crate::clock::UnixTime; use crate::otp::{Moment, OtpError}; use super::code::Code;",
    );
    passes(
        &["vault"],
        "use crate::{authenticator::Authenticator, secret::{Secret, SecretText}};",
    );
    passes(&["clock"], "use crate::failure::{Fails, Kind};");
    passes(&["clock"], "#[cfg(test)] mod tests { use super::*; }");
    passes(
        &["otp", "hotp"],
        "pub(crate) fn f() {} pub(super) fn g() {}",
    );
    passes(&[], "pub mod vault; pub use crate::vault::Locked;");
}

#[test]
fn comments_and_strings_do_not_count() {
    passes(
        &["otp"],
        "// use crate::vault;\n/// [`crate::vault`]\n//! crate::vault\n/* crate::vault /* nested */ crate::vault */",
    );
    passes(
        &["otp"],
        r####"const A: &str = "use crate::vault;\" crate::vault"; const B: &str = r#"" crate::vault"#;"####,
    );
    passes(
        &["otp"],
        r#"const C: &[u8] = b"crate::vault"; const D: char = '"'; const E: &str = "crate::vault";"#,
    );
    passes(
        &["otp"],
        r"fn f<'a>(x: &'a str) { let q = '\''; let r = '\\'; } // crate::vault",
    );
    // What follows a string or a comment counts again.
    objects(
        &["otp"],
        r#"const A: char = '"'; use crate::vault; const B: char = '"';"#,
        "above",
    );
    objects(
        &["otp"],
        "const A: &str = \"\\\\\"; use crate::vault;",
        "above",
    );
    objects(&["otp"], "fn f<'a>() { crate::vault::f::<'a>() }", "above");
    objects(&["otp"], "/* /* */ */ use crate::vault;", "above");
}

#[test]
fn a_finding_names_its_line() {
    let found = against_floors(
        &words(&["otp"]),
        "/* one\ntwo */\nconst A: &str = \"\n\";\nuse crate::vault;\n",
    );
    assert_eq!(
        found.first().map(|finding| finding.line),
        Some(5),
        "{found:?}"
    );
}
