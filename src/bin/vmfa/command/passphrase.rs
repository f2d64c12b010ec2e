//! `vmfa passphrase change`.

use vmfa::vault::{SlotInfo, SlotKind, Unlocked};

use crate::args::Passphrase;
use crate::command::{backup, save};
use crate::fault::{Fault, Outcome};
use crate::place::Source;
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
    vault.change_passphrase(&with_key_file(new, key_file), kdf)?;
    save(context, &mut vault, now)?;
    context
        .screen
        .remark("the passphrase is changed, and the vault has a new key");
    backup::offer_purge(context, "the old passphrase")
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
