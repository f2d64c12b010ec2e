//! Single flight: of many processes that want the same session, one asks for it, and the others wait and read the result.
//!
//! A lock on a file of its own; the system gives it back when a process dies. When the one that asked has failed, it leaves
//! word, so that sixty others don't use up sixty codes on the same refusal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::remote::{CallError, Failed};
use crate::clock::UnixTime;
use crate::failure::{Fails, Kind};
use crate::ledger::{Ledger, LedgerError};

/// How long one process may keep the others waiting: three codes with a wait for a new time step before each, and calls that
/// are answered late.
const PATIENCE: Duration = Duration::from_secs(300);

/// A flight's word to those who wait is short.
const MAX_WORD: u64 = 16 << 10;

/// The right to ask; given back when dropped.
pub(super) struct Flight {
    _lock: Option<File>,
    word: PathBuf,
}

impl Flight {
    /// Waits for the right to ask for what has this name. Another process that asked for the same, and failed since `began`,
    /// has failed for this one too.
    pub(super) fn board(
        host: &mut impl Host,
        name: &str,
        began: UnixTime,
    ) -> Result<Self, AwsError> {
        // The names of profiles and roles are nobody's business.
        let hash = crate::aws::hashed(name.as_bytes());
        make_private(host.locks()).map_err(|source| AwsError::Lock {
            path: host.locks().to_owned(),
            source,
        })?;
        let word = host.locks().join(format!("{hash}.word"));
        host.rest();
        let lock = Ledger::lock_beside(&word, PATIENCE).map_err(|error| match error {
            LedgerError::Busy { .. } => AwsError::InFlight,
            other => other.into(),
        })?;
        let flight = Self { _lock: lock, word };
        match flight.last_word(began, host.now()?) {
            Some(error) => Err(error),
            None => Ok(flight),
        }
    }

    /// Leaves word of a failure that would be everybody's.
    pub(super) fn failed(&self, error: &AwsError, now: UnixTime) {
        // What another program said may hold anything, and this file is in clear: those who wait ask for themselves.
        if let AwsError::Call(CallError {
            what: Failed::NoCredentials(_) | Failed::NotUnderstood(_),
            ..
        }) = error
        {
            return;
        }
        let word = json!({
            "at": now.secs() * 1000 + u64::from(now.subsec_millis()),
            "message": error.to_string(),
            "hint": error.hint(),
            "kind": KINDS.iter().position(|kind| *kind == error.kind()),
        });
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
        }
        // Without it the others try for themselves.
        if let Ok(mut file) = options.open(&self.word) {
            let _ = file.write_all(word.to_string().as_bytes());
        }
    }

    /// Takes back the word of an earlier failure: it went well.
    pub(super) fn landed(&self) {
        drop(fs::remove_file(&self.word));
    }

    fn last_word(&self, began: UnixTime, now: UnixTime) -> Option<AwsError> {
        let mut text = String::new();
        let file = File::open(&self.word).ok()?;
        file.take(MAX_WORD).read_to_string(&mut text).ok()?;
        let word: Value = serde_json::from_str(&text).ok()?;
        let millis = |at: UnixTime| at.secs() * 1000 + u64::from(at.subsec_millis());
        // One from the future was left while the clock stood there, and would hold everybody up until then.
        if !(millis(began)..=millis(now)).contains(&word["at"].as_u64()?) {
            return None;
        }
        Some(AwsError::SameAs {
            message: word["message"].as_str()?.to_owned(),
            hint: word["hint"].as_str().map(str::to_owned),
            kind: *KINDS.get(word["kind"].as_u64()? as usize)?,
        })
    }
}

/// Those that a flight may end in, by number.
const KINDS: [Kind; 12] = [
    Kind::Internal,
    Kind::Usage,
    Kind::NotFound,
    Kind::Ambiguous,
    Kind::Locked,
    Kind::WrongPassphrase,
    Kind::Damaged,
    Kind::Partly,
    Kind::Refused,
    Kind::Offline,
    Kind::Conflict,
    Kind::Interrupted,
];

fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}
