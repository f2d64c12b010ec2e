//! Who is connected. At most [`SEATS`] at a time, and whoever says nothing gives way.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Deadline, Stopwatch};

/// Connections at a time.
pub(super) const SEATS: usize = 16;

/// How long a connection may be silent before it has to give way: between connecting and asking, a client isn't slower.
const GRACE: Duration = Duration::from_millis(20);

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
    /// is always a seat for one who has something to ask: a hundred idle connections only turn each other out. Each is given
    /// [`GRACE`] to speak: this waits so long, and fewer seats being taken meanwhile is as well.
    pub(super) fn enter(self: &Arc<Self>, stream: UnixStream) -> Seat {
        let stream = Arc::new(stream);
        let seat = Seat {
            door: Arc::clone(self),
            stream: Arc::clone(&stream),
        };
        self.guests().push(Guest {
            stream,
            idle: Some(Stopwatch::start()),
        });
        loop {
            let young = {
                let mut guests = self.guests();
                if guests.len() < SEATS {
                    return seat;
                }
                let silent = guests.iter_mut().filter_map(|guest| {
                    let silent = guest.idle?.elapsed();
                    (!Arc::ptr_eq(&guest.stream, &seat.stream)).then_some((silent, guest))
                });
                match silent.max_by_key(|(silent, _)| *silent) {
                    None => return seat,
                    Some((silent, longest)) if silent >= GRACE => {
                        // Only for reading: a request that has just arrived is answered still.
                        let _ = longest.stream.shutdown(Shutdown::Read);
                        // On its way out: the next one shows out another.
                        longest.idle = None;
                        return seat;
                    }
                    Some((silent, _)) => GRACE - silent,
                }
            };
            std::thread::sleep(young);
        }
    }

    fn guests(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are there.
    pub(super) fn taken(&self) -> usize {
        self.guests().len()
    }
}

impl Door {
    /// Whether there is a seat, or is one before so long: whoever was shown out takes a moment to go.
    pub(super) fn has_room(&self, patience: Duration) -> bool {
        let until = Deadline::after(patience);
        while self.taken() >= SEATS {
            if until.has_passed() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
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
        let mut guests = self.door.guests();
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
        let mut guests = self.door.guests();
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
        let mut outside = Vec::new();
        let mut seats = Vec::new();
        for _ in 0..SEATS {
            let (inside, other) = UnixStream::pair().unwrap();
            outside.push(other);
            seats.push(door.enter(inside));
            if seats.len() == 1 {
                seats[0].is_answered();
            }
        }
        assert_eq!(door.taken(), SEATS);
        let reads_end = |seat: &Seat| {
            seat.stream().set_nonblocking(true).unwrap();
            matches!((&*seat.stream).read(&mut [0]), Ok(0))
        };
        assert!(!reads_end(&seats[0]), "it is being answered");
        assert!(reads_end(&seats[1]), "the longest silent");
        assert!(!reads_end(&seats[2]));
        drop(seats.pop());
        assert_eq!(door.taken(), SEATS - 1);
    }
}
