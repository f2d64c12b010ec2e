//! Codes of an open vault: one secret is unsealed for each.

use crate::account::{AccountId, Summary};
use crate::authenticator::Authenticator;
use crate::clock::UnixTime;
use crate::otp::{Code, Generator, OtpError, Pair, Pairing};
use crate::secret;
use crate::vault::error::VaultError;
use crate::vault::unlocked::Unlocked;

impl Unlocked {
    fn generator(&self, id: &AccountId) -> Result<Generator, VaultError> {
        let (entry, summary) = self.entry(id)?;
        if summary.trashed.is_some() {
            return Err(VaultError::InTrash(*id));
        }
        let inner = self.unseal(entry)?;
        Ok(Generator::new(
            &summary.scheme,
            &inner.secret,
            inner.pin.as_ref(),
        )?)
    }

    /// For whoever changes the account next: what a generator leaves on the stack would be copied along, in the empty fields of
    /// what is made there.
    fn code_of_counter(&self, id: &AccountId, counter: u64) -> Result<Code, VaultError> {
        #[inline(never)]
        fn code(vault: &Unlocked, id: &AccountId, counter: u64) -> Result<Code, VaultError> {
            Ok(vault.generator(id)?.code_of_counter(counter)?)
        }
        let code = code(self, id, counter);
        secret::wipe_stack();
        code
    }
}

impl Authenticator for Unlocked {
    type Error = VaultError;

    fn summaries(&self) -> Result<Vec<Summary>, VaultError> {
        Ok(self.live().cloned().collect())
    }

    fn code_at(&self, id: &AccountId, now: UnixTime) -> Result<Code, VaultError> {
        Ok(self.generator(id)?.code_at(now)?)
    }

    fn code_of_step(&self, id: &AccountId, step: u64) -> Result<Code, VaultError> {
        Ok(self.generator(id)?.code_of_step(step)?)
    }

    fn pair_at(&self, id: &AccountId, now: UnixTime, pairing: Pairing) -> Result<Pair, VaultError> {
        Ok(self.generator(id)?.pair_at(now, pairing)?)
    }

    /// Under the lock, from the counter on disk, advanced and saved before the code is returned.
    fn next_hotp(&mut self, id: &AccountId, now: UnixTime) -> Result<Code, VaultError> {
        // Refused before the lock is taken: nothing changes then.
        self.code_of_counter(id, 0)?;
        let mut code = None;
        self.commit(now, |vault| {
            // Again after the merge, and in each attempt: another process may have been faster.
            let counter = vault.entry(id)?.1.counter.unwrap_or(0);
            let next = counter.checked_add(1).ok_or(OtpError::AfterLastStep)?;
            code = Some(vault.code_of_counter(id, counter)?);
            let before = vault.entry(id)?.1.clone();
            let mut after = before.clone();
            after.counter = Some(next);
            // No new stamp: a counter merges by its greatest value, and a stamp would win over somebody's edit.
            vault.put_summary(before, after, None)
        })?;
        code.ok_or(VaultError::SelfCheck("a code without a counter"))
    }
}
