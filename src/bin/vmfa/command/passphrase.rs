//! `vmfa passphrase change`.

use vmfa::vault::{Credential, SlotKind};

use crate::args::Passphrase;
use crate::command::{backup, save};
use crate::fault::Outcome;
use crate::place::Source;
use crate::unlock::{Context, kdf};

pub(crate) fn run(context: &Context, input: Passphrase) -> Outcome {
    let Passphrase::Change(input) = input;
    let kdf = kdf(input.kdf.as_deref())?;
    let mut vault = context.open()?;
    let new = context.new_passphrase(input.new_passphrase_file.map(Source::File))?;
    let with_key_file = vault.slots().iter().any(|slot| {
        matches!(
            slot.kind,
            SlotKind::Passphrase {
                with_key_file: true,
                ..
            }
        )
    });
    let key_file = context
        .global
        .key_file
        .as_ref()
        .or(context.place.key_file.as_ref());
    let new = match key_file {
        Some(path) if with_key_file => {
            Credential::PassphraseAndKeyFile(new, context.read_key_file(path)?)
        }
        Some(_) | None => Credential::Passphrase(new),
    };
    let now = context.now()?;
    vault.change_passphrase(&new, kdf)?;
    save(context, &mut vault, now)?;
    context
        .screen
        .remark("the passphrase is changed, and the vault has a new key");
    backup::offer_purge(context, "the old passphrase")
}
