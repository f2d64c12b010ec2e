//! The canonical list through every exporter and back, field by field: each declared loss, and nothing else.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its own vectors, and from elsewhere where the environment says so"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use vmfa::account::{Account, Draft, SecretEncoding};
use vmfa::clock::UnixTime;
use vmfa::export::{self, Fate, Form, Kind, Lost, Output, Sealing, TARGETS, Target};
use vmfa::import::{self, Alone, ImportError, Source};
use vmfa::otp::Scheme;
use vmfa::qr::Drawing;
use vmfa::secret::{Secret, SecretText};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const PASSPHRASE: &str = "correct horse battery staple";

/// The list that the importers' files were made from, with what only vmfa knows put on some of them.
fn canonical() -> Vec<Account> {
    let root = match std::env::var_os("VMFA_VECTORS") {
        Some(elsewhere) => PathBuf::from(elsewhere),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/import"),
    };
    let bytes = std::fs::read(root.join("canonical.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let mut accounts: Vec<Account> = rows.iter().map(account).collect();
    let summary = &mut accounts[0].summary;
    summary.serial_number = Some("arn:aws:iam::123456789012:mfa/bob".into());
    summary.confirm = true;
    let summary = &mut accounts[1].summary;
    summary.label_issuer = Some("Tenant".into());
    summary.image = Some("https://example.com/a.png".into());
    accounts
}

fn account(row: &Value) -> Account {
    let word = |key: &str| match &row[key] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let (secret, secret_encoding) = match word("secret_hex") {
        Some(hex) => (hex, SecretEncoding::Hex),
        None => (word("base32").unwrap(), SecretEncoding::Base32),
    };
    let tags = row["tags"].as_array().cloned().unwrap_or_default();
    let draft = Draft {
        kind: word("type"),
        issuer: word("issuer"),
        name: word("name"),
        secret: Some(SecretText::new(secret)),
        secret_encoding,
        algorithm: word("algorithm"),
        digits: word("digits"),
        period: word("period"),
        counter: word("counter"),
        pin: word("pin").map(SecretText::new),
        tags: tags
            .iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        note: word("note"),
        favorite: row["favorite"] == true,
        trashed: row["trashed"] == true,
        ..Draft::default()
    };
    draft.into_account(NOW).unwrap().account
}

/// The files of an output, codes as pictures.
fn files(output: Output) -> Vec<(String, Secret)> {
    match output {
        Output::File(bytes) => vec![(String::new(), bytes)],
        Output::Tree(files) => files,
        Output::Codes(texts) => texts
            .iter()
            .map(|text| (String::new(), Drawing::new(text).unwrap().png(4).unwrap()))
            .collect(),
    }
}

fn read(files: &[(String, Secret)], form: Form<'_>) -> Result<Vec<Account>, ImportError> {
    let passphrase = match form {
        Form::Plain => None,
        Form::Sealed(passphrase) => Some(passphrase),
    };
    let (mut rows, mut texts) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let source = Source {
            name,
            bytes: bytes.expose(),
            beside: &Alone,
        };
        for reading in import::read(&source, None, passphrase)? {
            rows.extend(reading.contents.rows);
            texts.extend(reading.contents.texts);
        }
    }
    let texts = texts.iter();
    let collected = import::collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
    rows.extend(collected.rows);
    Ok(rows
        .into_iter()
        .map(|row| row.unwrap().into_account(NOW).unwrap().account)
        .collect())
}

/// Every word of an account in a line, so that two lists can be compared. What the importer leaves in the file is left out.
fn told(target: &Target, account: &Account) -> String {
    let mut summary = account.summary.clone();
    if target.unread.contains(&Lost::Note) {
        summary.note.clear();
    }
    summary.favorite &= !target.unread.contains(&Lost::Favorite);
    let secret: String = account
        .secret
        .expose()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{:?} {:?} prefix={:?} {:?} counter={:?} secret={secret} pin={:?} tags={:?} note={:?} favorite={} trashed={} \
         serial={:?} image={:?} confirm={}",
        summary.issuer,
        summary.name,
        summary.label_issuer,
        summary.scheme,
        summary.counter,
        account.pin.as_ref().map(|pin| pin.expose().to_owned()),
        summary.tags,
        summary.note,
        summary.favorite,
        summary.trashed.is_some(),
        summary.serial_number,
        summary.image,
        summary.confirm
    )
}

fn forms(target: &Target, passphrase: &'static SecretText) -> Vec<Form<'static>> {
    match target.sealing {
        Sealing::Never => vec![Form::Plain],
        Sealing::Always => vec![Form::Sealed(passphrase)],
        Sealing::Either => vec![Form::Plain, Form::Sealed(passphrase)],
    }
}

#[test]
fn what_comes_back_is_what_went_out_but_for_what_was_said() {
    let passphrase: &'static SecretText =
        Box::leak(Box::new(SecretText::new(PASSPHRASE.to_owned())));
    let accounts = canonical();
    let mut differences = Vec::new();
    for target in TARGETS {
        // Targets that nobody reads are read by other means: tests/export.
        let Some(importer) = target.read_by else {
            continue;
        };
        if import::by_id(importer).is_none() {
            continue;
        }
        for form in forms(target, passphrase) {
            let exported = export::write(target, &accounts, form, NOW).unwrap();
            let wanted: Vec<String> = accounts
                .iter()
                .zip(&exported.fates)
                .filter_map(|(account, fate)| export::held(account, fate))
                .map(|account| told(target, &account))
                .collect();
            let name = format!(
                "{} {}",
                target.id,
                match form {
                    Form::Plain => "plain",
                    Form::Sealed(_) => "sealed",
                }
            );
            let found = match read(&files(exported.output), form) {
                Ok(found) => found,
                Err(error) => {
                    differences.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let comparison = export::compare(target, &accounts, &exported.fates, &found);
            let mut found: Vec<String> =
                found.iter().map(|account| told(target, account)).collect();
            for line in &wanted {
                match found.iter().position(|found| found == line) {
                    Some(index) => drop(found.swap_remove(index)),
                    None => differences.push(format!("{name}: missing {line}")),
                }
            }
            let agrees = comparison.agrees() && comparison.changed.is_empty();
            assert_eq!(agrees, found.is_empty(), "{name}: {comparison:?}");
            differences.extend(found.iter().map(|line| format!("{name}: extra {line}")));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// What each target does with the canonical list, counted by hand from what the formats can hold.
#[test]
fn the_losses_of_the_canonical_list_are_these() {
    let accounts = canonical();
    for (id, left_out) in [
        ("aegis", "sha224 sha384"),
        ("2fas", "Quarter Odd Far Mobile Yandex"),
        ("bitwarden", "judy mallory Far Mobile Yandex sha224 sha384"),
        (
            "google",
            "Cloud Seven Quarter Ninety Odd Sixty Steam Mobile Yandex sha224 sha384",
        ),
        ("uris", ""),
        ("keepass", "mallory Far Mobile Yandex sha224 sha384"),
        ("ente", "Mobile Yandex sha224 sha384"),
        ("stratum", "sha224 sha384"),
        ("proton", "judy mallory Far Mobile Yandex sha224 sha384"),
        ("freeotp+", "Steam Mobile Yandex sha224 sha384"),
        ("pass", "Steam Mobile Yandex sha224 sha384"),
        ("sheet", ""),
    ] {
        let target = export::by_id(id).unwrap();
        let fates = export::fates(target, &accounts);
        let out = fates
            .iter()
            .filter(|fate| matches!(fate, Fate::LeftOut(_)))
            .count();
        assert_eq!(out, left_out.split_whitespace().count(), "{id}");
        // Only vmfa asks before each code, so that is always said.
        assert!(matches!(&fates[0], Fate::Carried(lost) if lost.contains(&Lost::Confirm)));
        let steam = accounts
            .iter()
            .position(|account| account.summary.scheme == Scheme::Steam);
        let carries = matches!(fates[steam.unwrap()], Fate::Carried(_));
        assert_eq!(carries, target.can.kinds.contains(&Kind::Steam), "{id}");
    }
}

#[test]
fn the_comparison_sees_what_changed() {
    let accounts = canonical();
    let target = export::by_id("aegis").unwrap();
    let fates = export::fates(target, &accounts);
    let back = || -> Vec<Account> {
        let held = accounts.iter().zip(&fates);
        held.filter_map(|(account, fate)| export::held(account, fate))
            .collect()
    };
    let compare = |back: &[Account]| export::compare(target, &accounts, &fates, back);
    assert!(compare(&back()).agrees() && compare(&back()).changed.is_empty());

    let mut one = back();
    one.pop();
    assert_eq!(compare(&one).missing.len(), 1);
    let mut more = back();
    more.extend(back().pop());
    assert_eq!(compare(&more).extra, 1);
    let mut other = back();
    let mut bytes = other[3].secret.expose().to_vec();
    bytes[0] ^= 1;
    other[3].secret = Secret::new(bytes);
    assert_eq!(
        (compare(&other).missing.len(), compare(&other).extra),
        (1, 1)
    );
    let mut renamed = back();
    renamed[4].summary.name.push('x');
    renamed[5].summary.tags.push("x".into());
    let told = compare(&renamed);
    assert!(told.agrees());
    assert_eq!(told.changed.len(), 2);
    let mut counted = back();
    for account in &mut counted {
        account.summary.counter = account.summary.counter.map(|counter| counter + 1);
    }
    assert_eq!(compare(&counted).missing.len(), 3);
}
