//! Accounts in other programs' words, so that nobody is locked in here.
//!
//! [`write`] takes accounts and a [`Target`] and gives an [`Exported`]: the file, or texts to be shown as QR codes, and for each
//! account what became of it ([`Fate`]). What a target can't hold is known beforehand, from its [`Can`], and is said account by
//! account: nothing is dropped silently. [`held`] is the account as it is in the file, so that whoever reads the file back can
//! compare ([`compare`]). [`TARGETS`] is the table.

mod can;
mod compare;
mod error;
mod format;
mod json;
mod loss;
mod words;

pub use can::{Can, Kind, Periods, Tags};
pub use compare::{Comparison, compare};
pub use error::ExportError;
pub use format::{Sealing, Shape, TARGETS, Target, by_id};
pub use loss::{Fate, Lost, Obstacle, fates, held};

use crate::account::Account;
use crate::clock::UnixTime;
use crate::export::loss::in_file;
use crate::secret::{Secret, SecretText};

/// Whether the file may be read by anybody who has it.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// Secrets in clear.
    Plain,
    /// Sealed under this passphrase.
    Sealed(&'a SecretText),
}

/// What a target gives.
pub enum Output {
    /// One file.
    File(Secret),
    /// A directory of files, by their paths in it; `/` parts them.
    Tree(Vec<(String, Secret)>),
    /// Texts that are to be shown as QR codes, one after the other.
    Codes(Vec<SecretText>),
}

/// An export.
pub struct Exported {
    /// What is to be written or shown.
    pub output: Output,
    /// What became of each account, in the order in which they were given.
    pub fates: Vec<Fate>,
}

/// Writes accounts for another program. `now` is for the dates that some formats want.
///
/// # Errors
/// No account can be carried; the target can't be sealed, or only sealed; the system has no random numbers or no memory for
/// the key.
pub fn write(
    target: &Target,
    accounts: &[Account],
    form: Form<'_>,
    now: UnixTime,
) -> Result<Exported, ExportError> {
    match (form, target.sealing) {
        (Form::Plain, Sealing::Always) => return Err(ExportError::OnlySealed(target.app)),
        (Form::Sealed(_), Sealing::Never) => return Err(ExportError::OnlyPlain(target.app)),
        (Form::Sealed(passphrase), _) if passphrase.is_empty() => {
            return Err(ExportError::EmptyPassphrase);
        }
        (Form::Plain | Form::Sealed(_), _) => {}
    }
    let fates = fates(target, accounts);
    let carried: Vec<Account> = accounts
        .iter()
        .zip(&fates)
        .filter_map(|(account, fate)| in_file(account, fate))
        .collect();
    if carried.is_empty() {
        return Err(ExportError::Nothing(target.app));
    }
    let output = (target.write)(&carried, form, now)?;
    Ok(Exported { output, fates })
}

#[cfg(test)]
mod tests;
