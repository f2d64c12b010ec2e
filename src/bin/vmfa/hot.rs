//! The one call that must be as quick as a process can start: `vmfa code WORD…`, answered by an agent.
//!
//! Reading the arguments of all commands takes a third of a millisecond, as long as all the rest of such a call. So this form
//! alone is read here, before them. Whatever looks otherwise in the least, has an option or can't be answered at once goes
//! the usual way, and comes to the same there.

use std::ffi::OsString;

use crate::fault::Exit;

/// Answers a call of the hot form, if an agent can. Nothing is done otherwise.
pub(crate) fn run(arguments: &[OsString]) -> Option<Exit> {
    answer(&words(arguments)?)
}

/// The words of `vmfa code WORD…`, if the arguments are just that: words that nobody could take for anything else.
fn words(arguments: &[OsString]) -> Option<Vec<&str>> {
    let (_program, arguments) = arguments.split_first()?;
    let (command, words) = arguments.split_first()?;
    if command != "code" || words.is_empty() {
        return None;
    }
    let plain = |word: &&str| !word.is_empty() && !word.starts_with('-');
    words
        .iter()
        .map(|word| word.to_str().filter(plain))
        .collect()
}

/// The code of the account that the words mean, from an agent that holds the open vault. There is none yet.
fn answer(_words: &[&str]) -> Option<Exit> {
    None
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, Command};

    fn arguments(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    /// What the usual way makes of the arguments, if it is a code without any option.
    fn as_usual(arguments: &[OsString]) -> Option<Vec<String>> {
        let Arguments { global, command } = Arguments::try_parse_from(arguments).ok()?;
        let Command::Code(code) = command else {
            return None;
        };
        let has_option = global.vault.is_some()
            || global.passphrase_file.is_some()
            || global.passphrase_fd.is_some()
            || global.passphrase_command.is_some()
            || global.key_file.is_some()
            || global.recovery
            || global.accept_rollback
            || global.accept_high_kdf
            || code.fresh
            || code.within != 0
            || code.next
            || code.at.is_some()
            || code.min_validity.is_some()
            || code.json;
        (!has_option).then_some(code.query)
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
            let given = arguments(&[&["vmfa", "code"], words_given].concat());
            assert_eq!(words(&given), Some(words_given.to_vec()));
            let as_usual = as_usual(&given).expect("a code");
            assert_eq!(as_usual, words_given);
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
            assert_eq!(words(&arguments(other)), None, "{other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_left_to_the_usual_way() {
        use std::os::unix::ffi::OsStringExt as _;
        let mut given = arguments(&["vmfa", "code"]);
        given.push(OsString::from_vec(vec![b'a', 0xff]));
        assert_eq!(words(&given), None);
    }

    #[test]
    fn without_an_agent_nothing_is_answered() {
        assert!(run(&arguments(&["vmfa", "code", "github"])).is_none());
    }

    proptest::proptest! {
        /// Whatever is taken here, the usual way takes for the same.
        #[test]
        fn nothing_is_taken_for_what_it_is_not(
            given in proptest::collection::vec("(code|list|github|--|-|-h|--json|--fresh|--at|=|a=b| |é|[ -~]{0,4})", 0..4)
        ) {
            let given: Vec<&str> = ["vmfa", "code"].into_iter().chain(given.iter().map(String::as_str)).collect();
            let given = arguments(&given);
            if let Some(words) = words(&given) {
                proptest::prop_assert_eq!(as_usual(&given), Some(words.into_iter().map(str::to_owned).collect()));
            }
        }
    }
}
