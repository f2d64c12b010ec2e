//! The federation endpoint: not part of any SDK.

use std::time::Duration;

use serde_json::{Value, json};
use vmfa::aws::operation::{GetSigninToken, Sent, SigninToken};
use vmfa::aws::remote::Failed;
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

/// How long the endpoint may take.
const WHOLE: Duration = Duration::from_secs(30);

/// A sign-in token for a session (IAM's user guide, "Enabling custom identity broker access").
pub(crate) async fn get(input: GetSigninToken) -> Result<SigninToken, Failed> {
    let session = Zeroizing::new(
        json!({
            "sessionId": input.access_key_id,
            "sessionKey": input.secret_access_key.0.expose(),
            "sessionToken": input.session_token.0.expose(),
        })
        .to_string(),
    );
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(WHOLE))
            .max_redirects(0)
            .http_status_as_error(false)
            .build(),
    );
    let mut request = agent.get(&input.endpoint).query("Action", "getSigninToken");
    if let Some(seconds) = input.session_duration {
        request = request.query("SessionDuration", seconds.to_string());
    }
    let sent = request.query("Session", session.as_str()).call();
    let mut answer = sent.map_err(|error| match error {
        ureq::Error::BadUri(why) => Failed::NotUnderstood(format!("the endpoint: {why}")),
        ureq::Error::Http(why) => Failed::NotUnderstood(format!("the endpoint: {why}")),
        error => Failed::Offline(error.to_string()),
    })?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(Failed::Refused {
            code: format!("HTTP status {status}"),
            message: String::new(),
            status,
        });
    }
    let not_understood = || Failed::NotUnderstood("the endpoint's answer has no token".into());
    let text = answer
        .body_mut()
        .with_config()
        .limit(64 << 10)
        .read_to_string()
        .map_err(|_| not_understood())?;
    let value: Value = serde_json::from_str(&text).map_err(|_| not_understood())?;
    let token = value["SigninToken"].as_str().ok_or_else(not_understood)?;
    Ok(SigninToken {
        token: Sent(SecretText::new(token.to_owned())),
    })
}
