//! What the desktop says to an agent, line by line: the tests' way to `vmfa::agent::desktop`, which they drive from outside.
//!
//!     desktop watch SYSTEM SESSION UID    prints `sleep` or `screen-lock` at each cue; `-` for a bus that there isn't
//!     desktop ask SESSION SECONDS TITLE TEXT    prints `yes`, `no` or `cannot-ask`
//!
//! At `sleep` it waits for a line on standard input, as if forgetting the keys took that long, and then prints `done`.

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vmfa::agent::desktop::{Answer, Cue, Question, ask, watch};
use vmfa::desktop::Buses;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["watch", system, session, uid] => match uid.parse() {
            Ok(uid) => listen(system, session, uid),
            Err(_) => ExitCode::from(2),
        },
        ["ask", session, seconds, title, text] => match seconds.parse() {
            Ok(seconds) => {
                let question = Question {
                    title: (*title).into(),
                    text: (*text).into(),
                };
                say(
                    match ask(
                        session,
                        &question,
                        Duration::from_secs_f64(seconds),
                        &|| true,
                    ) {
                        Answer::Yes => "yes",
                        Answer::No => "no",
                        Answer::CannotAsk => "cannot-ask",
                    },
                );
                ExitCode::SUCCESS
            }
            Err(_) => ExitCode::from(2),
        },
        _ => ExitCode::from(2),
    }
}

fn listen(system: &str, session: &str, uid: u32) -> ExitCode {
    let address = |given: &str| (given != "-").then(|| given.to_owned());
    let buses = Buses {
        system: address(system),
        session: address(session),
    };
    let begun = Arc::new(Mutex::new(()));
    // The first cue may come before `watch` has returned: it is told after.
    let beginning = begun.lock();
    let told = Arc::clone(&begun);
    watch(&buses, uid, move |cue| {
        drop(told.lock());
        match cue {
            Cue::ScreenLock => say("screen-lock"),
            Cue::Sleep => {
                say("sleep");
                let _ = stdin().lock().read_line(&mut String::new());
                say("done");
            }
        }
    });
    say("watching");
    drop(beginning);
    loop {
        std::thread::park();
    }
}

fn say(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}
