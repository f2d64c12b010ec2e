//! What other programs hand over. (stub)

use crate::account::{Draft, Refusal};

/// One text of a QR code or one line of a list, as accounts.
pub struct Read {
    /// Each account found, or why not.
    pub drafts: Vec<Result<Draft, Refusal>>,
    /// Set for one part of a Google Authenticator migration.
    pub part: Option<Part>,
}

/// Which part of a migration in several QR codes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Common to the parts of one export.
    pub batch_id: i32,
    /// From 0.
    pub index: u32,
    /// How many parts there are.
    pub size: u32,
}

/// Reads one text: a Key URI, or a Google Authenticator migration.
///
/// # Errors
/// The text is neither.
pub fn read_text(_text: &str) -> Result<Read, Refusal> {
    todo!()
}
