//! The locks that the keyholder's threads share, and their pauses: std's own. In a test a scheduler decides whose turn it is,
//! so that orders are tried which a machine shows once in a year.

#[cfg(not(test))]
pub(super) use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
#[cfg(not(test))]
pub(super) use std::sync::{Mutex, RwLock};
use std::time::Duration;

#[cfg(test)]
pub(super) use scheduled::{AtomicUsize, Mutex, RwLock};

/// Waits so long, for want of somebody who would say when.
pub(super) fn pause(span: Duration) {
    #[cfg(test)]
    if scheduled::turn() {
        return;
    }
    std::thread::sleep(span);
}

/// Waits for a word, at most so long.
pub(super) fn receive<T>(from: &Receiver<T>, span: Duration) -> Result<T, RecvTimeoutError> {
    #[cfg(test)]
    if scheduled::turn() {
        use std::sync::mpsc::TryRecvError;
        return from.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        });
    }
    from.recv_timeout(span)
}

/// std's locks, before each use of which another thread may get its turn. The scheduler runs all of its threads on one of
/// the system's: so one that finds a lock taken gives its turn away until it isn't.
#[cfg(test)]
pub(super) mod scheduled {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;
    use std::sync::{
        LockResult, MutexGuard, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
    };

    thread_local! {
        static SCHEDULED: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs this many orders of what `model` does, under the scheduler.
    pub(in crate::agent) fn orders(count: usize, model: impl Fn() + Send + Sync + 'static) {
        struct Until;
        impl Drop for Until {
            fn drop(&mut self) {
                SCHEDULED.set(false);
            }
        }
        SCHEDULED.set(true);
        let _until = Until;
        let mut config = shuttle::Config::new();
        // A vault is opened and saved in there.
        config.stack_size = 1 << 20;
        let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(7, count);
        shuttle::Runner::new(scheduler, config).run(model);
    }

    /// Another one's turn; false where no scheduler is.
    pub(in crate::agent) fn turn() -> bool {
        let is_scheduled = SCHEDULED.get();
        if is_scheduled {
            shuttle::thread::yield_now();
        }
        is_scheduled
    }

    fn wait<G>(
        mut look: impl FnMut() -> TryLockResult<G>,
        wait: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        if !turn() {
            return wait();
        }
        loop {
            match look() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Err(poisoned),
                Err(TryLockError::WouldBlock) => drop(turn()),
            }
        }
    }

    #[derive(Default)]
    pub(in crate::agent) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in crate::agent) fn new(value: T) -> Self {
            Self(std::sync::Mutex::new(value))
        }

        pub(in crate::agent) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            wait(|| self.0.try_lock(), || self.0.lock())
        }

        pub(in crate::agent) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            turn();
            self.0.try_lock()
        }
    }

    pub(in crate::agent) struct RwLock<T>(std::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(in crate::agent) fn new(value: T) -> Self {
            Self(std::sync::RwLock::new(value))
        }

        pub(in crate::agent) fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
            wait(|| self.0.try_read(), || self.0.read())
        }

        pub(in crate::agent) fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
            wait(|| self.0.try_write(), || self.0.write())
        }

        pub(in crate::agent) fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
            turn();
            self.0.try_write()
        }
    }

    pub(in crate::agent) struct AtomicUsize(std::sync::atomic::AtomicUsize);

    impl AtomicUsize {
        pub(in crate::agent) fn new(value: usize) -> Self {
            Self(std::sync::atomic::AtomicUsize::new(value))
        }

        pub(in crate::agent) fn load(&self, order: Ordering) -> usize {
            turn();
            self.0.load(order)
        }

        pub(in crate::agent) fn fetch_add(&self, value: usize, order: Ordering) -> usize {
            turn();
            self.0.fetch_add(value, order)
        }

        pub(in crate::agent) fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
            // Also out of a `drop`, in which a scheduler's own end may unwind: no turn is given away there.
            self.0.fetch_sub(value, order)
        }
    }
}
