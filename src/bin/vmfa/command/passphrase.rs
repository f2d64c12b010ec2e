//! `vmfa passphrase change`.

use vmfa::secret::SecretText;
use vmfa::vault::{SlotInfo, SlotKind, Unlocked};

use crate::args::Passphrase;
use crate::command::{backup, init, save};
use crate::fault::{Fault, Outcome};
use crate::place::Source;
use crate::prompt::Terminal;
use crate::unlock::{Context, with_key_file};

pub(crate) fn run(context: &Context, input: Passphrase) -> Outcome {
    let Passphrase::Change(input) = input;
    let mut vault = context.open()?;
    let (kdf, both) = replaced(&vault)?;
    let kdf = context.kdf(input.kdf.as_deref(), kdf)?;
    let key_file = if both { context.key_file()? } else { None };
    if both && key_file.is_none() {
        return Err(Fault::usage(
            "this passphrase works together with a key file, and so must the new one",
        )
        .hint("name the key file with --key-file FILE"));
    }
    let new = context.new_passphrase(input.new_passphrase_file.map(Source::File))?;
    let now = context.now()?;
    let exchange = input.new_recovery || asks_for_new_recovery(context, &vault)?;
    vault.change_passphrase(&with_key_file(new, key_file), kdf)?;
    let recovery = if exchange {
        Some(exchange_recovery(&mut vault)?)
    } else {
        None
    };
    save(context, &mut vault, now)?;
    context
        .screen
        .remark("the passphrase is changed, and the vault has a new key");
    if let Some(code) = recovery {
        init::show_recovery(context, &code)?;
    }
    backup::offer_purge(context, "the old passphrase")
}

/// Whoever has an old copy and its passphrase finds in it the keys of the other slots, and with those the vault's next key.
/// Only a recovery code that is exchanged in the same save locks them out.
fn asks_for_new_recovery(context: &Context, vault: &Unlocked) -> Outcome<bool> {
    let has_recovery = vault
        .slots()
        .iter()
        .any(|slot| slot.kind == SlotKind::Recovery);
    if !has_recovery || context.has_source() {
        return Ok(false);
    }
    match Terminal::open() {
        Some(terminal) => terminal.confirm(
            "May somebody else know the old passphrase? Then the recovery code must change too. Make a new one?",
        ),
        None => Ok(false),
    }
}

fn exchange_recovery(vault: &mut Unlocked) -> Outcome<SecretText> {
    let slots = vault.slots();
    let (_, code) = vault.add_recovery()?;
    for old in slots.iter().filter(|slot| slot.kind == SlotKind::Recovery) {
        vault.remove_slot(&old.id)?;
    }
    Ok(code)
}

/// Cost of the passphrase that is replaced, and whether it works only with a key file: the new one is to be no weaker. It is
/// the one that opened the vault, else the only one there is.
fn replaced(vault: &Unlocked) -> Outcome<(vmfa::vault::KdfParams, bool)> {
    let passphrase = |slot: &SlotInfo| match slot.kind {
        SlotKind::Passphrase { kdf, with_key_file } => Some((kdf, with_key_file)),
        SlotKind::KeyFile | SlotKind::Recovery | SlotKind::Unknown(_) => None,
    };
    if let Some(opened_by) = vault.opened_by().as_ref().and_then(passphrase) {
        return Ok(opened_by);
    }
    let slots = vault.slots();
    let mut all = slots.iter().filter_map(passphrase);
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Fault::usage("the vault has no passphrase to change")
            .hint("`vmfa slot add passphrase` adds one")),
        (Some(_), Some(_)) => Err(Fault::usage("which passphrase? The vault has several")
            .hint("open the vault with the one to be changed")),
    }
}
