//! `shlex.split`: how a section's name and a command are cut into words.

use zeroize::Zeroizing;

/// The words of a line, by POSIX rules; none where a quote isn't closed or a backslash stands last.
///
/// As in Python's `shlex`, with the same blanks: in double quotes a backslash escapes the quote and itself only.
pub fn words(text: &str) -> Option<Vec<Zeroizing<String>>> {
    let mut all = Vec::new();
    // What has been seen of a word; a pair of quotes alone makes an empty one.
    let mut word: Option<Zeroizing<String>> = None;
    let begin = || Zeroizing::new(String::with_capacity(text.len()));
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => all.extend(word.take()),
            '\\' => word.get_or_insert_with(begin).push(chars.next()?),
            '\'' => {
                let word = word.get_or_insert_with(begin);
                loop {
                    match chars.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_with(begin);
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            other => word.get_or_insert_with(begin).push(other),
        }
    }
    all.extend(word);
    Some(all)
}

/// A word so that [`words`] gives it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_a_shell_cuts_them() {
        let split = |text: &str| {
            words(text).map(|words| {
                let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
                words
            })
        };
        for (text, expected) in [
            ("", Some(vec![])),
            ("  profile\ta ", Some(vec!["profile", "a"])),
            (r#"profile "a b""#, Some(vec!["profile", "a b"])),
            (r#"a'b "c'd"#, Some(vec![r#"ab "cd"#])),
            (r#""a\"b\\c\d""#, Some(vec![r#"a"b\c\d"#])),
            (r"a\ b '\'", Some(vec!["a b", r"\"])),
            (r#"a "" b"#, Some(vec!["a", "", "b"])),
            (r#"a "b"#, None),
            ("a 'b", None),
            (r"a\", None),
            (r#""a\"#, None),
        ] {
            let expected =
                expected.map(|words| words.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(split(text), expected, "{text}");
        }
        for word in ["", "a", "a b", r#"a"b\c"#, "a'b", "日本"] {
            assert_eq!(split(&quoted(word)), Some(vec![word.to_owned()]), "{word}");
        }
    }
}
