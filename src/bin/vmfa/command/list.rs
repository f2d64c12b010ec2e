//! `vmfa list`: the accounts, without secrets.

use serde_json::{Value, json};
use vmfa::account::{Summary, query};
#[cfg(unix)]
use vmfa::agent::protocol::Which;
use vmfa::authenticator::Authenticator;
use vmfa::vault::UnknownRecord;

use crate::args::List;
use crate::command::{names, short_id};
use crate::fault::Outcome;
use crate::print::Table;
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &List) -> Outcome {
    let (all, unknown) = accounts(context, input)?;
    let query = input.query.join(" ");
    let mut summaries: Vec<Summary> = query::matching(&query, &all)
        .into_iter()
        .map(|index| all[index].clone())
        .collect();
    sort(&mut summaries);
    if input.names {
        // A name must mean its account among all, whatever the query.
        return names::print(context, &all, &summaries);
    }
    if input.json {
        return context
            .screen
            .json(&Value::Array(summaries.iter().map(described).collect()));
    }
    print(context, &summaries)?;
    remark_unknown(context, &unknown);
    if summaries.is_empty() && context.screen.err_is_terminal() {
        context.screen.remark(if input.trash {
            "the trash is empty"
        } else if query.trim().is_empty() {
            "no accounts yet: `vmfa add` brings one in"
        } else {
            "no account matches all these words"
        });
    }
    Ok(())
}

/// The accounts, from the agent if there is one that can answer, and the records that aren't understood.
fn accounts(context: &Context, input: &List) -> Outcome<(Vec<Summary>, Unknown)> {
    #[cfg(unix)]
    if let Some(client) = context.agent() {
        let which = if input.trash {
            Which::Trash
        } else {
            Which::Live
        };
        if let Some(listed) = context.answered(client.list(which))? {
            return Ok((listed.summaries, Unknown::Counted(listed.unknown as usize)));
        }
    }
    let vault = context.open()?;
    let all = if input.trash {
        vault.trash()
    } else {
        vault.summaries()?
    };
    Ok((all, Unknown::Known(vault.unknown_records())))
}

/// Records of a newer version.
enum Unknown {
    /// So many, as an agent tells it.
    #[cfg(unix)]
    Counted(usize),
    /// These.
    Known(Vec<UnknownRecord>),
}

/// Favourites first, then by label as a person sorts: case aside.
pub(crate) fn sort(summaries: &mut [Summary]) {
    summaries.sort_by_cached_key(|s| {
        (
            !s.favorite,
            s.issuer.to_lowercase(),
            s.name.to_lowercase(),
            s.id,
        )
    });
}

/// The table of accounts.
pub(crate) fn print(context: &Context, summaries: &[Summary]) -> Outcome {
    let mut table = Table::new(&["ISSUER", "ACCOUNT", "TYPE", "TAGS", "ID"]);
    for summary in summaries {
        let mut tags = summary.tags.join(" ");
        let marks = [
            (summary.confirm, "?"),
            (summary.favorite, "*"),
            (summary.conflict, "CONFLICT"),
        ];
        for (set, mark) in marks {
            if set {
                tags = format!("{mark} {tags}").trim_end().to_owned();
            }
        }
        table.row(vec![
            summary.issuer.clone(),
            summary.name.clone(),
            kind(summary),
            tags,
            short_id(summary),
        ]);
    }
    if table.is_empty() {
        Ok(())
    } else {
        table.print(&context.screen)
    }
}

/// The scheme in a word or two: what differs from the usual is said.
pub(crate) fn kind(summary: &Summary) -> String {
    let scheme = &summary.scheme;
    let mut words = vec![scheme.name().to_owned()];
    if matches!(scheme.name(), "totp" | "hotp") {
        if scheme.algorithm_name() != "SHA1" {
            words.push(scheme.algorithm_name().into());
        }
        if scheme.digits() != 6 {
            words.push(format!("{} digits", scheme.digits()));
        }
        if let Some(period) = scheme.period().filter(|period| *period != 30) {
            words.push(format!("{period} s"));
        }
    }
    words.join(" ")
}

/// An account as `list --json` tells it. The names are stable.
pub(crate) fn described(summary: &Summary) -> Value {
    json!({
        "id": summary.id.to_string(),
        "issuer": summary.issuer,
        "account": summary.name,
        "type": summary.scheme.name(),
        "algorithm": summary.scheme.algorithm_name(),
        "digits": summary.scheme.digits(),
        "period": summary.scheme.period(),
        "counter": summary.counter,
        "tags": summary.tags,
        "serial_number": summary.serial_number,
        "note": summary.note,
        "favorite": summary.favorite,
        "confirm": summary.confirm,
        "conflict": summary.conflict,
    })
}

/// Records of a newer version are kept and shown as what they are.
fn remark_unknown(context: &Context, unknown: &Unknown) {
    let (count, ids) = match unknown {
        #[cfg(unix)]
        Unknown::Counted(count) => (*count, Vec::new()),
        Unknown::Known(records) => {
            let ids = records.iter().take(5);
            let ids = ids.map(|record| format!("{} (type {})", record.id, record.kind));
            (records.len(), ids.collect())
        }
    };
    if count > 0 {
        let which = if ids.is_empty() {
            "`vmfa check` names them".to_owned()
        } else {
            ids.join(", ")
        };
        context.screen.warn(&format!(
            "{count} records are of a kind that this version doesn't know; they are kept as they are: {which}"
        ));
    }
}
