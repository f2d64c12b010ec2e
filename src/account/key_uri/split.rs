//! Several Key URIs on one line.

/// What begins a Key URI inside a line. `steam` and `motp` need their slashes there: `My Steam:me` is a label.
const BEGINNINGS: [&str; 5] = [
    "otpauth:",
    "apple-otpauth:",
    "otpauth-migration:",
    "motp://",
    "steam://",
];

/// The Key URIs of a line: it is parted before each scheme that follows a comma, white space or a control character, as where
/// Ente joins its export by commas. What stands before the first comes as a piece of its own, so that nothing goes unsaid;
/// pieces without anything in them don't come. A line without a Key URI is one piece.
pub fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = next_beginning(rest).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            rest = after;
            let piece = piece.trim_matches(parts);
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    })
}

/// Where the next Key URI after the one at the start begins.
fn next_beginning(text: &str) -> Option<usize> {
    let parted = text
        .char_indices()
        .filter(|(_, character)| parts(*character))
        .map(|(at, character)| at + character.len_utf8());
    parted.into_iter().find(|at| begins(&text[*at..]))
}

fn begins(text: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| {
        text.get(..beginning.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    })
}

fn parts(character: char) -> bool {
    character == ','
        || character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{feff}' | '\u{200b}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_parted_before_each_uri() {
        let (a, b) = (
            "otpauth://totp/x?secret=S1&issuer=K",
            "otpauth://totp/M:n?secret=S2&issuer=M",
        );
        for between in [
            ",", ", ", " ", "\t", "\r", "\0", "\u{a0}", "\u{feff}", ",,\r\n",
        ] {
            let line = format!("\u{feff}{a}{between}{b},");
            assert_eq!(split(&line).collect::<Vec<_>>(), [a, b], "{between:?}");
        }
        for (line, pieces) in [
            ("", &[] as &[&str]),
            (" , ", &[]),
            ("JBSW Y3DP", &["JBSW Y3DP"]),
            ("# a note", &["# a note"]),
            ("mine: OTPAUTH:totp/x", &["mine:", "OTPAUTH:totp/x"]),
            (
                "motp://a?secret=1,steam://B,apple-otpauth://c",
                &["motp://a?secret=1", "steam://B", "apple-otpauth://c"],
            ),
            (
                "otpauth-migration://offline?data=A otpauth://x",
                &["otpauth-migration://offline?data=A", "otpauth://x"],
            ),
            // A label may hold these.
            (
                "otpauth://totp/My Steam:me, motp:you?secret=S1",
                &["otpauth://totp/My Steam:me, motp:you?secret=S1"],
            ),
        ] {
            assert_eq!(split(line).collect::<Vec<_>>(), pieces, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(line in "([a-z,é \r]{0,4}|,otpauth:| steam://){0,8}") {
            let letters = |text: &str| text.chars().filter(|c| !parts(*c)).collect::<String>();
            let pieces: String = split(&line).collect();
            prop_assert_eq!(letters(&pieces), letters(&line));
        }
    }
}
