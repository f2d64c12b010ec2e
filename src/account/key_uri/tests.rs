//! Key URIs as they are found, and what becomes of them.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::account::text::clean_within;
use crate::account::{Account, AccountId, Draft, Drafted, MAX_LABEL, Refusal, Summary, Warning};
use crate::clock::UnixTime;
use crate::otp::{Algorithm, Digits, Hotp, Period, Scheme, Totp};
use crate::secret::{Secret, SecretText};

const NOW: UnixTime = UnixTime::from_secs(1_741_011_292);

fn account(uri: &str) -> Result<Drafted, Refusal> {
    read(uri).and_then(|draft| draft.into_account(NOW))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The word that the vectors use for a warning.
fn word(warning: &Warning) -> &'static str {
    match warning {
        Warning::WeakSecret { .. } => "weak_secret",
        Warning::MissingCounter => "missing_counter",
        Warning::MissingPin => "missing_pin",
        Warning::Ignored(_) => "ignored",
        Warning::LongPeriod(_) => "long_period",
        Warning::InvalidUtf8(_) => "invalid_utf8",
        Warning::Cleaned(_) => "cleaned",
        Warning::Shortened(_) => "shortened",
        Warning::LeftOut(_) => "left_out",
        Warning::Repeated(_) => "repeated",
        Warning::GuessedEncoding(_) => "guessed_encoding",
    }
}

/// An account in the words of the vectors.
fn in_words(account: &Account) -> Value {
    let Summary {
        issuer,
        name,
        label_issuer,
        scheme,
        counter,
        tags,
        note,
        favorite,
        image,
        trashed,
        ..
    } = &account.summary;
    let mut words = serde_json::json!({
        "type": scheme.name(), "issuer": issuer, "name": name, "algorithm": scheme.algorithm_name(),
        "digits": scheme.digits(), "secret_hex": hexadecimal(account.secret.expose()),
    });
    let mut put = |key: &str, value: Value| words[key] = value;
    if let Some(period) = scheme.period() {
        put("period", period.into());
    }
    if scheme.t0() != 0 {
        put("t0", scheme.t0().into());
    }
    if let Some(counter) = counter {
        put("counter", (*counter).into());
    }
    if let Some(label_issuer) = label_issuer {
        put("label_issuer", label_issuer.as_str().into());
    }
    if let Some(image) = image {
        put("image", image.as_str().into());
    }
    if let Some(pin) = &account.pin {
        put("pin", pin.expose().into());
    }
    if !tags.is_empty() {
        put("tags", tags.as_slice().into());
    }
    if !note.is_empty() {
        put("note", note.as_str().into());
    }
    if *favorite {
        put("favorite", true.into());
    }
    if trashed.is_some() {
        put("trashed", true.into());
    }
    words
}

/// What a case expects beside what came, if they differ.
fn judge(case: &Value) -> Result<(), String> {
    let uri = case["uri"].as_str().ok_or("no URI")?;
    let made = match (account(uri), case["refused"].as_str()) {
        (Err(refusal), Some(class)) if refusal.class() == class => return Ok(()),
        (Err(refusal), expected) => {
            return Err(format!(
                "{} ({refusal}), expected {expected:?}",
                refusal.class()
            ));
        }
        (Ok(_), Some(class)) => return Err(format!("taken, expected {class}")),
        (Ok(made), None) => made,
    };
    // A picture's address is kept where the case doesn't say so, too.
    let mut words = in_words(&made.account);
    if case["account"].get("image").is_none() {
        words.as_object_mut().map(|words| words.remove("image"));
    }
    if words != case["account"] {
        return Err(format!("{words}, expected {}", case["account"]));
    }
    if let Some(expected) = case["warnings"].as_array() {
        let mut came: Vec<&str> = made.warnings.iter().map(word).collect();
        let mut expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
        came.sort_unstable();
        expected.sort_unstable();
        came.dedup();
        if came != expected {
            return Err(format!("warnings {came:?}, expected {expected:?}"));
        }
    }
    if let Some(code) = case["code"]["is"].as_str() {
        let generator = made
            .account
            .generator()
            .map_err(|error| error.to_string())?;
        let came = match (
            case["code"]["at"].as_u64(),
            case["code"]["counter"].as_u64(),
        ) {
            (Some(at), _) => generator.code_at(UnixTime::from_secs(at)),
            (None, counter) => generator.code_of_counter(counter.ok_or("no moment")?),
        };
        let came = came.map_err(|error| error.to_string())?;
        if came.as_str() != code {
            return Err(format!("code {}, expected {code}", came.as_str()));
        }
    }
    Ok(())
}

#[test]
fn every_case() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in include_str!("../../../vectors/key_uri/cases.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        cases += 1;
        if let Err(why) = judge(&case) {
            wrong.push(format!("{} {}: {why}", case["case"], case["uri"]));
        }
    }
    assert!(cases >= 250, "{cases} cases");
    assert!(
        wrong.is_empty(),
        "{} of {cases}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_refusal_says_where_and_what_and_nothing_of_the_secret() {
    for (uri, text) in [
        (
            "otpauth://totp/GitHub:me?secret=ABCDEFGHIJKLMNO1",
            "\"GitHub:me\", secret: character 16, '1', is not base32",
        ),
        (
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=six",
            "\"x\", digits: \"six\" is not a number",
        ),
        (
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&algorithm=GEZDGNBVGY3TQOJQ",
            "\"x\", algorithm: it is not an algorithm that codes are made with",
        ),
        (
            "otpauth://GEZDGNBVGY3TQOJQ/x",
            "\"x\", type: it is not a known type",
        ),
        (
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ:x",
            "text: it is not a Key URI (otpauth://…)",
        ),
        (
            "https://example.com",
            "text: it begins with https:, not with otpauth:",
        ),
        // The label ends where a secret begins, however it is encoded.
        (
            "otpauth://totp/x%253Fsecret%253DGEZDGNBVGY3TQOJQ",
            "\"x%3F\", secret: it is missing",
        ),
        (
            "otpauth://totp/x?secret=AAAA&issuer=K,otpauth://totp/M:n?secret=GEZDGNBVGY3TQOJQ",
            "\"K,:x\", issuer: two Key URIs run together",
        ),
        (
            "otpauth://totp/K:x,otpauth://totp/M:n?secret=GEZDGNBVGY3TQOJQ",
            "\"K:x,\", account name: two Key URIs run together",
        ),
        (
            "otpauth://totp/x?secret=AAAA===GEZDGNBVGY3TQOJQ",
            "\"x\", secret: character 8 follows the padding, where a secret ends",
        ),
        (
            "otpauth://totp/x?secret=JBSWY3DPEHРK3PXP",
            "\"x\", secret: character 11, 'Р', is not base32",
        ),
        (
            "steam://run/440",
            "secret: it is not a Steam secret, 20 bytes in base32 or base64",
        ),
    ] {
        let refusal = account(uri).err().unwrap();
        assert_eq!(refusal.to_string(), text);
        let debugged = format!("{refusal:?}").to_ascii_uppercase();
        assert!(!debugged.contains("GEZDGNBV"), "{debugged}");
    }
}

#[test]
fn what_is_too_long_is_refused_or_cut() {
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let long = "x".repeat(MAX_LEN);
    assert_eq!(
        read(&format!("otpauth://totp/{long}?secret={secret}"))
            .err()
            .unwrap()
            .class(),
        "bad_uri"
    );
    let long = "é".repeat(600);
    let drafted = account(&format!("otpauth://totp/{long}?secret={secret}"))
        .ok()
        .unwrap();
    assert_eq!(drafted.account.summary.name, "é".repeat(512));
    assert_eq!(
        drafted.warnings,
        [Warning::Shortened(crate::account::Field::Name)]
    );
}

#[test]
fn what_is_written_for_others() {
    let written = |uri: &str| {
        write(&account(uri).ok().unwrap().account)
            .expose()
            .to_owned()
    };
    let secret = "GEZDGNBVGY3TQOJQ";
    assert_eq!(
        written(&format!("otpauth://totp/Big%20Corp:a+b@c?secret={secret}")),
        format!(
            "otpauth://totp/Big%20Corp:a%2Bb%40c?secret={secret}&issuer=Big%20Corp&algorithm=SHA1&digits=6&period=30"
        )
    );
    assert_eq!(
        written(&format!(
            "otpauth://hotp/x?secret={secret}&counter=7&algorithm=SHA256&digits=8"
        )),
        format!("otpauth://hotp/x?secret={secret}&algorithm=SHA256&digits=8&counter=7")
    );
    assert_eq!(
        written(&format!("steam://{secret}")),
        format!(
            "otpauth://steam/Steam:?secret={secret}&issuer=Steam&algorithm=SHA1&digits=5&period=30"
        )
    );
    assert_eq!(
        written("motp://MOTP:me?secret=E3152AFEE62599C8"),
        "motp://MOTP:me?secret=e3152afee62599c8&issuer=MOTP"
    );
    assert_eq!(
        written("otpauth://yaotp/Yandex:me?secret=LA2V6KMCGYMWWVEW64RNP3JA3I&pin=7586"),
        "otpauth://yaotp/Yandex:me?secret=LA2V6KMCGYMWWVEW64RNP3JA3I&issuer=Yandex&algorithm=SHA256&digits=8&period=30&pin=G42TQNQ"
    );
    assert_eq!(
        written(&format!(
            "otpauth://totp/Tenant:me?secret={secret}&issuer=Microsoft"
        )),
        format!(
            "otpauth://totp/Tenant:me?secret={secret}&issuer=Microsoft&algorithm=SHA1&digits=6&period=30"
        )
    );
}

/// Labels of every kind of trouble: separators, escapes, spaces, emoji.
fn label() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9]{1,8}",
        Just(":".into()),
        Just("%".into()),
        Just("%3A".into()),
        Just("#".into()),
        Just("?".into()),
        Just("&".into()),
        Just("&amp;".into()),
        Just("+".into()),
        Just(" ".into()),
        Just("/".into()),
        Just("=".into()),
        Just("@".into()),
        Just("\"".into()),
        Just("🏴‍☠️".into()),
        Just("日本".into()),
        Just("Steam".into()),
        Just("null".into()),
        "\\PC{0,4}",
    ];
    // Accounts hold cleaned and trimmed labels, whoever made them.
    prop::collection::vec(piece, 0..6).prop_map(|pieces| clean_within(&pieces.concat(), MAX_LABEL))
}

#[test]
fn nothing_is_nothing_once_it_is_cleaned() {
    let issuer = |uri: &str| account(uri).unwrap().account.summary.issuer;
    assert_eq!(
        issuer("otpauth://totp/%00null:x?secret=JBSWY3DPEHPK3PXP&issuer=null"),
        ""
    );
    assert_eq!(
        issuer("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=no%00ne"),
        ""
    );
    assert_eq!(
        issuer("otpauth://yaotp/x?secret=LA2V6KMCGYMWWVEW64RNP3JA3I&pin=7586&issuer=%07"),
        "Yandex"
    );
}

fn scheme() -> impl Strategy<Value = Scheme> {
    let algorithm = prop::sample::select(Algorithm::ALL.to_vec());
    let digits = (1u64..=10).prop_map(|digits| Digits::new(digits).unwrap());
    let period = prop_oneof![Just(30u64), 1u64..=u64::from(u32::MAX)]
        .prop_map(|period| Period::new(period).unwrap());
    let t0 = prop_oneof![3 => Just(0u64), 1 => any::<u64>()];
    prop_oneof![
        4 => (algorithm.clone(), digits.clone(), period, t0)
            .prop_map(|(algorithm, digits, period, t0)| Scheme::Totp(Totp { algorithm, digits, period, t0 })),
        2 => (algorithm, digits).prop_map(|(algorithm, digits)| Scheme::Hotp(Hotp { algorithm, digits })),
        1 => Just(Scheme::Steam),
        1 => Just(Scheme::Motp),
        1 => Just(Scheme::Yandex),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_written_is_read_back(
        scheme in scheme(),
        (issuer, name, prefix, image) in (label(), label(), label(), label()),
        bytes in prop::collection::vec(any::<u8>(), 16..80),
        counter in any::<u64>(),
        pin in "[0-9]{4,16}",
    ) {
        // What a draft never makes: an issuer, a prefix or a picture with the name of nothing.
        let [issuer, prefix, image] = [issuer, prefix, image]
            .map(|word| if word == "null" { String::new() } else { word });
        // Nor a label that holds the beginning of another URI (`Steam` `:` `//`).
        for word in [&issuer, &image, &format!("{issuer}:{name}"), &format!("{prefix}:{name}")] {
            prop_assume!(!holds_uri(word));
        }
        // Nor a prefix without an issuer or the same as it, nor a Yandex account of nobody.
        let issuer = if issuer.is_empty() && scheme == Scheme::Yandex { "Yandex".into() } else { issuer };
        let label_issuer = Some(prefix).filter(|prefix| !prefix.is_empty() && !issuer.is_empty() && *prefix != issuer);
        let bytes = if scheme == Scheme::Yandex { bytes[..16].to_vec() } else { bytes };
        let account_before = Account {
            summary: Summary {
                id: AccountId::from_bytes([0; 16]),
                issuer,
                name,
                label_issuer,
                counter: matches!(scheme, Scheme::Hotp(_)).then_some(counter),
                scheme: scheme.clone(),
                tags: Vec::new(),
                note: String::new(),
                favorite: false,
                confirm: false,
                serial_number: None,
                image: Some(image).filter(|image| !image.is_empty()),
                added: NOW.secs(),
                trashed: None,
                conflict: false,
            },
            secret: Secret::new(bytes),
            pin: (scheme == Scheme::Yandex).then(|| SecretText::new(pin)),
        };
        let uri = write(&account_before);
        prop_assert!(uri.expose().is_ascii());
        let drafted = account(uri.expose()).map_err(|refusal| TestCaseError::fail(format!("{refusal}: {}", uri.expose())))?;
        prop_assert_eq!(in_words(&drafted.account), in_words(&account_before), "{}", uri.expose());
    }

    #[test]
    fn two_uris_are_never_one_account(between in "[\\PC\\x00-\\x1f]{0,4}", last in "secret=GEZDGNBV|issuer=K|steam|digits=6|image=|codeDisplay=%7B%7D|x=y") {
        let first = format!("otpauth://totp/x?secret=GEZDGNBV&{last}");
        let second = "otpauth://totp/M:n?secret=JBSWY3DPEHPK3PXP&issuer=M";
        let refusal = account(&format!("{first}{between}{second}")).err();
        let refusal = refusal.ok_or_else(|| TestCaseError::fail("taken"))?;
        prop_assert!(!format!("{refusal} {refusal:?}").contains("JBSW"), "{}", refusal);
    }

    #[test]
    fn any_text_is_answered(text in prop_oneof![any::<String>(), "(otpauth|steam|motp)://(totp|hotp|steam|yaotp)?/?.{0,40}\\?secret=[A-Z2-7]{0,40}.{0,40}"]) {
        if let Ok(drafted) = account(&text) {
            for shown in [&drafted.account.summary.issuer, &drafted.account.summary.name] {
                prop_assert!(!shown.chars().any(char::is_control));
            }
        }
    }
}

#[test]
fn a_draft_shows_the_label_it_will_have() {
    let draft: Draft = read("otpauth://totp/Prefix:%1Bme?secret=AA").ok().unwrap();
    assert_eq!(draft.label(), "Prefix:me");
}
