//! The Key URI, `otpauth://`. (stub)

use crate::account::{Account, Draft, Refusal};
use crate::secret::SecretText;

/// # Errors
/// stub
pub fn read(_uri: &str) -> Result<Draft, Refusal> {
    todo!()
}

/// stub
pub fn write(_account: &Account) -> SecretText {
    todo!()
}
