//! The interface in the terminal: what `vmfa` alone opens.
//!
//! State, message, pure update, pure view. Messages come from the keyboard, from the clock and from a worker; a message
//! changes the state and asks for effects; what touches the vault, the agent, the clipboard or a file is done by the worker
//! beside the screen.

pub(crate) mod action;
pub(crate) mod big;
mod board;
pub(crate) mod config;
mod guard;
mod help;
mod input;
pub(crate) mod keys;
mod layout;
mod line;
pub(crate) mod message;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod theme;
mod update;
pub(crate) mod uses;
mod view;

use std::collections::VecDeque;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
#[cfg(unix)]
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use vmfa::clock::{Clock as _, System, UnixTime, Uptime};

use crate::command::add;
use crate::fault::{self, Exit, Fault, Outcome};
use crate::place::{Place, Source};
use crate::plain;
use crate::prompt::Terminal;
use crate::tui::config::Config;
use crate::tui::guard::Guard;
use crate::tui::input::Input;
use crate::tui::message::{Effect, Job, Message};
use crate::tui::state::State;
use crate::tui::update::update;
use crate::unlock::{Asking, Context};
use crate::worker::Worker;

/// How long the end may wait for the worker to wipe its keys.
const ENDING: Duration = Duration::from_secs(2);
/// How long a machine that is about to sleep waits for the key to be gone.
#[cfg(unix)]
const LOCKING: Duration = Duration::from_secs(4);
/// Nothing waits for longer than this: a clock that is set, or a machine that slept, is noticed then.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Without a countdown and without a limit there is nothing to wake for.
const NO_REST: Duration = Duration::from_secs(24 * 3600);

/// Opens the interface, until the person leaves it.
///
/// # Errors
/// The terminal can't be used, the configuration is wrong, or the vault can't be made.
pub(crate) fn run(context: &Context) -> Outcome<Exit> {
    // Codes are held here whoever gives them, and passphrases and secrets are typed here.
    #[cfg(unix)]
    vmfa::secret::process::keep_out();
    let config = Config::load(&context.place)?;
    // A terminal that can't move its cursor can't show the interface.
    if config.plain || context.place.is_dumb {
        return plain::run(context);
    }
    // A vault that isn't there is made before, by questions on the terminal as it is: its recovery code is to stay there.
    let made = match std::fs::symlink_metadata(&context.files.vault) {
        // What a passphrase command has to say or to ask needs the terminal as it is.
        Ok(_) if matches!(context.source(Asking::Usual)?, Some(Source::Command(_))) => {
            Some(context.open()?)
        }
        Ok(_) => None,
        Err(_) => {
            let made = add::open_or_make(context)?;
            // The interface would cover the recovery code, which is shown only now.
            if let Some(terminal) = Terminal::open() {
                terminal.line(
                    "\nWhen the recovery code is written down, Enter opens the interface: ",
                )?;
            }
            Some(made)
        }
    };
    let theme = config.theme(&context.place);
    let (inputs, received) = mpsc::channel();
    let (jobs, to_do) = mpsc::channel();
    let (ending, ended) = mpsc::channel::<()>();
    let last = Last(inputs.clone());
    let worker = {
        let inputs = inputs.clone();
        let quiet = context.held_back(Place::read());
        Worker::new(quiet, config.clear_clipboard_after, made, move |report| {
            let _ = inputs.send(Input::Message(Message::Report(report)));
        })
    };
    fault::before_a_panic_is_told(guard::give_back);
    let mut guard = Guard::take(config.mouse).map_err(no_terminal)?;
    #[cfg(unix)]
    lock_with_the_desktop(&context.place, inputs.clone(), worker.holds());
    spawn("worker", move || {
        let _last = last;
        worker.run(&to_do);
        drop(ending);
    })?;
    #[cfg(unix)]
    {
        crate::prompt::signals_are_taken();
        input::take_signals(inputs.clone()).map_err(no_terminal)?;
        let inputs = inputs.clone();
        spawn("hang-up", move || input::wait_for_hang_up(&inputs))?;
    }
    spawn("terminal", move || input::read_terminal(&inputs))?;

    let size = guard.terminal.size().map_err(no_terminal)?;
    let state = State::new(
        config,
        theme,
        context.vault_name(),
        (size.width, size.height),
        now(),
        Uptime::now(),
    );
    let end = live(state, &mut guard, &received, &jobs);
    drop(guard);
    // The keys are wiped before the process ends, unless the worker hangs.
    drop(jobs);
    let _ = ended.recv_timeout(ENDING);
    match end? {
        End::Left => Ok(Exit::Done),
        #[cfg(unix)]
        End::Signal(signal) => {
            // As if it had never been taken: whoever waits for us is told by what we ended.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            Ok(Exit::Interrupted)
        }
        End::Gone => Ok(Exit::Internal),
    }
}

/// Locks when the machine sleeps and when the screen is locked, as the agent does. A sleep waits until the key is gone.
#[cfg(unix)]
fn lock_with_the_desktop(place: &Place, inputs: Sender<Input>, holds: Arc<AtomicBool>) {
    use vmfa::clock::Deadline;
    // A sender is for one thread at a time, and cues come from several.
    let inputs = Mutex::new(inputs);
    let uid = rustix::process::geteuid().as_raw();
    vmfa::agent::desktop::watch(&place.buses(), uid, move |_cue| {
        let sender = inputs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if sender.send(Input::Message(Message::MustLock)).is_err() {
            return;
        }
        let patience = Deadline::after(LOCKING);
        while holds.load(Ordering::SeqCst) && !patience.has_passed() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

/// Why it ended.
enum End {
    Left,
    #[cfg(unix)]
    Signal(i32),
    /// The terminal has gone.
    Gone,
}

/// Waits, changes, draws; until the end.
fn live(
    mut state: State,
    guard: &mut Guard,
    inputs: &Receiver<Input>,
    jobs: &Sender<Job>,
) -> Outcome<End> {
    send(jobs, Job::Open(None))?;
    draw(&state, guard)?;
    loop {
        let rest = state.rest().map_or(NO_REST, |rest| rest.min(LONGEST_REST));
        let first = match inputs.recv_timeout(rest) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Gone),
        };
        let mut effects = update(&mut state, Message::Tick(now(), Uptime::now()));
        // What came at once is drawn at once: a paste without brackets, a key that is held down.
        let mut next = first;
        while let Some(input) = next {
            match input {
                Input::Message(message) => effects.extend(update(&mut state, message)),
                #[cfg(unix)]
                Input::Signal(signal) => match on_signal(signal) {
                    Some(Effect::Quit) => return Ok(End::Signal(signal)),
                    effect => effects.extend(effect),
                },
                Input::Gone => return Ok(End::Gone),
            }
            next = inputs.try_recv().ok();
        }
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Do(job) => send(jobs, job)?,
                Effect::Redraw => guard.redraw().map_err(no_terminal)?,
                Effect::Retake => {
                    guard::give_back();
                    guard.enter().map_err(no_terminal)?;
                }
                Effect::Suspend => {
                    suspend(guard)?;
                    let size = guard.terminal.size().map_err(no_terminal)?;
                    // The time first: what was open for too long is locked before anything else is asked for.
                    effects.extend(update(&mut state, Message::Tick(now(), Uptime::now())));
                    effects.extend(update(&mut state, Message::Resize(size.width, size.height)));
                }
                Effect::Quit => return Ok(End::Left),
            }
        }
        draw(&state, guard)?;
    }
}

/// What a signal asks for; [`Effect::Quit`] for one that ends the process.
#[cfg(unix)]
fn on_signal(signal: i32) -> Option<Effect> {
    use signal_hook::consts::{SIGCONT, SIGTSTP};
    match signal {
        SIGTSTP => Some(Effect::Suspend),
        // Stopped by a signal that nobody can catch: the shell has used the terminal meanwhile, and set it as it likes.
        SIGCONT => Some(Effect::Retake),
        _ => Some(Effect::Quit),
    }
}

/// Gives the terminal to the shell until it says to go on.
#[cfg(unix)]
fn suspend(guard: &mut Guard) -> Outcome {
    guard::give_back();
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
        .map_err(no_terminal)?;
    guard.enter().map_err(no_terminal)
}

#[cfg(not(unix))]
fn suspend(guard: &mut Guard) -> Outcome {
    guard.redraw().map_err(no_terminal)
}

fn draw(state: &State, guard: &mut Guard) -> Outcome {
    if !guard.is_ours() {
        return Ok(());
    }
    // Nobody writes between the pieces of a frame.
    let _whole = std::io::stdout().lock();
    // A terminal that knows it shows the frame as a whole; another one ignores it.
    queue!(guard.terminal.backend_mut(), BeginSynchronizedUpdate).map_err(no_terminal)?;
    guard
        .terminal
        .draw(|frame| view::view(state, frame))
        .map_err(no_terminal)?;
    ratatui::crossterm::execute!(guard.terminal.backend_mut(), EndSynchronizedUpdate)
        .map_err(no_terminal)
}

fn send(jobs: &Sender<Job>, job: Job) -> Outcome {
    // It only ends before us by a panic, which has been told.
    jobs.send(job).map_err(|_| Fault::silent(Exit::Internal))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Outcome {
    let thread = std::thread::Builder::new().name(name.into()).spawn(work);
    thread.map(drop).map_err(no_terminal)
}

/// Tells when the worker has ended: by a panic, as long as somebody listens.
struct Last(Sender<Input>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(Input::Gone);
    }
}

/// A clock before 1970 has no codes; it has no other consequences.
fn now() -> UnixTime {
    System.now().unwrap_or(UnixTime::from_secs(0))
}

fn no_terminal(error: std::io::Error) -> Fault {
    Fault::new(
        Exit::Internal,
        format!("the terminal can't be used: {error}"),
    )
}
