//! Why nothing is exported at all. A single account that can't be is a [`Fate`](crate::export::Fate) among the others.

use crate::cipher::CipherError;
use crate::failure::{Fails, Kind};
use crate::qr::RenderError;

/// Why there is no export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// None of the accounts can be held by the target.
    #[error("there is no account here that {0} can hold")]
    Nothing(&'static str),
    /// The target has no file in clear.
    #[error("an export for {0} is always encrypted")]
    OnlySealed(&'static str),
    /// The target has no sealed file.
    #[error("an export for {0} can't be encrypted")]
    OnlyPlain(&'static str),
    /// A passphrase of nothing.
    #[error("an empty passphrase protects nothing")]
    EmptyPassphrase,
    /// No key can be derived.
    #[error(transparent)]
    Cost(#[from] CipherError),
    /// A QR code can't be drawn.
    #[error(transparent)]
    Draw(#[from] RenderError),
    /// The system has no random numbers.
    #[error("the system has no random numbers to give")]
    NoRandomNumbers,
    /// A writer of somebody else's failed.
    #[error("the {0} couldn't be made")]
    Writer(&'static str),
}

impl Fails for ExportError {
    fn kind(&self) -> Kind {
        match self {
            Self::Nothing(_) => Kind::NotFound,
            Self::OnlySealed(_) | Self::OnlyPlain(_) | Self::EmptyPassphrase => Kind::Usage,
            Self::Cost(error) => error.kind(),
            Self::Draw(error) => error.kind(),
            Self::NoRandomNumbers | Self::Writer(_) => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::OnlySealed(_) => Some("leave --plaintext away".into()),
            Self::OnlyPlain(_) => Some("say --plaintext if it may lie there in clear".into()),
            Self::Nothing(_) => Some("`vmfa export --help` says what each can hold".into()),
            Self::EmptyPassphrase
            | Self::Cost(_)
            | Self::Draw(_)
            | Self::NoRandomNumbers
            | Self::Writer(_) => None,
        }
    }
}
