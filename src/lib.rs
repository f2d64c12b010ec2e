//! vmfa: an authenticator for the terminal, the *virtual MFA device* of AWS's words on your own desktop.
//!
//! # The map
//!
//! A module imports strictly downward, never sideways between rooms; `tests/it/floors.rs` holds that.
//!
//! | floor | rooms |
//! |---|---|
//! | 6 | [`agent`] (on Unix): an open vault behind a socket, until it is locked |
//! | 5 | [`vault`]: `Locked` -> `Unlocked` -> saved; [`aws`] (with the feature of that name): enrolment, sessions, policies |
//! | 4 | [`import`]: other programs' words; [`export`]: accounts in them; [`authenticator`]: codes out, keys never; [`ledger`]: which steps were handed out |
//! | 3 | [`account`]: summary (no secret), account (with secret), draft (loose words in), query |
//! | 2 | [`otp`]: RFC 4226 and 6238; [`base32`]: secrets as typed; [`cipher`]: other programs' ciphers; [`keep`]: blobs held until then; [`keyring`]: access keys; [`qr`]: pictures; [`desktop`]: the desktop's message buses |
//! | 1 | [`secret`], [`clock`], [`failure`] |
//!
//! # Invariants
//!
//! - The library never reads the environment, asks a person, or prints.
//! - Only [`clock`] reads the time; everything else takes it as an argument.
//! - A [`secret::Secret`] has no `Debug`, `Display`, `Clone` or `Serialize`, and is compared in constant time.
//! - An importer maps and never decodes: it fills an [`account::Draft`]; the draft alone makes an account or a refusal.
//! - A vault that can't be read is never deleted, recreated or overwritten.

pub mod account;
#[cfg(unix)]
pub mod agent;
pub mod authenticator;
#[cfg(feature = "aws")]
pub mod aws;
pub mod base32;
pub mod cipher;
pub mod clock;
pub mod desktop;
pub mod export;
pub mod failure;
pub mod import;
pub mod keep;
pub mod keyring;
pub mod ledger;
pub mod otp;
pub mod qr;
pub mod secret;
pub mod vault;
