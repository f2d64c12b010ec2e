//! The one call that must be as quick as a process can start: `vmfa code WORD…`, answered by an agent.
//!
//! Making ready to read the arguments of all commands takes a third of a millisecond, as long as all the rest of such a call.
//! So this form alone is read here, before them. Whatever looks otherwise in the least, or has an option, goes the usual way.

use std::ffi::OsString;

use crate::args::{Arguments, Code, Command, Global};

/// The arguments of a call of the hot form: words that nobody could take for anything else.
pub(crate) fn arguments(arguments: &[OsString]) -> Option<Arguments> {
    let (_program, arguments) = arguments.split_first()?;
    let (command, words) = arguments.split_first()?;
    if command != "code" || words.is_empty() {
        return None;
    }
    let plain = |word: &&str| !word.is_empty() && !word.starts_with('-');
    let words = words
        .iter()
        .map(|word| word.to_str().filter(plain).map(str::to_owned));
    Some(Arguments {
        global: Global::default(),
        plain: false,
        command: Some(Command::Code(Code {
            query: words.collect::<Option<_>>()?,
            ..Code::default()
        })),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn given(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    /// What is read here.
    fn hot(given: &[OsString]) -> Option<(Global, Code)> {
        code(arguments(given)?)
    }

    /// What the usual way makes of it.
    fn as_usual(given: &[OsString]) -> Option<(Global, Code)> {
        code(Arguments::try_parse_from(given).ok()?)
    }

    fn code(arguments: Arguments) -> Option<(Global, Code)> {
        match arguments.command {
            Some(Command::Code(code)) => Some((arguments.global, code)),
            _ => None,
        }
    }

    #[test]
    fn the_hot_form_is_read_as_usual() {
        for words_given in [
            &["github"][..],
            &["aws", "root"],
            &["Amazon Web Services:alice@123456789012"],
            &["code"],
            &["help"],
            &["list", "add"],
            &["a=b", "@", "日本", "arn:aws:iam::123456789012:mfa/alice"],
            &["a-", "1", " "],
        ] {
            let given = given(&[&["vmfa", "code"], words_given].concat());
            let (global, code) = hot(&given).expect("a code");
            assert_eq!(code.query, words_given);
            assert_eq!(as_usual(&given), Some((global, code)));
        }
    }

    #[test]
    fn all_else_is_left_to_the_usual_way() {
        for other in [
            &[][..],
            &["vmfa"],
            &["vmfa", "code"],
            &["vmfa", "code", "-h"],
            &["vmfa", "code", "--help"],
            &["vmfa", "code", "github", "--json"],
            &["vmfa", "code", "--fresh", "github"],
            &["vmfa", "code", "--vault", "there", "github"],
            &["vmfa", "--vault", "there", "code", "github"],
            &["vmfa", "code", "--", "github"],
            &["vmfa", "code", "github", "--"],
            &["vmfa", "code", "-"],
            &["vmfa", "code", "github", "-"],
            &["vmfa", "code", ""],
            &["vmfa", "code", "github", ""],
            &["vmfa", "Code", "github"],
            &["vmfa", "codes", "github"],
            &["vmfa", "cod", "github"],
            &["vmfa", "", "github"],
            &["vmfa", "pair", "github"],
        ] {
            assert_eq!(hot(&given(other)), None, "{other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_left_to_the_usual_way() {
        use std::os::unix::ffi::OsStringExt as _;
        let mut given = given(&["vmfa", "code"]);
        given.push(OsString::from_vec(vec![b'a', 0xff]));
        assert_eq!(hot(&given), None);
    }

    proptest::proptest! {
        /// Whatever is taken here, the usual way takes for the same.
        #[test]
        fn nothing_is_taken_for_what_it_is_not(
            given in proptest::collection::vec("(code|list|github|--|-|-h|--json|--fresh|--at|=|a=b| |é|[ -~]{0,4})", 0..4)
        ) {
            let words: Vec<&str> = ["vmfa", "code"].into_iter().chain(given.iter().map(String::as_str)).collect();
            let given = super::tests::given(&words);
            if let Some(hot) = hot(&given) {
                proptest::prop_assert_eq!(as_usual(&given), Some(hot));
            }
        }
    }
}
