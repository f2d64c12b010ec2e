//! A door for the fuzzer, which is built with `--cfg fuzzing`: the ledger's text.

use crate::account::AccountId;
use crate::ledger::record::Record;
use crate::ledger::{ACCOUNTS, REMEMBERED};

/// What is understood is written and read again, and says the same; a claim keeps it within its bounds.
pub fn ledger(bytes: &[u8]) {
    let Ok(mut record) = Record::from_text(bytes) else {
        return;
    };
    let text = record.to_text();
    let Ok(again) = Record::from_text(text.as_bytes()) else {
        panic!("our own words");
    };
    assert_eq!(again.to_text(), text);
    assert_eq!(
        (again.damaged_lines(), again.accounts()),
        (0, record.accounts())
    );

    let id = AccountId::from_bytes([0xab; 16]);
    let first = bytes.first().copied().map_or(0, u64::from);
    let attempts = record.attempts(&id);
    record.mark(&id, &[first, u64::MAX]);
    assert!(record.is_used(&id, first) && record.is_used(&id, u64::MAX));
    assert_eq!(record.attempts(&id), attempts);
    assert!(record.accounts() <= ACCOUNTS);
    let text = record.to_text();
    let line = text.lines().last().unwrap_or_default();
    let steps = line
        .split(' ')
        .skip(1)
        .filter(|word| !word.starts_with('@'));
    assert!(line.starts_with(&id.to_string()) && steps.count() <= REMEMBERED);
}
