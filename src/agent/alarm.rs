//! Waiting for a lifetime's end on a clock that goes on while the machine sleeps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Rings once when a span has passed, sleep included.
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: std::os::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    left: Duration,
}

/// Where a timer can't count sleep, the caller looks at the clock so often.
#[cfg(not(target_os = "linux"))]
const TICK: Duration = Duration::from_secs(5);

impl Alarm {
    /// # Errors
    /// The system has no timer left.
    pub(super) fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
            let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
            Ok(Self { timer })
        }
        #[cfg(not(target_os = "linux"))]
        Ok(Self { left: TICK })
    }

    /// Sets it to ring so much from now; a span of zero is a nanosecond.
    #[cfg(target_os = "linux")]
    pub(super) fn set(&mut self, span: Duration) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, timerfd_settime};
        let span = span.max(Duration::from_nanos(1));
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = Timespec::try_from(span).unwrap_or(Timespec {
            tv_sec: i64::MAX,
            tv_nsec: 0,
        });
        let timer = Itimerspec {
            it_interval: zero,
            it_value: value,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &timer)?;
        Ok(())
    }

    /// Sets it to ring so much from now.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn set(&mut self, span: Duration) -> io::Result<()> {
        self.left = span.min(TICK);
        Ok(())
    }

    /// Waits until it rings or one of the descriptors can be read (or has ended); which of these, in order.
    ///
    /// # Errors
    /// The system can't wait.
    pub(super) fn wait<const N: usize>(&self, on: [BorrowedFd<'_>; N]) -> io::Result<[bool; N]> {
        let mut fds: Vec<PollFd<'_>> = on
            .into_iter()
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        #[cfg(target_os = "linux")]
        {
            fds.push(PollFd::from_borrowed_fd(self.timer.as_fd(), PollFlags::IN));
            wait_for(&mut fds, None)?;
        }
        #[cfg(not(target_os = "linux"))]
        wait_for(&mut fds, Timespec::try_from(self.left).ok().as_ref())?;
        let mut ready = [false; N];
        for (ready, fd) in ready.iter_mut().zip(&fds) {
            *ready = !fd.revents().is_empty();
        }
        Ok(ready)
    }
}

/// Waits until a descriptor can be read or the time is over; a signal in between is no reason to stop.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> io::Result<()> {
    loop {
        match poll(fds, timeout) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn it_rings_and_tells_who_is_ready() {
        let mut alarm = Alarm::new().unwrap();
        let (mut one, other) = UnixStream::pair().unwrap();
        let (quiet, _kept) = UnixStream::pair().unwrap();
        alarm.set(Duration::from_millis(5)).unwrap();
        let ready = alarm.wait([other.as_fd(), quiet.as_fd()]).unwrap();
        assert_eq!(ready, [false, false], "it rang");
        alarm.set(Duration::from_secs(3600)).unwrap();
        one.write_all(b"x").unwrap();
        let ready = alarm.wait([other.as_fd(), quiet.as_fd()]).unwrap();
        assert_eq!(ready, [true, false]);
    }
}
