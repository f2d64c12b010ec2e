//! Open files that a child must not inherit: a passphrase file, a script's pipe.

use std::fs;
use std::os::fd::BorrowedFd;

use rustix::io::{FdFlags, fcntl_setfd};

/// Has every open file but the three standard ones closed in whatever this process starts from now on. What it has open
/// itself stays open. Best effort: where the system doesn't tell what is open, nothing is done.
pub fn keep_from_children() {
    // On Linux a link to /proc/self/fd; elsewhere a directory of its own.
    let open = fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    for entry in open {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|number: &i32| *number > 2) {
            // SAFETY: the descriptor is used for this one call, which changes nothing but what a child inherits; the
            // directory's own, and one that is closed meanwhile, is refused or gone with its flag.
            let fd = unsafe { BorrowedFd::borrow_raw(number) };
            let _ = fcntl_setfd(fd, FdFlags::CLOEXEC);
        }
    }
}
