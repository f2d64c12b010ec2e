//! A host and a remote for unit tests: a clock that a wait moves on, sessions held in memory, a real ledger in a directory of
//! its own, and answers that the test gives.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::account::{Account, AccountId, Draft, Summary};
use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::ini::Ini;
use crate::aws::operation::{Identity, Operation, Sent, Session};
use crate::aws::plan::{Plan, Wanted};
use crate::aws::profile::Profiles;
use crate::aws::remote::{Answered, CallError, Failed, Keys, Remote, Signer};
use crate::clock::UnixTime;
use crate::ledger::Ledger;
use crate::otp::{Code, Pair};
use crate::secret::{Secret, SecretText};

/// When every fake clock starts: the beginning of a time step.
pub(super) const NOON: u64 = 1_800_000_000;
pub(super) const ACCOUNT: &str = "123456789012";

/// The serial number of a device called so.
pub(super) fn serial(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/{name}")
}

/// Whoever holds the vault and talks to the person.
pub(super) struct FakeHost {
    dir: tempfile::TempDir,
    now: Cell<Duration>,
    accounts: Vec<Account>,
    pub(super) trashed: Vec<AccountId>,
    pub(super) access_keys: HashMap<String, String>,
    pub(super) held: BTreeMap<String, (Vec<u8>, UnixTime)>,
    /// What the person was told, warned of and kept waiting for.
    pub(super) said: RefCell<Vec<String>>,
    /// Done while a lock is waited for: what another process did meanwhile.
    pub(super) meanwhile: VecDeque<Meanwhile>,
    locks: std::path::PathBuf,
}

impl FakeHost {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            locks: dir.path().join("locks"),
            dir,
            now: Cell::new(Duration::from_secs(NOON)),
            accounts: Vec::new(),
            trashed: Vec::new(),
            access_keys: HashMap::new(),
            held: BTreeMap::new(),
            said: RefCell::default(),
            meanwhile: VecDeque::new(),
        }
    }

    /// With a device of that name in the vault, and a user's key kept for the profile `base`.
    pub(super) fn with_device(name: &str) -> Self {
        let mut host = Self::new();
        host.access_keys.insert("base".into(), "AKIAUSER".into());
        host.add_device(&serial(name));
        host
    }

    pub(super) fn add_device(&mut self, serial: &str) -> Summary {
        let draft = Draft {
            kind: Some("totp".into()),
            issuer: Some("Amazon Web Services".into()),
            name: Some(serial.rsplit('/').next().unwrap_or(serial).into()),
            secret: Some(SecretText::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into())),
            serial_number: Some(serial.into()),
            ..Draft::default()
        };
        let drafted = draft.into_account(self.now().unwrap()).ok().unwrap();
        let summary = drafted.account.summary.clone();
        self.accounts.push(drafted.account);
        summary
    }

    pub(super) fn pass(&self, span: Duration) {
        self.now.set(self.now.get() + span);
    }

    /// How many seconds have passed.
    pub(super) fn passed(&self) -> u64 {
        self.now.get().as_secs() - NOON
    }

    pub(super) fn has_said(&self, words: &str) -> bool {
        self.said.borrow().iter().any(|said| said.contains(words))
    }

    fn account(&self, id: &AccountId) -> &Account {
        let found = self.accounts.iter().find(|one| one.summary.id == *id);
        found.expect("the account is in the vault")
    }

    /// The code of a step of the first device.
    pub(super) fn code_of(&self, step: u64) -> String {
        let account = &self.accounts[0];
        let generator = account.generator().unwrap();
        let code = generator.code_of_step(step).unwrap();
        code.as_str().to_owned()
    }
}

impl Host for FakeHost {
    fn now(&self) -> Result<UnixTime, AwsError> {
        Ok(UnixTime::from_duration(self.now.get()))
    }

    fn devices(&mut self) -> Result<Vec<Summary>, AwsError> {
        let live = self.accounts.iter().map(|account| account.summary.clone());
        Ok(live.filter(|one| !self.trashed.contains(&one.id)).collect())
    }

    fn may(&mut self, _account: &Summary) -> Result<(), AwsError> {
        Ok(())
    }

    fn pair(&mut self, account: &Summary, step: u64) -> Result<Pair, AwsError> {
        Ok(Pair {
            first: self.code(account, step - 1)?,
            second: self.code(account, step)?,
        })
    }

    fn code(&mut self, account: &Summary, step: u64) -> Result<Code, AwsError> {
        let generator = self.account(&account.id).generator();
        let code = generator.and_then(|generator| generator.code_of_step(step));
        code.map_err(AwsError::held)
    }

    fn access_key(&mut self, profile: &str) -> Result<Option<Keys>, AwsError> {
        Ok(self.access_keys.get(profile).map(|id| Keys {
            access_key_id: id.clone(),
            secret_access_key: SecretText::new("secret".into()),
            session_token: None,
        }))
    }

    fn save(&mut self, account: Account) -> Result<Summary, AwsError> {
        let summary = account.summary.clone();
        self.accounts.push(account);
        Ok(summary)
    }

    fn trash(&mut self, id: &AccountId, _why: &str) -> Result<(), AwsError> {
        self.trashed.push(*id);
        Ok(())
    }

    fn recall(&mut self, name: &str) -> Result<Option<(Secret, UnixTime)>, AwsError> {
        let found = self.held.get(name);
        Ok(found.map(|(blob, until)| (Secret::new(blob.clone()), *until)))
    }

    fn hold(&mut self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), AwsError> {
        self.held
            .insert(name.into(), (blob.expose().to_vec(), until));
        Ok(())
    }

    fn forget(&mut self, name: &str) -> Result<(), AwsError> {
        self.held.remove(name);
        Ok(())
    }

    fn rest(&mut self) {
        if let Some(act) = self.meanwhile.pop_front() {
            act(self);
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::at(self.dir.path().join("ledger"))
    }

    fn locks(&self) -> &Path {
        &self.locks
    }

    fn tell(&self, text: &str) {
        self.said.borrow_mut().push(text.into());
    }

    fn warn(&self, text: &str) {
        self.said.borrow_mut().push(text.into());
    }

    fn wait(&self, what: &str, span: Duration) -> Result<(), AwsError> {
        self.said.borrow_mut().push(what.into());
        self.pass(span);
        Ok(())
    }
}

/// What happens elsewhere while a host rests.
type Meanwhile = Box<dyn FnOnce(&mut FakeHost)>;

/// A call that was made.
pub(super) struct Made {
    pub(super) operation: &'static str,
    /// The access key that signed it, or the profile that the SDK would have asked.
    pub(super) by: String,
    pub(super) input: Value,
}

type Answer = Box<dyn FnMut(Value) -> Result<Value, Failed>>;

/// AWS, as far as a test tells it to be there. What it isn't told of is denied.
#[derive(Default)]
pub(super) struct FakeRemote {
    answers: HashMap<&'static str, Answer>,
    pub(super) made: Vec<Made>,
    pub(super) skew: Option<i64>,
    /// Whether what the SDK finds are a session's keys.
    pub(super) finds_session: bool,
}

impl FakeRemote {
    /// One that says who asks: a user of that name.
    pub(super) fn of_user(name: &str) -> Self {
        Self::of_arn(&format!("arn:aws:iam::{ACCOUNT}:user/{name}"))
    }

    /// One that says who asks.
    pub(super) fn of_arn(arn: &str) -> Self {
        let identity = Identity {
            account: ACCOUNT.into(),
            arn: arn.into(),
        };
        let mut remote = Self::default();
        remote.on(move |_: crate::aws::operation::GetCallerIdentity| Ok(identity.clone()));
        remote
    }

    /// How a call is answered from here on.
    pub(super) fn on<O: Operation>(
        &mut self,
        mut answer: impl FnMut(O) -> Result<O::Output, Failed> + 'static,
    ) {
        let whole = move |input: Value| {
            let output = answer(serde_json::from_value(input).unwrap())?;
            Ok(serde_json::to_value(output).unwrap())
        };
        self.answers.insert(O::NAME, Box::new(whole));
    }

    /// The calls of one kind.
    pub(super) fn calls<O: Operation>(&self) -> Vec<&Made> {
        let made = self.made.iter();
        made.filter(|made| made.operation == O::NAME).collect()
    }

    /// The codes that were sent, in order.
    pub(super) fn codes(&self) -> Vec<String> {
        let code = |made: &Made| Some(made.input["mfa"]["token_code"].as_str()?.to_owned());
        self.made.iter().filter_map(code).collect()
    }
}

impl Remote for FakeRemote {
    fn call<O: Operation>(
        &mut self,
        signer: &Signer,
        operation: &O,
    ) -> Result<Answered<O::Output>, CallError> {
        let (by, is_session) = match signer {
            Signer::Found(profile) => (
                format!("found {}", profile.as_deref().unwrap_or_default()),
                self.finds_session,
            ),
            Signer::Keys(keys) => (keys.access_key_id.clone(), keys.session_token.is_some()),
        };
        let input = serde_json::to_value(operation).unwrap();
        self.made.push(Made {
            operation: O::NAME,
            by: by.clone(),
            input: input.clone(),
        });
        let answer = match self.answers.get_mut(O::NAME) {
            Some(answer) => answer(input),
            None => Err(denied()),
        };
        match answer {
            Ok(output) => Ok(Answered {
                output: serde_json::from_value(output).unwrap(),
                access_key_id: by,
                is_session,
            }),
            Err(what) => Err(CallError {
                operation: O::NAME,
                what,
            }),
        }
    }

    fn skew(&self) -> Option<i64> {
        self.skew
    }
}

/// A session that lasts so many seconds from noon.
pub(super) fn lasting(id: &str, seconds: u64) -> Session {
    let secret = |text: &str| Sent(SecretText::new(text.to_owned()));
    Session {
        access_key_id: id.into(),
        secret_access_key: secret("session secret"),
        session_token: secret("session token"),
        expiration: NOON + seconds,
    }
}

pub(super) fn refused(code: &str, message: &str) -> Failed {
    Failed::Refused {
        code: code.into(),
        message: message.into(),
        status: 403,
    }
}

pub(super) fn denied() -> Failed {
    refused("AccessDenied", "no identity-based policy allows it")
}

pub(super) fn wrong_code() -> Failed {
    let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
    refused("AccessDenied", message)
}

pub(super) fn unable() -> Failed {
    let message = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";
    refused("AccessDenied", message)
}

/// A plan by the text of `~/.aws/config`.
pub(super) fn plan(config: &str, profile: &str) -> Plan {
    let profiles = Profiles::new(Ini::read(config.as_bytes()).ok(), None);
    let wanted = Wanted {
        profile: Some(profile.into()),
        ..Wanted::default()
    };
    Plan::new(&profiles, wanted).unwrap()
}

/// What the profile of a user says.
pub(super) const KEYS: &str =
    "aws_access_key_id = AKIAUSER\naws_secret_access_key = 0123456789abcdef\n";

/// The user's own session.
pub(super) fn base() -> Plan {
    plan(&format!("[profile base]\n{KEYS}"), "base")
}
