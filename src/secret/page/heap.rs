//! An allocator that wipes what is given back to it.
//!
//! Our own secrets wipe themselves. What other people's code copied of them into memory that it has let go of (the blocks of a
//! decoder, of a cipher's state, of a growing buffer) would stay there until it is used again.

use std::alloc::{GlobalAlloc, Layout, System};

/// Larger pieces are mappings of their own on Linux (glibc's threshold never grows past it, musl's is far below): what is given
/// back is gone with its pages, and wiping it first would only cost time.
const OWN_MAPPING: usize = if cfg!(target_os = "linux") {
    32 << 20
} else {
    usize::MAX
};

/// The system's allocator, with every piece of memory wiped before it is given back. A program has it as its own with
/// `#[global_allocator]`.
pub struct Wiping;

// SAFETY: every call is the system allocator's own, with the layout that it was asked with; a piece is written to only within its
// layout, and only when its owner has given it up. `realloc` is the trait's own: a new piece, a copy, the old one given back.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if layout.size() <= OWN_MAPPING {
            // SAFETY: `layout.size()` bytes at `at` belong to us until the next line.
            unsafe { at.write_bytes(0, layout.size()) };
            // Without it the compiler sees that nobody reads these bytes any more, and leaves them as they are.
            std::hint::black_box(at);
        }
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}
