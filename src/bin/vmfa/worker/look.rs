//! What others do meanwhile, and what is remembered of one's own.

#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use vmfa::agent::AgentError;
use vmfa::keep::Keep;
use vmfa::secret::Secret;

use super::{Mark, Trouble, Worker, said};
use crate::tui::message::Report;
use crate::tui::uses::{self, Uses};

/// An agent with less time left than this wasn't locked by anybody when it is locked the next time it is looked at.
#[cfg(unix)]
const RUNNING_OUT: Duration = Duration::from_secs(5);

impl Worker {
    /// Looks whether somebody else has changed the vault, locked the agent, or used codes.
    pub(super) fn look(&mut self) {
        #[cfg(unix)]
        if self.is_locked_elsewhere() {
            self.forget();
            return self.tell(Report::Locked);
        }
        let looks = self.looks();
        if looks == self.marks {
            return;
        }
        let vault_changed = looks.0 != self.marks.0;
        self.marks = looks;
        if vault_changed {
            #[cfg(unix)]
            if let Some(vault) = &self.vault {
                let anew = self.now().and_then(|now| Ok(vault.read_anew(now)?));
                match anew {
                    Ok(anew) => self.vault = Some(anew),
                    Err(Trouble::Fault(fault)) => {
                        self.forget();
                        return self.tell(Report::Shut(said(&fault)));
                    }
                    Err(Trouble::Locked | Trouble::Asks(_) | Trouble::NeedsVault) => return,
                }
            }
            self.accounts();
        }
        // The codes that are known may be others by now, or taken.
        self.tell(Report::Stale);
    }

    /// Whether the agent, of which the accounts were had, has forgotten the key. Where it only had its time, unused because the
    /// vault itself is open here by now, it goes on without it.
    #[cfg(unix)]
    pub(super) fn is_locked_elsewhere(&mut self) -> bool {
        let Some(client) = &self.agent else {
            return false;
        };
        match client.status() {
            Ok(status) => {
                if let Some(held) = status.held {
                    self.agent_left = held.left.min(held.idle_left);
                    return false;
                }
            }
            Err(AgentError::Locked | AgentError::NotRunning | AgentError::Ended) => {}
            // It has too much to do to say how it is: it is asked again.
            Err(_) => return false,
        }
        let ran_out = self.vault.is_some() && self.agent_left < RUNNING_OUT;
        if ran_out {
            self.agent = None;
        }
        !ran_out
    }

    pub(super) fn looks(&self) -> (Mark, Mark) {
        let look = |path: &std::path::Path| {
            let found = std::fs::metadata(path).ok()?;
            #[cfg(unix)]
            let inode = std::os::unix::fs::MetadataExt::ino(&found);
            #[cfg(not(unix))]
            let inode = 0;
            Some((found.len(), found.modified().ok(), inode))
        };
        let ledger = self.context.files.ledger();
        (look(&self.context.files.vault), look(&ledger))
    }

    /// What was used. Where it can't be held or had, the list is in another order, and that is all.
    pub(super) fn note(&mut self, uses: Uses) {
        let Ok(now) = self.now() else { return };
        let blob = Secret::new(uses.to_bytes());
        self.uses = uses;
        let until = now.plus_secs(uses::HELD_SECS);
        if let Some(vault) = &self.vault {
            let _ = vault.hold(uses::NAME, &blob, until);
            return;
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            let _ = client.hold(uses::NAME, &blob, until);
        }
    }

    pub(super) fn recall(&self) -> Uses {
        let Ok(now) = self.now() else {
            return Uses::default();
        };
        let mut held = None;
        if let Some(vault) = &self.vault {
            held = vault.recall(uses::NAME, now).ok().flatten();
        } else {
            #[cfg(unix)]
            if let Some(client) = &self.agent {
                held = client.recall(uses::NAME, now).ok().flatten();
            }
        }
        held.map_or_else(Uses::default, |(blob, _)| Uses::from_bytes(blob.expose()))
    }
}
