//! Files that are damaged, hostile or something else: each ends in an error of the kind that `expected.json` names, at once,
//! in little memory, and without a word of what is secret in it.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads what it wrote itself, or its own vectors, and from elsewhere where the environment says so"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vmfa::account::text::clean;
use vmfa::account::{Account, Draft, Refusal};
use vmfa::clock::UnixTime;
use vmfa::import::{self, Alone, ImportError, Remark, Source};
use vmfa::secret::SecretText;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// What came of a file.
struct Outcome {
    accounts: Vec<Account>,
    refusals: Vec<Refusal>,
    remarks: Vec<Remark>,
}

fn outcome(path: &Path, passphrase: Option<&str>) -> Result<Outcome, ImportError> {
    let bytes = fs::read(path).unwrap();
    let source = Source {
        name: path.file_name().unwrap().to_str().unwrap(),
        bytes: &bytes,
        beside: &Alone,
    };
    let passphrase = passphrase.map(|text| SecretText::new(text.to_owned()));
    let readings = import::read(&source, None, passphrase.as_ref())?;
    let mut rows: Vec<Result<Draft, Refusal>> = Vec::new();
    let mut remarks = Vec::new();
    for reading in readings {
        let texts = reading.contents.texts.iter();
        let collected = import::collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
        rows.extend(collected.rows);
        rows.extend(reading.contents.rows);
        remarks.extend(reading.contents.remarks);
    }
    let (mut accounts, mut refusals) = (Vec::new(), Vec::new());
    for row in rows {
        match row.and_then(|draft| draft.into_account(NOW)) {
            Ok(drafted) => accounts.push(drafted.account),
            Err(refusal) => refusals.push(refusal),
        }
    }
    Ok(Outcome {
        accounts,
        refusals,
        remarks,
    })
}

/// `bad_file` is all that can be said of a file with nothing more to it; the program has a word for each kind.
fn is_class(found: &str, wanted: &str) -> bool {
    const BAD_FILE: [&str; 6] = [
        "bad_file",
        "unknown_format",
        "openpgp",
        "bad_picture",
        "no_code",
        "no_file_in_zip",
    ];
    found == wanted || wanted == "bad_file" && BAD_FILE.contains(&found)
}

fn check(path: &Path, case: &Value) -> Result<(), String> {
    let result = outcome(path, case["passphrase"].as_str());
    let or = case["or"].as_array().cloned().unwrap_or_default();
    let wanted: Vec<&str> = case["file_error"]
        .as_str()
        .into_iter()
        .chain(or.iter().filter_map(Value::as_str))
        .collect();
    let is_wanted = |class: &str| wanted.iter().any(|wanted| is_class(class, wanted));
    let found = match result {
        Err(error) if is_wanted(error.class()) => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", error.class())),
        Ok(found) => found,
    };
    let Some(entries) = case["entries"].as_array() else {
        // What came before the damage is kept, and the damage told.
        let is_told = found
            .refusals
            .iter()
            .any(|refusal| is_wanted(refusal.class()));
        return match is_told {
            true => Ok(()),
            false => Err(format!("read, not refused with {wanted:?}")),
        };
    };
    let errors = case["errors"].as_array().map_or(0, Vec::len);
    if found.accounts.len() != entries.len() || found.refusals.len() != errors {
        let (accounts, refusals) = (found.accounts.len(), found.refusals.len());
        return Err(format!("{accounts} accounts, {refusals} refusals"));
    }
    for account in &found.accounts {
        let secret = account.secret.expose();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        if !entries
            .iter()
            .any(|entry| entry["secret_hex"] == hex.as_str())
        {
            return Err("another secret".into());
        }
        let summary = &account.summary;
        for word in [&summary.issuer, &summary.name, &summary.note] {
            if clean(word) != *word {
                return Err(format!("what moves the cursor came through: {word:?}"));
            }
        }
    }
    Ok(())
}

fn check_all(root: &Path) -> (usize, Vec<String>) {
    let only = std::env::var("VMFA_SAMPLES").unwrap_or_default();
    let text = fs::read(root.join("expected.json")).unwrap();
    let files: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    let mut failures = Vec::new();
    for (name, case) in &files {
        if !format!("negative/{name}").starts_with(&only) {
            continue;
        }
        if let Err(what) = check(&root.join(name), case) {
            failures.push(format!("{name}: {what}"));
        }
    }
    (files.len(), failures)
}

fn vectors() -> PathBuf {
    match std::env::var_os("VMFA_VECTORS") {
        Some(elsewhere) => PathBuf::from(elsewhere),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/import"),
    }
    .join("negative")
}

#[test]
fn every_bad_file_ends_in_the_error_that_names_it() {
    let (count, failures) = check_all(&vectors());
    assert!(count > 0, "no vectors");
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// A person who mistypes a secret sends the message to others for help.
#[test]
fn no_error_of_a_bad_file_holds_a_long_word_of_it() {
    /// A secret of eight bytes has thirteen letters; no word of ours is so long and in capitals.
    const MIN: usize = 13;
    let root = vectors();
    let text = fs::read(root.join("expected.json")).unwrap();
    let files: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    let mut seen = 0;
    for (name, case) in &files {
        let told = match outcome(&root.join(name), case["passphrase"].as_str()) {
            Err(error) => vec![error.to_string()],
            Ok(found) => {
                let refusals = found.refusals.iter().map(Refusal::to_string);
                let remarks = found.remarks.iter().map(Remark::to_string);
                refusals.chain(remarks).collect()
            }
        };
        seen += told.len();
        for text in told {
            let words = text.split(|c: char| !c.is_ascii_uppercase() && !matches!(c, '2'..='7'));
            let longest = words.map(str::len).max().unwrap_or_default();
            assert!(longest < MIN, "{name}: {text}");
        }
    }
    assert!(seen > 0);
}

/// Another project's collection of such files, where it is at hand: what must happen is said there in words.
#[test]
fn the_bad_files_of_others_end_so_too_where_they_are_at_hand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/import/negative");
    if !root.exists() {
        return;
    }
    let mut failures = Vec::new();
    for (name, wanted) in [
        ("empty.bin", "bad_file"),
        ("random.bin", "wrong_password"),
        ("html_login_page.html", "bad_file"),
        ("truncated_aegis.json", "bad_file"),
        ("aegis_version2.json", "bad_version"),
        ("aegis_scrypt_bomb.json", "kdf_params_out_of_range"),
        ("andotp_iteration_bomb.bin", "kdf_params_out_of_range"),
        ("bitwarden_kdf_bomb.json", "kdf_params_out_of_range"),
        ("ente_kdf_bomb.json", "kdf_params_out_of_range"),
        ("deep_nesting.json", "bad_file"),
        ("zip_bomb.1pux", "bad_file"),
        ("xml_billion_laughs.xml", "bad_file"),
    ] {
        let found = outcome(&root.join(name), Some("passphrase")).map(|found| found.accounts.len());
        let class = found.as_ref().map_err(ImportError::class);
        let is_right = match (name, class) {
            // It has no mark: what reads it as the older kind of file finds the passphrase wrong.
            ("andotp_iteration_bomb.bin", Err(class)) => {
                class == wanted || class == "wrong_password"
            }
            (_, class) => class == Err(wanted),
        };
        if !is_right {
            failures.push(format!("{name}: {class:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let newer = outcome(&root.join("2fas_schema99.2fas"), None).unwrap();
    assert!(matches!(newer.remarks[..], [Remark::NewerVersion(_)]));
    let slip = outcome(&root.join("zip_slip.zip"), None);
    assert!(slip.is_ok_and(|slip| slip.accounts.len() == 1));
    let evil = outcome(&root.join("control_chars_uri.txt"), None).unwrap();
    let summary = &evil.accounts[0].summary;
    assert_eq!(
        (summary.issuer.as_str(), summary.name.as_str()),
        ("Evil[2J", "bob")
    );
}
