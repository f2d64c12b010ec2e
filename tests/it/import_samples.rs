//! Exports of every app against what is known to be in them: `vectors/import` has files that were made from one list of
//! accounts by another program; a directory beside the project may hold the apps' own.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads what it wrote itself, or its own vectors, and from elsewhere where the environment says so"
)]

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
fn told(account: &Account, said: Said) -> String {
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
        ("tags", &said.tags(summary.tags.join("|"))),
        ("favorite", &said.favorite(summary.favorite)),
        ("trashed", &summary.trashed.is_some().to_string()),
        ("pin", account.pin.as_ref().map_or("", |pin| pin.expose())),
    ])
}

/// Whether an `expected.json` says anything of tags and favourites: that of the apps' own files leaves them out for some
/// apps, and that of a table says nothing of favourites.
#[derive(Clone, Copy)]
struct Said {
    tags: bool,
    favorite: bool,
}

impl Said {
    fn of(path: &Path, case: &Value, leaves_out: bool) -> Self {
        let entries = case["entries"].as_array().cloned().unwrap_or_default();
        let any = |key| entries.iter().any(|entry| entry.get(key).is_some());
        let is_table = path.extension().is_some_and(|extension| extension == "csv");
        Self {
            tags: any("tags") || !leaves_out,
            favorite: any("favorite") || !leaves_out && !is_table,
        }
    }

    fn tags(self, tags: String) -> String {
        Some(tags).filter(|_| self.tags).unwrap_or_default()
    }

    fn favorite(self, is: bool) -> String {
        match is && self.favorite {
            true => "yes".into(),
            false => String::new(),
        }
    }
}

/// The same of an expected account.
fn expected(entry: &Value, said: Said) -> String {
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
        ("tags", &said.tags(tags.join("|"))),
        ("favorite", &said.favorite(entry["favorite"] == true)),
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

/// Accounts, and the classes of refusals.
type Imported = (Vec<String>, Vec<String>);

/// What a file or a directory of files gives: accounts and the classes of refusals, or the class of the error of the whole.
fn imported(path: &Path, passphrase: Option<&str>, said: Said) -> Result<Imported, String> {
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
            Ok(drafted) => accounts.push(told(&drafted.account, said)),
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
fn differences(path: &Path, case: &Value, said: Said) -> Vec<String> {
    let text = |key: &str| case[key].as_str();
    let result = imported(path, text("passphrase"), said);
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
    let wanted: Vec<String> = list("entries")
        .iter()
        .map(|entry| expected(entry, said))
        .collect();
    let wanted_errors: Vec<String> = list("errors")
        .iter()
        .map(|error| error["error"].as_str().unwrap_or_default().to_owned())
        .collect();
    // A repeated part of a migration counts once; the list of what is in the file may have it twice.
    let once = path.to_string_lossy().contains("googleauthenticator");
    let mut told = Vec::new();
    let mut compare = |found: &[String], wanted: &[String], what: &str| {
        let count = |list: &[String]| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for line in list {
                let count = counts.entry(line.clone()).or_default();
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
fn check(root: &Path, leaves_out: bool) -> (usize, Vec<String>) {
    let only = std::env::var("VMFA_SAMPLES").unwrap_or_default();
    let mut failures = Vec::new();
    let cases = cases(root);
    let count = cases.len();
    for (path, case) in cases {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if !name.starts_with(&only) {
            continue;
        }
        let said = Said::of(&path, &case, leaves_out);
        for difference in differences(&path, &case, said) {
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
    let (count, failures) = check(&root, false);
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
    let (_, mut failures) = check(&root, true);
    // Where this reader and the list's maker differ, on purpose save for the last.
    let known = [
        // Without its passphrase nothing in it says what it is.
        "andotp/asmw-tests.garbage.json.aes: refused with bad_file",
        // Ten secrets in a column that the list's maker didn't know.
        "myki/pass-import.myki.csv: account extra",
        // A login without a user name is called by its address.
        "protonpass/synthetic.protonpass.csv: account missing  issuer=\"Bare\" type",
        "protonpass/synthetic.protonpass.csv: account extra    issuer=\"Bare\" name=\"b@p.example\"",
        // mOTP with a secret that isn't hexadecimal can't be held: refused, with its name.
        "stratum/extra.demo.authpro: account missing  issuer=\"Company VPN\"",
        "stratum/extra.demo.authpro: refusal extra    bad_secret",
    ];
    failures.retain(|failure| !known.iter().any(|known| failure.starts_with(known)));
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// A vault that 1Password 6 wrote, of which no list says what is in it: an item of two codes, and one with settings of its own.
#[test]
fn a_vault_in_a_directory_comes_in_too_where_one_is_at_hand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/import");
    let vault = root.join("1password/keepassxc.opvault");
    if !vault.exists() {
        return;
    }
    let said = Said {
        tags: true,
        favorite: true,
    };
    let (accounts, refused) = imported(&vault, Some("a"), said).unwrap();
    assert!(refused.is_empty());
    assert!(accounts.len() >= 2, "{accounts:#?}");
    let wrong = imported(&vault, Some("b"), said).unwrap_err();
    assert!(wrong.starts_with("wrong_password"), "{wrong}");
}
