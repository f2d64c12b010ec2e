//! Keeping connections to the buses, for as long as the process lives.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Cue, logind, screen_saver};
use crate::clock::{Deadline, Stopwatch};
use crate::desktop::Buses;
use crate::desktop::address::sockets;
use crate::desktop::bus::{Bus, DRIVER, Descriptors, Lost};
use crate::desktop::wire::Message;

/// How long a bus may take for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);
/// The first pause before a bus is tried again; each one is twice the one before.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A connection that lasted so long was a good one: the next is tried for without delay.
const STEADY: Duration = Duration::from_secs(10);

/// What is called at a cue.
pub(super) type OnCue = dyn Fn(Cue) + Send + Sync;

/// See [`super::watch`].
pub(super) fn watch(buses: &Buses, uid: u32, on_cue: impl Fn(Cue) + Send + Sync + 'static) {
    let on_cue: Arc<OnCue> = Arc::new(on_cue);
    if let Some(system) = &buses.system {
        let on_cue = Arc::clone(&on_cue);
        keep_up("system bus", system, Descriptors::Taken, move |bus| {
            logind::listen(bus, uid, &*on_cue)
        });
    }
    if let Some(session) = &buses.session {
        keep_up("session bus", session, Descriptors::Refused, move |bus| {
            screen_saver::listen(bus, &*on_cue)
        });
    }
}

/// Has a thread of its own listen on a bus, whenever it is there.
fn keep_up(
    name: &str,
    address: &str,
    descriptors: Descriptors,
    listen: impl Fn(Bus) -> Result<Infallible, Lost> + Send + 'static,
) {
    if sockets(address).is_empty() {
        return; // No pause makes a unix socket of another transport.
    }
    let address = address.to_owned();
    let listening = move || {
        let mut pause = SHORTEST_PAUSE;
        loop {
            if let Ok(bus) = Bus::connect(&address, descriptors, Deadline::after(PATIENCE)) {
                let connected = Stopwatch::start();
                let Err(Lost) = listen(bus);
                if connected.elapsed() >= STEADY {
                    pause = SHORTEST_PAUSE;
                }
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    // Where no thread can be had nothing is heard: the lifetimes lock the agent all the same.
    let _ = thread::Builder::new().name(name.into()).spawn(listening);
}

/// Who has certain names, kept up to date by what the bus says.
pub(super) struct Owners(Vec<(&'static str, Option<String>)>);

impl Owners {
    /// Asks who has these names, and to be told of every change.
    pub(super) fn follow(bus: &mut Bus, names: &[&'static str]) -> Result<Self, Lost> {
        let mut owners = Vec::new();
        for name in names {
            let rule = format!(
                "type='signal',sender='{DRIVER}',interface='{DRIVER}',member='NameOwnerChanged',arg0='{name}'"
            );
            bus.add_match(&rule, Deadline::after(PATIENCE))?;
            owners.push((*name, bus.owner(name, Deadline::after(PATIENCE))?));
        }
        Ok(Self(owners))
    }

    /// Whether it is one of them who sent this.
    pub(super) fn sent(&self, message: &Message) -> bool {
        self.0
            .iter()
            .any(|(_, owner)| owner.as_deref() == Some(message.sender.as_str()))
    }

    /// The first one's present owner.
    pub(super) fn first(&self) -> Option<&str> {
        self.0.first().and_then(|(_, owner)| owner.as_deref())
    }

    /// Takes a change in; true if the message told one.
    pub(super) fn changed(&mut self, message: &Message) -> bool {
        let values = || {
            let mut values = message.values("sss")?;
            let (name, _old) = (values.string()?, values.string()?);
            Some((name, values.string()?))
        };
        if message.sender != DRIVER || !message.is_signal(DRIVER, "NameOwnerChanged") {
            return false;
        }
        let Some((name, new)) = values() else {
            return false;
        };
        for (_, owner) in self.0.iter_mut().filter(|(known, _)| *known == name) {
            *owner = (!new.is_empty()).then(|| new.to_owned());
        }
        true
    }
}
