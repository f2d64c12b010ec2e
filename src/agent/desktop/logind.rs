//! What logind says: the machine is about to sleep, a session is to be locked.
//!
//! Source: the manual page org.freedesktop.login1(5), and systemd's page on inhibitor locks.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::Cue;
use super::watching::{OnCue, Owners, PATIENCE};
use crate::clock::Deadline;
use crate::desktop::bus::{Bus, Lost, Unanswered};
use crate::desktop::wire::{Message, Method, Reader, Values};

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// How long an answer is waited for: meanwhile nothing else is heard, and what was asked is on the way to a lock.
const ANSWER: Duration = Duration::from_secs(5);

/// Hears logind until the connection is lost.
pub(super) fn listen(mut bus: Bus, uid: u32, on_cue: &OnCue) -> Result<Infallible, Lost> {
    let rules = [
        format!("interface='{MANAGER}',member='PrepareForSleep'"),
        format!("interface='{SESSION}',member='Lock'"),
        format!("interface='{PROPERTIES}',member='PropertiesChanged',arg0='{SESSION}'"),
    ];
    for rule in rules {
        let rule = format!("type='signal',sender='{NAME}',{rule}");
        bus.add_match(&rule, Deadline::after(PATIENCE))?;
    }
    let owners = Owners::follow(&mut bus, &[NAME])?;
    let mut logind = Logind {
        bus,
        uid,
        owners,
        delay: None,
    };
    logind.begin(on_cue)?;
    loop {
        let Some(signal) = logind.bus.next(None)? else {
            continue;
        };
        if logind.owners.changed(&signal) {
            // Whoever comes next knows nothing of the lock that the one before gave.
            logind.delay = None;
            logind.begin(on_cue)?;
        } else if logind.owners.sent(&signal) {
            logind.hear(&signal, on_cue)?;
        }
    }
}

struct Logind {
    bus: Bus,
    uid: u32,
    owners: Owners,
    /// As long as this is open, logind holds the machine's sleep up, though not for longer than `InhibitDelayMaxSec`.
    delay: Option<OwnedFd>,
}

impl Logind {
    /// With a logind just found: takes the delay lock, and doesn't miss a sleep that is already being prepared.
    fn begin(&mut self, on_cue: &OnCue) -> Result<(), Lost> {
        self.take_delay()?;
        let preparing = self.property(PATH, MANAGER, "PreparingForSleep")?;
        if preparing.as_ref().and_then(boolean) == Some(true) {
            on_cue(Cue::Sleep);
            self.delay = None;
        }
        Ok(())
    }

    /// Without a lock, if logind won't give one: the cue is heard all the same, and perhaps dealt with only after waking up.
    fn take_delay(&mut self) -> Result<(), Lost> {
        let values = Values::default()
            .string("sleep")
            .string("vmfa")
            .string("Locks the keys first")
            .string("delay");
        if let Some(mut answer) = self.call(PATH, MANAGER, "Inhibit", &values)?
            && answer.signature == "h"
        {
            self.delay = answer.fds.pop();
        }
        Ok(())
    }

    fn hear(&mut self, signal: &Message, on_cue: &OnCue) -> Result<(), Lost> {
        if signal.is_signal(MANAGER, "PrepareForSleep") {
            match signal.values("b").and_then(|mut values| values.bool()) {
                Some(true) => {
                    on_cue(Cue::Sleep);
                    // Only now: closing it is what lets the machine sleep.
                    self.delay = None;
                }
                Some(false) if self.delay.is_none() => self.take_delay()?,
                Some(false) | None => {}
            }
            return Ok(());
        }
        let is_lock = signal.is_signal(SESSION, "Lock")
            || signal.is_signal(PROPERTIES, "PropertiesChanged")
                && match locked_hint(signal) {
                    Hint::Is(locked) => locked,
                    Hint::Unsaid => false,
                    Hint::Changed => {
                        let hint = self.property(&signal.path, SESSION, "LockedHint")?;
                        hint.as_ref().and_then(boolean) != Some(false)
                    }
                };
        if is_lock && self.is_ours(&signal.path)? {
            on_cue(Cue::ScreenLock);
        }
        Ok(())
    }

    /// Whether a session is our user's, or nobody can say whose it is.
    fn is_ours(&mut self, session: &str) -> Result<bool, Lost> {
        let answer = self.property(session, SESSION, "User")?;
        let user = answer.as_ref().and_then(|answer| {
            let mut values = variant(answer, "(uo)")?;
            values.align(8)?;
            values.u32()
        });
        Ok(user.is_none_or(|user| user == self.uid))
    }

    fn property(
        &mut self,
        path: &str,
        interface: &str,
        name: &str,
    ) -> Result<Option<Message>, Lost> {
        let values = Values::default().string(interface).string(name);
        self.call(path, PROPERTIES, "Get", &values)
    }

    /// Calls logind, if it is there and answers.
    fn call(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        values: &Values,
    ) -> Result<Option<Message>, Lost> {
        let Some(destination) = self.owners.first() else {
            return Ok(None);
        };
        let method = Method {
            destination,
            path,
            interface,
            member,
        };
        match self.bus.call(&method, values, Deadline::after(ANSWER)) {
            Ok(answer) => Ok(Some(answer)),
            Err(Unanswered::Refused) => Ok(None),
            Err(Unanswered::Lost) => Err(Lost),
        }
    }
}

/// The value of a property, if it is of this type.
fn variant<'a>(answer: &'a Message, of: &str) -> Option<Reader<'a>> {
    let mut values = answer.values("v")?;
    (values.signature()? == of).then_some(values)
}

fn boolean(answer: &Message) -> Option<bool> {
    variant(answer, "b")?.bool()
}

/// What a change of a session's properties says of its `LockedHint`.
#[derive(Debug, PartialEq, Eq)]
enum Hint {
    Is(bool),
    /// It changed, and isn't told.
    Changed,
    Unsaid,
}

fn locked_hint(signal: &Message) -> Hint {
    let read = || {
        let mut values = signal.values("sa{sv}as")?;
        if values.string()? != SESSION {
            return None;
        }
        let end = values.array(8)?;
        while values.at() < end {
            values.align(8)?;
            if values.string()? != "LockedHint" {
                values.skip("v")?;
            } else if values.signature()? == "b" {
                return values.bool().map(Hint::Is);
            } else {
                return None;
            }
        }
        let without_value = values.strings()?.contains(&"LockedHint");
        without_value.then_some(Hint::Changed)
    };
    read().unwrap_or(Hint::Unsaid)
}
