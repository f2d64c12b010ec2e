//! A place that holds a blob under a name until a moment: how the rooms above cache sessions without knowing who seals them.

use crate::clock::UnixTime;
use crate::failure::Fails;
use crate::secret::Secret;

/// Holds blobs, sealed, until they expire. Implemented by the open vault's cache and by the agent's client.
pub trait Keep {
    /// Why it can't.
    type Error: Fails;

    /// Holds `blob` under `name` until `until`, in place of what stood there.
    ///
    /// # Errors
    /// The blob couldn't be sealed or stored.
    fn hold(&self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), Self::Error>;

    /// The blob under `name` with its expiry, unless it has expired by `now` or was never held.
    ///
    /// # Errors
    /// The store couldn't be read. A blob that doesn't open counts as never held.
    fn recall(&self, name: &str, now: UnixTime) -> Result<Option<(Secret, UnixTime)>, Self::Error>;

    /// Forgets what is under `name`; nothing there is fine.
    ///
    /// # Errors
    /// The store couldn't be changed.
    fn forget(&self, name: &str) -> Result<(), Self::Error>;
}
