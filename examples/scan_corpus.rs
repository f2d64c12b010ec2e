//! Scans the pictures of a corpus made by `tests/qr/make_corpus.py` and prints how many texts were read.
//!
//! `cargo run --release --example scan_corpus -- FOLDER [--lines]`: a table by class, or one JSON object a picture with the
//! texts and the milliseconds, for `tests/qr/compare.py`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

#[derive(Default)]
struct Class {
    expected: usize,
    read: usize,
    wrong: usize,
    milliseconds: Vec<f64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().expect("a folder with manifest.tsv"));
    let lines = arguments.iter().any(|a| a == "--lines");
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).expect("manifest.tsv");
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    for row in manifest.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, class, expected, ..] = columns[..] else {
            continue;
        };
        let expected: Vec<String> = serde_json::from_str(expected).expect("a list of texts");
        let bytes = std::fs::read(folder.join(file)).expect(file);
        let start = Instant::now();
        let outcome = vmfa::qr::scan(&bytes);
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        let texts: Vec<String> = match &outcome {
            Ok(scanned) => scanned
                .texts
                .iter()
                .map(|text| text.expose().to_owned())
                .collect(),
            Err(_) => Vec::new(),
        };
        if lines {
            let error = outcome.err().map(|error| error.to_string());
            println!(
                "{}",
                json!({"file": file, "texts": texts, "ms": milliseconds, "error": error}) as Value
            );
            continue;
        }
        let entry = classes.entry(class.to_owned()).or_default();
        entry.expected += expected.len();
        entry.read += expected.iter().filter(|text| texts.contains(text)).count();
        entry.wrong += texts.iter().filter(|text| !expected.contains(text)).count();
        entry.milliseconds.push(milliseconds);
        if expected.iter().any(|text| !texts.contains(text)) {
            eprintln!("not read: {file}");
        }
    }
    if !lines {
        table(classes);
    }
}

fn table(classes: BTreeMap<String, Class>) {
    println!(
        "| class | expected | read | wrong | median ms | 95 % ms | most ms |\n|---|---|---|---|---|---|---|"
    );
    let mut all = Class::default();
    for (name, class) in classes {
        if name != "truncated-file" {
            all.expected += class.expected;
            all.read += class.read;
            all.milliseconds.extend(&class.milliseconds);
        }
        all.wrong += class.wrong;
        row(&name, class);
    }
    row("all but truncated-file", all);
}

fn row(name: &str, mut class: Class) {
    class.milliseconds.sort_by(f64::total_cmp);
    let at = |share: f64| {
        class.milliseconds[((class.milliseconds.len() - 1) as f64 * share).round() as usize]
    };
    println!(
        "| {name} | {} | {} | {} | {:.1} | {:.1} | {:.1} |",
        class.expected,
        class.read,
        class.wrong,
        at(0.5),
        at(0.95),
        at(1.0)
    );
}
