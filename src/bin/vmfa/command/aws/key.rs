//! `vmfa aws key`: access keys in the vault rather than in clear in a file.

use serde_json::json;
use vmfa::account::text::clean;
use vmfa::aws::csv;
use vmfa::aws::ini::{Change, edit};
use vmfa::aws::process::iso8601;
use vmfa::aws::profile::File;
use vmfa::clock::UnixTime;
use vmfa::keyring::{AccessKey, Keyring};
use vmfa::secret::SecretText;
use vmfa::vault::{PutKey, WhichKeys};

use crate::args::aws::{Key, KeyAdd, KeyList, KeyRemove};
use crate::aws_files::AwsFile;
use crate::command::aws::files;
use crate::command::{counted, quoted, save};
use crate::fault::{Exit, Fault, Outcome};
use crate::print::Table;
use crate::prompt::Terminal;
use crate::unlock::Context;

pub(super) fn run(context: &Context, input: &Key) -> Outcome {
    match input {
        Key::Add(input) => add(context, input),
        Key::List(input) => list(context, input),
        Key::Remove(input) => remove(context, input),
    }
}

fn add(context: &Context, input: &KeyAdd) -> Outcome {
    let (id, secret) = match &input.csv {
        Some(path) => {
            let shown = context.place.show(path);
            let (bytes, _) = crate::files::read(path, csv::MAX_BYTES as u64)
                .map_err(|fault| fault.at(&shown))?;
            csv::read_access_key(&bytes).map_err(|error| Fault::from(error).at(&shown))?
        }
        None if input.from_credentials => plaintext(context, &input.profile)?,
        None => typed()?,
    };
    let now = context.now()?;
    let mut vault = context.open()?;
    let put = vault.put_access_key(&input.profile, &id, secret, now)?;
    save(context, &mut vault, now)?;
    vault.close();
    let profile = clean(&input.profile);
    context.screen.line(&match &put {
        PutKey::New => format!("{id}: kept for profile {profile}"),
        PutKey::AlreadyThere => format!("{id}: was kept for profile {profile} already"),
        PutKey::Replaced(before) => format!(
            "{id}: kept for profile {profile}, in place of {}",
            ids(before)
        ),
    })?;
    if let Some(path) = &input.csv {
        context.screen.remark(&format!(
            "{} still holds it in clear: delete it",
            context.place.show(path)
        ));
    }
    plaintext_goes(context, input, &id)
}

/// The key that stands in clear in one of AWS's files for the same profile may go: only when it is the very one that is in
/// the vault, and only when somebody says so.
fn plaintext_goes(context: &Context, input: &KeyAdd, id: &str) -> Outcome {
    let place = context.place.aws()?;
    for (path, kind) in [
        (&place.credentials_file, File::Credentials),
        (&place.config_file, File::Config),
    ] {
        let file = AwsFile::read(&context.place, path, kind)?;
        let profiles = files::profiles(context, &place)?;
        let Some(profile) = profiles.get(&input.profile) else {
            continue;
        };
        let (Some(keys), Some(section)) = (profile.keys(kind)?, profile.section(kind)) else {
            continue;
        };
        let shown = context.place.show(path);
        if keys.access_key_id != id || keys.session_token.is_some() {
            context.screen.warn(&format!(
                "{shown} holds another key for this profile, and programs that read it use that one"
            ));
            continue;
        }
        let question =
            format!("Remove the same key, in clear, from {shown}? A backup of the file is kept.");
        let wanted = input.remove_plaintext
            || Terminal::open()
                .is_some_and(|terminal| terminal.confirm(&question).unwrap_or(false));
        if !wanted {
            context.screen.remark(&format!(
                "the same key stands in clear in {shown}: `vmfa aws key add {} --from-credentials --remove-plaintext` removes it there",
                clean(&input.profile)
            ));
            continue;
        }
        let changes = ["aws_access_key_id", "aws_secret_access_key"]
            .map(|key| Change::Remove { section, key });
        let backup = file.replace(&edit(file.bytes(), &changes)?)?;
        context.screen.line(&match backup {
            Some(backup) => format!(
                "removed from {shown}; the backup {} still holds it in clear: delete it when all works",
                context.place.show(&backup)
            ),
            None => format!("removed from {shown}"),
        })?;
    }
    Ok(())
}

/// What one of AWS's files holds in clear.
fn plaintext(context: &Context, name: &str) -> Outcome<(String, SecretText)> {
    let place = context.place.aws()?;
    let profiles = files::profiles(context, &place)?;
    let missing = || {
        Fault::new(
            Exit::NotFound,
            format!(
                "neither of AWS's files holds an access key for profile {}",
                quoted(name)
            ),
        )
        .hint("leave out --from-credentials to type it, or name a file with --csv")
    };
    let profile = profiles.get(name).ok_or_else(missing)?;
    let keys = match profile.keys(File::Credentials)? {
        Some(keys) => keys,
        None => profile.keys(File::Config)?.ok_or_else(missing)?,
    };
    if keys.session_token.is_some() {
        return Err(Fault::usage(format!(
            "{}: these are a session's keys, which end by themselves",
            keys.at
        )));
    }
    Ok((keys.access_key_id, keys.secret_access_key))
}

fn typed() -> Outcome<(String, SecretText)> {
    let terminal = Terminal::open().ok_or_else(|| {
        Fault::new(
            Exit::Locked,
            "there is no terminal to type the access key on",
        )
        .hint("use --csv FILE or --from-credentials")
    })?;
    let id = terminal.line("Access key ID: ")?;
    let secret = terminal.hidden("Secret access key: ")?;
    Ok((id, SecretText::new(secret.expose().trim().to_owned())))
}

fn list(context: &Context, input: &KeyList) -> Outcome {
    let keys = keys(context)?;
    if input.json {
        let value = |key: &AccessKey| {
            json!({
                "profile": key.profile,
                "access_key_id": key.access_key_id,
                "added": key.added,
            })
        };
        return context
            .screen
            .json(&keys.iter().map(value).collect::<Vec<_>>().into());
    }
    let mut table = Table::new(&["PROFILE", "ACCESS KEY ID", "ADDED"]);
    for key in keys {
        let added = iso8601(UnixTime::from_secs(key.added));
        table.row(vec![key.profile, key.access_key_id, added[..10].into()]);
    }
    if table.is_empty() {
        context
            .screen
            .remark("no access key is kept here: `vmfa aws key add PROFILE`");
        return Ok(());
    }
    table.print(&context.screen)
}

fn keys(context: &Context) -> Outcome<Vec<AccessKey>> {
    #[cfg(unix)]
    if let Some(client) = context.agent()
        && let Some(keys) = context.answered(client.access_keys())?
    {
        return Ok(keys);
    }
    let vault = context.open()?;
    let keys = vault.access_keys()?;
    vault.close();
    Ok(keys)
}

fn remove(context: &Context, input: &KeyRemove) -> Outcome {
    let now = context.now()?;
    let mut vault = context.open()?;
    let known = vault.access_keys()?;
    let by_id = known.iter().any(|key| key.access_key_id == input.which);
    let which = if by_id {
        WhichKeys::WithId(&input.which)
    } else {
        WhichKeys::OfProfile(&input.which)
    };
    let gone = vault.remove_access_key(which, now)?;
    save(context, &mut vault, now)?;
    vault.close();
    context.screen.line(&format!(
        "forgot {}: {}; the vault's backups still hold it",
        counted(gone.len(), "access key"),
        ids(&gone)
    ))
}

fn ids(keys: &[AccessKey]) -> String {
    let ids: Vec<&str> = keys.iter().map(|key| key.access_key_id.as_str()).collect();
    ids.join(", ")
}
