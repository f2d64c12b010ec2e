//! `vmfa aws import-csv`: the file that an administrator hands to a new user.

use serde_json::{Value, json};
use vmfa::account::text::clean;
use vmfa::aws::csv::{self, Account, Password, User};
use vmfa::aws::enroll;

use crate::args::aws::ImportCsv;
use crate::command::aws::desk::Desk;
use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

pub(super) fn run(context: &Context, input: &ImportCsv) -> Outcome {
    let shown = context.place.show(&input.file);
    let (bytes, _) =
        crate::files::read(&input.file, csv::MAX_BYTES as u64).map_err(|fault| fault.at(&shown))?;
    let users = csv::read_users(&bytes).map_err(|error| Fault::from(error).at(&shown))?;
    drop(bytes);
    let mut desk = Desk::new(context);
    for user in &users {
        let link = user.console.as_ref().map(|console| console.link.as_str());
        let noted = enroll::note_user(&mut desk, &user.name, link);
        desk.settle(noted)?;
    }
    desk.close();
    if input.json {
        return context
            .screen
            .json(&users.iter().map(described).collect::<Vec<_>>().into());
    }
    for user in &users {
        context.screen.line(&steps(user))?;
    }
    Ok(())
}

fn described(user: &User) -> Value {
    let console = user.console.as_ref().map(|console| {
        let (id, alias) = match &console.account {
            Account::Id(id) => (Some(id), None),
            Account::Alias(alias) => (None, Some(alias)),
        };
        json!({
            "link": console.link,
            "account_id": id,
            "alias": alias,
            "partition": console.partition.name(),
        })
    });
    json!({
        "user": user.name,
        "console": console,
        "password_in_file": user.password == Password::InFile,
    })
}

/// What a new user does first, in order.
fn steps(user: &User) -> String {
    let name = clean(&user.name);
    let mut lines = vec![format!("User {name}")];
    if let Some(console) = &user.console {
        let account = match &console.account {
            Account::Id(id) => format!("account {id}"),
            Account::Alias(alias) => format!("account alias {}", clean(alias)),
        };
        lines.push(format!("  sign in at {} ({account})", clean(&console.link)));
    }
    let mut step = 0;
    let mut next = |text: String| {
        step += 1;
        lines.push(format!("  {step}. {text}"));
    };
    if user.password == Password::InFile {
        next("sign in with the password in the file, and choose a new one when asked".into());
    }
    next(
        "create an access key: your name at the top right, Security credentials; download its file"
            .into(),
    );
    next(format!("vmfa aws key add {name} --csv accessKeys.csv"));
    next(format!(
        "vmfa aws enroll --profile {name} --write-config {name}-mfa"
    ));
    next("delete both files: they hold secrets in clear".into());
    lines.join("\n")
}
