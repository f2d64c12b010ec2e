//! All of an account that may be shown.

use std::fmt;

use crate::otp::Scheme;

/// An account's random identity: 16 bytes, shown as 32 hexadecimal digits. A label is never a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 16]);

impl AccountId {
    /// The identity with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A new identity, from the system's random numbers.
    ///
    /// # Errors
    /// The system has no random numbers to give.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        let random = ring::rand::generate::<[u8; 16]>(&ring::rand::SystemRandom::new())?;
        Ok(Self(random.expose()))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An account without its secret: what lists, searches, prompts and the agent's protocol see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Random, never reused.
    pub id: AccountId,
    /// Who asks for the code; may be empty. Free of control characters and bidi overrides.
    pub issuer: String,
    /// The account name; may be empty. Cleaned like the issuer.
    pub name: String,
    /// The label's prefix where it differs from the issuer parameter (Microsoft Entra puts the tenant there).
    pub label_issuer: Option<String>,
    /// How the secret becomes codes.
    pub scheme: Scheme,
    /// The next HOTP counter to use; none for a time-based account.
    pub counter: Option<u64>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free text.
    pub note: String,
    /// Sorted first.
    pub favorite: bool,
    /// A code leaves only after somebody said yes to it.
    pub confirm: bool,
    /// AWS's serial number of the device: an ARN.
    pub serial_number: Option<String>,
    /// The address of a picture, as text; never fetched.
    pub image: Option<String>,
    /// When it came in, in seconds since 1970.
    pub added: u64,
    /// When it was put into the trash, in seconds since 1970.
    pub trashed: Option<u64>,
    /// Two writers gave one account two different secrets: both were kept.
    pub conflict: bool,
}

impl Summary {
    /// `issuer:name`, or the one there is.
    pub fn label(&self) -> String {
        match (self.issuer.as_str(), self.name.as_str()) {
            ("", name) => name.into(),
            (issuer, "") => issuer.into(),
            (issuer, name) => format!("{issuer}:{name}"),
        }
    }
}
