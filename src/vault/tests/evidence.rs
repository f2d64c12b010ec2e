//! What a suite came to, as a line for the table of `tests/evidence.py`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::clock::Stopwatch;

/// Appends a line: of a suite's own cases, or of its control.
pub(crate) fn tell(suite: &str, counts: &[(&str, u64)], watch: Stopwatch) {
    let mut line = serde_json::Map::new();
    line.insert("suite".into(), suite.into());
    for (name, count) in counts {
        line.insert((*name).into(), (*count).into());
    }
    let seconds = watch.elapsed().as_secs_f64();
    line.insert("seconds".into(), seconds.into());
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target).unwrap();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(target.join("evidence.jsonl"))
        .unwrap();
    // One write each, so that processes side by side don't mix.
    let line = serde_json::Value::from(line);
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
