//! From the SDK's errors to what became of a call. Raw answers are never repeated: they may hold a seed.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use vmfa::aws::remote::Failed;

/// The longest text that is passed on.
const MAX_TEXT: usize = 2000;

/// What became of a call that failed.
pub(crate) fn of<E>(error: SdkError<E, HttpResponse>) -> Failed
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            match refused.err().code() {
                Some(code) => Failed::Refused {
                    code: clipped(code),
                    message: clipped(told(refused.err().message().unwrap_or_default())),
                    status,
                },
                None if status >= 500 => Failed::Refused {
                    code: "ServiceUnavailable".into(),
                    message: String::new(),
                    status,
                },
                None => Failed::NotUnderstood(format!(
                    "an answer with HTTP status {status} that isn't AWS's: perhaps a proxy's"
                )),
            }
        }
        SdkError::TimeoutError(_) => Failed::Offline("no answer in time".into()),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(cause) => Failed::Offline(chain(cause)),
            None => Failed::Offline("the connection failed".into()),
        },
        SdkError::ResponseError(_) => {
            Failed::NotUnderstood("an answer that isn't one of AWS's: perhaps a proxy's".into())
        }
        SdkError::ConstructionFailure(_) => {
            Failed::NotUnderstood(format!("the request can't be made: {}", chain(&error)))
        }
        _ => Failed::NotUnderstood(chain(&error)),
    }
}

/// AWS's sentence without what it repeats of the request, whose headers hold a session's token.
fn told(message: &str) -> &str {
    const REPEATS: [&str; 4] = [
        "The Canonical String",
        "The String-to-Sign",
        "Credential=",
        "x-amz-security-token",
    ];
    let begins = REPEATS.iter().filter_map(|words| message.find(words));
    let end = begins.min().unwrap_or(message.len());
    message[..end].trim_end()
}

/// Why there are no credentials.
pub(crate) fn credentials(error: &CredentialsError) -> Failed {
    match error {
        CredentialsError::ProviderTimedOut(_) => {
            Failed::Offline("the credentials didn't come in time".into())
        }
        _ => Failed::NoCredentials(chain(error)),
    }
}

/// What an error and its causes say, each once.
fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        if !said.is_empty() && !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        next = error.source();
    }
    clipped(&text)
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_aws_repeats_of_a_request_is_left_out() {
        let said = "The request signature we calculated does not match the signature you provided. \
                    The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:FwoG'";
        let kept = "The request signature we calculated does not match the signature you provided.";
        assert_eq!(told(said), kept);
        assert_eq!(told(kept), kept);
    }
}
