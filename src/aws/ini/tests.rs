use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Ini, IniError> {
    Ini::read(text.as_bytes())
}

#[track_caller]
fn wrong(text: &str) -> (usize, Wrong) {
    let error = read(text).err().expect("must be refused");
    (error.line, error.wrong)
}

#[track_caller]
fn text(ini: &Ini, section: &str, key: &str) -> (String, usize) {
    let section = ini.section(section).unwrap();
    let entry = ini.get(section, key).unwrap();
    (entry.text().unwrap().to_owned(), entry.line())
}

#[test]
fn values_have_their_lines() {
    let ini = read(
        "# mine\r\n[profile \"a b\"] ; not a comment\r\nRegion = eu-west-1 # part of it\r\n\r\nkey: x\r\n  # none of it\r\n\r\n  y\r\n",
    )
    .unwrap();
    let name = "profile \"a b\"";
    assert_eq!(ini.section(name).unwrap().line(), 2);
    assert_eq!(
        text(&ini, name, "region"),
        ("eu-west-1 # part of it".into(), 3)
    );
    assert_eq!(text(&ini, name, "key"), ("x\n\ny".into(), 5));
}

#[test]
fn a_block_is_one_level_of_keys() {
    let ini =
        read("[services x]\nsts =\n  endpoint_url = http://a\n\n  Other=1\n  Other=2\ns3 =\n")
            .unwrap();
    let section = ini.section("services x").unwrap();
    let Some(Value::Block(block)) = ini.get(section, "sts").map(Entry::value) else {
        panic!("no block");
    };
    let found: Vec<_> = block
        .iter()
        .map(|entry| (entry.key(), entry.text().unwrap(), entry.line()))
        .collect();
    assert_eq!(found, [("endpoint_url", "http://a", 3), ("Other", "2", 6)]);
    assert_eq!(text(&ini, "services x", "s3"), (String::new(), 7));
}

#[test]
fn what_configparser_refuses_is_refused_with_its_line() {
    assert_eq!(wrong("\n\na = b\n"), (3, Wrong::NoSection));
    assert_eq!(wrong("[a]\nb\n"), (2, Wrong::NeitherKey));
    assert_eq!(wrong("[a]\n= b\n"), (2, Wrong::NoKey));
    assert_eq!(wrong("[a]\nx=1\n[a]\n"), (3, Wrong::TwoSections(1)));
    assert_eq!(wrong("[a]\nx=1\nX : 2\n"), (3, Wrong::TwoKeys(2)));
    assert_eq!(wrong("[a]\nx =\n\n  y\n"), (4, Wrong::NotInBlock));
    assert_eq!(wrong("\u{feff}[a]\n"), (1, Wrong::ByteOrderMark));
    let bytes = Ini::read(b"[a]\nb = \xff\n").err().unwrap();
    assert_eq!((bytes.line, bytes.wrong), (2, Wrong::NotUtf8));
    let long = vec![b'\n'; MAX_BYTES + 1];
    assert_eq!(Ini::read(&long).err().unwrap().wrong, Wrong::TooLarge);
}

#[test]
fn a_refusal_quotes_nothing() {
    let error = read("[a]\nhunter2\n").err().unwrap();
    assert_eq!(
        error.to_string(),
        "line 2: neither [section] nor key = value"
    );
}

#[track_caller]
fn changed(text: &str, change: Change<'_>) -> String {
    let bytes = edit(text.as_bytes(), &[change]).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn set<'a>(section: &'a str, key: &'a str, value: &'a str) -> Change<'a> {
    Change::Set {
        section,
        key,
        value,
    }
}

#[test]
fn an_edit_touches_its_lines_only() {
    let text = "; head\r\n[default]\r\nregion : a ; x\r\n# mine\r\n\r\n[b]\n  Key   =  old\n     more\n  # kept\n";
    assert_eq!(
        changed(text, set("default", "region", "b")),
        text.replace("a ; x", "b")
    );
    assert_eq!(
        changed(text, set("default", "output", "json")),
        text.replace("a ; x\r\n", "a ; x\r\noutput = json\r\n")
    );
    assert_eq!(
        changed(text, set("b", "key", "new")),
        text.replace("old\n     more\n", "new\n")
    );
    let (section, key) = ("b", "key");
    assert_eq!(
        changed(text, Change::Remove { section, key }),
        text.replace("  Key   =  old\n     more\n", "")
    );
    assert_eq!(
        changed(text, set("c", "x", "1")),
        format!("{text}\r\n[c]\r\nx = 1\r\n")
    );
    assert_eq!(changed("", set("c", "x", "1")), "[c]\nx = 1\n");
    assert_eq!(changed("[c]", set("c", "x", "1")), "[c]\nx = 1\n");
    assert_eq!(changed("[c]\nx =", set("c", "x", "1")), "[c]\nx = 1");
    let section = "gone";
    assert_eq!(changed(text, Change::Remove { section, key }), text);
}

#[test]
fn a_key_is_never_swallowed_by_what_stands_around_it() {
    // A header that is indented would go on as the value of a key that isn't.
    let text = "[a]\n  [b]\n  x = 1\n";
    assert_eq!(
        changed(text, set("a", "k", "v")),
        "[a]\n  k = v\n  [b]\n  x = 1\n"
    );
    assert_eq!(
        changed("[a]\nx =\n  y = 1\n", set("a", "x", "v")),
        "[a]\nx = v\n"
    );
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    for change in [
        set("a", "k", "v\nw"),
        set("a", "k", " v"),
        set("a\n", "k", "v"),
        set("a", "K", "v"),
        set("a", "k=", "v"),
        set("a", "#k", "v"),
        set("a", "[k]", "v"),
        set("a", "k", "v\r[b]"),
    ] {
        let result = edit(b"[a]\nx = 1\n", &[change]);
        assert!(matches!(result, Err(EditError::Unwritable)));
    }
    let unreadable = edit(b"x", &[set("a", "k", "v")]);
    assert!(matches!(unreadable, Err(EditError::Unreadable(_))));
}

/// Files as people have them, and as they should not: each line one of those that matter.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        Just("   ".into()),
        Just("# comment".into()),
        Just("  ; indented".into()),
        "( {0,3})\\[(default|profile [ab]|DEFAULT|a|b)\\]( x)?",
        "( {0,4})[a-c]{1,2} ?[=:] ?[a-z#;= ]{0,6}",
        " {2,6}[a-z]{1,3}( = )?[a-z]{0,3}",
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    let lines = prop::collection::vec((line, end), 0..14);
    (lines, any::<bool>()).prop_map(|(lines, open)| {
        let mut text = String::from("[default]\n");
        text.extend(lines.into_iter().flat_map(|(line, end)| [line, end.into()]));
        match open {
            true => text.trim_end_matches(['\n', '\r']).into(),
            false => text,
        }
    })
}

/// All that a file says, but for one key.
fn said(ini: &Ini, section: &str, key: &str) -> Vec<String> {
    fn shown(value: &Value) -> String {
        match value {
            Value::Text(text) => format!("{:?}", text.expose()),
            Value::Block(entries) => entries
                .iter()
                .map(|entry| format!("{{{}={}}}", entry.key(), shown(entry.value())))
                .collect(),
        }
    }
    let own = ini
        .sections
        .iter()
        .map(|section| (section.name(), &section.entries));
    own.chain([(DEFAULTS, &ini.defaults)])
        .flat_map(|(name, entries)| {
            let entries = entries
                .iter()
                .filter(move |entry| name != section || entry.key() != key);
            entries.map(move |entry| format!("{name}.{}={}", entry.key(), shown(entry.value())))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Every file that can be read can be edited, reads back what was set, and is otherwise the same: in what it says, and
    /// line by line.
    #[test]
    fn an_edit_changes_nothing_else(
        text in file(),
        section in prop::sample::select(vec!["default", "profile a", "a", "new", "DEFAULT"]),
        key in "[a-d]{1,2}",
        value in "[a-z0-9/:=#;]{0,8}",
        removes in any::<bool>(),
    ) {
        let Ok(before) = read(&text) else { return Ok(()) };
        let change = match removes {
            true => Change::Remove { section, key: &key },
            false => set(section, &key, &value),
        };
        let out = edit(text.as_bytes(), &[change]).unwrap();
        let after = Ini::read(&out).unwrap();
        prop_assert_eq!(said(&before, section, &key), said(&after, section, &key));
        let own = match section {
            DEFAULTS => Some(&after.defaults),
            name => after.section(name).map(|section| &section.entries),
        };
        let found = own.and_then(|own| own.iter().find(|entry| entry.key() == key));
        prop_assert_eq!(
            found.and_then(Entry::text),
            (!removes).then_some(value.as_str())
        );
        // Comments and blank lines stay, in their order.
        let kept = |text: &str| {
            let lines = text.split_inclusive(['\n', '\r']).map(|line| line.trim().to_owned());
            let kept: Vec<String> = lines.filter(|line| line.starts_with(['#', ';'])).collect();
            kept
        };
        prop_assert_eq!(kept(&text), kept(std::str::from_utf8(&out).unwrap()));
        // Set once more to the same, nothing changes at all.
        let again = edit(&out, &[change]).unwrap();
        prop_assert_eq!(&*again, &*out);
    }

    /// Whatever the bytes, an answer comes, and none of it panics.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Ini::read(&bytes);
        let _ = edit(&bytes, &[set("a", "k", "v")]);
        let _ = words(&String::from_utf8_lossy(&bytes));
    }
}
