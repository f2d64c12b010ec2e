//! Formats against what no app writes: cut off, of other types than they should be, sealed with care and opened without.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::*;
use crate::cipher::{Argon2id, Pbkdf2, cbc_seal, gcm_seal, secretstream_seal, xchacha_seal};
use crate::clock::UnixTime;
use crate::import::words::to_base64;
use crate::import::{Alone, Reading, Remark, Source, collect, sniff};

/// Reads a file as `vmfa import` does.
fn read(bytes: &[u8], passphrase: Option<&str>) -> Result<Reading, ImportError> {
    read_as(bytes, None, passphrase)
}

fn read_as(
    bytes: &[u8],
    from: Option<&'static Format>,
    passphrase: Option<&str>,
) -> Result<Reading, ImportError> {
    let source = Source {
        name: "file",
        bytes,
        beside: &Alone,
    };
    let passphrase = passphrase.map(|text| SecretText::new(text.into()));
    let mut readings = sniff::read(&source, from, passphrase.as_ref())?;
    Ok(readings.remove(0))
}

/// `issuer:name` of each account, or the class of its refusal.
fn accounts(reading: Reading) -> Vec<String> {
    let texts = reading.contents.texts.iter();
    let collected = collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
    let rows = reading.contents.rows.into_iter().chain(collected.rows);
    rows.map(|row| {
        let label = row.as_ref().ok().map(Draft::label);
        match row.and_then(|draft| draft.into_account(UnixTime::from_secs(0))) {
            Ok(_) => label.unwrap_or_default(),
            Err(refusal) => refusal.class().to_owned(),
        }
    })
    .collect()
}

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const URI: &str = "otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=A";

/// A small file of each format that is JSON in clear, with one account `A:b` or what it has for that.
fn plain() -> Vec<(&'static str, Value)> {
    let item = json!({"type": 1, "name": "A", "folderId": "f", "login": {"username": "b", "totp": SECRET}});
    vec![
        (
            "2fas",
            json!({"schemaVersion": 4, "groups": [{"id": "G", "name": "t"}], "services": [{"name": "A", "secret": SECRET, "groupId": "g", "otp": {"account": "b", "digits": null, "period": 0, "tokenType": "TOTP"}}]}),
        ),
        (
            "bitwarden",
            json!({"encrypted": false, "folders": [{"id": "f", "name": "t"}], "items": [item]}),
        ),
        (
            "ente",
            json!({"items": [{"rawData": URI, "display": {"tags": ["t"], "pinned": true, "note": "n"}}]}),
        ),
        (
            "proton-authenticator",
            json!({"version": 1, "entries": [{"id": "x", "content": {"uri": URI, "entry_type": "Totp", "name": "b"}, "note": "n"}]}),
        ),
        (
            "stratum",
            json!({"Authenticators": [{"Type": 2, "Issuer": "A", "Username": "b", "Secret": SECRET, "Algorithm": 0, "Digits": 6, "Period": 30, "Counter": 0}], "Categories": [{"Id": "c", "Name": "t"}], "AuthenticatorCategories": [{"CategoryId": "c", "AuthenticatorSecret": SECRET}]}),
        ),
        (
            "lastpass-authenticator",
            json!({"version": 3, "accounts": [{"issuerName": "A", "userName": "b", "secret": SECRET, "folderData": {"folderId": 1}, "isFavorite": true}], "folders": [{"id": 1, "name": "t"}]}),
        ),
        (
            "raivo",
            json!([{"issuer": "A", "account": "b", "secret": SECRET, "kind": "TOTP", "timer": "30", "counter": "0", "digits": "6", "pinned": "true"}]),
        ),
        (
            "2fauth",
            json!({"app": "2fauth_v5", "schema": 1, "data": [{"otp_type": "totp", "service": "A", "account": "b", "secret": SECRET, "period": null}]}),
        ),
        (
            "2fauth",
            json!({"app": "2fauth_v5", "data": [{"uri": URI}]}),
        ),
        (
            "authenticator.cc",
            json!({"x": {"issuer": "A::a.example", "account": "b", "secret": SECRET, "type": "totp", "hash": "x", "encrypted": false, "index": 0, "dataType": "OTPStorage"}}),
        ),
        (
            "cotp",
            json!({"version": 2, "elements": [{"secret": SECRET, "issuer": "A", "label": "b", "type": "TOTP", "algorithm": "SHA1", "digits": 6, "period": 30, "tags": ["t"]}]}),
        ),
        ("cotp", json!({"items": [URI]})),
        (
            "authme",
            json!({"role": "export", "encrypted": false, "codes": to_base64(format!("Name: b\nSecret: {SECRET}\nIssuer: A\nType: OTP_TOTP\n").as_bytes()), "version": 3}),
        ),
        (
            "duo",
            json!([{"accountType": "OtpAccount", "name": "A:b", "otpGenerator": {"otpSecret": SECRET, "counter": 3}}]),
        ),
        (
            "firefox-two-factor",
            json!({"otp_list": [{"name": "A:b", "key": SECRET}]}),
        ),
        (
            "cxf",
            json!({"version": {"major": 1}, "exporterRpId": "e", "accounts": [{"collections": [{"title": "t", "items": [{"item": "i"}]}], "items": [{"id": "i", "title": "A", "credentials": [{"type": "basic-auth", "username": {"value": "b"}}, {"type": "totp", "secret": SECRET, "period": 30, "digits": 6, "algorithm": "sha1"}]}]}]}),
        ),
        (
            "enpass",
            json!({"folders": [{"uuid": "f", "title": "t"}], "items": [{"title": "A", "folders": ["f"], "fields": [{"type": "username", "value": "b"}, {"type": "totp", "value": SECRET}]}]}),
        ),
        (
            "keeper",
            json!({"records": [{"title": "A", "login": "b", "folders": [{"folder": "t"}], "custom_fields": {"$oneTimeCode": [URI], "TFC:Keeper": ""}}]}),
        ),
        (
            "gnome-authenticator",
            json!([{"secret": SECRET, "label": "A:b", "type": "TOTP", "digits": 6, "tags": ["t"]}]),
        ),
        (
            "authy-script",
            json!([{"name": "A:b", "secret": SECRET, "uri": URI}]),
        ),
        (
            "authy-script",
            json!({"decrypted_authenticator_tokens": [{"name": "A: b", "issuer": "A", "decrypted_seed": SECRET, "digits": 6}]}),
        ),
    ]
}

#[test]
fn a_small_file_of_each_is_known_by_what_is_in_it() {
    for (id, file) in plain() {
        // Nothing tells it from an old list of andOTP, which reads it as well.
        let from = by_id(id).filter(|format| format.id == "gnome-authenticator");
        let reading = read_as(file.to_string().as_bytes(), from, None);
        let reading = reading.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(reading.format.id, id);
        assert_eq!(reading.contents.remarks, [], "{id}");
        assert_eq!(accounts(reading), ["A:b"], "{id}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_told_and_not_taken() {
    for (id, file) in plain() {
        let text = file.to_string();
        for end in 0..text.len() {
            let cut = read(&text.as_bytes()[..end], None);
            assert!(cut.is_err(), "{id}: {end}");
        }
    }
}

/// Every place in a JSON value, as the steps that lead there.
fn places(value: &Value) -> Vec<String> {
    let mut places = vec![String::new()];
    let mut inner = |key: String, value: &Value| {
        places.extend(
            self::places(value)
                .into_iter()
                .map(|rest| format!("/{key}{rest}")),
        );
    };
    match value {
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                inner(index.to_string(), value);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                inner(key.replace('~', "~0").replace('/', "~1"), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    places
}

#[test]
fn any_value_in_any_place_is_answered() {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(18446744073709551615u64),
        json!(""),
        json!("é:"),
        json!([]),
        json!([null, 1, "x", [], {}]),
        json!({}),
    ];
    for (id, file) in plain() {
        let format = by_id(id).unwrap();
        for place in places(&file) {
            for value in &odd {
                let mut file = file.clone();
                *file.pointer_mut(&place).unwrap() = value.clone();
                let bytes = file.to_string();
                for from in [None, Some(format)] {
                    if let Ok(reading) = read_as(bytes.as_bytes(), from, Some("x")) {
                        accounts(reading);
                    }
                }
            }
        }
    }
}

#[test]
fn one_bad_account_stops_nothing_else() {
    let file = json!({"schemaVersion": 2, "services": [
        {"name": "A", "secret": "1", "otp": {}},
        {"name": "B", "otp": {"algorithm": "MD5"}, "secret": SECRET},
        {"name": "C", "otp": {"tokenType": "PUSH"}, "secret": SECRET},
        {"name": "D"},
        {"name": "E", "secret": SECRET, "otp": {"label": "E:f"}},
        7,
    ]});
    let reading = read(file.to_string().as_bytes(), None).ok().unwrap();
    let classes = [
        "bad_secret",
        "bad_algorithm",
        "bad_type",
        "missing_secret",
        "E:f",
        "missing_secret",
    ];
    assert_eq!(accounts(reading), classes);
    let file = json!({"Authenticators": [{"Type": 9, "Secret": SECRET}, {"Type": 2, "Algorithm": 7, "Secret": SECRET}, {"Type": 3, "Issuer": "M", "Secret": "not hexadecimal", "Pin": "1"}]});
    let reading = read(file.to_string().as_bytes(), None).ok().unwrap();
    assert_eq!(
        accounts(reading),
        ["bad_type", "bad_algorithm", "bad_secret"]
    );
}

#[test]
fn a_newer_version_in_clear_is_read_with_a_remark() {
    for (id, key, version) in [
        ("2fas", "schemaVersion", 99),
        ("proton-authenticator", "version", 9),
        ("lastpass-authenticator", "version", 9),
        ("2fauth", "schema", 9),
        ("cotp", "version", 9),
        ("authme", "version", 9),
    ] {
        let (_, mut file) = plain().into_iter().find(|(known, _)| *known == id).unwrap();
        file[key] = version.into();
        let reading = read(file.to_string().as_bytes(), None).ok().unwrap();
        let remarks = &reading.contents.remarks;
        assert!(matches!(remarks[..], [Remark::NewerVersion(_)]), "{id}");
        assert_eq!(accounts(reading), ["A:b"], "{id}");
    }
}

/// A sealed file of each format, under the passphrase "right". Their keys are as dear as the apps make them: made once.
fn sealed() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: OnceLock<Vec<(&'static str, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(seal)
}

fn seal() -> Vec<(&'static str, Vec<u8>)> {
    let file = |id: &str| {
        let (_, file) = plain().into_iter().find(|(known, _)| *known == id).unwrap();
        file
    };
    let joined = |parts: &[&[u8]]| parts.concat();
    let (right, salt16, nonce) = (b"right".as_slice(), [7; 16], [9; 12]);
    let mut files = Vec::new();

    let key = Pbkdf2::Sha256.derive(right, &salt16, 10_000, 32).unwrap();
    let seal = |text: &str| {
        let sealed = gcm_seal(&key, &nonce, b"", text.as_bytes()).unwrap();
        [sealed.as_slice(), &salt16, &nonce]
            .map(to_base64)
            .join(":")
    };
    let services = file("2fas")["services"].to_string();
    let backup = json!({"schemaVersion": 4, "services": [], "servicesEncrypted": seal(&services), "reference": seal("the same text")});
    files.push(("2fas", backup.to_string().into_bytes()));

    let argon2id = Argon2id {
        kib: 64,
        passes: 1,
        lanes: 1,
    };
    let key = argon2id.derive(right, &salt16, 32).unwrap();
    let (header, text) = secretstream_seal(&key, URI.as_bytes()).unwrap();
    let params = json!({"memLimit": 64 * 1024, "opsLimit": 1, "salt": to_base64(&salt16)});
    let export = json!({"version": 1, "kdfParams": params, "encryptedData": to_base64(&text), "encryptionNonce": to_base64(&header)});
    files.push(("ente", export.to_string().into_bytes()));

    let argon2id = Argon2id {
        kib: 19456,
        passes: 2,
        lanes: 1,
    };
    let key = argon2id.derive(right, &salt16, 32).unwrap();
    let text = file("proton-authenticator").to_string();
    let text = gcm_seal(
        &key,
        &nonce,
        b"proton.authenticator.export.v1",
        text.as_bytes(),
    )
    .unwrap();
    let export = json!({"version": 1, "salt": to_base64(&salt16), "content": to_base64(&joined(&[&nonce, &text]))});
    files.push(("proton-authenticator", export.to_string().into_bytes()));

    let argon2id = Argon2id {
        kib: 65536,
        passes: 3,
        lanes: 4,
    };
    let key = argon2id.derive(right, &salt16, 32).unwrap();
    let text = file("stratum").to_string();
    let strong = gcm_seal(&key, &nonce, b"", text.as_bytes()).unwrap();
    files.push((
        "stratum",
        joined(&[b"AUTHENTICATORPRO", &salt16, &nonce, &strong]),
    ));
    let key = Pbkdf2::Sha1.derive(right, &[7; 20], 64_000, 32).unwrap();
    let legacy = cbc_seal(&key, &salt16, text.as_bytes()).unwrap();
    files.push((
        "stratum",
        joined(&[b"AuthenticatorPro", &[7; 20], &salt16, &legacy]),
    ));

    let argon2id = Argon2id {
        kib: 32768,
        passes: 4,
        lanes: 4,
    };
    let key = argon2id.derive(right, &salt16, 32).unwrap();
    let text = xchacha_seal(&key, &[9; 24], b"", file("cotp").to_string().as_bytes()).unwrap();
    let database = json!({"version": 1, "nonce": to_base64(&[9; 24]), "salt": to_base64(&salt16), "cipher": to_base64(&text)});
    files.push(("cotp", database.to_string().into_bytes()));
    files
}

#[test]
fn what_is_sealed_opens_with_its_passphrase_alone_and_says_when_it_is_damaged() {
    for (id, file) in sealed() {
        let failed = |bytes: &[u8], passphrase| read(bytes, passphrase).err().unwrap();
        let reading = read(file, Some("right")).ok().unwrap();
        assert_eq!(reading.format.id, *id);
        assert_eq!(accounts(reading), ["A:b"], "{id}");
        assert_eq!(failed(file, None), ImportError::NeedsPassphrase, "{id}");
        assert_eq!(
            failed(file, Some("wrong")),
            ImportError::WrongPassphrase,
            "{id}"
        );
        for end in [1, 15, 17, 32, 37, 60] {
            assert!(read(&file[..end.min(file.len() - 1)], Some("right")).is_err());
        }
    }
}

/// A sealed file in JSON with one value changed.
fn changed(id: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let (_, file) = sealed().iter().find(|(known, _)| *known == id).unwrap();
    let mut file: Value = serde_json::from_slice(file).unwrap();
    change(&mut file);
    file.to_string().into_bytes()
}

#[test]
fn damage_of_a_sealed_file_is_not_called_a_wrong_passphrase_where_it_can_be_told() {
    let class = |bytes: &[u8]| read(bytes, Some("right")).err().unwrap().class();
    let altered = changed("2fas", |file| {
        let text = file["servicesEncrypted"]
            .as_str()
            .unwrap()
            .replacen(':', "AA:", 1);
        file["servicesEncrypted"] = text.into();
    });
    assert_eq!(class(&altered), "bad_file");
    for (id, key, value) in [
        ("2fas", "servicesEncrypted", json!("AAAA")),
        ("ente", "encryptionNonce", json!("AAAA")),
        ("ente", "encryptedData", json!("AAAA")),
        ("ente", "kdfParams", json!({})),
        ("proton-authenticator", "content", json!("AAAA")),
        ("proton-authenticator", "salt", json!("!")),
        ("cotp", "nonce", json!("AAAA")),
    ] {
        let bytes = changed(id, |file| file[key] = value.clone());
        assert_eq!(class(&bytes), "bad_file", "{id} {key}");
    }
    for id in ["ente", "proton-authenticator", "cotp"] {
        let bytes = changed(id, |file| file["version"] = 9.into());
        assert_eq!(class(&bytes), "bad_version", "{id}");
    }
    for (key, value) in [
        ("memLimit", json!(1u64 << 42)),
        ("memLimit", json!(0)),
        ("opsLimit", json!(1u64 << 31)),
    ] {
        let bytes = changed("ente", |file| file["kdfParams"][key] = value.clone());
        assert_eq!(class(&bytes), "kdf_params_out_of_range", "{key}");
    }
}

/// Sealed as Bitwarden does, under PBKDF2 with one round.
fn bitwarden(validation: &str) -> Value {
    let key = Pbkdf2::Sha256.derive(b"right", b"salt", 1, 32).unwrap();
    let (cipher, mac) = (
        crate::cipher::hkdf_expand(&key, b"enc"),
        crate::cipher::hkdf_expand(&key, b"mac"),
    );
    let seal = |text: &str| {
        let (iv, text) = (
            [3; 16],
            cbc_seal(&cipher, &[3; 16], text.as_bytes()).unwrap(),
        );
        let mac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &mac);
        let tag = ring::hmac::sign(&mac, &[iv.as_slice(), &text].concat());
        format!(
            "2.{}|{}|{}",
            to_base64(&iv),
            to_base64(&text),
            to_base64(tag.as_ref())
        )
    };
    let (_, vault) = plain()
        .into_iter()
        .find(|(id, _)| *id == "bitwarden")
        .unwrap();
    json!({"encrypted": true, "passwordProtected": true, "salt": "salt", "kdfType": 0, "kdfIterations": 1,
        "encKeyValidation_DO_NOT_EDIT": seal(validation), "data": seal(&vault.to_string())})
}

#[test]
fn bitwardens_password_and_what_it_protects() {
    let file = bitwarden("check");
    let class = |change: &dyn Fn(&mut Value), passphrase| {
        let mut file = file.clone();
        change(&mut file);
        match read(file.to_string().as_bytes(), passphrase) {
            Ok(reading) => accounts(reading).join(","),
            Err(error) => error.class().to_owned(),
        }
    };
    let right = Some("right");
    assert_eq!(class(&|_| (), right), "A:b");
    assert_eq!(class(&|_| (), Some("wrong")), "wrong_password");
    assert_eq!(class(&|_| (), None), "need_password");
    let without = |file: &mut Value| {
        drop(
            file.as_object_mut()
                .unwrap()
                .remove("encKeyValidation_DO_NOT_EDIT"),
        )
    };
    assert_eq!(class(&without, right), "A:b");
    assert_eq!(class(&without, Some("wrong")), "wrong_password");
    let data = |file: &mut Value| {
        file["data"] = file["data"].as_str().unwrap().replacen('|', "A|", 2).into()
    };
    assert_eq!(class(&data, right), "bad_file");
    let account = |file: &mut Value| file["passwordProtected"] = Value::Null;
    assert_eq!(class(&account, right), "account_restricted");
    for (key, value, expected) in [
        ("kdfType", json!(9), "bad_version"),
        ("kdfType", json!(null), "bad_file"),
        ("kdfIterations", json!(0), "kdf_params_out_of_range"),
        (
            "kdfIterations",
            json!(2_147_483_647),
            "kdf_params_out_of_range",
        ),
        ("data", json!("0.AAAA|AAAA"), "bad_version"),
        ("data", json!("2.AAAA|AAAA"), "bad_file"),
        ("data", json!("x"), "bad_file"),
        ("data", json!(null), "bad_file"),
    ] {
        let change = |file: &mut Value| file[key] = value.clone();
        assert_eq!(class(&change, right), expected, "{key} {value}");
    }
    let bomb = |file: &mut Value| {
        file["kdfType"] = 1.into();
        file["kdfMemory"] = (1 << 20).into();
        file["kdfParallelism"] = 4.into();
    };
    assert_eq!(class(&bomb, right), "kdf_params_out_of_range");
    let negative = |file: &mut Value| {
        bomb(file);
        file["kdfMemory"] = (-1).into();
    };
    assert_eq!(class(&negative, right), "kdf_params_out_of_range");
}

#[test]
fn what_holds_no_code_is_counted_by_kind() {
    let file = json!({"encrypted": false, "items": [
        {"type": 1, "login": {"totp": null}}, {"type": 1, "login": {"fido2Credentials": [{}]}}, {"type": 2}, {"type": 3}, {"type": 4},
        {"type": 5}, {"type": 77}, {"type": 1, "login": {"totp": SECRET}, "deletedDate": "2024"},
        {"type": 1, "name": "A", "login": {"username": "b", "totp": ""}, "fields": [{"value": URI}, {"value": "x"}]},
    ]});
    let reading = read(file.to_string().as_bytes(), None).ok().unwrap();
    let skipped: Vec<(&str, usize)> = reading
        .contents
        .skipped
        .iter()
        .map(|(other, count)| (other.class(), *count))
        .collect();
    assert_eq!(
        skipped,
        [
            ("password", 1),
            ("passkey", 1),
            ("note", 1),
            ("card", 2),
            ("key", 1),
            ("trashed", 1),
            ("other", 1)
        ]
    );
    assert_eq!(accounts(reading), ["A:b"]);
}

#[test]
fn a_word_after_from_means_one_format() {
    let mut words: Vec<String> = FORMATS
        .iter()
        .flat_map(|format| std::iter::once(&format.id).chain(format.also))
        .map(|word| word.to_lowercase())
        .collect();
    let count = words.len();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), count, "{words:?}");
    for format in FORMATS {
        assert!(format.how.contains("vmfa import"), "{}", format.id);
        assert!(
            format.how.lines().all(|line| line.len() <= 130),
            "{}",
            format.id
        );
    }
}

#[test]
fn what_stands_behind_a_header_and_behind_an_ampersand() {
    let table = "folder,favorite,type,name,login_uri,login_totp\n\
                 ,,1,Bare,,JBSWY3DPEHPK3PXP,Issuer,60,8\n\
                 ,,1,Odd,,JBSWY3DPEHPK3PXP,Issuer,x,8\n";
    let rows = read(table.as_bytes(), None).unwrap().contents.rows;
    let words: Vec<[String; 3]> = rows
        .into_iter()
        .map(|row| {
            let draft = row.ok().unwrap();
            [draft.issuer, draft.period, draft.digits].map(Option::unwrap_or_default)
        })
        .collect();
    assert_eq!(words[0], ["Issuer", "60", "8"]);
    assert_eq!(words[1], ["Odd", "", ""]);

    let uri = "otpauth://totp/AT&T:me?secret=JBSWY3DPEHPK3PXP&issuer=AT&T";
    let file = json!({"app": "2fauth_v5", "schema": 1, "data": [{"uri": uri}]});
    let reading = read(file.to_string().as_bytes(), None).unwrap();
    assert_eq!(accounts(reading), ["AT&T:me"]);
}
