use super::*;
use crate::tui::action::{ACTIONS, Action};
use crate::tui::keys::Key;

fn wrong(text: &str) -> (usize, usize, String, String) {
    let error = Config::read(text).expect_err(text);
    let hint = error.hint.unwrap_or_default();
    (error.line, error.column, error.message, hint)
}

/// The place and the message of what is wrong, and how its hint begins.
#[track_caller]
fn refused(text: &str, at: (usize, usize), message: &str, hint: &str) {
    let (line, column, found, advice) = wrong(text);
    assert_eq!(((line, column), found.as_str()), (at, message), "{text}");
    assert!(advice.starts_with(hint), "{text}: {advice}");
}

#[test]
fn nothing_is_the_default() {
    for text in [
        "",
        "\n",
        "# only a remark",
        "\u{feff}",
        "[colors]\n[keys]\r\n",
    ] {
        assert_eq!(Config::read(text), Ok(Config::default()), "{text:?}");
    }
}

#[test]
fn everything_that_can_be_set_is_read() {
    let text = r##"
theme = "16"
lock-after = "1h30m"
clear-clipboard-after = "never"
privacy = true
sort = "recent"
mouse = false
start = "search"
plain = true
next-code-from = 0x0f
[keys]
quit = "x"
pair = ["P", "ctrl-p"]
redraw = []
[colors]
tag = "bright-blue bold"
code = "#ff8700"
"##;
    let keys = |words: &[&str]| -> Vec<Key> {
        let each = words.iter().map(|word| Key::read(word).expect("a key"));
        each.collect()
    };
    let paint = |words| Paint::read(words).expect("a paint");
    let expected = Config {
        look: Look::Fixed(Kind::Sixteen),
        colors: vec![
            ("code", paint("#ff8700")),
            ("tag", paint("bright-blue bold")),
        ],
        keymap: Keymap::of(&[
            (Action::Quit, keys(&["x"])),
            (Action::Pair, keys(&["P", "ctrl-p"])),
            (Action::Redraw, vec![]),
        ])
        .expect("a keymap"),
        lock_after: Some(Duration::from_secs(5400)),
        clear_clipboard_after: None,
        privacy: true,
        sort: Sort::Recent,
        mouse: false,
        start: Start::Search,
        plain: true,
        next_code_from: 15,
    };
    assert_eq!(Config::read(text), Ok(expected));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_allowed() {
    refused(
        "theme = \"auto\"\nthmee = 1",
        (2, 1),
        "there is no setting \"thmee\"",
        "perhaps theme? It can be one of: theme, lock-after,",
    );
    refused(
        "  # é\r\n  zzz = 1",
        (2, 3),
        "there is no setting \"zzz\"",
        "it can be one of: theme,",
    );
    refused(
        "theme = \"truecolour\"",
        (1, 9),
        "\"theme\" can't be \"truecolour\"",
        "perhaps truecolor? It can be one of: auto, 16, truecolor, mono",
    );
    refused(
        "theme = 16",
        (1, 9),
        "\"theme\" is a number, not a word in quotes",
        "it can be one of: \"auto\", \"16\"",
    );
    refused(
        "privacy = \"yes\"",
        (1, 11),
        "\"privacy\" is a text, not true or false",
        "without quotes",
    );
    refused(
        "lock-after = \"10\"",
        (1, 14),
        "\"lock-after\" can't be \"10\"",
        "it can be a time such as \"90s\"",
    );
    refused(
        "lock-after = 10",
        (1, 14),
        "\"lock-after\" is a number, not a time such as \"90s\", \"10m\" or \"1h30m\", from 1s to 30d, or \"never\"",
        "",
    );
    for (text, found) in [("61", "61"), ("-1", "-1"), ("99999999999", "99999999999")] {
        refused(
            &format!("next-code-from = {text}"),
            (1, 18),
            &format!("\"next-code-from\" can't be \"{found}\""),
            "it can be a whole number of seconds from 0 to 60",
        );
    }
    refused(
        "next-code-from = 1.5",
        (1, 18),
        "\"next-code-from\" is a number, not a whole number of seconds from 0 to 60",
        "",
    );
    refused(
        "keys = 1",
        (1, 8),
        "\"keys\" is a number, not a table",
        "a line [keys]",
    );
    // The first mistake in the file's own order, not in that of the alphabet.
    refused(
        "sort = 1\nmouse = 2",
        (1, 8),
        "\"sort\" is a number, not a word in quotes",
        "",
    );
}

#[test]
fn colors_and_keys_are_refused_by_name() {
    refused(
        "[colors]\ncodes = \"red\"",
        (2, 1),
        "there is no part \"codes\"",
        "perhaps code?",
    );
    refused(
        "[colors]\ncode = \"bold rde\"",
        (2, 8),
        "\"code\": there is no color \"rde\"",
        "perhaps red? It can be one of: default,",
    );
    refused(
        "[colors]\ncode = \"red blue\"",
        (2, 8),
        "\"code\": \"blue\" is a second color",
        "",
    );
    refused(
        "[keys]\nserach = \"x\"",
        (2, 1),
        "there is no action \"serach\"",
        "perhaps search?",
    );
    refused(
        "[keys]\nsearch = [\"x\", \"entr\"]",
        (2, 16),
        "\"search\": \"entr\" is no key",
        "a key is one character",
    );
    refused(
        "[keys]\nsearch = [\"x\", 1]",
        (2, 16),
        "\"search\" is a number, not a key in quotes, or a list of such",
        "a key is one character",
    );
    refused(
        "keys.copy = \"x\"\nkeys.pair = [\"y\",\n  \"x\"]",
        (3, 3),
        "the key \"x\" is given to copy and to pair",
        "one key does one thing",
    );
    refused(
        "privacy = true\n[keys]\nquit = []",
        (2, 1),
        "quit is left without any key",
        "give it one: quit =",
    );
    refused(
        "[keys]\ncopy = [\"/\", \"ctrl-f\"]",
        (1, 1),
        "search is left without any key",
        "give it one: search =",
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, at) in [
        ("theme = auto", (1, 9)),
        ("theme = \"auto\"\n\ntheme = \"16\"", (3, 1)),
        ("mouse = true\nsort = \"name", (2, 13)),
        ("[keys", (1, 6)),
    ] {
        let (line, column, message, _) = wrong(text);
        assert_eq!((line, column), at, "{text}: {message}");
        assert!(!message.is_empty() && !message.contains('\n'), "{message}");
    }
}

#[test]
fn what_is_written_reads_as_what_it_was() {
    let texts = [
        "",
        "theme = \"truecolor\"\nlock-after = \"1d2h3m4s\"\nclear-clipboard-after = \"never\"\nnext-code-from = 0",
        "[colors]\ncode = \"#00ff00 bold underline\"\ntag = \"default\"\nfaint = \"dim\"",
        "[keys]\nhelp = []\npair = ['\\', '\"', \"'\", \"#\"]\ncopy = [\"space\", \"alt-]\"]\nedit = \"日\"",
    ];
    for text in texts {
        let config = Config::read(text).expect(text);
        let written = config.written();
        assert_eq!(Config::read(&written), Ok(config), "{written}");
    }
}

#[test]
fn what_is_written_names_all_there_is() {
    let written = Config::default().written();
    let lines: Vec<&str> = written.lines().collect();
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    for name in SETTINGS {
        let table = format!("[{name}]");
        assert!(has(&format!("{name} = ")) || has(&table), "{name}");
    }
    for row in ACTIONS {
        assert!(has(&format!("{} = ", row.name)), "{}", row.name);
    }
    for (part, _) in crate::tui::theme::PARTS {
        assert!(has(&format!("# {part} = ")), "{part}");
    }
    let other = Config::read("sort = \"use\"\n[keys]\nhelp = \"h\"").expect("a configuration");
    let written = other.written();
    assert!(written.contains("sort = \"use\"  # usually \"name\"\n"));
    assert!(written.contains("help = \"h\"  # this help; usually [\"?\", \"f1\"]\n"));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_much(text in "\\PC{0,200}") {
        let _ = Config::read(&text);
    }

    #[test]
    fn nothing_that_looks_like_a_configuration_is_too_much(
        words in proptest::collection::vec(
            "(theme|keys|colors|sort|lock-after|next-code-from|code|copy|quit|=|=|=|\\[|\\]|\\{|\\}|\"|'|,|\\.|\n|\r\n| |#|red|x|ctrl-|[0-9]{1,20}|true|é|\u{feff}|\\\\u)",
            0..40,
        )
    ) {
        let text = words.concat();
        match Config::read(&text) {
            Ok(config) => {
                proptest::prop_assert_eq!(Config::read(&config.written()), Ok(config));
            }
            Err(error) => {
                let lines = text.split('\n').count();
                proptest::prop_assert!((1..=lines).contains(&error.line), "{}", error);
                proptest::prop_assert!(error.column >= 1);
            }
        }
    }
}
