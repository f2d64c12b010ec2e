//! The entries of a password store, opened by the person's own gpg, which asks for what it needs by itself.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};

/// What is in an encrypted file. It comes through a pipe and is on no disk in clear.
pub(super) fn decrypt(path: &Path, most: u64) -> Outcome<Zeroizing<Vec<u8>>> {
    let fail = |what: String| {
        Fault::new(Exit::Locked, what).hint("does `gpg --decrypt` open it by itself?")
    };
    let mut child = Command::new("gpg")
        .args(["--quiet", "--no-verbose", "--decrypt", "--"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| fail(format!("gpg can't be started: {error}")))?;
    // Entries are short: nothing moves, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    if let Some(out) = child.stdout.take() {
        out.take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(format!("gpg: {error}")))?;
    }
    let status = child
        .wait()
        .map_err(|error| fail(format!("gpg: {error}")))?;
    if !status.success() {
        return Err(fail(format!("gpg doesn't open it: {status}")));
    }
    Ok(bytes)
}
