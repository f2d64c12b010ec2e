//! A secret as people type it. (stub)

use crate::secret::{Secret, SecretText};

/// Why a text is no base32 secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base32Error {
    /// Nothing but spaces, dashes and padding, or fewer than eight bits.
    #[error("the secret is empty")]
    Empty,
    /// A character outside the alphabet; the position counts characters from 1.
    #[error("character {position}, {character:?}, is not base32")]
    Character {
        /// Counted in characters of the text as given, from 1.
        position: usize,
        /// The character itself: it is not part of a base32 secret.
        character: char,
    },
}

/// # Errors
/// stub
pub fn decode(_text: &str) -> Result<Secret, Base32Error> {
    todo!()
}

/// RFC 4648 section 6, upper case, without padding.
pub fn encode(_secret: &Secret) -> SecretText {
    todo!()
}
