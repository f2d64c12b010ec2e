//! What the ledger's file says.
//!
//! First a line with the name and version of the format. Then a line an account: its id in hexadecimal, and the steps
//! claimed, in the order in which they were claimed, each after a space. The account claimed for last comes last. A word
//! that begins with `@` is a moment, in seconds since 1970, at which a code went to a service that counts attempts.

use crate::account::AccountId;
use crate::ledger::{ACCOUNTS, REMEMBERED};

/// The first line.
const TITLE: &str = "vmfa ledger 1";

/// The steps claimed, by account.
#[derive(Default)]
pub(super) struct Record {
    accounts: Vec<Line>,
    damaged_lines: usize,
}

/// What is known of one account.
struct Line {
    id: AccountId,
    steps: Vec<u64>,
    /// When codes went to a service that counts attempts, in seconds since 1970.
    attempts: Vec<u64>,
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
        for line in &self.accounts {
            text.push_str(&line.id.to_string());
            for step in &line.steps {
                text.push(' ');
                text.push_str(&step.to_string());
            }
            for moment in &line.attempts {
                text.push_str(" @");
                text.push_str(&moment.to_string());
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
            .any(|line| line.id == *id && line.steps.contains(&step))
    }

    /// When codes of an account went out, in seconds since 1970, the earliest first.
    pub(super) fn attempts(&self, id: &AccountId) -> Vec<u64> {
        let lines = self.accounts.iter().filter(|line| line.id == *id);
        let mut attempts: Vec<u64> = lines.flat_map(|line| line.attempts.clone()).collect();
        attempts.sort_unstable();
        attempts
    }

    /// Records when codes of an account went out, in place of what was known.
    pub(super) fn set_attempts(&mut self, id: &AccountId, attempts: Vec<u64>) {
        self.mark(id, &[]);
        if let Some(line) = self.accounts.last_mut() {
            line.attempts = attempts;
        }
    }

    /// Records steps as used; the account becomes the one claimed for last. Forgets what is beyond the bounds, the oldest
    /// claims first.
    pub(super) fn mark(&mut self, id: &AccountId, marked: &[u64]) {
        let (mut claimed, mut attempts) = (Vec::new(), Vec::new());
        // More than one line of an account is taken as one.
        self.accounts.retain_mut(|line| {
            let mine = line.id == *id;
            if mine {
                claimed.append(&mut line.steps);
                attempts.append(&mut line.attempts);
            }
            !mine
        });
        claimed.retain(|step| !marked.contains(step));
        claimed.extend(marked);
        claimed.drain(..claimed.len().saturating_sub(REMEMBERED));
        self.accounts.push(Line {
            id: *id,
            steps: claimed,
            attempts,
        });
        self.accounts
            .drain(..self.accounts.len().saturating_sub(ACCOUNTS));
    }
}

fn read_line(line: &str) -> Option<Line> {
    let mut words = line.split(' ');
    let id = read_id(words.next()?)?;
    let (mut steps, mut attempts) = (Vec::new(), Vec::new());
    for word in words {
        match word.strip_prefix('@') {
            Some(moment) => attempts.push(moment.parse().ok()?),
            None => steps.push(word.parse().ok()?),
        }
    }
    Some(Line {
        id,
        steps,
        attempts,
    })
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
