//! What a line asks for.

/// A line, understood. An argument is the rest of the line as it was typed; empty where there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Help,
    Quit,
    List,
    Find(String),
    Code(String),
    Copy(String),
    Pair(String),
    Add(String),
    Edit(String),
    Remove(String),
    Undo,
    Trash,
    Restore(String),
    Lock,
    Unlock,
    /// No command: a number of the last list, or words to search for.
    Words(String),
}

/// What can be said, for the help. Held against `read` by a test.
pub(crate) const HELP: [(&str, &str); 16] = [
    ("WORDS", "search; the code, if one account is meant"),
    ("N", "the code of account N of the last list"),
    ("find WORDS", "search, also for a word that is a command"),
    ("list", "all accounts"),
    (
        "code N",
        "the code again; without N of the account spoken of last, here and below",
    ),
    ("copy N", "the code into the clipboard"),
    (
        "pair N",
        "two consecutive codes, as enabling an AWS device asks for them",
    ),
    ("add", "an account; add NAME or add PICTURE too"),
    ("edit N", "issuer, account name, tags and note"),
    ("remove N", "into the trash"),
    ("undo", "bring back what was removed last"),
    ("trash", "what is in the trash; restore N brings one back"),
    ("lock", "lock, here and at the agent"),
    ("unlock", "open the vault again"),
    ("help", "this"),
    ("quit", "leave; so does Ctrl-D on an empty line"),
];

impl Order {
    /// Nothing for an empty line.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = match line.split_once(char::is_whitespace) {
            Some((word, rest)) => (word, rest.trim()),
            None => (line, ""),
        };
        let words = || Self::Words(line.to_owned());
        // A command that takes nothing is one only where nothing follows: "list price" is searched for.
        let alone = |order: Self| if rest.is_empty() { order } else { words() };
        let with = rest.to_owned();
        Some(match word.to_lowercase().as_str() {
            "" => return None,
            "help" | "?" => alone(Self::Help),
            "quit" | "exit" | "q" => alone(Self::Quit),
            "list" => alone(Self::List),
            "find" => Self::Find(with),
            "code" => Self::Code(with),
            "copy" => Self::Copy(with),
            "pair" => Self::Pair(with),
            "add" => Self::Add(with),
            "edit" => Self::Edit(with),
            "remove" => Self::Remove(with),
            "undo" => alone(Self::Undo),
            "trash" => alone(Self::Trash),
            "restore" => Self::Restore(with),
            "lock" => alone(Self::Lock),
            "unlock" => alone(Self::Unlock),
            _ => words(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let words = |text: &str| Order::Words(text.into());
        for (line, order) in [
            ("github", words("github")),
            (" aws  root ", words("aws  root")),
            ("1", words("1")),
            ("help", Order::Help),
            ("?", Order::Help),
            ("LIST", Order::List),
            ("list price", words("list price")),
            ("find list", Order::Find("list".into())),
            ("copy", Order::Copy(String::new())),
            ("copy 2", Order::Copy("2".into())),
            ("Copy  aws root ", Order::Copy("aws root".into())),
            ("q", Order::Quit),
            ("copying", words("copying")),
        ] {
            assert_eq!(Order::read(line), Some(order), "{line:?}");
        }
        assert_eq!(Order::read(""), None);
        assert_eq!(Order::read(" \t"), None);
    }

    #[test]
    fn the_help_tells_of_commands_that_there_are() {
        for (said, _) in HELP.iter().skip(2) {
            let words = matches!(Order::read(said), Some(Order::Words(_)) | None);
            assert!(!words, "{said}");
        }
    }
}
