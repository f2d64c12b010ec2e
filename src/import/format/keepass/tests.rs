//! KeePass's documents, and what of its files isn't read.

use super::*;
use crate::account::Draft;
use crate::import::document::within;
use crate::import::{Other, Source};

fn document(entries: &str) -> String {
    format!(
        "<KeePassFile><Root><Group><UUID>a</UUID><Name>all</Name>{entries}</Group></Root></KeePassFile>"
    )
}

fn entry(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(key, value)| format!("<String><Key>{key}</Key><Value>{value}</Value></String>"))
        .collect();
    format!("<Entry>{fields}</Entry>")
}

fn read_text(text: &str) -> Contents {
    within(text.as_bytes(), |document| {
        assert_eq!(is(document), Likeness::Yes);
        read(document, None)
    })
    .unwrap()
}

fn drafts(fields: &[(&str, &str)]) -> Vec<Draft> {
    let contents = read_text(&document(&entry(fields)));
    contents
        .rows
        .into_iter()
        .map(|row| row.ok().unwrap())
        .collect()
}

#[test]
fn keeotp_says_its_settings_in_any_order_and_encoding() {
    let code = "type=Hotp&amp;counter=3&amp;key=JBSW%20Y3DP&amp;size=8&amp;otpHashMode=SHA256&amp;encoding=Base32";
    let read = drafts(&[("Title", "T"), ("otp", code)]);
    let draft = &read[0];
    let told = [
        &draft.kind,
        &draft.counter,
        &draft.digits,
        &draft.algorithm,
        &draft.issuer,
    ];
    let told = told.map(|word| word.as_deref().unwrap_or_default());
    assert_eq!(told, ["Hotp", "3", "8", "SHA256", "T"]);
    assert_eq!(draft.secret.as_ref().unwrap().expose(), "JBSW Y3DP");
}

#[test]
fn one_code_kept_in_three_ways_is_one_and_other_settings_make_another() {
    let three = [
        ("otp", "otpauth://totp/a?secret=JBSWY3DPEHPK3PXP"),
        ("TOTP Seed", "jbsw y3dp ehpk 3pxp"),
        ("TOTP Settings", "30;6"),
        ("TimeOtp-Secret-Hex", "48656c6c6f21deadbeef"),
        ("TimeOtp-Algorithm", "HMAC-SHA-1"),
    ];
    assert_eq!(drafts(&three).len(), 1);
    let mut longer = three;
    longer[2].1 = "30;8";
    assert_eq!(drafts(&longer).len(), 2);
    longer[4].1 = "HMAC-SHA-256";
    assert_eq!(drafts(&longer).len(), 3);
}

#[test]
fn groups_and_tags_come_along_and_bin_and_past_do_not() {
    let code = ("otp", "JBSWY3DPEHPK3PXP");
    let past = entry(&[("Title", "past"), code]);
    let text = format!(
        "<KeePassFile><Meta><RecycleBinUUID>bin</RecycleBinUUID></Meta><Root><Group><Name>all</Name>\
         <Group><Name>Work</Name><Group><Name>AWS</Name><Entry><Tags>x; y</Tags>\
         <String><Key>title</Key><Value>T</Value></String>\
         <String><Key>otp</Key><Value>JBSWY3DPEHPK3PXP</Value></String>\
         <History>{past}</History></Entry></Group></Group>\
         <Group><UUID>bin</UUID><Name>Bin</Name>{past}<Group><Name>deeper</Name>{past}</Group></Group>\
         <Entry/></Group></Root></KeePassFile>"
    );
    let contents = read_text(&text);
    let [Ok(draft)] = &contents.rows[..] else {
        panic!("{} rows", contents.rows.len());
    };
    assert_eq!(draft.issuer.as_deref(), Some("T"));
    let tags: Vec<&str> = draft
        .tags
        .iter()
        .map(|tag| tag.trim())
        .filter(|tag| !tag.is_empty())
        .collect();
    assert_eq!(tags, ["Work", "AWS", "x", "y"]);
    let skipped: Vec<_> = contents.skipped.into_iter().collect();
    assert_eq!(skipped, [(Other::Login, 1), (Other::Trashed, 2)]);
}

#[test]
fn what_is_not_read_is_named_with_what_to_do() {
    let file = |second: u32, major: u16| {
        let mut bytes = vec![0x03, 0xd9, 0xa2, 0x9a];
        bytes.extend(second.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(major.to_le_bytes());
        bytes.extend([0; 100]);
        within(&bytes, |document| {
            assert_eq!(is(document), Likeness::Yes);
            read(document, None)
        })
        .err()
        .unwrap()
    };
    for (second, major, told) in [
        (0xb54b_fb65, 3, "a database of KeePass 1 (.kdb) is not read"),
        (
            0xb54b_fb66,
            1,
            "a database of a KeePass 2 before its release is not read",
        ),
        (
            0xb54b_fb67,
            2,
            "a database of KeePass 2 from before 2.20 is not read",
        ),
        (0xb54b_fb67, 5, "version 5.1 of KDBX is not known here"),
    ] {
        let error = file(second, major);
        assert_eq!(
            (error.to_string().as_str(), error.class()),
            (told, "bad_version")
        );
    }
    assert_eq!(file(0xb54b_fb67, 4), ImportError::NeedsPassphrase);
}

#[test]
fn a_key_file_beside_is_taken_by_the_name_of_the_database() {
    struct Beside;
    impl crate::import::Beside for Beside {
        fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
            (name == "mine.key").then(|| Zeroizing::new(vec![7; 32]))
        }
    }
    let mut database = keepass::Database::new();
    database.config.kdf_config = keepass::config::KdfConfig::Aes { rounds: 1 };
    let key = keepass::DatabaseKey::new()
        .with_password("p")
        .with_keyfile(&mut &[7; 32][..])
        .unwrap();
    let mut bytes = Vec::new();
    database.save(&mut bytes, key).unwrap();
    let open = |name: &str| {
        let source = Source {
            name,
            bytes: &bytes,
            beside: &Beside,
        };
        let document = Document::new(&source).unwrap();
        read(&document, Some(&SecretText::new("p".into()))).map(|contents| contents.read_along)
    };
    assert_eq!(open("mine.kdbx"), Ok(vec!["mine.key".to_owned()]));
    assert_eq!(open("yours.kdbx"), Err(ImportError::WrongPassphrase));
}
