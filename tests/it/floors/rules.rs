//! The house's other rules, as far as tokens tell: who reads the clock and the environment, who prints, what has no `Debug`.

use super::tokens::{Token, read, run};
use super::{Finding, Source, hold, library, sources, terminal};

/// A run of words and signs, and what is to be said when it stands where it shouldn't.
struct Rule {
    run: &'static [&'static str],
    what: &'static str,
}

const fn rule(run: &'static [&'static str], what: &'static str) -> Rule {
    Rule { run, what }
}

const CLOCK: &[Rule] = &[
    rule(&["SystemTime", "::", "now"], "only `clock` reads the time"),
    rule(&["Instant", "::", "now"], "only `clock` reads the time"),
    rule(
        &["UNIX_EPOCH", ".", "elapsed"],
        "only `clock` reads the time",
    ),
    rule(&["clock_gettime"], "only `clock` reads the time"),
];

const ENVIRONMENT: &[Rule] = &[
    rule(&["env", "::", "var"], "only `place` reads the environment"),
    rule(
        &["env", "::", "var_os"],
        "only `place` reads the environment",
    ),
    rule(&["env", "::", "vars"], "only `place` reads the environment"),
    rule(
        &["env", "::", "vars_os"],
        "only `place` reads the environment",
    ),
    rule(&["env", "::", "set_var"], "nobody writes the environment"),
    rule(
        &["env", "::", "home_dir"],
        "only `place` reads the environment",
    ),
    rule(
        &["env", "::", "temp_dir"],
        "only `place` reads the environment",
    ),
    rule(
        &["env", "::", "*"],
        "name `env::` where it is used, so that this rule sees it",
    ),
    rule(
        &["directories", "::"],
        "only `place` knows the standard directories, which come from the environment",
    ),
];

const END: &[Rule] = &[
    rule(&["process", "::", "exit"], "only `main` ends the process"),
    rule(&["process", "::", "abort"], "only `main` ends the process"),
    rule(
        &["process", "::", "*"],
        "name `process::` things one by one, so that this rule sees them",
    ),
];

const PRINTING: &[Rule] = &[
    rule(
        &["println", "!"],
        "aborts when its stream is closed or full: write and look at the result",
    ),
    rule(
        &["print", "!"],
        "aborts when its stream is closed or full: write and look at the result",
    ),
    rule(
        &["eprintln", "!"],
        "aborts when its stream is closed or full: write and look at the result",
    ),
    rule(
        &["eprint", "!"],
        "aborts when its stream is closed or full: write and look at the result",
    ),
    rule(&["dbg", "!"], "shows values, secrets among them"),
];

const TALKING: &[Rule] = &[
    rule(&["stdout", "("], "the library never prints"),
    rule(&["stderr", "("], "the library never prints"),
    rule(&["stdin", "("], "the library asks nobody"),
    rule(
        &["std", "::", "env"],
        "the library never reads the environment",
    ),
    rule(&["Command", "::", "new"], "the library starts no program"),
];

const FACE: &[Rule] = &[
    rule(&["include", "!"], "brings in a source from elsewhere"),
    rule(&["path", "=", "\"\""], "brings in a source from elsewhere"),
    rule(
        &["doc", "(", "hidden", ")"],
        "a back door: what the terminal needs is on the public face",
    ),
];

const UNSAFE: &[Rule] = &[
    rule(&["unsafe"], "only `secret::page` may"),
    rule(&["unsafe_code"], "only `secret::page` allows it"),
];

const UNFINISHED: &[Rule] = &[
    rule(&["todo", "!"], "not written yet"),
    rule(&["unimplemented", "!"], "not written yet"),
];

/// Where the rules' runs stand in a source, test code left out.
fn against(rules: &[Rule], text: &str) -> Vec<Finding> {
    let tokens = without_tests(&read(text));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        // `my_env::var` isn't `env::var`: tokens are whole words.
        found.extend(
            rules
                .iter()
                .filter(|rule| run(&tokens, at, rule.run) || in_a_group(&tokens, at, rule.run))
                .map(|rule| Finding {
                    line: tokens[at].line,
                    what: format!("`{}`: {}", rule.run.concat(), rule.what),
                }),
        );
    }
    found
}

/// `use a::{…, b, …};` says `a::b` too, under whatever name.
fn in_a_group(tokens: &[Token], at: usize, rule: &[&str]) -> bool {
    let [outer, "::", inner, ..] = rule else {
        return false;
    };
    run(tokens, at, &[outer, "::", "{"])
        && tokens[at..]
            .iter()
            .take_while(|token| !token.is(";"))
            .any(|token| token.is(inner))
}

/// The tokens without the items that stand under `#[cfg(test)]` or `#[test]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if run(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"])
            || run(tokens, at, &["#", "[", "test", "]"])
        {
            at = after_item(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// An item ends at its first `;` or at the brace that closes its first one, attributes and brackets aside.
fn after_item(tokens: &[Token], start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" => braces += 1,
            "}" if braces == 1 => return at + 1,
            "}" => braces = braces.saturating_sub(1),
            "[" | "(" => brackets += 1,
            "]" | ")" => brackets = brackets.saturating_sub(1),
            ";" if braces == 0 && brackets == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// `tests.rs`, and what stands in a directory `tests`, is compiled under `#[cfg(test)]` by the face above it.
fn is_test(source: &Source) -> bool {
    source.module.iter().any(|part| part == "tests")
}

fn is(source: &Source, module: &str) -> bool {
    source.module.join("::") == module
}

/// What may not be had by whatever holds a secret, derived or written by hand.
const SHOWING: [&str; 7] = [
    "Debug",
    "Display",
    "Clone",
    "Copy",
    "Serialize",
    "PartialEq",
    "ToString",
];
const SECRETS: [&str; 2] = ["Secret", "SecretText"];

fn against_secrets(text: &str) -> Vec<Finding> {
    let tokens = read(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let line = tokens[at].line;
        if tokens[at].is("struct") && SECRETS.iter().any(|name| run(&tokens, at + 1, &[name])) {
            // Back over the attributes and the visibility that belong to this item.
            let from = tokens[..at]
                .iter()
                .rposition(|t| t.is(";") || t.is("}"))
                .map_or(0, |end| end + 1);
            if tokens[from..at].iter().any(|token| token.is("derive")) {
                found.push(Finding {
                    line,
                    what: format!("`{}` derives something", tokens[at + 1].text),
                });
            }
        }
        if tokens[at].is("impl") {
            let head: Vec<&str> = tokens[at..]
                .iter()
                .take_while(|t| !t.is("{") && !t.is(";"))
                .map(|t| t.text.as_str())
                .collect();
            let Some(position) = head.iter().position(|text| *text == "for") else {
                continue;
            };
            let shows = head[..position].iter().find(|text| SHOWING.contains(text));
            let secret = head
                .get(position + 1..)
                .and_then(<[_]>::last)
                .filter(|text| SECRETS.contains(text));
            if let (Some(shows), Some(secret)) = (shows, secret) {
                found.push(Finding {
                    line,
                    what: format!("`{secret}` has `{shows}`"),
                });
            }
        }
    }
    found
}

/// Printing shows summaries; what holds a secret isn't even named there.
const NO_ACCOUNTS: &[Rule] = &[
    rule(&["Account"], "printing and the screen name `Summary` only"),
    rule(&["Secret"], "printing and the screen name `Summary` only"),
];

/// A rule over everything but test code and the one module that may.
fn only(module: &'static str, rules: &'static [Rule]) -> impl Fn(&Source) -> Vec<Finding> {
    move |source| {
        if is_test(source) || is(source, module) {
            Vec::new()
        } else {
            against(rules, &source.text)
        }
    }
}

/// No module is called so: a rule that holds everywhere.
const NOBODY: &str = "-";
/// `src/bin/vmfa/main.rs`, and `src/lib.rs`, which has no code.
const MAIN: &str = "";

#[test]
fn only_clock_reads_the_time() {
    hold(&library(), only("clock", CLOCK));
    hold(&terminal(), only(NOBODY, CLOCK));
}

#[test]
fn only_place_reads_the_environment() {
    hold(&library(), only(NOBODY, ENVIRONMENT));
    hold(&terminal(), only("place", ENVIRONMENT));
}

#[test]
fn only_main_ends_the_process() {
    hold(&library(), only(NOBODY, END));
    hold(&terminal(), only(MAIN, END));
}

/// The lint denies it, and could be allowed anywhere: this finds where.
#[test]
fn only_secret_page_is_unsafe() {
    let elsewhere = |source: &Source| {
        if source.module.starts_with(&["secret".into(), "page".into()]) {
            Vec::new()
        } else {
            against(UNSAFE, &source.text)
        }
    };
    hold(&library(), elsewhere);
    hold(&terminal(), |source| against(UNSAFE, &source.text));
}

#[test]
fn the_library_neither_prints_nor_asks() {
    hold(&library(), only(NOBODY, TALKING));
}

#[test]
fn nothing_prints_in_a_way_that_can_kill() {
    hold(&library(), only(NOBODY, PRINTING));
    hold(&terminal(), only(NOBODY, PRINTING));
}

#[test]
fn a_secret_shows_and_copies_itself_nowhere() {
    hold(&library(), |source| against_secrets(&source.text));
    let secret = library()
        .into_iter()
        .find(|source| is(source, "secret"))
        .expect("the room `secret`");
    for name in SECRETS {
        assert!(
            read(&secret.text)
                .windows(2)
                .any(|pair| pair[0].is("struct") && pair[1].is(name)),
            "{name} has moved"
        );
    }
}

#[test]
fn printing_names_no_account() {
    hold(&terminal(), |source| {
        match source.module.first().map(String::as_str) {
            Some("print" | "tui") => against(NO_ACCOUNTS, &source.text),
            _ => Vec::new(),
        }
    });
}

#[test]
fn the_terminal_sees_only_the_public_face() {
    hold(&library(), only(NOBODY, FACE));
    hold(&terminal(), only(NOBODY, FACE));
}

#[test]
fn a_face_stands_beside_its_directory() {
    hold(&sources("src", &[]), |source| {
        if source.path.ends_with("mod.rs") {
            vec![Finding {
                line: 1,
                what: "the face is `name.rs` beside `name/`".to_owned(),
            }]
        } else {
            Vec::new()
        }
    });
}

#[test]
fn nothing_is_left_unwritten() {
    hold(&sources("src", &[]), |source| {
        against(UNFINISHED, &source.text)
    });
}

#[track_caller]
fn objects(rules: &[Rule], text: &str) {
    assert_ne!(against(rules, text), [], "{text:?}");
}

#[track_caller]
fn passes(rules: &[Rule], text: &str) {
    assert_eq!(against(rules, text), [], "{text:?}");
}

#[test]
fn each_rule_fires() {
    for rules in [
        CLOCK,
        ENVIRONMENT,
        END,
        PRINTING,
        TALKING,
        FACE,
        UNSAFE,
        UNFINISHED,
        NO_ACCOUNTS,
    ] {
        for rule in rules {
            objects(rules, &format!("fn f() {{ {} }}", rule.run.join(" ")));
            passes(
                rules,
                &format!(
                    "// {0}\n/* {0} */ const A: &str = {0:?};",
                    rule.run.concat()
                ),
            );
        }
    }
}

#[test]
fn rules_see_the_ways_it_is_written() {
    objects(CLOCK, "let t = std::time::SystemTime::now();");
    objects(ENVIRONMENT, "use std::env::{self, var};");
    objects(ENVIRONMENT, "std::env::var_os(\"HOME\")");
    passes(
        ENVIRONMENT,
        "env!(\"CARGO_PKG_VERSION\"); std::env::args_os(); let my_env = 1;",
    );
    objects(END, "use std::process::{Command, exit as leave};");
    objects(END, "use std::{fmt, process::{Command, abort}};");
    passes(
        END,
        "use std::process::{Command, Stdio}; fn f() { exit(); }",
    );
    passes(END, "std::process::ExitCode::SUCCESS");
    objects(PRINTING, "println!(\"{x}\");");
    passes(PRINTING, "writeln!(out, \"{x}\")?; pretty_println!(x);");
    objects(FACE, "#[path = \"../../vault/seal.rs\"] mod seal;");
    passes(FACE, "let path = x; #[doc = \"hidden\"] fn f() {}");
    passes(NO_ACCOUNTS, "fn row(summary: &Summary, id: AccountId) {}");
}

#[test]
fn test_code_is_excused_and_what_follows_it_is_not() {
    passes(
        CLOCK,
        "#[cfg(test)] mod tests { fn f() { { SystemTime::now(); } } }",
    );
    passes(CLOCK, "#[cfg(test)]\n#[allow(x)]\nmod tests;\n");
    passes(
        CLOCK,
        "#[test] fn f() { let a = [0; 3]; SystemTime::now(); }",
    );
    objects(
        CLOCK,
        "#[cfg(test)] mod tests { fn f() {} } fn g() { SystemTime::now() }",
    );
    objects(
        CLOCK,
        "#[cfg(test)] mod tests; fn g() { SystemTime::now() }",
    );
    objects(
        CLOCK,
        "#[cfg(test)] const A: [u8; 2] = [0; 2]; fn g() { SystemTime::now() }",
    );
    objects(CLOCK, "#[cfg(not(test))] fn g() { SystemTime::now() }");
}

#[test]
fn a_secret_that_could_show_itself_is_found() {
    for text in [
        "#[derive(Clone)] pub struct Secret(Box<[u8]>);",
        "struct A; #[allow(x)] #[derive(PartialEq)] pub(crate) struct SecretText { text: String }",
        "impl std::fmt::Debug for Secret {}",
        "impl<T> Clone for crate::secret::SecretText {}",
    ] {
        assert_ne!(against_secrets(text), [], "{text:?}");
    }
    for text in [
        "#[derive(Clone)] struct A; pub struct Secret(Box<[u8]>);",
        "/// No `Debug`.\npub struct SecretText(String); #[derive(Debug)] struct B;",
        "impl Drop for Secret {} impl Debug for SecretError {}",
        "#[derive(Debug)] struct SecretError;",
    ] {
        assert_eq!(against_secrets(text), [], "{text:?}");
    }
}
