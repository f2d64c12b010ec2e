//! Texts as they come out of QR codes.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::clock::UnixTime;

/// The samples that another program wrote.
fn samples() -> Vec<Value> {
    let lines = include_str!("../../vectors/migration/samples.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn in_words(draft: Result<Draft, Refusal>) -> Value {
    let drafted = match draft.and_then(|draft| draft.into_account(UnixTime::from_secs(0))) {
        Ok(drafted) => drafted,
        Err(refusal) => return serde_json::json!({ "refused": refusal.class() }),
    };
    let summary = &drafted.account.summary;
    let secret: String = drafted
        .account
        .secret
        .expose()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut words = serde_json::json!({
        "type": summary.scheme.name(), "issuer": summary.issuer, "name": summary.name,
        "algorithm": summary.scheme.algorithm_name(), "digits": summary.scheme.digits(), "secret_hex": secret,
    });
    if let Some(counter) = summary.counter {
        words["counter"] = counter.into();
    }
    assert!(summary.scheme.period().is_none_or(|period| period == 30));
    words
}

#[test]
fn every_migration() {
    let samples = samples();
    assert!(samples.len() >= 20);
    for sample in samples {
        match (
            read_text(sample["text"].as_str().unwrap()),
            sample["refused"].as_str(),
        ) {
            (Err(refusal), Some(class)) => assert_eq!(refusal.class(), class, "{}", sample["case"]),
            (Err(refusal), None) => panic!("{}: {refusal}", sample["case"]),
            (Ok(_), Some(_)) => panic!("{}: taken", sample["case"]),
            (Ok(read), None) => {
                let words: Vec<Value> = read.drafts.into_iter().map(in_words).collect();
                assert_eq!(Value::from(words), sample["accounts"], "{}", sample["case"]);
                let part = read.part.unwrap();
                let part = serde_json::json!({ "batch_id": part.batch_id, "index": part.index, "size": part.size });
                assert_eq!(part, sample["part"], "{}", sample["case"]);
            }
        }
    }
}

#[test]
fn a_key_uri_is_one_account_and_other_texts_are_none() {
    let read = read_text("otpauth://totp/x?secret=AA").ok().unwrap();
    assert_eq!((read.drafts.len(), read.part), (1, None));
    let read = read_text("otpauth://nonsense/x?secret=AA").ok().unwrap();
    assert_eq!(read.drafts[0].as_ref().err().unwrap().class(), "bad_type");
    for (text, class) in [
        ("", "not_a_uri"),
        ("hello", "not_a_uri"),
        (
            "https://example.com/otpauth://totp/x?secret=AA",
            "bad_scheme",
        ),
        (&"x".repeat(1 << 20), "bad_uri"),
        (
            &format!("otpauth-migration://offline?data={}", "A".repeat(1 << 20)),
            "bad_uri",
        ),
    ] {
        assert_eq!(read_text(text).err().unwrap().class(), class);
    }
}

/// A migration text of one account with this name, as a part.
fn part(name: &str, batch: u8, index: u8, size: u8) -> String {
    let mut account = vec![0x0a, 2, 1, 2, 0x12, name.len() as u8];
    account.extend(name.bytes());
    let mut message = vec![0x0a, account.len() as u8];
    message.extend(account);
    message.extend([0x18, size, 0x20, index, 0x28, batch]);
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::from("otpauth-migration://offline?data=");
    for chunk in message.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (i, byte)| {
            bits | u32::from(*byte) << (16 - 8 * i)
        });
        for place in 0..=chunk.len() {
            text.push(char::from(
                LETTERS[(bits >> (18 - 6 * place)) as usize & 63],
            ));
        }
    }
    text
}

fn names(collected: &Collected) -> Vec<&str> {
    let names = collected
        .rows
        .iter()
        .filter_map(|draft| draft.as_ref().ok()?.name.as_deref());
    names.collect()
}

#[test]
fn parts_find_each_other_in_any_order_and_once() {
    let (first, second, third) = (part("a", 9, 0, 3), part("b", 9, 1, 3), part("c", 9, 2, 3));
    let all = collect([
        ("", third.as_str()),
        ("", &first),
        ("", &third),
        ("", &second),
    ]);
    assert_eq!(names(&all), ["c", "a", "b"]);
    assert_eq!(all.batches.len(), 1);
    assert!(all.batches[0].is_complete());
    assert_eq!(all.batches[0].to_string(), "3 of 3 QR codes read");

    let two = collect([("", first.as_str()), ("", &third)]);
    assert_eq!(
        two.batches[0].to_string(),
        "2 of 3 QR codes read; part 2 is missing"
    );
    assert_eq!(two.batches[0].missing().collect::<Vec<_>>(), [2]);
    let one = collect([("", second.as_str())]);
    assert_eq!(
        one.batches[0].to_string(),
        "1 of 3 QR codes read; parts 1, 3 are missing"
    );
    assert!(!one.batches[0].is_complete());
}

#[test]
fn two_exports_under_one_number_are_both_kept() {
    let texts = [
        part("a", 0, 0, 2),
        part("x", 0, 0, 2),
        part("b", 0, 1, 2),
        part("x", 0, 0, 2),
    ];
    let collected = collect(texts.iter().map(|text| ("", text.as_str())));
    assert_eq!(names(&collected), ["a", "x", "b"]);
    assert_eq!(collected.batches.len(), 2);
    let other = [part("a", 1, 0, 1), part("a", 2, 0, 1)];
    assert_eq!(
        collect(other.iter().map(|text| ("", text.as_str())))
            .batches
            .len(),
        2
    );
}

#[test]
fn each_text_says_where_it_was_found() {
    let collected = collect([
        ("a.png", "otpauth://totp/x?secret=1"),
        ("b.png", "hello"),
        ("c.png", &part("p", 1, 0, 1)),
        ("", "otpauth://totp/y?secret=AA"),
    ]);
    let places: Vec<String> = collected
        .rows
        .iter()
        .map(|row| match row {
            Ok(draft) => draft.place.clone(),
            Err(refusal) => refusal.to_string(),
        })
        .collect();
    // In the order of the texts, whether they can be read or not.
    let unread = "b.png, text: it is not a Key URI (otpauth://…)";
    assert_eq!(places, ["a.png", unread, "c.png, account 1", ""]);
    let first = collected.rows.into_iter().next().unwrap().ok().unwrap();
    let refusal = first.into_account(UnixTime::from_secs(0)).err().unwrap();
    assert_eq!(
        refusal.to_string(),
        "a.png, \"x\", secret: character 1, '1', is not base32"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_message_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..120), good in any::<bool>()) {
        let mut text = part("name", 1, 0, 1);
        if !good {
            text.truncate("otpauth-migration://offline?data=".len());
        }
        for byte in bytes {
            text.push_str(&format!("%{byte:02X}"));
        }
        if let Ok(read) = read_text(&text) {
            for draft in read.drafts {
                in_words(draft);
            }
        }
    }

    #[test]
    fn a_migration_with_a_character_changed_is_answered(at in 33usize..60, letter in "[A-Za-z0-9+/=%]") {
        let mut text = part("some name", 1, 0, 1);
        text.replace_range(at..=at, &letter);
        if let Ok(read) = read_text(&text) {
            for draft in read.drafts {
                in_words(draft);
            }
        }
    }
}
