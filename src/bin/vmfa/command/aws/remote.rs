//! The other program: started when a call must go out, asked line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use serde_json::value::to_raw_value;
use vmfa::aws::operation::Operation;
use vmfa::aws::remote::{Answered, CallError, Failed, Remote, Signer};
use vmfa::aws::wire::{Answer, Greeting, MAX_LINE, Outcome as Said, Question};
use zeroize::Zeroizing;

/// The name under which it is installed, beside `vmfa`.
const PROGRAM: &str = if cfg!(windows) {
    "vmfa-aws.exe"
} else {
    "vmfa-aws"
};

/// Set in its environment: a `credential_process` that leads back to vmfa finds it there, and doesn't start all over again.
pub(crate) const MARK: &str = "VMFA_AWS_ASKS";

/// The program that makes the calls.
pub(crate) struct Calls {
    greeting: Greeting,
    running: Option<Running>,
    skew: Option<i64>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Zeroizing<Vec<u8>>>,
}

/// How long an answer may take: the program itself gives up before that, so one that takes longer is stopped or hangs.
const PATIENCE: Duration = Duration::from_secs(150);

impl Calls {
    /// It is started with the first call.
    pub(crate) fn new(greeting: Greeting) -> Self {
        Self {
            greeting,
            running: None,
            skew: None,
        }
    }

    fn running(&mut self) -> Result<&mut Running, Failed> {
        let running = match self.running.take() {
            Some(running) => running,
            None => start(&self.greeting)?,
        };
        Ok(self.running.insert(running))
    }

    /// One question, one answer.
    fn exchange(&mut self, question: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let running = self.running()?;
        let sent = running
            .input
            .write_all(question)
            .and_then(|()| running.input.flush());
        let answer = match sent {
            Ok(()) => running.lines.recv_timeout(PATIENCE),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        match answer {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(mut stuck) = self.running.take() {
                    drop(stuck.child.kill());
                    drop(stuck.child.wait());
                }
                Err(Failed::Offline(format!("{PROGRAM} gave no answer in time")))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let gone = self.running.take();
                let status = gone.and_then(|mut gone| {
                    drop(gone.input);
                    gone.child.wait().ok()
                });
                Err(Failed::NoCaller(match status {
                    Some(status) => format!("{PROGRAM} ended without an answer: {status}"),
                    None => format!("{PROGRAM} gave no answer"),
                }))
            }
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(Running {
            mut child, input, ..
        }) = self.running.take()
        {
            // It ends with its input.
            drop(input);
            drop(child.wait());
        }
    }
}

impl Remote for Calls {
    fn call<O: Operation>(
        &mut self,
        signer: &Signer,
        operation: &O,
    ) -> Result<Answered<O::Output>, CallError> {
        let failed = |what| CallError {
            operation: O::NAME,
            what,
        };
        let not_written = |_| {
            failed(Failed::NotUnderstood(
                "the question can't be written".into(),
            ))
        };
        let input = to_raw_value(operation).map_err(not_written)?;
        let question = Question {
            signer: signer.into(),
            operation: O::NAME.into(),
            input: &input,
        };
        let mut line = Zeroizing::new(serde_json::to_vec(&question).map_err(not_written)?);
        line.push(b'\n');
        drop(Zeroizing::new(String::from(Box::<str>::from(input))));
        let line = self.exchange(&line).map_err(failed)?;
        let odd = || {
            failed(Failed::NotUnderstood(format!(
                "{PROGRAM}'s answer can't be understood"
            )))
        };
        let answer: Answer<'_> = serde_json::from_slice(&line).map_err(|_| odd())?;
        self.skew = answer.skew.or(self.skew);
        match answer.outcome {
            Said::Output(output) => Ok(Answered {
                output: serde_json::from_str(output.get()).map_err(|_| odd())?,
                access_key_id: answer.access_key_id,
                is_session: answer.is_session,
            }),
            Said::Refused {
                code,
                message,
                status,
            } => Err(failed(Failed::Refused {
                code,
                message,
                status,
            })),
            Said::Offline(why) => Err(failed(Failed::Offline(why))),
            Said::NoCredentials(why) => Err(failed(Failed::NoCredentials(why))),
            Said::NotUnderstood(why) => Err(failed(Failed::NotUnderstood(why))),
        }
    }

    fn skew(&self) -> Option<i64> {
        self.skew
    }
}

fn start(greeting: &Greeting) -> Result<Running, Failed> {
    let program = beside().ok_or_else(|| {
        Failed::NoCaller(format!(
            "{PROGRAM}, which makes the calls to AWS, isn't installed beside vmfa"
        ))
    })?;
    let broken = |error: std::io::Error| {
        Failed::NoCaller(format!(
            "{} can't be run: {error}",
            vmfa::account::text::clean(&program.display().to_string())
        ))
    };
    let mut child = Command::new(&program)
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(broken)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(broken(std::io::ErrorKind::BrokenPipe.into()));
    };
    let mut line = serde_json::to_vec(greeting).unwrap_or_default();
    line.push(b'\n');
    // A program that ended at once is told by its missing answer.
    drop(input.write_all(&line));
    let (sender, lines) = sync_channel(1);
    std::thread::Builder::new()
        .name("answers".into())
        .spawn(move || read_lines(output, &sender))
        .map_err(broken)?;
    Ok(Running {
        child,
        input,
        lines,
    })
}

/// Reads answers until there are none, or nobody wants them: by a thread, since reading has no deadline of its own.
fn read_lines(output: ChildStdout, sender: &SyncSender<Zeroizing<Vec<u8>>>) {
    let mut output = BufReader::with_capacity(256 << 10, output);
    loop {
        let mut line = Zeroizing::new(Vec::with_capacity(16 << 10));
        let read = (&mut output)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut line);
        let whole = matches!(read, Ok(len) if len > 0) && line.ends_with(b"\n");
        if !whole || sender.send(line).is_err() {
            return;
        }
    }
}

/// Beside this program: where it lies, then where a link to it lies. Never from PATH: it is handed keys.
fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let real = std::fs::canonicalize(&own).unwrap_or_else(|_| own.clone());
    [real, own]
        .iter()
        .filter_map(|path| {
            path.parent()
                .map(|directory: &Path| directory.join(PROGRAM))
        })
        .find(|path| path.is_file())
}
