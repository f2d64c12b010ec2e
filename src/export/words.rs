//! Small words that several formats write: identities, random bytes, hexadecimal.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::account::Account;
use crate::export::ExportError;
use crate::secret::SecretText;

/// Random bytes.
///
/// # Errors
/// The system has none.
pub(super) fn random<const N: usize>() -> Result<[u8; N], ExportError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ExportError::NoRandomNumbers)?;
    Ok(bytes)
}

/// Sixteen bytes as a UUID (RFC 9562) of version 4, whose form some apps check.
pub(super) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// An account's identity in another app: vmfa's own, so that two exports agree.
pub(super) fn uuid_of(account: &Account) -> String {
    uuid(*account.summary.id.as_bytes())
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The secret as mOTP writes it.
pub(super) fn hex_secret(account: &Account) -> SecretText {
    let bytes = account.secret.expose();
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("a nibble is a hexadecimal digit"));
        }
    }
    SecretText::new(text)
}

/// The words of every tag, each once, with an identity for the group or folder that it becomes there.
///
/// # Errors
/// The system has no random numbers.
pub(super) fn groups(accounts: &[Account]) -> Result<Vec<(String, String)>, ExportError> {
    let mut groups: Vec<(String, String)> = Vec::new();
    for tag in accounts.iter().flat_map(|account| &account.summary.tags) {
        if !groups.iter().any(|(name, _)| name == tag) {
            groups.push((tag.clone(), uuid(random()?)));
        }
    }
    Ok(groups)
}

/// The identity of a tag's group.
pub(super) fn group_of<'a>(groups: &'a [(String, String)], tag: &str) -> Option<&'a str> {
    let found = groups.iter().find(|(name, _)| name == tag);
    found.map(|(_, id)| id.as_str())
}

/// What an account is called where there is one name: the issuer, or the account's.
pub(super) fn title(account: &Account) -> &str {
    let summary = &account.summary;
    match summary.issuer.as_str() {
        "" => &summary.name,
        issuer => issuer,
    }
}
