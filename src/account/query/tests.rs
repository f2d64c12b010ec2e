//! What a query finds, and above all what it doesn't.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::account::AccountId;
use crate::otp::{Scheme, Totp};

fn account(number: u32, issuer: &str, name: &str) -> Summary {
    let mut id = [0xee; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Summary {
        id: AccountId::from_bytes(id),
        issuer: issuer.into(),
        name: name.into(),
        label_issuer: None,
        scheme: Scheme::Totp(Totp::default()),
        counter: None,
        tags: Vec::new(),
        note: String::new(),
        favorite: false,
        serial_number: None,
        image: None,
        added: 0,
        trashed: None,
        conflict: false,
    }
}

fn some() -> Vec<Summary> {
    let mut all = vec![
        account(0x1000_0000, "GitHub", "me"),
        account(0x2000_0000, "GitHub", "work@example.com"),
        account(0x3000_0000, "Digital Ocean", "me@example.com"),
        account(0x4000_0000, "Amazon Web Services", "alice@123456789012"),
        account(0x5000_0000, "Amazon Web Services", "bob@example-alias"),
        account(0x6000_0000, "", "raspberry"),
        account(0x7000_0000, "日本銀行", "太郎"),
        account(0x8000_0000, "Microsoft", "me@tenant.example"),
    ];
    all[4].serial_number = Some("arn:aws:iam::210987654321:mfa/bob-laptop".into());
    all[2].tags = vec!["hosting".into()];
    all[5].note = "moved from GitHub".into();
    all[7].label_issuer = Some("Tenant".into());
    all
}

/// The labels that a query finds: one, several (with a +), or suggestions (with a ?).
#[track_caller]
fn expect(query: &str, expected: &[&str]) {
    let all = some();
    let labels = |indices: &[usize], mark: &str| -> Vec<String> {
        indices
            .iter()
            .map(|index| format!("{mark}{}", all[*index].label()))
            .collect()
    };
    let came = match find(query, &all) {
        Found::One(index) => labels(&[index], ""),
        Found::Several(indices) => labels(&indices, "+"),
        Found::Nothing(indices) => labels(&indices, "?"),
    };
    assert_eq!(came, expected, "{query:?}");
}

#[test]
fn exact_names() {
    expect("GitHub:me", &["GitHub:me"]);
    expect("GitHub: me", &["GitHub:me"]);
    expect("github:ME", &["GitHub:me"]);
    expect("ＧｉｔＨｕｂ:ｍｅ", &["GitHub:me"]);
    expect("me", &["GitHub:me"]);
    expect("me@example.com", &["Digital Ocean:me@example.com"]);
    expect("github", &["+GitHub:me", "+GitHub:work@example.com"]);
    expect("digital ocean", &["Digital Ocean:me@example.com"]);
    expect("raspberry", &["raspberry"]);
    expect(" RASPBERRY ", &["raspberry"]);
    expect("日本銀行", &["日本銀行:太郎"]);
    expect("日本銀行:太郎", &["日本銀行:太郎"]);
    expect("Tenant:me@tenant.example", &["Microsoft:me@tenant.example"]);
}

#[test]
fn ids() {
    expect("10000000eeeeeeeeeeeeeeeeeeeeeeee", &["GitHub:me"]);
    expect("20000000", &["GitHub:work@example.com"]);
    expect("20000000EEEE", &["GitHub:work@example.com"]);
    expect("2000000", &[]);
    expect("20000000ef", &[]);
    expect("10000000eeeeeeeeeeeeeeeeeeeeeeeee", &[]);
}

#[test]
fn the_words_of_aws() {
    expect("123456789012", &["Amazon Web Services:alice@123456789012"]);
    expect(
        "1234-5678-9012",
        &["Amazon Web Services:alice@123456789012"],
    );
    expect("210987654321", &["Amazon Web Services:bob@example-alias"]);
    expect("example-alias", &["Amazon Web Services:bob@example-alias"]);
    expect("Example-Alias", &["Amazon Web Services:bob@example-alias"]);
    expect(
        "arn:aws:iam::210987654321:mfa/bob-laptop",
        &["Amazon Web Services:bob@example-alias"],
    );
    expect("bob-laptop", &["Amazon Web Services:bob@example-alias"]);
    // Only AWS's names end in an alias.
    expect("tenant.example", &["Microsoft:me@tenant.example"]);
    expect("999999999999", &[]);
}

#[test]
fn words() {
    expect("alice", &["Amazon Web Services:alice@123456789012"]);
    expect("services bob", &["Amazon Web Services:bob@example-alias"]);
    expect("bob services", &["Amazon Web Services:bob@example-alias"]);
    expect(
        "amazon",
        &[
            "+Amazon Web Services:alice@123456789012",
            "+Amazon Web Services:bob@example-alias",
        ],
    );
    expect("git work", &["GitHub:work@example.com"]);
    expect("hosting", &["Digital Ocean:me@example.com"]);
    expect("銀行", &["日本銀行:太郎"]);
    expect("berry", &["raspberry"]);
    // Digital Ocean holds the letters too: no guess, but the word's beginning comes first.
    expect(
        "git",
        &[
            "+GitHub:me",
            "+GitHub:work@example.com",
            "+Digital Ocean:me@example.com",
        ],
    );
    // Two letters inside a word don't select.
    assert!(matches!(find("rr", &some()), Found::Nothing(_)));
    expect("ra", &["raspberry"]);
}

#[test]
fn scattered_letters_and_misspellings_only_suggest() {
    expect("githbu", &["?GitHub:me", "?GitHub:work@example.com"]);
    expect("rspbrry", &["?raspberry"]);
    assert_eq!(find("gthb", &some()[..1]), Found::Nothing(vec![0]));
    assert_eq!(find("gm", &some()[..1]), Found::Nothing(vec![0]));
    expect("zzzzzz", &[]);
    expect("", &[]);
    expect(" : ", &[]);
    assert_eq!(find(&"g".repeat(5000), &some()), Found::Nothing(Vec::new()));
}

#[test]
fn two_of_one_name_are_ambiguous_and_a_whole_label_wins_over_an_issuer() {
    let twins = [account(1, "GitHub", "me"), account(2, "GitHub", "me")];
    for query in ["GitHub:me", "me", "github", "git me"] {
        assert_eq!(find(query, &twins), Found::Several(vec![0, 1]), "{query}");
    }
    let bare = [
        account(1, "", "AWS"),
        account(2, "AWS", "alice"),
        account(3, "AWS", "bob"),
    ];
    assert_eq!(find("AWS", &bare), Found::One(0));
    assert_eq!(find("aws", &bare), Found::One(0));
    let by_case = [account(1, "", "Key"), account(2, "", "KEY")];
    assert_eq!(find("Key", &by_case), Found::One(0));
    assert_eq!(find("KEY", &by_case), Found::One(1));
    assert_eq!(find("key", &by_case), Found::Several(vec![0, 1]));
    // A name that looks like the beginning of another account's id.
    let id_like = [account(0xdead_beef, "", "x"), account(2, "", "deadbeef")];
    assert_eq!(find("deadbeef", &id_like), Found::Several(vec![0, 1]));
}

#[test]
fn ten_thousand_accounts_are_searched_in_an_instant() {
    let mut all: Vec<Summary> = (0..10_000)
        .map(|n| account(n, &format!("Issuer {n}"), &format!("user{n}@example.com")))
        .collect();
    all[7_000].issuer = "日本".into();
    for (query, index) in [
        ("Issuer 9999:user9999@example.com", 9_999),
        ("issuer 5000:USER5000@example.com", 5_000),
        ("user1234@example.com", 1_234),
        ("日本", 7_000),
        ("issuer 4321", 4_321),
        ("user4321@example", 4_321),
    ] {
        let begun = Instant::now();
        assert_eq!(find(query, &all), Found::One(index), "{query}");
        // The measured times are in microseconds; this only catches what grows with the square.
        assert!(
            begun.elapsed().as_millis() < 500,
            "{query}: {:?}",
            begun.elapsed()
        );
    }
}

proptest! {
    /// What is selected holds every word of the query, or its id begins with it.
    #[test]
    fn what_is_selected_holds_the_query(query in "[a-z0-9@:. ]{0,12}") {
        let all = some();
        if let Found::One(index) = find(&query, &all) {
            let haystack = words::haystack(&all[index]);
            let held = query.split([' ', ':']).all(|word| haystack.contains(word));
            prop_assert!(held || all[index].id.to_string().starts_with(query.trim()), "{:?}", all[index].label());
        }
    }

    #[test]
    fn any_query_is_answered(query in any::<String>()) {
        find(&query, &some());
    }

    /// A query that is an account's whole label, or its id, finds no other account.
    #[test]
    fn a_label_finds_its_account(names in prop::collection::vec(("[a-c]{0,2}", "[a-c:]{0,3}"), 1..8)) {
        let all: Vec<Summary> = (0u32..).zip(&names).map(|(n, (issuer, name))| account(n, issuer, name)).collect();
        for (index, summary) in all.iter().enumerate() {
            prop_assert_eq!(find(&summary.id.to_string(), &all), Found::One(index));
            match find(&summary.label(), &all) {
                Found::One(other) => prop_assert_eq!(other, index),
                Found::Several(indices) => prop_assert!(indices.contains(&index)),
                Found::Nothing(_) => prop_assert!(summary.label().trim().is_empty()),
            }
        }
    }
}
