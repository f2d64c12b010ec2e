//! Waking at a moment of the clock.
//!
//! A wait for a span doesn't count the time that the machine sleeps: after it, an old code would stand there for as long as
//! was left. On Linux a timer on the clock itself wakes at its moment, and at once when that is past or the clock is set.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use vmfa::clock::UnixTime;

/// Where there is no such timer, the clock is looked at so often.
const LOOK: Duration = Duration::from_secs(2);

pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<std::os::fd::OwnedFd>,
}

impl Alarm {
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> Self {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Self {
            timer: timerfd_create(TimerfdClockId::Realtime, flags).ok(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Sets it for a moment; gives how long one has to wait besides, if the alarm alone isn't enough.
    pub(super) fn set(&self, now: UnixTime, moment: UnixTime) -> Option<Duration> {
        let left = now.until(moment);
        if self.set_timer(moment) {
            return None;
        }
        // A little late rather than a little early: a wait may end within the millisecond.
        Some((left + Duration::from_millis(1)).min(LOOK))
    }

    #[cfg(target_os = "linux")]
    fn set_timer(&self, moment: UnixTime) -> bool {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let Some(timer) = &self.timer else {
            return false;
        };
        let at = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: moment.secs() as i64,
                tv_nsec: i64::from(moment.subsec_millis()) * 1_000_000,
            },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(timer, flags, &at).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn set_timer(&self, _moment: UnixTime) -> bool {
        false
    }

    /// Can be read from when the moment has come. Setting it anew makes it wait again.
    #[cfg(target_os = "linux")]
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        use std::os::fd::AsFd as _;
        self.timer.as_ref().map(|timer| timer.as_fd())
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// What ended a wait.
pub(super) enum Woken {
    Time,
    /// Nobody reads standard output any more.
    ReaderGone,
}

/// Waits, without a terminal: for so long, or until one of these can be read; the first one is standard output, which is
/// waited for to break.
pub(super) fn wait(span: Option<Duration>, fds: &[(BorrowedFd<'_>, PollFlags)]) -> Woken {
    let mut fds: Vec<_> = fds
        .iter()
        .map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
        .collect();
    let span = span.and_then(|span| Timespec::try_from(span).ok());
    let ended = poll(&mut fds, span.as_ref()).is_ok();
    let broken = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    if ended
        && fds
            .first()
            .is_some_and(|out| out.revents().intersects(broken))
    {
        return Woken::ReaderGone;
    }
    Woken::Time
}
