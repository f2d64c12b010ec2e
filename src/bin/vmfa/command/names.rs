//! `vmfa list --names`: what to call each account so that no other is meant, for menus and for completion.

use std::ffi::OsString;

use vmfa::account::Summary;
use vmfa::account::query::{Found, Index};
use vmfa::account::text::clean;
#[cfg(unix)]
use vmfa::agent::{Client, protocol::Which};

#[cfg(unix)]
use crate::args::Global;
use crate::command::{id_behind_label, short_id};
use crate::fault::{Exit, Outcome};
use crate::place::Place;
#[cfg(unix)]
use crate::unlock::Context;
#[cfg(not(unix))]
use crate::unlock::Context;

/// What the completion scripts call. It is no command of its own: nobody types it, and it is answered before the arguments of
/// all commands are made ready.
pub(crate) const WORD: &str = "complete-names";

/// Whether a completion script asks for names.
pub(crate) fn are_asked_for(arguments: &[OsString]) -> bool {
    arguments.len() == 2 && arguments[1] == WORD
}

/// Names from an agent that is unlocked; from nobody else, and without a word to anybody: a key was pressed, no question put.
#[cfg(unix)]
pub(crate) fn for_shell(place: Place) -> Exit {
    let printed = || -> Option<Outcome> {
        if place.no_agent {
            return None;
        }
        let context = Context::new(Global::default(), place).ok()?;
        let client = Client::connect(&context.place.agent(&context.files)).ok()?;
        // A look at how it is starts nothing, where a service manager would have to, and isn't use.
        client.status().ok()?.held?;
        let mut all = client.list(Which::Live).ok()?.summaries;
        crate::command::list::sort(&mut all);
        Some(print(&context, &all, &all))
    };
    let _ = printed();
    Exit::Done
}

/// There is no agent.
#[cfg(not(unix))]
pub(crate) fn for_shell(_place: Place) -> Exit {
    Exit::Done
}

/// The names of these accounts, each on a line.
pub(crate) fn print(context: &Context, all: &[Summary], shown: &[Summary]) -> Outcome {
    let index = Index::new(all);
    let mut lines = String::new();
    for summary in shown {
        lines.push_str(&name(summary, all, &index));
        lines.push('\n');
    }
    context.screen.raw(lines.as_bytes())
}

/// The label; with the id behind it, or the id alone, where the label could mean another account, or an option.
fn name(summary: &Summary, all: &[Summary], index: &Index) -> String {
    let means_it = |name: &str| {
        let query = id_behind_label(name).unwrap_or(name);
        matches!(index.find(query, all), Found::One(found) if all[found].id == summary.id)
    };
    let label = clean(&summary.label()).trim().to_owned();
    let id = summary.id.to_string();
    let candidates = [
        label.clone(),
        format!("{label} (id {})", short_id(summary)),
        format!("{label} (id {id})"),
    ];
    let usable = |name: &String| !label.is_empty() && !name.starts_with('-') && means_it(name);
    candidates.into_iter().find(usable).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vmfa::account::query::find;

    use super::*;
    use crate::command::words_of;
    use crate::fixture::account;

    fn names(all: &[Summary]) -> Vec<String> {
        let index = Index::new(all);
        all.iter().map(|one| name(one, all, &index)).collect()
    }

    #[test]
    fn a_label_is_a_name_unless_it_could_mean_another() {
        let all = [
            account([1; 16], "GitHub", "me"),
            account([2; 16], "GitHub", "work"),
            account([3; 16], "Same", "twice"),
            account([4; 16], "Same", "twice"),
            account([5; 16], "", "bob"),
            account([6; 16], "GitLab", "bob"),
            account([7; 16], "", ""),
            account([8; 16], "-Dash", "x"),
            account([9; 16], "日本", "太郎 山田"),
            account([10; 16], "Near:er", "x"),
            account([11; 16], "Near", "er:x"),
        ];
        assert_eq!(
            names(&all),
            [
                "GitHub:me",
                "GitHub:work",
                "Same:twice (id 03030303)",
                "Same:twice (id 04040404)",
                "bob (id 05050505)",
                "GitLab:bob",
                "07070707070707070707070707070707",
                "08080808080808080808080808080808",
                "日本:太郎 山田",
                "Near:er:x (id 0a0a0a0a)",
                "Near:er:x (id 0b0b0b0b)",
            ]
        );
    }

    fn text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "",
            "a",
            "A",
            "b",
            " ",
            ":",
            "-",
            "(id 01010101)",
            " (id 02020202)",
            "01010101",
            "aws",
            "é",
            "日",
            "@",
            "$(x)",
            "'",
            "\n",
            "123456789012",
        ]);
        prop::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// The rules of the query are the judge.
        #[test]
        fn a_name_means_its_account_and_no_other(all in prop::collection::vec((0..4u8, text(), text()), 1..6)) {
            let all: Vec<Summary> = all.iter().enumerate().map(|(n, (first, issuer, name))| {
                let mut id = [*first; 16];
                id[15] = n as u8;
                account(id, issuer, name)
            }).collect();
            for (at, name) in names(&all).into_iter().enumerate() {
                prop_assert!(!name.contains('\n') && !name.starts_with('-'));
                let query = words_of(std::slice::from_ref(&name));
                let query = query.map_err(|fault| TestCaseError::fail(fault.message().to_owned()))?;
                prop_assert_eq!(find(&query, &all), Found::One(at), "{:?}", name);
            }
        }
    }
}
