//! What `vmfa` and `vmfa-aws` say to each other: one JSON value a line, over the child's standard input and output.
//!
//! First a greeting, then a question and an answer at a time. Nothing of it stands in arguments or in the environment, where
//! other processes can read. Lines with secrets are wiped after use.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::aws::operation::Sent;
use crate::aws::remote::{Failed, Keys, Signer};

/// No line is longer: a credential report of 5,000 users has about 3 MB.
pub const MAX_LINE: usize = 64 << 20;

/// The first line: where calls go. The program that reads it resolves nothing else from its environment than the SDK does.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The version of the one who asks: both are installed together.
    pub version: String,
    /// The profile whose region and endpoints hold.
    pub profile: Option<String>,
    /// The region that calls go to and are signed for.
    pub region: String,
    /// A file of certificates in place of the system's.
    pub ca_bundle: Option<String>,
}

/// A question.
#[derive(Serialize, Deserialize)]
pub struct Question<'a> {
    /// Whose name it is asked in.
    pub signer: SignerSent,
    /// `service:Operation`.
    pub operation: String,
    /// The call's own parameters.
    #[serde(borrow)]
    pub input: &'a RawValue,
}

/// As [`Signer`], on its way.
#[derive(Serialize, Deserialize)]
pub enum SignerSent {
    /// Whoever the SDK finds.
    Found(Option<String>),
    /// These keys.
    Keys {
        /// `AKIA…` or `ASIA…`.
        access_key_id: String,
        /// What signs.
        secret_access_key: Sent,
        /// A session's token.
        session_token: Option<Sent>,
    },
}

impl From<&Signer> for SignerSent {
    fn from(signer: &Signer) -> Self {
        match signer.duplicate() {
            Signer::Found(profile) => Self::Found(profile),
            Signer::Keys(Keys {
                access_key_id,
                secret_access_key,
                session_token,
            }) => Self::Keys {
                access_key_id,
                secret_access_key: Sent(secret_access_key),
                session_token: session_token.map(Sent),
            },
        }
    }
}

/// An answer.
#[derive(Serialize, Deserialize)]
pub struct Answer<'a> {
    /// Seconds to add to this machine's clock to get AWS's; none where no answer came.
    pub skew: Option<i64>,
    /// Whose name the call was made in.
    pub access_key_id: String,
    /// Whether that was a session's key.
    pub is_session: bool,
    /// What came of it.
    #[serde(borrow)]
    pub outcome: Outcome<'a>,
}

/// What came of a call.
#[derive(Serialize, Deserialize)]
pub enum Outcome<'a> {
    /// AWS's answer.
    #[serde(borrow)]
    Output(&'a RawValue),
    /// As [`Failed::Refused`].
    Refused {
        /// AWS's code.
        code: String,
        /// AWS's sentence.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// As [`Failed::Offline`].
    Offline(String),
    /// As [`Failed::NoCredentials`].
    NoCredentials(String),
    /// As [`Failed::NotUnderstood`].
    NotUnderstood(String),
}

impl From<Failed> for Outcome<'_> {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused {
                code,
                message,
                status,
            } => Self::Refused {
                code,
                message,
                status,
            },
            Failed::Offline(why) => Self::Offline(why),
            Failed::NoCredentials(why) => Self::NoCredentials(why),
            Failed::NotUnderstood(why) | Failed::NoCaller(why) => Self::NotUnderstood(why),
        }
    }
}
