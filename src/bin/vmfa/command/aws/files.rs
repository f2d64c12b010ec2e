//! AWS's two files, and what is written into them when somebody asks for it.

use std::path::Path;

use vmfa::account::text::clean;
use vmfa::aws::ini::{Change, edit};
use vmfa::aws::profile::{File, Profile, Profiles, Source, new_section};

use crate::aws_files::AwsFile;
use crate::command::quoted;
use crate::fault::{Exit, Fault, Outcome};
use crate::place::AwsPlace;
use crate::unlock::Context;

/// What both files say together.
pub(super) fn profiles(context: &Context, place: &AwsPlace) -> Outcome<Profiles> {
    let config = AwsFile::read(&context.place, &place.config_file, File::Config)?;
    let credentials = AwsFile::read(&context.place, &place.credentials_file, File::Credentials)?;
    Ok(Profiles::new(config.ini()?, credentials.ini()?))
}

/// The lines of a profile that gets its credentials from vmfa.
pub(super) fn lines(
    context: &Context,
    name: &str,
    from: &str,
    region: Option<&str>,
) -> Outcome<String> {
    let mut text = format!(
        "[{}]\ncredential_process = {}\n",
        new_section(name),
        process(context, from, region)?
    );
    if let Some(region) = region {
        text.push_str(&format!("region = {region}\n"));
    }
    Ok(text)
}

/// Writes a profile that gets its credentials from vmfa. Says what was done.
pub(super) fn write_profile(
    context: &Context,
    name: &str,
    from: &str,
    region: Option<&str>,
) -> Outcome<String> {
    let place = context.place.aws()?;
    let file = AwsFile::read(&context.place, &place.config_file, File::Config)?;
    let profiles = profiles(context, &place)?;
    let process = process(context, from, region)?;
    let there = profiles.get(name);
    if let Some(profile) = &there {
        is_free(profile, &process)?;
    }
    let section = there
        .and_then(|profile| profile.section(File::Config).map(str::to_owned))
        .unwrap_or_else(|| new_section(name));
    let mut changes = vec![Change::Set {
        section: &section,
        key: "credential_process",
        value: &process,
    }];
    let has_region = match &there {
        Some(profile) => profile.own_region()?.is_some(),
        None => false,
    };
    if let (Some(region), false) = (region, has_region) {
        changes.push(Change::Set {
            section: &section,
            key: "region",
            value: region,
        });
    }
    let backup = file.replace(&edit(file.bytes(), &changes)?)?;
    let shown = context.place.show(&place.config_file);
    Ok(match backup {
        Some(backup) => format!(
            "wrote profile {} to {shown}; as it was: {}",
            clean(name),
            context.place.show(&backup)
        ),
        None if there.is_some() => format!("profile {} stands in {shown} already", clean(name)),
        None => format!("wrote profile {} to {shown}", clean(name)),
    })
}

/// What is said to `--write-config` before anything else is done: it would be a pity to find out after an enrolment.
pub(super) fn may_write(
    context: &Context,
    name: &str,
    from: &str,
    region: Option<&str>,
) -> Outcome {
    let place = context.place.aws()?;
    let profiles = profiles(context, &place)?;
    let fits = !name.is_empty() && name.len() <= 256 && !name.chars().any(char::is_control);
    if !fits || name.contains(['[', ']', '"']) {
        return Err(Fault::usage(format!(
            "--write-config {}: no profile can be called so",
            quoted(name)
        )));
    }
    match profiles.get(name) {
        Some(profile) => is_free(&profile, &process(context, from, region)?),
        None => Ok(()),
    }
}

/// A profile that has credentials of its own keeps them.
fn is_free(profile: &Profile<'_>, process: &str) -> Outcome {
    let taken = match profile.source()? {
        Source::Nothing => return Ok(()),
        Source::Process(command) if command.value == process => return Ok(()),
        Source::SourceProfile { .. }
        | Source::CredentialSource { .. }
        | Source::WebIdentity { .. } => "a role",
        Source::Sso(_) => "IAM Identity Center",
        Source::Keys(_) => "an access key",
        Source::Login(_) => "a login",
        Source::Process(_) => "another credential_process",
    };
    Err(Fault::new(
        Exit::Offline,
        format!(
            "{}: profile {} has {taken} already, which would go first",
            profile.at(),
            clean(profile.name())
        ),
    )
    .hint("give the new profile another name"))
}

/// The command for `credential_process`. It runs without a shell, and nothing in it is expanded.
fn process(context: &Context, from: &str, region: Option<&str>) -> Outcome<String> {
    let mut words = vec![
        program()?,
        "aws".into(),
        "credentials".into(),
        "--profile".into(),
        from.to_owned(),
    ];
    // What the environment says now, it needn't say when another program asks.
    let profiles = profiles(context, &context.place.aws()?)?;
    let own = match profiles.get(from) {
        Some(profile) => profile.own_region()?.is_some(),
        None => false,
    };
    if let (Some(region), false) = (region, own) {
        words.push("--region".into());
        words.push(region.into());
    }
    if !context
        .place
        .is_usual_vault(context.global.vault.as_deref())
    {
        let vault = std::path::absolute(&context.files.vault)
            .unwrap_or_else(|_| context.files.vault.clone());
        words.push("--vault".into());
        words.push(utf8(&vault)?);
    }
    let words: Vec<String> = words.iter().map(|word| word_of(word)).collect();
    Ok(words.join(" "))
}

/// This program as another one finds it: by its whole path, since nobody knows what PATH an editor was started with.
fn program() -> Outcome<String> {
    let fail = |error| {
        Fault::new(
            Exit::Internal,
            format!("where vmfa lies can't be told: {error}"),
        )
    };
    utf8(&std::env::current_exe().map_err(fail)?)
}

fn utf8(path: &Path) -> Outcome<String> {
    let text = path.to_str().map(str::to_owned);
    text.filter(|text| !text.contains(['\n', '\r', '"']))
        .ok_or_else(|| {
            Fault::usage(format!(
                "{}: AWS's files can't hold such a path",
                clean(&path.display().to_string())
            ))
        })
}

/// A word as the SDKs take it apart: in double quotes where there is a blank.
fn word_of(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
