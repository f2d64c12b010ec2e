//! What the ledger's file says.
//!
//! First a line with the name and version of the format. Then a line an account: its id in hexadecimal, and the steps
//! claimed, in the order in which they were claimed, each after a space. The account claimed for last comes last.

use crate::account::AccountId;
use crate::ledger::{ACCOUNTS, REMEMBERED};

/// The first line.
const TITLE: &str = "vmfa ledger 1";

/// The steps claimed, by account.
#[derive(Default)]
pub(super) struct Record {
    accounts: Vec<(AccountId, Vec<u64>)>,
    damaged_lines: usize,
}

/// The text has another title: it was written by something else.
pub(super) struct NotALedger;

impl Record {
    /// Reads a ledger's text. Lines that can't be read are counted and left out; the others count. A file of nothing
    /// is a ledger that says nothing; what doesn't begin with the title is somebody else's.
    pub(super) fn from_text(bytes: &[u8]) -> Result<Self, NotALedger> {
        let mut record = Self::default();
        if bytes.is_empty() {
            return Ok(record);
        }
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split_terminator('\n');
        if lines.next() != Some(TITLE) {
            return Err(NotALedger);
        }
        // The last line's end is written last: without it the line may be cut off.
        if !text.ends_with('\n') {
            record.damaged_lines += 1;
        }
        for line in lines {
            match read_line(line) {
                Some(account) => record.accounts.push(account),
                None => record.damaged_lines += 1,
            }
        }
        Ok(record)
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::from(TITLE);
        text.push('\n');
        for (id, steps) in &self.accounts {
            text.push_str(&id.to_string());
            for step in steps {
                text.push(' ');
                text.push_str(&step.to_string());
            }
            text.push('\n');
        }
        text
    }

    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn damaged_lines(&self) -> usize {
        self.damaged_lines
    }

    pub(super) fn is_used(&self, id: &AccountId, step: u64) -> bool {
        self.accounts
            .iter()
            .any(|(other, steps)| other == id && steps.contains(&step))
    }

    /// Records steps as used; the account becomes the one claimed for last. Forgets what is beyond the bounds, the oldest
    /// claims first.
    pub(super) fn mark(&mut self, id: &AccountId, marked: &[u64]) {
        let mut claimed = Vec::new();
        // More than one line of an account is taken as one.
        self.accounts.retain_mut(|(other, steps)| {
            let mine = other == id;
            if mine {
                claimed.append(steps);
            }
            !mine
        });
        claimed.retain(|step| !marked.contains(step));
        claimed.extend(marked);
        claimed.drain(..claimed.len().saturating_sub(REMEMBERED));
        self.accounts.push((*id, claimed));
        self.accounts
            .drain(..self.accounts.len().saturating_sub(ACCOUNTS));
    }
}

fn read_line(line: &str) -> Option<(AccountId, Vec<u64>)> {
    let mut words = line.split(' ');
    let id = read_id(words.next()?)?;
    let steps: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
    Some((id, steps?))
}

fn read_id(text: &str) -> Option<AccountId> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(digits[0])? << 4 | digit(digits[1])?) as u8;
    }
    Some(AccountId::from_bytes(bytes))
}
