//! `vmfa slot`: the ways into the vault.

use std::path::Path;

use serde_json::{Value, json};
use vmfa::secret::Secret;
use vmfa::vault::{Credential, KdfParams, SlotInfo, SlotKind, Unlocked};

use crate::args::{Slot, SlotAdd, SlotList, SlotRemove};
use crate::command::export::put::new_file;
use crate::command::{backup, init, save};
use crate::fault::{Exit, Fault, Outcome};
use crate::place::Source;
use crate::print::Table;
use crate::prompt::Terminal;
use crate::unlock::{Context, with_key_file};

pub(crate) fn run(context: &Context, input: Slot) -> Outcome {
    match input {
        Slot::List(input) => list(context, &input),
        Slot::Add(input) => add(context, input),
        Slot::Remove(input) => remove(context, &input),
    }
}

fn id(slot: &SlotInfo) -> String {
    slot.id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list(context: &Context, input: &SlotList) -> Outcome {
    let vault = context.open()?;
    let slots = vault.slots();
    if input.json {
        return context
            .screen
            .json(&Value::Array(slots.iter().map(described).collect()));
    }
    let mut table = Table::new(&["ID", "KIND", "COST"]);
    for slot in &slots {
        let (kind, cost) = match slot.kind {
            SlotKind::Passphrase { kdf, with_key_file } => {
                let (m_kib, t, p) = kdf.get();
                let kind = if with_key_file {
                    "passphrase and key file"
                } else {
                    "passphrase"
                };
                (
                    kind.to_owned(),
                    format!("Argon2id {} MiB, {t} passes, {p} lanes", m_kib / 1024),
                )
            }
            SlotKind::KeyFile => ("key file".to_owned(), String::new()),
            SlotKind::Recovery => ("recovery code".to_owned(), String::new()),
            SlotKind::Unknown(kind) => (
                format!("type {kind}, of another version; kept"),
                String::new(),
            ),
        };
        table.row(vec![id(slot), kind, cost]);
    }
    table.print(&context.screen)
}

fn described(slot: &SlotInfo) -> Value {
    match slot.kind {
        SlotKind::Passphrase { kdf, with_key_file } => {
            let (m_kib, t, p) = kdf.get();
            json!({ "id": id(slot), "kind": "passphrase", "with_key_file": with_key_file, "m_kib": m_kib, "t": t, "p": p })
        }
        SlotKind::KeyFile => json!({ "id": id(slot), "kind": "key-file" }),
        SlotKind::Recovery => json!({ "id": id(slot), "kind": "recovery" }),
        SlotKind::Unknown(kind) => json!({ "id": id(slot), "kind": "unknown", "type": kind }),
    }
}

fn add(context: &Context, input: SlotAdd) -> Outcome {
    let kdf = context.kdf(input.kdf.as_deref(), KdfParams::DEFAULT)?;
    match (input.kind.as_str(), &input.file) {
        ("key-file", None) => {
            return Err(Fault::usage("which key file?")
                .hint("vmfa slot add key-file FILE: it is made if there is none"));
        }
        ("recovery" | "passphrase", Some(_)) => {
            return Err(Fault::usage("only a key-file slot takes a FILE"));
        }
        _ => {}
    }
    let passphrase_only =
        input.kdf.is_some() || input.new_passphrase_file.is_some() || input.with_key_file.is_some();
    if input.kind != "passphrase" && passphrase_only {
        return Err(Fault::usage(
            "--kdf, --new-passphrase-file and --with-key-file are for a passphrase slot",
        ));
    }
    let mut vault = context.open()?;
    let now = context.now()?;
    let slot = match (input.kind.as_str(), &input.file) {
        ("key-file", Some(path)) => {
            if std::fs::symlink_metadata(path).is_err() {
                make_key_file(context, path)?;
            }
            vault.add_slot(&Credential::KeyFile(context.read_key_file(path)?), kdf)?
        }
        ("recovery", _) => {
            let (slot, code) = vault.add_recovery()?;
            save(context, &mut vault, now)?;
            init::show_recovery(context, &code)?;
            context.screen.remark(&format!(
                "added slot {}; an older recovery code still works until its slot is removed",
                id(&slot)
            ));
            return Ok(());
        }
        _ => {
            let passphrase = context.new_passphrase(input.new_passphrase_file.map(Source::File))?;
            {
                let key_file = input.with_key_file.as_deref();
                let key_file = key_file
                    .map(|path| context.read_key_file(path))
                    .transpose()?;
                vault.add_slot(&with_key_file(passphrase, key_file), kdf)?
            }
        }
    };
    save(context, &mut vault, now)?;
    context.screen.remark(&format!("added slot {}", id(&slot)));
    Ok(())
}

/// A new key file of 32 random bytes that nobody else can read, on disk before any slot depends on it.
fn make_key_file(context: &Context, path: &Path) -> Outcome {
    let name = context.place.show(path);
    if path.as_os_str() == "-" {
        // It is read once more, to add the slot.
        return Err(
            Fault::usage("a key file needs a name").hint("name a file that isn't there yet")
        );
    }
    let random = ring::rand::generate::<[u8; 32]>(&ring::rand::SystemRandom::new())
        .map_err(|_| Fault::new(Exit::Internal, "the system has no random numbers to give"))?;
    new_file(context, path, &Secret::new(random.expose().to_vec()))?;
    context
        .screen
        .remark(&format!("made {name}: keep a copy apart from this machine"));
    Ok(())
}

fn remove(context: &Context, input: &SlotRemove) -> Outcome {
    let mut vault = context.open()?;
    let wanted = input.id.to_lowercase();
    let slots = vault.slots();
    let matching: Vec<&SlotInfo> = slots
        .iter()
        .filter(|slot| wanted.len() >= 4 && id(slot).starts_with(&wanted))
        .collect();
    let [slot] = matching.as_slice() else {
        return Err(Fault::new(
            Exit::NotFound,
            format!("{:?} is not the id of one slot", input.id),
        )
        .hint("`vmfa slot list` shows them"));
    };
    confirm_removal(&vault, slot, input.yes)?;
    let now = context.now()?;
    vault.remove_slot(&slot.id)?;
    save(context, &mut vault, now)?;
    context.screen.remark(&format!(
        "removed slot {}, and the vault has a new key",
        id(slot)
    ));
    backup::offer_purge(context, "it")
}

/// The slot that a person came in by, or the last one of a kind that a person can remember or write down, isn't taken away
/// in passing.
fn confirm_removal(vault: &Unlocked, slot: &SlotInfo, yes: bool) -> Outcome {
    let is_human = |slot: &SlotInfo| match slot.kind {
        SlotKind::Passphrase { .. } | SlotKind::Recovery => true,
        SlotKind::KeyFile | SlotKind::Unknown(_) => false,
    };
    let alike = |other: &&SlotInfo| {
        std::mem::discriminant(&other.kind) == std::mem::discriminant(&slot.kind)
    };
    let what = if vault.opened_by().is_some_and(|opened| opened.id == slot.id) {
        "this is the slot that opened the vault just now"
    } else if is_human(slot) && vault.slots().iter().filter(alike).count() == 1 {
        "this is the last slot of its kind"
    } else {
        return Ok(());
    };
    if yes {
        return Ok(());
    }
    let terminal = Terminal::open().ok_or_else(|| {
        Fault::new(Exit::Locked, what).hint("say --yes if it is to go all the same")
    })?;
    if terminal.confirm(&format!("{what}. Remove it all the same?"))? {
        return Ok(());
    }
    Err(Fault::new(Exit::Interrupted, "nothing was removed"))
}
