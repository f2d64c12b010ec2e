//! Who does what the operations say: vmfa's vault, through its public face, on real files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vmfa::account::{Account, AccountId, Summary};
use vmfa::authenticator::Authenticator as _;
use vmfa::clock::UnixTime;
use vmfa::otp::{Algorithm, Digits, Hotp, Scheme, Totp};
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::{
    Added, Credential, Files, KdfLimit, KdfParams, Locked, Rollback, SlotKind, Unlocked, backups,
    create, restore_backup,
};

use super::world::{BEGIN, Chance, Op, Shown, Sizes, There, View};

/// What keeps accounts in a directory.
pub(super) trait Keeper: Sized {
    const SIZES: Sizes;

    /// Opens what is there, or makes it.
    fn open(dir: &Path, now: u64) -> Result<Self, String>;
    /// Does it, and saves; the code where one is asked for.
    fn perform(self, op: &Op, now: u64) -> Result<(Self, Option<String>), String>;
    /// What is held in memory.
    fn holds(&self) -> Result<View, String>;
    /// What is on the disk, seen by somebody else; and how often it was saved.
    fn look(dir: &Path, now: u64) -> Result<(View, u64), String>;
}

/// The file itself, in the directory.
pub(super) const FILE: &str = "vault.vmfa";

/// A copy on another machine.
pub(super) fn fork(dir: &Path, at: usize) -> PathBuf {
    dir.join("elsewhere").join(format!("fork-{at}"))
}

/// An account's secret: one of its own each.
pub(super) fn secret(account: u32) -> [u8; 20] {
    let mut chance = Chance(u64::from(account));
    std::array::from_fn(|_| chance.below(256) as u8)
}

/// The code of a counter, by another program's reckoning: with steps of a second, the time is the counter.
pub(super) fn hotp(account: u32, counter: u64) -> String {
    let by_seconds = totp_rs::Builder::new()
        .with_secret(secret(account))
        .with_step_duration(1)
        .build_noncompliant();
    by_seconds.generate(counter).to_string()
}

pub(super) struct Vmfa {
    dir: PathBuf,
    vault: Unlocked,
    /// Which account is which: none is ever named anew.
    ids: BTreeMap<u32, AccountId>,
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A key file of its own each; the first one opens the vault all its life.
fn key_file(number: u32) -> Credential {
    Credential::KeyFile(Secret::new(
        format!("the key file of number {number:>20}").into(),
    ))
}

fn passphrase(number: u32) -> Credential {
    Credential::Passphrase(SecretText::new(format!("passphrase {number}")))
}

/// The one that is never exchanged.
const ALWAYS: u32 = u32::MAX;

fn files(dir: &Path, who: &str) -> Files {
    Files {
        vault: dir.join(FILE),
        state: dir.join(who),
    }
}

fn open(files: &Files, rollback: Rollback, now: u64) -> Result<Unlocked, String> {
    let locked = Locked::open(files, KdfLimit::Usual).map_err(words)?;
    locked
        .unlock(&key_file(ALWAYS), rollback, UnixTime::from_secs(now))
        .map_err(words)
}

fn account(number: u32, counts: bool) -> Account {
    let scheme = if counts {
        Scheme::Hotp(Hotp {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
        })
    } else {
        Scheme::Totp(Totp::default())
    };
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: "Example".into(),
            name: number.to_string(),
            label_issuer: None,
            scheme,
            counter: None,
            tags: Vec::new(),
            note: "0".into(),
            favorite: false,
            confirm: false,
            serial_number: None,
            image: None,
            added: BEGIN,
            trashed: None,
            conflict: false,
        },
        secret: Secret::new(secret(number).to_vec()),
        pin: None,
    }
}

fn add(vault: &mut Unlocked, number: u32, counts: bool, now: UnixTime) -> Result<(), String> {
    match vault.add(account(number, counts), now).map_err(words)? {
        Added::New(_) => Ok(()),
        other => Err(format!("{number} was no new account: {other:?}")),
    }
}

/// Everything that a vault shows, each secret looked at.
fn view(vault: &Unlocked) -> Result<View, String> {
    let trash = vault.trash();
    let mut view = View::new();
    for summary in vault.live().chain(&trash) {
        let number: u32 = summary.name.parse().map_err(words)?;
        let there = vault.account(&summary.id).map_err(words)?;
        if there.secret.expose() != secret(number) {
            return Err(format!("the secret of {number} is another one"));
        }
        if summary.conflict {
            return Err(format!("{number} is in a conflict"));
        }
        let shown = Shown {
            note: summary.note.parse().map_err(words)?,
            trashed: summary.trashed,
            counter: summary.counter,
        };
        if view.insert(number, shown).is_some() {
            return Err(format!("{number} is there twice"));
        }
    }
    if !vault.unknown_records().is_empty() {
        return Err("there are records that nobody wrote".into());
    }
    Ok(view)
}

fn ids(vault: &Unlocked) -> BTreeMap<u32, AccountId> {
    let trash = vault.trash();
    let named = |summary: &Summary| Some((summary.name.parse().ok()?, summary.id));
    vault.live().chain(&trash).filter_map(named).collect()
}

impl Vmfa {
    fn of(dir: &Path, vault: Unlocked) -> Self {
        let ids = ids(&vault);
        let dir = dir.to_owned();
        Self { dir, vault, ids }
    }

    fn id(&self, number: u32) -> Result<AccountId, String> {
        let id = self.ids.get(&number).copied();
        id.ok_or_else(|| format!("{number} isn't there"))
    }

    fn do_there(&self, at: usize, there: There, now: UnixTime) -> Result<(), String> {
        let files = Files {
            vault: fork(&self.dir, at),
            state: self.dir.join("elsewhere").join(format!("state-{at}")),
        };
        // Each copy there is an older or a newer one than that before.
        let mut vault = open(&files, Rollback::Accept, now.secs())?;
        let ids = ids(&vault);
        let id = |number: u32| ids.get(&number).ok_or(format!("{number} isn't there"));
        match there {
            There::Add(number) => add(&mut vault, number, false, now)?,
            There::Edit { account, note } => vault
                .change(id(account)?, now, |summary| summary.note = note.to_string())
                .map_err(words)?,
            There::Remove(number) => vault.remove(id(number)?, now).map_err(words)?,
            There::Erase(number) => vault.erase(id(number)?, now).map_err(words)?,
            There::Next(number) => {
                vault.next_hotp(id(number)?, now).map_err(words)?;
            }
        }
        vault.save(now).map_err(words)?;
        Ok(())
    }
}

impl Keeper for Vmfa {
    // The rest are the keys of slots and the keys before. What is sealed is filled up: to 16 KiB, then in steps of 4, then by
    // at most an eighth; the header stands before it.
    const SIZES: Sizes = Sizes {
        account: 260,
        tombstone: 70,
        machine: 18,
        rest: 5 << 10,
        filled: |len| match len.next_multiple_of(4 << 10).max(16 << 10) {
            len if len <= 64 << 10 => len + 1024,
            len => len * 9 / 8 + 1024,
        },
    };

    fn open(dir: &Path, now: u64) -> Result<Self, String> {
        let files = files(dir, "state");
        if files.vault.exists() {
            return Ok(Self::of(dir, open(&files, Rollback::Refuse, now)?));
        }
        std::fs::create_dir_all(dir.join("elsewhere")).map_err(words)?;
        let now = UnixTime::from_secs(now);
        let (mut vault, _) =
            create(&files, &key_file(ALWAYS), KdfParams::LEAST, now).map_err(words)?;
        for credential in [key_file(0), passphrase(0)] {
            let added = vault.add_slot(&credential, KdfParams::LEAST);
            added.map_err(words)?;
        }
        vault.save(now).map_err(words)?;
        Ok(Self::of(dir, vault))
    }

    fn perform(mut self, op: &Op, now: u64) -> Result<(Self, Option<String>), String> {
        let now = UnixTime::from_secs(now);
        let vault = &mut self.vault;
        let mut code = None;
        match *op {
            Op::Add { account, counts } => add(vault, account, counts, now)?,
            Op::Import { first, count } => {
                for number in first..first + count {
                    add(vault, number, number % 3 == 0, now)?;
                }
            }
            Op::Edit { account, note } => {
                let id = self.id(account)?;
                let set = |summary: &mut Summary| summary.note = note.to_string();
                self.vault.change(&id, now, set).map_err(words)?;
            }
            Op::Remove(number) => {
                let id = self.id(number)?;
                self.vault.remove(&id, now).map_err(words)?;
            }
            Op::Restore(number) => {
                let id = self.id(number)?;
                self.vault.restore(&id, now).map_err(words)?;
            }
            Op::Erase(number) => {
                let id = self.id(number)?;
                self.vault.erase(&id, now).map_err(words)?;
            }
            Op::Next(number) => {
                let id = self.id(number)?;
                let next = self.vault.next_hotp(&id, now).map_err(words)?;
                code = Some(next.as_str().to_owned());
            }
            Op::Key(number) => {
                let old = vault.slots().into_iter();
                let mut old = old.filter(|slot| matches!(slot.kind, SlotKind::KeyFile));
                let old = old.next_back().ok_or("no key file's slot is left")?;
                let added = vault.add_slot(&key_file(number), KdfParams::LEAST);
                added.map_err(words)?;
                vault.remove_slot(&old.id).map_err(words)?;
            }
            Op::Passphrase(number) => vault
                .change_passphrase(&passphrase(number), KdfParams::LEAST)
                .map_err(words)?,
            Op::Backup(which) => {
                let files = files(&self.dir, "state");
                let found = backups(&files).map_err(words)?;
                let path = &found.get(which).ok_or("a backup is missing")?.path;
                let key = key_file(ALWAYS);
                let restored = restore_backup(&files, path, &key, KdfLimit::Usual, now);
                let vault = restored.map_err(words)?;
                if let Some(path) = vault.set_aside() {
                    return Err(format!("a good vault was set aside: {}", path.display()));
                }
                return Ok((Self::of(&self.dir, vault), None));
            }
            Op::Reopen => {
                self.vault = open(&files(&self.dir, "state"), Rollback::Refuse, now.secs())?;
            }
            Op::Clock(_) => {}
            Op::Fork(at) => {
                std::fs::copy(self.dir.join(FILE), fork(&self.dir, at)).map_err(words)?;
            }
            Op::There(at, there) => self.do_there(at, there, now)?,
            Op::Merge { fork: at, account } => {
                vault.merge_file(&fork(&self.dir, at)).map_err(words)?;
                add(vault, account, false, now)?;
            }
            Op::Drop(at) => std::fs::remove_file(fork(&self.dir, at)).map_err(words)?,
        }
        self.vault.save(now).map_err(words)?;
        self.ids = ids(&self.vault);
        Ok((self, code))
    }

    fn holds(&self) -> Result<View, String> {
        view(&self.vault)
    }

    fn look(dir: &Path, now: u64) -> Result<(View, u64), String> {
        let vault = open(&files(dir, "watcher"), Rollback::Refuse, now)?;
        if vault.fork_seen() {
            return Err("two files of one generation were seen".into());
        }
        Ok((view(&vault)?, vault.generation()))
    }
}
