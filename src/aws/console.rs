//! A sign-in link for the console (IAM's user guide, "Enable custom identity broker access to the AWS console").

use crate::aws::arn::Partition;
use crate::aws::enroll::call;
use crate::aws::error::AwsError;
use crate::aws::operation::{GetSigninToken, Sent};
use crate::aws::remote::{Remote, Signer};
use crate::aws::session::Credentials;
use crate::secret::SecretText;

/// Where a link leads and how it is had.
pub struct Wanted {
    /// The federation endpoint; none for the partition's own.
    pub endpoint: Option<String>,
    /// Where the console opens; none for its start.
    pub destination: Option<String>,
    /// How long the console's session lasts, in seconds; it must not be said for a role that was assumed from a session.
    pub duration: Option<u32>,
}

/// The address that signs a browser in, good for 15 minutes. Whoever has it is signed in: it is as secret as the session.
///
/// # Errors
/// The partition's sign-in isn't known; the endpoint said no.
pub fn link<R: Remote>(
    remote: &mut R,
    session: Credentials,
    partition: &Partition,
    wanted: &Wanted,
) -> Result<Option<SecretText>, AwsError> {
    let (Some(sign_in), Some(console)) = (partition.sign_in(), partition.console()) else {
        return Ok(None);
    };
    let endpoint = wanted
        .endpoint
        .clone()
        .unwrap_or_else(|| format!("https://{sign_in}/federation"));
    let keys = session.keys;
    let operation = GetSigninToken {
        endpoint: endpoint.clone(),
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: Sent(keys.secret_access_key.duplicate()),
        session_token: Sent(match &keys.session_token {
            Some(token) => token.duplicate(),
            None => SecretText::new(String::new()),
        }),
        session_duration: wanted.duration,
    };
    let token = call(remote, &Signer::Keys(keys), &operation)?.output.token;
    let destination = wanted
        .destination
        .clone()
        .unwrap_or_else(|| format!("https://{console}/"));
    Ok(Some(SecretText::new(format!(
        "{endpoint}?Action=login&Issuer=vmfa&Destination={}&SigninToken={}",
        encoded(&destination),
        encoded(token.0.expose()),
    ))))
}

/// RFC 3986's unreserved characters as they are, all others in percent.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
