//! What a suite came to, as a line for the table of `tests/evidence.py`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// A line; what isn't told stays away.
pub(super) struct Row {
    pub(super) suite: &'static str,
    pub(super) cases: Option<u64>,
    pub(super) faults: Option<u64>,
    pub(super) losses: Option<u64>,
    pub(super) control: Option<u64>,
    pub(super) seconds: Duration,
}

/// Appends a line.
pub(super) fn tell(row: &Row) {
    let mut line = serde_json::Map::new();
    line.insert("suite".into(), row.suite.into());
    let counts = [
        ("cases", row.cases),
        ("faults", row.faults),
        ("losses", row.losses),
        ("control", row.control),
    ];
    for (name, count) in counts {
        if let Some(count) = count {
            line.insert(name.into(), count.into());
        }
    }
    line.insert("seconds".into(), row.seconds.as_secs_f64().into());
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
