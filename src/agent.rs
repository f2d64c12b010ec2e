//! The agent: an open vault behind a unix socket. Codes come out, and the AWS access keys that requests are signed
//! with; the vault's key and the secrets of accounts never do.
//!
//! Two processes. The *supervisor* owns the socket, the signals and what the desktop says, and never holds a key. The
//! *keyholder* is its child: it holds the index, the sealed records and the DEK, and answers. To lock is to end the
//! keyholder, since no library can leave a key behind in a process that is gone.
//!
//! | file | subject |
//! |---|---|
//! | `error` | what goes wrong |
//! | `address`, `peer` | where an agent is; who is at the other end |
//! | `wire`, `protocol`, `frame` | numbers and texts as bytes; what is said; bounded in length and time |
//! | `lifetime`, `alarm` | how long a key is held; waiting on a clock that counts sleep |
//! | `desktop` | what the desktop says, and a question put there |
//! | `door` | who is connected |
//! | `hold` | requests in, replies out |
//! | `keyholder`, `supervisor` | the two processes |
//! | `lock` | who listens |
//! | `client` | the other end |
//! | `end` | ending an agent, also one that doesn't answer |

mod address;
mod alarm;
mod client;
pub mod desktop;
mod door;
mod end;
mod error;
mod frame;
mod hold;
mod keyholder;
mod lifetime;
mod lock;
mod peer;
pub mod protocol;
mod supervisor;
mod turns;
mod wire;

pub use address::{Address, Usual};
pub use client::Client;
pub use end::{Ended, lock, stop};
pub use error::AgentError;
pub use keyholder::{Inheritance, hold};
pub use supervisor::{Service, Socket, supervise};

/// Why a process of the agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The key is gone; the agent may take another.
    Locked,
    /// The agent is to end.
    Stopped,
}

/// What can be done against being looked into, and against giving others more than they have: no core dump, no debugger, no
/// new privileges, nothing that is written may be read by others. The process gets a name, too: it was started by a path
/// that says nothing.
fn harden(name: &std::ffi::CStr) {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(name);
    #[cfg(not(target_os = "linux"))]
    let _ = name;
    crate::secret::process::keep_out();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_no_new_privs(true);
}
