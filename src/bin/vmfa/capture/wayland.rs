//! What a Wayland desktop shows: its portal writes a file, `grim` prints one.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use vmfa::clock::{Clock as _, Deadline, System};
use vmfa::desktop::{self, NoScreenshot};
use vmfa::qr::{Format, MAX_FILE_BYTES};
use vmfa::secret::Secret;
use zeroize::Zeroizing;

use super::{Failed, Picture, Shot, program};
use crate::place::Place;

/// The desktop may ask a person.
const PATIENCE: Duration = Duration::from_secs(90);
/// By so much a file system's idea of the time may lag behind.
const SLACK_SECS: u64 = 3;

/// All screens in one picture, by the desktop's portal. The file that it writes is deleted once it is read: it may show a secret.
pub(super) fn by_portal(place: &Place) -> Result<Vec<Shot>, Failed> {
    let began = System.now().map_or(0, |now| now.secs());
    let token = format!("vmfa_{}", std::process::id());
    let path = desktop::screenshot(&place.buses(), &token, Deadline::after(PATIENCE));
    let path = path.map_err(|error| match error {
        NoScreenshot::Cancelled => Failed::Refused,
        NoScreenshot::NoBus
        | NoScreenshot::NoPortal
        | NoScreenshot::Failed
        | NoScreenshot::TookTooLong
        | NoScreenshot::NoFile => Failed::Here(error.to_string()),
    })?;
    let name = place.show(&path);
    let (bytes, metadata) = read(&path).map_err(|why| Failed::Here(format!("{name}: {why}")))?;
    // Whoever stands in the portal's place could name any file of ours. A picture that was made just now is the one.
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let is_new = u64::try_from(metadata.mtime()).is_ok_and(|made| made + SLACK_SECS >= began);
    let is_picture = Format::of(bytes.expose()).is_ok();
    if !is_picture {
        return Err(Failed::Here(format!("{name}: no picture")));
    }
    let is_gone = is_ours && is_new && std::fs::remove_file(&path).is_ok();
    let remark = (!is_gone).then(|| {
        format!(
            "the desktop's picture of the screen is still at {name}: delete it if it shows a secret"
        )
    });
    Ok(vec![Shot {
        name: "screen".into(),
        picture: Picture::File(bytes),
        remark,
    }])
}

/// All screens in one picture, by the program that wlroots' compositors come with.
pub(super) fn by_grim() -> Result<Vec<Shot>, Failed> {
    let bytes = program::output("grim", &["-"]).map_err(Failed::Here)?;
    Ok(vec![Shot {
        name: "screen".into(),
        picture: Picture::File(bytes),
        remark: None,
    }])
}

/// A regular file, within bounds, and no link to one.
fn read(path: &Path) -> Result<(Secret, Metadata), String> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a file".into());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(format!("a file of {} bytes is too large", metadata.len()));
    }
    // One more than there are: the buffer never grows, and what grows meanwhile is seen.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.take(metadata.len() + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 != metadata.len() {
        return Err("it is still being written".into());
    }
    Ok((Secret::new(std::mem::take(&mut *bytes)), metadata))
}
