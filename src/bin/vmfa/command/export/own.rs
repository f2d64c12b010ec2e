//! `vmfa export --to vmfa`: a vault of its own, under a passphrase of its own.
//!
//! It is a new vault and no copy: a copy of the same identity would move on by itself, and this machine would then take the
//! first one for an older state of it.

use std::path::Path;

use vmfa::account::{Account, AccountId};
use vmfa::clock::UnixTime;
use vmfa::keyring::Keyring;
use vmfa::secret::SecretText;
use vmfa::vault::{
    self, Added, Credential, Files, KdfLimit, KdfParams, Locked, Rollback, SlotKind, Unlocked,
};

use crate::args::Export;
use crate::command::export::{chosen, new_passphrase, put};
use crate::command::{counted, named, save};
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::{Asking, Context};

pub(super) const HOW: &str = "\
vmfa: a vault of its own, under a passphrase of its own
nothing is lost

1. vmfa export --to vmfa --trash --out backup.vmfa
   asks for a new passphrase; the file can be opened only with it.
2. To look into it, here or on another machine:  vmfa --vault backup.vmfa list
3. To go on with it:  vmfa backup restore backup.vmfa
";

pub(super) fn run(context: &Context, input: &Export) -> Outcome<Exit> {
    if input.plaintext {
        return Err(
            Fault::usage("vmfa's own backup is always encrypted").hint("leave --plaintext away")
        );
    }
    let path = input.out.as_deref().filter(|path| path.as_os_str() != "-");
    let path =
        path.ok_or_else(|| Fault::usage("a vault is a file").hint("name it with --out FILE"))?;
    put::may(context, path, false, input.force)?;
    let from = context.open_by(Asking::Again)?;
    let accounts = chosen(&from, input)?;
    let passphrase = new_passphrase(context, input)?;
    let now = context.now()?;

    // In a directory of its own, with its lock, its backups and its pin: only the file itself is wanted.
    let workshop = put::Beside::of(path);
    let fail = |error: std::io::Error| put::internal(&error).at(&context.place.show(path));
    put::create_folder(&workshop.0).map_err(fail)?;
    let files = Files {
        vault: workshop.0.join("vault.vmfa"),
        state: workshop.0.join("state"),
    };
    let kept = make(context, &from, &files, &accounts, &passphrase, input, now)?;
    check(&files, &passphrase, &accounts, &kept.twins, now)?;
    put::into_place(&files.vault, path, input.force).map_err(fail)?;
    files::sync_folder(put::folder_of(path)).map_err(fail)?;
    told(context, path, &accounts, &kept, &from);
    Ok(Exit::Done)
}

/// What went in.
struct Kept {
    /// Accounts that give the same codes as another one: a vault keeps such once.
    twins: Vec<AccountId>,
    access_keys: usize,
}

fn make(
    context: &Context,
    from: &Unlocked,
    files: &Files,
    accounts: &[Account],
    passphrase: &SecretText,
    input: &Export,
    now: UnixTime,
) -> Outcome<Kept> {
    let credential = Credential::Passphrase(passphrase.duplicate());
    let (mut vault, _recovery) = vault::create(files, &credential, KdfParams::DEFAULT, now)?;
    // Its recovery code was shown to nobody.
    for slot in vault.slots() {
        if slot.kind == SlotKind::Recovery {
            vault.remove_slot(&slot.id)?;
        }
    }
    let mut twins = Vec::new();
    for account in accounts {
        let copy = Account {
            summary: account.summary.clone(),
            secret: account.secret.duplicate(),
            pin: account.pin.as_ref().map(SecretText::duplicate),
        };
        match vault.add(copy, now)? {
            Added::New(_) | Added::Namesake { .. } => {}
            Added::AlreadyThere(_) | Added::Restored(_) => {
                context.screen.warn(&format!(
                    "{} gives the same codes as another account: kept once",
                    named(&account.summary)
                ));
                twins.push(account.summary.id);
            }
        }
    }
    let mut access_keys = 0;
    let is_all = input.query.is_empty() || input.query == ["all"];
    if is_all {
        for key in from.access_keys()? {
            // Of several for one profile, the one that counts.
            if let Some((first, secret)) = from.access_key(&key.profile)?
                && first == key
            {
                vault.put_access_key(&key.profile, &key.access_key_id, secret, now)?;
                access_keys += 1;
            }
        }
    }
    save(context, &mut vault, now)?;
    Ok(Kept { twins, access_keys })
}

/// Opens it as anybody will, and looks at every account.
fn check(
    files: &Files,
    passphrase: &SecretText,
    accounts: &[Account],
    twins: &[AccountId],
    now: UnixTime,
) -> Outcome {
    let locked = Locked::open(files, KdfLimit::Usual)?;
    let credential = Credential::Passphrase(passphrase.duplicate());
    let vault = locked.unlock(&credential, Rollback::Refuse, now)?;
    for account in accounts {
        let id = &account.summary.id;
        if twins.contains(id) {
            continue;
        }
        let there = vault.account(id)?;
        let mut wanted = account.summary.clone();
        wanted.conflict = false;
        if !there.gives_same_codes_as(account) || there.summary != wanted {
            return Err(Fault::new(
                Exit::Internal,
                format!(
                    "the backup isn't what went into it, and was not kept: {} differs",
                    named(&account.summary)
                ),
            ));
        }
    }
    Ok(())
}

fn told(context: &Context, path: &Path, accounts: &[Account], kept: &Kept, from: &Unlocked) {
    let screen = &context.screen;
    let keys = match kept.access_keys {
        0 => String::new(),
        count => format!(" and {}", counted(count, "access key")),
    };
    let name = context.place.show(path);
    screen.remark(&format!(
        "exported {}{keys} to {name}: `vmfa --vault {name} list` opens it",
        counted(accounts.len() - kept.twins.len(), "account")
    ));
    screen.remark("without its passphrase nobody can read it, you included");
    let unknown = from.unknown_records().len();
    if unknown > 0 {
        screen.warn(&format!(
            "{} of a newer vmfa are not in it: copy the vault file itself to keep them",
            counted(unknown, "record")
        ));
    }
}
