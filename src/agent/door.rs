//! Who is connected. At most [`SEATS`] at a time, and whoever says nothing gives way.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Connections at a time.
pub(super) const SEATS: usize = 16;

/// How long one may be silent before it gives way.
const MANNERS: Duration = Duration::from_millis(100);

/// The table of connections.
#[derive(Default)]
pub(super) struct Door {
    guests: Mutex<Vec<Guest>>,
}

struct Guest {
    stream: Arc<UnixStream>,
    /// Since when it has been expected to say something; none while it is being answered.
    idle: Option<Stopwatch>,
}

/// A connection's place in the table, given up when dropped.
pub(super) struct Seat {
    door: Arc<Door>,
    stream: Arc<UnixStream>,
}

impl Door {
    /// Takes a connection in. When it takes the last seat, whoever has been silent for longest is shown out, so that there
    /// is always a seat for one who has something to ask: a hundred idle connections only turn each other out. Whoever has
    /// just come is left alone: among many that come at once, each is about to ask.
    pub(super) fn enter(self: &Arc<Self>, stream: UnixStream) -> Seat {
        let stream = Arc::new(stream);
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        if guests.len() + 1 >= SEATS {
            let idle = guests.iter().filter_map(|guest| {
                let silent = guest.idle?.elapsed();
                (silent >= MANNERS).then_some((silent, &guest.stream))
            });
            if let Some((_, longest)) = idle.max_by_key(|(silent, _)| *silent) {
                // Only for reading: a request that has just arrived is answered still.
                let _ = longest.shutdown(Shutdown::Read);
            }
        }
        guests.push(Guest {
            stream: Arc::clone(&stream),
            idle: Some(Stopwatch::start()),
        });
        Seat {
            door: Arc::clone(self),
            stream,
        }
    }

    /// How many are there.
    pub(super) fn taken(&self) -> usize {
        self.guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl Seat {
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// It has asked and is being answered.
    pub(super) fn is_answered(&self) {
        self.set(None);
    }

    /// It has its answer.
    pub(super) fn is_idle(&self) {
        self.set(Some(Stopwatch::start()));
    }

    fn set(&self, idle: Option<Stopwatch>) {
        let mut guests = self
            .door
            .guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = guests
            .iter_mut()
            .find(|guest| Arc::ptr_eq(&guest.stream, &self.stream));
        if let Some(guest) = own {
            guest.idle = idle;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut guests = self
            .door
            .guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        guests.retain(|guest| !Arc::ptr_eq(&guest.stream, &self.stream));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_last_seat_turns_out_whoever_was_silent_for_longest() {
        let door = Arc::new(Door::default());
        let reads_end = |seat: &Seat| {
            seat.stream().set_nonblocking(true).unwrap();
            matches!((&*seat.stream).read(&mut [0]), Ok(0))
        };
        let mut outside = Vec::new();
        let mut seats = Vec::new();
        for n in 0..SEATS {
            if n + 1 == SEATS {
                assert!(
                    seats.iter().all(|seat| !reads_end(seat)),
                    "all have just come"
                );
                std::thread::sleep(2 * MANNERS);
            }
            let (inside, other) = UnixStream::pair().unwrap();
            outside.push(other);
            seats.push(door.enter(inside));
            if seats.len() == 1 {
                seats[0].is_answered();
            }
        }
        assert_eq!(door.taken(), SEATS);
        assert!(!reads_end(&seats[0]), "it is being answered");
        assert!(reads_end(&seats[1]), "the longest silent");
        assert!(!reads_end(&seats[2]));
        drop(seats.pop());
        assert_eq!(door.taken(), SEATS - 1);
    }
}
