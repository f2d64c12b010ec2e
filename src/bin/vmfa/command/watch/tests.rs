//! What is drawn, in how much room.

use vmfa::otp::{Generator, Totp};
use vmfa::secret::Secret;

use super::*;

fn watched(issuer: &str, name: &str, digits: u64, at: u64) -> Watched {
    let params = vmfa::otp::Totp {
        digits: vmfa::otp::Digits::new(digits).expect("digits"),
        ..Totp::default()
    };
    let scheme = Scheme::Totp(params);
    let generator = Generator::new(
        &scheme,
        &Secret::new(b"12345678901234567890".to_vec()),
        None,
    );
    let generator = generator.expect("a generator");
    let code = |at| generator.code_at(UnixTime::from_secs(at)).expect("a code");
    Watched {
        present: code(at),
        next: Some(code(at + 30)),
        summary: Summary {
            scheme,
            ..crate::fixture::account([7; 16], issuer, name)
        },
    }
}

fn drawn(watched: &[Watched], now: (u64, u16), columns: usize) -> Vec<String> {
    let now = UnixTime::from_parts(now.0, now.1).expect("a moment");
    let lines = view::texts(watched, now, columns, false);
    lines.iter().map(|line| line.to_string()).collect()
}

/// The codes are those of RFC 4226, appendix D: counters 1 and 2.
#[test]
fn one_account_fits_into_twenty_by_two() {
    let one = [watched("GitHub", "me@example.com", 6, 30)];
    for (now, expected) in [
        ((30, 0), "287 082 30s"),
        ((30, 1), "287 082 30s"),
        ((31, 0), "287 082 29s"),
        ((49, 999), "287 082 11s"),
        ((50, 0), "287 082 10s >359 152"),
        ((59, 999), "287 082  1s >359 152"),
    ] {
        assert_eq!(drawn(&one, now, 20), ["GitHub:me@example.c…", expected]);
    }
    assert_eq!(drawn(&one, (59, 0), 19)[1], "287 082  1s");
    // 94287082 and 37359152: RFC 6238, appendix B, is for other moments; the last six digits are the same.
    let one = [watched("株式会社日本銀行口座", "x", 8, 30)];
    assert_eq!(drawn(&one, (30, 0), 20)[0], "株式会社日本銀行口…");
    assert_eq!(drawn(&one, (30, 0), 20)[1], "9428 7082 30s");
    assert_eq!(drawn(&[], (0, 0), 20), ["locked: vmfa unlock"]);
}

#[test]
fn several_are_aligned() {
    let several = [
        watched("GitHub", "me", 6, 30),
        watched("株式会社", "太郎", 8, 30),
    ];
    assert_eq!(
        drawn(&several, (51, 0), 30),
        ["287 082     9s  GitHub:me", "9428 7082   9s  株式会社:太郎",]
    );
    assert_eq!(drawn(&several, (51, 0), 24)[1], "9428 7082   9s  株式会…");
}

#[test]
fn json_is_what_a_status_bar_takes() {
    let one = watched("<b>A&B", "me", 6, 30);
    let line = view::json(&one.summary, &one.present, UnixTime::from_secs(45));
    assert!(!line.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    for (name, expected) in [
        ("text", serde_json::json!("287082")),
        ("tooltip", serde_json::json!("&lt;b&gt;A&amp;B:me")),
        ("class", serde_json::json!("code")),
        ("percentage", serde_json::json!(50)),
        ("code", serde_json::json!("287082")),
        ("issuer", serde_json::json!("<b>A&B")),
        ("valid_until", serde_json::json!(60)),
        ("seconds_left", serde_json::json!(15)),
    ] {
        assert_eq!(value[name], expected, "{name}");
    }
    let value: serde_json::Value = serde_json::from_str(&view::locked_json()).expect("JSON");
    assert_eq!(
        (&value["class"], &value["code"]),
        (&"locked".into(), &"".into())
    );
}
