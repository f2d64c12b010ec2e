//! What the desktop has to say: that now is the time to lock, and a person's yes or no.
//!
//! Both come over D-Bus, whose client is in the room [`crate::desktop`].
//!
//! Without the feature `desktop`, or where there is no Linux desktop, [`watch`] hears nothing and [`ask`] can't ask.

#[cfg(all(feature = "desktop", target_os = "linux"))]
mod logind;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod notification;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod screen_saver;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod watching;

use std::time::Duration;

use crate::desktop::Buses;

/// A moment at which to lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// The machine is about to sleep. It waits, as long as logind lets it, until the cue has been dealt with.
    Sleep,
    /// The screen was locked, or is about to be.
    ScreenLock,
}

/// Calls `on_cue` at every cue, from threads of its own, for as long as the process lives; returns at once.
///
/// - logind's `PrepareForSleep`, under a delay lock: the machine sleeps once `on_cue` has returned. The keys must be gone by
///   then; logind waits 5 s as it is usually set up.
/// - logind's `Lock` and `LockedHint` for a session of the user `uid`. Where it can't be found out whose session it is, it is
///   taken for ours.
/// - `ActiveChanged` of the desktop's screen saver.
///
/// A bus that isn't there is no error: it is tried again, after longer and longer pauses, up to a minute. So is one that goes
/// away. What is said while it is away isn't heard, but for a sleep that is still being prepared.
///
/// Only what the owner of the bus name says counts. On the system's bus nobody else may say it. On the session's bus a program
/// of the same user could take the name and say it; it could lock the keys, which harms nobody, and unlock nothing.
pub fn watch(buses: &Buses, uid: u32, on_cue: impl Fn(Cue) + Send + Sync + 'static) {
    #[cfg(all(feature = "desktop", target_os = "linux"))]
    watching::watch(buses, uid, on_cue);
    #[cfg(not(all(feature = "desktop", target_os = "linux")))]
    let _ = (buses, uid, on_cue);
}

/// Something to be answered by yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question itself, which stands in the first line: it is cleaned, and cut where it is very long.
    pub title: String,
    /// More about it, such as who asks; may be empty. Cleaned and cut likewise; not every desktop shows it.
    pub text: String,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Somebody chose "Allow".
    Yes,
    /// Somebody chose "Deny" or closed the question, or nobody answered in time.
    No,
    /// There is no desktop to ask on, or none that can show a choice, or it went away meanwhile. It isn't a yes.
    CannotAsk,
}

/// Asks by a notification on the desktop whose bus has this address, and waits for the answer for at most `within`, and about
/// a second to take the notification away. Once `is_wanted`, which is called again and
/// again, says no, the question is taken away at once: the answer is no then.
///
/// A click on the notification itself isn't a yes: only its button is. The answer is as trustworthy as the session's bus: a
/// program of the same user that put itself in the notification server's place could give it.
pub fn ask(
    session_address: &str,
    question: &Question,
    within: Duration,
    is_wanted: &dyn Fn() -> bool,
) -> Answer {
    #[cfg(all(feature = "desktop", target_os = "linux"))]
    let answer = notification::ask(session_address, question, within, is_wanted);
    #[cfg(not(all(feature = "desktop", target_os = "linux")))]
    let answer = {
        let _ = (session_address, question, within, is_wanted);
        Answer::CannotAsk
    };
    answer
}

#[cfg(test)]
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod tests;
