//! Makes the calls to AWS that `vmfa` asks for: the only program here that links the AWS SDK, and the only one with
//! asynchronous code.
//!
//! It decides nothing. A question comes in as a line on standard input, an answer goes out as a line on standard output, and
//! when the input ends, so does the program. Nobody starts it by hand.

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
compile_error!(
    "vmfa-aws looks up hosts by the C library, which loads libraries for it: build it without .cargo/static.toml"
);

mod calls;
mod failed;
mod service;
mod signin;

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;

use vmfa::aws::wire::{Greeting, MAX_LINE, Question};
use zeroize::Zeroizing;

/// What the SDK copied of a key and let go of isn't left in memory.
#[cfg(unix)]
#[global_allocator]
static MEMORY: vmfa::secret::page::heap::Wiping = vmfa::secret::page::heap::Wiping;

fn main() -> ExitCode {
    // A panic's message could quote what was being read.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let _ = writeln!(std::io::stderr(), "vmfa-aws: internal error{place}");
    }));
    #[cfg(unix)]
    vmfa::secret::process::keep_out();
    let ended = std::panic::catch_unwind(serve);
    vmfa::secret::wipe_deep_stack();
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(message)) => {
            let _ = writeln!(std::io::stderr(), "vmfa-aws: {message}");
            ExitCode::from(2)
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> Result<(), String> {
    let mut input = std::io::stdin().lock();
    let greeting = line(&mut input)?.ok_or("this program is started by vmfa: run `vmfa aws`")?;
    let greeting: Greeting = serde_json::from_slice(&greeting)
        .map_err(|_| "this program is started by vmfa: run `vmfa aws`")?;
    if greeting.version != env!("CARGO_PKG_VERSION") {
        return Err(format!(
            "this is version {}, and the vmfa that started it is another: install both together",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the system gives no event loop: {error}"))?;
    let mut service = runtime.block_on(service::Service::new(&greeting))?;
    drop(input);
    // A thread reads: when whoever asks is gone, nothing more goes out in their name.
    let (sender, mut lines) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Ok(Some(line)) = line(&mut input) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(question) = runtime.block_on(lines.recv()) {
        let question: Question<'_> = serde_json::from_slice(&question).map_err(|error| {
            format!("a question can't be understood: column {}", error.column())
        })?;
        let answer = runtime.block_on(async {
            tokio::select! {
                answer = calls::answer(&mut service, question) => Some(answer),
                // One question at a time: this is the end.
                _ = lines.recv() => None,
            }
        });
        let Some(answer) = answer else {
            return Ok(());
        };
        let mut out = std::io::stdout().lock();
        // Nobody who hears it: nothing is left to do.
        if out
            .write_all(&answer)
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush())
            .is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}

/// The next line; none at the end.
fn line(input: &mut impl BufRead) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let mut line = Zeroizing::new(Vec::with_capacity(16 << 10));
    let read = input
        .take(MAX_LINE as u64)
        .read_until(b'\n', &mut line)
        .map_err(|error| format!("standard input can't be read: {error}"))?;
    Ok((read > 0 && line.ends_with(b"\n")).then_some(line))
}
