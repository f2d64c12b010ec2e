//! Words in, an account or a refusal out.

use super::*;
use crate::failure::{Fails, Kind};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn text(secret: &str) -> Option<SecretText> {
    Some(SecretText::new(secret.into()))
}

fn word(word: &str) -> Option<String> {
    Some(word.into())
}

/// A draft that is an account as it stands.
fn draft() -> Draft {
    Draft {
        name: word("me"),
        secret: text("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ..Draft::default()
    }
}

fn refused(draft: Draft) -> Refusal {
    draft.into_account(NOW).err().unwrap()
}

fn taken(draft: Draft) -> Drafted {
    draft.into_account(NOW).ok().unwrap()
}

#[test]
fn what_is_absent_is_the_default() {
    let Drafted { account, warnings } = taken(draft());
    assert_eq!(account.summary.scheme, Scheme::Totp(Totp::default()));
    assert_eq!(account.secret.expose(), b"12345678901234567890");
    assert_eq!(
        (account.summary.added, account.summary.trashed),
        (NOW.secs(), None)
    );
    assert_eq!(warnings, []);
    assert_ne!(account.summary.id, taken(draft()).account.summary.id);
}

#[test]
fn a_zero_is_an_error_in_a_uri_and_the_default_in_a_file() {
    let zeros = |zero_means| Draft {
        digits: word("0"),
        period: word(" 0 "),
        zero_means,
        ..draft()
    };
    assert_eq!(refused(zeros(ZeroMeans::Error)).class(), "bad_digits");
    let scheme = taken(zeros(ZeroMeans::TheDefault)).account.summary.scheme;
    assert_eq!(scheme, Scheme::Totp(Totp::default()));
}

#[test]
fn secrets_in_every_writing() {
    let read = |kind: &str, secret: &str, secret_encoding| {
        let drafted = Draft {
            kind: word(kind),
            secret: text(secret),
            secret_encoding,
            ..Draft::default()
        }
        .into_account(NOW);
        drafted
            .map(|drafted| drafted.account.secret.expose().to_vec())
            .map_err(|refusal| refusal.to_string())
    };
    use SecretEncoding::{AsUsual, Base32, Base32OfHex, Base64, Hex};
    let hello = Ok(b"Hello!\xde\xad\xbe\xef".to_vec());
    assert_eq!(read("totp", "jbsw y3dp ehpk 3pxp", AsUsual), hello);
    assert_eq!(read("totp", "48656C6C6F21 deadbeef", Hex), hello);
    assert_eq!(read("totp", "48:65:6c:6c:6f:21:de:ad:be:ef", Hex), hello);
    assert_eq!(read("totp", "SGVsbG8h3q2+7w==", Base64), hello);
    assert_eq!(read("motp", "48656c6c6f21deadbeef", AsUsual), hello);
    assert_eq!(read("motp", "JBSWY3DPEHPK3PXP", Base32), hello);
    // "48656c6c6f21deadbeef" as text, in base32.
    assert_eq!(
        read("motp", "GQ4DMNJWMM3GGNTGGIYWIZLBMRRGKZLG", Base32OfHex),
        hello
    );
    assert_eq!(
        read("motp", "GQ4P6", Base32OfHex),
        Err("secret: character 3, '�', is not hexadecimal".into())
    );
    assert_eq!(
        read("totp", "4865x", Hex),
        Err("secret: character 5, 'x', is not hexadecimal".into())
    );
    assert_eq!(
        read("totp", "486", Hex),
        Err("secret: an odd number of hexadecimal digits".into())
    );
    assert_eq!(
        read("totp", "SGV$", Base64),
        Err("secret: at character 4 it is not base64".into())
    );
    for (blank, encoding) in [
        ("-", AsUsual),
        (" ", Hex),
        ("::", Hex),
        ("=", Base64),
        ("", Base32),
    ] {
        assert_eq!(
            read("totp", blank, encoding),
            Err("secret: it is empty".into()),
            "{blank:?}"
        );
    }
}

#[test]
fn steam_secrets_are_told_apart_by_case_and_length() {
    let read = |secret: &str| {
        let drafted = Draft {
            kind: word("steam"),
            secret: text(secret),
            ..Draft::default()
        };
        taken(drafted).account.secret.expose().to_vec()
    };
    let twenty: Vec<u8> = (1..=20).collect();
    assert_eq!(read("AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYU"), twenty);
    assert_eq!(read("aebagbafaydqqcikbmga2dqpcaireeyu"), twenty);
    assert_eq!(
        read("AebagbafaydqQCIKBMGA2DQPCAIREEYU"),
        twenty,
        "twenty bytes only as base32"
    );
    assert_eq!(read("AQIDBAUGBwgJCgsMDQ4PEBESExQ="), twenty);
    // All letters of base32 if case doesn't matter, and still base64.
    assert_eq!(read("AQIDBAUGBwgJCgsMDQAPEBESExQ").len(), 20);
}

#[test]
fn the_bytes_of_a_source_win_and_are_bounded() {
    let with = |bytes: Vec<u8>| Draft {
        secret_bytes: Some(Secret::new(bytes)),
        secret: text("!"),
        ..Draft::default()
    };
    assert_eq!(taken(with(vec![7; 20])).account.secret.expose(), [7; 20]);
    assert_eq!(refused(with(Vec::new())).class(), "empty_secret");
    assert_eq!(refused(with(vec![7; 2561])).class(), "bad_secret");
    assert_eq!(refused(Draft::default()).class(), "missing_secret");
}

#[test]
fn a_pin_is_kept_where_the_scheme_has_one() {
    let with = |kind: &str, pin: &str| Draft {
        kind: word(kind),
        secret_bytes: Some(Secret::new(vec![7; 26])),
        pin: text(pin),
        ..Draft::default()
    };
    let yandex = taken(with("Yandex", "7586"));
    assert_eq!(yandex.account.secret.len(), 16);
    assert_eq!(yandex.account.pin.unwrap().expose(), "7586");
    assert_eq!(taken(with("yaotp", "")).warnings, [Warning::MissingPin]);
    let totp = taken(with("totp", "7586"));
    assert!(totp.account.pin.is_none());
    assert_eq!(totp.warnings, [Warning::Ignored(Field::Pin)]);
    assert_eq!(taken(with("totp", "")).warnings, []);
    assert_eq!(refused(with("motp", &"1".repeat(257))).class(), "bad_pin");
}

#[test]
fn what_a_type_has_no_use_for_is_told_unless_it_says_nothing() {
    let with = |kind: &str, counter: &str, period: &str, t0: &str| {
        let drafted = taken(Draft {
            kind: word(kind),
            counter: word(counter),
            period: word(period),
            t0: word(t0),
            ..draft()
        });
        drafted.warnings
    };
    use Field::{Counter, Period, T0};
    assert_eq!(with("totp", "5", "", ""), [Warning::Ignored(Counter)]);
    assert_eq!(with("steam", "5", "60", ""), [Warning::Ignored(Counter)]);
    let both = [Period, T0].map(Warning::Ignored);
    assert_eq!(with("hotp", "5", "60", "7"), both);
    // As files write it where there is none.
    assert_eq!(with("totp", "0", "30", "0"), []);
    assert_eq!(with("totp", "null", "60", "7"), []);
    assert_eq!(with("hotp", "5", " 30 ", "0"), []);
    assert_eq!(with("hotp", "0", "0", ""), []);
}

#[test]
fn labels_are_cleaned_trimmed_and_cut() {
    let Drafted { account, warnings } = taken(Draft {
        issuer: word(" A\u{1b}[2JB "),
        label_issuer: word("A[2JB"),
        note: word("one\ntwo"),
        tags: ["x", "x", " ", "y\u{202e}"].map(String::from).to_vec(),
        serial_number: word(" arn:aws:iam::123456789012:mfa/me "),
        trashed: true,
        ..draft()
    });
    let summary = account.summary;
    assert_eq!(
        (summary.issuer.as_str(), summary.label_issuer),
        ("A[2JB", None)
    );
    assert_eq!(summary.note, "one two");
    assert_eq!(summary.tags, ["x", "y"]);
    assert_eq!(
        summary.serial_number.as_deref(),
        Some("arn:aws:iam::123456789012:mfa/me")
    );
    assert_eq!(summary.trashed, Some(NOW.secs()));
    let cleaned = [Field::Issuer, Field::Note, Field::Tags].map(Warning::Cleaned);
    assert_eq!(warnings, cleaned);

    let many = taken(Draft {
        tags: (0..100).map(|tag| tag.to_string()).collect(),
        ..draft()
    });
    assert_eq!(many.account.summary.tags.len(), MAX_TAGS);
    assert_eq!(many.warnings, [Warning::Shortened(Field::Tags)]);
}

#[test]
fn a_refusal_tells_place_label_field_and_reason() {
    let refusal = refused(Draft {
        place: "row 14".into(),
        issuer: word("GitHub"),
        secret: text("AB1"),
        ..draft()
    });
    assert_eq!(
        refusal.to_string(),
        "row 14, \"GitHub:me\", secret: character 3, '1', is not base32"
    );
    assert!(refusal.hint().unwrap().contains("looks like"));
    assert_eq!(refusal.kind(), Kind::Usage);
    // What comes from outside is safe to print, whoever made the refusal.
    let refusal = Refusal {
        place: "a\u{1b}b".into(),
        label: "c\u{202e}d".into(),
        ..refusal
    };
    assert!(refusal.to_string().starts_with("ab, \"cd\", "));
}

#[test]
fn hints() {
    let hint = |draft: Draft| refused(draft).hint().unwrap_or_default();
    let secret = |secret: &str| Draft {
        secret: text(secret),
        ..draft()
    };
    assert!(hint(secret("0123456789abcdef0123")).contains("hexadecimal"));
    assert!(hint(secret("0")).contains("letter O"));
    let odd = |kind: &str, algorithm: &str| Draft {
        kind: word(kind),
        algorithm: word(algorithm),
        ..draft()
    };
    assert!(hint(odd("hotp2", "")).contains("totp, hotp"));
    assert!(hint(odd("totp", "MD5")).contains("SHA256"));
}

#[test]
fn warnings_are_sentences() {
    for (warning, text) in [
        (
            Warning::WeakSecret { bits: 80 },
            "the secret has only 80 bits; RFC 4226 asks for 128",
        ),
        (
            Warning::MissingCounter,
            "no counter is given; it starts at 0",
        ),
        (
            Warning::LongPeriod(3601),
            "a period of 3601 s is unusually long",
        ),
        (
            Warning::Cleaned(Field::Issuer),
            "issuer: control characters were taken out",
        ),
        (
            Warning::InvalidUtf8(Field::Name),
            "account name: bytes that are not UTF-8 were replaced",
        ),
    ] {
        assert_eq!(warning.to_string(), text);
    }
}
