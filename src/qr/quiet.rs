//! A fence around other people's code: a panic inside becomes `None`, and nothing is printed.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// How many fences this thread is inside of.
    static FENCES: Cell<u32> = const { Cell::new(0) };
}

static HOOK: Once = Once::new();

/// Runs it; a panic inside is caught and gives `None`.
///
/// The message of a panic is printed by the process-wide hook before the unwinding that we catch. So a hook is put before the
/// one that was there, once: it is silent on a thread that is inside a fence, and passes on all others.
pub(super) fn fenced<T>(run: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if FENCES.with(Cell::get) == 0 {
                before(panic);
            }
        }));
    });
    FENCES.with(|fences| fences.set(fences.get() + 1));
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    FENCES.with(|fences| fences.set(fences.get() - 1));
    outcome.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none_and_the_fence_can_be_nested() {
        assert_eq!(fenced(|| 7), Some(7));
        let inner = fenced(|| {
            assert_eq!(fenced(|| panic!("must not be printed")), None::<()>);
            FENCES.with(Cell::get)
        });
        assert_eq!(inner, Some(1));
        assert_eq!(FENCES.with(Cell::get), 0);
    }
}
