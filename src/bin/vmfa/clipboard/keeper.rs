//! The process that holds the clipboard for a code's time, and how it is started.
//!
//! It is this program once more, away from the terminal, with an environment of what its way needs. The code comes through a pipe
//! on standard input, never as an argument; it says one line, and lives no longer than the code may stay.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use vmfa::clock::Deadline;
use vmfa::secret::SecretText;

#[cfg(feature = "clipboard")]
use super::display;
use super::way::Way;
use super::{LONGEST, MAX_CODE, program};
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::place::Place;

/// The word that makes this program a keeper.
const COMMAND: &str = "clipboard-keeper";
/// How long a keeper may take until it holds the clipboard.
const START: Duration = Duration::from_secs(12);
/// What it says when it does.
const HOLDS: &str = "holds";
/// The most that it may say.
const MAX_LINE: u64 = 1024;

/// Starts a keeper, and waits until it holds the clipboard.
///
/// # Errors
/// It can't be started, its way leads nowhere, or it takes too long.
pub(crate) fn start(place: &Place, way: Way, code: &SecretText, span: Duration) -> Outcome {
    let mut command = own_command(place, way)?;
    command.arg(span.as_millis().to_string());
    told_by(command, code.expose().as_bytes())
}

/// Starts a keeper that only looks whether its way leads somewhere.
///
/// # Errors
/// As for [`start`].
pub(crate) fn probe(place: &Place, way: Way) -> Outcome {
    told_by(own_command(place, way)?, b"")
}

fn told_by(mut command: Command, input: &[u8]) -> Outcome {
    // It outlives us: what a script has open isn't kept open by it.
    #[cfg(unix)]
    vmfa::secret::page::descriptors::keep_from_children();
    let mut child = command.spawn().map_err(cant_start)?;
    let told = child
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(input))
        .map(|_| first_line(&mut child));
    match told.flatten().as_deref().map(str::trim_end) {
        Some(HOLDS) => {
            // In a program that stays, somebody must take note of its end.
            let _ = std::thread::Builder::new().spawn(move || child.wait());
            Ok(())
        }
        said => {
            let _ = child.kill();
            let _ = child.wait();
            let why = said.filter(|said| !said.is_empty());
            Err(Fault::new(
                Exit::NotFound,
                why.unwrap_or("the clipboard isn't given to us"),
            ))
        }
    }
}

/// What a keeper says first; none when it says nothing for too long.
fn first_line(child: &mut Child) -> Option<String> {
    let out = child.stdout.take()?;
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(out.take(MAX_LINE)).read_line(&mut line);
        let _ = tell.send(read.map(|_| line));
    });
    told.recv_timeout(START).ok()?.ok()
}

/// This very program as a keeper.
fn own_command(place: &Place, way: Way) -> Outcome<Command> {
    let mut command = Command::new(own_program().map_err(cant_start)?);
    let mut environment = place.given(way.needs());
    if way == Way::WlCopy {
        // Where it writes what it is told into a file, it should be one that is never on a disk.
        let runtime = environment
            .iter()
            .find(|(name, _)| *name == "XDG_RUNTIME_DIR");
        environment.extend(runtime.map(|(_, path)| ("TMPDIR", path.clone())));
    }
    command
        .env_clear()
        .envs(environment)
        .args([COMMAND, way.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.arg0("vmfa").current_dir("/");
    }
    Ok(command)
}

/// The program that runs, also when its file was replaced meanwhile.
fn own_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    }
}

fn cant_start(error: std::io::Error) -> Fault {
    Fault::new(
        Exit::Internal,
        format!("the clipboard's keeper can't be started: {error}"),
    )
}

/// What a keeper is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    way: Way,
    /// How long the code on standard input is to be held; none to look only whether the way leads somewhere.
    span: Option<Duration>,
}

/// What is asked of a keeper, where these are its arguments: `vmfa clipboard-keeper WAY [MILLISECONDS]`. It is no command that a
/// person gives, so it stands in no help, no manual and no completion.
pub(crate) fn asked(arguments: &[OsString]) -> Option<Asked> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str());
    if words.next()?? != COMMAND {
        return None;
    }
    let way = Way::named(words.next()??)?;
    let span = match words.next() {
        Some(millis) => Some(Duration::from_millis(millis?.parse().ok()?).min(LONGEST)),
        None => None,
    };
    words.next().is_none().then_some(Asked { way, span })
}

impl Asked {
    /// Be the keeper. Whoever started it reads its one line; the exit code is for nobody.
    pub(crate) fn keep(&self) -> Exit {
        #[cfg(unix)]
        {
            crate::fault::silent_panics();
            vmfa::secret::process::keep_out();
            // Away from the terminal: its end isn't ours.
            let _ = rustix::process::setsid();
        }
        let ready = || {
            let _ = writeln!(std::io::stdout(), "{HOLDS}");
        };
        let held = match self.span {
            Some(span) => {
                told_code().and_then(|code| hold(self.way, &code, Deadline::after(span), &ready))
            }
            None => look(self.way).map(|()| ready()),
        };
        match held {
            Ok(()) => Exit::Done,
            Err(fault) => {
                let _ = writeln!(std::io::stdout(), "{}", fault.message());
                fault.exit()
            }
        }
    }
}

/// The code, from standard input.
fn told_code() -> Outcome<SecretText> {
    let mut bytes = files::read_stdin(MAX_CODE as u64)?;
    let code = SecretText::from_utf8(std::mem::take(&mut *bytes));
    code.filter(|code| !code.is_empty())
        .ok_or_else(|| Fault::usage("no code to hold"))
}

fn look(way: Way) -> Outcome {
    match way {
        #[cfg(feature = "clipboard")]
        Way::Wayland | Way::X11 | Way::System => display::is_there(),
        #[cfg(not(feature = "clipboard"))]
        Way::Wayland | Way::X11 | Way::System => Err(no_way(way)),
        Way::WlCopy | Way::Xclip | Way::Xsel | Way::Tmux => program::is_there(way),
        Way::Terminal => Err(no_way(way)),
    }
}

fn hold(way: Way, code: &SecretText, until: Deadline, ready: &dyn Fn()) -> Outcome {
    match way {
        #[cfg(feature = "clipboard")]
        Way::Wayland | Way::X11 | Way::System => display::hold(way, code, until, ready),
        #[cfg(not(feature = "clipboard"))]
        Way::Wayland | Way::X11 | Way::System => Err(no_way(way)),
        Way::WlCopy | Way::Xclip | Way::Xsel | Way::Tmux => program::hold(way, code, until, ready),
        Way::Terminal => Err(no_way(way)),
    }
}

/// Nobody keeps that one.
fn no_way(way: Way) -> Fault {
    Fault::new(
        Exit::NotFound,
        format!("{}: not in this program", way.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(words: &[&str]) -> Option<Asked> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        asked(&words)
    }

    #[test]
    fn a_keeper_knows_what_it_is_asked() {
        let way = Way::X11;
        let span = |millis| Some(Duration::from_millis(millis));
        assert_eq!(
            asked_by(&["vmfa", COMMAND, "x11", "1500"]),
            Some(Asked {
                way,
                span: span(1500)
            })
        );
        assert_eq!(
            asked_by(&["vmfa", COMMAND, "x11"]),
            Some(Asked { way, span: None })
        );
        assert_eq!(
            asked_by(&["vmfa", COMMAND, "x11", "99999999999"]),
            Some(Asked {
                way,
                span: Some(LONGEST)
            })
        );
        for other in [
            &["vmfa"][..],
            &["vmfa", COMMAND],
            &["vmfa", COMMAND, "x12"],
            &["vmfa", COMMAND, "x11", "-1"],
            &["vmfa", COMMAND, "x11", "1", "2"],
            &["vmfa", "code", "x11"],
            &["clipboard-keeper", "x11", "1"],
        ] {
            assert_eq!(asked_by(other), None, "{other:?}");
        }
    }
}
