//! A page of memory for one key: what no other process can read, no swap holds and no core dump shows.
//!
//! On Linux it is `memfd_secret`, which the kernel takes out of its own map: not even root reads it through `/proc/PID/mem`,
//! and it is wiped when it is freed. Where there is none, an anonymous page that is locked into memory and left out of core
//! dumps.
//!
//! The only module with `unsafe`, and the three in it: a mapping has no safe form, no kept crate offers one for `memfd_secret`, a
//! register can be cleared in assembly only, a descriptor that was inherited belongs to nobody who could lend it, and an
//! allocator is asked for raw memory.
#![allow(unsafe_code)]

pub mod descriptors;
pub mod heap;
pub(super) mod registers;

use std::ptr::NonNull;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use zeroize::Zeroize;

/// Smaller than any system's page, so that one page always holds it.
const SIZE: usize = 4096;

/// How well a page is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// `memfd_secret`: out of the kernel's own map.
    Secret,
    /// Locked into memory: never in swap, never in a core dump.
    Locked,
    /// The system refused both (a limit on locked memory, for instance): as any other memory, but out of core dumps where the
    /// system knows that.
    Plain,
}

/// A page of its own, all zeros at first, wiped when dropped.
pub struct Page {
    at: NonNull<u8>,
    guard: Guard,
}

// SAFETY: the mapping belongs to this value alone and is reached only through `&self` and `&mut self`.
unsafe impl Send for Page {}
// SAFETY: as above; `&Page` only reads.
unsafe impl Sync for Page {}

impl Page {
    /// The best page that the system gives.
    ///
    /// # Errors
    /// The system has no page at all.
    pub fn new() -> std::io::Result<Self> {
        if let Some(at) = secret() {
            return Ok(Self {
                at,
                guard: Guard::Secret,
            });
        }
        Self::ordinary()
    }

    /// A page without `memfd_secret`.
    fn ordinary() -> std::io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory that is in use.
        let at = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        // SAFETY: the range is the mapping just made; neither call changes what it holds.
        let locked = unsafe { mlock(at, SIZE) }.is_ok();
        #[cfg(target_os = "linux")]
        // SAFETY: as above.
        let _ = unsafe { madvise(at, SIZE, Advice::LinuxDontDump) };
        #[cfg(not(target_os = "linux"))]
        let _ = (madvise, Advice::Normal);
        Ok(Self {
            at: NonNull::new(at.cast()).ok_or_else(|| std::io::Error::other("no memory"))?,
            guard: if locked { Guard::Locked } else { Guard::Plain },
        })
    }

    /// How well it is kept.
    pub fn guard(&self) -> Guard {
        self.guard
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8; SIZE] {
        // SAFETY: mapped readable for SIZE bytes for as long as `self` lives; an array of bytes has no alignment to keep and
        // no invalid values; it is written only through `&mut self`.
        unsafe { self.at.cast::<[u8; SIZE]>().as_ref() }
    }

    /// All of it, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8; SIZE] {
        // SAFETY: as `bytes`; mapped writable, and `&mut self` is the only way to it.
        unsafe { self.at.cast::<[u8; SIZE]>().as_mut() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the mapping was made by `new` with this size, and nothing refers to it any more.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), SIZE) };
    }
}

/// The call's number, the same on every architecture that has it; not every C library names it.
#[cfg(target_os = "linux")]
const MEMFD_SECRET: libc::c_long = 447;

/// A page of `memfd_secret`; none where the kernel has none or gives none.
#[cfg(target_os = "linux")]
fn secret() -> Option<NonNull<u8>> {
    use rustix::mm::mmap;
    use std::os::fd::{AsFd, FromRawFd, OwnedFd};
    // SAFETY: the call takes a number and returns one; there is no wrapper for it in any crate used here.
    let fd = unsafe { libc::syscall(MEMFD_SECRET, libc::O_CLOEXEC) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: a descriptor that was just made for us and that nobody else knows.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::fs::ftruncate(&fd, SIZE as u64).ok()?;
    // SAFETY: a new mapping at an address of the kernel's choice, of a file of this size that nobody else has.
    let at = unsafe {
        mmap(
            std::ptr::null_mut(),
            SIZE,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::SHARED,
            fd.as_fd(),
            0,
        )
    };
    // The mapping keeps the memory; the descriptor isn't needed any more, and a child could not inherit it.
    NonNull::new(at.ok()?.cast())
}

#[cfg(not(target_os = "linux"))]
fn secret() -> Option<NonNull<u8>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_hold_what_is_written() {
        for mut page in [Page::new().unwrap(), Page::ordinary().unwrap()] {
            assert!(page.bytes().iter().all(|byte| *byte == 0));
            page.bytes_mut()[..3].copy_from_slice(b"key");
            page.bytes_mut()[SIZE - 1] = 1;
            assert_eq!(&page.bytes()[..3], b"key");
        }
        assert_ne!(Page::ordinary().unwrap().guard(), Guard::Secret);
    }
}
