//! Which accounts are used, and when: for the order of the list. Held on this machine, sealed by the vault's key.

use std::collections::HashMap;

use vmfa::account::AccountId;
use vmfa::clock::UnixTime;

/// Under this name it is held.
pub(crate) const NAME: &str = "desktop/uses";
/// So many accounts are remembered: those used last.
const MOST: usize = 1000;
/// An account: its id, how often, when last.
const ROW: usize = 16 + 4 + 8;
/// It is forgotten when nobody used any for so long.
pub(crate) const HELD_SECS: u64 = 400 * 24 * 3600;

/// How often an account's code was taken, and when last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Uses(HashMap<AccountId, (u32, u64)>);

impl Uses {
    /// How often.
    pub(crate) fn count(&self, id: &AccountId) -> u32 {
        self.0.get(id).map_or(0, |(count, _)| *count)
    }

    /// When last, in seconds since 1970; zero for never.
    pub(crate) fn last(&self, id: &AccountId) -> u64 {
        self.0.get(id).map_or(0, |(_, last)| *last)
    }

    pub(crate) fn add(&mut self, id: AccountId, now: UnixTime) {
        let (count, last) = self.0.entry(id).or_default();
        *count = count.saturating_add(1);
        *last = now.secs();
    }

    /// Rows of an id, how often and when last; the last used first.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_by_key(|(id, (_, last))| (std::cmp::Reverse(*last), **id));
        let mut bytes = Vec::with_capacity(rows.len().min(MOST) * ROW);
        for (id, (count, last)) in rows.into_iter().take(MOST) {
            bytes.extend(id.as_bytes());
            bytes.extend(count.to_be_bytes());
            bytes.extend(last.to_be_bytes());
        }
        bytes
    }

    /// What can't be understood was never used.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let rows = bytes.chunks_exact(ROW).take(MOST);
        Self(rows.filter_map(row).collect())
    }
}

fn row(bytes: &[u8]) -> Option<(AccountId, (u32, u64))> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let last = rest.first_chunk()?;
    let used = (u32::from_be_bytes(*count), u64::from_be_bytes(*last));
    Some((AccountId::from_bytes(*id), used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back() {
        let mut uses = Uses::default();
        let id = |number| AccountId::from_bytes([number; 16]);
        uses.add(id(1), UnixTime::from_secs(10));
        uses.add(id(1), UnixTime::from_secs(20));
        uses.add(id(2), UnixTime::from_secs(15));
        assert_eq!((uses.count(&id(1)), uses.last(&id(1))), (2, 20));
        assert_eq!((uses.count(&id(3)), uses.last(&id(3))), (0, 0));
        assert_eq!(Uses::from_bytes(&uses.to_bytes()), uses);
        assert_eq!(Uses::from_bytes(&[1; 30]).0.len(), 1);
    }

    #[test]
    fn those_used_last_are_remembered() {
        let mut uses = Uses::default();
        for number in 0..1200_u32 {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            uses.add(
                AccountId::from_bytes(id),
                UnixTime::from_secs(u64::from(number)),
            );
        }
        let again = Uses::from_bytes(&uses.to_bytes());
        assert_eq!(again.0.len(), MOST);
        assert_eq!(again.count(&AccountId::from_bytes([0; 16])), 0);
    }
}
