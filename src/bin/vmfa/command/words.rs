//! The loose words of `vmfa add`: a name, pictures, or what should never stand there.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Outcome};

/// Which of the words is a name, and which are pictures.
pub(crate) fn sort_words(
    words: &[OsString],
    no_pictures: bool,
) -> Outcome<(Option<String>, Vec<PathBuf>)> {
    if words.iter().any(|word| holds_secret(word)) {
        // What was typed is not repeated.
        return Err(Fault::usage(
            "a Key URI or a secret may not stand on the command line, where others and the shell's history see it",
        )
        .hint("use --uri - or --secret - and type or pipe it; treat the one just typed as seen"));
    }
    let as_name = |word: &OsStr| {
        let name = word.to_str().map(str::to_owned);
        name.ok_or_else(|| Fault::usage("the account's name is not UTF-8"))
    };
    match words {
        [] => Ok((None, Vec::new())),
        [word, rest @ ..] if no_pictures => {
            if !rest.is_empty() || word == "-" || looks_like_picture(Path::new(word)) {
                return Err(Fault::usage(
                    "beside --secret, --uri, --screen or --clipboard there is at most one NAME and no picture",
                ));
            }
            Ok((Some(as_name(word)?), Vec::new()))
        }
        [first, rest @ ..] => {
            let path = Path::new(first);
            // `vmfa add missing.png` means a picture that isn't there, not an account of that name.
            let is_picture = first == "-"
                || looks_like_picture(path)
                || path.exists() && (rest.is_empty() || !path.is_dir());
            if is_picture {
                return Ok((None, words.iter().map(PathBuf::from).collect()));
            }
            Ok((
                Some(as_name(first)?),
                rest.iter().map(PathBuf::from).collect(),
            ))
        }
    }
}

fn looks_like_picture(path: &Path) -> bool {
    const ENDINGS: [&str; 12] = [
        "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif", "pdf", "svg",
    ];
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let from_here = ["./", "../", "/", "~/"];
    let text = path.to_string_lossy();
    ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
        || from_here.iter().any(|start| text.starts_with(start))
}

/// Whether a word can hardly be anything but a Key URI or a base32 secret. Names are short, or have small letters.
fn holds_secret(word: &OsStr) -> bool {
    let Some(text) = word.to_str() else {
        return false;
    };
    let lower = text.to_ascii_lowercase();
    if lower.contains("otpauth") && lower.contains(':') {
        return true;
    }
    let compact: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '='))
        .collect();
    let base32 = |c: char| c.is_ascii_alphabetic() || ('2'..='7').contains(&c);
    let capital = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
    let has_digit = compact.contains(|c: char| c.is_ascii_digit());
    has_digit
        && (compact.len() >= 16 && compact.chars().all(capital)
            || compact.len() >= 32 && compact.chars().all(base32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_a_name() {
        for secret in [
            "JBSWY3DPEHPK3PXP",
            "JBSW Y3DP EHPK 3PXP",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "otpauth://totp/a?secret=x",
            "OTPAUTH-MIGRATION://offline?data=x",
        ] {
            assert!(holds_secret(OsStr::new(secret)), "{secret}");
        }
        for name in [
            "GitHub:me",
            "productionaccount",
            "server2backup3east",
            "AMAZONWEBSERVICES",
            "root-account-mfa-device@example-corp",
            "qr.png",
        ] {
            assert!(!holds_secret(OsStr::new(name)), "{name}");
        }
    }
}
