//! `vmfa add`: accounts in, from pictures, the screen, the clipboard, Key URIs or a typed secret.

use std::io::IsTerminal;
use std::path::PathBuf;
#[cfg(feature = "screen")]
use std::time::Duration;

use vmfa::account::query::{self, Found};
use vmfa::account::text::clean;
use vmfa::account::{Account, AccountId, Draft, Drafted, Refusal, Summary};
use vmfa::authenticator::Authenticator;
#[cfg(feature = "screen")]
use vmfa::clock::Deadline;
use vmfa::clock::UnixTime;
use vmfa::import;
use vmfa::otp::Pairing;
use vmfa::secret::SecretText;
use vmfa::vault::{Added, KdfParams, Unlocked};

use crate::args::Add;
use crate::command::found;
use crate::command::piped::{Piped, secret_line, uris_of};
use crate::command::relabel::Words;
use crate::command::words::sort_words;
use crate::command::{fresh, init, named, only_dash, save, scan, short_id};
use crate::fault::{Exit, Fault, Outcome};
use crate::prompt::Terminal;
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: Add) -> Outcome<Exit> {
    let now = context.now()?;
    // Everything is read before a passphrase is asked for: a picture that can't be read should cost nobody one.
    let incoming = gather(context, input, now)?;
    if incoming.accounts.is_empty() {
        return Ok(Exit::Usage);
    }
    let mut vault = open_or_make(context)?;
    take_in(context, &mut vault, incoming, now)
}

/// What is to be added.
pub(crate) struct Incoming {
    accounts: Vec<Account>,
    /// How many more were refused, which has been said.
    refused: usize,
    coming: Coming,
}

/// Reads what is to be added, and asks for what is missing.
///
/// # Errors
/// Nothing of it can be read. What is refused by itself is said on standard error and counted.
pub(crate) fn gather(context: &Context, input: Add, now: UnixTime) -> Outcome<Incoming> {
    let uris = only_dash("--uri", input.uri.as_deref())?;
    let secret = only_dash("--secret", input.secret.as_deref())?;
    let pin = only_dash("--pin", input.pin.as_deref())?;
    let (name, pictures) = sort_words(&input.words, uris || secret || looks_around(&input))?;
    let mut piped = None;
    let (mut found, coming) = if looks_around(&input) {
        from_around(context, &input)?
    } else if uris {
        from_uris(context, &mut piped)?
    } else if secret || pictures.is_empty() {
        from_secret(context, &input, name.is_some() || secret, &mut piped)?
    } else {
        from_pictures(context, &pictures)?
    };
    if pin {
        let typed = secret_line("PIN", &mut piped)?;
        for draft in found.iter_mut().flatten() {
            draft.pin = Some(typed.duplicate());
        }
    }
    let name = match name {
        None if (secret || looks_around(&input) && is_nameless(&found))
            && input.account.is_none()
            && input.issuer.is_none() =>
        {
            Some(ask_name()?)
        }
        given => given,
    };
    let several = found.iter().filter(|row| row.is_ok()).count() > 1;
    if several && (name.is_some() || input.account.is_some()) {
        return Err(
            Fault::usage("several accounts were found, and one name was given for them")
                .hint("leave the name out, then `vmfa rename` each"),
        );
    }
    let said = Words::new(
        input.issuer.as_deref(),
        input.account.as_deref(),
        input.note.as_deref(),
        &input.tags,
        input.serial_number.as_deref(),
    )?;
    // What an option says goes before what the name says, and both before what the picture says.
    let words = match &name {
        Some(name) => said.or(Words::of_label(name)?),
        None => said,
    };
    let mut accounts = Vec::new();
    let mut refused = 0;
    for row in found.drain(..) {
        match row.and_then(|draft| draft.into_account(now)) {
            Ok(Drafted {
                mut account,
                warnings,
            }) => {
                words.put_on(&mut account.summary)?;
                account.summary.confirm = input.confirm;
                for warning in warnings {
                    context
                        .screen
                        .warn(&format!("{}: {warning}", named(&account.summary)));
                }
                accounts.push(account);
            }
            Err(refusal) => {
                refused += 1;
                report(&refusal, context);
            }
        }
    }
    Ok(Incoming {
        accounts,
        refused,
        coming,
    })
}

/// An account without a name can't be asked for.
fn ask_name() -> Outcome<String> {
    let missing =
        || Fault::usage("the account needs a name").hint("vmfa add ISSUER:NAME --secret -");
    let terminal = Terminal::open().ok_or_else(missing)?;
    let name = terminal.line("Name (ISSUER:NAME): ")?;
    if name.is_empty() {
        Err(missing())
    } else {
        Ok(name)
    }
}

/// A row that was refused, on standard error; the other rows go on.
fn report(refusal: &Refusal, context: &Context) {
    Fault::from(refusal.clone()).report(context.screen.err_colours());
}

/// Takes accounts into an open vault, saves, and says what became of each.
pub(crate) fn take_in(
    context: &Context,
    vault: &mut Unlocked,
    incoming: Incoming,
    now: UnixTime,
) -> Outcome<Exit> {
    let Incoming {
        accounts,
        refused,
        coming,
    } = incoming;
    let exit = match (accounts.len(), refused) {
        (0, _) => return Ok(Exit::Usage),
        (_, 0) => Exit::Done,
        (_, _) => Exit::Partly,
    };
    let mut came = Vec::new();
    for account in accounts {
        let label = named(&account.summary);
        let confirm = account.summary.confirm;
        let added = vault.add(account, now)?;
        if confirm {
            // Also where it was there already: who asks to be asked isn't told that all is well, and then not asked.
            vault.change(&id_of(&added), now, |there| there.confirm = true)?;
        }
        came.push((added, label));
    }
    save(context, vault, now)?;
    let summaries = vault.summaries()?;
    let known = |id| summaries.iter().find(|summary| summary.id == id);
    let screen = &context.screen;
    let mut devices = Vec::new();
    for (added, label) in came {
        let id = match added {
            Added::New(id) => {
                screen.line(&format!("added {}", screen.bold(&label)))?;
                id
            }
            Added::AlreadyThere(id) => {
                let there = known(id).map_or(label, named);
                screen.line(&format!(
                    "{there} is there already, with the same secret: kept once"
                ))?;
                id
            }
            Added::Restored(id) => {
                let there = known(id).map_or(label, named);
                screen.line(&format!(
                    "{there} was in the trash, with the same secret: restored"
                ))?;
                id
            }
            Added::Namesake { id, other } => {
                let (new, old) = (id.to_string(), other.to_string());
                screen.line(&format!("added {}", screen.bold(&label)))?;
                screen.warn(&format!(
                    "another account of that name has another secret; both are kept: the new one has id {}, the other {}",
                    &new[..8],
                    &old[..8]
                ));
                id
            }
        };
        devices
            .extend(known(id).filter(|summary| coming == Coming::ToBeEnabled && is_aws(summary)));
    }
    devices
        .iter()
        .try_for_each(|summary| show_pair(context, vault, summary, devices.len() > 1))?;
    Ok(exit)
}

pub(crate) fn id_of(added: &Added) -> AccountId {
    match added {
        Added::New(id) | Added::AlreadyThere(id) | Added::Restored(id) => *id,
        Added::Namesake { id, .. } => *id,
    }
}

/// What AWS's console asks for right after it has shown the picture. An account that is to ask before each code doesn't ask
/// here: whoever runs this holds the secret itself and has just typed the passphrase, and is about to type these two codes.
fn show_pair(
    context: &Context,
    vault: &Unlocked,
    summary: &Summary,
    is_one_of_several: bool,
) -> Outcome {
    let codes = vault.pair_at(&summary.id, context.now()?, Pairing::Previous)?;
    fresh::mark(context, &summary.id, &[&codes.first, &codes.second]);
    let screen = &context.screen;
    let heading = if is_one_of_several {
        format!("{}\n", screen.bold(&named(summary)))
    } else {
        String::new()
    };
    screen.line(&format!(
        "\n{heading}Type these two codes under \"Set up device\" in the AWS console, in this order, now:\n\n  \
         MFA code 1   {}\n  MFA code 2   {}\n\n\
         Later, at every sign-in:  vmfa code {}\n\
         If AWS refuses them:      vmfa pair {}   gives two new ones",
        screen.bold(codes.first.as_str()),
        screen.bold(codes.second.as_str()),
        query_word(vault, summary),
        query_word(vault, summary),
    ))
}

/// A word that finds this account and no other again, as one types it in a shell.
fn query_word(vault: &Unlocked, summary: &Summary) -> String {
    let name = clean(&summary.name).into_owned();
    let plain = |c: char| c.is_alphanumeric() || "@._+=,-".contains(c);
    let all: Vec<&Summary> = vault.live().collect();
    let finds = |index: usize| all[index].id == summary.id;
    let found = matches!(query::find(&name, &all), Found::One(index) if finds(index));
    if found && name.chars().all(plain) && !name.starts_with('-') {
        name
    } else {
        short_id(summary)
    }
}

/// Whether the account is a virtual MFA device of AWS.
pub(crate) fn is_aws(summary: &Summary) -> bool {
    summary.serial_number.is_some()
        || summary.issuer.eq_ignore_ascii_case("Amazon Web Services")
        || summary.issuer.eq_ignore_ascii_case("AWS")
}

/// More accounts than this at once are a move from elsewhere.
const MOST_TO_ENABLE: usize = 4;

/// What stands in the way of an account, and the accounts.
type Rows = Vec<Result<Draft, Refusal>>;

/// Whether the accounts are about to be enabled, so that a device of AWS wants its pair of codes now; what comes by a
/// migration from another app has long been enabled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coming {
    ToBeEnabled,
    Enabled,
}

fn from_pictures(context: &Context, pictures: &[PathBuf]) -> Outcome<(Rows, Coming)> {
    let mut texts = Vec::new();
    for path in pictures {
        let name = scan::picture_name(context, path);
        let scanned = scan::read(context, path)?;
        if scanned.texts.is_empty() {
            return Err(scan::without_code(&name, &scanned));
        }
        let many = scanned.texts.len() > 1;
        for (index, text) in scanned.texts.into_iter().enumerate() {
            let place = if many {
                format!("{name}, QR code {}", index + 1)
            } else {
                name.clone()
            };
            texts.push((place, text));
        }
    }
    Ok(together(context, &texts))
}

fn from_uris(context: &Context, piped: &mut Option<Piped>) -> Outcome<(Rows, Coming)> {
    if std::io::stdin().is_terminal() {
        let line = secret_line("Key URI", piped)?;
        return Ok(together(context, &uris_of("", &line)));
    }
    let mut number = 0;
    let mut texts = Vec::new();
    let lines = piped.insert(Piped::read()?);
    while let Some(line) = lines.next_line() {
        number += 1;
        let text = line.expose().trim_start_matches('\u{feff}').trim();
        if !text.starts_with('#') {
            texts.extend(uris_of(&format!("line {number}"), &line));
        }
    }
    if texts.is_empty() {
        return Err(
            Fault::usage("standard input held no Key URI").hint("one otpauth:// URI a line")
        );
    }
    Ok(together(context, &texts))
}

/// What several texts hold: the parts of a migration find each other.
fn together(context: &Context, texts: &[(String, SecretText)]) -> (Rows, Coming) {
    let collected = import::collect(
        texts
            .iter()
            .map(|(place, text)| (place.as_str(), text.expose())),
    );
    scan::warn_of_missing(context, &collected.batches);
    let rows = collected.rows;
    // A list of many accounts is a move from elsewhere too.
    let moved = !collected.batches.is_empty() || rows.len() > MOST_TO_ENABLE;
    (
        rows,
        if moved {
            Coming::Enabled
        } else {
            Coming::ToBeEnabled
        },
    )
}

/// Whether the screens or the clipboard are looked at.
fn looks_around(input: &Add) -> bool {
    #[cfg(feature = "screen")]
    if input.screen {
        return true;
    }
    input.clipboard
}

/// Whether it is one account, and nobody has said whose.
fn is_nameless(rows: &[Result<Draft, Refusal>]) -> bool {
    matches!(rows, [Ok(draft)] if draft.name.is_none() && draft.issuer.is_none())
}

/// What is on the screens or in the clipboard, once the person has seen it and wants it.
fn from_around(context: &Context, input: &Add) -> Outcome<(Rows, Coming)> {
    let mut found = look_around(context, input)?;
    found.agree(context, input.yes)?;
    let (mut rows, coming) = together(context, &found.texts);
    rows.extend(found.bare_secret.take().map(|secret| {
        Ok(Draft {
            secret: Some(secret),
            ..Draft::default()
        })
    }));
    if input.clipboard {
        context.screen.remark(
            "The clipboard still holds the secret: copy something else when the account works.",
        );
    }
    Ok((rows, coming))
}

fn look_around(
    context: &Context,
    #[cfg_attr(
        not(feature = "screen"),
        expect(unused_variables, reason = "there is one place to look at")
    )]
    input: &Add,
) -> Outcome<found::Found> {
    #[cfg(feature = "screen")]
    if input.screen {
        if input.delay > 0 {
            let deadline = Deadline::after(Duration::from_secs(input.delay));
            context
                .screen
                .wait("looking at the screen in", || Ok(deadline.left()))?;
        }
        return found::on_screen(&context.place);
    }
    found::in_clipboard(&context.place)
}

/// A secret, piped or typed; what is typed without a name may also be a whole Key URI.
fn from_secret(
    context: &Context,
    input: &Add,
    named: bool,
    piped: &mut Option<Piped>,
) -> Outcome<(Rows, Coming)> {
    if !named && !std::io::stdin().is_terminal() {
        return Err(
            Fault::usage("nothing to add: name a picture, or say --uri - or --secret -")
                .hint("vmfa add qr.png"),
        );
    }
    let text = secret_line(
        if named {
            "Secret (base32)"
        } else {
            "Secret (base32) or Key URI"
        },
        piped,
    )?;
    if text.expose().contains("://") {
        return Ok(together(context, &[(String::new(), text)]));
    }
    let draft = Draft {
        kind: input.kind.clone(),
        secret: Some(text),
        algorithm: input.algorithm.clone(),
        digits: input.digits.clone(),
        period: input.period.clone(),
        counter: input.counter.clone(),
        t0: input.t0.clone(),
        ..Draft::default()
    };
    Ok((vec![Ok(draft)], Coming::ToBeEnabled))
}

/// The vault, made now if there is none and a person wants it.
pub(crate) fn open_or_make(context: &Context) -> Outcome<Unlocked> {
    if std::fs::symlink_metadata(&context.files.vault).is_ok() {
        return context.open();
    }
    let usual = context
        .place
        .is_usual_vault(context.global.vault.as_deref());
    let missing = Fault::new(
        Exit::NotFound,
        format!("there is no vault at {}", context.vault_name()),
    )
    .hint("make it with `vmfa init`");
    // A vault that was named and isn't there may be on a disk that isn't mounted: only a person can say that a new one is
    // meant.
    if Terminal::open().is_none() && !(usual && context.has_source()) {
        return Err(missing);
    }
    context.screen.remark(&format!(
        "There is no vault yet. Choose a passphrase, and one is made at {} (^C stops).",
        context.vault_name()
    ));
    if !usual && context.has_source() {
        let agreed = Terminal::open()
            .map(|terminal| terminal.confirm("Make it?"))
            .transpose()?;
        if agreed != Some(true) {
            return Err(missing);
        }
    }
    init::make(context, KdfParams::DEFAULT)
}
