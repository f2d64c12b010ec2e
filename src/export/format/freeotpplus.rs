//! FreeOTP+: a backup in JSON, in clear alone.

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::loss::Obstacle;
use crate::export::{ExportError, Form, Output, json};
use crate::otp::Scheme;
use crate::secret::Secret;

pub(super) const TARGET: Target = Target {
    id: "freeotp+",
    app: "FreeOTP+",
    also: &["freeotpplus", "freeotp-plus"],
    writes: "JSON",
    sealing: Sealing::Never,
    shape: Shape::Text,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp],
        algorithms: &USUAL,
        digits: &[6, 7, 8],
        counter: i64::MAX as u64,
        tags: Tags::None,
        note: false,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        ..Can::ALL
    },
    read_by: Some("freeotpplus"),
    unread: &[],
    how: "\
1. vmfa export --to freeotp+ --plaintext --out freeotp-backup.json
2. Bring the file to the phone.
3. In FreeOTP+ open the menu, \"Import\", \"Import JSON file\", and choose it.
4. Erase the file, here and there: its secrets are in clear.",
    fits: Some(fits),
    write,
};

/// The app takes every time-based account of this issuer for Steam's, whatever else it says.
fn fits(account: &Account) -> Option<Obstacle> {
    let is_steam = account.summary.issuer.eq_ignore_ascii_case("steam");
    match account.summary.scheme {
        Scheme::Totp(_) if is_steam => Some(Obstacle::TakenForSteam),
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => None,
    }
}

fn write(accounts: &[Account], _: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let order: Vec<String> = accounts
        .iter()
        .map(|account| format!("{}:{}", account.summary.issuer, account.summary.name))
        .collect();
    let tokens: Vec<Value> = accounts.iter().map(token).collect();
    let mut file = json::line(json!({ "tokenOrder": order, "tokens": tokens }));
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn token(account: &Account) -> Value {
    let summary = &account.summary;
    let scheme = &summary.scheme;
    // Java's bytes have signs.
    let bytes = account.secret.expose().iter();
    let secret: Vec<i8> = bytes.map(|byte| byte.cast_signed()).collect();
    json!({
        "type": scheme.name().to_ascii_uppercase(),
        "algo": scheme.algorithm_name(),
        "digits": scheme.digits(),
        "period": scheme.period().unwrap_or(30),
        // The next one, as here.
        "counter": summary.counter.unwrap_or_default(),
        "issuerExt": summary.issuer,
        "issuerInt": summary.issuer,
        "label": summary.name,
        "secret": secret,
    })
}
