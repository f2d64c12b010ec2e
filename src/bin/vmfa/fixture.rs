//! Accounts for tests.

use vmfa::account::{AccountId, Summary};
use vmfa::otp::{Scheme, Totp};

/// An account of six digits and 30 s, with nothing said of it but its label.
pub(crate) fn account(id: [u8; 16], issuer: &str, name: &str) -> Summary {
    Summary {
        id: AccountId::from_bytes(id),
        issuer: issuer.into(),
        name: name.into(),
        label_issuer: None,
        scheme: Scheme::Totp(Totp::default()),
        counter: None,
        tags: Vec::new(),
        note: String::new(),
        favorite: false,
        confirm: false,
        serial_number: None,
        image: None,
        added: 0,
        trashed: None,
        conflict: false,
    }
}
