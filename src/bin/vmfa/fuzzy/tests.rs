//! What is found, in which order, and what is marked.

use proptest::prelude::*;
use vmfa::clock::Stopwatch;

use super::*;

fn account(number: u32, issuer: &str, name: &str) -> Summary {
    let mut id = [0xee; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    crate::fixture::account(id, issuer, name)
}

fn some() -> Vec<Summary> {
    let mut all = vec![
        account(0x1000_0000, "GitHub", "me"),
        account(0x2000_0000, "GitLab", "work@example.com"),
        account(0x3000_0000, "Digital Ocean", "me@example.com"),
        account(0x4000_0000, "Amazon Web Services", "alice@123456789012"),
        account(0x5000_0000, "Amazon Web Services", "bob@example-alias"),
        account(0x6000_0000, "", "raspberry"),
        account(0x7000_0000, "日本銀行", "太郎"),
        account(0x8000_0000, "Microsoft", "me@tenant.example"),
        account(0x9000_0000, "カフェ", "cafe\u{301} Zoe\u{308}"),
        account(0xa000_0000, "ＡＣＭＥ", "Ｒｏｏｔ"),
    ];
    all[4].serial_number = Some("arn:aws:iam::210987654321:mfa/bob-laptop".into());
    all[2].tags = vec!["hosting".into(), "private".into()];
    all[5].note = "moved from GitHub".into();
    all[7].label_issuer = Some("Contoso".into());
    all
}

fn found(query: &str, all: &[Summary]) -> Vec<usize> {
    let hits = Haystacks::new(all).search(query);
    hits.into_iter().map(|hit| hit.index).collect()
}

#[test]
fn what_a_query_finds() {
    for (query, expected) in [
        ("github", &[0, 5][..]),
        ("GitHub", &[0, 5]),
        ("me github", &[0]),
        ("github me", &[0]),
        ("GitHub:me", &[0]),
        ("hub", &[0, 5]),
        ("aws", &[3, 4]),
        ("aws alice", &[3]),
        ("alice amazon", &[3]),
        // By the AWS account ID: of the name, of the serial number, as the console groups it, in part.
        ("123456789012", &[3]),
        ("210987654321", &[4]),
        ("2109-8765-4321", &[4]),
        ("2109-87", &[4]),
        ("9876", &[4]),
        ("arn:aws:iam::210987654321:mfa/bob-laptop", &[4]),
        ("laptop", &[4]),
        ("hosting", &[2]),
        ("private digital", &[2]),
        ("contoso", &[7]),
        // Scattered letters, but no scattered digits.
        ("gthb", &[0]),
        ("rsbry", &[5]),
        ("1357", &[]),
        ("日本", &[6]),
        ("銀行", &[6]),
        ("太郎 日本", &[6]),
        ("日行", &[6]),
        // Without its accent (and in amaZOn wEb), with it in either form; half-width and full-width.
        ("cafe", &[8]),
        ("caf\u{e9}", &[8]),
        ("CAFE\u{301}", &[8]),
        ("zoe", &[8, 3, 4]),
        ("ｶﾌｪ", &[8]),
        ("acme root", &[9]),
        ("ＡＣＭＥ", &[9]),
        // By the beginning of the id.
        ("70000000", &[6]),
        ("nowhere", &[]),
        ("me nowhere", &[]),
    ] {
        assert_eq!(found(query, &some()), expected, "{query:?}");
    }
}

#[test]
fn an_empty_query_finds_all_and_a_long_one_none() {
    for query in ["", " ", " : ", "\u{202e}\n"] {
        assert_eq!(found(query, &some()), Vec::from_iter(0..10), "{query:?}");
    }
    assert_eq!(found(&"a".repeat(query::MAX_LEN + 1), &some()), [0usize; 0]);
    assert_eq!(found("a", &[]), [0usize; 0]);
}

#[test]
fn the_order() {
    let mut all = [
        account(0, "Gone in the text", "x"),
        account(1, "Agit", "x"),
        account(2, "Old", "github"),
        account(3, "GitHub", "x"),
        account(4, "My git", "x"),
        account(5, "Git", "x"),
        account(6, "GitLab", "x"),
        account(7, "Else", "x"),
    ];
    all[7].note = "git".into();
    // All of a text, a word in it, its beginning, a word's beginning in it, within a word, scattered, in the note.
    assert_eq!(found("git", &all), [5, 4, 2, 3, 6, 1, 0, 7]);
    // Of equals a favourite comes first; it doesn't pass what is better.
    all[6].favorite = true;
    all[1].favorite = true;
    assert_eq!(found("git", &all), [5, 4, 6, 2, 3, 1, 0, 7]);
    assert_eq!(found("", &all), [1, 6, 0, 2, 3, 4, 5, 7]);
}

#[track_caller]
fn marked(query: &str, index: usize) -> [Vec<usize>; 4] {
    let all = some();
    let marks = Haystacks::new(&all).marks(query, &all[index]);
    assert_eq!(marks.tags.len(), all[index].tags.len());
    let tag = marks.tags.last().cloned().unwrap_or_default();
    [marks.issuer, marks.name, tag, marks.aws_account]
}

#[test]
fn what_is_marked() {
    let none = Vec::new;
    for (query, index, expected) in [
        ("", 0, [none(), none(), none(), none()]),
        ("nowhere", 0, [none(), none(), none(), none()]),
        ("git", 0, [vec![0, 1, 2], none(), none(), none()]),
        ("ME gTHb", 0, [vec![0, 2, 3, 5], vec![0, 1], none(), none()]),
        ("priv", 2, [none(), none(), vec![0, 1, 2, 3], none()]),
        (
            "9012",
            3,
            [none(), vec![14, 15, 16, 17], none(), vec![8, 9, 10, 11]],
        ),
        ("2109-8", 4, [none(), none(), none(), vec![0, 1, 2, 3, 4]]),
        ("aws", 3, [vec![0, 7, 11], none(), none(), none()]),
        ("本行", 6, [vec![1, 3], none(), none(), none()]),
        // A letter and its accent are one grapheme.
        ("cafe", 8, [none(), vec![0, 1, 2, 3], none(), none()]),
        ("fé zoe", 8, [none(), vec![2, 3, 5, 6, 7], none(), none()]),
        ("root", 9, [none(), vec![0, 1, 2, 3], none(), none()]),
        // The beginning of a word is marked rather than an earlier place within one.
        ("ex", 7, [none(), vec![10, 11], none(), none()]),
    ] {
        assert_eq!(marked(query, index), expected, "{query:?}");
    }
}

#[test]
fn marks_count_what_is_shown() {
    // What steers a terminal isn't shown, and so isn't counted.
    let odd = account(1, "a\u{1b}[1mb\u{202e}c", "ﬁx 👩‍🚀 İx");
    let mut haystacks = Haystacks::new(std::slice::from_ref(&odd));
    assert_eq!(haystacks.marks("bc", &odd).issuer, [4, 5]);
    assert_eq!(haystacks.marks("fi", &odd).name, [0]);
    assert_eq!(haystacks.marks("👩‍🚀", &odd).name, [3]);
    assert_eq!(haystacks.marks("i\u{307}x", &odd).name, [5, 6]);
}

/// How long a key takes among 10,000 accounts: told with `--nocapture`, and not asserted.
#[test]
fn ten_thousand_are_searched() {
    let all: Vec<Summary> = (0..10_000)
        .map(|number: u32| {
            let kind = ["Amazon Web Services", "GitHub", "会社", "Service"][number as usize % 4];
            let id = 100_000_000_000 + u64::from(number) * 7919;
            let mut one = account(number, kind, &format!("user{number}@{id}"));
            one.tags = vec![format!("team {}", number % 50)];
            one
        })
        .collect();
    let watch = Stopwatch::start();
    let mut haystacks = Haystacks::new(&all);
    eprintln!("made ready in {:?}", watch.elapsed());
    for (query, least) in [
        ("e", 10_000),
        ("1", 10_000),
        ("us", 10_000),
        ("user", 10_000),
        ("uer", 10_000),
        ("aws user9999", 0),
        ("git user5", 1),
        ("会社 team", 2500),
        ("amazon web services user1", 1),
        ("a b c d e f g h i j k l m n o p", 0),
        ("e s r @ 1 0 t a m", 1),
    ] {
        let watch = Stopwatch::start();
        let hits = haystacks.search(query);
        eprintln!("{query:?}: {} in {:?}", hits.len(), watch.elapsed());
        assert!(hits.len() >= least, "{query:?}");
        for hit in hits.iter().take(50) {
            haystacks.marks(query, &all[hit.index]);
        }
    }
}

/// Texts in which what is special to the search turns up often.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "a",
            "A",
            "é",
            "e\u{301}",
            "\u{301}",
            "日本",
            "ｶﾞ",
            "ガ",
            "ﬁ",
            "İ",
            "ß",
            "Σ",
            "ς",
            "👩‍🚀",
            "\u{a8}",
            "각",
            "\u{1100}\u{1161}",
            " ",
            ":",
            "@",
            "-",
            "1",
            "12",
            "\u{200d}",
            "\u{202e}",
            "\u{3000}",
            "\n",
            "：",
            "aws",
            "\u{345}",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever is written in a label, whoever types it finds it; and so does whoever types it in capitals, or a part of it.
    #[test]
    fn every_account_is_found_by_its_own_label(
        all in prop::collection::vec((text(), text()), 1..5),
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let all: Vec<Summary> = all.iter().enumerate().map(|(n, (issuer, name))| account(n as u32, issuer, name)).collect();
        let index = which.index(all.len());
        let label = all[index].label();
        prop_assert!(found(&label, &all).contains(&index), "{:?}", label);
        prop_assert!(found(&query::fold(&label), &all).contains(&index), "folded {:?}", label);
        // Cut where a person stops typing: behind a grapheme.
        let graphemes: Vec<&str> = label.graphemes(true).collect();
        let part = graphemes[..cut.index(graphemes.len() + 1)].concat();
        prop_assert!(found(&part, &all).contains(&index), "{:?} of {:?}", part, label);
    }

    /// Marks stand within the texts, whatever is typed; and what was found for a word that is seen has some.
    #[test]
    fn marks_stand_within_the_texts(issuer in text(), name in text(), query in text()) {
        let one = account(1, &issuer, &name);
        let marks = Haystacks::new(std::slice::from_ref(&one)).marks(&query, &one);
        for (marks, text) in [(marks.issuer, &issuer), (marks.name, &name)] {
            let count = clean(text).graphemes(true).count();
            prop_assert!(marks.is_sorted_by(|a, b| a < b) && marks.iter().all(|mark| *mark < count));
        }
    }
}
