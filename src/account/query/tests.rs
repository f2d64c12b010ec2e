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
        confirm: false,
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
    expect("github me", &["GitHub:me"]);
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
    expect("git", &["+GitHub:me", "+GitHub:work@example.com"]);
    expect("ra", &["raspberry"]);
    expect("r", &["raspberry"]);
    expect("@tenant", &["Microsoft:me@tenant.example"]);
    expect("work@ex", &["GitHub:work@example.com"]);
}

#[test]
fn a_fragment_from_within_a_word_only_suggests() {
    let all = [
        account(1, "Slack", "prod-admin"),
        account(2, "Amazon Web Services", "alice@111111111111"),
        account(3, "Café", "cafe\u{301}x\u{301}y"),
    ];
    for (query, near) in [
        ("dmi", 0),
        ("lack", 0),
        ("slack dmi", 0),
        ("lic", 1),
        ("1111", 1),
        ("@1111", 1),
        ("11111111111", 1),
        ("afé", 2),
        ("y", 2),
    ] {
        match find(query, &all) {
            Found::Nothing(indices) => assert_eq!(indices.first(), Some(&near), "{query}"),
            found => panic!("{query}: {found:?}"),
        }
        assert!(matching(query, &all).is_empty(), "{query}");
    }
    for (query, index) in [("admin", 0), ("adm", 0), ("alic", 1), ("111111111111", 1)] {
        assert_eq!(find(query, &all), Found::One(index), "{query}");
    }
    // Signs are everywhere.
    assert!(matches!(find("@", &all), Found::Nothing(_)));
    assert!(matches!(find("-", &all), Found::Nothing(_)));
}

#[test]
fn a_name_alone_is_ambiguous_where_another_account_begins_with_it() {
    let all = [
        account(1, "GitHub", "alice"),
        account(2, "Amazon Web Services", "alice@123456789012"),
        account(3, "GitHub", "alice2"),
        account(4, "", "bob"),
        account(5, "GitLab", "bob"),
        account(6, "Heroku", "x"),
        account(7, "heroku-eu", "y"),
    ];
    assert_eq!(find("alice", &all), Found::Several(vec![0, 1, 2]));
    assert_eq!(find("ALICE", &all), Found::Several(vec![0, 1, 2]));
    for query in [
        "GitHub:alice",
        "github alice",
        "GITHUB:Alice",
        "github: alice",
    ] {
        assert_eq!(find(query, &all), Found::One(0), "{query}");
    }
    assert_eq!(find("github", &all), Found::Several(vec![0, 2]));
    assert_eq!(find("Heroku", &all), Found::Several(vec![5, 6]));
    assert_eq!(find("heroku x", &all), Found::One(5));
    let spaced = [
        account(1, "GitHub", "me"),
        account(2, "Work", "github me"),
        account(3, "GitHub", "me2"),
    ];
    assert_eq!(find("github me", &spaced), Found::Several(vec![0, 1]));
    assert_eq!(find("github me", &spaced[..1]), Found::One(0));
    // Without an issuer, the colon tells the whole label from a name alone.
    assert_eq!(find("bob", &all), Found::Several(vec![3, 4]));
    assert_eq!(find(":bob", &all), Found::One(3));
    assert_eq!(find("gitlab:bob", &all), Found::One(4));
    expect(
        "me",
        &[
            "+GitHub:me",
            "+Digital Ocean:me@example.com",
            "+Microsoft:me@tenant.example",
        ],
    );
    // An AWS account ID names its accounts, whoever else carries it as a tag.
    let mut tagged = all.to_vec();
    tagged[0].tags = vec!["123456789012".into()];
    assert_eq!(find("123456789012", &tagged), Found::One(1));
}

#[test]
fn short_names_of_issuers() {
    let all = [
        account(1, "Amazon Web Services", "alice@123456789012"),
        account(
            2,
            "Amazon Web Services",
            "root-account-mfa-device@123456789012",
        ),
        account(3, "Amazon", "alice@example.com"),
        account(4, "AWS", "carol@210987654321"),
        account(5, "Google Cloud Platform", "me"),
    ];
    assert_eq!(find("aws alice", &all), Found::One(0));
    assert_eq!(find("AWS Alice", &all), Found::One(0));
    assert_eq!(find("aws:alice@123456789012", &all), Found::One(0));
    assert_eq!(find("aws root", &all), Found::One(1));
    assert_eq!(find("aws carol", &all), Found::One(3));
    assert_eq!(matching("aws", &all), [0, 1, 3]);
    assert!(matches!(find("aws", &all), Found::Several(indices) if indices.len() == 3));
    assert_eq!(find("gcp", &all), Found::One(4));
}

#[test]
fn a_list_shows_what_may_be_meant_and_notes_too() {
    let all = some();
    assert_eq!(matching("", &all), (0..all.len()).collect::<Vec<_>>());
    assert_eq!(matching("  ", &all).len(), all.len());
    assert_eq!(matching("github", &all), [0, 1, 5]);
    assert_eq!(matching("ＧＩＴＨＵＢ me", &all), [0]);
    assert_eq!(matching("raspberry moved", &all), [5]);
    assert_eq!(matching("Digital Ocean:me@example.com", &all), [2]);
    assert_eq!(matching("20000000", &all), [1]);
    assert_eq!(matching("1234-5678-9012", &all), [3]);
    assert_eq!(
        matching("arn:aws:iam::210987654321:mfa/bob-laptop", &all),
        [4]
    );
    assert_eq!(matching("hosting", &all), [2]);
    assert!(matching("nobody", &all).is_empty());
    assert!(matching(&"g".repeat(5000), &all).is_empty());
    // Borrowed summaries serve as well.
    let borrowed: Vec<&Summary> = all.iter().collect();
    assert_eq!(matching("hosting", &borrowed), [2]);
    assert_eq!(find("hosting", &borrowed), Found::One(2));
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
    assert_eq!(find("aws", &bare), Found::Several(vec![0, 1, 2]));
    assert_eq!(find(":AWS", &bare), Found::One(0));
    let by_case = [account(1, "a", "Key"), account(2, "a", "KEY")];
    assert_eq!(find("a:Key", &by_case), Found::One(0));
    assert_eq!(find("a:KEY", &by_case), Found::One(1));
    assert_eq!(find("a:key", &by_case), Found::Several(vec![0, 1]));
    assert_eq!(find("Key", &by_case), Found::Several(vec![0, 1]));
    // A name that looks like the beginning of another account's id.
    let id_like = [account(0xdead_beef, "", "x"), account(2, "", "deadbeef")];
    assert_eq!(find("deadbeef", &id_like), Found::Several(vec![1, 0]));
    assert_eq!(find(":deadbeef", &id_like), Found::One(1));
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
    /// What is selected has every word of the query at a word's beginning, or its id begins with it.
    #[test]
    fn what_is_selected_begins_with_the_query(query in "[a-z0-9@:. ]{0,12}") {
        let all = some();
        if let Found::One(index) = find(&query, &all) {
            let haystack = words::haystack(&all[index]);
            let held = query.split([' ', ':']).all(|word| {
                let mut starts = haystack.match_indices(word).map(|(at, _)| &haystack[..at]);
                !word.starts_with(char::is_alphanumeric) || starts.any(|before| !before.ends_with(char::is_alphanumeric))
            });
            prop_assert!(held || all[index].id.to_string().starts_with(query.trim()), "{:?}", all[index].label());
        }
    }

    /// What is found is also listed, and a word that lists one account, by anything but a note, selects it.
    #[test]
    fn a_list_and_a_choice_agree(query in "(github|git|me|example|aws|ali|alice|@|123456789012|berry|:| ){1,4}") {
        let mut all = some();
        all[5].note = String::new();
        let listed = matching(&query, &all);
        match find(&query, &all) {
            Found::One(index) => prop_assert!(listed.contains(&index)),
            Found::Several(indices) => prop_assert!(indices.iter().all(|index| listed.contains(index))),
            Found::Nothing(_) => prop_assert!(listed.is_empty() || query.trim().is_empty()),
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

/// What a query means, by its definition: every account is looked at closely.
fn by_definition<S: Borrow<Summary>>(query: &str, among: &[S]) -> Found {
    let Some(query) = Query::new(query) else {
        return Found::Nothing(Vec::new());
    };
    choose(&query, among, &Candidates::All)
        .unwrap_or_else(|| Found::Nothing(near::suggest(&query.words(), among)))
}

/// What is found among those that a glance lets through.
fn at_a_glance(query: &str, among: &[Summary]) -> Option<Found> {
    let mut glance = Glance::new(query);
    let let_through: Vec<usize> = (0..among.len())
        .filter(|index| glance.may_mean(&among[*index]))
        .collect();
    let few: Vec<&Summary> = let_through.iter().map(|index| &among[*index]).collect();
    match find(query, &few) {
        Found::One(index) => Some(Found::One(let_through[index])),
        Found::Several(indices) => {
            let indices = indices.into_iter().map(|index| let_through[index]);
            Some(Found::Several(indices.collect()))
        }
        Found::Nothing(_) => None,
    }
}

/// What was found, if it was anything.
fn chosen(found: Found) -> Option<Found> {
    match found {
        Found::One(_) | Found::Several(_) => Some(found),
        Found::Nothing(_) => None,
    }
}

/// Whole words, parts of them, signs, other scripts, other cases and widths, marks that join what is before them.
const PIECES: &str = "(a|ab|B|Key|key|KEY|me|GitHub|ＧｉｔＨｕｂ|github|日本|銀行|日本銀行|太郎|é|e\u{301}|\u{301}|İ|ß|ﬁ|℡|㎏|\u{a8}|\u{a0}|\u{3000}|\
                      \u{2ceb0}|\u{3fff0}|Σ|ς|가|\u{1100}|\u{1161}|１２|12|123456789012|@|:|-|\\.| |  |arn:aws:iam::|mfa/|AWS|Amazon Web Services|deadbeef)";

fn pieces(most: usize) -> impl Strategy<Value = String> {
    let pattern = format!("{PIECES}{{0,{most}}}");
    prop::string::string_regex(&pattern).expect("a pattern of our own")
}

/// Few letters, so that accounts resemble each other.
fn any_accounts() -> impl Strategy<Value = Vec<Summary>> {
    let text = || pieces(4);
    let serial_number = prop::option::of(prop_oneof![
        Just("arn:aws:iam::123456789012:mfa/me".to_owned()),
        text(),
    ]);
    let one = (
        prop_oneof![
            Just([0xde; 16]),
            Just([0xdf; 16]),
            prop::array::uniform16(any::<u8>())
        ],
        prop_oneof![
            Just("Amazon Web Services".to_owned()),
            Just(String::new()),
            text()
        ],
        prop_oneof![Just("me@123456789012".to_owned()), text()],
        prop::option::of(text()),
        serial_number,
        prop::collection::vec(text(), 0..2),
    );
    let made = one.prop_map(
        |(id, issuer, name, label_issuer, serial_number, tags)| Summary {
            id: AccountId::from_bytes(id),
            label_issuer,
            serial_number,
            tags,
            ..account(0, &issuer, &name)
        },
    );
    prop::collection::vec(made, 0..6)
}

/// What an account is called in one of many ways, whole or cut short.
fn a_query_for(
    summary: &Summary,
    way: usize,
    cut: prop::sample::Index,
    change: fn(&str) -> String,
) -> String {
    let ways = [
        summary.label(),
        format!("{} {}", summary.issuer, summary.name),
        format!("{}: {}", summary.issuer, summary.name),
        format!(":{}", summary.name),
        summary.name.clone(),
        summary.issuer.clone(),
        format!(
            "{}:{}",
            summary.label_issuer.clone().unwrap_or_default(),
            summary.name
        ),
        format!("aws:{}", summary.name),
        summary.serial_number.clone().unwrap_or_default(),
        summary.id.to_string(),
        summary.tags.join(" "),
        "1234-5678-9012".into(),
    ];
    let whole = change(&ways[way % ways.len()]);
    let ends: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
    match cut.index(ends.len() * 2 + 1).checked_sub(ends.len()) {
        // As often as not it is whole.
        None => whole,
        Some(at) => whole[..ends.get(at).copied().unwrap_or(whole.len())].to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// What is left out unseen is never what would be found, with an index and without.
    #[test]
    fn a_glance_and_an_index_find_what_a_close_look_finds(all in any_accounts(), query in pieces(5)) {
        let index = Index::new(&all);
        prop_assert_eq!(find(&query, &all), by_definition(&query, &all));
        prop_assert_eq!(index.find(&query, &all), by_definition(&query, &all));
        prop_assert_eq!(at_a_glance(&query, &all), chosen(by_definition(&query, &all)));
    }

    #[test]
    fn the_same_of_queries_that_mean_an_account(
        all in any_accounts(),
        which in any::<prop::sample::Index>(),
        way in any::<usize>(),
        cut in any::<prop::sample::Index>(),
        change in prop::sample::select(vec![str::to_owned as fn(&str) -> String, str::to_lowercase, str::to_uppercase, fold]),
    ) {
        prop_assume!(!all.is_empty());
        let query = a_query_for(&all[which.index(all.len())], way, cut, change);
        let index = Index::new(&all);
        prop_assert_eq!(find(&query, &all), by_definition(&query, &all), "{:?}", query);
        prop_assert_eq!(index.find(&query, &all), by_definition(&query, &all), "{:?}", query);
        prop_assert_eq!(at_a_glance(&query, &all), chosen(by_definition(&query, &all)), "{:?}", query);
    }
}

#[test]
fn an_index_finds_one_of_many_that_are_alike() {
    let long = "the same words in each of them ".repeat(20);
    let mut all: Vec<Summary> = (0..2000).map(|n| account(n, &long, &long)).collect();
    all[1234].name.push_str("but this");
    let index = Index::new(&all);
    let last = "but this";
    assert_eq!(index.find(last, &all), Found::One(1234));
    assert_eq!(index.find(&all[77].id.to_string(), &all), Found::One(77));
    assert_eq!(
        index.find("the same words", &all),
        by_definition("the same words", &all)
    );
    // An index of other accounts is not believed.
    assert_eq!(index.find(last, &all[1..]), Found::One(1233));
}
