//! A list of Key URIs, one a line: what nearly everybody reads.

use crate::account::{Account, key_uri};
use crate::clock::UnixTime;
use crate::export::can::{Can, Tags};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::{ExportError, Form, Output};
use crate::secret::Secret;

pub(super) const TARGET: Target = Target {
    id: "uris",
    app: "any app that reads Key URIs",
    also: &["uri", "otpauth", "text", "list", "aegis-text", "freeotp"],
    writes: "a text, one otpauth:// line for each account",
    sealing: Sealing::Never,
    shape: Shape::Text,
    can: Can {
        t0: true,
        pins: (false, true),
        tags: Tags::None,
        note: false,
        favorite: false,
        trash: false,
        ..Can::ALL
    },
    read_by: Some("uris"),
    unread: &[],
    how: "\
1. vmfa export --to uris --plaintext --out list.txt
2. Read the file in the other app: Aegis, Ente Auth and Stratum call it \"plain text\" or \"URI list\",
   FreeOTP+ \"key URIs\"; `ykman oath accounts uri` takes a line of it.
3. Erase the file: its secrets are in clear.
Better than lying in a file, sealed by another program:
   vmfa export --to uris --plaintext --out - | age -p > list.txt.age",
    fits: None,
    write,
};

fn write(accounts: &[Account], _: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let uris: Vec<_> = accounts.iter().map(key_uri::write).collect();
    let len = uris.iter().map(|uri| uri.expose().len() + 1).sum();
    let mut text = Vec::with_capacity(len);
    for uri in &uris {
        text.extend_from_slice(uri.expose().as_bytes());
        text.push(b'\n');
    }
    Ok(Output::File(Secret::new(text)))
}
