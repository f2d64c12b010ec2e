//! What `vmfa-aws` answers, a line a call: read as `vmfa` reads it, and used for what it is used for. The first byte says for
//! what: who somebody is and what stands against them, the same for everyone, a session, a link to the console.

use std::path::Path;
use std::time::Duration;

use vmfa::account::text::clean;
use vmfa::account::{Account, AccountId, Summary};
use vmfa::aws::error::AwsError;
use vmfa::aws::host::Host;
use vmfa::aws::operation::Operation;
use vmfa::aws::plan::{Plan, Wanted};
use vmfa::aws::process::{Shell, exports, variables};
use vmfa::aws::profile::Profiles;
use vmfa::aws::remote::{Answered, CallError, Failed, Keys, Remote, Signer};
use vmfa::aws::session::{process_answer, session};
use vmfa::aws::status::{everyone, own};
use vmfa::aws::wire::{Answer, Outcome};
use vmfa::clock::UnixTime;
use vmfa::failure::Fails as _;
use vmfa::ledger::Ledger;
use vmfa::otp::{Code, Pair};
use vmfa::secret::{Secret, SecretText};

/// Answers come from the input, the last one again and again.
struct Lines<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
    skew: Option<i64>,
}

impl Remote for Lines<'_> {
    fn call<O: Operation>(
        &mut self,
        _signer: &Signer,
        _operation: &O,
    ) -> Result<Answered<O::Output>, CallError> {
        let failed = |what| CallError {
            operation: O::NAME,
            what,
        };
        let odd = || {
            failed(Failed::NotUnderstood(
                "the answer can't be understood".into(),
            ))
        };
        let line = *self
            .lines
            .get(self.at)
            .or(self.lines.last())
            .ok_or_else(odd)?;
        self.at += 1;
        if self.at > 200 {
            return Err(failed(Failed::Offline("no more".into())));
        }
        // A whole answer, or the part of it that a call uses.
        let Ok(answer) = serde_json::from_slice::<Answer<'_>>(line) else {
            return Ok(Answered {
                output: serde_json::from_slice(line).map_err(|_| odd())?,
                access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
                is_session: false,
            });
        };
        self.skew = answer.skew.or(self.skew);
        match answer.outcome {
            Outcome::Output(output) => Ok(Answered {
                output: serde_json::from_str(output.get()).map_err(|_| odd())?,
                access_key_id: answer.access_key_id,
                is_session: answer.is_session,
            }),
            Outcome::Refused {
                code,
                message,
                status,
            } => Err(failed(Failed::Refused {
                code,
                message,
                status,
            })),
            Outcome::Offline(why) => Err(failed(Failed::Offline(why))),
            Outcome::NoCredentials(why) => Err(failed(Failed::NoCredentials(why))),
            Outcome::NotUnderstood(why) => Err(failed(Failed::NotUnderstood(why))),
        }
    }

    fn skew(&self) -> Option<i64> {
        self.skew
    }
}

/// Nobody: no device, nothing held, a clock that stands still.
struct Nobody {
    locks: std::path::PathBuf,
}

impl Host for Nobody {
    fn now(&self) -> Result<UnixTime, AwsError> {
        Ok(UnixTime::from_secs(1_800_000_000))
    }
    fn devices(&mut self) -> Result<Vec<Summary>, AwsError> {
        Ok(Vec::new())
    }
    fn may(&mut self, _account: &Summary) -> Result<(), AwsError> {
        Ok(())
    }
    fn code(&mut self, _account: &Summary, _step: u64) -> Result<Code, AwsError> {
        unreachable!("there is no device")
    }
    fn pair(&mut self, _account: &Summary, _step: u64) -> Result<Pair, AwsError> {
        unreachable!("there is no device")
    }
    fn access_key(&mut self, _profile: &str) -> Result<Option<Keys>, AwsError> {
        Ok(None)
    }
    fn save(&mut self, _account: Account) -> Result<Summary, AwsError> {
        unreachable!("nobody enrols")
    }
    fn trash(&mut self, _id: &AccountId, _why: &str) -> Result<(), AwsError> {
        Ok(())
    }
    fn recall(&mut self, _name: &str) -> Result<Option<(Secret, UnixTime)>, AwsError> {
        Ok(None)
    }
    fn hold(&mut self, _name: &str, _blob: &Secret, _until: UnixTime) -> Result<(), AwsError> {
        Ok(())
    }
    fn forget(&mut self, _name: &str) -> Result<(), AwsError> {
        Ok(())
    }
    fn rest(&mut self) {}
    fn ledger(&self) -> Ledger {
        unreachable!("there is no device")
    }
    fn locks(&self) -> &Path {
        &self.locks
    }
    fn tell(&self, _text: &str) {}
    fn warn(&self, _text: &str) {}
    fn wait(&self, _what: &str, _span: Duration) -> Result<(), AwsError> {
        Ok(())
    }
}

pub fn run(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else {
        return;
    };
    let mut remote = Lines {
        lines: rest.split(|byte| *byte == b'\n').collect(),
        at: 0,
        skew: None,
    };
    let mut host = Nobody {
        locks: std::env::temp_dir().join(format!("vmfa-fuzz-{}", std::process::id())),
    };
    let wanted = Wanted {
        keys: Some(Keys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: SecretText::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            session_token: None,
        }),
        endpoint: "https://sts.amazonaws.com".into(),
        ..Wanted::default()
    };
    let plan = Plan::new(&Profiles::new(None, None), wanted).expect("keys are enough");
    match what % 3 {
        0 => match own(&mut host, &mut remote, &plan) {
            Ok(own) => own
                .findings()
                .iter()
                .for_each(|finding| assert!(!format!("{finding:?}").is_empty())),
            Err(error) => told(&error),
        },
        1 => match everyone(&mut host, &mut remote, &plan) {
            Ok(everyone) => everyone
                .findings()
                .iter()
                .for_each(|finding| assert!(!format!("{finding:?}").is_empty())),
            Err(error) => told(&error),
        },
        _ => {
            // The word of a failure holds for whoever waited for it, and nobody did.
            drop(std::fs::remove_dir_all(&host.locks));
            match session(&mut host, &mut remote, &plan) {
                Ok(session) => {
                    let answer = process_answer(&session);
                    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
                    assert_eq!(answer["AccessKeyId"], session.keys.access_key_id);
                    assert_eq!(variables(&session, Some("us-east-1")).len(), 6);
                    for shell in [Shell::Posix, Shell::Fish, Shell::PowerShell] {
                        assert!(exports(&session, None, shell).ends_with('\n'));
                    }
                }
                Err(error) => told(&error),
            }
            drop(std::fs::remove_dir_all(&host.locks));
        }
    }
}

/// What an error says is shown as it is.
fn told(error: &AwsError) {
    let said = error.to_string();
    assert_eq!(clean(&said), said);
    assert!(error.hint().is_none_or(|hint| clean(&hint) == hint));
    let _ = error.kind();
}
