//! Exports of every app against what is known to be in them: `vectors/import` has files that were made from one list of
//! accounts by another program; a directory beside the project may hold the apps' own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vmfa::account::{Account, Draft, Refusal};
use vmfa::clock::UnixTime;
use vmfa::import::{self, Beside, ImportError, Source};
use vmfa::otp::{Code, Scheme};
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// What lies beside a file.
struct Directory(PathBuf);

impl Beside for Directory {
    fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        fs::read(self.0.join(name)).ok().map(Zeroizing::new)
    }
}

/// An account in the words of `expected.json`, so that two lists can be compared line by line.
fn told(account: &Account) -> String {
    let summary = &account.summary;
    let scheme = &summary.scheme;
    let kind = match scheme {
        Scheme::Totp(_) => "totp",
        Scheme::Hotp(_) => "hotp",
        Scheme::Steam => "steam",
        Scheme::Motp => "motp",
        Scheme::Yandex => "yandex",
    };
    let hex: String = account
        .secret
        .expose()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let code = account.generator().ok().and_then(|generator| {
        match summary.counter {
            Some(counter) => generator.code_of_counter(counter),
            None => generator.code_at(NOW),
        }
        .ok()
    });
    line(&[
        ("issuer", &summary.issuer),
        ("name", &summary.name),
        ("type", kind),
        ("secret", &hex),
        (
            "counter",
            &summary.counter.map_or(String::new(), |c| c.to_string()),
        ),
        ("code", code.as_ref().map_or("", Code::as_str)),
        ("tags", &summary.tags.join("|")),
        ("favorite", &summary.favorite.to_string()),
        ("trashed", &summary.trashed.is_some().to_string()),
        ("pin", account.pin.as_ref().map_or("", |pin| pin.expose())),
    ])
}

/// The same of an expected account.
fn expected(entry: &Value) -> String {
    let text = |key: &str| match &entry[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let kind = text("type");
    let is_hotp = kind == "hotp";
    let tags: Vec<&str> = entry["tags"]
        .as_array()
        .map(|tags| tags.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    line(&[
        ("issuer", &text("issuer")),
        ("name", &text("name")),
        ("type", &kind),
        ("secret", &text("secret_hex")),
        (
            "counter",
            &if is_hotp {
                text("counter")
            } else {
                String::new()
            },
        ),
        (
            "code",
            &text(if is_hotp {
                "code_counter"
            } else {
                "code_at_1700000000"
            }),
        ),
        ("tags", &tags.join("|")),
        ("favorite", &(entry["favorite"] == true).to_string()),
        (
            "trashed",
            &(!matches!(entry["trashed"], Value::Null | Value::Bool(false))).to_string(),
        ),
        ("pin", &text("pin")),
    ])
}

fn line(words: &[(&str, &str)]) -> String {
    let words = words.iter().filter(|(_, value)| !value.is_empty());
    let words: Vec<String> = words
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    words.join(" ")
}

/// What a file or a directory of files gives: accounts and the classes of refusals, or the class of the error of the whole.
fn imported(path: &Path, passphrase: Option<&str>) -> Result<(Vec<String>, Vec<String>), String> {
    let mut files = Vec::new();
    match path.join("default/profile.js") {
        profile if profile.exists() => files.push((profile, "profile.js".to_owned())),
        _ if path.is_dir() => walk(path, "", &mut files),
        _ => files.push((
            path.to_owned(),
            path.file_name().unwrap().to_str().unwrap().to_owned(),
        )),
    }
    let passphrase = passphrase.map(|text| SecretText::new(text.to_owned()));
    let mut rows: Vec<Result<Draft, Refusal>> = Vec::new();
    for (file, name) in &files {
        let bytes = fs::read(file).unwrap();
        let directory = Directory(file.parent().unwrap().to_owned());
        let source = Source {
            name,
            bytes: &bytes,
            beside: &directory,
        };
        let readings = match import::read(&source, None, passphrase.as_ref()) {
            // A directory may hold anything.
            Err(ImportError::Unknown) if files.len() > 1 => continue,
            other => other.map_err(|error| format!("{}: {error}", error.class()))?,
        };
        for reading in readings {
            rows.extend(reading.contents.rows);
            let texts = reading.contents.texts.iter();
            let collected =
                import::collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
            rows.extend(collected.rows);
        }
    }
    let (mut accounts, mut refused) = (Vec::new(), Vec::new());
    for row in rows {
        match row.and_then(|draft| draft.into_account(NOW)) {
            Ok(drafted) => accounts.push(told(&drafted.account)),
            Err(refusal) => refused.push(refusal.class().to_owned()),
        }
    }
    Ok((accounts, refused))
}

/// Every file below a directory, and its path from there.
fn walk(directory: &Path, inner: &str, files: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let inner = match inner {
            "" => name.to_owned(),
            inner => format!("{inner}/{name}"),
        };
        if path.is_dir() {
            walk(&path, &inner, files);
        } else {
            files.push((path, inner));
        }
    }
}

/// The differences of one file, in words.
fn differences(path: &Path, case: &Value) -> Vec<String> {
    let text = |key: &str| case[key].as_str();
    let result = imported(path, text("passphrase"));
    let others: Vec<&str> = case["or"]
        .as_array()
        .map(|others| others.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let (accounts, refused) = match (result, text("file_error")) {
        (Err(found), wanted)
            if wanted.is_some_and(|wanted| found.starts_with(wanted))
                || others.iter().any(|other| found.starts_with(other)) =>
        {
            return Vec::new();
        }
        (Ok((accounts, refused)), Some(wanted))
            if accounts.is_empty() && refused.iter().any(|class| class == wanted) =>
        {
            return Vec::new();
        }
        (Ok(_), Some(wanted)) => return vec![format!("read, not refused with {wanted}")],
        (Err(found), _) => return vec![format!("refused with {found}")],
        (Ok(read), None) => read,
    };
    let list = |key: &str| case[key].as_array().cloned().unwrap_or_default();
    let wanted: Vec<String> = list("entries").iter().map(expected).collect();
    let wanted_errors: Vec<String> = list("errors")
        .iter()
        .map(|error| error["error"].as_str().unwrap_or_default().to_owned())
        .collect();
    // A repeated part of a migration counts once; the list of what is in the file may have it twice.
    let once = path.to_string_lossy().contains("googleauthenticator");
    // What is known of a table's accounts is label and code; which column makes a favourite isn't.
    let is_table = path.extension().is_some_and(|extension| extension == "csv");
    let mut told = Vec::new();
    let mut compare = |found: &[String], wanted: &[String], what: &str| {
        let count = |list: &[String]| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for line in list {
                let line = match is_table {
                    true => line.replace(" favorite=\"true\"", " favorite=\"false\""),
                    false => line.clone(),
                };
                let count = counts.entry(line).or_default();
                *count = if once { 1 } else { *count + 1 };
            }
            counts
        };
        let (found, wanted) = (count(found), count(wanted));
        for (line, number) in &wanted {
            if found.get(line) < Some(number) {
                told.push(format!("{what} missing  {line}"));
            }
        }
        for (line, number) in &found {
            if wanted.get(line) < Some(number) {
                told.push(format!("{what} extra    {line}"));
            }
        }
    };
    compare(&accounts, &wanted, "account");
    compare(&refused, &wanted_errors, "refusal");
    told
}

/// Every file named in the `expected.json` files of a directory's directories.
fn cases(root: &Path) -> Vec<(PathBuf, Value)> {
    let mut cases = Vec::new();
    let mut apps: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.json").exists())
        .collect();
    apps.sort();
    for app in apps {
        if app.ends_with("negative") {
            continue;
        }
        let text = fs::read(app.join("expected.json")).unwrap();
        let files: Map<String, Value> = serde_json::from_slice(&text).unwrap();
        for (name, case) in files {
            cases.push((app.join(name), case));
        }
    }
    cases
}

/// Reads every file and says how many accounts came as expected. `VMFA_SAMPLES=aegis` looks at one app alone.
fn check(root: &Path) -> (usize, Vec<String>) {
    let only = std::env::var("VMFA_SAMPLES").unwrap_or_default();
    let mut failures = Vec::new();
    let cases = cases(root);
    let count = cases.len();
    for (path, case) in cases {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if !name.starts_with(&only) {
            continue;
        }
        for difference in differences(&path, &case) {
            failures.push(format!("{name}: {difference}"));
        }
    }
    (count, failures)
}

#[test]
fn every_export_made_from_the_canonical_list_comes_in_as_it_was() {
    let root = match std::env::var_os("VMFA_VECTORS") {
        Some(elsewhere) => PathBuf::from(elsewhere),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/import"),
    };
    let (count, failures) = check(&root);
    assert!(count > 0, "no vectors at {}", root.display());
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The apps' own files are other projects' test data, under licences of theirs: they are not part of this one.
#[test]
fn the_apps_own_exports_come_in_too_where_they_are_at_hand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/import");
    if !root.exists() {
        return;
    }
    let (_, failures) = check(&root);
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
