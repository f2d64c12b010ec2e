//! The SDK, set up: where calls go, who signs, how long they may take, and what AWS's clock says.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use vmfa::aws::operation::Sent;
use vmfa::aws::remote::Failed;
use vmfa::aws::wire::{Greeting, SignerSent};
use vmfa::clock::{Clock, System};

use crate::failed;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// How long a call may take with all its attempts and the pauses between them.
const WHOLE: Duration = Duration::from_secs(60);
/// How often a call is made that may be made again.
const ATTEMPTS: u32 = 4;

/// The SDK, set up for one profile.
pub(crate) struct Service {
    config: SdkConfig,
    profile: Option<String>,
    pub(crate) skew: Skew,
    /// Found once: SSO and roles cost calls of their own.
    found: Option<(Option<String>, Credentials)>,
}

/// A signer whose credentials are at hand.
pub(crate) struct Signed {
    pub(crate) access_key_id: String,
    pub(crate) is_session: bool,
    provider: SharedCredentialsProvider,
}

impl Service {
    pub(crate) async fn new(greeting: &Greeting) -> Result<Self, String> {
        let mut store = tls::TrustStore::default();
        if let Some(path) = &greeting.ca_bundle {
            let pem = vmfa_file(path).map_err(|error| format!("AWS_CA_BUNDLE: {error}"))?;
            store = tls::TrustStore::empty().with_pem_certificate(pem);
        }
        let context = tls::TlsContext::builder()
            .with_trust_store(store)
            .build()
            .map_err(|error| format!("TLS can't be set up: {error}"))?;
        // By the proxies that the environment names, as all of AWS's tools go.
        let http = aws_smithy_http_client::Builder::new().build_with_connector_fn(
            move |settings, components| {
                let mut connector = aws_smithy_http_client::Connector::builder()
                    .proxy_config(ProxyConfig::from_env())
                    .tls_provider(tls::Provider::Rustls(
                        tls::rustls_provider::CryptoMode::Ring,
                    ))
                    .tls_context(context.clone());
                connector.set_connector_settings(settings.cloned());
                if let Some(components) = components {
                    connector.set_sleep_impl(components.sleep_impl());
                }
                connector.build()
            },
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(WHOLE)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(greeting.region.clone()))
            .no_credentials()
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            // A clock that is off is told to the person, who has to set it: other programs would be refused all the same.
            .disable_clock_skew_correction(true);
        if let Some(profile) = &greeting.profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        Ok(Self {
            config,
            profile: greeting.profile.clone(),
            skew: Skew::default(),
            found: None,
        })
    }

    /// The credentials of a signer.
    pub(crate) async fn sign(&mut self, signer: SignerSent) -> Result<Signed, Failed> {
        let credentials = match signer {
            SignerSent::Keys {
                access_key_id,
                secret_access_key: Sent(secret),
                session_token,
            } => Credentials::new(
                access_key_id,
                secret.expose(),
                session_token.map(|Sent(token)| token.expose().to_owned()),
                None,
                "vmfa",
            ),
            SignerSent::Found(profile) => match &self.found {
                Some((of, credentials)) if *of == profile => credentials.clone(),
                Some(_) | None => {
                    // Another program, or a person at a browser, may be part of it.
                    let found = tokio::time::timeout(WHOLE, self.find(profile.as_deref())).await;
                    let late = |_| Failed::Offline("the credentials didn't come in time".into());
                    let credentials = found.map_err(late)??;
                    self.found = Some((profile, credentials.clone()));
                    credentials
                }
            },
        };
        Ok(Signed {
            access_key_id: credentials.access_key_id().to_owned(),
            is_session: credentials.session_token().is_some(),
            provider: SharedCredentialsProvider::new(credentials),
        })
    }

    /// What the SDK finds: what stands in the profile that is named, else its whole chain.
    async fn find(&self, profile: Option<&str>) -> Result<Credentials, Failed> {
        let mut settings = ProviderConfig::default().with_region(self.config.region().cloned());
        if let Some(http) = self.config.http_client() {
            settings = settings.with_http_client(http);
        }
        let found = match profile {
            Some(profile) => {
                ProfileFileCredentialsProvider::builder()
                    .configure(&settings)
                    .profile_name(profile)
                    .build()
                    .provide_credentials()
                    .await
            }
            None => {
                let mut chain = DefaultCredentialsChain::builder().configure(settings);
                if let Some(profile) = &self.profile {
                    chain = chain.profile_name(profile);
                }
                chain.build().await.provide_credentials().await
            }
        };
        found.map_err(|error| failed::credentials(&error))
    }

    /// IAM, for a signer.
    pub(crate) fn iam(&self, signed: &Signed) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .credentials_provider(signed.provider.clone())
            .interceptor(self.skew.clone())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// IAM, for a call that is made once.
    pub(crate) fn iam_once(&self, signed: &Signed) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(&self.config)
            .credentials_provider(signed.provider.clone())
            .interceptor(self.skew.clone())
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// STS, for a signer.
    pub(crate) fn sts(&self, signed: &Signed) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .credentials_provider(signed.provider.clone())
            .interceptor(self.skew.clone())
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// STS, for a call that is made once: it sends a code, and no code is sent twice.
    pub(crate) fn sts_once(&self, signed: &Signed) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .credentials_provider(signed.provider.clone())
            .interceptor(self.skew.clone())
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }
}

/// A file of certificates, bounded.
fn vmfa_file(path: &str) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(4 << 20)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the `Date` header of the last answer says of this machine's clock (RFC 9110 section 6.6.1).
#[derive(Debug, Clone, Default)]
pub(crate) struct Skew {
    /// Seconds to add; [`UNKNOWN`] before the first answer.
    seconds: Arc<Told>,
    /// When the present request went out, in milliseconds since 1970.
    sent: Arc<Mutex<u64>>,
}

#[derive(Debug)]
struct Told(AtomicI64);

/// No skew is so great.
const UNKNOWN: i64 = i64::MIN;

impl Default for Told {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl Skew {
    /// Seconds to add to this machine's clock.
    pub(crate) fn seconds(&self) -> Option<i64> {
        let seconds = self.seconds.0.load(Ordering::Relaxed);
        (seconds != UNKNOWN).then_some(seconds)
    }

    fn note(&self, date: &str) {
        let Some(received) = now_millis() else { return };
        let Ok(date) = httpdate::parse_http_date(date) else {
            return;
        };
        let Ok(date) = date.duration_since(std::time::UNIX_EPOCH) else {
            return;
        };
        let sent = *self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        // The header tells whole seconds, and the answer was made somewhere between the question and its arrival.
        let theirs = date.as_millis() as i64 + 500;
        let ours = (sent.min(received) as i64 + received as i64) / 2;
        let skew =
            (theirs - ours).div_euclid(1000) + i64::from((theirs - ours).rem_euclid(1000) >= 500);
        self.seconds.0.store(skew, Ordering::Relaxed);
    }
}

fn now_millis() -> Option<u64> {
    let now = System.now().ok()?;
    Some(now.secs() * 1000 + u64::from(now.subsec_millis()))
}

#[dyn_dispatch_hint]
impl Intercept for Skew {
    fn name(&self) -> &'static str {
        "Skew"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(now) = now_millis() {
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.note(date);
        }
        Ok(())
    }
}
