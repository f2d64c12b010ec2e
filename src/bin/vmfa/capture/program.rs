//! Programs that write a picture to their standard output.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use vmfa::qr::MAX_FILE_BYTES;
use vmfa::secret::Secret;
use zeroize::Zeroizing;

/// A program that doesn't come to an end is ended.
const PATIENCE: Duration = Duration::from_secs(30);
/// A picture of two large screens fits; a buffer that grows leaves copies behind.
const ROOM: usize = 8 << 20;

/// What a program prints: a picture, of at most as many bytes as are scanned.
pub(super) fn output(program: &str, arguments: &[&str]) -> Result<Secret, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // It would speak of other things than the person asked for; whether it failed, its exit tells.
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "it is not installed".to_owned(),
            _ => error.to_string(),
        })?;
    let out = child.stdout.take();
    let (done, read) = mpsc::channel();
    let reading = thread::Builder::new()
        .name("picture".into())
        .spawn(move || {
            let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
            let whole = out.map(|out| out.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
            let _ =
                done.send(whole.map(|read| read.map(|_| Secret::new(std::mem::take(&mut *bytes)))));
        });
    let outcome = match reading {
        Ok(_) => read.recv_timeout(PATIENCE),
        Err(_) => Ok(None),
    };
    let bytes = match outcome {
        Ok(Some(Ok(bytes))) if bytes.len() as u64 <= MAX_FILE_BYTES => Ok(bytes),
        Ok(Some(Ok(_))) => Err("its picture is too large".to_owned()),
        Ok(Some(Err(error))) => Err(error.to_string()),
        Ok(None) => Err("its output can't be read".to_owned()),
        Err(_) => Err("it doesn't come to an end".to_owned()),
    };
    if bytes.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match bytes {
        Ok(_) if !status.success() => Err(format!("it failed: {status}")),
        Ok(bytes) if bytes.is_empty() => Err("it gave no picture".to_owned()),
        other => other,
    }
}
