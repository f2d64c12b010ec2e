//! `vmfa import --undo`: what the last import brought goes into the trash.

use vmfa::account::AccountId;
use vmfa::clock::UnixTime;
use vmfa::keep::Keep as _;
use vmfa::secret::Secret;
use vmfa::vault::Unlocked;

use crate::command::import::Undo;
use crate::command::save;
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

/// Under this name, and a number, the note of the last import is held, sealed by the vault.
const NOTE: &str = "import/last";
/// A note is no longer than this many ids.
const IDS_A_NOTE: usize = 10_000;
/// How long an import can be undone: as long as what is erased is remembered.
const HELD_SECS: u64 = 400 * 24 * 3600;
const ID_LEN: usize = 16;

impl Undo {
    /// Notes what came in. Where it can't be noted, everything is in all the same, and only that is said.
    pub(super) fn note(&self, context: &Context, vault: &Unlocked, now: UnixTime) {
        if self.0.is_empty() {
            return;
        }
        let until = UnixTime::from_secs(now.secs().saturating_add(HELD_SECS));
        let mut notes: Vec<&[AccountId]> = self.0.chunks(IDS_A_NOTE).collect();
        // An empty one ends them, whatever a longer import left behind it.
        notes.push(&[]);
        for (number, ids) in notes.into_iter().enumerate() {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
            if let Err(error) = vault.hold(&name(number), &Secret::new(bytes), until) {
                let why = Fault::from(error);
                context.screen.warn(&format!(
                    "--undo won't know of this import: {}",
                    why.message()
                ));
                return;
            }
        }
    }
}

fn name(number: usize) -> String {
    format!("{NOTE}/{number}")
}

pub(super) fn run(context: &Context) -> Outcome<Exit> {
    let mut vault = context.open()?;
    let now = context.now()?;
    let mut ids = Vec::new();
    let mut number = 0;
    while let Some((note, _)) = vault.recall(&name(number), now)? {
        if note.is_empty() {
            break;
        }
        ids.extend(note.expose().chunks_exact(ID_LEN).map(|bytes| {
            let mut id = [0; ID_LEN];
            id.copy_from_slice(bytes);
            AccountId::from_bytes(id)
        }));
        number += 1;
    }
    if ids.is_empty() {
        return Err(Fault::new(Exit::NotFound, "there is no import to undo here")
            .hint("the last one is remembered on the machine where it was made; `vmfa remove` takes single accounts"));
    }
    let wanted: std::collections::HashSet<AccountId> = ids.iter().copied().collect();
    let live: Vec<AccountId> = vault
        .live_where(|summary| wanted.contains(&summary.id))
        .into_iter()
        .map(|summary| summary.id)
        .collect();
    for id in &live {
        vault.remove(id, now)?;
    }
    save(context, &mut vault, now)?;
    vault.forget(&name(0))?;
    context.screen.remark(&match live.len() {
        0 => "all that the last import brought is in the trash already".to_owned(),
        1 => "1 account is in the trash; `vmfa restore` brings it back".to_owned(),
        many => format!("{many} accounts are in the trash; `vmfa restore` brings each back"),
    });
    Ok(Exit::Done)
}
